//! The lines of an answer.

use std::time::SystemTime;

use anwen_contract::model::RuntimeNote;
use serde_json::{Map, Value, json};

use super::{nanoseconds, rfc3339};
use crate::api::choices::ollama_finish;
use crate::api::generation::{Answer, note_of};
use crate::api::logprobs;
use crate::api::measure::Timings;
use crate::engine::{ChatEnd, Delta, ToolCall};

/// Which of the two calls an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Chat,
    Generate,
}

/// Writes the lines of one answer.
pub(super) struct Lines {
    call: Call,
    model: String,
    with_logprobs: bool,
    /// Hints that changed nothing, told at the end.
    ignored: Vec<&'static str>,
    tool_calls: usize,
    /// What was known before the answer began.
    pub note: RuntimeNote,
}

impl Lines {
    pub(super) fn new(call: Call, model: &str, with_logprobs: bool, ignored: Vec<&'static str>) -> Self {
        Self {
            call,
            model: model.to_owned(),
            with_logprobs,
            ignored,
            tool_calls: 0,
            note: RuntimeNote::default(),
        }
    }

    fn line(&self, text: &str, thinking: &str) -> Value {
        let mut line = json!({"model": self.model, "created_at": rfc3339(SystemTime::now()), "done": false});
        let place = match self.call {
            Call::Chat => {
                line["message"] = json!({"role": "assistant", "content": text});
                &mut line["message"]
            }
            Call::Generate => {
                line["response"] = json!(text);
                &mut line
            }
        };
        if !thinking.is_empty() {
            place["thinking"] = json!(thinking);
        }
        line
    }

    pub(super) fn text(&self, delta: &Delta) -> Value {
        let mut line = self.line(&delta.text, "");
        if self.with_logprobs {
            line["logprobs"] = json!(logprobs::entries(&delta.logprobs));
        }
        line
    }

    pub(super) fn thinking(&self, text: &str) -> Value {
        self.line("", text)
    }

    pub(super) fn tool_calls(&mut self, calls: &[ToolCall]) -> Value {
        let mut line = self.line("", "");
        self.add_tool_calls(&mut line, calls);
        line
    }

    fn add_tool_calls(&mut self, line: &mut Value, calls: &[ToolCall]) {
        let calls: Vec<Value> = calls
            .iter()
            .map(|call| {
                let index = self.tool_calls;
                self.tool_calls += 1;
                json!({"id": call.id, "function": {"index": index, "name": call.name, "arguments": call.arguments}})
            })
            .collect();
        match self.call {
            Call::Chat => line["message"]["tool_calls"] = json!(calls),
            Call::Generate => line["tool_calls"] = json!(calls),
        }
    }

    /// The line that ends a streamed answer.
    pub(super) fn end(&self, end: &ChatEnd, timings: &Timings, context: Option<Vec<u64>>) -> Value {
        self.ended(self.line("", ""), end, timings, context)
    }

    /// A whole answer as one line.
    pub(super) fn whole(&mut self, answer: &Answer, context: Option<Vec<u64>>) -> Value {
        let mut line = self.line(&answer.text, &answer.reasoning);
        if !answer.tool_calls.is_empty() {
            self.add_tool_calls(&mut line, &answer.tool_calls);
        }
        if self.with_logprobs {
            line["logprobs"] = json!(logprobs::entries(&answer.logprobs));
        }
        self.ended(line, &answer.end, &answer.timings, context)
    }

    fn ended(&self, mut line: Value, end: &ChatEnd, timings: &Timings, context: Option<Vec<u64>>) -> Value {
        line["done"] = json!(true);
        line["done_reason"] = json!(ollama_finish(end.finish));
        line["total_duration"] = json!(nanoseconds(timings.total));
        line["load_duration"] = json!(nanoseconds(timings.load));
        line["prompt_eval_count"] = json!(end.usage.prompt_tokens);
        line["prompt_eval_duration"] = json!(nanoseconds(timings.prompt));
        line["eval_count"] = json!(end.usage.completion_tokens);
        line["eval_duration"] = json!(nanoseconds(timings.generation));
        if let Some(context) = context {
            line["context"] = json!(context);
        }
        let note = self.note(end);
        if !note.is_empty() {
            line["anwen"] = Value::Object(note);
        }
        line
    }

    /// What Ollama has no field for.
    fn note(&self, end: &ChatEnd) -> Map<String, Value> {
        let mut note = match json!(note_of(&self.note, end)) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        if !self.ignored.is_empty() {
            note.insert("ignored".to_owned(), json!(self.ignored));
        }
        note
    }

    /// The answer to a request that asked for nothing but the model.
    pub(super) fn nothing(&self, reason: &str) -> Value {
        let mut line = self.line("", "");
        line["done"] = json!(true);
        line["done_reason"] = json!(reason);
        line
    }
}
