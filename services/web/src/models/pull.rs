//! Fetching a model, with its progress as server-sent events.

use super::runtime::{ollama_failure, unreachable};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Administrator;
use crate::openapi::Failures;
use crate::relay::Forwarded;
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt as _};
use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// A pull that says nothing for so long shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Characters of a model's name or address.
const MAX_SOURCE_CHARS: usize = 500;
/// Bytes of one line of progress.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// What to fetch.
#[derive(Debug, Deserialize, ToSchema)]
struct PullRequest {
    /// A name of the catalogue, or an address that the runtime knows (`hf.co/…`, `modelscope.cn/…`, `qwen3:4b`).
    source: String,
}

/// What a pull says, in order: any number of `progress`, then `done` or `error`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum PullEvent {
    Progress(PullProgress),
    Done {},
    Error { code: String, message: String },
}

/// Where a pull stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PullProgress {
    /// What is being done, in the runtime's words.
    pub status: String,
    /// The file that is being fetched.
    #[serde(default)]
    pub digest: Option<String>,
    /// Bytes of that file.
    #[serde(default)]
    pub total: Option<u64>,
    /// Bytes of it that are here.
    #[serde(default)]
    pub completed: Option<u64>,
}

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(pull))
}

/// Fetches a model. Leaving the stream ends the pull; the next one goes on from what is here.
#[utoipa::path(post, path = "/admin/models/pull", tag = "administration", request_body = PullRequest,
    responses((status = 200, body = PullEvent, content_type = "text/event-stream"), Failures))]
async fn pull(
    State(app): State<AppState>,
    caller: Administrator,
    Json(body): Json<PullRequest>,
) -> Result<Response, ApiError> {
    let source = body.source.trim();
    if source.is_empty() || source.chars().count() > MAX_SOURCE_CHARS {
        return Err(ApiError::invalid(format!("source has 1 to {MAX_SOURCE_CHARS} characters")));
    }
    app.audit.record(&Entry::new(caller.actor(), "model.pulled", format!("model:{source}"))).await?;
    let client = app.model.service();
    let call = Forwarded { client, method: Method::POST, path: "/api/pull".to_owned(), query: None };
    let request = call.request(&app, &caller)?.json(&json!({"model": source, "stream": true}));
    let answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(ollama_failure(status, &answer.bytes().await.map_err(unreachable)?));
    }
    let shutdown = app.shutdown.token();
    let events = events_of(answer.bytes_stream().boxed())
        .take_until(async move { shutdown.cancelled().await })
        .map(|event| Ok::<_, Infallible>(sse_event(&event)));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

fn sse_event(event: &PullEvent) -> Event {
    let (name, data) = match event {
        PullEvent::Progress(progress) => ("progress", json!(progress)),
        PullEvent::Done {} => ("done", json!({})),
        PullEvent::Error { code, message } => ("error", json!({"code": code, "message": message})),
    };
    Event::default().event(name).data(data.to_string())
}

/// One line of Ollama's progress.
#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    progress: Option<PullProgress>,
    #[serde(default)]
    error: Option<String>,
}

fn event_of(line: &[u8]) -> Option<PullEvent> {
    let line: Line = serde_json::from_slice(line).ok()?;
    if let Some(message) = line.error {
        return Some(failed(message));
    }
    let progress = line.progress?;
    Some(if progress.status == "success" { PullEvent::Done {} } else { PullEvent::Progress(progress) })
}

fn failed(message: impl Into<String>) -> PullEvent {
    PullEvent::Error { code: ErrorCode::ServiceUnavailable.as_str().to_owned(), message: message.into() }
}

/// The lines of the runtime's answer as events. It always ends with `done` or `error`.
fn events_of<E>(bytes: BoxStream<'static, Result<Bytes, E>>) -> impl Stream<Item = PullEvent> + Send + 'static
where
    E: Send + 'static,
{
    let state = (bytes, Vec::<u8>::new(), false);
    futures::stream::unfold(state, |(mut bytes, mut buffer, ended)| async move {
        if ended {
            return None;
        }
        loop {
            if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                let Some(event) = event_of(&line) else { continue };
                let ended = !matches!(event, PullEvent::Progress(_));
                return Some((event, (bytes, buffer, ended)));
            }
            let broken = buffer.len() > MAX_LINE_BYTES;
            match bytes.next().await {
                Some(Ok(part)) if !broken => buffer.extend_from_slice(&part),
                _ => {
                    let last = event_of(&buffer).filter(|event| !matches!(event, PullEvent::Progress(_)));
                    let event =
                        last.unwrap_or_else(|| failed("the pull broke off; try again, it goes on from here"));
                    return Some((event, (bytes, Vec::new(), true)));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn events(parts: &[&'static str]) -> Vec<PullEvent> {
        let parts: Vec<Result<Bytes, std::io::Error>> =
            parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))).collect();
        events_of(futures::stream::iter(parts).boxed()).collect().await
    }

    #[tokio::test]
    async fn progress_is_read_wherever_the_bytes_are_cut_and_ends_with_success() {
        let seen = events(&[
            "{\"status\":\"pulling\",\"dig",
            "est\":\"sha256:1\",\"total\":9,\"completed\":3}\n{\"status\":\"success\"}\n{\"status\":\"more\"}\n",
        ])
        .await;
        let progress = PullProgress {
            status: "pulling".to_owned(),
            digest: Some("sha256:1".to_owned()),
            total: Some(9),
            completed: Some(3),
        };
        assert_eq!(seen, [PullEvent::Progress(progress), PullEvent::Done {}]);
    }

    #[tokio::test]
    async fn a_failure_and_a_stream_that_breaks_off_end_with_an_error() {
        let refused = events(&["{\"error\":\"disk full\"}\n"]).await;
        assert!(matches!(&refused[..], [PullEvent::Error { message, .. }] if message == "disk full"));
        let broken = events(&["{\"status\":\"pulling\"}\n"]).await;
        assert!(matches!(&broken[..], [PullEvent::Progress(_), PullEvent::Error { .. }]));
        assert_eq!(events(&["{\"status\":\"success\"}"]).await, [PullEvent::Done {}]);
    }
}
