//! Vocabularies of made language models: every byte or printable character, a few merged pieces, and the special tokens
//! of the family.

use serde_json::{Map, Value, json};

use super::family::Family;
use super::gguf::{Field, Fields};

/// What a token is, by its number in GGUF files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Byte = 6,
}

pub struct Token {
    pub text: String,
    pub kind: Kind,
}

/// How text becomes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Byte-level pair encoding as in GPT-2; the name of the pre-tokenizer in GGUF files.
    ByteLevel(&'static str),
    /// SentencePiece's pair encoding with a token for each byte; whether a space is put in front.
    SentencePiece { space_in_front: bool },
}

pub struct Vocabulary {
    pub scheme: Scheme,
    pub tokens: Vec<Token>,
    merges: Vec<(&'static str, &'static str)>,
    pub begin: u32,
    pub end: u32,
    pub unknown: Option<u32>,
    pub padding: Option<u32>,
}

/// Pieces of more than one character, each of two that stand before it.
const MERGES: [(&str, &str); 3] = [("t", "h"), ("th", "e"), ("i", "n")];

/// GPT-2's way of writing each byte as a visible character.
fn byte_characters() -> Vec<char> {
    let visible =
        |byte: u32| (33..=126).contains(&byte) || (161..=172).contains(&byte) || (174..=255).contains(&byte);
    let mut next = 256;
    (0..256u32)
        .map(|byte| {
            let code = if visible(byte) {
                byte
            } else {
                next += 1;
                next - 1
            };
            char::from_u32(code).unwrap()
        })
        .collect()
}

impl Vocabulary {
    pub fn of(family: Family) -> Self {
        let (begin, end) = family.begin_and_end();
        let scheme = family.scheme();
        let mut tokens = Vec::new();
        let mut add = |text: String, kind: Kind| tokens.push(Token { text, kind });
        let specials: Vec<(&str, Kind)> = family.special_tokens();
        let merges: &[(&str, &str)] = if family == Family::Plain { &[] } else { &MERGES };
        match scheme {
            Scheme::ByteLevel(_) => {
                byte_characters().into_iter().for_each(|byte| add(byte.into(), Kind::Normal));
                merges.iter().for_each(|(left, right)| add(format!("{left}{right}"), Kind::Normal));
                specials.iter().for_each(|(text, kind)| add((*text).to_owned(), *kind));
            }
            Scheme::SentencePiece { .. } => {
                specials.iter().for_each(|(text, kind)| add((*text).to_owned(), *kind));
                (0..=255u8).for_each(|byte| add(format!("<0x{byte:02X}>"), Kind::Byte));
                merges.iter().for_each(|(left, right)| add(format!("{left}{right}"), Kind::Normal));
                add("▁".to_owned(), Kind::Normal);
                ('!'..='~').for_each(|character| add(character.into(), Kind::Normal));
            }
        }
        let id =
            |wanted: &str| tokens.iter().position(|token: &Token| token.text == wanted).map(|id| id as u32);
        Self {
            begin: id(begin).unwrap(),
            end: id(end).unwrap(),
            unknown: id("<unk>"),
            padding: id("<pad>").or_else(|| id("<|endoftext|>")),
            scheme,
            merges: merges.to_vec(),
            tokens,
        }
    }

    /// `tokenizer.json`.
    pub fn tokenizer(&self) -> Value {
        let vocabulary: Map<String, Value> =
            self.tokens.iter().enumerate().map(|(id, token)| (token.text.clone(), json!(id))).collect();
        let added: Vec<Value> = self
            .tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| matches!(token.kind, Kind::Control | Kind::UserDefined | Kind::Unknown))
            .map(|(id, token)| {
                json!({
                    "id": id, "content": token.text, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": token.kind != Kind::UserDefined,
                })
            })
            .collect();
        let byte_level =
            json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true});
        let pieces = matches!(self.scheme, Scheme::SentencePiece { .. });
        let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
        let (normalizer, decoder) = match self.scheme {
            Scheme::ByteLevel(_) => (Value::Null, byte_level.clone()),
            Scheme::SentencePiece { space_in_front } => {
                let mut decoders = vec![
                    json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
                    json!({"type": "ByteFallback"}),
                    json!({"type": "Fuse"}),
                ];
                if !space_in_front {
                    (space, json!({"type": "Sequence", "decoders": decoders}))
                } else {
                    decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
                    let normalizers = json!([{"type": "Prepend", "prepend": "▁"}, space]);
                    let normalizer = json!({"type": "Sequence", "normalizers": normalizers});
                    (normalizer, json!({"type": "Sequence", "decoders": decoders}))
                }
            }
        };
        let merges: Vec<String> = self.merges.iter().map(|(left, right)| format!("{left} {right}")).collect();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": normalizer, "pre_tokenizer": if pieces { Value::Null } else { byte_level },
            "post_processor": null, "decoder": decoder,
            "model": {"type": "BPE", "dropout": null, "unk_token": if pieces { json!("<unk>") } else { Value::Null },
                "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": pieces,
                "byte_fallback": pieces, "ignore_merges": false, "vocab": vocabulary, "merges": merges},
        })
    }

    pub fn text(&self, id: u32) -> &str {
        &self.tokens[id as usize].text
    }

    /// The fields that describe the vocabulary in a GGUF file.
    pub fn add_to(&self, fields: &mut Fields, template: &str) {
        let texts = self.tokens.iter().map(|token| token.text.clone()).collect();
        let kinds = self.tokens.iter().map(|token| token.kind as i32).collect();
        fields.add("tokenizer.ggml.tokens", Field::Texts(texts));
        fields.add("tokenizer.ggml.token_type", Field::Integers(kinds));
        match self.scheme {
            Scheme::ByteLevel(pre_tokenizer) => {
                fields.text("tokenizer.ggml.model", "gpt2");
                fields.text("tokenizer.ggml.pre", pre_tokenizer);
                let merges = self.merges.iter().map(|(left, right)| format!("{left} {right}")).collect();
                fields.add("tokenizer.ggml.merges", Field::Texts(merges));
                fields.flag("tokenizer.ggml.add_bos_token", false);
            }
            Scheme::SentencePiece { space_in_front } => {
                fields.text("tokenizer.ggml.model", "llama");
                fields.text("tokenizer.ggml.pre", "default");
                let scores = (0..self.tokens.len()).map(|id| self.score(id)).collect();
                fields.add("tokenizer.ggml.scores", Field::Numbers(scores));
                fields.flag("tokenizer.ggml.add_space_prefix", space_in_front);
                fields.flag("tokenizer.ggml.add_bos_token", true);
            }
        }
        fields.number("tokenizer.ggml.bos_token_id", self.begin as usize);
        fields.number("tokenizer.ggml.eos_token_id", self.end as usize);
        if let Some(id) = self.unknown {
            fields.number("tokenizer.ggml.unknown_token_id", id as usize);
        }
        if let Some(id) = self.padding {
            fields.number("tokenizer.ggml.padding_token_id", id as usize);
        }
        fields.text("tokenizer.chat_template", template);
    }

    /// Earlier pieces are merged first; bytes are the last resort.
    fn score(&self, id: usize) -> f32 {
        match self.tokens[id].kind {
            Kind::Normal => -(id as f32),
            Kind::Byte => -1e4,
            Kind::Unknown | Kind::Control | Kind::UserDefined => 0.0,
        }
    }
}
