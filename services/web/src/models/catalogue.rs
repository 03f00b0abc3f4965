//! The models that are known to work, with what each needs.

use super::admin::read;
use crate::app::AppState;
use crate::auth::Administrator;
use crate::openapi::Failures;
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Models that are known to work, and whether this server may fetch them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Catalogue {
    #[serde(default)]
    pub models: Vec<CatalogueModel>,
    /// Whether models may be fetched over the network; `null` where the runtime does not say.
    #[serde(default)]
    pub pull_enabled: Option<bool>,
}

/// One model of the catalogue.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CatalogueModel {
    /// The name under which it is kept here.
    pub name: String,
    /// What to pull.
    #[serde(default)]
    pub source: Option<String>,
    /// The family that it belongs to, such as `Qwen3`.
    #[serde(default)]
    pub family: Option<String>,
    #[serde(default)]
    pub parameter_size: Option<String>,
    #[serde(default)]
    pub quantization: Option<String>,
    /// Bytes to fetch.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// Bytes of memory that it takes with a usual context.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    #[serde(default)]
    pub context_tokens: Option<u64>,
    /// Languages that it is good at, as ISO 639 codes.
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default)]
    pub license: Option<String>,
    /// `chat`, `embed`, `rerank`, `vision`, `tools`, `thinking`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is here already.
    #[serde(default)]
    pub installed: bool,
}

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(catalogue))
}

/// Shows the catalogue. It is empty where the runtime has none.
#[utoipa::path(get, path = "/admin/models/catalogue", tag = "administration",
    responses((status = 200, body = Catalogue), Failures))]
async fn catalogue(State(app): State<AppState>, caller: Administrator) -> Result<Json<Catalogue>, ApiError> {
    match read(&app, &caller, "/admin/catalogue").await {
        Ok(catalogue) => Ok(Json(catalogue)),
        Err(failure) if failure.code == ErrorCode::RouteNotFound => Ok(Json(Catalogue::default())),
        Err(failure) => Err(failure),
    }
}
