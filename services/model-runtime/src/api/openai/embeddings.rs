//! `/v1/embeddings`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::body::{Body, Failure, OpenAi};
use crate::api::embedding_wire::{EmbedInputs, VectorEncoding, openai_answer};
use crate::engine::EmbedJob;

#[derive(Deserialize)]
pub(super) struct Request {
    model: String,
    input: EmbedInputs,
    #[serde(default)]
    encoding_format: VectorEncoding,
    #[serde(default)]
    dimensions: Option<usize>,
}

/// Everything of the answer but the vectors.
#[derive(Serialize)]
struct Head {
    object: &'static str,
    model: String,
    usage: Usage,
    /// Extension: indexes of the inputs that were longer than the model reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    anwen: Option<Value>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

/// `POST /v1/embeddings`.
pub(super) async fn embed(
    State(state): State<ApiState>,
    body: Body<OpenAi, Request>,
) -> Result<Response, Failure<OpenAi>> {
    let fail = Body::<OpenAi, Request>::failure(&body.request_id);
    let Request { model, input, encoding_format, dimensions } = body.value;
    let job = EmbedJob { inputs: input.0, dimensions };
    let (model, embeddings) = crate::api::embedding::run(&state, &model, job).await.map_err(&fail)?;
    let tokens = embeddings.tokens;
    let truncated = &embeddings.truncated;
    let head = Head {
        object: "list",
        model,
        usage: Usage { prompt_tokens: tokens, total_tokens: tokens },
        anwen: (!truncated.is_empty()).then(|| json!({"truncated": truncated})),
    };
    openai_answer(&head, &embeddings, encoding_format).map_err(fail)
}
