//! The calls that change the set of models, over HTTP.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::Runtime;

/// A GGUF header of a language model that no engine could run, which listings do not mind.
fn gguf() -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes(), &1u64.to_le_bytes()].concat();
    bytes.extend([string("general.architecture"), 8u32.to_le_bytes().to_vec(), string("llama")].concat());
    bytes
}

fn request(runtime: &Runtime, method: Method, path: &str, is_admin: bool) -> RequestBuilder {
    reqwest::Client::new().request(method, runtime.url(path)).bearer_auth(runtime.bearer_of(is_admin))
}

async fn post(runtime: &Runtime, path: &str, body: &Value) -> (StatusCode, String) {
    let answer = request(runtime, Method::POST, path, true).json(body).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// Uploads the weights and makes the model `tiny` of them.
async fn with_tiny() -> Runtime {
    let runtime = Runtime::start(|_| {}).await;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(gguf())));
    let path = format!("/api/blobs/{digest}");
    let uploaded = request(&runtime, Method::POST, &path, true).body(gguf()).send().await.unwrap();
    assert_eq!(uploaded.status(), 201);
    let head = request(&runtime, Method::HEAD, &path, true).send().await.unwrap();
    assert_eq!(head.status(), 200);
    let body = json!({"model": "tiny", "files": {"m.gguf": digest}, "system": "Be brief.",
        "parameters": {"temperature": 0.5}, "license": "MIT"});
    let (status, text) = post(&runtime, "/api/create", &body).await;
    assert_eq!(status, 200);
    assert_eq!(text.lines().last(), Some(r#"{"status":"success"}"#), "{text}");
    runtime
}

async fn names(runtime: &Runtime) -> Vec<String> {
    let (_, body) = runtime.get("/api/tags").await;
    let models = body["models"].as_array().unwrap();
    models.iter().map(|model| model["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_model_is_made_shown_copied_and_deleted() {
    let runtime = with_tiny().await;
    let (_, shown) = runtime.post("/api/show", &json!({"model": "tiny"})).await;
    assert_eq!((shown["system"].as_str(), shown["license"].as_str()), (Some("Be brief."), Some("MIT")));
    assert_eq!(shown["parameters"], "temperature 0.5");
    assert_eq!(shown["model_info"]["general.architecture"], "llama");
    assert!(shown["modelfile"].as_str().unwrap().starts_with("FROM tiny"));
    let (status, _) =
        post(&runtime, "/api/copy", &json!({"source": "tiny", "destination": "other:v1"})).await;
    assert_eq!(status, 200);
    let found = names(&runtime).await;
    assert!(["tiny:latest", "other:v1"].iter().all(|name| found.contains(&(*name).to_owned())), "{found:?}");
    let delete = |name: &str| {
        request(&runtime, Method::DELETE, "/api/delete", true).json(&json!({"model": name})).send()
    };
    assert_eq!(delete("tiny").await.unwrap().status(), 200);
    assert_eq!(delete("tiny").await.unwrap().status(), 404);
    assert_eq!(delete("embedding").await.unwrap().status(), 409);
    assert!(!names(&runtime).await.contains(&"tiny:latest".to_owned()));
}

#[tokio::test]
async fn only_administrators_change_the_models() {
    let runtime = Runtime::start(|_| {}).await;
    for (method, path) in [
        (Method::POST, "/api/pull"),
        (Method::POST, "/api/create"),
        (Method::POST, "/api/copy"),
        (Method::DELETE, "/api/delete"),
        (Method::POST, "/api/push"),
        (Method::POST, "/api/blobs/sha256:00"),
        (Method::POST, "/admin/models/import"),
        (Method::GET, "/admin/models/embedding/export"),
    ] {
        let answer =
            request(&runtime, method, path, false).json(&json!({"model": "x"})).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
}

#[tokio::test]
async fn pulling_is_off_unless_it_is_switched_on() {
    let runtime = Runtime::start(|_| {}).await;
    let (status, text) = post(&runtime, "/api/pull", &json!({"model": "qwen3:8b"})).await;
    assert_eq!(status, 403);
    assert!(text.contains("model_runtime.pull.enabled"), "{text}");
}

#[tokio::test]
async fn names_that_lead_elsewhere_and_pushes_are_refused() {
    let runtime = Runtime::start(|_| {}).await;
    for name in ["../x", "/etc/passwd", "embedding", "extractive"] {
        let body = json!({"model": name, "from": "embedding"});
        assert!(post(&runtime, "/api/create", &body).await.0.is_client_error(), "{name}");
    }
    let (status, text) = post(&runtime, "/api/push", &json!({"model": "x"})).await;
    assert_eq!(status, 400, "{text}");
    let (status, _) = post(&runtime, "/api/blobs/sha256:..%2F..%2Fx", &json!({})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn an_upload_with_another_digest_is_refused() {
    let runtime = Runtime::start(|_| {}).await;
    let path = format!("/api/blobs/sha256:{}", "0".repeat(64));
    let answer = request(&runtime, Method::POST, &path, true).body("x").send().await.unwrap();
    assert!(!answer.status().is_success());
    assert_eq!(request(&runtime, Method::HEAD, &path, true).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn an_archive_carries_a_model_from_one_runtime_to_another() {
    let first = with_tiny().await;
    let archive = request(&first, Method::GET, "/admin/models/tiny/export", true).send().await.unwrap();
    assert_eq!(archive.headers()["content-type"], "application/x-tar");
    let archive = archive.bytes().await.unwrap();
    let second = Runtime::start(|_| {}).await;
    let send = |bytes: Vec<u8>| {
        request(&second, Method::POST, "/admin/models/import?name=carried:v2", true).body(bytes).send()
    };
    let damaged = send(archive[..archive.len() / 2].to_vec()).await.unwrap();
    assert_eq!(damaged.status(), 400);
    assert_eq!(send(archive.to_vec()).await.unwrap().status(), 200);
    assert!(names(&second).await.contains(&"carried:v2".to_owned()));
}

#[tokio::test]
async fn the_catalogue_needs_no_network() {
    let runtime = Runtime::start(|_| {}).await;
    let (status, body) = runtime.get("/admin/catalogue").await;
    assert_eq!(status, 200);
    let has = |id: &str| body["models"].as_array().unwrap().iter().any(|model| model["id"] == id);
    assert!(has("qwen3-0.6b") && has("bge-m3"));
}
