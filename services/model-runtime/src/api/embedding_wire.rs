//! Texts and vectors on the wire. Hundreds of passages come with a request and half a megabyte of base64 leaves with its
//! answer, so both are read and written in one pass, without a tree of JSON values between.

use std::fmt;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::engine::{EmbedInput, Embeddings};
use crate::error::RuntimeError;

/// OpenAI's `input`: a text, texts, the tokens of a text, or those of several.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EmbedInputs(pub Vec<EmbedInput>);

/// OpenAI's `encoding_format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum VectorEncoding {
    #[default]
    Float,
    /// Little-endian `f32`.
    Base64,
}

impl<'de> Deserialize<'de> for EmbedInputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InputsVisitor)
    }
}

struct InputsVisitor;

impl<'de> Visitor<'de> for InputsVisitor {
    type Value = EmbedInputs;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, texts, tokens, or lists of tokens")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<EmbedInputs, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<EmbedInputs, E> {
        Ok(EmbedInputs(vec![EmbedInput::Text(text)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<EmbedInputs, A::Error> {
        let mixed = || A::Error::custom("input mixes numbers with texts or lists");
        let (mut inputs, mut tokens) = (Vec::new(), Vec::new());
        while let Some(item) = items.next_element()? {
            match item {
                Item::Input(_) if !tokens.is_empty() => return Err(mixed()),
                Item::Token(_) if !inputs.is_empty() => return Err(mixed()),
                Item::Input(input) => inputs.push(input),
                Item::Token(token) => tokens.push(token),
            }
        }
        if !tokens.is_empty() {
            inputs.push(EmbedInput::Tokens(tokens));
        }
        Ok(EmbedInputs(inputs))
    }
}

/// What stands in a list of inputs.
enum Item {
    Input(EmbedInput),
    /// Then the list is one input.
    Token(u32),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a token or a list of tokens")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Item, E> {
        Ok(Item::Input(EmbedInput::Text(text)))
    }

    fn visit_u64<E: Error>(self, token: u64) -> Result<Item, E> {
        u32::try_from(token).map(Item::Token).map_err(|_| E::custom("a token is larger than 4294967295"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        let mut tokens = Vec::new();
        while let Some(token) = items.next_element()? {
            tokens.push(token);
        }
        Ok(Item::Input(EmbedInput::Tokens(tokens)))
    }
}

/// The answer of `/v1/embeddings`: the fields of `head`, an object that has at least one, then the vectors as `data`.
pub(super) fn openai_answer(
    head: &impl Serialize,
    embeddings: &Embeddings,
    encoding: VectorEncoding,
) -> Result<Response, RuntimeError> {
    let body = openai_body(head, embeddings, encoding).map_err(RuntimeError::internal)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

fn openai_body(
    head: &impl Serialize,
    embeddings: &Embeddings,
    encoding: VectorEncoding,
) -> serde_json::Result<Vec<u8>> {
    /// Characters of JSON around a vector; where it is more, the body grows.
    const AROUND_A_VECTOR: usize = 64;
    let mut body = serde_json::to_vec(head)?;
    let vectors = embeddings.values.len() / embeddings.dimensions.max(1);
    body.reserve(vectors * (AROUND_A_VECTOR + vector_bytes(embeddings.dimensions, encoding)));
    // The vectors become one more field of the object.
    body.pop();
    body.extend_from_slice(b",\"data\":[");
    let mut scratch = Vec::new();
    for (index, row) in embeddings.rows().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(b"{\"object\":\"embedding\",\"index\":");
        serde_json::to_writer(&mut body, &index)?;
        body.extend_from_slice(b",\"embedding\":");
        match encoding {
            VectorEncoding::Float => serde_json::to_writer(&mut body, row)?,
            VectorEncoding::Base64 => write_base64(row, &mut scratch, &mut body),
        }
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    Ok(body)
}

/// About as many bytes as a vector is written with.
fn vector_bytes(dimensions: usize, encoding: VectorEncoding) -> usize {
    /// Sign, zero, point, eight or nine digits, comma.
    const FLOAT: usize = 13;
    match encoding {
        VectorEncoding::Float => dimensions * FLOAT,
        VectorEncoding::Base64 => (dimensions * size_of::<f32>()).div_ceil(3) * 4 + 2,
    }
}

/// Appends `row` as a JSON string: none of base64's characters needs an escape.
fn write_base64(row: &[f32], bytes: &mut Vec<u8>, body: &mut Vec<u8>) {
    bytes.resize(size_of_val(row), 0);
    for (bytes, number) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(row) {
        *bytes = number.to_le_bytes();
    }
    body.push(b'"');
    let start = body.len();
    body.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // The length is the one that padding gives, so that it always fits.
    let written = STANDARD.encode_slice(bytes.as_slice(), &mut body[start..]).unwrap_or(0);
    body.truncate(start + written);
    body.push(b'"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn text(text: &str) -> EmbedInput {
        EmbedInput::Text(text.to_owned())
    }

    #[test]
    fn every_form_of_input_is_read() {
        for (json, expected) in [
            (r#""a\u00e9""#, vec![text("aé")]),
            (r#"["a", "b\n"]"#, vec![text("a"), text("b\n")]),
            ("[1, 2]", vec![EmbedInput::Tokens(vec![1, 2])]),
            ("[[1], []]", vec![EmbedInput::Tokens(vec![1]), EmbedInput::Tokens(vec![])]),
            ("[]", vec![]),
        ] {
            assert_eq!(serde_json::from_str::<EmbedInputs>(json).unwrap().0, expected, "{json}");
        }
    }

    #[test]
    fn other_input_is_refused() {
        for json in ["1", "null", "{}", "[1, \"a\"]", "[[1], 2]", "[-1]", "[4294967296]", "[[\"a\"]]"] {
            assert!(serde_json::from_str::<EmbedInputs>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn the_vectors_follow_the_other_fields_in_either_encoding() {
        // 1, 2 and 3 numbers: every length of padding.
        for dimensions in 1..=3 {
            let values: Vec<f32> = (0..dimensions * 2).map(|number| 0.1 - number as f32).collect();
            let embeddings =
                Embeddings { dimensions, values: values.clone(), tokens: 2, truncated: Vec::new() };
            for encoding in [VectorEncoding::Float, VectorEncoding::Base64] {
                let body = openai_body(&json!({"object": "list"}), &embeddings, encoding).unwrap();
                let body: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(body["object"], "list");
                let rows: Vec<f32> = (0..2).flat_map(|row| read(&body["data"][row]["embedding"])).collect();
                assert_eq!(rows, values, "{dimensions} {encoding:?}");
                assert_eq!(
                    (&body["data"][1]["index"], &body["data"][1]["object"]),
                    (&json!(1), &json!("embedding"))
                );
            }
        }
    }

    fn read(vector: &Value) -> Vec<f32> {
        match vector.as_str() {
            Some(text) => {
                let bytes = STANDARD.decode(text).unwrap();
                bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
            }
            None => serde_json::from_value(vector.clone()).unwrap(),
        }
    }
}
