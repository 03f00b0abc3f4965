//! What `/api/chat` and `/api/generate` take.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::context;
use super::messages::{self, Message};
use super::options::{self, Options};
use crate::api::ApiState;
use crate::api::fields::{self, Field, Fields, is_empty, is_false};
use crate::api::images::ImageReader;
use crate::api::logprobs::MAX_TOP_LOGPROBS;
use crate::api::tools::{self, Tool};
use crate::engine::{AnswerFormat, ChatJob, Overflow, Prompt, Role, Think, Turn};
use crate::error::RuntimeError;
use crate::registry::{KeepAlive, Wish};

/// The fields of `/api/chat`.
const CHAT_FIELDS: &Fields = &[
    ("model", Field::Honoured),
    ("messages", Field::Honoured),
    ("tools", Field::Honoured),
    ("stream", Field::Honoured),
    ("format", Field::Honoured),
    ("options", Field::Honoured),
    ("think", Field::Honoured),
    ("keep_alive", Field::Honoured),
    ("logprobs", Field::Honoured),
    ("top_logprobs", Field::Honoured),
    ("truncate", Field::Honoured),
    ("shift", Field::Neutral),
    ("metadata", Field::Neutral),
    ("user", Field::Neutral),
    ("template", Field::OnlyAt(is_empty)),
    ("_debug_render_only", Field::OnlyAt(is_false)),
];

/// The fields of `/api/generate`.
const GENERATE_FIELDS: &Fields = &[
    ("model", Field::Honoured),
    ("prompt", Field::Honoured),
    ("suffix", Field::Honoured),
    ("system", Field::Honoured),
    ("raw", Field::Honoured),
    ("images", Field::Honoured),
    ("context", Field::Honoured),
    ("stream", Field::Honoured),
    ("format", Field::Honoured),
    ("options", Field::Honoured),
    ("think", Field::Honoured),
    ("keep_alive", Field::Honoured),
    ("logprobs", Field::Honoured),
    ("top_logprobs", Field::Honoured),
    ("truncate", Field::Honoured),
    ("shift", Field::Neutral),
    ("metadata", Field::Neutral),
    ("user", Field::Neutral),
    // The model's own template is used; `raw` is for a prompt that is complete.
    ("template", Field::OnlyAt(is_empty)),
    ("_debug_render_only", Field::OnlyAt(is_false)),
];

#[derive(Deserialize)]
struct ChatBody {
    model: String,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(flatten)]
    common: Common,
}

#[derive(Deserialize)]
struct GenerateBody {
    model: String,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    suffix: String,
    #[serde(default)]
    system: String,
    /// Continue the prompt as it stands, without the model's template.
    #[serde(default)]
    raw: bool,
    #[serde(default)]
    images: Vec<String>,
    #[serde(default)]
    context: Vec<u64>,
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
    options: Map<String, Value>,
    #[serde(default)]
    think: Option<Value>,
    #[serde(default)]
    tools: Vec<Tool>,
    #[serde(default)]
    keep_alive: Option<Value>,
    #[serde(default)]
    logprobs: bool,
    #[serde(default)]
    top_logprobs: Option<u8>,
    /// Whether the oldest turns may go when the prompt does not fit; Ollama's clients count on it.
    #[serde(default = "yes")]
    truncate: bool,
}

fn yes() -> bool {
    true
}

/// A request of either call, understood.
pub(super) struct Request {
    pub model: String,
    pub stream: bool,
    /// How long the model is to stay loaded, and with which context.
    pub wish: Wish,
    /// Hints that were taken and changed nothing.
    pub ignored: Vec<&'static str>,
    /// Fields of top level that only the first line of a generation needs.
    pub work: Work,
}

/// What is to be done.
pub(super) enum Work {
    Generate {
        job: Box<ChatJob>,
        /// The conversation so far, when the answer is to carry it on as `context`.
        conversation: Option<Vec<Turn>>,
    },
    /// Nothing was asked: the model is loaded, or freed.
    Load,
}

impl Request {
    /// The body of `/api/chat`.
    pub(super) fn chat(body: Map<String, Value>, state: &ApiState) -> Result<Self, RuntimeError> {
        let (ChatBody { model, messages, common }, ignored) = fields::read(CHAT_FIELDS, body)?;
        if messages.is_empty() {
            return common.into_request(model, ignored, None, state);
        }
        let mut images = ImageReader::new(&state.remote_images, &state.config);
        let turns = messages::turns(messages, &mut images)?;
        common.into_request(model, ignored, Some((Prompt::Chat(turns), None)), state)
    }

    /// The body of `/api/generate`.
    pub(super) fn generate(body: Map<String, Value>, state: &ApiState) -> Result<Self, RuntimeError> {
        let (body, ignored): (GenerateBody, _) = fields::read(GENERATE_FIELDS, body)?;
        if body.prompt.is_empty() && body.suffix.is_empty() && body.images.is_empty() {
            return body.common.into_request(body.model, ignored, None, state);
        }
        let prompt =
            prompt(body.prompt, body.suffix, body.system, body.raw, &body.images, &body.context, state)?;
        // What went in, the answer's turn added, is the context of the next call.
        let conversation = match &prompt {
            Prompt::Chat(turns) if turns.iter().all(|turn| turn.images.is_empty()) => Some(turns.clone()),
            _ => None,
        };
        body.common.into_request(body.model, ignored, Some((prompt, conversation)), state)
    }
}

fn prompt(
    prompt: String,
    suffix: String,
    system: String,
    raw: bool,
    images: &[String],
    earlier: &[u64],
    state: &ApiState,
) -> Result<Prompt, RuntimeError> {
    let is_plain = images.is_empty() && earlier.is_empty() && system.is_empty();
    if !suffix.is_empty() || raw {
        if !is_plain {
            return invalid("raw and suffix take a prompt alone: no images, system or context");
        }
        return Ok(if suffix.is_empty() {
            Prompt::Raw(prompt)
        } else {
            Prompt::Infill { prefix: prompt, suffix }
        });
    }
    let mut reader = ImageReader::new(&state.remote_images, &state.config);
    let mut turns = if earlier.is_empty() { Vec::new() } else { context::unpack(earlier)? };
    if !system.is_empty() {
        turns.retain(|turn| turn.role != Role::System);
        turns.insert(0, Turn::text(Role::System, system));
    }
    turns.push(Turn {
        images: images.iter().map(|text| reader.read_base64(text)).collect::<Result<_, _>>()?,
        ..Turn::text(Role::User, prompt)
    });
    Ok(Prompt::Chat(turns))
}

impl Common {
    fn into_request(
        self,
        model: String,
        mut ignored: Vec<&'static str>,
        asked: Option<(Prompt, Option<Vec<Turn>>)>,
        state: &ApiState,
    ) -> Result<Request, RuntimeError> {
        let keep_alive = self.keep_alive.as_ref().map(KeepAlive::parse).transpose()?;
        let context_tokens = self.options.get("num_ctx").and_then(Value::as_u64);
        let wish = Wish { keep_alive, context_tokens };
        let stream = self.stream;
        let work = match asked {
            None => Work::Load,
            Some((prompt, conversation)) => {
                let (job, hints) = self.into_job(prompt, state)?;
                ignored.extend(hints);
                Work::Generate { job: Box::new(job), conversation }
            }
        };
        Ok(Request { model, stream, wish, ignored, work })
    }

    fn into_job(
        self,
        prompt: Prompt,
        state: &ApiState,
    ) -> Result<(ChatJob, Vec<&'static str>), RuntimeError> {
        let (options, hints) = Options::read(self.options)?;
        if self.top_logprobs.is_some_and(|count| count > MAX_TOP_LOGPROBS) {
            return invalid(format!("top_logprobs is at most {MAX_TOP_LOGPROBS}"));
        }
        let job = ChatJob {
            sampling: options.into_sampling(),
            fallback: options::fallback(state.config.default_max_tokens),
            format: format(self.format)?,
            think: think(self.think)?,
            tools: tools::definitions(self.tools)?,
            // `top_logprobs` alone asks for them as well.
            logprobs: (self.logprobs || self.top_logprobs.is_some_and(|count| count > 0))
                .then_some(self.top_logprobs.unwrap_or(0)),
            overflow: if self.truncate { Overflow::DropOldest } else { Overflow::Refuse },
            ..ChatJob::new(prompt)
        };
        Ok((job, hints))
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, RuntimeError> {
    Err(RuntimeError::Invalid(message.into()))
}

/// `"json"`, a JSON schema, or nothing.
fn format(format: Option<Value>) -> Result<AnswerFormat, RuntimeError> {
    match format {
        None | Some(Value::Null) => Ok(AnswerFormat::Text),
        Some(Value::String(name)) if name.is_empty() => Ok(AnswerFormat::Text),
        Some(Value::String(name)) if name == "json" => Ok(AnswerFormat::Json),
        Some(schema @ Value::Object(_)) => Ok(AnswerFormat::JsonSchema(schema)),
        Some(other) => invalid(format!("format {other} is neither \"json\" nor a JSON schema")),
    }
}

/// `true`, `false` or a level.
pub(in crate::api) fn think(think: Option<Value>) -> Result<Option<Think>, RuntimeError> {
    Ok(match think {
        None | Some(Value::Null) => None,
        Some(Value::Bool(think)) => Some(if think { Think::On } else { Think::Off }),
        Some(Value::String(level)) => Some(match level.as_str() {
            "low" => Think::Low,
            "medium" => Think::Medium,
            "high" | "max" => Think::High,
            _ => return invalid(format!("think {level:?} is no level; use low, medium or high")),
        }),
        Some(other) => return invalid(format!("think {other} is neither true, false nor a level")),
    })
}
