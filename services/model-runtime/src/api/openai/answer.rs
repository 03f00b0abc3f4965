//! The parts of a chat completion's answer.

use anwen_contract::model::{RuntimeNote, Usage};
use serde_json::{Value, json};

use crate::api::generation::{Answer, Event, note_of};
use crate::api::logprobs;
use crate::engine::{ChatEnd, ToolCall};

/// What every part of one answer repeats, and where each choice stands.
pub(super) struct Head {
    pub id: String,
    pub created: u64,
    pub model: String,
    pub with_logprobs: bool,
    pub with_usage: bool,
    /// What was known before the answers began.
    pub note: RuntimeNote,
    /// Of each choice: the tools that it has called.
    calls: Vec<usize>,
    /// The ends so far; the usage is told when it is of all choices.
    ends: Vec<ChatEnd>,
}

impl Head {
    pub(super) fn new(id: String, created: u64, model: String, choices: usize) -> Self {
        Self {
            id,
            created,
            model,
            with_logprobs: false,
            with_usage: false,
            note: RuntimeNote::default(),
            calls: vec![0; choices],
            ends: Vec::with_capacity(choices),
        }
    }

    /// The whole answer as one object.
    pub(super) fn whole(&self, answers: &[Answer]) -> Value {
        let choices: Vec<Value> = answers
            .iter()
            .enumerate()
            .map(|(index, answer)| {
                json!({
                    "index": index,
                    "message": message(answer),
                    "logprobs": self.logprobs(&answer.logprobs),
                    "finish_reason": answer.end.finish.as_str(),
                })
            })
            .collect();
        let ends: Vec<&ChatEnd> = answers.iter().map(|answer| &answer.end).collect();
        let mut body = json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "usage": usage(&ends, ends.len()),
        });
        if let Some(note) = note(&self.note, &ends) {
            body["anwen"] = note;
        }
        body
    }

    fn logprobs(&self, tokens: &[crate::engine::TokenLogprob]) -> Value {
        if self.with_logprobs {
            json!({"content": logprobs::entries(tokens), "refusal": null})
        } else {
            Value::Null
        }
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

    fn delta(&self, index: usize, delta: Value, finish_reason: Option<&str>) -> Value {
        self.chunk(
            json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]),
        )
    }

    /// The first chunk of each choice: who speaks.
    pub(super) fn openings(&self) -> Vec<Value> {
        let open = |index| self.delta(index, json!({"role": "assistant", "content": ""}), None);
        (0..self.calls.len()).map(open).collect()
    }

    /// The chunks of one event of the choice `index`.
    pub(super) fn chunks(&mut self, index: usize, event: Event) -> Vec<Value> {
        match event {
            Event::Queued(position) => {
                let mut chunk = self.chunk(json!([]));
                let note = RuntimeNote { queue_position: Some(position), ..RuntimeNote::default() };
                chunk["anwen"] = json!(note);
                vec![chunk]
            }
            Event::Delta(delta) => {
                let mut chunk = self.delta(index, json!({"content": delta.text}), None);
                chunk["choices"][0]["logprobs"] = self.logprobs(&delta.logprobs);
                vec![chunk]
            }
            Event::Reasoning(text) => vec![self.delta(index, json!({"reasoning_content": text}), None)],
            Event::ToolCall(call) => {
                let place = self.calls.get(index).copied().unwrap_or_default();
                if let Some(calls) = self.calls.get_mut(index) {
                    *calls += 1;
                }
                let mut call = tool_call(&call);
                call["index"] = json!(place);
                vec![self.delta(index, json!({"tool_calls": [call]}), None)]
            }
            Event::Done(end, _) => self.ended(index, end),
        }
    }

    fn ended(&mut self, index: usize, end: ChatEnd) -> Vec<Value> {
        let mut last = self.delta(index, json!({}), Some(end.finish.as_str()));
        if let Some(note) = note(&self.note, &[&end]) {
            last["anwen"] = note;
        }
        self.ends.push(end);
        let mut chunks = vec![last];
        if self.with_usage && self.ends.len() == self.calls.len() {
            let mut chunk = self.chunk(json!([]));
            chunk["usage"] = usage(&self.ends.iter().collect::<Vec<_>>(), self.ends.len());
            chunks.push(chunk);
        }
        chunks
    }
}

fn message(answer: &Answer) -> Value {
    let mut message = json!({"role": "assistant", "content": answer.text});
    if !answer.reasoning.is_empty() {
        message["reasoning_content"] = json!(answer.reasoning);
    }
    if !answer.tool_calls.is_empty() {
        if answer.text.is_empty() {
            message["content"] = Value::Null;
        }
        message["tool_calls"] = answer.tool_calls.iter().map(tool_call).collect();
    }
    message
}

/// OpenAI writes the arguments as text.
fn tool_call(call: &ToolCall) -> Value {
    json!({
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments.to_string()},
    })
}

/// Tokens of all answers, and of the prompts: each prompt has `per_prompt` answers in a row, and is counted once.
pub(super) fn usage(ends: &[&ChatEnd], per_prompt: usize) -> Value {
    let prompts = ends.iter().step_by(per_prompt.max(1));
    let prompt_tokens = prompts.map(|end| end.usage.prompt_tokens).fold(0, u32::saturating_add);
    let completion_tokens = ends.iter().map(|end| end.usage.completion_tokens).fold(0, u32::saturating_add);
    let total_tokens = prompt_tokens.saturating_add(completion_tokens);
    let mut usage = json!(Usage { prompt_tokens, completion_tokens, total_tokens });
    let cached = ends.iter().map(|end| end.cached_tokens).max().unwrap_or_default();
    usage["prompt_tokens_details"] = json!({"cached_tokens": cached});
    usage
}

/// What OpenAI has no field for: of the first answer that has something to say, on top of what was known before.
pub(super) fn note(begin: &RuntimeNote, ends: &[&ChatEnd]) -> Option<Value> {
    let telling = ends.iter().find(|end| end.outcome.is_some() || end.dropped_turns > 0);
    let note = note_of(begin, telling.or(ends.first())?)?;
    Some(json!(note))
}
