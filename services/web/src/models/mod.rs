//! `GET /models`: the models that can be asked.

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
    OpenApiRouter::new().routes(routes!(list))
}

/// Lists the models that answer questions, with what they can do and whether they are loaded.
#[utoipa::path(get, path = "/models", tag = "models", responses((status = 200, body = Page<ModelInfo>), Failures))]
async fn list(State(app): State<AppState>, caller: Reader) -> Result<Json<Page<ModelInfo>>, ApiError> {
    let mut models = app.model.models(&caller.context(&app)).await.map_err(crate::relay::inner)?.models;
    models.retain(can_answer);
    Ok(Json(Page::whole(models)))
}
