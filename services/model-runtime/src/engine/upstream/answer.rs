//! What another server answers, as events of a generation, vectors and relevances.

use std::collections::BTreeMap;

use anwen_contract::model::Usage;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{ChatEnd, ChatEvent, Delta, Embeddings, FinishReason, TokenLogprob, ToolCall};
use crate::error::RuntimeError;

/// Tools that one answer may call.
const MAX_TOOL_CALLS: usize = 128;

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<ChunkUsage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: ChoiceDelta,
    /// Of a text completion.
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    logprobs: Option<Logprobs>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct ChoiceDelta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default, alias = "reasoning")]
    reasoning_content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    #[serde(default)]
    index: usize,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: FunctionDelta,
}

#[derive(Default, Deserialize)]
struct FunctionDelta {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Logprobs {
    #[serde(default)]
    content: Option<Vec<Token>>,
}

#[derive(Deserialize)]
struct Token {
    token: String,
    #[serde(default)]
    bytes: Option<Vec<u8>>,
    logprob: f32,
    #[serde(default)]
    top_logprobs: Vec<Token>,
}

#[derive(Deserialize)]
struct ChunkUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u32>,
}

/// A tool's call as far as it has come.
#[derive(Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

/// Puts the chunks of one answer together.
#[derive(Default)]
pub struct AnswerReader {
    calls: BTreeMap<usize, Call>,
    finish: Option<FinishReason>,
    usage: Option<ChunkUsage>,
    /// Chunks with words: the best count of tokens when the server gives none.
    words: u32,
}

fn failed(cause: impl Into<String>) -> RuntimeError {
    RuntimeError::GenerationFailed { cause: cause.into() }
}

impl AnswerReader {
    /// The events of one chunk.
    pub fn read(&mut self, data: &str) -> Result<Vec<ChatEvent>, RuntimeError> {
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|cause| failed(format!("a chunk of an unknown shape: {cause}")))?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(failed(format!("the server behind the model failed: {error}")));
        }
        if chunk.usage.is_some() {
            self.usage = chunk.usage;
        }
        let mut events = Vec::new();
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(events) };
        if let Some(thought) = choice.delta.reasoning_content.filter(|text| !text.is_empty()) {
            self.words += 1;
            events.push(ChatEvent::Reasoning(thought));
        }
        let tokens = choice.logprobs.and_then(|logprobs| logprobs.content).unwrap_or_default();
        let text = choice.delta.content.or(choice.text).unwrap_or_default();
        if !text.is_empty() || !tokens.is_empty() {
            self.words += 1;
            let logprobs = tokens.into_iter().map(logprob).collect();
            events.push(ChatEvent::Delta(Delta { text, logprobs }));
        }
        for call in choice.delta.tool_calls.into_iter().flatten() {
            self.call(call)?;
        }
        if let Some(reason) = choice.finish_reason {
            self.finish = Some(match reason.as_str() {
                "length" => FinishReason::Length,
                "tool_calls" | "function_call" => FinishReason::ToolCalls,
                _ => FinishReason::Stop,
            });
        }
        Ok(events)
    }

    fn call(&mut self, part: CallDelta) -> Result<(), RuntimeError> {
        if part.index >= MAX_TOOL_CALLS {
            return Err(failed(format!("more than {MAX_TOOL_CALLS} tool calls in one answer")));
        }
        let call = self.calls.entry(part.index).or_default();
        if let Some(id) = part.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        call.name.push_str(&part.function.name.unwrap_or_default());
        call.arguments.push_str(&part.function.arguments.unwrap_or_default());
        Ok(())
    }

    /// The last events, once the server has sent everything. An answer without a reason for its end was cut off.
    pub fn end(self) -> Result<Vec<ChatEvent>, RuntimeError> {
        let Some(finish) = self.finish else { return Err(failed("the server's answer broke off")) };
        let mut events = Vec::with_capacity(self.calls.len() + 1);
        for (index, call) in self.calls {
            let arguments = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.as_str() };
            let arguments = serde_json::from_str(arguments)
                .map_err(|cause| failed(format!("arguments of a tool that are no JSON: {cause}")))?;
            let id = if call.id.is_empty() { format!("call_{index}") } else { call.id };
            events.push(ChatEvent::ToolCall(ToolCall { id, name: call.name, arguments }));
        }
        let (prompt_tokens, completion_tokens, cached) = match self.usage {
            Some(usage) => (
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
            ),
            None => (0, self.words, 0),
        };
        let total_tokens = prompt_tokens.saturating_add(completion_tokens);
        let mut end = ChatEnd::new(finish, Usage { prompt_tokens, completion_tokens, total_tokens });
        end.cached_tokens = cached;
        events.push(ChatEvent::Done(end));
        Ok(events)
    }
}

fn logprob(token: Token) -> TokenLogprob {
    let bytes = |token: &Token| token.bytes.clone().unwrap_or_else(|| token.token.clone().into_bytes());
    TokenLogprob {
        bytes: bytes(&token),
        logprob: token.logprob,
        top: token.top_logprobs.iter().map(|other| (bytes(other), other.logprob)).collect(),
    }
}

#[derive(Deserialize)]
struct Vectors {
    data: Vec<Vector>,
    #[serde(default)]
    usage: Option<ChunkUsage>,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    index: usize,
    embedding: Vec<f32>,
}

/// The vectors of `count` inputs.
pub fn embeddings(body: Value, count: usize) -> Result<Embeddings, RuntimeError> {
    let mut answer: Vectors = serde_json::from_value(body)
        .map_err(|cause| failed(format!("embeddings of an unknown shape: {cause}")))?;
    answer.data.sort_by_key(|vector| vector.index);
    let dimensions = answer.data.first().map_or(0, |vector| vector.embedding.len());
    let is_whole = answer.data.len() == count
        && answer.data.iter().all(|vector| vector.embedding.len() == dimensions && dimensions > 0);
    if !is_whole && count > 0 {
        return Err(failed("another number of embeddings, or of different lengths"));
    }
    Ok(Embeddings {
        dimensions,
        values: answer.data.into_iter().flat_map(|vector| vector.embedding).collect(),
        tokens: answer.usage.map_or(0, |usage| usage.prompt_tokens as usize),
        truncated: Vec::new(),
    })
}

#[derive(Deserialize)]
struct Ranking {
    results: Vec<Rated>,
}

#[derive(Deserialize)]
struct Rated {
    index: usize,
    #[serde(alias = "score")]
    relevance_score: f32,
}

/// The relevance of `count` documents, in their order.
pub fn relevances(body: Value, count: usize) -> Result<Vec<f32>, RuntimeError> {
    let ranking: Ranking = serde_json::from_value(body)
        .map_err(|cause| failed(format!("relevances of an unknown shape: {cause}")))?;
    let mut scores = vec![None; count];
    for rated in ranking.results {
        if let Some(score) = scores.get_mut(rated.index) {
            *score = Some(rated.relevance_score);
        }
    }
    scores.into_iter().collect::<Option<Vec<f32>>>().ok_or_else(|| failed("some document was not rated"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn events(chunks: &[Value]) -> Result<Vec<ChatEvent>, RuntimeError> {
        let mut reader = AnswerReader::default();
        let mut events = Vec::new();
        for chunk in chunks {
            events.extend(reader.read(&chunk.to_string())?);
        }
        events.extend(reader.end()?);
        Ok(events)
    }

    #[test]
    fn words_thoughts_probabilities_and_counts_are_read() {
        let found = events(&[
            json!({"choices": [{"delta": {"role": "assistant", "content": ""}}]}),
            json!({"choices": [{"delta": {"reasoning_content": "hm"}}]}),
            json!({"choices": [{"delta": {"content": "Hi"}, "logprobs": {"content": [
                {"token": "Hi", "logprob": -0.5, "bytes": [72, 105],
                 "top_logprobs": [{"token": "Hi", "logprob": -0.5}, {"token": "Ho", "logprob": -1.5}]}]}}]}),
            json!({"choices": [{"delta": {}, "finish_reason": "length"}]}),
            json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 4}}}),
        ])
        .unwrap();
        let logprob = TokenLogprob {
            bytes: b"Hi".to_vec(),
            logprob: -0.5,
            top: vec![(b"Hi".to_vec(), -0.5), (b"Ho".to_vec(), -1.5)],
        };
        let usage = Usage { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
        assert_eq!(
            found,
            [
                ChatEvent::Reasoning("hm".into()),
                ChatEvent::Delta(Delta { text: "Hi".into(), logprobs: vec![logprob] }),
                ChatEvent::Done(ChatEnd { cached_tokens: 4, ..ChatEnd::new(FinishReason::Length, usage) }),
            ]
        );
    }

    #[test]
    fn the_parts_of_tool_calls_are_put_together() {
        let part = |index: usize, function: Value| json!({"choices": [{"delta": {"tool_calls": [{"index": index, "id": format!("c{index}"), "function": function}]}}]});
        let found = events(&[
            part(0, json!({"name": "a", "arguments": "{\"x\""})),
            part(1, json!({"name": "b"})),
            part(0, json!({"arguments": ": 1}"})),
            json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
        ])
        .unwrap();
        let call = |id: &str, name: &str, arguments: Value| {
            ChatEvent::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments })
        };
        assert_eq!(found[..2], [call("c0", "a", json!({"x": 1})), call("c1", "b", json!({}))]);
    }

    #[test]
    fn an_answer_that_breaks_off_or_reports_an_error_fails() {
        assert!(events(&[json!({"choices": [{"delta": {"content": "half an"}}]})]).is_err());
        assert!(events(&[json!({"error": {"message": "out of memory"}})]).is_err());
    }

    #[test]
    fn vectors_and_relevances_come_in_the_order_of_the_inputs() {
        let body = json!({"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]});
        assert_eq!(embeddings(body.clone(), 2).unwrap().values, [1.0, 2.0]);
        assert!(embeddings(body, 3).is_err());
        let body = json!({"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "score": 0.1}]});
        assert_eq!(relevances(body.clone(), 2).unwrap(), [0.1, 0.9]);
        assert!(relevances(body, 3).is_err());
    }
}
