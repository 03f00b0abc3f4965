//! Virtual models over HTTP.

use anwen_model_runtime::Config;
use anwen_model_runtime::routing::{Class, Conditions, RouteSettings, RuleSettings};
use serde_json::{Value, json};

use crate::support::Runtime;

fn routes(config: &mut Config) {
    config.enable_stub = true;
    let rule = |name: &str, when: Conditions| RuleSettings { name: name.into(), when, model: "stub".into() };
    config.routes = vec![RouteSettings {
        name: "auto".into(),
        rules: vec![
            rule("talk", Conditions { class: Some(Class::SmallTalk), ..Conditions::default() }),
            rule(
                "accounts",
                Conditions {
                    examples: vec!["How do I reset my password?".into()],
                    nearness: Some(0.5),
                    ..Conditions::default()
                },
            ),
        ],
        default: "extractive".into(),
    }];
}

async fn answer(runtime: &Runtime, question: &str) -> Value {
    let documents = json!([{"n": 1, "text": "The canteen opens at noon. It closes at two."}]);
    let messages = json!([{"role": "user", "content": question}]);
    let mut body = json!({"model": "auto", "messages": messages});
    if question.contains("canteen") {
        body["documents"] = documents;
    }
    let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

#[tokio::test]
async fn the_rule_that_holds_chooses_the_model_and_the_answer_says_why() {
    let runtime = Runtime::start(routes).await;
    for (question, model, rule) in [
        ("Hello!", "stub", "talk"),
        ("I forgot my password, how can I reset it?", "stub", "accounts"),
        ("When does the canteen open?", "extractive", "default"),
    ] {
        let answer = answer(&runtime, question).await;
        let routed = &answer["anwen"]["routed"];
        assert_eq!((&answer["model"], &routed["rule"]), (&json!(model), &json!(rule)), "{answer}");
        assert!(routed["why"].as_str().is_some_and(|why| !why.is_empty()));
    }
}

#[tokio::test]
async fn a_virtual_model_is_listed_and_the_last_line_of_a_stream_says_who_answered() {
    let runtime = Runtime::start(routes).await;
    assert_eq!(runtime.get("/v1/models/auto").await.1["anwen"]["engine"], "route");
    let body = json!({"model": "auto:latest", "messages": [{"role": "user", "content": "Hi"}]});
    let lines = runtime.stream_ollama("/api/chat", &body).await;
    assert_eq!(lines.last().unwrap()["anwen"]["routed"]["model"], "stub");
}
