//! `/api/tags`, `/api/ps`, `/api/show` and `/api/version`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anwen_contract::model::ModelCapabilities;
use anwen_models::{ModelName, Shown};
use anwen_platform::http::RequestId;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rfc3339;
use crate::api::ApiState;
use crate::api::body::{Body, Failure, Ollama};
use crate::error::RuntimeError;
use crate::registry::{Listed, modified_at};

async fn listed(state: &ApiState) -> Result<Vec<Listed>, RuntimeError> {
    let registry = Arc::clone(&state.registry);
    tokio::task::spawn_blocking(move || registry.list()).await.map_err(RuntimeError::internal)
}

/// Ollama names every model with a tag.
fn tagged(name: &str) -> String {
    if name.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

fn details(listed: &Listed) -> Value {
    let files = listed.files.as_ref();
    let family = files.map_or(listed.info.engine.as_str(), |files| files.family.as_str());
    json!({
        "parent_model": "",
        "format": files.map_or("builtin", |files| files.format()),
        "family": family,
        "families": [family],
        "parameter_size": files.and_then(|files| files.parameters).map(parameter_size).unwrap_or_default(),
        "quantization_level": files.map_or("", |files| files.quantization.as_str()),
    })
}

/// `7.6B`, `494M`.
fn parameter_size(parameters: u64) -> String {
    const BILLION: f64 = 1e9;
    let parameters = parameters as f64;
    if parameters >= BILLION {
        format!("{:.1}B", parameters / BILLION)
    } else {
        format!("{:.0}M", parameters / 1e6)
    }
}

fn tag(listed: &Listed) -> Value {
    json!({
        "name": tagged(&listed.info.id),
        "model": tagged(&listed.info.id),
        "modified_at": rfc3339(modified_at(listed.files.as_ref())),
        "size": listed.info.size_bytes,
        "digest": listed.files.as_ref().map(|files| files.fingerprint()).unwrap_or_default(),
        "details": details(listed),
    })
}

pub(super) async fn tags(
    State(state): State<ApiState>,
    RequestId(id): RequestId,
) -> Result<Json<Value>, Failure<Ollama>> {
    let models = listed(&state).await.map_err(|failure| Failure::new(&failure, &id))?;
    let models: Vec<Value> = models.iter().map(tag).collect();
    Ok(Json(json!({ "models": models })))
}

pub(super) async fn running(
    State(state): State<ApiState>,
    RequestId(id): RequestId,
) -> Result<Json<Value>, Failure<Ollama>> {
    let all = listed(&state).await.map_err(|failure| Failure::new(&failure, &id))?;
    let models: Vec<Value> = all
        .iter()
        .filter_map(|listed| Some((listed, listed.loaded.as_ref()?)))
        .map(|(listed, model)| {
            let mut entry = tag(listed);
            entry["size"] = json!(model.memory_bytes());
            entry["size_vram"] = json!(model.engine.device_memory_bytes());
            // What nothing unloads has a date that is far away: Ollama's clients read one always.
            entry["expires_at"] = json!(rfc3339(model.expires_at().unwrap_or_else(far_away)));
            entry["context_length"] = json!(listed.info.context_tokens);
            entry
        })
        .collect();
    Ok(Json(json!({ "models": models })))
}

fn far_away() -> SystemTime {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    SystemTime::now() + CENTURY
}

#[derive(Deserialize)]
pub(super) struct ShowRequest {
    #[serde(alias = "name")]
    model: String,
}

pub(super) async fn show(
    State(state): State<ApiState>,
    body: Body<Ollama, ShowRequest>,
) -> Result<Json<Value>, Failure<Ollama>> {
    let fail = Body::<Ollama, ShowRequest>::failure(&body.request_id);
    let wanted = body.value.model;
    let models = listed(&state).await.map_err(&fail)?;
    let found = models.iter().find(|listed| listed.info.id == wanted || tagged(&listed.info.id) == wanted);
    let listed = found.ok_or_else(|| fail(RuntimeError::ModelNotFound { name: wanted.clone() }))?;
    let shown = shown(&state, listed).await.map_err(&fail)?;
    let mut details = details(listed);
    details["parent_model"] = json!(shown.parent);
    let mut info = shown.info;
    if info.is_empty() {
        let family = details["family"].as_str().unwrap_or_default().to_owned();
        info.insert("general.architecture".to_owned(), json!(family));
        info.insert(format!("{family}.context_length"), json!(listed.info.context_tokens));
        info.insert(format!("{family}.embedding_length"), json!(listed.info.dimensions));
    }
    if let Some(parameters) = listed.files.as_ref().and_then(|files| files.parameters) {
        info.entry("general.parameter_count").or_insert(json!(parameters));
    }
    let mut capabilities = listed.info.capabilities;
    capabilities.vision |= shown.has_projector;
    Ok(Json(json!({
        "license": shown.license,
        "modelfile": shown.modelfile,
        "parameters": shown.parameters,
        "template": shown.template,
        "system": shown.system,
        "messages": shown.messages,
        "details": details,
        "model_info": info,
        "capabilities": capability_names(capabilities),
        "modified_at": rfc3339(modified_at(listed.files.as_ref())),
    })))
}

/// What the files and the manifest say; nothing for what is part of the program.
async fn shown(state: &ApiState, listed: &Listed) -> Result<Shown, RuntimeError> {
    let Some(files) = listed.files.clone() else { return Ok(Shown::default()) };
    let store = Arc::clone(state.registry.store());
    let read = move || {
        let stored = files.name.parse::<ModelName>().ok().and_then(|name| store.get(&name));
        anwen_models::show(&files, stored.as_ref())
    };
    tokio::task::spawn_blocking(read).await.map_err(RuntimeError::internal)
}

fn capability_names(capabilities: ModelCapabilities) -> Vec<&'static str> {
    let all = [
        (capabilities.chat, "completion"),
        (capabilities.embed, "embedding"),
        (capabilities.vision, "vision"),
        (capabilities.tools, "tools"),
    ];
    all.into_iter().filter(|(can, _)| *can).map(|(_, name)| name).collect()
}

pub(super) async fn version() -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION")}))
}
