//! Who is let in.

use serde_json::{Value, json};

use crate::support::Runtime;

#[tokio::test]
async fn loopback_clients_need_no_token_where_the_settings_say_so() {
    let runtime = Runtime::start(|_| {}).await;
    let answer = reqwest::get(runtime.url("/api/tags")).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn without_that_setting_a_token_is_needed_on_every_surface() {
    let runtime = Runtime::start(|config| config.allow_loopback_clients = false).await;
    for path in ["/api/tags", "/v1/models", "/admin/models", "/"] {
        let answer = reqwest::get(runtime.url(path)).await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
    assert_eq!(runtime.get("/v1/models").await.0, 200);
    assert_eq!(reqwest::get(runtime.url("/healthz")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn refusals_come_in_the_envelope_of_their_surface() {
    let runtime = Runtime::start(|config| config.allow_loopback_clients = false).await;
    let body = |path: &str| {
        let url = runtime.url(path);
        async move { reqwest::get(url).await.unwrap().json::<Value>().await.unwrap() }
    };
    assert!(body("/api/tags").await["error"].is_string());
    assert_eq!(body("/v1/models").await["error"]["type"], "authentication_error");
    assert_eq!(body("/admin/models").await["error"]["code"], "unauthenticated");
}

#[tokio::test]
async fn a_web_page_on_this_machine_is_not_let_in() {
    let runtime = Runtime::start(|_| {}).await;
    let request =
        reqwest::Client::new().post(runtime.url("/api/generate")).header("origin", "https://page.example");
    let answer = request.json(&json!({"model": "extractive", "prompt": "x"})).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused() {
    let runtime = Runtime::start(|config| config.max_body_bytes = 100).await;
    let (status, body) =
        runtime.post("/v1/embeddings", &json!({"model": "embedding", "input": "x".repeat(200)})).await;
    assert_eq!((status, body["error"]["code"].as_str()), (413, Some("body_too_large")));
}
