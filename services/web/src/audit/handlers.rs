//! `GET /audit`.

use super::chain::AuditRow;
use super::store::AuditQuery;
use crate::app::AppState;
use crate::auth::Administrator;
use crate::openapi::Failures;
use anwen_contract::{ApiError, ErrorCode, Page, PageQuery, Timestamp};
use anwen_platform::http::{Json, Query};
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Narrows the list; every given part must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filters {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u32>,
    /// A user's id or name.
    actor: Option<String>,
    /// An action such as `user.created`, or a domain such as `user`.
    action: Option<String>,
    /// `kind:id`
    object: Option<String>,
    /// RFC 3339
    from: Option<Timestamp>,
    /// RFC 3339
    to: Option<Timestamp>,
}

/// Lists the audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "administration", params(Filters),
    responses((status = 200, body = Page<AuditRow>), Failures))]
async fn list(
    State(app): State<AppState>,
    _: Administrator,
    Query(filters): Query<Filters>,
) -> Result<Json<Page<AuditRow>>, ApiError> {
    let limit = PageQuery { cursor: None, limit: filters.limit }.bounded_limit();
    let before =
        filters.cursor.as_deref().map(str::parse).transpose().map_err(|_| {
            ApiError::new(ErrorCode::InvalidCursor, "the cursor is not one that this list gave")
        })?;
    let query = AuditQuery {
        before,
        actor: filters.actor,
        action: filters.action,
        object: filters.object,
        from: filters.from,
        to: filters.to,
    };
    Ok(Json(app.audit.list(&query, limit).await?))
}
