//! What an operator watches: the metrics that dashboards, alert rules and autoscalers name are exported, and one question
//! is one trace through the services.

use crate::harness::{Anwen, root};
use anwen_contract::chat::{AnswerEvent, Outcome};
use anwen_platform::telemetry::{self, LogFormat, LogSettings};
use anwen_platform::trace::TraceSettings;
use regex::Regex;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const MANUAL: &str = "# Pump manual\n\n## Fault codes\n\nFault code E-204 means that the coolant pressure is too low. \
    Check the inlet valve and refill the coolant before the next start.\n";
/// Metrics that need what a test of the healthy system does not make: a failure, a large model, a slow engine. For them
/// the source has to show where they are measured.
const OF_RARE_EVENTS: [&str; 10] = [
    "anwen_model_cancelled_total",
    "anwen_model_failures_total",
    "anwen_model_generation_failures_total",
    "anwen_model_load_duration_seconds",
    "anwen_model_memory_bytes",
    "anwen_search_blocked_total",
    "anwen_search_hedged_total",
    "anwen_search_pages_read_total",
    "anwen_trace_spans_dropped_total",
    "anwen_model_cached_prompt_tokens_total",
];
/// What other programs export.
const OF_OTHERS: [&str; 2] = ["up", "probe_ssl_earliest_cert_expiry"];
/// The most time that something which happens in the background may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// Every metric that monitoring/ and the autoscalers name, without the endings of histograms.
fn named_metrics() -> BTreeSet<String> {
    let monitoring = root().join("monitoring");
    let mut texts = vec![std::fs::read_to_string(monitoring.join("rules.yaml")).unwrap()];
    texts.push(std::fs::read_to_string(monitoring.join("prometheus-adapter.yaml")).unwrap());
    for entry in std::fs::read_dir(monitoring.join("dashboards")).unwrap() {
        texts.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let name = Regex::new(r"\b((?:anwen|process|probe)_[a-z0-9_]+)\b").unwrap();
    // What the adapter makes of metrics are names of its own.
    let made = Regex::new(r"name: \{as: ([a-z_]+)\}").unwrap();
    let made: BTreeSet<String> =
        texts.iter().flat_map(|text| made.captures_iter(text)).map(|found| found[1].to_owned()).collect();
    let found = texts.iter().flat_map(|text| name.captures_iter(text)).map(|found| found[1].to_owned());
    found
        .filter(|name| !made.contains(name))
        .map(|name| name.strip_suffix("_bucket").unwrap_or(&name).to_owned())
        .collect()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The names that a scrape tells.
async fn exported(anwen: &Anwen) -> BTreeSet<String> {
    let answer = client().get(format!("{}/metrics", anwen.base_url())).send().await.unwrap();
    let text = answer.text().await.unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

/// The text of every source file below a folder.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

async fn search_engine() -> MockServer {
    let server = MockServer::start().await;
    let answer = json!({"query": "x", "results": [
        {"url": "https://pumps.example/e204", "title": "Fault code E-204", "content": "Coolant pressure is too low."}
    ]});
    Mock::given(method("GET"))
        .and(path("/search"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(&server)
        .await;
    server
}

/// Uses everything once.
async fn use_everything(anwen: &Anwen) {
    let person = anwen.administrator().await;
    let answering = json!({"default_model": null, "web_search": true, "instructions": ""});
    person.put("/settings/answering", &answering).await.expect_success();
    let base = person.make_base("Manuals").await;
    assert_eq!(person.add(&base, "manual.md", MANUAL.into()).await["status"], "indexed");
    let chat =
        person.post("/chats", &json!({"knowledge_base_ids": [base], "model": "stub"})).await.expect_success();
    let asked = format!("/chats/{}/messages", chat["id"].as_str().unwrap());
    for web_search in [false, true] {
        let question =
            json!({"content": "What does fault code E-204 mean?", "model": "stub", "web_search": web_search});
        let events = crate::harness::read_events(&person.post(&asked, &question).await.bytes);
        assert!(
            matches!(events.last(), Some(AnswerEvent::Done { outcome, .. }) if *outcome != Outcome::NotFound),
            "{events:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_dashboards_rules_and_scalers_name_is_exported() {
    let engine = search_engine().await;
    let upstream = format!("{}/", engine.uri());
    let anwen = Anwen::start_with(&[
        ("ANWEN__MODEL_RUNTIME__ENABLE_STUB", "true"),
        ("ANWEN__SEARCH_PROXY__UPSTREAM_URL", &upstream),
        ("ANWEN__KNOWLEDGE__COLLECTOR__INTERVAL_MS", "500"),
    ])
    .await;
    use_everything(&anwen).await;
    let traces = ["anwen_trace_spans_sent_total"];
    let wanted: BTreeSet<String> = named_metrics()
        .into_iter()
        .filter(|name| ![&OF_RARE_EVENTS[..], &OF_OTHERS, &traces].concat().contains(&name.as_str()))
        .collect();
    assert!(wanted.len() > 30, "the files could not be read: {wanted:?}");
    let started = Instant::now();
    loop {
        let missing: Vec<_> = wanted.difference(&exported(&anwen).await).cloned().collect();
        if missing.is_empty() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "named, and not exported: {missing:?}");
        tokio::time::sleep(POLL).await;
    }
    anwen.stop().await;
}

#[test]
fn a_metric_of_a_rare_event_is_measured_somewhere() {
    let mut text = String::new();
    for folder in ["crates", "services"] {
        sources(&root().join(folder), &mut text);
    }
    for name in OF_RARE_EVENTS {
        let measured = Regex::new(&format!(r#"(counter|gauge|histogram)!\(\s*"{name}""#)).unwrap();
        assert!(measured.is_match(&text), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_not_told_through_a_proxy() {
    let anwen = Anwen::start().await;
    let url = format!("{}/metrics", anwen.base_url());
    let direct = client().get(&url).send().await.unwrap();
    assert_eq!(direct.status(), StatusCode::OK);
    let forwarded = client().get(&url).header("x-forwarded-for", "198.51.100.7").send().await.unwrap();
    assert_eq!(forwarded.status(), StatusCode::NOT_FOUND);
    anwen.stop().await;
}

/// The spans that a collector has got: by trace, the services and the names of their spans.
async fn traces(collector: &MockServer) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut traces: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for request in collector.received_requests().await.unwrap() {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        for resource in body["resourceSpans"].as_array().unwrap() {
            let service = resource["resource"]["attributes"][0]["value"]["stringValue"].as_str().unwrap();
            for span in resource["scopeSpans"][0]["spans"].as_array().unwrap() {
                let name = span["name"].as_str().unwrap().to_owned();
                let trace = span["traceId"].as_str().unwrap().to_owned();
                traces.entry(trace).or_default().insert((service.to_owned(), name));
            }
        }
    }
    traces
}

#[tokio::test(flavor = "multi_thread")]
async fn one_question_is_one_trace_through_web_knowledge_and_the_model_runtime() {
    let collector = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/traces"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .mount(&collector)
        .await;
    let settings = TraceSettings {
        otlp_url: Some(collector.uri().parse().unwrap()),
        interval_ms: 100,
        ..TraceSettings::default()
    };
    let logs = LogSettings { level: "error".to_owned(), format: LogFormat::Text };
    // Each test has a process of its own, so that the subscriber is this test's.
    telemetry::init_logs(&logs, &settings).unwrap();
    let anwen = Anwen::start_with(&[("ANWEN__MODEL_RUNTIME__ENABLE_STUB", "true")]).await;
    let person = anwen.administrator().await;
    let base = person.make_base("Manuals").await;
    person.add(&base, "manual.md", MANUAL.into()).await;
    let chat =
        person.post("/chats", &json!({"knowledge_base_ids": [base], "model": "stub"})).await.expect_success();
    let asked = format!("/chats/{}/messages", chat["id"].as_str().unwrap());
    person.post(&asked, &json!({"content": "What does fault code E-204 mean?"})).await;

    let started = Instant::now();
    loop {
        let traces = traces(&collector).await;
        let question = traces.values().find(|spans| {
            spans.contains(&("anwen-web".to_owned(), "answer".to_owned()))
                && ["anwen-web", "anwen-knowledge", "anwen-model-runtime"]
                    .iter()
                    .all(|service| spans.iter().any(|(of, _)| of == service))
        });
        if let Some(spans) = question {
            let has = |service: &str, name: &str| spans.contains(&(service.to_owned(), name.to_owned()));
            assert!(has("anwen-web", "POST /api/v1/chats/{id}/messages"), "{spans:#?}");
            assert!(has("anwen-model-runtime", "generate"), "{spans:#?}");
            break;
        }
        assert!(started.elapsed() < PATIENCE, "no trace through all three: {traces:#?}");
        tokio::time::sleep(POLL).await;
    }
    anwen.stop().await;
}
