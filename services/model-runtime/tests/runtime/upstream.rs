//! Models of other servers, against stand-ins that fail in every way that a server can.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anwen_model_runtime::Config;
use anwen_model_runtime::engine::upstream::{UpstreamModelSettings, UpstreamSettings};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::StreamExt as _;
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Runtime, content_of, read_until};

/// How a stand-in answers one request.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Says "well done" and ends as it should.
    Answer,
    /// An error of this status.
    Fail(u16),
    /// Says so many words, and closes the connection.
    CutAfter(usize),
    /// Says one word, and nothing more.
    HangAfterOne,
    /// Says nothing at all.
    Silent,
}

#[derive(Clone, Default)]
struct StandIn {
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    /// Told when a client leaves in the middle of an answer.
    left: Arc<Notify>,
}

struct TellsWhenDropped(Arc<Notify>);

impl Drop for TellsWhenDropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl StandIn {
    /// A server that acts so, request after request, and answers from then on.
    async fn start(acts: &[Act]) -> (Self, SocketAddr) {
        let server = Self { acts: Arc::new(Mutex::new(acts.iter().copied().collect())), ..Self::default() };
        let routes = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/embeddings", post(embed))
            .route("/v1/rerank", post(rerank))
            .route("/v1/models", get(|| async { Json(json!({"data": []})) }))
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (server, address)
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn event(chunk: &Value) -> Bytes {
    Bytes::from(format!("data: {chunk}\n\n"))
}

fn words() -> Vec<Bytes> {
    ["well ", "done"].map(|word| event(&json!({"choices": [{"delta": {"content": word}}]}))).to_vec()
}

fn ending() -> Vec<Bytes> {
    vec![
        event(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}]})),
        event(&json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}})),
        Bytes::from("data: [DONE]\n\n"),
    ]
}

async fn chat(State(server): State<StandIn>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    server.seen.lock().unwrap().push((headers, body));
    let act = server.acts.lock().unwrap().pop_front().unwrap_or(Act::Answer);
    let guard = TellsWhenDropped(Arc::clone(&server.left));
    let forever = stream::pending::<Result<Bytes, std::io::Error>>().map(move |part| {
        let _held = &guard;
        part
    });
    let sent = |parts: Vec<Bytes>| stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>));
    // Pending once before it: what was said until then is flushed.
    let cut = stream::once(async {
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut"))
    });
    let body = match act {
        Act::Answer => Body::from_stream(sent([words(), ending()].concat())),
        Act::Fail(status) => {
            let message = json!({"error": {"message": "the stand-in says no"}});
            return (StatusCode::from_u16(status).unwrap(), Json(message)).into_response();
        }
        Act::CutAfter(count) => Body::from_stream(sent(words()[..count].to_vec()).chain(cut)),
        Act::HangAfterOne => Body::from_stream(sent(words()[..1].to_vec()).chain(forever)),
        Act::Silent => Body::from_stream(forever),
    };
    body.into_response()
}

async fn embed(Json(body): Json<Value>) -> Json<Value> {
    let count = body["input"].as_array().unwrap().len();
    let data: Vec<Value> =
        (0..count).rev().map(|index| json!({"index": index, "embedding": [index, 1]})).collect();
    Json(json!({"data": data, "usage": {"prompt_tokens": 3}}))
}

async fn rerank(Json(body): Json<Value>) -> Json<Value> {
    let count = body["documents"].as_array().unwrap().len();
    let results: Vec<Value> =
        (0..count).map(|index| json!({"index": index, "relevance_score": index as f64 / 10.0})).collect();
    Json(json!({"results": results}))
}

fn upstream(addresses: &[SocketAddr], change: impl FnOnce(&mut UpstreamSettings)) -> UpstreamSettings {
    let can_all = UpstreamModelSettings {
        model: "Theirs/Large".into(),
        chat: true,
        embed: true,
        rerank: true,
        tools: true,
        context_tokens: 32_768,
        ..UpstreamModelSettings::default()
    };
    let mut settings = UpstreamSettings {
        name: "gpu".into(),
        base_urls: addresses.iter().map(|address| format!("http://{address}/v1")).collect(),
        models: [("large".to_owned(), can_all)].into(),
        probe_interval_ms: 0,
        ..UpstreamSettings::default()
    };
    change(&mut settings);
    settings
}

async fn runtime(settings: UpstreamSettings) -> Runtime {
    Runtime::start(|config: &mut Config| config.upstreams = vec![settings]).await
}

fn ask(stream: bool) -> Value {
    json!({"model": "large", "stream": stream, "messages": [{"role": "user", "content": "x"}]})
}

#[tokio::test]
async fn an_answer_comes_through_with_its_counts_under_the_name_that_it_has_here() {
    let (server, address) = StandIn::start(&[]).await;
    let runtime = runtime(upstream(&[address], |_| {})).await;
    let (status, answer) = runtime.post("/v1/chat/completions", &ask(false)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["choices"][0]["message"]["content"], "well done");
    assert_eq!((&answer["model"], &answer["usage"]["prompt_tokens"]), (&json!("large"), &json!(9)));
    assert_eq!(server.seen.lock().unwrap()[0].1["model"], "Theirs/Large");
    let events = runtime.stream_openai("/v1/chat/completions", &ask(true)).await;
    assert_eq!(content_of(&events), "well done");
}

#[tokio::test]
async fn it_is_listed_with_what_the_settings_say_that_it_can() {
    let (_, address) = StandIn::start(&[]).await;
    let runtime = runtime(upstream(&[address], |_| {})).await;
    let (_, listed) = runtime.get("/v1/models/large").await;
    let info = &listed["anwen"];
    assert_eq!((&info["engine"], &info["context_tokens"]), (&json!("upstream"), &json!(32_768)));
    assert_eq!(
        (&info["capabilities"]["tools"], &info["capabilities"]["vision"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn embeddings_and_relevances_come_in_the_order_of_the_inputs() {
    let (_, address) = StandIn::start(&[]).await;
    let runtime = runtime(upstream(&[address], |_| {})).await;
    let body = json!({"model": "large", "input": ["a", "b"]});
    let (_, answer) = runtime.post("/v1/embeddings", &body).await;
    assert_eq!(answer["data"][1]["embedding"], json!([1.0, 1.0]), "{answer}");
    let body = json!({"model": "large", "query": "q", "documents": ["a", "b", "c"]});
    let (_, answer) = runtime.post("/v1/rerank", &body).await;
    assert_eq!(answer["results"][0]["index"], 2, "{answer}");
}

#[tokio::test]
async fn another_replica_answers_when_one_fails_before_its_first_word() {
    for act in [Act::Fail(500), Act::Fail(429), Act::CutAfter(0), Act::Silent] {
        let (bad, bad_address) = StandIn::start(&[act, act]).await;
        let (good, good_address) = StandIn::start(&[]).await;
        let settings = upstream(&[bad_address, good_address], |settings| {
            settings.first_token_timeout_ms = 300;
            settings.breaker_failures = 100;
        });
        let runtime = runtime(settings).await;
        // Equal load: they take turns, so that one of two requests meets the bad one first.
        for _ in 0..2 {
            let (status, answer) = runtime.post("/v1/chat/completions", &ask(false)).await;
            assert_eq!(answer["choices"][0]["message"]["content"], "well done", "{act:?} {status} {answer}");
        }
        assert!(bad.requests() >= 1 && good.requests() == 2, "{act:?}");
    }
}

#[tokio::test]
async fn an_answer_that_has_begun_is_never_asked_for_again() {
    let (server, address) = StandIn::start(&[Act::CutAfter(1)]).await;
    let runtime = runtime(upstream(&[address], |_| {})).await;
    let events = runtime.stream_openai("/v1/chat/completions", &ask(true)).await;
    assert_eq!(content_of(&events), "well ");
    assert!(events.iter().any(|event| event.contains("generation_failed")), "{events:?}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_request_that_the_server_refuses_is_not_tried_elsewhere() {
    let (first, one) = StandIn::start(&[Act::Fail(400)]).await;
    let (second, two) = StandIn::start(&[Act::Fail(400)]).await;
    let runtime = runtime(upstream(&[one, two], |_| {})).await;
    let (status, body) = runtime.post("/v1/chat/completions", &ask(false)).await;
    assert_eq!(status, 400);
    assert!(body["error"]["message"].as_str().unwrap().contains("the stand-in says no"), "{body}");
    assert_eq!(first.requests() + second.requests(), 1);
}

#[tokio::test]
async fn a_replica_that_keeps_failing_is_left_alone_until_a_probe_finds_it_well() {
    let (server, address) = StandIn::start(&[Act::Fail(500), Act::Fail(500)]).await;
    let settings = upstream(&[address], |settings| {
        settings.attempts = 2;
        settings.breaker_failures = 2;
    });
    let runtime = runtime(settings).await;
    let state = async || runtime.get("/admin/models").await.1["upstreams"][0]["state"].clone();
    for _ in 0..2 {
        let (status, body) = runtime.post("/v1/chat/completions", &ask(false)).await;
        assert_eq!((status, body["error"]["code"].as_str()), (503, Some("service_unavailable")), "{body}");
    }
    assert_eq!((server.requests(), state().await), (2, json!("down")));
    runtime.registry.upstreams()[0].probe().await;
    assert_eq!(state().await, "ok");
    assert_eq!(runtime.post("/v1/chat/completions", &ask(false)).await.0, 200);
}

#[tokio::test]
async fn the_replica_with_fewer_requests_is_asked() {
    let (first, one) = StandIn::start(&[Act::HangAfterOne]).await;
    let (second, two) = StandIn::start(&[Act::HangAfterOne]).await;
    let runtime = runtime(upstream(&[one, two], |_| {})).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let response = runtime.send("/v1/chat/completions", &ask(true)).await;
        held.push(read_until(response, "well").await.0);
    }
    assert_eq!((first.requests(), second.requests()), (1, 1));
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_request_there_too() {
    let (server, address) = StandIn::start(&[Act::HangAfterOne]).await;
    let runtime = runtime(upstream(&[address], |_| {})).await;
    let response = runtime.send("/v1/chat/completions", &ask(true)).await;
    let (response, _) = read_until(response, "well").await;
    drop(response);
    runtime.until_load("large", (0, 0)).await;
    tokio::time::timeout(std::time::Duration::from_secs(20), server.left.notified()).await.unwrap();
}

#[tokio::test]
async fn the_key_goes_to_the_server_and_nowhere_else() {
    let (server, address) = StandIn::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "secret-key-1\n").unwrap();
    let runtime = runtime(upstream(&[address], |settings| settings.api_key_file = Some(file))).await;
    assert_eq!(runtime.post("/v1/chat/completions", &ask(false)).await.0, 200);
    assert_eq!(server.seen.lock().unwrap()[0].0["authorization"], "Bearer secret-key-1");
    for path in ["/admin/models", "/v1/models"] {
        assert!(!runtime.get(path).await.1.to_string().contains("secret-key-1"), "{path}");
    }
}

#[tokio::test]
async fn a_server_without_its_key_or_address_is_left_out_and_the_others_run() {
    let (_, address) = StandIn::start(&[]).await;
    let mut config = vec![
        upstream(&[address], |settings| settings.api_key_env = "ANWEN_TEST_NO_SUCH_KEY".into()),
        upstream(&[], |_| {}),
    ];
    config.push(upstream(&[address], |_| {}));
    let runtime = Runtime::start(|settings| settings.upstreams = config).await;
    assert_eq!(runtime.post("/v1/chat/completions", &ask(false)).await.0, 200);
    assert_eq!(runtime.registry.upstreams().len(), 1);
}
