//! `POST /v1/embeddings` as our services use it. A vector goes from the answer's text into its numbers at once: through
//! `serde_json::Value` reading an answer costs more than making it.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The body of `POST /v1/embeddings` as knowledge sends it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmbeddingRequest<'a> {
    pub model: Cow<'a, str>,
    pub input: Cow<'a, [String]>,
    /// `base64` (little-endian f32) or `float`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_format: Option<Cow<'a, str>>,
}

/// The answer of `POST /v1/embeddings`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmbeddingAnswer {
    pub model: String,
    pub data: Vec<EmbeddingItem>,
}

/// One embedding.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmbeddingItem {
    pub index: usize,
    /// Read from an array of numbers or from base64 text of little-endian f32; written as an array.
    #[serde(deserialize_with = "either_encoding")]
    pub embedding: Vec<f32>,
}

fn either_encoding<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    deserializer.deserialize_any(VectorVisitor)
}

struct VectorVisitor;

impl<'de> Visitor<'de> for VectorVisitor {
    type Value = Vec<f32>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers, or base64 of little-endian f32")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<f32>, E> {
        let bytes = STANDARD.decode(text).map_err(E::custom)?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom("the base64 holds no whole number of f32"));
        }
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Vec<f32>, A::Error> {
        let mut vector = Vec::new();
        while let Some(number) = numbers.next_element()? {
            vector.push(number);
        }
        Ok(vector)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(embedding: &str) -> Result<Vec<f32>, serde_json::Error> {
        let item =
            serde_json::from_str::<EmbeddingItem>(&format!(r#"{{"index": 3, "embedding": {embedding}}}"#));
        item.map(|item| item.embedding)
    }

    #[test]
    fn both_encodings_are_read() {
        let text = STANDARD.encode([0u8, 0, 128, 63, 0, 0, 0, 192]);
        assert_eq!(read(&format!("\"{text}\"")).unwrap(), [1.0, -2.0]);
        assert_eq!(read("[1.0, -2]").unwrap(), [1.0, -2.0]);
    }

    #[test]
    fn what_is_no_vector_is_refused() {
        for embedding in ["{}", "null", "[\"1\"]", "\"AAAA\"", "\"?\""] {
            assert!(read(embedding).is_err(), "{embedding}");
        }
    }
}
