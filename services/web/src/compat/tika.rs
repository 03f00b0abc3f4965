//! Apache Tika server's calls, answered by the parser of the knowledge service: the text of a file, which is not kept.

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Reader;
use crate::openapi::Failures;
use crate::relay::{Forwarded, announced_length, bounded_body, inner, streamed_answer};
use anwen_contract::{ApiError, ErrorCode};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, Method};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Headers of a call that are passed on: what is wanted, and what the file is called and said to be.
const REQUEST_HEADERS: [HeaderName; 3] = [ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE];

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(tika)).routes(routes!(tika_text)).routes(routes!(rmeta_text))
}

/// The text of the file in the body; `Accept` says in which form: `text/plain`, `text/markdown` or `application/json`.
#[utoipa::path(put, path = "/tika", tag = "compatible",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = String, content_type = "text/plain"), Failures))]
async fn tika(State(app): State<AppState>, caller: Reader, request: Request) -> Result<Response, ApiError> {
    pass(&app, &caller, "/tika", request).await
}

/// The text of the file in the body as `X-TIKA:content`, beside what the file says of itself.
#[utoipa::path(put, path = "/tika/text", tag = "compatible",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Object), Failures))]
async fn tika_text(
    State(app): State<AppState>,
    caller: Reader,
    request: Request,
) -> Result<Response, ApiError> {
    pass(&app, &caller, "/tika/text", request).await
}

/// The same in a list.
#[utoipa::path(put, path = "/rmeta/text", tag = "compatible",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Vec<Object>), Failures))]
async fn rmeta_text(
    State(app): State<AppState>,
    caller: Reader,
    request: Request,
) -> Result<Response, ApiError> {
    pass(&app, &caller, "/rmeta/text", request).await
}

async fn pass(
    app: &AppState,
    caller: &Reader,
    path: &'static str,
    request: Request,
) -> Result<Response, ApiError> {
    let max_bytes = app.config.limits.upload_max_bytes;
    let (parts, body) = request.into_parts();
    let length = announced_length(&parts.headers);
    if length.is_some_and(|length| length > max_bytes) {
        return Err(too_large(max_bytes));
    }
    let client = app.knowledge.service();
    let call = Forwarded { client, method: Method::PUT, path: path.to_owned(), query: None };
    let (body, went_past_bound) = bounded_body(body, max_bytes);
    let mut onward = call.request(app, caller)?.body(body);
    for name in REQUEST_HEADERS {
        if let Some(value) = parts.headers.get(&name) {
            onward = onward.header(name, value);
        }
    }
    if let Some(length) = length {
        onward = onward.header(CONTENT_LENGTH, length);
    }
    let failed = |failure| {
        if went_past_bound.is_set() { too_large(max_bytes) } else { inner(failure) }
    };
    let answer = client.send(onward).await.map_err(failed)?;
    let entry =
        Entry::new(caller.actor(), "file.parsed", "parser".to_owned()).detail(json!({"bytes": length}));
    app.audit.record(&entry).await?;
    Ok(streamed_answer(app, answer, &[CONTENT_TYPE], None))
}

fn too_large(max_bytes: u64) -> ApiError {
    ApiError::new(ErrorCode::BodyTooLarge, format!("a file has at most {max_bytes} bytes"))
}
