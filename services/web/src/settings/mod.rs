//! Settings that administrators change while the server runs: a small set of typed sections.

mod store;

pub use store::{SettingsStore, set};

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Administrator;
use crate::names::MAX_LABEL_CHARS;
use crate::openapi::Failures;
use anwen_contract::ApiError;
use anwen_platform::http::{Json, Path};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most characters of the additional instructions.
const MAX_INSTRUCTIONS_CHARS: usize = 4_000;
const ANSWERING: &str = "answering";

/// The section `answering`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Answering {
    /// The model that answers when a chat names none. Absent: the first language model that is ready, or else the
    /// answerer that quotes.
    pub default_model: Option<String>,
    /// Whether a question may be searched for on the web, when it asks for that. Only then does anything leave the
    /// server.
    pub web_search: bool,
    /// What every language model is told besides the rules, such as the organisation's name and tone.
    pub instructions: String,
}

impl Answering {
    fn checked(mut self) -> Result<Self, ApiError> {
        self.default_model =
            self.default_model.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if self.default_model.as_ref().is_some_and(|name| name.chars().count() > MAX_LABEL_CHARS) {
            return Err(ApiError::invalid(format!(
                "default_model has more than {MAX_LABEL_CHARS} characters"
            )));
        }
        if self.instructions.chars().count() > MAX_INSTRUCTIONS_CHARS {
            return Err(ApiError::invalid(format!(
                "instructions has more than {MAX_INSTRUCTIONS_CHARS} characters"
            )));
        }
        Ok(self)
    }
}

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get, put))
}

/// Shows a section of the settings. There is one: `answering`.
#[utoipa::path(get, path = "/settings/{section}", tag = "administration", params(("section" = String, Path)),
    responses((status = 200, body = Answering), Failures))]
async fn get(
    State(app): State<AppState>,
    _: Administrator,
    Path(section): Path<String>,
) -> Result<Json<Answering>, ApiError> {
    check_section(&section)?;
    Ok(Json(app.settings.answering().await?))
}

/// Sets a section of the settings as a whole.
#[utoipa::path(put, path = "/settings/{section}", tag = "administration", params(("section" = String, Path)),
    request_body = Answering, responses((status = 200, body = Answering), Failures))]
async fn put(
    State(app): State<AppState>,
    caller: Administrator,
    Path(section): Path<String>,
    Json(body): Json<Answering>,
) -> Result<Json<Answering>, ApiError> {
    check_section(&section)?;
    let body = body.checked()?;
    let mut transaction = app.db.begin_write().await?;
    let entry =
        Entry::new(caller.actor(), "settings.changed", format!("settings:{section}")).detail(json!(body));
    app.audit.append(&mut transaction, &entry).await?;
    store::set(&mut transaction, ANSWERING, &body).await?;
    transaction.commit().await?;
    Ok(Json(body))
}

fn check_section(section: &str) -> Result<(), ApiError> {
    if section == ANSWERING { Ok(()) } else { Err(ApiError::not_found("section of the settings")) }
}
