//! `/api/chat` and `/api/generate`.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use futures::future::ready;
use serde_json::{Map, Value};

use super::answer::{Call, Lines};
use super::context;
use super::request::{Request, Work};
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, Ollama, Surface};
use crate::api::generation::{self, Event, Generation};
use crate::engine::{Role, Turn};
use crate::error::RuntimeError;
use crate::registry::KeepAlive;

/// `POST /api/chat`.
pub(super) async fn chat(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<Ollama, Map<String, Value>>,
) -> Result<Response, Failure<Ollama>> {
    let fail = Body::<Ollama, Map<String, Value>>::failure(&body.request_id);
    let request = Request::chat(body.value, &state).map_err(&fail)?;
    answer(&state, asking, Call::Chat, request, &body.request_id).await.map_err(&fail)
}

/// `POST /api/generate`.
pub(super) async fn generate(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<Ollama, Map<String, Value>>,
) -> Result<Response, Failure<Ollama>> {
    let fail = Body::<Ollama, Map<String, Value>>::failure(&body.request_id);
    let request = Request::generate(body.value, &state).map_err(&fail)?;
    answer(&state, asking, Call::Generate, request, &body.request_id).await.map_err(&fail)
}

async fn answer(
    state: &ApiState,
    asking: Asking,
    call: Call,
    request: Request,
    request_id: &str,
) -> Result<Response, RuntimeError> {
    let Request { model, stream, wish, ignored, work } = request;
    let asking = Asking { wish, ..asking };
    let Work::Generate { job, conversation } = work else {
        let lines = Lines::new(call, &model, false, ignored);
        let reason = if wish.keep_alive.is_some_and(KeepAlive::unloads) {
            state.registry.unload(&model)?;
            "unload"
        } else {
            state.registry.acquire_as(&model, wish).await?;
            "load"
        };
        return Ok(Json(lines.nothing(reason)).into_response());
    };
    let with_logprobs = job.logprobs.is_some();
    let generation = generation::start(state, &asking, &model, *job).await?;
    let mut lines = Lines::new(call, &generation.model.name, with_logprobs, ignored);
    lines.note = generation.note.clone();
    if stream {
        return Ok(streamed(generation, lines, conversation, request_id.to_owned()));
    }
    let answer = generation::collect(generation.events).await?;
    let context = context_after(conversation, &answer.text);
    Ok(Json(lines.whole(&answer, context)).into_response())
}

/// The conversation with its answer, for the next call.
fn context_after(conversation: Option<Vec<Turn>>, answer: &str) -> Option<Vec<u64>> {
    let mut turns = conversation?;
    turns.push(Turn::text(Role::Assistant, answer));
    context::pack(&turns)
}

fn streamed(
    generation: Generation,
    mut lines: Lines,
    mut conversation: Option<Vec<Turn>>,
    request_id: String,
) -> Response {
    let mut spoken = String::new();
    let parts = generation.events.filter_map(move |event| {
        let line = match event {
            // Ollama's clients know no queue: they just wait.
            Ok(Event::Queued(_)) => None,
            Ok(Event::Delta(delta)) => {
                if conversation.is_some() {
                    spoken.push_str(&delta.text);
                }
                Some(lines.text(&delta))
            }
            Ok(Event::Reasoning(text)) => Some(lines.thinking(&text)),
            Ok(Event::ToolCall(call)) => Some(lines.tool_calls(&[call])),
            Ok(Event::Done(end, timings)) => {
                Some(lines.end(&end, &timings, context_after(conversation.take(), &spoken)))
            }
            Err(failure) => Some(Surface::Ollama.body_of(&failure, &request_id)),
        };
        ready(line.map(|line| Ok::<Bytes, Infallible>(Bytes::from(format!("{line}\n")))))
    });
    ([(CONTENT_TYPE, "application/x-ndjson")], HttpBody::from_stream(parts)).into_response()
}
