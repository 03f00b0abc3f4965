//! The models of the runtime: asked by whoever may, changed by administrators.

use super::fakes::{ending, language_model, piece, quoting_model};
use super::world::{Client, World};
use crate::Config;
use crate::config::LimitsConfig;
use axum::body::{Body, Bytes};
use http::{Method, StatusCode};
use serde_json::{Value, json};

async fn with_key(client: &Client, scope: &str) -> Client {
    client.with_key(&client.new_key(json!({"name": "x", "scopes": [scope]})).await.secret)
}

#[tokio::test]
async fn bodies_pass_to_the_runtime_as_they_are_and_each_call_is_kept_in_the_log() {
    let world = World::new().await;
    let admin = world.admin().await;
    let client = with_key(&admin, "read").await;
    let calls = [
        ("/v1/completions", json!({"model": "small", "prompt": [1, 2], "echo": true})),
        (
            "/v1/embeddings",
            json!({"model": "small", "input": [[1, 2]], "dimensions": 8, "encoding_format": "base64"}),
        ),
        ("/v1/rerank", json!({"model": "small", "query": "q", "documents": ["a"], "top_n": 1})),
        (
            "/ollama/api/chat",
            json!({"model": "small", "think": true, "messages": [{"role": "user", "images": ["aGk="]}]}),
        ),
        ("/ollama/api/generate", json!({"model": "small", "prompt": "hi"})),
        ("/ollama/api/embed", json!({"model": "small", "input": "hi"})),
        ("/ollama/api/embeddings", json!({"model": "small", "prompt": "hi"})),
    ];
    for (path, body) in &calls {
        let inner = path.trim_start_matches("/ollama");
        world.model.answers(&format!("POST {inner}"), StatusCode::OK, format!("{{\"from\":\"{inner}\"}}"));
        let answer = client.post(path, body.clone()).await;
        assert_eq!((answer.status, answer.value()), (StatusCode::OK, json!({"from": inner})));
        assert_eq!(answer.headers["x-accel-buffering"], "no");
        let (line, sent) = world.model.calls.lock().unwrap().pop().unwrap();
        assert_eq!(line, format!("POST {inner}"));
        assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap(), *body);
    }
    let kept = admin.get("/audit?action=model.asked").await.value();
    assert_eq!(kept["items"].as_array().map(Vec::len), Some(calls.len()));
    assert_eq!(kept["items"][0]["object"], "model:small");
}

#[tokio::test]
async fn a_stream_comes_as_it_is_written_and_ends_when_its_reader_leaves() {
    let world = World::new().await;
    let client = with_key(&world.admin().await, "read").await;
    world.model.says(vec![piece("one"), piece("two"), ending(None)]);
    world.model.hold();
    let body = json!({"model": "small", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let asking = client.stream(Method::POST, "/v1/chat/completions", Some(body));
    world.model.let_out(1);
    let mut answer = asking.await;
    let first = answer.piece().await.unwrap();
    assert!(first.contains("one") && !first.contains("two"), "{first}");
    assert_eq!(world.model.ended.available_permits(), 0);
    drop(answer);
    world.model.ended.acquire().await.unwrap().forget();
    assert_eq!(world.model.pieces.available_permits(), 0, "the rest was never written");
}

#[tokio::test]
async fn an_error_of_the_runtime_keeps_its_status_and_its_envelope() {
    let world = World::new().await;
    let client = with_key(&world.admin().await, "read").await;
    let envelope = r#"{"error":{"message":"the queue is full","type":"server_error","code":"model_busy"}}"#;
    world.model.answers("POST /v1/completions", StatusCode::SERVICE_UNAVAILABLE, envelope);
    let busy = client.post("/v1/completions", json!({"model": "small"})).await;
    assert_eq!((busy.status, busy.text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, envelope));
    world.model.answers("POST /api/show", StatusCode::UNAUTHORIZED, r#"{"error":"no token"}"#);
    let ours = client.post("/ollama/api/show", json!({"model": "small"})).await;
    assert_eq!(ours.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", ours.text);
}

#[tokio::test]
async fn a_model_that_is_kept_for_a_group_is_not_there_for_others() {
    let world = World::new().await;
    let admin = world.admin().await;
    *world.model.models.lock().unwrap() = json!([quoting_model(), language_model()]);
    let group = admin.post("/groups", json!({"name": "Legal"})).await.value()["id"].clone();
    let rules = json!({"restricted": [{"model": "small", "groups": [group]}]});
    assert_eq!(admin.put("/settings/models", rules.clone()).await.value(), rules);
    let (li, user) = world.user(&admin, "li").await;
    let client = with_key(&li, "read").await;
    world.model.answers(
        "GET /api/tags",
        StatusCode::OK,
        json!({"models": [{"name": "small:latest"}, {"name": "extractive:latest"}]}).to_string(),
    );

    assert!(!client.get("/v1/models").await.text.contains("small"));
    assert!(!client.get("/models").await.text.contains("small"));
    assert!(!client.get("/ollama/api/tags").await.text.contains("small"));
    assert_eq!(client.get("/v1/models/small").await.status, StatusCode::NOT_FOUND);
    for model in ["small", "SMALL:latest", "an-alias", ""] {
        for path in ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"] {
            let refused = client.post(path, json!({"model": model, "messages": []})).await;
            assert_eq!(refused.code(), "model_not_found", "{path} {model}");
        }
        for call in ["chat", "generate", "embed", "embeddings", "show"] {
            let refused = client.post(&format!("/ollama/api/{call}"), json!({"model": model})).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{call} {model}");
        }
    }
    let chat = li.new_chat().await;
    let asked = li.post(&format!("/chats/{chat}/messages"), json!({"content": "hi", "model": "small"})).await;
    assert_eq!(asked.code(), "model_not_found");
    assert_eq!(world.model.lines(), ["GET /api/tags"], "nothing else has reached the runtime");

    admin.put(&format!("/groups/{}/members/{}", group.as_str().unwrap(), user.id), json!({})).await;
    assert!(client.get("/v1/models").await.text.contains("small"));
    assert_eq!(client.post("/v1/rerank", json!({"model": "small"})).await.status, StatusCode::OK);
    let admins = with_key(&admin, "read").await;
    assert_eq!(admins.post("/v1/rerank", json!({"model": "small"})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn which_models_there_are_is_changed_by_administrators_alone() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (li, _) = world.user(&admin, "li").await;
    let digest = format!("sha256:{}", "ab".repeat(32));
    let blob = format!("/ollama/api/blobs/{digest}");
    let calls = [
        (Method::POST, "/ollama/api/pull", "POST /api/pull"),
        (Method::POST, "/ollama/api/create", "POST /api/create"),
        (Method::POST, "/ollama/api/copy", "POST /api/copy"),
        (Method::DELETE, "/ollama/api/delete", "DELETE /api/delete"),
        (Method::POST, blob.as_str(), "POST /api/blobs/sha256%3Aabab"),
        (Method::HEAD, blob.as_str(), "HEAD /api/blobs/sha256%3Aabab"),
    ];
    let (stranger, weak) = (with_key(&li, "write").await, with_key(&admin, "write").await);
    let strong = with_key(&admin, "admin").await;
    for (method, path, inner) in calls {
        for refused in [&stranger, &weak] {
            let answer = refused.call(method.clone(), path, Some(json!({"model": "x"}))).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
        }
        assert_eq!(world.model.lines(), Vec::<String>::new());
        let answer = strong.call(method.clone(), path, Some(json!({"model": "x"}))).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}: {}", answer.text);
        let (line, _) = world.model.calls.lock().unwrap().pop().unwrap();
        assert!(line.starts_with(inner), "{line}");
    }
    let kept = admin.get("/audit?action=model").await.value();
    let actions: Vec<&str> =
        kept["items"].as_array().unwrap().iter().map(|item| item["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["model.file_sent", "model.deleted", "model.copied", "model.created", "model.pulled"]
    );
}

#[tokio::test]
async fn administrators_see_the_runtimes_models_and_act_on_them() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mut model = language_model();
    model["memory_bytes"] = json!(1_000);
    model["queue"] = json!({"running": 1, "waiting": 2, "capacity": 64});
    *world.model.models.lock().unwrap() = json!([model]);
    let details = json!({"quantization_level": "Q4_K_M", "parameter_size": "0.6B"});
    let tags = json!({"models": [{"name": "small:latest", "details": details}]});
    world.model.answers("GET /api/tags", StatusCode::OK, tags.to_string());
    let listed = admin.get("/admin/models").await.value();
    let first = &listed["models"][0];
    assert_eq!((first["id"].as_str(), first["quantization"].as_str()), (Some("small"), Some("Q4_K_M")));
    assert_eq!((first["queue"]["waiting"].as_u64(), first["memory_bytes"].as_u64()), (Some(2), Some(1_000)));

    world.model.calls.lock().unwrap().clear();
    for (method, path) in [
        (Method::POST, "/admin/models/hf.co%2Fa%3Aq4/load"),
        (Method::POST, "/admin/models/hf.co%2Fa%3Aq4/unload"),
        (Method::PUT, "/admin/models/hf.co%2Fa%3Aq4/pin"),
        (Method::DELETE, "/admin/models/hf.co%2Fa%3Aq4/pin"),
        (Method::DELETE, "/admin/models/hf.co%2Fa%3Aq4"),
    ] {
        let answer = admin.call(method.clone(), path, None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{method} {path}: {}", answer.text);
    }
    let inner = "/admin/models/hf.co%2Fa%3Aq4";
    let expected = [
        format!("POST {inner}/load"),
        format!("POST {inner}/unload"),
        format!("POST {inner}/load"),
        format!("POST {inner}/load"),
        "DELETE /api/delete".to_owned(),
    ];
    assert_eq!(world.model.lines(), expected);
    let bodies: Vec<Bytes> =
        world.model.calls.lock().unwrap()[2..4].iter().map(|call| call.1.clone()).collect();
    assert_eq!(bodies, [&b"{\"pin\":true}"[..], &b"{\"pin\":false}"[..]]);
    let kept = admin.get("/audit?action=model").await.value();
    assert_eq!(kept["items"].as_array().map(Vec::len), Some(5));
    world.model.answers("DELETE /api/delete", StatusCode::NOT_FOUND, r#"{"error":"no model x"}"#);
    assert_eq!(admin.delete("/admin/models/x").await.code(), "model_not_found");
}

#[tokio::test]
async fn a_pull_is_told_as_events_and_a_refused_one_as_an_error() {
    let world = World::new().await;
    let admin = world.admin().await;
    let lines = "{\"status\":\"pulling manifest\"}\n{\"status\":\"pulling\",\"digest\":\"sha256:1\",\"total\":9,\"completed\":4}\n{\"status\":\"success\"}\n";
    world.model.answers("POST /api/pull", StatusCode::OK, lines);
    let text = admin.post("/admin/models/pull", json!({"source": "qwen3:0.6b"})).await.text;
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names, ["progress", "progress", "done"]);
    assert!(text.contains("\"completed\":4"), "{text}");
    assert_eq!(
        admin.get("/audit?action=model.pulled").await.value()["items"][0]["object"],
        "model:qwen3:0.6b"
    );
    world.model.answers("POST /api/pull", StatusCode::FORBIDDEN, r#"{"error":"pulling is switched off"}"#);
    let refused = admin.post("/admin/models/pull", json!({"source": "qwen3"})).await;
    assert_eq!((refused.code().as_str(), refused.text.contains("switched off")), ("forbidden", true));
    assert_eq!(admin.post("/admin/models/pull", json!({"source": " "})).await.code(), "invalid_request");
}

#[tokio::test]
async fn a_file_is_sent_once_and_made_a_model() {
    let limits = LimitsConfig { model_upload_max_bytes: 100, ..LimitsConfig::default() };
    let world = World::with(super::world::Backend::Sqlite, Config { limits, ..Config::default() }).await;
    let admin = world.admin().await;
    let sha256 = "ab".repeat(32);
    let blob = format!("/api/blobs/sha256%3A{sha256}");
    world.model.answers(&format!("HEAD {blob}"), StatusCode::NOT_FOUND, "");
    let path = format!("/admin/models/files/{sha256}");
    assert_eq!(admin.get(&path).await.value()["present"], false);
    let sent = admin.put_raw(&path, "application/octet-stream", Body::from("GGUF")).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{}", sent.text);
    let body = json!({"name": "mine:1", "file_name": "mine.gguf", "sha256": sha256});
    assert_eq!(admin.post("/admin/models", body).await.status, StatusCode::NO_CONTENT);
    let (line, made) = world.model.calls.lock().unwrap().last().cloned().unwrap();
    let made: Value = serde_json::from_slice(&made).unwrap();
    assert_eq!((line.as_str(), &made["model"]), ("POST /api/create", &json!("mine:1")));
    assert_eq!(made["files"]["mine.gguf"], format!("sha256:{sha256}"));
    let large = admin.put_raw(&path, "application/octet-stream", Body::from(vec![0; 101])).await;
    assert_eq!(large.code(), "file_too_large");
}

#[tokio::test]
async fn an_archive_goes_out_and_comes_in() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.model.answers("GET /admin/models/small/export", StatusCode::OK, "archive");
    assert_eq!(admin.get("/admin/models/small/archive").await.text, "archive");
    let taken =
        admin.post_raw("/admin/models/archive", "application/octet-stream", Body::from("archive")).await;
    assert_eq!(taken.status, StatusCode::NO_CONTENT, "{}", taken.text);
    assert_eq!(world.model.lines(), ["GET /admin/models/small/export", "POST /admin/models/import"]);
}

#[tokio::test]
async fn the_catalogue_says_what_is_here_and_is_empty_where_the_runtime_has_none() {
    let world = World::new().await;
    let admin = world.admin().await;
    let missing =
        json!({"error": {"code": "route_not_found", "message": "no such route", "request_id": "r"}});
    world.model.answers("GET /admin/catalogue", StatusCode::NOT_FOUND, missing.to_string());
    assert_eq!(admin.get("/admin/models/catalogue").await.value()["models"], json!([]));
    let one = json!({"models": [{"id": "small", "purpose": "chat", "sources": {"ollama": "small:1b"}}]});
    world.model.answers("GET /admin/catalogue", StatusCode::OK, one.to_string());
    *world.model.models.lock().unwrap() = json!([language_model()]);
    let listed = admin.get("/admin/models/catalogue").await.value();
    assert_eq!((&listed["models"][0]["installed"], &listed["pull_enabled"]), (&json!(true), &Value::Null));
}
