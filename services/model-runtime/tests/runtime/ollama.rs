//! Ollama's interface, with the scripted engine.

use anwen_model_runtime::{Config, StubScript};
use serde_json::{Value, json};

use crate::support::Runtime;

fn stub(config: &mut Config) {
    config.enable_stub = true;
    config.stub.scripts =
        vec![StubScript { contains: "capital".into(), answer: "Paris is it.".into(), fails: false }];
}

fn chat(question: &str) -> Value {
    json!({"model": "stub", "messages": [{"role": "user", "content": question}]})
}

fn assert_last_line(line: &Value) {
    assert_eq!(line["done"], true);
    assert_eq!(line["done_reason"], "stop");
    assert_eq!(line["eval_count"], 3);
    for duration in ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"] {
        assert!(line[duration].is_u64(), "{duration}");
    }
}

#[tokio::test]
async fn chat_streams_lines_by_default() {
    let runtime = Runtime::start(stub).await;
    let response = runtime.send("/api/chat", &chat("the capital?")).await;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let lines = runtime.stream_ollama("/api/chat", &chat("the capital?")).await;
    let text: String = lines.iter().map(|line| line["message"]["content"].as_str().unwrap()).collect();
    assert_eq!(text, "Paris is it.");
    assert!(lines[..lines.len() - 1].iter().all(|line| line["done"] == false && line["model"] == "stub"));
    assert_last_line(lines.last().unwrap());
}

#[tokio::test]
async fn chat_without_a_stream_is_one_object() {
    let runtime = Runtime::start(stub).await;
    let mut body = chat("the capital?");
    body["stream"] = json!(false);
    let (_, answer) = runtime.post("/api/chat", &body).await;
    assert_eq!(answer["message"], json!({"role": "assistant", "content": "Paris is it."}));
    assert_last_line(&answer);
}

#[tokio::test]
async fn generate_takes_a_prompt_and_gives_a_response() {
    let runtime = Runtime::start(stub).await;
    let body = json!({"model": "stub", "prompt": "the capital?", "system": "short", "stream": false});
    let (_, answer) = runtime.post("/api/generate", &body).await;
    assert_eq!(answer["response"], "Paris is it.");
    assert_last_line(&answer);
}

#[tokio::test]
async fn options_bound_the_answer() {
    let runtime = Runtime::start(stub).await;
    let mut body = chat("the capital?");
    body["stream"] = json!(false);
    body["options"] = json!({"num_predict": 1, "num_thread": 4, "num_ctx": 4096});
    let (_, answer) = runtime.post("/api/chat", &body).await;
    assert_eq!(
        (answer["message"]["content"].as_str(), answer["done_reason"].as_str()),
        (Some("Paris "), Some("length"))
    );
}

#[tokio::test]
async fn an_empty_prompt_loads_and_keep_alive_zero_unloads() {
    let runtime = Runtime::start(stub).await;
    let (_, answer) = runtime.post("/api/generate", &json!({"model": "stub"})).await;
    assert_eq!((answer["done"].as_bool(), answer["done_reason"].as_str()), (Some(true), Some("load")));
    let (status, _) =
        runtime.post("/api/chat", &json!({"model": "stub", "messages": [], "keep_alive": 0})).await;
    assert_eq!(status, 400, "the scripted engine is part of the program");
}

#[tokio::test]
async fn errors_are_a_string() {
    let runtime = Runtime::start(stub).await;
    let (status, answer) = runtime
        .post("/api/chat", &json!({"model": "nowhere", "messages": [{"role": "user", "content": "x"}]}))
        .await;
    assert_eq!(status, 404);
    assert!(answer["error"].as_str().unwrap().contains("nowhere"));
    let mut body = chat("x");
    body["tools"] = json!([{"type": "function"}]);
    assert_eq!(runtime.post("/api/chat", &body).await.0, 400);
}

#[tokio::test]
async fn a_body_without_a_content_type_is_read() {
    let runtime = Runtime::start(stub).await;
    let request = reqwest::Client::new().post(runtime.url("/api/show")).body("{\"model\": \"embedding\"}");
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["capabilities"], json!(["embedding"]));
}

#[tokio::test]
async fn listings_have_ollamas_shape() {
    let runtime = Runtime::start(stub).await;
    let (_, tags) = runtime.get("/api/tags").await;
    let embedding =
        tags["models"].as_array().unwrap().iter().find(|model| model["name"] == "embedding:latest").unwrap();
    assert!(embedding["size"].as_u64().unwrap() > 1_000_000);
    assert_eq!(embedding["digest"].as_str().unwrap().len(), 64);
    assert_eq!(embedding["details"]["format"], "safetensors");
    let (_, running) = runtime.get("/api/ps").await;
    assert_eq!(running["models"].as_array().unwrap().len(), 3);
    assert!(runtime.get("/api/version").await.1["version"].is_string());
}

#[tokio::test]
async fn a_called_tool_has_ollamas_shape() {
    let runtime = Runtime::start(stub).await;
    let mut body = chat("go on");
    body["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object", "properties": {"place": {"type": "string"}}}}}]);
    let lines = runtime.stream_ollama("/api/chat", &body).await;
    let function = &lines[0]["message"]["tool_calls"][0]["function"];
    assert_eq!(function["arguments"], json!({"place": "alpha"}));
    assert_eq!(lines.last().unwrap()["done_reason"], "stop");
}

#[tokio::test]
async fn hints_are_reported_and_what_is_not_offered_is_refused() {
    let runtime = Runtime::start(stub).await;
    let mut body = chat("the capital?");
    body["stream"] = json!(false);
    body["options"] = json!({"num_gpu": 1});
    let (_, answer) = runtime.post("/api/chat", &body).await;
    assert_eq!(answer["anwen"]["ignored"], json!(["num_gpu"]));
    for (field, value, word) in [
        ("options", json!({"mirostat": 1}), "mirostat"),
        ("template", json!("{{ .Prompt }}"), "template"),
        ("surprise", json!(1), "surprise"),
        ("keep_alive", json!("soon"), "keep_alive"),
        ("think", json!("a lot"), "think"),
        ("format", json!("xml"), "format"),
    ] {
        let mut body = chat("x");
        body[field] = value;
        let (status, answer) = runtime.post("/api/chat", &body).await;
        assert!(status == 400 && answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[tokio::test]
async fn thinking_and_probabilities_have_fields_of_their_own() {
    let runtime = Runtime::start(stub).await;
    let body =
        json!({"model": "stub", "prompt": "the capital?", "stream": false, "think": true, "logprobs": true});
    let (_, answer) = runtime.post("/api/generate", &body).await;
    assert_eq!(answer["thinking"], "Let me think.");
    assert_eq!(answer["logprobs"][0]["token"], "Paris ");
}

#[tokio::test]
async fn a_conversation_goes_on_with_its_context() {
    let runtime = Runtime::start(stub).await;
    let body = json!({"model": "stub", "prompt": "the capital?", "stream": false});
    let (_, first) = runtime.post("/api/generate", &body).await;
    let body = json!({"model": "stub", "prompt": "and now?", "stream": false, "context": first["context"]});
    let (_, second) = runtime.post("/api/generate", &body).await;
    // "the capital?", "Paris is it." and "and now?".
    assert_eq!(second["prompt_eval_count"], 2 + 3 + 2);
    let body = json!({"model": "stub", "prompt": "x", "context": [1, 2, 3]});
    assert_eq!(runtime.post("/api/generate", &body).await.0, 400);
}

#[tokio::test]
async fn clients_that_ask_whether_somebody_is_there_hear_it() {
    let runtime = Runtime::start(stub).await;
    let text = reqwest::get(runtime.url("/")).await.unwrap().text().await.unwrap();
    assert_eq!(text, "Ollama is running");
    let client = reqwest::Client::new();
    assert_eq!(client.head(runtime.url("/api/tags")).send().await.unwrap().status(), 200);
}
