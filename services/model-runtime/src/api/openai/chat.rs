//! `/v1/chat/completions`.

use std::convert::Infallible;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, stream};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::answer::Head;
use super::request::Request;
use super::unix_seconds;
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, OpenAi, Surface};
use crate::api::choices::{self, Choices};

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
        let events = sse(choices, head, request_id.clone());
        return Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response());
    }
    let answers = choices.collect().await.map_err(&fail)?;
    Ok(Json(head.whole(&answers)).into_response())
}

/// The events of a streamed completion: the roles, the words, the ends, `[DONE]`.
fn sse(
    choices: Choices,
    mut head: Head,
    request_id: String,
) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    let openings: Vec<String> = head.openings().iter().map(Value::to_string).collect();
    let parts = choices.events().flat_map(move |(index, event)| {
        let texts: Vec<String> = match event {
            Ok(event) => head.chunks(index, event).iter().map(Value::to_string).collect(),
            Err(failure) => vec![Surface::OpenAi.body_of(&failure, &request_id).to_string()],
        };
        stream::iter(texts)
    });
    stream::iter(openings)
        .chain(parts)
        .chain(stream::iter(["[DONE]".to_owned()]))
        .map(|text| Ok(SseEvent::default().data(text)))
}
