//! `/api/embed` and its predecessor `/api/embeddings`.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::nanoseconds;
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, Ollama};
use crate::api::embedding;
use crate::engine::{EmbedInput, EmbedJob};
use crate::error::RuntimeError;

#[derive(Deserialize)]
pub(super) struct Request {
    model: String,
    input: Input,
    /// Whether a text longer than the model reads may be cut; if not, it is an error.
    #[serde(default = "yes")]
    truncate: bool,
    #[serde(default)]
    dimensions: Option<usize>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
pub(super) struct OneRequest {
    model: String,
    prompt: String,
}

/// `POST /api/embed`.
pub(super) async fn embed(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<Ollama, Request>,
) -> Result<Json<Value>, Failure<Ollama>> {
    let fail = Body::<Ollama, Request>::failure(&body.request_id);
    let started = Instant::now();
    let Request { model, input, truncate, dimensions } = body.value;
    let texts = match input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
    };
    let (name, embeddings) = embedding::run(
        &state,
        &asking,
        &model,
        EmbedJob { inputs: texts.into_iter().map(EmbedInput::Text).collect(), dimensions },
    )
    .await
    .map_err(&fail)?;
    if !truncate && !embeddings.truncated.is_empty() {
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
    let OneRequest { model, prompt } = body.value;
    let job = EmbedJob { inputs: vec![EmbedInput::Text(prompt)], dimensions: None };
    let (_, embeddings) = embedding::run(&state, &asking, &model, job).await.map_err(&fail)?;
    Ok(Json(json!({"embedding": embeddings.values})))
}
