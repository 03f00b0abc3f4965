//! What `/v1/chat/completions` takes.

use anwen_contract::model::{QuotableDocument, StreamOptions};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::messages::{self, Message};
use super::sampling::{SamplingFields, choices, invalid, logprobs};
use crate::api::ApiState;
use crate::api::choices::ToolCalls;
use crate::api::fields::{self, Field, Fields, is_empty};
use crate::api::images::ImageReader;
use crate::api::ollama::think;
use crate::api::tools::{self, Tool};
use crate::engine::{AnswerFormat, ChatJob, Overflow, Prompt, Sampling, Think, ToolChoice, ToolDefinition};
use crate::error::RuntimeError;

/// The fields of the call. Those after `documents` are OpenAI's but `keep_alive`.
const FIELDS: &Fields = &[
    ("model", Field::Honoured),
    ("messages", Field::Honoured),
    ("stream", Field::Honoured),
    ("stream_options", Field::Honoured),
    ("max_tokens", Field::Honoured),
    ("max_completion_tokens", Field::Honoured),
    ("temperature", Field::Honoured),
    ("top_p", Field::Honoured),
    ("frequency_penalty", Field::Honoured),
    ("presence_penalty", Field::Honoured),
    ("seed", Field::Honoured),
    ("stop", Field::Honoured),
    ("n", Field::Honoured),
    ("logprobs", Field::Honoured),
    ("top_logprobs", Field::Honoured),
    ("logit_bias", Field::Honoured),
    ("response_format", Field::Honoured),
    ("tools", Field::Honoured),
    ("tool_choice", Field::Honoured),
    ("parallel_tool_calls", Field::Honoured),
    ("reasoning_effort", Field::Honoured),
    // Extensions that other servers have too.
    ("top_k", Field::Honoured),
    ("min_p", Field::Honoured),
    ("typical_p", Field::Honoured),
    ("repetition_penalty", Field::Honoured),
    ("repeat_last_n", Field::Honoured),
    ("think", Field::Honoured),
    ("chat_template_kwargs", Field::Honoured),
    ("truncation", Field::Honoured),
    ("documents", Field::Honoured),
    ("user", Field::Neutral),
    ("metadata", Field::Neutral),
    ("store", Field::Neutral),
    ("service_tier", Field::Neutral),
    ("safety_identifier", Field::Neutral),
    ("prompt_cache_key", Field::Neutral),
    ("prompt_cache_retention", Field::Neutral),
    // What OpenAI expects the answer to be, to be quicker; it does not change it.
    ("prediction", Field::Neutral),
    ("modalities", Field::OnlyAt(is_text_alone)),
    ("verbosity", Field::OnlyAt(is_medium)),
    ("functions", Field::OnlyAt(is_empty)),
    ("function_call", Field::OnlyAt(is_none_or_auto)),
];

fn is_text_alone(value: &Value) -> bool {
    matches!(value.as_array().map(Vec::as_slice), Some([one]) if one == "text")
}

fn is_medium(value: &Value) -> bool {
    value == "medium"
}

fn is_none_or_auto(value: &Value) -> bool {
    value == "none" || value == "auto"
}

#[derive(Deserialize)]
struct ChatBody {
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
    n: Option<u32>,
    #[serde(default)]
    logprobs: bool,
    #[serde(default)]
    top_logprobs: Option<u8>,
    #[serde(default)]
    tools: Vec<Tool>,
    #[serde(default)]
    tool_choice: Option<Value>,
    #[serde(default)]
    parallel_tool_calls: Option<bool>,
    #[serde(default)]
    response_format: Option<ResponseFormat>,
    #[serde(default)]
    reasoning_effort: Option<String>,
    #[serde(default)]
    think: Option<Value>,
    #[serde(default)]
    chat_template_kwargs: Option<TemplateArguments>,
    #[serde(default)]
    truncation: Option<Truncation>,
    /// Extension: the passages for an engine that quotes.
    #[serde(default)]
    documents: Vec<QuotableDocument>,
    #[serde(flatten)]
    sampling: SamplingFields,
}

/// The template's arguments that mean something to every engine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateArguments {
    #[serde(default, alias = "thinking")]
    enable_thinking: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Truncation {
    /// The oldest turns go until the prompt fits.
    Auto,
    Disabled,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema {
        json_schema: JsonSchema,
    },
    /// Extension: text that a regular expression matches whole.
    Regex {
        regex: String,
    },
    /// Extension: text of a grammar in Lark's notation.
    Lark {
        lark: String,
    },
}

#[derive(Deserialize)]
struct JsonSchema {
    schema: Value,
}

impl From<ResponseFormat> for AnswerFormat {
    /// A schema is kept to whether `strict` says so or not.
    fn from(format: ResponseFormat) -> Self {
        match format {
            ResponseFormat::Text => Self::Text,
            ResponseFormat::JsonObject => Self::Json,
            ResponseFormat::JsonSchema { json_schema } => Self::JsonSchema(json_schema.schema),
            ResponseFormat::Regex { regex } => Self::Regex(regex),
            ResponseFormat::Lark { lark } => Self::Lark(lark),
        }
    }
}

/// A request, understood.
pub(super) struct Request {
    pub model: String,
    pub stream: bool,
    pub with_usage: bool,
    /// Answers wanted.
    pub n: u32,
    pub tool_calls: ToolCalls,
    pub job: ChatJob,
}

impl Request {
    /// What is asked for, or what of it cannot be honoured.
    pub(super) async fn read(body: Map<String, Value>, state: &ApiState) -> Result<Self, RuntimeError> {
        let config = &state.config;
        let (body, _): (ChatBody, _) = fields::read(FIELDS, body)?;
        if body.documents.len() > config.max_documents {
            return invalid(format!("at most {} documents", config.max_documents));
        }
        let think =
            thinking(body.reasoning_effort.as_deref(), body.think, body.chat_template_kwargs.as_ref())?;
        let tools = tools::definitions(body.tools)?;
        let tool_choice = tool_choice(body.tool_choice, &tools)?;
        let mut images = ImageReader::new(&state.remote_images, config);
        let turns = messages::turns(body.messages, &mut images).await?;
        let job = ChatJob {
            documents: body.documents,
            sampling: body.sampling.into_sampling(body.max_completion_tokens.or(body.max_tokens))?,
            fallback: Sampling { max_tokens: Some(config.default_max_tokens), ..Sampling::default() },
            format: body.response_format.map(AnswerFormat::from).unwrap_or_default(),
            think,
            tools,
            tool_choice,
            logprobs: logprobs(body.logprobs, body.top_logprobs)?,
            overflow: match body.truncation {
                Some(Truncation::Auto) => Overflow::DropOldest,
                Some(Truncation::Disabled) | None => Overflow::Refuse,
            },
            ..ChatJob::new(Prompt::Chat(turns))
        };
        Ok(Self {
            model: body.model,
            stream: body.stream,
            with_usage: body.stream_options.is_some_and(|options| options.include_usage),
            n: choices(body.n, config.max_choices)?,
            tool_calls: match body.parallel_tool_calls {
                Some(false) => ToolCalls::One,
                _ => ToolCalls::Many,
            },
            job,
        })
    }
}

/// One answer from the three ways to ask for thinking; they must not contradict each other.
fn thinking(
    effort: Option<&str>,
    direct: Option<Value>,
    arguments: Option<&TemplateArguments>,
) -> Result<Option<Think>, RuntimeError> {
    let by_effort = match effort {
        None => None,
        Some("none") => Some(Think::Off),
        Some("minimal" | "low") => Some(Think::Low),
        Some("medium") => Some(Think::Medium),
        Some("high" | "xhigh") => Some(Think::High),
        Some(other) => {
            return invalid(format!(
                "reasoning_effort {other:?} is no level; use none, minimal, low, medium, high or xhigh"
            ));
        }
    };
    let by_template = arguments
        .and_then(|arguments| arguments.enable_thinking)
        .map(|enabled| if enabled { Think::On } else { Think::Off });
    // A level says more than "on": it comes first.
    let asked: Vec<Think> = [by_effort, think(direct)?, by_template].into_iter().flatten().collect();
    let off = asked.iter().filter(|think| **think == Think::Off).count();
    if off != 0 && off != asked.len() {
        return invalid("reasoning_effort, think and chat_template_kwargs contradict each other");
    }
    Ok(asked.first().copied())
}

/// `"none"`, `"auto"`, `"required"` or `{"type": "function", "function": {"name"}}`.
fn tool_choice(choice: Option<Value>, tools: &[ToolDefinition]) -> Result<ToolChoice, RuntimeError> {
    let choice = match choice {
        None | Some(Value::Null) => ToolChoice::Auto,
        Some(Value::String(word)) => match word.as_str() {
            "none" => ToolChoice::None,
            "auto" => ToolChoice::Auto,
            // Some clients say `any`.
            "required" | "any" => ToolChoice::Required,
            _ => {
                return invalid(format!(
                    "tool_choice {word:?} is none of none, auto, required and a function's name"
                ));
            }
        },
        Some(named) => match named.pointer("/function/name").or_else(|| named.get("name")) {
            Some(Value::String(name)) => ToolChoice::Named(name.clone()),
            _ => return invalid("tool_choice names no function"),
        },
    };
    match &choice {
        ToolChoice::Required if tools.is_empty() => {
            invalid("tool_choice asks for a call, and there are no tools")
        }
        ToolChoice::Named(name) if tools.iter().all(|tool| tool.name != *name) => {
            invalid(format!("tool_choice names {name:?}, which is not among the tools"))
        }
        _ => Ok(choice),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arguments(enable_thinking: bool) -> Option<TemplateArguments> {
        Some(TemplateArguments { enable_thinking: Some(enable_thinking) })
    }

    #[test]
    fn every_way_to_ask_for_thinking_is_understood() {
        assert_eq!(thinking(Some("low"), None, None).unwrap(), Some(Think::Low));
        assert_eq!(thinking(Some("none"), None, None).unwrap(), Some(Think::Off));
        assert_eq!(thinking(None, Some(json!("high")), None).unwrap(), Some(Think::High));
        assert_eq!(thinking(None, None, arguments(false).as_ref()).unwrap(), Some(Think::Off));
        assert_eq!(
            thinking(Some("high"), Some(json!(true)), arguments(true).as_ref()).unwrap(),
            Some(Think::High)
        );
        assert_eq!(thinking(None, None, None).unwrap(), None);
        assert!(thinking(Some("high"), Some(json!(false)), None).is_err());
        assert!(thinking(Some("extreme"), None, None).is_err());
    }

    #[test]
    fn a_tool_choice_names_a_tool_that_is_there() {
        let tool = ToolDefinition { name: "f".to_owned(), description: String::new(), parameters: json!({}) };
        let tools = [tool];
        let named = |name: &str| json!({"type": "function", "function": {"name": name}});
        assert_eq!(tool_choice(Some(named("f")), &tools).unwrap(), ToolChoice::Named("f".to_owned()));
        assert!(tool_choice(Some(named("g")), &tools).is_err());
        assert_eq!(tool_choice(Some(json!("required")), &tools).unwrap(), ToolChoice::Required);
        assert!(tool_choice(Some(json!("required")), &[]).is_err());
        assert_eq!(tool_choice(Some(json!("none")), &[]).unwrap(), ToolChoice::None);
        assert!(tool_choice(Some(json!("sometimes")), &tools).is_err());
    }
}
