//! The service through its own HTTP surface, with the internet played by a mock server.

#![allow(clippy::unwrap_used)]

mod farm;
mod labelled;
mod quality;
mod reading;
mod rules;
mod support;

use anwen_contract::ErrorCode;
use anwen_contract::client::Audience;
use anwen_contract::search::SearchRequest;
use anwen_platform::InternalTokens;
use anwen_search_proxy::{Config, build};
use serde_json::json;
use std::time::Duration;
use support::{Proxy, request};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Settings that search at `server` and may read pages from this machine.
fn config(server: &MockServer) -> Config {
    Config {
        upstream_url: Some(server.uri().parse().unwrap()),
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..Config::default()
    }
}

async fn searxng(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/search"))
        .and(query_param("format", "json"))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

fn results() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "query": "pump",
        "results": [
            {"url": "https://a.example/1#x", "title": "One", "content": "first", "engines": ["bing"], "score": 1.0},
            {"url": "https://b.example/2", "title": "Two", "content": "second", "engines": ["brave"], "score": 3.0,
             "publishedDate": "2026-01-02T00:00:00"},
            {"url": "javascript:alert(1)", "title": "Three", "engines": ["bing"], "score": 9.0}
        ],
        "suggestions": ["pumps"],
        "unresponsive_engines": [["google", "timeout"]]
    }))
}

#[tokio::test]
async fn without_an_upstream_every_call_says_that_web_search_is_off() {
    let proxy = Proxy::start(Config::default()).await;
    assert_eq!(proxy.search(request("pump")).await.unwrap_err().code, ErrorCode::WebSearchDisabled);
    assert_eq!(
        proxy.read("https://a.example/".to_owned()).await.unwrap_err().code,
        ErrorCode::WebSearchDisabled
    );
    let (status, body) = proxy.get("/search?q=pump&format=json", Some(Audience::SearchProxy)).await;
    assert_eq!((status, body["error"]["code"].as_str()), (403, Some("web_search_disabled")));
    assert_eq!(proxy.get("/readyz", None).await.0, 200);
}

#[tokio::test]
async fn calls_without_a_token_for_this_service_are_refused_and_reach_no_engine() {
    let server = MockServer::start().await;
    let proxy = Proxy::start(config(&server)).await;
    for audience in [None, Some(Audience::Knowledge)] {
        let (status, body) = proxy.get("/search?q=pump&format=json", audience).await;
        assert_eq!((status, body["error"]["code"].as_str()), (401, Some("unauthenticated")));
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    for path in ["/healthz", "/metrics"] {
        assert_eq!(proxy.get(path, None).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn a_search_answers_ordered_results_and_a_report_on_each_engine() {
    let server = searxng(results()).await;
    let proxy = Proxy::start(config(&server)).await;
    let answer = proxy.search(SearchRequest { top_k: Some(5), ..request("  pump ") }).await.unwrap();
    let urls: Vec<&str> =
        answer["results"].as_array().unwrap().iter().map(|hit| hit["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["https://b.example/2", "https://a.example/1"]);
    assert_eq!(answer["results"][0]["published_at"], "2026-01-02T00:00:00.000Z");
    assert_eq!(answer["engines"][0]["state"], "ok");
    assert_eq!(answer["engines"][1]["name"], "google");
    assert_eq!(answer["engines"][1]["state"], "timeout");
    let asked = &server.received_requests().await.unwrap()[0];
    assert_eq!(asked.url.query(), Some("q=pump&format=json&safesearch=1"));
    assert!(asked.headers.get("authorization").is_none(), "the internal token must not leave");
}

#[tokio::test]
async fn the_searxng_call_answers_in_its_shape() {
    let server = searxng(results()).await;
    let proxy = Proxy::start(config(&server)).await;
    let (status, answer) = proxy
        .get("/search?q=pump&format=json&language=en&categories=general", Some(Audience::SearchProxy))
        .await;
    assert_eq!(status, 200);
    assert_eq!(answer["query"], "pump");
    assert_eq!(answer["number_of_results"], 2);
    assert_eq!(answer["results"][0]["content"], "second");
    assert_eq!(answer["results"][0]["engine"], "brave");
    assert_eq!(answer["results"][0]["publishedDate"], "2026-01-02T00:00:00.000Z");
    assert_eq!(answer["unresponsive_engines"], json!([["google", "timeout"]]));
    assert_eq!(answer["suggestions"], json!(["pumps"]));
    let (status, _) = proxy.get("/search?q=pump", Some(Audience::SearchProxy)).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn wrong_requests_are_refused_before_any_engine_is_asked() {
    let server = searxng(results()).await;
    let proxy = Proxy::start(config(&server)).await;
    let wrong = [
        request("   "),
        request(&"x".repeat(513)),
        SearchRequest { time_range: Some("century".to_owned()), ..request("pump") },
    ];
    for request in wrong {
        assert_eq!(proxy.search(request).await.unwrap_err().code, ErrorCode::InvalidRequest);
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_engine_that_fails_is_said_to_be_unavailable_and_its_words_stay_inside() {
    let failures = [
        ResponseTemplate::new(500).set_body_string("secret stack trace"),
        ResponseTemplate::new(200).set_body_string("<html>not json"),
        ResponseTemplate::new(200)
            .set_body_string(format!("{{\"results\": [], \"x\": \"{}\"}}", "y".repeat(5000))),
        results().set_delay(Duration::from_secs(5)),
        ResponseTemplate::new(302).insert_header("location", "http://169.254.169.254/"),
    ];
    for failure in failures {
        let server = searxng(failure).await;
        let limits = Config { search_timeout_ms: 300, max_search_answer_bytes: 4096, ..config(&server) };
        let error = Proxy::start(limits).await.search(request("pump")).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::SearchUnavailable);
        assert!(!error.message.contains("secret"), "{}", error.message);
    }
}

#[tokio::test]
async fn readiness_sends_nothing_and_follows_what_searches_met() {
    let server = searxng(ResponseTemplate::new(429)).await;
    let proxy = Proxy::start(config(&server)).await;
    assert_eq!(proxy.get("/readyz", None).await.0, 200);
    assert!(server.received_requests().await.unwrap().is_empty(), "a probe must not speak to the outside");
    proxy.search(request("pump")).await.unwrap_err();
    let (status, body) = proxy.get("/readyz", None).await;
    assert_eq!((status, body["dependencies"]["search_engine"]["state"].as_str()), (503, Some("failed")));
}

/// A site with one article at `/article`, and pages that misbehave.
async fn site() -> MockServer {
    let server = MockServer::start().await;
    let paragraph = "<p>The impeller nut has a left-hand thread and is tightened to 210 newton metres with the special tool, \
                     and then the casing cover is fitted crosswise and the shaft is turned by hand.</p>";
    let article = format!(
        "<html><head><title>Seal change</title></head><body><article>{}</article></body></html>",
        paragraph.repeat(5)
    );
    let html = |body: String| ResponseTemplate::new(200).set_body_raw(body, "text/html; charset=utf-8");
    let to = |target: &str| ResponseTemplate::new(302).insert_header("location", target);
    let pages = [
        ("/article", html(article)),
        ("/moved", to("/article")),
        ("/loop", to("/loop")),
        ("/inward", to("http://169.254.169.254/latest/meta-data")),
        ("/named-inward", to("http://localhost.invalid/")),
        ("/to-file", to("file:///etc/passwd")),
        ("/huge", html("x".repeat(200_000))),
        ("/slow", html(String::new()).set_delay(Duration::from_secs(5))),
        ("/pdf", ResponseTemplate::new(200).set_body_raw("%PDF", "application/pdf")),
        ("/empty", html("<html><body></body></html>".to_owned())),
        ("/gone", ResponseTemplate::new(404)),
    ];
    for (place, answer) in pages {
        Mock::given(method("GET")).and(path(place)).respond_with(answer).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_page_is_read_where_its_redirect_leads() {
    let site = site().await;
    let proxy = Proxy::start(config(&site)).await;
    let answer = proxy.read(format!("{}/moved", site.uri())).await.unwrap();
    assert_eq!(answer["url"], format!("{}/article", site.uri()));
    assert_eq!(answer["title"], "Seal change");
    assert!(answer["text"].as_str().unwrap().contains("210 newton metres"));
}

#[tokio::test]
async fn pages_that_misbehave_fail_with_their_own_code() {
    let site = site().await;
    let limits = Config { read_timeout_ms: 800, max_page_bytes: 100_000, ..config(&site) };
    let proxy = Proxy::start(limits).await;
    let cases = [
        ("/loop", ErrorCode::PageUnreadable),
        ("/inward", ErrorCode::AddressRefused),
        ("/named-inward", ErrorCode::PageUnreadable),
        ("/to-file", ErrorCode::AddressRefused),
        ("/huge", ErrorCode::PageUnreadable),
        ("/slow", ErrorCode::DeadlineExceeded),
        ("/pdf", ErrorCode::PageUnreadable),
        ("/empty", ErrorCode::PageUnreadable),
        ("/gone", ErrorCode::PageUnreadable),
    ];
    for (place, code) in cases {
        let error = proxy.read(format!("{}{place}", site.uri())).await.unwrap_err();
        assert_eq!(error.code, code, "{place}: {}", error.message);
    }
}

#[tokio::test]
async fn addresses_off_the_public_internet_are_refused_by_number_and_by_name() {
    let site = site().await;
    let proxy = Proxy::start(Config { allowed_networks: Vec::new(), ..config(&site) }).await;
    let port = site.address().port();
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "[::ffff:127.0.0.1]"] {
        let error = proxy.read(format!("http://{host}:{port}/article")).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::AddressRefused, "{host}: {}", error.message);
    }
    for address in ["file:///etc/passwd", "no address", "http://user:word@a.example/"] {
        assert_eq!(
            proxy.read(address.to_owned()).await.unwrap_err().code,
            ErrorCode::AddressRefused,
            "{address}"
        );
    }
    assert!(site.received_requests().await.unwrap().is_empty(), "a refused address must not be connected to");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let wrong = [
        Config { upstream_url: Some("ftp://a.example/".parse().unwrap()), ..Config::default() },
        Config { max_results: 0, ..Config::default() },
        Config { concurrent_reads: 0, ..Config::default() },
    ];
    for config in wrong {
        let error = build(config, InternalTokens::new(&[7; 32]).unwrap()).err().unwrap();
        assert!(error.to_string().starts_with("search_proxy."), "{error}");
    }
}
