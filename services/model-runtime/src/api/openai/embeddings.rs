//! `/v1/embeddings`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, OpenAi};
use crate::engine::{EmbedInput, EmbedJob, Embeddings};
use crate::error::RuntimeError;

#[derive(Deserialize)]
pub(super) struct Request {
    model: String,
    input: Input,
    #[serde(default)]
    encoding_format: Encoding,
    #[serde(default)]
    dimensions: Option<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
    /// Ids of OpenAI's own tokenizer, or lists of them: they mean nothing to another model.
    Tokens(IgnoredAny),
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Float,
    Base64,
}

#[derive(Serialize)]
struct Answer {
    object: &'static str,
    model: String,
    data: Vec<Item>,
    usage: Usage,
    /// Extension: indexes of the inputs that were longer than the model reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    anwen: Option<Value>,
}

#[derive(Serialize)]
struct Item {
    object: &'static str,
    index: usize,
    embedding: Embedding,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Embedding {
    Numbers(Vec<f32>),
    /// Little-endian `f32`.
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

/// `POST /v1/embeddings`.
pub(super) async fn embed(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<OpenAi, Request>,
) -> Result<Response, Failure<OpenAi>> {
    let fail = Body::<OpenAi, Request>::failure(&body.request_id);
    let Request { model, input, encoding_format, dimensions } = body.value;
    let texts = match input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
        Input::Tokens(_) => {
            return Err(fail(RuntimeError::Invalid(
                "input must be text: token ids of another model mean nothing here".to_owned(),
            )));
        }
    };
    let (name, embeddings) = crate::api::embedding::run(
        &state,
        &asking,
        &model,
        EmbedJob { inputs: texts.into_iter().map(EmbedInput::Text).collect(), dimensions },
    )
    .await
    .map_err(&fail)?;
    Ok(Json(answer(name, &embeddings, encoding_format)).into_response())
}

fn answer(model: String, embeddings: &Embeddings, encoding: Encoding) -> Answer {
    let data = embeddings
        .rows()
        .enumerate()
        .map(|(index, row)| Item { object: "embedding", index, embedding: encode(row, encoding) })
        .collect();
    let truncated = &embeddings.truncated;
    Answer {
        object: "list",
        model,
        data,
        usage: Usage { prompt_tokens: embeddings.tokens, total_tokens: embeddings.tokens },
        anwen: (!truncated.is_empty()).then(|| json!({"truncated": truncated})),
    }
}

fn encode(row: &[f32], encoding: Encoding) -> Embedding {
    match encoding {
        Encoding::Float => Embedding::Numbers(row.to_vec()),
        Encoding::Base64 => {
            let bytes: Vec<u8> = row.iter().flat_map(|number| number.to_le_bytes()).collect();
            Embedding::Base64(STANDARD.encode(bytes))
        }
    }
}
