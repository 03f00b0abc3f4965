//! An answer of ours as OpenAI's chat completion, whole or in parts.

use crate::answer::Draft;
use anwen_contract::Timestamp;
use anwen_contract::chat::{Citation, Outcome, Source};
use serde_json::{Value, json};

/// What all parts of one completion share.
#[derive(Debug, Clone)]
pub struct Completion {
    pub id: String,
    pub model: String,
    pub created_seconds: i64,
}

impl Completion {
    pub fn new(model: &str) -> Self {
        let id = format!("chatcmpl-{}", uuid::Uuid::now_v7().simple());
        Self { id, model: model.to_owned(), created_seconds: Timestamp::now().as_millis() / 1_000 }
    }

    /// A part that adds text.
    pub fn part(&self, text: &str) -> Value {
        self.chunk(json!({"content": text}), Value::Null)
    }

    /// A part that adds to the model's thinking.
    pub fn thought(&self, text: &str) -> Value {
        self.chunk(json!({"reasoning_content": text}), Value::Null)
    }

    /// The last part: why it ended, and the sources.
    pub fn last_part(&self, draft: &Draft) -> Value {
        let mut chunk = self.chunk(json!({}), finish_reason(draft));
        chunk["usage"] = usage(draft);
        chunk["citations"] = citations(&draft.sources, &draft.citations);
        chunk
    }

    /// The completion in one piece.
    pub fn whole(&self, draft: &Draft) -> Value {
        let mut message = json!({"role": "assistant", "content": draft.text});
        if !draft.reasoning.is_empty() {
            message["reasoning_content"] = Value::from(draft.reasoning.as_str());
        }
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created_seconds, "model": self.model,
            "choices": [{
                "index": 0,
                "message": message,
                "finish_reason": finish_reason(draft),
            }],
            "usage": usage(draft),
            "citations": citations(&draft.sources, &draft.citations),
            "anwen": {"outcome": draft.outcome.unwrap_or(Outcome::Answered), "grounded": draft.is_grounded()},
        })
    }

    fn chunk(&self, delta: Value, finish_reason: Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created_seconds, "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        })
    }
}

fn finish_reason(draft: &Draft) -> Value {
    Value::from(if draft.truncated { "length" } else { "stop" })
}

fn usage(draft: &Draft) -> Value {
    let (prompt, completion) = (draft.usage.prompt_tokens, draft.usage.completion_tokens);
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}

/// The sources, each with whether what cites it is supported (`null` where nothing does).
fn citations(sources: &[Source], checked: &[Citation]) -> Value {
    let cite = |source: &Source| {
        let mut value = serde_json::to_value(source).unwrap_or_default();
        let mut of_source = checked.iter().filter(|citation| citation.n == source.n).peekable();
        value["supported"] = match of_source.peek() {
            Some(_) => Value::from(of_source.all(|citation| citation.supported)),
            None => Value::Null,
        };
        value
    };
    Value::Array(sources.iter().map(cite).collect())
}
