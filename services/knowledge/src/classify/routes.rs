//! `/v1/knowledge-bases/{id}/labels`.

use super::{labels, set_labels};
use crate::access::Access;
use crate::app::App;
use anwen_contract::labels::Label;
use anwen_contract::{ApiError, KnowledgeBaseId};
use anwen_platform::http::{Caller, Json, Path};
use axum::extract::State;

pub async fn get_labels(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<Json<Vec<Label>>, ApiError> {
    labels(&app, &Access::from(&caller.asker), id).await.map(Json)
}

pub async fn put_labels(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KnowledgeBaseId>,
    Json(body): Json<Vec<Label>>,
) -> Result<Json<Vec<Label>>, ApiError> {
    set_labels(&app, &Access::from(&caller.asker), id, &body).await.map(Json)
}
