//! `/v1/chat/completions`.

use std::convert::Infallible;
use std::time::SystemTime;

use anwen_contract::model::{QuotableDocument, RuntimeNote, StreamOptions};
use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::unix_seconds;
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, OpenAi, Surface};
use crate::api::generation::{self, Answer, Event, Generation, note_of};
use crate::engine::{AnswerFormat, ChatJob, Prompt, Role, Sampling, ToolCall, Turn};
use crate::error::RuntimeError;

/// Stop sequences of one request.
const MAX_STOP_SEQUENCES: usize = 16;

#[derive(Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    max_completion_tokens: Option<u32>,
    #[serde(default)]
    temperature: Option<f64>,
    #[serde(default)]
    top_p: Option<f64>,
    #[serde(default)]
    top_k: Option<u32>,
    #[serde(default)]
    min_p: Option<f64>,
    #[serde(default)]
    frequency_penalty: Option<f32>,
    #[serde(default)]
    presence_penalty: Option<f32>,
    #[serde(default)]
    seed: Option<u64>,
    #[serde(default)]
    stop: Option<OneOrMany>,
    #[serde(default)]
    n: Option<u32>,
    #[serde(default)]
    logprobs: Option<bool>,
    #[serde(default)]
    logit_bias: Option<serde_json::Map<String, Value>>,
    #[serde(default)]
    tools: Option<Vec<Value>>,
    #[serde(default)]
    response_format: Option<ResponseFormat>,
    /// Extension: the passages for an engine that quotes.
    #[serde(default)]
    documents: Vec<QuotableDocument>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: JsonSchema },
}

#[derive(Deserialize)]
struct JsonSchema {
    schema: Value,
}

fn invalid<T>(message: impl Into<String>) -> Result<T, RuntimeError> {
    Err(RuntimeError::Invalid(message.into()))
}

impl Request {
    /// The job, or what cannot be honoured. A field that would change the answer is never ignored.
    fn into_job(self, state: &ApiState) -> Result<ChatJob, RuntimeError> {
        if self.n.is_some_and(|n| n != 1) {
            return invalid("n must be 1");
        }
        if self.logprobs == Some(true) {
            return invalid("logprobs are not offered here");
        }
        if self.logit_bias.is_some_and(|bias| !bias.is_empty()) {
            return invalid("logit_bias is not offered here");
        }
        if self.tools.is_some_and(|tools| !tools.is_empty()) {
            return invalid("tools are not offered here");
        }
        if self.documents.len() > state.config.max_documents {
            return invalid(format!("at most {} documents", state.config.max_documents));
        }
        let stop = match self.stop {
            None => Vec::new(),
            Some(OneOrMany::One(sequence)) => vec![sequence],
            Some(OneOrMany::Many(sequences)) => sequences,
        };
        if stop.len() > MAX_STOP_SEQUENCES {
            return invalid(format!("at most {MAX_STOP_SEQUENCES} stop sequences"));
        }
        let turns = self.messages.into_iter().map(turn).collect::<Result<Vec<Turn>, RuntimeError>>()?;
        if turns.is_empty() {
            return invalid("messages must not be empty");
        }
        let max_tokens =
            self.max_completion_tokens.or(self.max_tokens).unwrap_or(state.config.default_max_tokens);
        Ok(ChatJob {
            documents: self.documents,
            sampling: Sampling {
                max_tokens: Some(max_tokens),
                temperature: self.temperature,
                top_p: self.top_p,
                top_k: self.top_k,
                min_p: self.min_p,
                frequency_penalty: self.frequency_penalty,
                presence_penalty: self.presence_penalty,
                seed: self.seed,
                stop,
                ..Sampling::default()
            },
            format: match self.response_format {
                None | Some(ResponseFormat::Text) => AnswerFormat::Text,
                Some(ResponseFormat::JsonObject) => AnswerFormat::Json,
                Some(ResponseFormat::JsonSchema { json_schema }) => {
                    AnswerFormat::JsonSchema(json_schema.schema)
                }
            },
            ..ChatJob::new(Prompt::Chat(turns))
        })
    }
}

fn turn(message: Message) -> Result<Turn, RuntimeError> {
    let Some(role) = Role::parse(&message.role) else {
        return invalid(format!("{:?} is no role; use system, user, assistant or tool", message.role));
    };
    let content = match message.content {
        None => String::new(),
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => {
            let texts = parts.into_iter().map(|part| match (part.r#type.as_str(), part.text) {
                ("text", Some(text)) => Ok(text),
                (kind, _) => {
                    invalid(format!("content parts of type {kind:?} are not offered here; send text"))
                }
            });
            texts.collect::<Result<Vec<String>, RuntimeError>>()?.join("\n")
        }
    };
    Ok(Turn::text(role, content))
}

/// `POST /v1/chat/completions`.
pub(super) async fn complete(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<OpenAi, Request>,
) -> Result<Response, Failure<OpenAi>> {
    let request_id = body.request_id;
    let fail = Body::<OpenAi, Request>::failure(&request_id);
    let request = body.value;
    let (model, stream) = (request.model.clone(), request.stream);
    let with_usage = request.stream_options.as_ref().is_some_and(|options| options.include_usage);
    let job = request.into_job(&state).map_err(&fail)?;
    let generation = generation::start(&state, &asking, &model, job).await.map_err(&fail)?;
    let head = Head {
        id: format!("chatcmpl-{}", Uuid::new_v4().simple()),
        created: unix_seconds(SystemTime::now()),
        model: generation.model.name.clone(),
        note: generation.note.clone(),
    };
    if stream {
        let events = sse(generation, head, with_usage, request_id.clone());
        return Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response());
    }
    let answer = generation::collect(generation.events).await.map_err(&fail)?;
    Ok(Json(head.whole(&answer)).into_response())
}

/// What every part of one completion repeats.
struct Head {
    id: String,
    created: u64,
    model: String,
    /// What was known before the answer began.
    note: RuntimeNote,
}

/// OpenAI writes a call's arguments as text.
fn tool_call(call: &ToolCall) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
    json!({"id": call.id, "type": "function", "function": function})
}

impl Head {
    fn whole(&self, answer: &Answer) -> Value {
        let mut message = json!({"role": "assistant", "content": answer.text});
        if !answer.reasoning.is_empty() {
            message["reasoning_content"] = json!(answer.reasoning);
        }
        if !answer.tool_calls.is_empty() {
            message["tool_calls"] = answer.tool_calls.iter().map(tool_call).collect();
        }
        let mut body = json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{
                "index": 0,
                "message": message,
                "logprobs": null,
                "finish_reason": answer.end.finish.as_str(),
            }],
            "usage": answer.end.usage,
        });
        if let Some(note) = note_of(&self.note, &answer.end) {
            body["anwen"] = json!(note);
        }
        body
    }

    fn chunk(&self, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        })
    }

    fn delta(&self, delta: Value, finish_reason: Option<&str>) -> Value {
        self.chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]))
    }

    /// The chunks of one event.
    fn chunks(&self, event: Event, with_usage: bool) -> Vec<Value> {
        match event {
            Event::Queued(position) => {
                let mut chunk = self.chunk(json!([]));
                chunk["anwen"] =
                    json!(RuntimeNote { queue_position: Some(position), ..RuntimeNote::default() });
                vec![chunk]
            }
            Event::Delta(delta) => vec![self.delta(json!({"content": delta.text}), None)],
            Event::Reasoning(text) => vec![self.delta(json!({"reasoning_content": text}), None)],
            Event::ToolCall(_) => Vec::new(),
            Event::Done(end, _) => {
                let mut last = self.delta(json!({}), Some(end.finish.as_str()));
                if let Some(note) = note_of(&self.note, &end) {
                    last["anwen"] = json!(note);
                }
                let mut chunks = vec![last];
                if with_usage {
                    let mut usage = self.chunk(json!([]));
                    usage["usage"] = json!(end.usage);
                    chunks.push(usage);
                }
                chunks
            }
        }
    }
}

/// The events of a streamed completion: the role, the words, the end, `[DONE]`.
fn sse(
    generation: Generation,
    head: Head,
    with_usage: bool,
    request_id: String,
) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    let opening = head.delta(json!({"role": "assistant", "content": ""}), None).to_string();
    let parts = generation.events.flat_map(move |event| {
        let texts: Vec<String> = match event {
            Ok(event) => head.chunks(event, with_usage).iter().map(Value::to_string).collect(),
            Err(failure) => vec![Surface::OpenAi.body_of(&failure, &request_id).to_string()],
        };
        stream::iter(texts)
    });
    stream::iter([opening])
        .chain(parts)
        .chain(stream::iter(["[DONE]".to_owned()]))
        .map(|text| Ok(SseEvent::default().data(text)))
}
