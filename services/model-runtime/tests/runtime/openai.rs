//! OpenAI's chat interface, with the scripted engine.

use std::time::Duration;

use anwen_model_runtime::{Config, StubScript};
use serde_json::{Value, json};

use crate::support::{Runtime, content_of, read_until};

fn stub(config: &mut Config) {
    config.enable_stub = true;
    config.stub.tokens = 5;
    config.stub.scripts = vec![
        StubScript { contains: "capital".into(), answer: "Paris is it.".into(), fails: false },
        StubScript { contains: "crash".into(), answer: "half an ".into(), fails: true },
    ];
}

fn ask(question: &str) -> Value {
    json!({"model": "stub", "messages": [{"role": "user", "content": question}]})
}

#[tokio::test]
async fn a_whole_answer_has_openais_shape() {
    let runtime = Runtime::start(stub).await;
    let (status, body) = runtime.post("/v1/chat/completions", &ask("the capital?")).await;
    assert_eq!(status, 200);
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["choices"][0]["message"], json!({"role": "assistant", "content": "Paris is it."}));
    assert_eq!(body["usage"], json!({"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}));
}

#[tokio::test]
async fn a_stream_has_role_words_end_and_usage() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("the capital?");
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    let chunks: Vec<Value> =
        events[..events.len() - 1].iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(content_of(&events), "Paris is it.");
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[chunks.len() - 1]["usage"]["completion_tokens"], 3);
    assert_eq!(events.last().unwrap(), "[DONE]");
}

#[tokio::test]
async fn content_parts_of_text_are_read() {
    let runtime = Runtime::start(stub).await;
    let body = json!({"model": "stub", "messages": [{"role": "user", "content": [{"type": "text", "text": "capital"}]}]});
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "Paris is it.");
}

#[tokio::test]
async fn max_tokens_ends_an_answer() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("the capital?");
    body["max_tokens"] = json!(2);
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "Paris is ");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused() {
    let runtime = Runtime::start(stub).await;
    for (field, value) in [
        ("n", json!(2)),
        ("logprobs", json!(true)),
        ("logit_bias", json!({"5": 1})),
        ("tools", json!([{"type": "function"}])),
        ("messages", json!([])),
        ("messages", json!([{"role": "wizard", "content": "x"}])),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]),
        ),
        ("temperature", json!("hot")),
    ] {
        let mut body = ask("x");
        body[field] = value;
        let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
        assert_eq!(
            (status, answer["error"]["type"].as_str()),
            (400, Some("invalid_request_error")),
            "{body}"
        );
    }
    let answer =
        reqwest::Client::new().post(runtime.url("/v1/chat/completions")).body("{").send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], "invalid_json");
}

#[tokio::test]
async fn models_that_are_not_there_or_do_not_chat_are_named() {
    let runtime = Runtime::start(stub).await;
    for (model, status, code) in
        [("nowhere", 404, "model_not_found"), ("embedding", 400, "model_not_capable")]
    {
        let mut body = ask("x");
        body["model"] = json!(model);
        let (answered, answer) = runtime.post("/v1/chat/completions", &body).await;
        assert_eq!((answered, answer["error"]["code"].as_str()), (status, Some(code)));
    }
}

#[tokio::test]
async fn a_failure_in_mid_stream_comes_as_an_error_event() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("crash");
    assert_eq!(runtime.post("/v1/chat/completions", &body).await.0, 500);
    body["stream"] = json!(true);
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    let error: Value = serde_json::from_str(&events[events.len() - 2]).unwrap();
    assert_eq!(error["error"]["code"], "generation_failed");
    assert!(!error.to_string().contains("scripted"), "the cause is for the log");
}

#[tokio::test]
async fn a_client_that_goes_frees_its_slot() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.stub.tokens = 1_000_000;
        config.stub.token_delay_ms = 5;
    })
    .await;
    let mut body = ask("go on");
    body["stream"] = json!(true);
    body["max_tokens"] = json!(1_000_000);
    let (response, _) = read_until(runtime.send("/v1/chat/completions", &body).await, "beta").await;
    assert_eq!(runtime.load_of("stub"), (1, 0));
    drop(response);
    runtime.until_load("stub", (0, 0)).await;
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_waiting_request_hears_its_position() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.queue_capacity = 1;
        config.stub.concurrency = 1;
        config.stub.tokens = 1_000_000;
        config.stub.token_delay_ms = 5;
    })
    .await;
    let mut endless = ask("go on");
    endless["stream"] = json!(true);
    endless["max_tokens"] = json!(1_000_000);
    let (running, _) = read_until(runtime.send("/v1/chat/completions", &endless).await, "beta").await;
    let mut short = ask("the capital?");
    short["stream"] = json!(true);
    let (mut waiting, heard) =
        read_until(runtime.send("/v1/chat/completions", &short).await, "queue_position").await;
    assert!(heard.contains("\"queue_position\":0"), "{heard}");
    let refused = runtime.send("/v1/chat/completions", &short).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    drop(running);
    let mut rest = String::new();
    while let Some(part) = waiting.chunk().await.unwrap() {
        rest.push_str(&String::from_utf8_lossy(&part));
    }
    assert!(rest.contains("Paris"), "{rest}");
}

#[tokio::test]
async fn waiting_ends_at_the_deadline() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.queue_timeout_seconds = 0;
        config.stub.concurrency = 1;
        config.stub.first_token_delay_ms = 60_000;
    })
    .await;
    let mut endless = ask("go on");
    endless["stream"] = json!(true);
    let running = runtime.send("/v1/chat/completions", &endless).await;
    runtime.until_load("stub", (1, 0)).await;
    let answer =
        tokio::time::timeout(Duration::from_secs(20), runtime.post("/v1/chat/completions", &ask("x"))).await;
    assert_eq!(answer.unwrap().0, 504);
    drop(running);
}

#[tokio::test]
async fn the_default_model_quotes_when_no_other_is_loaded() {
    let runtime = Runtime::start(|_| {}).await;
    let mut body = ask("x?");
    body["model"] = json!("default");
    let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!((status, answer["model"].as_str()), (200, Some("extractive")));
}
