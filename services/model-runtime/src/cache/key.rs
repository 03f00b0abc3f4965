//! What an answer depends on, as one hash.
//!
//! Every field goes in with its length, so that no two requests run into each other, and JSON with its keys in order, so
//! that how a client writes a schema does not matter. A new field of [`ChatJob`] does not compile here until it is taken in.

use anwen_contract::model::QuotableDocument;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::bounded::Key;
use crate::engine::{AnswerFormat, ChatJob, EmbedInput, Prompt, Sampling, ToolCall, ToolDefinition, Turn};

struct Hash(Sha256);

impl Hash {
    fn of(kind: &str, model: &str) -> Self {
        let mut hash = Self(Sha256::new());
        hash.text(kind);
        hash.text(model);
        hash
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn optional<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.number(u64::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }

    fn each<T>(&mut self, values: &[T], put: impl Fn(&mut Self, &T)) {
        self.number(values.len() as u64);
        values.iter().for_each(|value| put(self, value));
    }

    fn tokens(&mut self, tokens: &[u32]) {
        self.each(tokens, |hash, token| hash.number(u64::from(*token)));
    }

    fn json(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let mut names: Vec<&String> = fields.keys().collect();
                names.sort_unstable();
                self.text("object");
                self.each(&names, |hash, name| {
                    hash.text(name);
                    hash.optional(fields.get(*name), Self::json);
                });
            }
            Value::Array(values) => {
                self.text("array");
                self.each(values, Self::json);
            }
            plain => {
                self.text("plain");
                self.text(&plain.to_string());
            }
        }
    }

    fn finish(self) -> Key {
        self.0.finalize().into()
    }
}

/// The key of a generation by the model with this fingerprint.
pub fn chat_key(model: &str, job: &ChatJob) -> Key {
    let ChatJob {
        prompt,
        documents,
        sampling,
        fallback,
        format,
        think,
        tools,
        tool_choice,
        logprobs,
        overflow,
    } = job;
    let mut hash = Hash::of("chat", model);
    put_prompt(&mut hash, prompt);
    hash.each(documents, |hash, QuotableDocument { n, title, text, score }| {
        hash.number(u64::from(*n));
        hash.text(title);
        hash.text(text);
        hash.number(u64::from(score.to_bits()));
    });
    put_sampling(&mut hash, sampling);
    put_sampling(&mut hash, fallback);
    match format {
        AnswerFormat::Text => hash.text("text"),
        AnswerFormat::Json => hash.text("json"),
        AnswerFormat::JsonSchema(schema) => {
            hash.text("schema");
            hash.json(schema);
        }
        AnswerFormat::Regex(pattern) => {
            hash.text("regex");
            hash.text(pattern);
        }
        AnswerFormat::Lark(grammar) => {
            hash.text("lark");
            hash.text(grammar);
        }
    }
    hash.each(tools, |hash, ToolDefinition { name, description, parameters }| {
        hash.text(name);
        hash.text(description);
        hash.json(parameters);
    });
    // Fieldless or with one text: their debug form is their name.
    hash.text(&format!("{think:?} {tool_choice:?} {overflow:?}"));
    hash.optional(*logprobs, |hash, top| hash.number(u64::from(top)));
    hash.finish()
}

/// The key of one embedding by the model with this fingerprint.
pub fn embedding_key(model: &str, input: &EmbedInput, dimensions: Option<usize>) -> Key {
    let mut hash = Hash::of("embedding", model);
    match input {
        EmbedInput::Text(text) => {
            hash.number(0);
            hash.text(text);
        }
        EmbedInput::Tokens(tokens) => {
            hash.number(1);
            hash.tokens(tokens);
        }
    }
    hash.optional(dimensions, |hash, dimensions| hash.number(dimensions as u64));
    hash.finish()
}

fn put_prompt(hash: &mut Hash, prompt: &Prompt) {
    match prompt {
        Prompt::Chat(turns) => {
            hash.number(0);
            hash.each(turns, put_turn);
        }
        Prompt::Raw(text) => {
            hash.number(1);
            hash.text(text);
        }
        Prompt::Tokens(tokens) => {
            hash.number(2);
            hash.tokens(tokens);
        }
        Prompt::Infill { prefix, suffix } => {
            hash.number(3);
            hash.text(prefix);
            hash.text(suffix);
        }
    }
}

fn put_turn(hash: &mut Hash, turn: &Turn) {
    let Turn { role, content, images, thinking, tool_calls, tool_call_id, name } = turn;
    hash.text(role.as_str());
    hash.text(content);
    hash.each(images, |hash, image| hash.bytes(&image.0));
    hash.optional(thinking.as_deref(), Hash::text);
    hash.each(tool_calls, |hash, ToolCall { id, name, arguments }| {
        hash.text(id);
        hash.text(name);
        hash.json(arguments);
    });
    hash.optional(tool_call_id.as_deref(), Hash::text);
    hash.optional(name.as_deref(), Hash::text);
}

fn put_sampling(hash: &mut Hash, sampling: &Sampling) {
    let Sampling {
        max_tokens,
        temperature,
        top_p,
        top_k,
        min_p,
        typical_p,
        frequency_penalty,
        presence_penalty,
        repetition_penalty,
        repeat_last_n,
        seed,
        stop,
        logit_bias,
    } = sampling;
    for number in [max_tokens, top_k, repeat_last_n] {
        hash.optional(*number, |hash, number| hash.number(u64::from(number)));
    }
    for number in [temperature, top_p, min_p, typical_p] {
        hash.optional(*number, |hash, number| hash.number(number.to_bits()));
    }
    for number in [frequency_penalty, presence_penalty, repetition_penalty] {
        hash.optional(*number, |hash, number| hash.number(u64::from(number.to_bits())));
    }
    hash.optional(*seed, Hash::number);
    hash.each(stop, |hash, text| hash.text(text));
    hash.each(logit_bias, |hash, (token, bias)| {
        hash.number(u64::from(*token));
        hash.number(u64::from(bias.to_bits()));
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::{Image, Role, Think};
    use serde_json::json;

    fn job() -> ChatJob {
        ChatJob::new(Prompt::Chat(vec![Turn::text(Role::User, "ab"), Turn::text(Role::User, "c")]))
    }

    #[test]
    fn whatever_changes_an_answer_changes_the_key() {
        let changes: [fn(&mut ChatJob); 12] = [
            |job| job.prompt = Prompt::Chat(vec![Turn::text(Role::User, "a"), Turn::text(Role::User, "bc")]),
            |job| job.prompt = Prompt::Raw("abc".into()),
            |job| {
                let mut seen = Turn::text(Role::User, "ab");
                seen.images.push(Image(bytes::Bytes::from_static(b"one")));
                job.prompt = Prompt::Chat(vec![seen, Turn::text(Role::User, "c")]);
            },
            |job| {
                let mut seen = Turn::text(Role::User, "ab");
                seen.images.push(Image(bytes::Bytes::from_static(b"two")));
                job.prompt = Prompt::Chat(vec![seen, Turn::text(Role::User, "c")]);
            },
            |job| job.sampling.seed = Some(0),
            |job| job.sampling.temperature = Some(0.0),
            |job| job.sampling.top_p = Some(0.0),
            |job| job.sampling.stop = vec!["x".into()],
            |job| job.format = AnswerFormat::Json,
            |job| job.think = Some(Think::Off),
            |job| job.logprobs = Some(0),
            |job| {
                job.documents =
                    vec![QuotableDocument { n: 1, title: String::new(), text: "d".into(), score: 0.0 }]
            },
        ];
        let mut keys = vec![chat_key("m", &job()), chat_key("n", &job())];
        for change in changes {
            let mut changed = job();
            change(&mut changed);
            keys.push(chat_key("m", &changed));
        }
        let mut unique = keys.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), keys.len());
        assert_eq!(keys[0], chat_key("m", &job()));
    }

    #[test]
    fn the_order_of_a_schemas_fields_does_not_matter() {
        let key = |schema: Value| {
            let mut job = job();
            job.format = AnswerFormat::JsonSchema(schema);
            chat_key("m", &job)
        };
        let text = r#"{"b": [1, {"y": null, "x": 2}], "a": "s"}"#;
        assert_eq!(
            key(json!({"a": "s", "b": [1, {"x": 2, "y": null}]})),
            key(serde_json::from_str(text).unwrap())
        );
        assert_ne!(key(json!({"a": "1"})), key(json!({"a": 1})));
    }

    #[test]
    fn embeddings_are_told_apart_by_text_and_dimensions() {
        let text = EmbedInput::Text("a".into());
        let keys = [
            embedding_key("m", &text, None),
            embedding_key("m", &text, Some(1)),
            embedding_key("n", &text, None),
            embedding_key("m", &EmbedInput::Tokens(vec![97]), None),
        ];
        assert!((0..4).all(|one| (0..one).all(|other| keys[one] != keys[other])));
    }
}
