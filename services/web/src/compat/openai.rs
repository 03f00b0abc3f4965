//! `/v1/…`: OpenAI's interface. A model named `kb/<knowledge base>` answers from that knowledge base; the others are
//! the model runtime's.

use super::envelope;
use super::knowledge_model::{self, PREFIX};
use super::runtime::{ask_model, model_named_in};
use crate::app::AppState;
use crate::auth::{Reader, SignedIn};
use crate::models::Rights;
use crate::openapi::Failures;
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::{Json, Path};
use axum::body::Bytes;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::Response;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(models))
        .routes(routes!(model))
        .routes(routes!(chat_completions))
        .routes(routes!(embeddings))
        .routes(routes!(completions))
        .routes(routes!(rerank))
        .layer(from_fn(envelope::openai))
}

/// The names of the models that the asker may use: the runtime's, then a `kb/<name>` for each knowledge base.
async fn names(app: &AppState, caller: &SignedIn) -> Result<Vec<String>, ApiError> {
    let models = Rights::of(app, caller).await?.models(app, caller).await?;
    let bases = knowledge_model::all_bases(app, &caller.context(app)).await?;
    let bases = bases.into_iter().map(|base| format!("{PREFIX}{}", base.name));
    Ok(models.into_iter().map(|model| model.id).chain(bases).collect())
}

fn entry(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 0, "owned_by": "anwen"})
}

/// Lists models, and a `kb/<name>` for each knowledge base that the asker may read.
#[utoipa::path(get, path = "/v1/models", tag = "compatible", responses((status = 200, body = Object), Failures))]
async fn models(State(app): State<AppState>, caller: Reader) -> Result<Json<Value>, ApiError> {
    let data: Vec<Value> = names(&app, &caller).await?.iter().map(|id| entry(id)).collect();
    Ok(Json(json!({"object": "list", "data": data})))
}

/// One entry of that list. A name may hold slashes.
#[utoipa::path(get, path = "/v1/models/{*model}", tag = "compatible", params(("model" = String, Path)),
    responses((status = 200, body = Object), Failures))]
async fn model(
    State(app): State<AppState>,
    caller: Reader,
    Path(model): Path<String>,
) -> Result<Json<Value>, ApiError> {
    match names(&app, &caller).await?.iter().find(|id| **id == model) {
        Some(id) => Ok(Json(entry(id))),
        None => Err(ApiError::new(
            ErrorCode::ModelNotFound,
            format!("no model `{model}` here; `GET /v1/models` lists those there are"),
        )),
    }
}

/// Completes a chat, streamed or not.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn chat_completions(
    State(app): State<AppState>,
    caller: Reader,
    body: Bytes,
) -> Result<Response, ApiError> {
    let model = model_named_in(&body)?;
    let Some(base) = model.strip_prefix(PREFIX) else {
        return ask_model(&app, &caller, "/v1/chat/completions", &model, body).await;
    };
    let parsed: Value = serde_json::from_slice(&body)
        .map_err(|cause| ApiError::new(ErrorCode::InvalidJson, format!("the body is not JSON: {cause}")))?;
    knowledge_model::complete(&app, &caller, base, parsed).await
}

/// Embeds texts or lists of token ids; `dimensions` and `encoding_format` as the model has them.
#[utoipa::path(post, path = "/v1/embeddings", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn embeddings(State(app): State<AppState>, caller: Reader, body: Bytes) -> Result<Response, ApiError> {
    ask_plain_model(&app, &caller, "/v1/embeddings", body).await
}

/// Completes a text, streamed or not.
#[utoipa::path(post, path = "/v1/completions", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn completions(State(app): State<AppState>, caller: Reader, body: Bytes) -> Result<Response, ApiError> {
    ask_plain_model(&app, &caller, "/v1/completions", body).await
}

/// Orders texts by how well they answer a question, in Cohere's and Jina's shape.
#[utoipa::path(post, path = "/v1/rerank", tag = "compatible", request_body = Object,
    responses((status = 200, body = Object), Failures))]
async fn rerank(State(app): State<AppState>, caller: Reader, body: Bytes) -> Result<Response, ApiError> {
    ask_plain_model(&app, &caller, "/v1/rerank", body).await
}

/// For calls that a knowledge base cannot answer.
async fn ask_plain_model(
    app: &AppState,
    caller: &SignedIn,
    path: &str,
    body: Bytes,
) -> Result<Response, ApiError> {
    let model = model_named_in(&body)?;
    if model.starts_with(PREFIX) {
        return Err(ApiError::new(
            ErrorCode::ModelNotCapable,
            format!("`{model}` answers questions: use it with /v1/chat/completions"),
        ));
    }
    ask_model(app, caller, path, &model, body).await
}
