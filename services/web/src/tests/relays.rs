//! What is passed on to the knowledge service, and how.

use super::world::{Backend, World};
use crate::{Config, LimitsConfig};
use anwen_contract::{GroupId, UserId};
use axum::body::Body;
use http::{HeaderValue, StatusCode};
use serde_json::json;

const FORM: &str = "multipart/form-data; boundary=x";

#[tokio::test]
async fn an_upload_passes_through_as_it_is() {
    let world = World::new().await;
    let admin = world.admin().await;
    let base = world.knowledge.add_base("B");
    let body =
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x--\r\n";
    let path = format!("/knowledge-bases/{base}/documents");
    let answer = admin.post_raw(&path, FORM, Body::from(body)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.value()["documents"][0]["status"], "queued");
    let call = world.knowledge.calls().pop().unwrap();
    assert_eq!(call.body, body.as_bytes());
    assert_eq!(
        admin.get("/audit?action=documents.uploaded").await.value()["items"][0]["detail"]["documents"][0]["name"],
        "a.txt"
    );
    let nowhere = format!("/knowledge-bases/{}/documents", uuid::Uuid::now_v7());
    assert_eq!(admin.post_raw(&nowhere, FORM, Body::from(body)).await.code(), "not_found");
}

#[tokio::test]
async fn an_upload_past_its_bound_is_refused_whether_it_says_its_length_or_not() {
    let limits = LimitsConfig { upload_max_bytes: 1_000, ..Default::default() };
    let world = World::with(Backend::Sqlite, Config { limits, ..Config::default() }).await;
    let admin = world.admin().await;
    let base = world.knowledge.add_base("B");
    let path = format!("/knowledge-bases/{base}/documents");
    let parts = || (0..100).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 100]));
    let unknown_length = Body::from_stream(futures::stream::iter(parts()));
    let answer = admin.post_raw(&path, FORM, unknown_length).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
    let mut announced = admin.clone();
    announced.headers.insert("content-length", HeaderValue::from_static("10000"));
    let answer = announced.post_raw(&path, FORM, Body::from(vec![b'x'; 10_000])).await;
    assert_eq!(answer.code(), "body_too_large");
}

#[tokio::test]
async fn an_original_is_read_in_ranges_and_runs_nothing_in_the_browser() {
    let world = World::new().await;
    let admin = world.admin().await;
    let path = format!("/documents/{}/content", uuid::Uuid::now_v7());
    let whole = admin.get(&path).await;
    assert_eq!((whole.status, whole.text.as_str()), (StatusCode::OK, "<b>0123456789</b>"));
    assert!(whole.headers["content-security-policy"].to_str().unwrap().starts_with("sandbox"));
    assert_eq!(whole.headers["x-content-type-options"], "nosniff");
    assert_eq!(whole.headers["etag"], "\"v1\"");
    for (range, status) in
        [("bytes=0-2", StatusCode::PARTIAL_CONTENT), ("bytes=99-", StatusCode::RANGE_NOT_SATISFIABLE)]
    {
        let mut reader = admin.clone();
        reader.headers.insert("range", HeaderValue::from_str(range).unwrap());
        let part = reader.get(&path).await;
        assert_eq!(part.status, status);
        assert!(part.headers.contains_key("content-range"));
    }
}

#[tokio::test]
async fn grants_name_only_whom_there_is() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (_, li) = world.user(&admin, "li").await;
    let base = world.knowledge.add_base("B");
    let path = format!("/knowledge-bases/{base}/grants");
    let grant = |principal: String| json!([{"principal": principal, "role": "viewer"}]);
    for principal in [format!("user:{}", UserId::new()), format!("group:{}", GroupId::new())] {
        let refused = admin.put(&path, grant(principal.clone())).await;
        assert_eq!(refused.code(), "invalid_request");
        assert!(refused.text.contains(&principal));
    }
    assert_eq!(admin.put(&path, grant("nonsense".into())).await.code(), "invalid_request");
    for principal in [format!("user:{}", li.id), "everyone".to_owned()] {
        let set = admin.put(&path, grant(principal.clone())).await;
        assert_eq!((set.status, set.value()), (StatusCode::OK, grant(principal)));
    }
}

#[tokio::test]
async fn an_inner_failure_keeps_its_code_and_gets_the_requests_own_id() {
    let world = World::new().await;
    let admin = world.admin().await;
    let missing = admin.get(&format!("/documents/{}", uuid::Uuid::now_v7())).await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    assert_eq!(missing.value()["error"]["request_id"], missing.headers["x-request-id"].to_str().unwrap());
    let too_many = admin.post("/retrieve", json!({"query": "x", "top_k": 1000})).await;
    assert_eq!(too_many.code(), "invalid_request");
}

#[tokio::test]
async fn only_models_that_answer_are_listed() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mut embedding = super::fakes::quoting_model();
    embedding["id"] = json!("embedding");
    embedding["capabilities"] = json!({"chat": false, "embed": true, "rerank": false, "vision": false, "tools": false, "quotes": false});
    *world.model.models.lock().unwrap() = json!([super::fakes::quoting_model(), embedding]);
    let models = admin.get("/models").await.value();
    let ids: Vec<_> = models["items"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
    assert_eq!(ids, ["extractive"]);
}

#[tokio::test]
async fn samples_are_loaded_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let first = admin.post("/samples", json!({})).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text);
    let second = admin.post("/samples", json!({})).await;
    assert_eq!(first.value(), second.value());
    let calls = world.knowledge.calls();
    let uploads: Vec<_> = calls.iter().filter(|call| call.line.ends_with("/documents")).collect();
    assert_eq!(uploads.len(), 1);
    assert!(uploads[0].body.len() > 1_000);
}
