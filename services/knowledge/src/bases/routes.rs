//! `/v1/knowledge-bases`.

use super::{create, delete, find, grants, list, set_grants, update};
use crate::access::Access;
use crate::app::App;
use anwen_contract::knowledge::{CreateKnowledgeBase, Grant, KnowledgeBase, UpdateKnowledgeBase};
use anwen_contract::{ApiError, KnowledgeBaseId, Page, PageQuery};
use anwen_platform::http::{Caller, Json, Path, Query};
use axum::extract::State;
use axum::http::StatusCode;

pub async fn get_all(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<KnowledgeBase>>, ApiError> {
    list(&app.database, &Access::from(&caller.asker), &page).await.map(Json)
}

pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<CreateKnowledgeBase>,
) -> Result<(StatusCode, Json<KnowledgeBase>), ApiError> {
    let model = &app.config.embedding.model;
    let made = create(&app.database, &Access::from(&caller.asker), model, &body).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<Json<KnowledgeBase>, ApiError> {
    find(&app.database, &Access::from(&caller.asker), id).await.map(Json)
}

pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KnowledgeBaseId>,
    Json(body): Json<UpdateKnowledgeBase>,
) -> Result<Json<KnowledgeBase>, ApiError> {
    let changes_profile = body.chunk_profile.is_some() || body.desensitisation.is_some();
    let changed = update(&app.database, &Access::from(&caller.asker), id, body).await?;
    if changes_profile {
        app.signals.profile_changed();
    }
    Ok(Json(changed))
}

pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<StatusCode, ApiError> {
    delete(&app.database, &Access::from(&caller.asker), id).await?;
    app.signals.log_grew();
    app.signals.documents_changed();
    Ok(StatusCode::NO_CONTENT)
}

pub async fn get_grants(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KnowledgeBaseId>,
) -> Result<Json<Vec<Grant>>, ApiError> {
    grants(&app.database, &Access::from(&caller.asker), id).await.map(Json)
}

pub async fn put_grants(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<KnowledgeBaseId>,
    Json(body): Json<Vec<Grant>>,
) -> Result<Json<Vec<Grant>>, ApiError> {
    set_grants(&app.database, &Access::from(&caller.asker), id, &body).await.map(Json)
}
