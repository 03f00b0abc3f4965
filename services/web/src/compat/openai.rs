//! `/v1/…`: OpenAI's interface. A model named `kb/<knowledge base>` answers from that knowledge base; the others are
//! the model runtime's.

use super::envelope;
use super::knowledge_model::{self, PREFIX};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Reader, SignedIn};
use crate::openapi::Failures;
use crate::relay::{Forwarded, streamed_answer};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::Response;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(models))
        .routes(routes!(chat_completions))
        .routes(routes!(embeddings))
        .routes(routes!(completions))
        .routes(routes!(rerank))
        .layer(from_fn(envelope::openai))
}

/// Lists models, and a `kb/<name>` for each knowledge base that the asker may read.
#[utoipa::path(get, path = "/v1/models", tag = "compatible", responses((status = 200, body = Object), Failures))]
async fn models(State(app): State<AppState>, caller: Reader) -> Result<Json<Value>, ApiError> {
    let context = caller.context(&app);
    let models = app.model.models(&context).await.map_err(crate::relay::inner)?.models;
    let bases = knowledge_model::all_bases(&app, &context).await?;
    let names = models
        .into_iter()
        .map(|model| model.id)
        .chain(bases.into_iter().map(|base| format!("{PREFIX}{}", base.name)));
    let data: Vec<Value> =
        names.map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "anwen"})).collect();
    Ok(Json(json!({"object": "list", "data": data})))
}

/// Completes a chat, streamed or not.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn chat_completions(
    State(app): State<AppState>,
    caller: Reader,
    body: Bytes,
) -> Result<Response, ApiError> {
    let parsed: Value = serde_json::from_slice(&body)
        .map_err(|cause| ApiError::new(ErrorCode::InvalidJson, format!("the body is not JSON: {cause}")))?;
    let model = parsed.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
    match model.strip_prefix(PREFIX) {
        Some(base) => knowledge_model::complete(&app, &caller, base, parsed).await,
        None => {
            let entry = Entry::new(caller.actor(), "model.asked", format!("model:{model}"));
            app.audit.record(&entry).await?;
            pass(&app, &caller, "/v1/chat/completions", body).await
        }
    }
}

/// Embeds texts.
#[utoipa::path(post, path = "/v1/embeddings", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn embeddings(State(app): State<AppState>, caller: Reader, body: Bytes) -> Result<Response, ApiError> {
    pass(&app, &caller, "/v1/embeddings", body).await
}

/// Completes a text. Not served yet.
#[utoipa::path(post, path = "/v1/completions", tag = "compatible", request_body = Object, responses(Failures))]
async fn completions(_: Reader) -> ApiError {
    not_served("/v1/completions", "/v1/chat/completions")
}

/// Orders texts by how well they answer a question. Not served yet.
#[utoipa::path(post, path = "/v1/rerank", tag = "compatible", request_body = Object, responses(Failures))]
async fn rerank(_: Reader) -> ApiError {
    not_served("/v1/rerank", "/api/v1/retrieve")
}

fn not_served(path: &str, instead: &str) -> ApiError {
    ApiError::new(ErrorCode::RouteNotFound, format!("{path} is not served by this version; use {instead}"))
}

/// Passes a call on to the model runtime; its errors stand in OpenAI's envelope already.
async fn pass(app: &AppState, caller: &SignedIn, path: &str, body: Bytes) -> Result<Response, ApiError> {
    let client = app.model.service();
    let call = Forwarded { client, method: Method::POST, path: path.to_owned(), query: None };
    let request = call.request(app, caller)?.header(CONTENT_TYPE, "application/json").body(body);
    let answer = request.send().await.map_err(|cause| {
        ApiError::new(ErrorCode::ServiceUnavailable, "the model runtime does not answer; try again")
            .because(cause)
    })?;
    Ok(streamed_answer(app, answer, &[CONTENT_TYPE, CACHE_CONTROL], None))
}
