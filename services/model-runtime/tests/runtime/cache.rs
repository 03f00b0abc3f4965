//! Kept answers and embeddings over HTTP.

use anwen_model_runtime::Config;
use serde_json::{Value, json};

use crate::admission::{post_as, user};
use crate::support::{Runtime, content_of};

fn stub(config: &mut Config) {
    config.enable_stub = true;
}

fn ask(more: Value) -> Value {
    let mut body =
        json!({"model": "stub", "max_tokens": 5, "messages": [{"role": "user", "content": "count"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn the_second_of_two_equal_deterministic_requests_is_answered_from_the_cache() {
    let runtime = Runtime::start(stub).await;
    let body = ask(json!({"temperature": 0}));
    let (_, first) = runtime.post("/v1/chat/completions", &body).await;
    let (_, second) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(first["anwen"]["cached"], Value::Null);
    assert_eq!(second["anwen"]["cached"], true);
    assert_eq!(first["choices"], second["choices"]);
    assert_eq!(first["usage"], second["usage"]);
}

#[tokio::test]
async fn a_kept_answer_streams_in_both_interfaces() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask(json!({"temperature": 0}));
    let (_, whole) = runtime.post("/v1/chat/completions", &body).await;
    body["stream"] = json!(true);
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    assert_eq!(whole["choices"][0]["message"]["content"], content_of(&events));
    assert!(events.iter().any(|event| event.contains("\"cached\":true")), "{events:?}");
    let options = json!({"temperature": 0, "num_predict": 5});
    let body = json!({"model": "stub", "messages": body["messages"], "options": options});
    let _kept = runtime.stream_ollama("/api/chat", &body).await;
    let lines = runtime.stream_ollama("/api/chat", &body).await;
    assert_eq!(lines.last().unwrap()["anwen"]["cached"], true);
}

#[tokio::test]
async fn what_may_be_answered_otherwise_is_not_kept_unless_the_request_allows_it() {
    let runtime = Runtime::start(stub).await;
    for (body, headers, expected) in [
        (ask(json!({"temperature": 0.7})), vec![], Value::Null),
        (ask(json!({"temperature": 0.7})), vec![("x-anwen-cache", "on")], json!(true)),
        (ask(json!({"temperature": 0, "seed": 2})), vec![("x-anwen-cache", "off")], Value::Null),
        (ask(json!({"temperature": 0.7, "seed": 3})), vec![], json!(true)),
    ] {
        let mut answer = Value::Null;
        for _ in 0..2 {
            let response = post_as(&runtime, &user(), &headers, "/v1/chat/completions", &body).await;
            answer = response.json().await.unwrap();
        }
        assert_eq!(answer["anwen"]["cached"], expected, "{body} {headers:?}");
    }
}

#[tokio::test]
async fn a_failed_answer_is_not_kept() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.stub.scripts = vec![anwen_model_runtime::StubScript {
            contains: "count".into(),
            answer: "one two".into(),
            fails: true,
        }];
    })
    .await;
    for _ in 0..2 {
        assert_eq!(runtime.post("/v1/chat/completions", &ask(json!({"temperature": 0}))).await.0, 500);
    }
}

#[tokio::test]
async fn only_texts_that_are_new_are_embedded() {
    let runtime = Runtime::start(stub).await;
    let embed = |texts: Value| json!({"model": "stub", "input": texts});
    let (_, one) = runtime.post("/v1/embeddings", &embed(json!(["first text", "second"]))).await;
    let (_, two) = runtime.post("/v1/embeddings", &embed(json!(["third", "second", "first text"]))).await;
    assert_eq!(one["data"][0]["embedding"], two["data"][2]["embedding"]);
    assert_eq!(one["data"][1]["embedding"], two["data"][1]["embedding"]);
    let metrics = reqwest::get(runtime.url("/metrics")).await.unwrap().text().await.unwrap();
    let count = |outcome: &str| {
        let line = metrics.lines().find(|line| {
            line.starts_with("anwen_model_cache_lookups_total")
                && line.contains("kind=\"embedding\"")
                && line.contains(&format!("outcome=\"{outcome}\""))
        });
        line.and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
    };
    assert_eq!((count("hit"), count("miss")), (Some("2".to_owned()), Some("3".to_owned())), "{metrics}");
}
