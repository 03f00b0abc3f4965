//! Frames as server-sent events.

use super::frames::Frame;
use anwen_contract::ApiError;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// A quiet stream says so often that it is alive, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The header by which a browser says which event it saw last.
const LAST_EVENT_ID: &str = "last-event-id";

/// A response that carries these frames as they come.
pub fn stream_of(frames: impl Stream<Item = Arc<Frame>> + Send + 'static) -> Response {
    let events = frames.map(|frame| {
        let event = Event::default().id(frame.id.to_string()).event(frame.name).data(&frame.data);
        Ok::<_, Infallible>(event)
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // nginx would otherwise collect the words before it passes them on.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// The id after which the reader wants to go on; 0 for all.
pub fn last_event_id(headers: &HeaderMap) -> Result<u64, ApiError> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(0) };
    let text = value.to_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| ApiError::invalid("Last-Event-ID is not an id of this stream"))
}
