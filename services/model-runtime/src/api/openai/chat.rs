//! `/v1/chat/completions`.

use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::answer::Head;
use super::request::Request;
use super::streaming::streamed;
use super::unix_seconds;
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, OpenAi};
use crate::api::choices;

/// `POST /v1/chat/completions`.
pub(super) async fn complete(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<OpenAi, Map<String, Value>>,
) -> Result<Response, Failure<OpenAi>> {
    let request_id = body.request_id;
    let fail = Body::<OpenAi, Map<String, Value>>::failure(&request_id);
    let request = Request::read(body.value, &state).await.map_err(&fail)?;
    let with_logprobs = request.job.logprobs.is_some();
    let jobs = choices::repeated(&request.job, request.n).collect();
    let choices =
        choices::start(&state, &asking, &request.model, jobs, request.tool_calls).await.map_err(&fail)?;
    let id = format!("chatcmpl-{}", Uuid::new_v4().simple());
    let created = unix_seconds(SystemTime::now());
    let mut head = Head::new(id, created, choices.model.name.clone(), request.n as usize);
    head.with_logprobs = with_logprobs;
    head.with_usage = request.with_usage;
    head.note = choices.note.clone();
    if request.stream {
        let openings = head.openings();
        let chunks = move |index, event| head.chunks(index, event);
        return Ok(streamed(openings, choices, chunks, request_id.clone()));
    }
    let answers = choices.collect().await.map_err(&fail)?;
    Ok(Json(head.whole(&answers)).into_response())
}
