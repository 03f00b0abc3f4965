//! What administrators see of the model runtime, and loading, keeping, unloading and deleting models.

use super::runtime::{ollama_failure, path_segment, unreachable};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Administrator;
use crate::openapi::Failures;
use crate::relay::{Forwarded, inner};
use anwen_contract::ApiError;
use anwen_contract::model::ModelInfo;
use anwen_platform::http::{Json, Path};
use axum::extract::State;
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Reading the weights of a large model from a slow disk takes minutes.
const LOAD_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// A model of the runtime with what an operator wants to know. What the runtime does not say is absent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AdminModel {
    #[serde(flatten)]
    pub info: ModelInfo,
    /// Bytes of memory that the model takes while it is loaded.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Bytes of memory that it would take, by its file's header.
    #[serde(default)]
    pub needed_bytes: Option<u64>,
    /// How its weights are stored, such as `Q4_K_M`.
    #[serde(default)]
    pub quantization: Option<String>,
    /// How many weights it has, such as `7.6B`.
    #[serde(default)]
    pub parameter_size: Option<String>,
    #[serde(default)]
    pub queue: Option<ModelQueue>,
    /// Whether it stays loaded until somebody unloads it.
    #[serde(default)]
    pub pinned: Option<bool>,
    /// When it is unloaded if nobody uses it until then.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Why it could not be loaded.
    #[serde(default)]
    pub error: Option<String>,
}

/// The requests in front of a loaded model.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct ModelQueue {
    pub running: u32,
    pub waiting: u32,
    /// Requests that may wait; one more is refused.
    #[serde(default)]
    pub capacity: Option<u32>,
}

/// What the runtime holds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AdminModels {
    pub models: Vec<AdminModel>,
    #[serde(default)]
    pub memory: Option<ModelMemory>,
}

/// The memory of the machine that the runtime is on, or of the part that it was granted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct ModelMemory {
    pub total_bytes: u64,
    /// What a model that is loaded now may take.
    pub available_bytes: u64,
}

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(load))
        .routes(routes!(unload))
        .routes(routes!(pin, unpin))
        .routes(routes!(remove))
}

/// Lists every model of the runtime with its state, memory and queue.
#[utoipa::path(get, path = "/admin/models", tag = "administration",
    responses((status = 200, body = AdminModels), Failures))]
async fn list(State(app): State<AppState>, caller: Administrator) -> Result<Json<AdminModels>, ApiError> {
    let (listed, tags) = tokio::join!(
        read::<AdminModels>(&app, &caller, "/admin/models"),
        // What only Ollama's listing says is left out when that fails.
        read::<Tags>(&app, &caller, "/api/tags"),
    );
    let mut listed = listed?;
    let tags = tags.map(|tags| tags.models).unwrap_or_default();
    for model in &mut listed.models {
        let tagged =
            tags.iter().find(|tag| tag.name.strip_suffix(":latest").unwrap_or(&tag.name) == model.info.id);
        if let Some(details) = tagged.map(|tag| &tag.details) {
            let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
            model.quantization = model.quantization.take().or_else(|| said(&details.quantization_level));
            model.parameter_size = model.parameter_size.take().or_else(|| said(&details.parameter_size));
        }
    }
    Ok(Json(listed))
}

/// The part of Ollama's `/api/tags` that our own listing may lack.
#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    details: TagDetails,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TagDetails {
    quantization_level: String,
    parameter_size: String,
}

/// Loads a model into memory.
#[utoipa::path(post, path = "/admin/models/{name}/load", tag = "administration", params(("name" = String, Path)),
    responses((status = 204), Failures))]
async fn load(
    State(app): State<AppState>,
    caller: Administrator,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    change(&app, &caller, &name, "load", json!({}), "model.loaded").await
}

/// Frees the memory of a model; answers that are being written end first.
#[utoipa::path(post, path = "/admin/models/{name}/unload", tag = "administration", params(("name" = String, Path)),
    responses((status = 204), Failures))]
async fn unload(
    State(app): State<AppState>,
    caller: Administrator,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    change(&app, &caller, &name, "unload", json!({}), "model.unloaded").await
}

/// Keeps a model loaded: it makes no room for others. Loads it where it is not.
#[utoipa::path(put, path = "/admin/models/{name}/pin", tag = "administration", params(("name" = String, Path)),
    responses((status = 204), Failures))]
async fn pin(
    State(app): State<AppState>,
    caller: Administrator,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    change(&app, &caller, &name, "load", json!({"pin": true}), "model.pinned").await
}

/// Lets a model make room for others again.
#[utoipa::path(delete, path = "/admin/models/{name}/pin", tag = "administration", params(("name" = String, Path)),
    responses((status = 204), Failures))]
async fn unpin(
    State(app): State<AppState>,
    caller: Administrator,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    change(&app, &caller, &name, "load", json!({"pin": false}), "model.unpinned").await
}

async fn change(
    app: &AppState,
    caller: &Administrator,
    name: &str,
    what: &str,
    body: Value,
    action: &'static str,
) -> Result<StatusCode, ApiError> {
    let client = app.model.service();
    let path = format!("/admin/models/{}/{what}", path_segment(name));
    let call = Forwarded { client, method: Method::POST, path, query: None };
    let request = call.request(app, caller)?.timeout(LOAD_DEADLINE).json(&body);
    client.send(request).await.map_err(inner)?;
    app.audit.record(&Entry::new(caller.actor(), action, format!("model:{name}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a model's files. Files that another model needs too stay.
#[utoipa::path(delete, path = "/admin/models/{name}", tag = "administration", params(("name" = String, Path)),
    responses((status = 204), Failures))]
async fn remove(
    State(app): State<AppState>,
    caller: Administrator,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    ollama_call(&app, &caller, Method::DELETE, "/api/delete", &json!({"model": name})).await?;
    app.audit.record(&Entry::new(caller.actor(), "model.deleted", format!("model:{name}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A call of Ollama's interface whose answer says nothing.
pub async fn ollama_call(
    app: &AppState,
    caller: &Administrator,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<(), ApiError> {
    let client = app.model.service();
    let call = Forwarded { client, method, path: path.to_owned(), query: None };
    let request = call.request(app, caller)?.timeout(LOAD_DEADLINE).json(body);
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(ollama_failure(status, &answer.bytes().await.map_err(unreachable)?))
}

/// Reads JSON from the runtime.
pub async fn read<T: DeserializeOwned>(
    app: &AppState,
    caller: &Administrator,
    path: &str,
) -> Result<T, ApiError> {
    let client = app.model.service();
    let call = Forwarded { client, method: Method::GET, path: path.to_owned(), query: None };
    let request = call.request(app, caller)?.timeout(app.config.limits.service_call());
    let answer = client.send(request).await.map_err(inner)?;
    answer.json().await.map_err(ApiError::internal)
}
