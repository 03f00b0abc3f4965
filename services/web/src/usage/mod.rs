//! `GET /usage`: answers and tokens by user and day.

use crate::app::AppState;
use crate::auth::Administrator;
use crate::openapi::Failures;
use anwen_contract::{ApiError, Page, Timestamp, UserId};
use anwen_platform::http::{Json, Query};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The days that are counted when the caller does not say.
const DEFAULT_DAYS: i64 = 30;
/// The most days that one call counts.
const MAX_DAYS: i64 = 366;
const DAY_MS: i64 = 86_400_000;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UsageQuery {
    /// RFC 3339; 30 days ago when absent.
    from: Option<Timestamp>,
    /// RFC 3339; now when absent.
    to: Option<Timestamp>,
}

/// Answers and tokens of one user on one day.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Usage {
    /// `YYYY-MM-DD`, in UTC.
    day: String,
    user_id: UserId,
    username: String,
    answers: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
}

/// Counts answers and tokens by user and day, the newest day first.
#[utoipa::path(get, path = "/usage", tag = "administration", params(UsageQuery),
    responses((status = 200, body = Page<Usage>), Failures))]
async fn list(
    State(app): State<AppState>,
    _: Administrator,
    Query(query): Query<UsageQuery>,
) -> Result<Json<Page<Usage>>, ApiError> {
    let to = query.to.unwrap_or_else(Timestamp::now);
    let from = query.from.unwrap_or_else(|| to.plus_millis(-DEFAULT_DAYS * DAY_MS));
    if to.as_millis() - from.as_millis() > MAX_DAYS * DAY_MS {
        return Err(ApiError::invalid(format!("at most {MAX_DAYS} days at once")));
    }
    let rows = app.messages.usage(from, to).await?;
    let items = rows.into_iter().map(|row| Usage {
        day: row.day.to_rfc3339().chars().take("YYYY-MM-DD".len()).collect(),
        user_id: row.user_id,
        username: row.username,
        answers: row.answers,
        prompt_tokens: row.prompt_tokens,
        completion_tokens: row.completion_tokens,
    });
    Ok(Json(Page::whole(items.collect())))
}
