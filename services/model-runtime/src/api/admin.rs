//! Our own routes: the state of every model, loading and unloading.

use std::sync::Arc;

use anwen_contract::ApiError;
use anwen_platform::http::Path;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::ApiState;
use crate::error::RuntimeError;

/// What Ollama's clients look for to know that somebody is there.
const RUNNING: &str = "Ollama is running";

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/", get(|| async { RUNNING }))
        .route("/admin/models", get(list))
        .route("/admin/models/{name}/load", post(load))
        .route("/admin/models/{name}/unload", post(unload))
}

/// `{"models": [ModelInfo and "queue": {"running", "waiting", "capacity"}]}`.
async fn list(State(state): State<ApiState>) -> Result<Json<Value>, ApiError> {
    let registry = Arc::clone(&state.registry);
    let listed = tokio::task::spawn_blocking(move || registry.list()).await.map_err(ApiError::internal)?;
    let loaded = state.registry.loaded();
    let mut models = Vec::with_capacity(listed.len());
    for model in listed {
        let mut entry = match serde_json::to_value(&model.info).map_err(ApiError::internal)? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        if let Some(model) = loaded.iter().find(|loaded| loaded.name == model.info.id) {
            let (running, waiting) = model.admission.load();
            entry.insert(
                "queue".to_owned(),
                json!({"running": running, "waiting": waiting, "capacity": state.config.queue_capacity}),
            );
        }
        models.push(Value::Object(entry));
    }
    Ok(Json(json!({ "models": models })))
}

async fn load(State(state): State<ApiState>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let model = state.registry.acquire(&name).await?;
    Ok(Json(json!({"id": model.name, "state": "ready", "load_ms": model.load_duration.as_millis() as u64})))
}

async fn unload(State(state): State<ApiState>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    if state.registry.unload(&name)? {
        return Ok(Json(json!({"id": name, "state": "available"})));
    }
    let registry = Arc::clone(&state.registry);
    let wanted = name.clone();
    let listed = tokio::task::spawn_blocking(move || registry.list()).await.map_err(ApiError::internal)?;
    if listed.iter().any(|model| model.info.id == wanted) {
        return Ok(Json(json!({"id": name, "state": "available"})));
    }
    Err(RuntimeError::ModelNotFound { name }.into())
}
