//! Chat templates: how a conversation becomes a model's prompt.

mod environment;
mod go;
mod go_parse;
mod messages;
mod probe;
mod python;
mod strftime;

use serde_json::Value;
use time::OffsetDateTime;

use crate::fallback;
use crate::style::{AnswerStyle, ThinkingStyle};
use crate::types::{Think, ToolDefinition, Turn};
use go::GoTemplate;
use messages::{ArgumentsAs, ContentAs, Shape};

pub(crate) use python::json as python_json;

/// A template longer than this is refused.
const MAX_TEMPLATE_BYTES: usize = 1024 * 1024;

const CHATML: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// The texts of the tokens that templates name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    pub bos: String,
    pub eos: String,
}

/// What a prompt is made of.
#[derive(Clone, Copy, Debug)]
pub struct RenderRequest<'a> {
    pub turns: &'a [Turn],
    pub tools: &'a [ToolDefinition],
    /// `None` leaves it to the template.
    pub think: Option<Think>,
    /// For templates that tell the model the date.
    pub now: OffsetDateTime,
}

/// Why a template makes no prompt.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("the chat template is longer than {MAX_TEMPLATE_BYTES} bytes, give the model another one")]
    TooLong,
    #[error("the chat template cannot be read: {0}")]
    Syntax(String),
    /// The template itself says what it does not take.
    #[error("the chat template refuses this conversation: {0}")]
    Refused(String),
    #[error("the chat template fails: {0}")]
    Failed(String),
    #[error("the prompt is longer than {0} bytes, send less")]
    PromptTooLong(usize),
    #[error("the conversation is empty, send one message at least")]
    Empty,
}

/// A model's chat template: in Jinja, rendered as Hugging Face's libraries do, or in Go's template language, as in
/// Ollama's Modelfiles.
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    source: String,
    /// Of a template in Go's language.
    go: Option<GoTemplate>,
    special: SpecialTokens,
    style: AnswerStyle,
    content: ContentAs,
    arguments: ArgumentsAs,
}

impl ChatTemplate {
    /// Reads a template and finds out, by rendering small conversations, what it supports.
    pub fn parse(source: &str, special: SpecialTokens) -> Result<Self, TemplateError> {
        if source.len() > MAX_TEMPLATE_BYTES {
            return Err(TemplateError::TooLong);
        }
        let go = if go::is_go(source) { Some(GoTemplate::parse(source)?) } else { None };
        let source = if go.is_some() { source.to_owned() } else { environment::prepare(source)? };
        if go.is_none() {
            environment::check(&source)?;
        }
        let style = AnswerStyle::of_text(&source);
        let mut template =
            Self { source, go, special, style, content: ContentAs::Text, arguments: ArgumentsAs::Object };
        probe::learn(&mut template);
        Ok(template)
    }

    /// The template of models that carry none.
    pub fn chatml() -> Self {
        let mut style = AnswerStyle::of_text(CHATML);
        style.supports_system = true;
        Self {
            source: CHATML.to_owned(),
            go: None,
            special: SpecialTokens { bos: String::new(), eos: "<|im_end|>".to_owned() },
            style,
            content: ContentAs::Text,
            arguments: ArgumentsAs::Object,
        }
    }

    /// How answers to this template's prompts are read.
    pub fn style(&self) -> AnswerStyle {
        self.style.clone()
    }

    /// Whether the template has a place for pictures.
    pub fn takes_images(&self) -> bool {
        self.content != ContentAs::Text
    }

    /// The prompt for a conversation, up to where the model's answer begins. Where the template refuses the
    /// conversation as it stands, neighbours of one role are merged and the system's text goes before the first
    /// question.
    pub fn render(&self, request: &RenderRequest<'_>) -> Result<String, TemplateError> {
        if request.turns.is_empty() {
            return Err(TemplateError::Empty);
        }
        let plain;
        let (turns, tools) = if self.style.supports_tools {
            (request.turns, request.tools)
        } else {
            plain = fallback::without_tools(request.turns, request.tools);
            (plain.as_slice(), [].as_slice())
        };
        let fold = !self.style.supports_system;
        let mut first_failure = None;
        for (fold_system, merge) in [(fold, false), (fold, true), (true, true)] {
            let shape = Shape { fold_system, merge, ..self.shape() };
            match self.render_shaped(turns, tools, request.think, request.now, shape) {
                Ok(prompt) => return Ok(self.close_thinking(prompt, request.think)),
                Err(error @ TemplateError::PromptTooLong(_)) => return Err(error),
                Err(error) => first_failure = first_failure.or(Some(error)),
            }
        }
        Err(first_failure.unwrap_or(TemplateError::Empty))
    }

    fn shape(&self) -> Shape {
        Shape {
            fold_system: false,
            merge: false,
            content: self.content,
            arguments: self.arguments,
            channels: self.style.thinking == ThinkingStyle::Channels,
            nine_character_ids: self.source.contains("[TOOL_CALLS]"),
        }
    }

    fn render_shaped(
        &self,
        turns: &[Turn],
        tools: &[ToolDefinition],
        think: Option<Think>,
        now: OffsetDateTime,
        shape: Shape,
    ) -> Result<String, TemplateError> {
        let messages = messages::messages(turns, shape);
        if let Some(go) = &self.go {
            return go.render(&messages, &self.context(Vec::new(), tools, think));
        }
        environment::render(&self.source, &self.context(messages, tools, think), now)
    }

    /// The variables that Hugging Face's libraries give to a template, and those that families take wishes by.
    fn context(&self, messages: Vec<Value>, tools: &[ToolDefinition], think: Option<Think>) -> Value {
        let mut context = serde_json::Map::new();
        context.insert("messages".into(), messages.into());
        let tools: Vec<Value> = tools.iter().map(messages::tool).collect();
        context.insert("tools".into(), if tools.is_empty() { Value::Null } else { tools.into() });
        context.insert("documents".into(), Value::Null);
        context.insert("add_generation_prompt".into(), true.into());
        context.insert("bos_token".into(), self.special.bos.clone().into());
        context.insert("eos_token".into(), self.special.eos.clone().into());
        if let Some(think) = think {
            context.insert("enable_thinking".into(), (think != Think::Off).into());
            context.insert("thinking".into(), (think != Think::Off).into());
            let effort = match think {
                // gpt-oss cannot be told not to think at all.
                Think::Off | Think::Low => Some("low"),
                Think::On => None,
                Think::Medium => Some("medium"),
                Think::High => Some("high"),
            };
            if let Some(effort) = effort {
                context.insert("reasoning_effort".into(), effort.into());
            }
        }
        context.into()
    }

    /// A model that is told not to think by nothing in its template gets a thinking block that is over already.
    fn close_thinking(&self, mut prompt: String, think: Option<Think>) -> String {
        let ThinkingStyle::Tags { open, close } = &self.style.thinking else { return prompt };
        if think != Some(Think::Off) || !self.style.supports_thinking {
            return prompt;
        }
        let end = prompt.trim_end();
        if end.ends_with(close.as_str()) {
            return prompt;
        }
        if end.ends_with(open.as_str()) {
            prompt.truncate(end.len());
        } else {
            prompt.push_str(open);
        }
        prompt.push_str("\n\n");
        prompt.push_str(close);
        prompt.push_str("\n\n");
        prompt
    }
}
