//! What can be watched.

use serde_json::json;

use crate::support::Runtime;

#[tokio::test]
async fn a_generation_shows_in_histograms_whose_buckets_fit() {
    let runtime = Runtime::start(|config| {
        config.enable_stub = true;
        config.stub.token_delay_ms = 1;
    })
    .await;
    let body = json!({"model": "stub", "max_tokens": 4, "messages": [{"role": "user", "content": "count"}]});
    assert_eq!(runtime.post("/v1/chat/completions", &body).await.0, 200);
    let text = reqwest::get(runtime.url("/metrics")).await.unwrap().text().await.unwrap();
    for wanted in [
        "anwen_model_requests_total{model=\"stub\",kind=\"chat\"} 1",
        "anwen_model_prompt_tokens_total{model=\"stub\"} 1",
        "anwen_model_completion_tokens_total{model=\"stub\"} 4",
        "anwen_model_time_to_first_token_seconds_bucket{model=\"stub\",le=\"120\"} 1",
        "anwen_model_inter_token_seconds_count{model=\"stub\"} 3",
        "anwen_model_tokens_per_second_bucket{model=\"stub\",le=\"1000\"} 1",
        "anwen_model_completion_tokens_bucket{model=\"stub\",le=\"8\"} 1",
        "anwen_model_queue_wait_seconds_bucket{model=\"stub\",priority=\"interactive\",le=\"300\"} 1",
        "anwen_model_generation_duration_seconds_bucket{model=\"stub\",le=\"1800\"} 1",
        "anwen_model_running_requests{model=\"stub\"} 0",
        "anwen_model_waiting_requests{model=\"stub\"} 0",
    ] {
        assert!(text.lines().any(|line| line == wanted), "{wanted} is not in\n{text}");
    }
}

#[tokio::test]
async fn failures_are_counted_by_model_and_code() {
    let runtime = Runtime::start(|config| {
        config.enable_stub = true;
        config.stub.scripts = vec![anwen_model_runtime::StubScript {
            contains: "fail".into(),
            answer: "so far".into(),
            fails: true,
        }];
    })
    .await;
    let body = json!({"model": "stub", "messages": [{"role": "user", "content": "fail"}]});
    assert_eq!(runtime.post("/v1/chat/completions", &body).await.0, 500);
    let text = reqwest::get(runtime.url("/metrics")).await.unwrap().text().await.unwrap();
    let wanted = "anwen_model_generation_failures_total{model=\"stub\",code=\"generation_failed\"} 1";
    assert!(text.lines().any(|line| line == wanted), "{text}");
}
