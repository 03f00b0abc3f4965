//! A job's prompt as tokens that fit the context.

use super::sequences::Token;
use super::vocabulary::{Frame, Vocabulary};
use anwen_dialogue::{ChatTemplate, RenderRequest, ToolDefinition};
use time::OffsetDateTime;

use crate::engine::{ChatJob, Overflow, Prompt, Role, Turn};
use crate::error::RuntimeError;

/// A prompt that fits.
#[derive(Debug, PartialEq, Eq)]
pub struct Fitted {
    pub tokens: Vec<Token>,
    /// Turns that were left out.
    pub dropped_turns: u32,
}

/// The prompt of `job` in tokens; there is room for one token of an answer at least.
pub fn fit(
    job: &ChatJob,
    tools: &[ToolDefinition],
    template: &ChatTemplate,
    vocabulary: &Vocabulary,
    context_tokens: usize,
) -> Result<Fitted, RuntimeError> {
    let whole = |tokens: Vec<Token>| Fitted { tokens, dropped_turns: 0 };
    let fitted = match &job.prompt {
        Prompt::Chat(turns) => return fit_turns(turns, job, tools, template, vocabulary, context_tokens),
        Prompt::Raw(text) => whole(tokens_of(text, Frame::Begin, vocabulary, context_tokens)?),
        Prompt::Tokens(tokens) => whole(known_tokens(tokens, vocabulary)?),
        Prompt::Infill { prefix, suffix } => whole(infill(prefix, suffix, vocabulary, context_tokens)?),
    };
    check_length(&fitted.tokens, context_tokens)?;
    Ok(fitted)
}

fn fit_turns(
    turns: &[Turn],
    job: &ChatJob,
    tools: &[ToolDefinition],
    template: &ChatTemplate,
    vocabulary: &Vocabulary,
    context_tokens: usize,
) -> Result<Fitted, RuntimeError> {
    let now = OffsetDateTime::now_utc();
    let render = |turns: &[Turn]| -> Result<Vec<Token>, RuntimeError> {
        let request = RenderRequest { turns, tools, think: job.think, now };
        let text = template.render(&request).map_err(|cause| RuntimeError::Invalid(cause.to_string()))?;
        tokens_of(&text, Frame::Begin, vocabulary, context_tokens)
    };
    let tokens = render(turns)?;
    let too_long = check_length(&tokens, context_tokens);
    if too_long.is_ok() || job.overflow == Overflow::Refuse {
        return too_long.map(|()| Fitted { tokens, dropped_turns: 0 });
    }
    // Longer conversations never have fewer tokens, so halving finds the longest that fits.
    let starts = possible_starts(turns);
    let (mut low, mut high) = (0, starts.len());
    let mut best = None;
    while low < high {
        let middle = low + (high - low) / 2;
        let kept = without_oldest(turns, starts[middle]);
        let tokens = render(&kept)?;
        if check_length(&tokens, context_tokens).is_ok() {
            best = Some((tokens, turns.len() - kept.len()));
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let Some((tokens, dropped)) = best else { return too_long.map(|()| Fitted { tokens, dropped_turns: 0 }) };
    Ok(Fitted { tokens, dropped_turns: u32::try_from(dropped).unwrap_or(u32::MAX) })
}

/// Where a shortened conversation may begin: at a later turn of the user, so that no answer or tool's result stands
/// without its question; at the last turn in any case.
fn possible_starts(turns: &[Turn]) -> Vec<usize> {
    let first = turns.iter().position(|turn| turn.role != Role::System).unwrap_or(turns.len());
    let last = turns.len().saturating_sub(1);
    (first + 1..turns.len()).filter(|&index| turns[index].role == Role::User || index == last).collect()
}

/// The system's turns, and the others from `start` on.
fn without_oldest(turns: &[Turn], start: usize) -> Vec<Turn> {
    turns
        .iter()
        .enumerate()
        .filter(|(index, turn)| *index >= start || turn.role == Role::System)
        .map(|(_, turn)| turn.clone())
        .collect()
}

fn check_length(tokens: &[Token], context_tokens: usize) -> Result<(), RuntimeError> {
    if tokens.is_empty() {
        return Err(RuntimeError::Invalid("the prompt is empty".to_owned()));
    }
    if tokens.len() >= context_tokens {
        return Err(RuntimeError::ContextTooLong { prompt_tokens: tokens.len(), context_tokens });
    }
    Ok(())
}

fn tokens_of(
    text: &str,
    frame: Frame,
    vocabulary: &Vocabulary,
    context_tokens: usize,
) -> Result<Vec<Token>, RuntimeError> {
    vocabulary
        .tokens(text, frame)
        .ok_or(RuntimeError::ContextTooLong { prompt_tokens: text.len(), context_tokens })
}

pub fn known_tokens(tokens: &[u32], vocabulary: &Vocabulary) -> Result<Vec<Token>, RuntimeError> {
    let known = |&token: &u32| {
        let known = (token as usize) < vocabulary.len();
        let unknown = || RuntimeError::Invalid(format!("token {token} is not in the model's vocabulary"));
        known.then_some(token.cast_signed()).ok_or_else(unknown)
    };
    tokens.iter().map(known).collect()
}

fn infill(
    prefix: &str,
    suffix: &str,
    vocabulary: &Vocabulary,
    context_tokens: usize,
) -> Result<Vec<Token>, RuntimeError> {
    let [before, after, gap] = vocabulary.infill().ok_or_else(|| {
        RuntimeError::Invalid("this model was not trained to fill a gap; send no suffix".to_owned())
    })?;
    let prefix = tokens_of(prefix, Frame::Bare, vocabulary, context_tokens)?;
    let suffix = tokens_of(suffix, Frame::Bare, vocabulary, context_tokens)?;
    let begin = vocabulary.begin().into_iter().chain([before]);
    Ok(begin.chain(prefix).chain([after]).chain(suffix).chain([gap]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_conversation_keeps_the_system_and_begins_with_a_question() {
        use Role::{Assistant, System, Tool, User};
        let roles = [System, User, Assistant, Tool, Assistant, User, Assistant, User];
        let turns: Vec<Turn> = roles.iter().map(|role| Turn::text(*role, "x")).collect();
        assert_eq!(possible_starts(&turns), [5, 7]);
        let kept: Vec<Role> = without_oldest(&turns, 5).iter().map(|turn| turn.role).collect();
        assert_eq!(kept, [System, User, Assistant, User]);
        assert!(possible_starts(&turns[..2]).is_empty());
    }
}
