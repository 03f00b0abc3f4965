//! Models as files: one that an administrator has, and archives for machines without internet.

use super::admin::ollama_call;
use super::runtime::{ollama_failure, path_segment, unreachable};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Administrator;
use crate::names::MAX_LABEL_CHARS;
use crate::openapi::Failures;
use crate::relay::{Forwarded, announced_length, bounded_body, inner, streamed_answer};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::{Json, Path};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Hexadecimal digits of a SHA-256 digest.
const DIGEST_CHARS: usize = 64;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(file_state, add_file))
        .routes(routes!(export))
        .routes(routes!(import))
}

/// Whether a file is here.
#[derive(Debug, Serialize, ToSchema)]
struct ModelFileState {
    present: bool,
}

/// A model to be made of a file that was sent.
#[derive(Debug, Deserialize, ToSchema)]
struct CreateModel {
    /// What the model is called, `name` or `name:tag`.
    name: String,
    /// What the file is called, such as `qwen3-4b-q4_k_m.gguf`.
    file_name: String,
    /// The SHA-256 of the file, in hexadecimal.
    sha256: String,
}

fn checked_digest(sha256: &str) -> Result<String, ApiError> {
    let is_digest = sha256.len() == DIGEST_CHARS && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest {
        Ok(format!("sha256:{}", sha256.to_ascii_lowercase()))
    } else {
        Err(ApiError::invalid(format!("sha256 has {DIGEST_CHARS} hexadecimal digits")))
    }
}

fn checked_name(name: &str, what: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_LABEL_CHARS {
        return Err(ApiError::invalid(format!("{what} has 1 to {MAX_LABEL_CHARS} characters")));
    }
    Ok(name.to_owned())
}

/// Makes a model of a file that was sent before.
#[utoipa::path(post, path = "/admin/models", tag = "administration", request_body = CreateModel,
    responses((status = 204), Failures))]
async fn create(
    State(app): State<AppState>,
    caller: Administrator,
    Json(body): Json<CreateModel>,
) -> Result<StatusCode, ApiError> {
    let digest = checked_digest(&body.sha256)?;
    let (name, file_name) = (checked_name(&body.name, "name")?, checked_name(&body.file_name, "file_name")?);
    let call = json!({"model": name, "files": {(file_name.as_str()): digest}, "stream": false});
    ollama_call(&app, &caller, Method::POST, "/api/create", &call).await?;
    let entry = Entry::new(caller.actor(), "model.created", format!("model:{name}"));
    app.audit.record(&entry.detail(json!({"file": file_name, "digest": digest}))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows whether a file is here already, so that it need not be sent again.
#[utoipa::path(get, path = "/admin/models/files/{sha256}", tag = "administration", params(("sha256" = String, Path)),
    responses((status = 200, body = ModelFileState), Failures))]
async fn file_state(
    State(app): State<AppState>,
    caller: Administrator,
    Path(sha256): Path<String>,
) -> Result<Json<ModelFileState>, ApiError> {
    let call = Forwarded {
        client: app.model.service(),
        method: Method::HEAD,
        path: format!("/api/blobs/{}", path_segment(&checked_digest(&sha256)?)),
        query: None,
    };
    let request = call.request(&app, &caller)?.timeout(app.config.limits.service_call());
    let status = request.send().await.map_err(unreachable)?.status();
    match status {
        StatusCode::NOT_FOUND => Ok(Json(ModelFileState { present: false })),
        status if status.is_success() => Ok(Json(ModelFileState { present: true })),
        status => Err(ollama_failure(status, &[])),
    }
}

/// Sends the file with this digest. It is checked on arrival.
#[utoipa::path(put, path = "/admin/models/files/{sha256}", tag = "administration", params(("sha256" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), Failures))]
async fn add_file(
    State(app): State<AppState>,
    caller: Administrator,
    Path(sha256): Path<String>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let digest = checked_digest(&sha256)?;
    let length = announced_length(request.headers());
    let path = format!("/api/blobs/{}", path_segment(&digest));
    let answer = send_body(&app, &caller, &path, request).await?;
    let status = answer.status();
    if !status.is_success() {
        return Err(ollama_failure(status, &answer.bytes().await.map_err(unreachable)?));
    }
    let entry = Entry::new(caller.actor(), "model.file_sent", format!("file:{digest}"));
    app.audit.record(&entry.detail(json!({"bytes": length}))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One archive with everything that the model needs, for a machine without internet.
#[utoipa::path(get, path = "/admin/models/{name}/archive", tag = "administration", params(("name" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), Failures))]
async fn export(
    State(app): State<AppState>,
    caller: Administrator,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let client = app.model.service();
    let path = format!("/admin/models/{}/export", path_segment(&name));
    let call = Forwarded { client, method: Method::GET, path, query: None };
    let answer = client.send(call.request(&app, &caller)?).await.map_err(inner)?;
    app.audit.record(&Entry::new(caller.actor(), "model.exported", format!("model:{name}"))).await?;
    Ok(streamed_answer(&app, answer, &[CONTENT_TYPE, CONTENT_LENGTH, CONTENT_DISPOSITION], None))
}

/// Takes in an archive that another server has exported.
#[utoipa::path(post, path = "/admin/models/archive", tag = "administration",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), Failures))]
async fn import(
    State(app): State<AppState>,
    caller: Administrator,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let length = announced_length(request.headers());
    let answer = send_body(&app, &caller, "/admin/models/import", request).await?;
    if !answer.status().is_success() {
        return Err(inner(app.model.service().failure_of(answer).await));
    }
    let entry = Entry::new(caller.actor(), "model.imported", "models").detail(json!({"bytes": length}));
    app.audit.record(&entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Passes a large body through to the runtime.
pub async fn send_body(
    app: &AppState,
    caller: &Administrator,
    path: &str,
    request: Request,
) -> Result<reqwest::Response, ApiError> {
    let max_bytes = app.config.limits.model_upload_max_bytes;
    let too_large =
        || ApiError::new(ErrorCode::FileTooLarge, format!("a model's file has at most {max_bytes} bytes"));
    let length = announced_length(request.headers());
    if length.is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }
    let (body, went_past_bound) = bounded_body(request.into_body(), max_bytes);
    let client = app.model.service();
    let call = Forwarded { client, method: Method::POST, path: path.to_owned(), query: None };
    let mut onward = call.request(app, caller)?.header(CONTENT_TYPE, "application/octet-stream").body(body);
    if let Some(length) = length {
        onward = onward.header(CONTENT_LENGTH, length);
    }
    onward.send().await.map_err(
        |cause| {
            if went_past_bound.is_set() { too_large() } else { unreachable(cause) }
        },
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_sixty_four_hexadecimal_digits() {
        assert_eq!(checked_digest(&"AB".repeat(32)).unwrap(), format!("sha256:{}", "ab".repeat(32)));
        for wrong in ["", "ab", &"zz".repeat(32), "../../etc/passwd"] {
            assert_eq!(checked_digest(wrong).unwrap_err().code, ErrorCode::InvalidRequest);
        }
    }
}
