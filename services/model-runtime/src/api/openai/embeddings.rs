//! `/v1/embeddings`.

use axum::extract::State;
use axum::response::Response;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, OpenAi};
use crate::api::embedding_wire::{VectorEncoding, openai_answer};
use crate::api::input::Inputs;
use crate::engine::EmbedJob;

/// The fields of the call. Tokens are ids of the model's own vocabulary.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    model: String,
    input: Inputs,
    #[serde(default)]
    encoding_format: Option<VectorEncoding>,
    #[serde(default)]
    dimensions: Option<usize>,
    /// Changes no answer.
    #[serde(default, rename = "user")]
    _user: Option<IgnoredAny>,
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
    asking: Asking,
    body: Body<OpenAi, Request>,
) -> Result<Response, Failure<OpenAi>> {
    let fail = Body::<OpenAi, Request>::failure(&body.request_id);
    let Request { model, input, encoding_format, dimensions, _user: _ } = body.value;
    let job = EmbedJob { inputs: input.0, dimensions };
    let (model, embeddings) =
        crate::api::embedding::run(&state, &asking, &model, job).await.map_err(&fail)?;
    let tokens = embeddings.tokens;
    let truncated = &embeddings.truncated;
    let head = Head {
        object: "list",
        model,
        usage: Usage { prompt_tokens: tokens, total_tokens: tokens },
        anwen: (!truncated.is_empty()).then(|| json!({"truncated": truncated})),
    };
    openai_answer(&head, &embeddings, encoding_format.unwrap_or_default()).map_err(fail)
}
