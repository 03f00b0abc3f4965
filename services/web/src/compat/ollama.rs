//! `/ollama/api/…`: the model runtime's Ollama interface.

use super::envelope;
use crate::app::AppState;
use crate::auth::Reader;
use crate::openapi::Failures;
use crate::relay::{Forwarded, streamed_answer};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Path;
use axum::body::Bytes;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::Response;
use http::Method;
use http::header::CONTENT_TYPE;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Calls that use models. Those that change which models there are stay with the model runtime itself.
const GET_CALLS: [&str; 3] = ["tags", "ps", "version"];
const POST_CALLS: [&str; 5] = ["chat", "generate", "embed", "embeddings", "show"];

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(read, ask)).layer(from_fn(envelope::ollama))
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
    pass(&app, &caller, Method::GET, &call, Bytes::new()).await
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
    if !POST_CALLS.contains(&call.as_str()) {
        return Err(not_served(&call));
    }
    pass(&app, &caller, Method::POST, &call, body).await
}

fn not_served(call: &str) -> ApiError {
    ApiError::new(ErrorCode::RouteNotFound, format!("`{call}` is not served here"))
}

async fn pass(
    app: &AppState,
    caller: &Reader,
    method: Method,
    call: &str,
    body: Bytes,
) -> Result<Response, ApiError> {
    let client = app.model.service();
    let forwarded = Forwarded { client, method, path: format!("/api/{call}"), query: None };
    let request = forwarded.request(app, caller)?.header(CONTENT_TYPE, "application/json").body(body);
    let answer = request.send().await.map_err(|cause| {
        ApiError::new(ErrorCode::ServiceUnavailable, "the model runtime does not answer; try again")
            .because(cause)
    })?;
    // Errors of the runtime stand in Ollama's envelope already.
    Ok(streamed_answer(app, answer, &[CONTENT_TYPE], None))
}
