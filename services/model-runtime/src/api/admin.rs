//! Our own routes: the state of every model, loading, pinning and unloading.

use std::sync::Arc;
use std::time::SystemTime;

use anwen_contract::ApiError;
use anwen_contract::model::ModelState;
use anwen_platform::http::Path;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ApiState;
use crate::error::RuntimeError;
use crate::registry::{KeepAlive, Listed, LoadedModel, Wish};

/// What Ollama's clients look for to know that somebody is there.
const RUNNING: &str = "Ollama is running";

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/", get(|| async { RUNNING }))
        .route("/admin/models", get(list))
        .route("/admin/models/{name}/load", post(load))
        .route("/admin/models/{name}/unload", post(unload))
}

/// `{"models": [ModelInfo and, where it is loaded, "queue": {"running", "waiting", "capacity"}, "memory_bytes",
/// "device_memory_bytes", "pinned", "expires_at", "load_ms"], "upstreams": [{"upstream", "url", "state", "running"}]}`.
async fn list(State(state): State<ApiState>) -> Result<Json<Value>, ApiError> {
    let mut models = Vec::new();
    for listed in listed(&state).await? {
        let mut entry = match serde_json::to_value(&listed.info).map_err(ApiError::internal)? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        if let Some(model) = &listed.loaded {
            entry.extend(standing(model, state.config.queue_capacity));
        }
        models.push(Value::Object(entry));
    }
    let upstreams: Vec<_> =
        state.registry.upstreams().iter().flat_map(|upstream| upstream.states()).collect();
    Ok(Json(json!({"models": models, "upstreams": upstreams})))
}

async fn listed(state: &ApiState) -> Result<Vec<Listed>, ApiError> {
    let registry = Arc::clone(&state.registry);
    tokio::task::spawn_blocking(move || registry.list()).await.map_err(ApiError::internal)
}

/// What is told of a loaded model beside its [`anwen_contract::model::ModelInfo`].
fn standing(model: &LoadedModel, capacity: usize) -> Map<String, Value> {
    let (running, waiting) = model.admission.load();
    let fields = [
        ("queue", json!({"running": running, "waiting": waiting, "capacity": capacity})),
        ("memory_bytes", json!(model.memory_bytes())),
        ("device_memory_bytes", json!(model.engine.device_memory_bytes())),
        ("pinned", json!(model.is_pinned())),
        ("expires_at", json!(model.expires_at().and_then(rfc3339))),
        ("load_ms", json!(model.load_duration.as_millis() as u64)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rfc3339(time: SystemTime) -> Option<String> {
    OffsetDateTime::from(time).format(&Rfc3339).ok()
}

/// The body of `load`; it may be left out.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LoadRequest {
    /// Keep it in memory whatever happens (true), or no longer (false).
    pin: Option<bool>,
    /// As in Ollama's interface.
    keep_alive: Option<Value>,
    context_tokens: Option<u64>,
}

async fn load(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let request: LoadRequest = if body.is_empty() {
        LoadRequest::default()
    } else {
        serde_json::from_slice(&body)
            .map_err(|cause| ApiError::invalid(format!("the body is not what this call takes: {cause}")))?
    };
    let keep_alive = request.keep_alive.as_ref().map(KeepAlive::parse).transpose()?;
    let wish = Wish { keep_alive, context_tokens: request.context_tokens };
    let model = state.registry.acquire_as(&name, wish).await?;
    if let Some(pinned) = request.pin {
        state.registry.pin(&model.name, pinned);
    }
    let mut answer = standing(&model, state.config.queue_capacity);
    answer.insert("id".to_owned(), json!(model.name));
    answer.insert("state".to_owned(), json!(ModelState::Ready));
    Ok(Json(Value::Object(answer)))
}

async fn unload(State(state): State<ApiState>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let is_known =
        state.registry.unload(&name)? || listed(&state).await?.iter().any(|model| model.info.id == name);
    if is_known {
        return Ok(Json(json!({"id": name, "state": ModelState::Available})));
    }
    Err(RuntimeError::ModelNotFound { name }.into())
}
