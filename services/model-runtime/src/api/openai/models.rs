//! `/v1/models`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::unix_seconds;
use crate::api::ApiState;
use crate::api::body::{Failure, OpenAi};
use crate::error::RuntimeError;
use crate::registry::{Listed, modified_at};
use anwen_platform::http::RequestId;

/// What Ollama adds to a name without a tag.
const LATEST_TAG: &str = ":latest";

async fn listed(state: &ApiState) -> Result<Vec<Listed>, RuntimeError> {
    let registry = Arc::clone(&state.registry);
    tokio::task::spawn_blocking(move || registry.list()).await.map_err(RuntimeError::internal)
}

fn model(listed: &Listed) -> Value {
    json!({
        "id": listed.info.id,
        "object": "model",
        "created": unix_seconds(modified_at(listed.files.as_ref())),
        "owned_by": "anwen",
        "anwen": listed.info,
    })
}

pub(super) async fn list(
    State(state): State<ApiState>,
    RequestId(id): RequestId,
) -> Result<Json<Value>, Failure<OpenAi>> {
    let models = listed(&state).await.map_err(|failure| Failure::new(&failure, &id))?;
    let data: Vec<Value> = models.iter().map(model).collect();
    Ok(Json(json!({"object": "list", "data": data})))
}

pub(super) async fn show(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    RequestId(id): RequestId,
) -> Result<Json<Value>, Failure<OpenAi>> {
    let fail = |failure: RuntimeError| Failure::new(&failure, &id);
    let models = listed(&state).await.map_err(fail)?;
    let known = state.config.aliases.get(&name).unwrap_or(&name);
    let plain = known.strip_suffix(LATEST_TAG).unwrap_or(known);
    match models.iter().find(|listed| listed.info.id == *known || listed.info.id == plain) {
        Some(listed) => Ok(Json(model(listed))),
        None => Err(fail(RuntimeError::ModelNotFound { name })),
    }
}
