//! The bundled embedding over both interfaces.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::support::Runtime;

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
