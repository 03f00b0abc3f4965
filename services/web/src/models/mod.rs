//! The models: those that an asker may use, and for administrators what the model runtime holds.

mod admin;
mod catalogue;
mod files;
mod pull;
mod rights;
mod runtime;

pub use files::send_body;
pub use rights::Rights;
pub use runtime::{path_segment, unreachable};

use crate::answer::can_answer;
use crate::app::AppState;
use crate::auth::Reader;
use crate::openapi::Failures;
use anwen_contract::model::ModelInfo;
use anwen_contract::{ApiError, Page};
use anwen_platform::http::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .merge(admin::routes())
        .merge(catalogue::routes())
        .merge(pull::routes())
        .merge(files::routes())
        .merge(rights::routes())
}

/// Lists the models that answer questions and that the asker may use, with what they can do and whether they are loaded.
#[utoipa::path(get, path = "/models", tag = "models", responses((status = 200, body = Page<ModelInfo>), Failures))]
async fn list(State(app): State<AppState>, caller: Reader) -> Result<Json<Page<ModelInfo>>, ApiError> {
    let mut models = Rights::of(&app, &caller).await?.models(&app, &caller).await?;
    models.retain(can_answer);
    Ok(Json(Page::whole(models)))
}
