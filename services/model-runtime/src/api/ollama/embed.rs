//! `/api/embed` and its predecessor `/api/embeddings`.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::nanoseconds;
use super::options::Options;
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, Ollama};
use crate::api::embedding;
use crate::api::input::Inputs;
use crate::engine::{EmbedInput, EmbedJob};
use crate::error::RuntimeError;
use crate::registry::{KeepAlive, Wish};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    model: String,
    input: Inputs,
    /// Whether a text longer than the model reads may be cut; if not, it is an error.
    #[serde(default)]
    truncate: Option<bool>,
    #[serde(default)]
    dimensions: Option<usize>,
    #[serde(default)]
    options: Option<Map<String, Value>>,
    #[serde(default)]
    keep_alive: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneRequest {
    model: String,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    options: Option<Map<String, Value>>,
    #[serde(default)]
    keep_alive: Option<Value>,
}

/// How long the model is to stay. Options say nothing about vectors, but one that nobody knows is refused as in the other
/// calls.
fn wish(options: Option<Map<String, Value>>, keep_alive: Option<&Value>) -> Result<Wish, RuntimeError> {
    Options::read(options.unwrap_or_default())?;
    let keep_alive = keep_alive.filter(|value| !value.is_null()).map(KeepAlive::parse).transpose()?;
    Ok(Wish { keep_alive, context_tokens: None })
}

/// `POST /api/embed`.
pub(super) async fn embed(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<Ollama, Request>,
) -> Result<Json<Value>, Failure<Ollama>> {
    let fail = Body::<Ollama, Request>::failure(&body.request_id);
    let started = Instant::now();
    let Request { model, input, truncate, dimensions, options, keep_alive } = body.value;
    let wish = wish(options, keep_alive.as_ref()).map_err(&fail)?;
    let asking = Asking { wish, ..asking };
    let (name, embeddings) =
        embedding::run(&state, &asking, &model, EmbedJob { inputs: input.0, dimensions })
            .await
            .map_err(&fail)?;
    if truncate == Some(false) && !embeddings.truncated.is_empty() {
        return Err(fail(RuntimeError::Invalid("the input length exceeds the context length".to_owned())));
    }
    let vectors: Vec<&[f32]> = embeddings.rows().collect();
    let mut answer = json!({
        "model": name,
        "embeddings": vectors,
        "total_duration": nanoseconds(started.elapsed()),
        "load_duration": 0,
        "prompt_eval_count": embeddings.tokens,
    });
    if !embeddings.truncated.is_empty() {
        answer["anwen"] = json!({"truncated": embeddings.truncated});
    }
    Ok(Json(answer))
}

/// `POST /api/embeddings`.
pub(super) async fn embed_one(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<Ollama, OneRequest>,
) -> Result<Json<Value>, Failure<Ollama>> {
    let fail = Body::<Ollama, OneRequest>::failure(&body.request_id);
    let OneRequest { model, prompt, options, keep_alive } = body.value;
    let wish = wish(options, keep_alive.as_ref()).map_err(&fail)?;
    let asking = Asking { wish, ..asking };
    if prompt.is_empty() {
        // As for a generation, a request without text asks for the model to be loaded.
        state.registry.acquire_as(&model, asking.wish).await.map_err(&fail)?;
        return Ok(Json(json!({"embedding": []})));
    }
    let job = EmbedJob { inputs: vec![EmbedInput::Text(prompt)], dimensions: None };
    let (_, embeddings) = embedding::run(&state, &asking, &model, job).await.map_err(&fail)?;
    Ok(Json(json!({"embedding": embeddings.values})))
}
