//! `/ollama/api/…`: the model runtime's Ollama interface. Whoever has a key asks the models that they may use; which models
//! there are is changed by administrators.

use super::envelope;
use super::runtime::{ask_model, model_named_in, pass, passed_back};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Administrator, Reader};
use crate::models::{Rights, path_segment, send_body, unreachable};
use crate::openapi::Failures;
use crate::relay::{Forwarded, announced_length};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Path;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use http::Method;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const GET_CALLS: [&str; 3] = ["tags", "ps", "version"];
const POST_CALLS: [&str; 4] = ["chat", "generate", "embed", "embeddings"];
/// Asks nothing of a model: shows what it is.
const SHOW: &str = "show";

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(read, ask))
        .routes(routes!(pull))
        .routes(routes!(create))
        .routes(routes!(copy))
        .routes(routes!(delete))
        .layer(from_fn(envelope::ollama))
}

/// Bodies of any size, which pass through without being held.
pub fn large_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(has_blob, add_blob)).layer(from_fn(envelope::ollama))
}

/// `tags`, `ps` and `version` of Ollama's interface.
#[utoipa::path(get, path = "/ollama/api/{call}", tag = "compatible", params(("call" = String, Path)),
    responses((status = 200, body = Object), Failures))]
async fn read(
    State(app): State<AppState>,
    caller: Reader,
    Path(call): Path<String>,
) -> Result<Response, ApiError> {
    if !GET_CALLS.contains(&call.as_str()) {
        return Err(not_served(&call));
    }
    let path = format!("/api/{call}");
    let rights = Rights::of(&app, &caller).await?;
    if rights.allow_all() || call == "version" {
        return pass(&app, &caller, Method::GET, &path, Bytes::new()).await;
    }
    let client = app.model.service();
    let forwarded = Forwarded { client, method: Method::GET, path, query: None };
    let request = forwarded.request(&app, &caller)?.timeout(app.config.limits.service_call());
    let answer = request.send().await.map_err(unreachable)?;
    let mut listed: Value =
        answer.error_for_status().map_err(unreachable)?.json().await.map_err(unreachable)?;
    if let Some(models) = listed.get_mut("models").and_then(Value::as_array_mut) {
        models.retain(|model| model["name"].as_str().is_some_and(|name| rights.allow(name)));
    }
    Ok(Json(listed).into_response())
}

/// `chat`, `generate`, `embed`, `embeddings` and `show` of Ollama's interface.
#[utoipa::path(post, path = "/ollama/api/{call}", tag = "compatible", params(("call" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), Failures))]
async fn ask(
    State(app): State<AppState>,
    caller: Reader,
    Path(call): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let path = format!("/api/{call}");
    if call == SHOW {
        Rights::of(&app, &caller).await?.check(&app, &caller, &model_named_in(&body)?).await?;
        return pass(&app, &caller, Method::POST, &path, body).await;
    }
    if !POST_CALLS.contains(&call.as_str()) {
        return Err(not_served(&call));
    }
    let model = model_named_in(&body)?;
    ask_model(&app, &caller, &path, &model, body).await
}

fn not_served(call: &str) -> ApiError {
    ApiError::new(ErrorCode::RouteNotFound, format!("`{call}` is not served here"))
}

/// Fetches a model, with its progress.
#[utoipa::path(post, path = "/ollama/api/pull", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn pull(State(app): State<AppState>, caller: Administrator, body: Bytes) -> Result<Response, ApiError> {
    change(&app, &caller, Method::POST, "pull", "model.pulled", body).await
}

/// Makes a model out of another, or out of files that were sent.
#[utoipa::path(post, path = "/ollama/api/create", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn create(
    State(app): State<AppState>,
    caller: Administrator,
    body: Bytes,
) -> Result<Response, ApiError> {
    change(&app, &caller, Method::POST, "create", "model.created", body).await
}

/// Gives a model a second name.
#[utoipa::path(post, path = "/ollama/api/copy", tag = "compatible", request_body = Object,
    responses((status = 200), Failures))]
async fn copy(State(app): State<AppState>, caller: Administrator, body: Bytes) -> Result<Response, ApiError> {
    change(&app, &caller, Method::POST, "copy", "model.copied", body).await
}

/// Deletes a model.
#[utoipa::path(delete, path = "/ollama/api/delete", tag = "compatible", request_body = Object,
    responses((status = 200), Failures))]
async fn delete(
    State(app): State<AppState>,
    caller: Administrator,
    body: Bytes,
) -> Result<Response, ApiError> {
    change(&app, &caller, Method::DELETE, "delete", "model.deleted", body).await
}

/// A call that changes which models there are; the audit log keeps it from its beginning.
async fn change(
    app: &AppState,
    caller: &Administrator,
    method: Method,
    call: &str,
    action: &'static str,
    body: Bytes,
) -> Result<Response, ApiError> {
    let parsed: Value = serde_json::from_slice(&body)
        .map_err(|cause| ApiError::new(ErrorCode::InvalidJson, format!("the body is not JSON: {cause}")))?;
    let text = |field: &str| parsed.get(field).and_then(Value::as_str);
    let model = text("model").or_else(|| text("name")).or_else(|| text("source")).unwrap_or_default();
    let detail =
        json!({"call": format!("/api/{call}"), "from": text("from"), "destination": text("destination")});
    let entry = Entry::new(caller.actor(), action, format!("model:{model}")).detail(detail);
    app.audit.record(&entry).await?;
    pass(app, caller, method, &format!("/api/{call}"), body).await
}

/// Whether a file with this digest (`sha256:…`) is there.
#[utoipa::path(head, path = "/ollama/api/blobs/{digest}", tag = "compatible", params(("digest" = String, Path)),
    responses((status = 200), Failures))]
async fn has_blob(
    State(app): State<AppState>,
    caller: Administrator,
    Path(digest): Path<String>,
) -> Result<Response, ApiError> {
    pass(&app, &caller, Method::HEAD, &format!("/api/blobs/{}", path_segment(&digest)), Bytes::new()).await
}

/// Sends a file, from which `create` makes a model.
#[utoipa::path(post, path = "/ollama/api/blobs/{digest}", tag = "compatible", params(("digest" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201), Failures))]
async fn add_blob(
    State(app): State<AppState>,
    caller: Administrator,
    Path(digest): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let entry = Entry::new(caller.actor(), "model.file_sent", format!("file:{digest}"));
    let bytes = announced_length(request.headers());
    app.audit.record(&entry.detail(json!({"bytes": bytes}))).await?;
    let path = format!("/api/blobs/{}", path_segment(&digest));
    let answer = send_body(&app, &caller, &path, request).await?;
    passed_back(&app, answer)
}
