//! `/api/chat` and `/api/generate`.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use futures::future::ready;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{nanoseconds, rfc3339};
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::body::{Body, Failure, Ollama, Surface};
use crate::api::generation::{self, Answer, Event, Generation, note_of};
use crate::api::measure::Timings;
use crate::engine::{AnswerFormat, ChatEnd, ChatJob, Prompt, Role, Sampling, Think, Turn};
use crate::error::RuntimeError;
use crate::registry::{KeepAlive, Wish};

// What Ollama takes when a request does not say.
const DEFAULT_TEMPERATURE: f64 = 0.8;
const DEFAULT_TOP_P: f64 = 0.9;
const DEFAULT_TOP_K: u32 = 40;

#[derive(Deserialize)]
pub(super) struct ChatRequest {
    model: String,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(flatten)]
    common: Common,
}

#[derive(Deserialize)]
pub(super) struct GenerateRequest {
    model: String,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    suffix: Option<String>,
    #[serde(default)]
    system: Option<String>,
    #[serde(default)]
    template: Option<String>,
    /// Continue the prompt as it stands, without the model's template.
    #[serde(default)]
    raw: bool,
    #[serde(default)]
    images: Vec<Value>,
    #[serde(flatten)]
    common: Common,
}

/// What both calls take.
#[derive(Deserialize)]
struct Common {
    #[serde(default = "yes")]
    stream: bool,
    #[serde(default)]
    format: Option<Value>,
    #[serde(default)]
    options: Options,
    #[serde(default)]
    think: Option<Value>,
    #[serde(default)]
    tools: Vec<Value>,
    #[serde(default)]
    keep_alive: Option<Value>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    images: Vec<Value>,
}

/// Options that change an answer. Others (`num_thread`, `num_gpu`, …) are hints about resources and are left aside.
#[derive(Default, Deserialize)]
struct Options {
    num_predict: Option<i64>,
    /// Tokens of prompt and answer that the model is loaded with.
    num_ctx: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    min_p: Option<f64>,
    repeat_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    seed: Option<u64>,
    #[serde(default)]
    stop: Stop,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Many(Vec<String>),
}

impl Default for Stop {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, RuntimeError> {
    Err(RuntimeError::Invalid(message.into()))
}

impl Options {
    fn into_sampling(self, default_max_tokens: u32) -> Sampling {
        // -1 and -2 ask for as much as fits.
        let max_tokens = match self.num_predict {
            None => Some(default_max_tokens),
            Some(tokens) => u32::try_from(tokens).ok(),
        };
        Sampling {
            max_tokens,
            temperature: Some(self.temperature.unwrap_or(DEFAULT_TEMPERATURE)),
            top_p: Some(self.top_p.unwrap_or(DEFAULT_TOP_P)),
            top_k: Some(self.top_k.unwrap_or(DEFAULT_TOP_K)),
            min_p: self.min_p,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            repetition_penalty: self.repeat_penalty,
            seed: self.seed,
            stop: match self.stop {
                Stop::One(sequence) => vec![sequence],
                Stop::Many(sequences) => sequences,
            },
            ..Sampling::default()
        }
    }
}

impl Common {
    fn into_job(self, state: &ApiState, prompt: Prompt) -> Result<ChatJob, RuntimeError> {
        if !self.tools.is_empty() {
            return invalid("tools are not offered here");
        }
        let format = match self.format {
            None | Some(Value::Null) => AnswerFormat::Text,
            Some(Value::String(name)) if name.is_empty() => AnswerFormat::Text,
            Some(Value::String(name)) if name == "json" => AnswerFormat::Json,
            Some(schema @ Value::Object(_)) => AnswerFormat::JsonSchema(schema),
            Some(other) => return invalid(format!("format {other} is neither \"json\" nor a JSON schema")),
        };
        let think = match self.think {
            None | Some(Value::Null) => None,
            Some(Value::Bool(think)) => Some(if think { Think::On } else { Think::Off }),
            // Levels: any of them asks for thinking.
            Some(Value::String(_)) => Some(Think::On),
            Some(other) => return invalid(format!("think {other} is neither true, false nor a level")),
        };
        Ok(ChatJob {
            sampling: self.options.into_sampling(state.config.default_max_tokens),
            format,
            think,
            ..ChatJob::new(prompt)
        })
    }

    /// The request's circumstances, with what the body says about its model.
    fn asking(&self, asking: Asking) -> Result<Asking, RuntimeError> {
        let keep_alive = self.keep_alive.as_ref().filter(|value| !value.is_null());
        let keep_alive = keep_alive.map(KeepAlive::parse).transpose()?;
        let wish = Wish { keep_alive, context_tokens: self.options.num_ctx };
        Ok(Asking { wish, ..asking })
    }

    fn asks_to_unload(&self) -> bool {
        let keep_alive = self.keep_alive.as_ref().and_then(|value| KeepAlive::parse(value).ok());
        keep_alive == Some(KeepAlive::For(Duration::ZERO))
    }
}

fn turn(message: Message) -> Result<Turn, RuntimeError> {
    if !message.images.is_empty() {
        return invalid("this model does not see images");
    }
    match Role::parse(&message.role) {
        Some(role) => Ok(Turn::text(role, message.content)),
        None => invalid(format!("{:?} is no role; use system, user, assistant or tool", message.role)),
    }
}

/// Which of the two calls an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Chat,
    Generate,
}

impl Call {
    /// One line of the answer.
    fn line(self, model: &str, text: &str, thinking: &str) -> Value {
        let mut line = json!({"model": model, "created_at": rfc3339(SystemTime::now()), "done": false});
        match self {
            Self::Chat => {
                line["message"] = json!({"role": "assistant", "content": text});
                if !thinking.is_empty() {
                    line["message"]["thinking"] = json!(thinking);
                }
            }
            Self::Generate => {
                line["response"] = json!(text);
                if !thinking.is_empty() {
                    line["thinking"] = json!(thinking);
                }
            }
        }
        line
    }

    /// The line that ends the answer.
    fn last_line(self, model: &str, text: &str, thinking: &str, end: &ChatEnd, timings: &Timings) -> Value {
        let mut line = self.line(model, text, thinking);
        line["done"] = json!(true);
        line["done_reason"] = json!(end.finish.as_str());
        line["total_duration"] = json!(nanoseconds(timings.total));
        line["load_duration"] = json!(nanoseconds(timings.load));
        line["prompt_eval_count"] = json!(end.usage.prompt_tokens);
        line["prompt_eval_duration"] = json!(nanoseconds(timings.prompt));
        line["eval_count"] = json!(end.usage.completion_tokens);
        line["eval_duration"] = json!(nanoseconds(timings.generation));
        line
    }
}

/// `POST /api/chat`.
pub(super) async fn chat(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<Ollama, ChatRequest>,
) -> Result<Response, Failure<Ollama>> {
    let fail = Body::<Ollama, ChatRequest>::failure(&body.request_id);
    let ChatRequest { model, messages, common } = body.value;
    if messages.is_empty() {
        return load_or_unload(&state, asking, Call::Chat, &model, &common).await.map_err(&fail);
    }
    let stream = common.stream;
    let turns = messages.into_iter().map(turn).collect::<Result<Vec<Turn>, RuntimeError>>().map_err(&fail)?;
    let asking = common.asking(asking).map_err(&fail)?;
    let job = common.into_job(&state, Prompt::Chat(turns)).map_err(&fail)?;
    let generation = generation::start(&state, &asking, &model, job).await.map_err(&fail)?;
    respond(Call::Chat, generation, stream, &body.request_id).await.map_err(&fail)
}

/// `POST /api/generate`.
pub(super) async fn generate(
    State(state): State<ApiState>,
    asking: Asking,
    body: Body<Ollama, GenerateRequest>,
) -> Result<Response, Failure<Ollama>> {
    let fail = Body::<Ollama, GenerateRequest>::failure(&body.request_id);
    let request = body.value;
    if request.prompt.is_empty() {
        return load_or_unload(&state, asking, Call::Generate, &request.model, &request.common)
            .await
            .map_err(&fail);
    }
    let (model, stream) = (request.model.clone(), request.common.stream);
    let asking = request.common.asking(asking).map_err(&fail)?;
    let job = request.into_job(&state).map_err(&fail)?;
    let generation = generation::start(&state, &asking, &model, job).await.map_err(&fail)?;
    respond(Call::Generate, generation, stream, &body.request_id).await.map_err(&fail)
}

impl GenerateRequest {
    fn into_job(self, state: &ApiState) -> Result<ChatJob, RuntimeError> {
        if self.suffix.is_some_and(|suffix| !suffix.is_empty()) {
            return invalid("suffix is not offered here");
        }
        if self.template.is_some_and(|template| !template.is_empty()) {
            return invalid("template is not offered here; use raw with a prompt that is complete");
        }
        if !self.images.is_empty() {
            return invalid("this model does not see images");
        }
        let prompt = if self.raw {
            Prompt::Raw(self.prompt)
        } else {
            let system = self.system.filter(|system| !system.is_empty());
            let system = system.map(|content| Turn::text(Role::System, content));
            let user = Turn::text(Role::User, self.prompt);
            Prompt::Chat(system.into_iter().chain([user]).collect())
        };
        self.common.into_job(state, prompt)
    }
}

/// An empty prompt loads the model, or with `keep_alive: 0` unloads it.
async fn load_or_unload(
    state: &ApiState,
    asking: Asking,
    call: Call,
    model: &str,
    common: &Common,
) -> Result<Response, RuntimeError> {
    let reason = if common.asks_to_unload() {
        state.registry.unload(model)?;
        "unload"
    } else {
        state.registry.acquire_as(model, common.asking(asking)?.wish).await?;
        "load"
    };
    let mut line = call.line(model, "", "");
    line["done"] = json!(true);
    line["done_reason"] = json!(reason);
    Ok(Json(line).into_response())
}

async fn respond(
    call: Call,
    generation: Generation,
    stream: bool,
    request_id: &str,
) -> Result<Response, RuntimeError> {
    let Generation { model, note, events } = generation;
    let model = model.name.clone();
    let last_line = move |model: &str, text: &str, thinking: &str, end: &ChatEnd, timings: &Timings| {
        let mut line = call.last_line(model, text, thinking, end, timings);
        if let Some(note) = note_of(&note, end) {
            line["anwen"] = json!(note);
        }
        line
    };
    if !stream {
        let Answer { text, reasoning, end, timings, .. } = generation::collect(events).await?;
        return Ok(Json(last_line(&model, &text, &reasoning, &end, &timings)).into_response());
    }
    let request_id = request_id.to_owned();
    let lines = events.filter_map(move |event| {
        let line = match event {
            // Ollama's clients know no queue: they just wait.
            Ok(Event::Queued(_)) => None,
            Ok(Event::Delta(delta)) => Some(call.line(&model, &delta.text, "")),
            Ok(Event::Reasoning(text)) => Some(call.line(&model, "", &text)),
            Ok(Event::ToolCall(_)) => None,
            Ok(Event::Done(end, timings)) => Some(last_line(&model, "", "", &end, &timings)),
            Err(failure) => Some(Surface::Ollama.body_of(&failure, &request_id)),
        };
        ready(line.map(|line| Ok::<Bytes, Infallible>(Bytes::from(format!("{line}\n")))))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], HttpBody::from_stream(lines)).into_response())
}
