//! The interfaces of other software.

use super::fakes::{ending, piece};
use super::world::World;
use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_knowledge_base_is_a_model_that_cites() {
    let world = World::new().await;
    let admin = world.admin().await;
    let base = world.knowledge.add_base("Handbook");
    world.knowledge.set_hit(&["Employees get 15 days."]);
    world.model.says(vec![piece("Employees get 15 days.[1]"), ending(Some("quoted"))]);
    let client = admin.with_key(&admin.new_key(json!({"name": "x"})).await.secret);
    let models = client.get("/v1/models").await.value();
    assert!(models["data"].as_array().unwrap().iter().any(|model| model["id"] == "kb/Handbook"));
    let messages = json!([{"role": "user", "content": "Leave?"}, {"role": "assistant", "content": "15"},
        {"role": "user", "content": [{"type": "text", "text": "How many days?"}]}]);
    let body = json!({"model": "kb/Handbook", "messages": messages});
    let answer = client.post("/v1/chat/completions", body.clone()).await.value();
    assert_eq!(answer["choices"][0]["message"]["content"], "Employees get 15 days.[1]");
    assert_eq!(answer["citations"][0]["document_name"], "handbook.pdf");
    assert_eq!(answer["citations"][0]["supported"], true);
    assert_eq!(answer["usage"]["total_tokens"], 10);
    assert_eq!(world.knowledge.last_retrieve().knowledge_base_ids, Some(vec![base]));

    let mut streaming = body;
    streaming["stream"] = json!(true);
    let text = client.post("/v1/chat/completions", streaming).await.text;
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(data.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> =
        data[..data.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    let said: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(said, "Employees get 15 days.[1]");
    assert_eq!(chunks.last().unwrap()["citations"][0]["n"], 1);
}

#[tokio::test]
async fn failures_stand_in_the_envelope_of_their_interface() {
    let world = World::new().await;
    let admin = world.admin().await;
    let client = admin.with_key(&admin.new_key(json!({"name": "x"})).await.secret);
    let unknown = client.post("/v1/chat/completions", json!({"model": "kb/none", "messages": []})).await;
    assert_eq!(
        (unknown.status, unknown.value()["error"]["type"].as_str()),
        (StatusCode::NOT_FOUND, Some("not_found_error"))
    );
    for path in ["/v1/completions", "/v1/rerank", "/v1/embeddings"] {
        let refused = client.post(path, json!({"model": "kb/Handbook"})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "model_not_capable"));
    }
    let stranger = world.visitor().get("/v1/models").await;
    assert_eq!(
        (stranger.status, stranger.value()["error"]["type"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("authentication_error"))
    );
    let ollama = world.visitor().get("/ollama/api/tags").await;
    assert!(ollama.value()["error"].is_string(), "{}", ollama.text);
    let pull = client.call(Method::POST, "/ollama/api/pull", Some(json!({"name": "x"}))).await;
    assert_eq!(pull.status, StatusCode::FORBIDDEN, "a key of the scope `read` fetches no model");
    assert!(pull.value()["error"].is_string(), "{}", pull.text);
}

#[tokio::test]
async fn the_thinking_of_a_model_stands_beside_its_answer() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.knowledge.add_base("Handbook");
    world.knowledge.set_hit(&["Employees get 15 days."]);
    let thought = json!({"choices": [{"index": 0, "delta": {"reasoning_content": "15?"}}]});
    world.model.says(vec![thought, piece("Employees get 15 days.[1]"), ending(Some("quoted"))]);
    let client = admin.with_key(&admin.new_key(json!({"name": "x"})).await.secret);
    let mut body =
        json!({"model": "kb/Handbook", "messages": [{"role": "user", "content": "How many days?"}]});
    let whole = client.post("/v1/chat/completions", body.clone()).await.value();
    assert_eq!(whole["choices"][0]["message"]["reasoning_content"], "15?");
    body["stream"] = json!(true);
    let text = client.post("/v1/chat/completions", body).await.text;
    assert!(text.contains(r#""delta":{"reasoning_content":"15?"}"#), "{text}");
}

#[tokio::test]
async fn other_models_are_the_runtimes() {
    let world = World::new().await;
    let admin = world.admin().await;
    let client = admin.with_key(&admin.new_key(json!({"name": "x"})).await.secret);
    world.model.says(vec![piece("hello"), ending(None)]);
    let body = json!({"model": "small", "messages": [{"role": "user", "content": "hi"}], "stream": true});
    let answer = client.post("/v1/chat/completions", body).await;
    assert!(answer.text.contains("hello") && answer.text.contains("[DONE]"));
    assert_eq!(world.model.last_request().model, "small");
}

#[tokio::test]
async fn tikas_call_goes_to_the_parser_for_who_has_a_key_and_is_kept_in_the_log() {
    let world = World::new().await;
    let admin = world.admin().await;
    let client = admin.with_key(&admin.new_key(json!({"name": "x"})).await.secret);
    let answer = client.put_raw("/tika", "text/markdown", Body::from("# Pump")).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "text/markdown: # Pump"));
    let kept = admin.get("/audit?action=file.parsed").await.value();
    assert_eq!(kept["items"].as_array().map(Vec::len), Some(1));
    let stranger = world.visitor().put_raw("/tika", "text/markdown", Body::from("# Pump")).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}
