//! Answers that are written while they come.

use std::convert::Infallible;

use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use serde_json::Value;

use crate::api::body::Surface;
use crate::api::choices::Choices;
use crate::api::generation::Event;

/// The events of a streamed completion: `openings`, what `chunks` makes of each event of a choice, `[DONE]`.
pub(super) fn streamed(
    openings: Vec<Value>,
    choices: Choices,
    mut chunks: impl FnMut(usize, Event) -> Vec<Value> + Send + 'static,
    request_id: String,
) -> Response {
    let openings: Vec<String> = openings.iter().map(Value::to_string).collect();
    let parts = choices.events().flat_map(move |(index, event)| {
        let texts: Vec<String> = match event {
            Ok(event) => chunks(index, event).iter().map(Value::to_string).collect(),
            Err(failure) => vec![Surface::OpenAi.body_of(&failure, &request_id).to_string()],
        };
        stream::iter(texts)
    });
    let events = stream::iter(openings)
        .chain(parts)
        .chain(stream::iter(["[DONE]".to_owned()]))
        .map(|text| Ok::<_, Infallible>(SseEvent::default().data(text)));
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
