//! Who waits for whom, who is refused, and what becomes of waiting requests when somebody goes.

use anwen_contract::client::{Audience, TokenSource as _};
use anwen_contract::{Asker, UserId};
use anwen_model_runtime::Config;
use serde_json::{Value, json};

use crate::support::{Runtime, read_until};

/// Longer than any test: what holds it is dropped.
const FOR_EVER_MS: u64 = 3_600_000;

/// A model that answers one request at a time, and none by itself.
fn held(config: &mut Config) {
    config.enable_stub = true;
    config.stub.concurrency = 1;
    config.stub.first_token_delay_ms = FOR_EVER_MS;
}

pub fn user() -> Asker {
    Asker { user_id: UserId::new(), groups: Vec::new(), is_admin: false, only_knowledge_bases: None }
}

pub async fn post_as(
    runtime: &Runtime,
    asker: &Asker,
    headers: &[(&str, &str)],
    path: &str,
    body: &Value,
) -> reqwest::Response {
    let token = runtime.tokens.bearer(asker, Audience::ModelRuntime).unwrap();
    let mut request = reqwest::Client::new().post(runtime.url(path)).bearer_auth(token).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn ask(runtime: &Runtime, asker: &Asker, headers: &[(&str, &str)], stream: bool) -> reqwest::Response {
    let messages = json!([{"role": "user", "content": "x"}]);
    let body = json!({"model": "stub", "stream": stream, "messages": messages});
    post_as(runtime, asker, headers, "/v1/chat/completions", &body).await
}

/// A streamed request that has heard its position.
async fn waiting_at(
    runtime: &Runtime,
    asker: &Asker,
    headers: &[(&str, &str)],
    at: u32,
) -> reqwest::Response {
    let response = ask(runtime, asker, headers, true).await;
    read_until(response, &format!("\"queue_position\":{at}")).await.0
}

#[tokio::test]
async fn one_request_passes_the_many_of_another_user() {
    let runtime = Runtime::start(held).await;
    let (many, one) = (user(), user());
    let _running = ask(&runtime, &many, &[], true).await;
    let mut waiting = Vec::new();
    for place in 0..10 {
        waiting.push(waiting_at(&runtime, &many, &[], place).await);
    }
    let _passes = waiting_at(&runtime, &one, &[], 1).await;
}

#[tokio::test]
async fn people_go_before_batches() {
    let runtime = Runtime::start(held).await;
    let _running = ask(&runtime, &user(), &[], true).await;
    let _batch = waiting_at(&runtime, &user(), &[("x-anwen-priority", "batch")], 0).await;
    let _person = waiting_at(&runtime, &user(), &[], 0).await;
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_again() {
    let runtime = Runtime::start(|config| {
        held(config);
        config.queue_capacity = 0;
    })
    .await;
    let _running = ask(&runtime, &user(), &[], true).await;
    let refused = ask(&runtime, &user(), &[], true).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "model_busy");
}

#[tokio::test]
async fn a_user_whose_share_is_used_is_told_apart_from_a_full_queue() {
    let runtime = Runtime::start(|config| {
        held(config);
        config.queue_capacity_per_user = 1;
    })
    .await;
    let greedy = user();
    let _running = ask(&runtime, &greedy, &[], true).await;
    let _waiting = waiting_at(&runtime, &greedy, &[], 0).await;
    let refused = ask(&runtime, &greedy, &[], true).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "10");
    let _other = waiting_at(&runtime, &user(), &[], 1).await;
}

#[tokio::test]
async fn a_request_waits_no_longer_than_it_says() {
    let runtime = Runtime::start(held).await;
    let _running = ask(&runtime, &user(), &[], true).await;
    let late = ask(&runtime, &user(), &[("x-anwen-deadline-ms", "20")], false).await;
    assert_eq!(late.status(), 504);
    assert_eq!(runtime.load_of("stub"), (1, 0));
}

#[tokio::test]
async fn a_client_that_leaves_frees_what_it_held() {
    let runtime = Runtime::start(held).await;
    let running = ask(&runtime, &user(), &[], true).await;
    let waiting = waiting_at(&runtime, &user(), &[], 0).await;
    drop(waiting);
    runtime.until_load("stub", (1, 0)).await;
    drop(running);
    runtime.until_load("stub", (0, 0)).await;
}

#[tokio::test]
async fn a_server_that_goes_down_refuses_new_requests_and_ends_running_ones() {
    let runtime = Runtime::start(|config| {
        held(config);
        config.stub.first_token_delay_ms = 0;
        config.stub.token_delay_ms = 20;
        config.stub.tokens = 10;
    })
    .await;
    let (running, _) = read_until(ask(&runtime, &user(), &[], true).await, "alpha").await;
    let waiting = waiting_at(&runtime, &user(), &[], 0).await;
    runtime.registry.close();
    let (_, told) = read_until(waiting, "[DONE]").await;
    assert!(told.contains("service_unavailable"), "{told}");
    let refused = ask(&runtime, &user(), &[], true).await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    let (_, rest) = read_until(running, "[DONE]").await;
    assert!(rest.contains("\"finish_reason\":\"stop\""), "{rest}");
    runtime.registry.drained().await;
}

#[tokio::test]
async fn a_header_that_means_nothing_is_an_error_in_the_surfaces_envelope() {
    let runtime = Runtime::start(held).await;
    let refused = ask(&runtime, &user(), &[("x-anwen-priority", "urgent")], true).await;
    assert_eq!(refused.status(), 400);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["type"], "invalid_request_error");
}
