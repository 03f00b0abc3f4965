//! A job as tokens, or as messages with pictures.

use anwen_dialogue::{
    AnswerFormat, AnswerStyle, ChatTemplate, RenderRequest, StartsThinking, Think, ToolChoice,
    ToolDefinition, ToolGrammar, Turn,
};
use either::Either;
use mistralrs::{
    Constraint, Function, Model, MultimodalMessages, RequestLike as _, RequestMessage, TextMessageRole, Tool,
    ToolType,
};
use serde_json::json;
use time::OffsetDateTime;

use super::super::{ChatJob, Overflow, Prompt, Role};
use super::files::Vocabulary;
use crate::error::RuntimeError;

/// Pictures in one request.
const MAX_PICTURES: usize = 16;
/// Points of one picture: a bigger one is refused before its points are unpacked.
const MAX_PICTURE_SIDE: u32 = 8192;
/// Bytes that unpacking one picture may take.
const MAX_PICTURE_BYTES: u64 = 512 * 1024 * 1024;

/// A job in the form that mistral.rs takes.
pub(super) struct Prepared {
    pub message: RequestMessage,
    /// `None` where only mistral.rs itself knows: pictures become tokens there.
    pub prompt_tokens: Option<usize>,
    pub dropped_turns: u32,
    pub constraint: Constraint,
    pub tools: Option<Vec<Tool>>,
    /// How the answer is read.
    pub style: AnswerStyle,
    pub think: Option<Think>,
}

/// What a model offers to a prompt.
pub(super) struct Reader<'a> {
    pub model: &'a std::sync::Arc<Model>,
    pub template: Option<&'a ChatTemplate>,
    pub vocabulary: &'a Vocabulary,
    pub takes_pictures: bool,
    pub context_tokens: usize,
}

impl Reader<'_> {
    pub async fn prepare(&self, job: &ChatJob) -> Result<Prepared, RuntimeError> {
        let style = self.template.map(ChatTemplate::style).unwrap_or_default();
        match &job.prompt {
            Prompt::Chat(turns) if turns.iter().any(|turn| !turn.images.is_empty()) => {
                self.with_pictures(turns, job, style)
            }
            Prompt::Chat(turns) => self.conversation(turns, job, style).await,
            Prompt::Raw(text) => {
                let tokens = self.tokens(text.clone(), true).await?;
                self.plain(tokens, job)
            }
            Prompt::Tokens(tokens) => self.plain(tokens.clone(), job),
            Prompt::Infill { .. } => Err(RuntimeError::Invalid(
                "this engine does not put text between two others: leave out `suffix`".to_owned(),
            )),
        }
    }

    /// Text to be continued: no template, no tools, no thinking.
    fn plain(&self, tokens: Vec<u32>, job: &ChatJob) -> Result<Prepared, RuntimeError> {
        if tokens.is_empty() {
            return Err(RuntimeError::Invalid("the prompt is empty".to_owned()));
        }
        self.check_length(tokens.len())?;
        Ok(Prepared {
            prompt_tokens: Some(tokens.len()),
            message: RequestMessage::CompletionTokens(tokens),
            dropped_turns: 0,
            constraint: constraint(&job.format),
            tools: None,
            style: AnswerStyle::default(),
            think: Some(Think::Off),
        })
    }

    async fn conversation(
        &self,
        turns: &[Turn],
        job: &ChatJob,
        style: AnswerStyle,
    ) -> Result<Prepared, RuntimeError> {
        let template = self.template.ok_or_else(|| {
            RuntimeError::Invalid(
                "this model has no chat template: give it one, or send a raw prompt".to_owned(),
            )
        })?;
        let tools = offered(job);
        let think = thinking(job)?;
        let mut turns = turns.to_vec();
        let mut dropped_turns = 0;
        let tokens = loop {
            let request = RenderRequest { turns: &turns, tools, think, now: OffsetDateTime::now_utc() };
            let prompt =
                template.render(&request).map_err(|cause| RuntimeError::Invalid(cause.to_string()))?;
            let tokens = self.tokens(prompt, false).await?;
            let wanted = tokens.len() + self.reserve(job);
            if wanted <= self.context_tokens || job.overflow == Overflow::Refuse {
                break tokens;
            }
            match drop_oldest(&mut turns) {
                0 => break tokens,
                dropped => dropped_turns += dropped,
            }
        };
        self.check_length(tokens.len())?;
        Ok(Prepared {
            prompt_tokens: Some(tokens.len()),
            message: RequestMessage::CompletionTokens(tokens),
            dropped_turns,
            constraint: self.constraint_of(job, &style, think)?,
            tools: (!tools.is_empty()).then(|| tools.iter().map(tool).collect()),
            style,
            think,
        })
    }

    /// mistral.rs itself puts pictures into its prompt, and splits off the thinking.
    fn with_pictures(
        &self,
        turns: &[Turn],
        job: &ChatJob,
        style: AnswerStyle,
    ) -> Result<Prepared, RuntimeError> {
        if !self.takes_pictures {
            return Err(RuntimeError::Invalid("this model takes no pictures".to_owned()));
        }
        if !job.tools.is_empty() && job.tool_choice != ToolChoice::None {
            return Err(RuntimeError::Invalid(
                "this engine takes tools or pictures in one request, not both".to_owned(),
            ));
        }
        if turns.iter().map(|turn| turn.images.len()).sum::<usize>() > MAX_PICTURES {
            return Err(RuntimeError::Invalid(format!("a request may hold {MAX_PICTURES} pictures")));
        }
        let mut messages = MultimodalMessages::new();
        for turn in turns {
            let pictures =
                turn.images.iter().map(|image| picture(&image.0)).collect::<Result<Vec<_>, _>>()?;
            let role = message_role(turn.role);
            messages = if pictures.is_empty() {
                messages.add_message(role, &turn.content)
            } else {
                messages.add_image_message(role, &turn.content, pictures)
            };
        }
        let think = thinking(job)?;
        if let Some(think) = think {
            messages = messages.enable_thinking(think != Think::Off);
        }
        let config = self.model.config().map_err(RuntimeError::internal)?;
        messages.resolve_pending_prefixes(&config.category);
        Ok(Prepared {
            message: messages.take_messages(),
            prompt_tokens: None,
            dropped_turns: 0,
            constraint: constraint(&job.format),
            tools: None,
            style: AnswerStyle { starts_thinking: StartsThinking::default(), ..style },
            think,
        })
    }

    /// The grammar of a call that is required, or what the answer's format asks for.
    fn constraint_of(
        &self,
        job: &ChatJob,
        style: &AnswerStyle,
        think: Option<Think>,
    ) -> Result<Constraint, RuntimeError> {
        let token_id = |text: &str| self.vocabulary.control_token(text);
        let grammar =
            ToolGrammar { tools: &job.tools, choice: &job.tool_choice, style, think, token_id: &token_id }
                .lark();
        match (grammar, &job.format) {
            (None, format) => Ok(constraint(format)),
            (Some(grammar), AnswerFormat::Text) => Ok(Constraint::Lark(grammar)),
            (Some(_), _) => Err(RuntimeError::Invalid(
                "an answer is a required call of a tool or has a format, not both".to_owned(),
            )),
        }
    }

    async fn tokens(&self, text: String, add_special: bool) -> Result<Vec<u32>, RuntimeError> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let model = std::sync::Arc::clone(self.model);
        // In a task of its own, because mistral.rs' thread panics when nobody takes its answer.
        let counting = tokio::spawn(async move {
            let text: Either<mistralrs::TextMessages, String> = Either::Right(text);
            model.tokenize(text, None, add_special, false, None).await
        });
        let tokens = counting.await.map_err(RuntimeError::internal)?;
        tokens.map_err(|cause| RuntimeError::Invalid(format!("the prompt cannot be tokenised: {cause}")))
    }

    fn check_length(&self, prompt_tokens: usize) -> Result<(), RuntimeError> {
        let context_tokens = self.context_tokens;
        if prompt_tokens < context_tokens {
            Ok(())
        } else {
            Err(RuntimeError::ContextTooLong { prompt_tokens, context_tokens })
        }
    }

    /// Tokens of the context that are kept for the answer: what was asked for, at most half.
    fn reserve(&self, job: &ChatJob) -> usize {
        let wanted = job.sampling.max_tokens.unwrap_or(1).max(1) as usize;
        wanted.min(self.context_tokens / 2)
    }
}

/// Removes the oldest turn that is not the system's, and what answered it; the last question stays. How many went.
fn drop_oldest(turns: &mut Vec<Turn>) -> u32 {
    let first = turns.iter().position(|turn| turn.role != Role::System);
    let last_question = turns.iter().rposition(|turn| turn.role == Role::User);
    let (Some(first), Some(last)) = (first, last_question) else { return 0 };
    if first >= last {
        return 0;
    }
    let next = turns[first + 1..=last].iter().position(|turn| turn.role == Role::User);
    let end = next.map_or(last, |offset| first + 1 + offset);
    turns.drain(first..end);
    u32::try_from(end - first).unwrap_or(u32::MAX)
}

/// The tools that the prompt lists.
fn offered(job: &ChatJob) -> &[ToolDefinition] {
    if job.tool_choice == ToolChoice::None { &[] } else { &job.tools }
}

/// A format holds from the first token on, so that it leaves no room for thinking.
fn thinking(job: &ChatJob) -> Result<Option<Think>, RuntimeError> {
    match (&job.format, job.think) {
        (AnswerFormat::Text, think) => Ok(think),
        (_, None | Some(Think::Off)) => Ok(Some(Think::Off)),
        (_, Some(_)) => Err(RuntimeError::Invalid(
            "this engine constrains answers from their first token on: ask for a format or for thinking"
                .to_owned(),
        )),
    }
}

fn constraint(format: &AnswerFormat) -> Constraint {
    match format.clone() {
        AnswerFormat::Text => Constraint::None,
        AnswerFormat::Json => Constraint::JsonSchema(json!({"type": "object"})),
        AnswerFormat::JsonSchema(schema) => Constraint::JsonSchema(schema),
        AnswerFormat::Regex(pattern) => Constraint::Regex(pattern),
        AnswerFormat::Lark(grammar) => Constraint::Lark(grammar),
    }
}

/// With tools in a request mistral.rs shows the control tokens that calls are marked by.
fn tool(definition: &ToolDefinition) -> Tool {
    let parameters = definition.parameters.as_object();
    Tool {
        tp: ToolType::Function,
        function: Function {
            name: definition.name.clone(),
            description: Some(definition.description.clone()),
            parameters: parameters
                .map(|fields| fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        },
    }
}

fn message_role(role: Role) -> TextMessageRole {
    match role {
        Role::System => TextMessageRole::System,
        Role::User => TextMessageRole::User,
        Role::Assistant => TextMessageRole::Assistant,
        Role::Tool => TextMessageRole::Tool,
    }
}

fn picture(bytes: &[u8]) -> Result<image::DynamicImage, RuntimeError> {
    let unreadable = |cause: String| RuntimeError::Invalid(format!("a picture cannot be read: {cause}"));
    let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|cause| unreadable(cause.to_string()))?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_SIDE);
    limits.max_image_height = Some(MAX_PICTURE_SIDE);
    limits.max_alloc = Some(MAX_PICTURE_BYTES);
    reader.limits(limits);
    reader.decode().map_err(|cause| unreadable(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_question_goes_with_its_answer_and_the_last_one_stays() {
        let turn = |role, text: &str| Turn::text(role, text);
        let mut turns = vec![
            turn(Role::System, "be kind"),
            turn(Role::User, "one"),
            turn(Role::Assistant, "1"),
            turn(Role::Tool, "t"),
            turn(Role::User, "two"),
        ];
        assert_eq!(drop_oldest(&mut turns), 3);
        let left: Vec<&str> = turns.iter().map(|turn| turn.content.as_str()).collect();
        assert_eq!(left, ["be kind", "two"]);
        assert_eq!(drop_oldest(&mut turns), 0);
    }

    #[test]
    fn a_picture_that_is_none_is_refused() {
        assert!(matches!(picture(b"no picture"), Err(RuntimeError::Invalid(_))));
    }
}
