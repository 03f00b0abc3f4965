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
use crate::api::input::Inputs;
use crate::engine::{EmbedJob, Embeddings};

/// The fields of the call. Tokens are ids of the model's own vocabulary.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    model: String,
    input: Inputs,
    #[serde(default)]
    encoding_format: Option<Encoding>,
    #[serde(default)]
    dimensions: Option<usize>,
    /// Changes no answer.
    #[serde(default, rename = "user")]
    _user: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Float,
    Base64,
}

#[derive(Serialize)]
struct Answer<'a> {
    object: &'static str,
    model: String,
    data: Vec<Item<'a>>,
    usage: Usage,
    /// Extension: indexes of the inputs that were longer than the model reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    anwen: Option<Value>,
}

#[derive(Serialize)]
struct Item<'a> {
    object: &'static str,
    index: usize,
    embedding: Embedding<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Embedding<'a> {
    Numbers(&'a [f32]),
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
    let Request { model, input, encoding_format, dimensions, _user: _ } = body.value;
    let (name, embeddings) =
        crate::api::embedding::run(&state, &asking, &model, EmbedJob { inputs: input.0, dimensions })
            .await
            .map_err(&fail)?;
    Ok(Json(answer(name, &embeddings, encoding_format.unwrap_or_default())).into_response())
}

fn answer(model: String, embeddings: &Embeddings, encoding: Encoding) -> Answer<'_> {
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

fn encode(row: &[f32], encoding: Encoding) -> Embedding<'_> {
    match encoding {
        Encoding::Float => Embedding::Numbers(row),
        Encoding::Base64 => {
            let bytes: Vec<u8> = row.iter().flat_map(|number| number.to_le_bytes()).collect();
            Embedding::Base64(STANDARD.encode(bytes))
        }
    }
}
