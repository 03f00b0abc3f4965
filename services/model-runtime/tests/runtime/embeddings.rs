//! The bundled embedding: against its definition, and over both interfaces.

use std::path::Path;

use anwen_model_runtime::engine::static_embedding::{StaticModel, StaticScratch};
use base64::Engine as _;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tokenizers::Tokenizer;

use crate::support::{Runtime, bundled_models};

/// Model2Vec's definition with the `tokenizers` crate and plain loops.
struct Definition {
    tokenizer: Tokenizer,
    rows: Vec<i8>,
    scales: Vec<f32>,
    dimensions: usize,
    median_piece_bytes: usize,
}

const SEQUENCE_LENGTH: usize = 512;

impl Definition {
    fn load(directory: &Path) -> Self {
        let tokenizer = Tokenizer::from_file(directory.join("tokenizer.json")).unwrap();
        let bytes = std::fs::read(directory.join("model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let embeddings = tensors.tensor("embeddings").unwrap();
        let scales = tensors.tensor("weights").unwrap();
        let mut lengths: Vec<usize> = tokenizer.get_vocab(false).keys().map(String::len).collect();
        lengths.sort_unstable();
        Self {
            rows: embeddings.data().iter().map(|byte| *byte as i8).collect(),
            scales: scales
                .data()
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
                .collect(),
            dimensions: embeddings.shape()[1],
            median_piece_bytes: lengths[lengths.len() / 2],
            tokenizer,
        }
    }

    fn embed(&self, text: &str) -> Vec<f64> {
        let text: String = text.chars().take(SEQUENCE_LENGTH * self.median_piece_bytes).collect();
        let encoding = self.tokenizer.encode(text, false).unwrap();
        let mut sum = vec![0.0f64; self.dimensions];
        for &id in encoding.get_ids().iter().take(SEQUENCE_LENGTH).filter(|id| **id != 0) {
            let row = &self.rows[id as usize * self.dimensions..][..self.dimensions];
            for (sum, value) in sum.iter_mut().zip(row) {
                *sum += f64::from(*value) * f64::from(self.scales[id as usize]);
            }
        }
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
        sum.iter().map(|value| value / length).collect()
    }
}

#[test]
fn vectors_are_those_of_the_definition() {
    let directory = bundled_models().join("embedding");
    let (model, definition) = (StaticModel::load(&directory).unwrap(), Definition::load(&directory));
    let mut scratch = StaticScratch::default();
    let long = "长文本 long text 🙂 ".repeat(500);
    for text in [
        "年假有多少天？",
        "How many days of leave?",
        "繁體 ＦＵＬＬ é",
        "🙂",
        "",
        "the the the",
        long.as_str(),
    ] {
        let ours = model.embed(text, &mut scratch);
        for (ours, expected) in ours.iter().zip(definition.embed(text)) {
            assert!((f64::from(*ours) - expected).abs() < 1e-5, "{text:.20}: {ours} {expected}");
        }
    }
}

#[test]
fn a_damaged_model_is_an_error_and_not_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let bundled = bundled_models().join("embedding");
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(bundled.join(file), directory.path().join(file)).unwrap();
    }
    assert!(StaticModel::load(directory.path()).is_err());
    for bytes in [&b""[..], b"12345678", &[0xFF; 64]] {
        std::fs::write(directory.path().join("model.safetensors"), bytes).unwrap();
        assert!(StaticModel::load(directory.path()).is_err());
    }
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

#[tokio::test]
async fn both_interfaces_and_encodings_give_the_same_vector() {
    let runtime = Runtime::start(|_| {}).await;
    let request = |extra: Value| {
        let mut body = json!({"model": "embedding", "input": "年假有多少天？"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let (_, floats) = runtime.post("/v1/embeddings", &request(json!({}))).await;
    let vector = numbers(&floats["data"][0]["embedding"]);
    let (_, encoded) = runtime.post("/v1/embeddings", &request(json!({"encoding_format": "base64"}))).await;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded["data"][0]["embedding"].as_str().unwrap())
        .unwrap();
    let decoded: Vec<f32> =
        bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    let (_, ollama) = runtime.post("/api/embed", &request(json!({}))).await;
    let (_, old) =
        runtime.post("/api/embeddings", &json!({"model": "embedding", "prompt": "年假有多少天？"})).await;
    assert_eq!(vector.len(), 512);
    assert_eq!(decoded, vector);
    assert_eq!(numbers(&ollama["embeddings"][0]), vector);
    assert_eq!(numbers(&old["embedding"]), vector);
}

#[tokio::test]
async fn many_texts_come_back_in_order() {
    let runtime = Runtime::start(|_| {}).await;
    let texts: Vec<String> =
        (0..300).map(|number| format!("text number {number} about leave and pay")).collect();
    let (_, many) = runtime.post("/v1/embeddings", &json!({"model": "embedding", "input": texts})).await;
    let (_, one) = runtime.post("/v1/embeddings", &json!({"model": "embedding", "input": texts[250]})).await;
    assert_eq!(many["data"].as_array().unwrap().len(), 300);
    assert_eq!(many["data"][250]["index"], 250);
    assert_eq!(many["data"][250]["embedding"], one["data"][0]["embedding"]);
}

#[tokio::test]
async fn fewer_dimensions_are_the_first_ones_scaled() {
    let runtime = Runtime::start(|_| {}).await;
    let ask = |dimensions: Value| json!({"model": "embedding", "input": "leave", "dimensions": dimensions});
    let (_, whole) = runtime.post("/v1/embeddings", &ask(json!(512))).await;
    let (_, half) = runtime.post("/v1/embeddings", &ask(json!(256))).await;
    let (whole, half) = (numbers(&whole["data"][0]["embedding"]), numbers(&half["data"][0]["embedding"]));
    let length = whole[..256].iter().map(|value| value * value).sum::<f32>().sqrt();
    assert_eq!(half.len(), 256);
    assert!(half.iter().zip(&whole).all(|(half, whole)| (half - whole / length).abs() < 1e-5));
    assert_eq!(runtime.post("/v1/embeddings", &ask(json!(513))).await.0, 400);
}

#[tokio::test]
async fn a_text_longer_than_the_model_reads_is_reported() {
    let runtime = Runtime::start(|_| {}).await;
    let long = "leave ".repeat(600);
    let (_, body) =
        runtime.post("/v1/embeddings", &json!({"model": "embedding", "input": ["short", long]})).await;
    assert_eq!(body["anwen"]["truncated"], json!([1]));
    let strict = json!({"model": "embedding", "input": long, "truncate": false});
    assert_eq!(runtime.post("/api/embed", &strict).await.0, 400);
}

#[tokio::test]
async fn what_cannot_be_embedded_is_refused() {
    let runtime = Runtime::start(|config| config.max_embed_texts = 2).await;
    for (body, status, code) in [
        (json!({"model": "embedding", "input": [1, 2, 3]}), 400, "invalid_request"),
        (json!({"model": "embedding", "input": ["a", "b", "c"]}), 400, "invalid_request"),
        (json!({"model": "nowhere", "input": "a"}), 404, "model_not_found"),
        (json!({"model": "extractive", "input": "a"}), 400, "model_not_capable"),
        (json!({"model": "embedding"}), 400, "invalid_request"),
    ] {
        let (answered, answer) = runtime.post("/v1/embeddings", &body).await;
        assert_eq!((answered, answer["error"]["code"].as_str()), (status, Some(code)), "{body}");
    }
}
