//! Vectors on the wire. Half a megabyte of base64 leaves with an answer, so it is written in one pass, without a tree of
//! JSON values between.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::engine::Embeddings;
use crate::error::RuntimeError;

/// OpenAI's `encoding_format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum VectorEncoding {
    #[default]
    Float,
    /// Little-endian `f32`.
    Base64,
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
