//! The interface as a whole: its document, and that no route forgets to ask who calls.

use super::world::World;
use crate::{openapi_text, routes};
use http::{Method, StatusCode};
use serde_json::Value;
use std::path::Path;

/// Routes that anyone may call.
const OPEN: [&str; 4] =
    ["GET /api/v1/setup", "POST /api/v1/setup", "POST /api/v1/auth/login", "POST /api/v1/auth/logout"];

/// Renew with `UPDATE_OPENAPI=1`.
#[test]
fn the_checked_in_document_is_what_the_routes_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let fresh = openapi_text();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "services/web/openapi.json is stale: run the tests of anwen-web with UPDATE_OPENAPI=1"
    );
}

#[test]
fn every_call_has_a_tag_a_summary_and_says_how_it_fails() {
    let document: Value = serde_json::from_str(&openapi_text()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["tags"][0].is_string(), "{method} {path} has no tag");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(operation["responses"]["4XX"].is_object(), "{method} {path} says not how it fails");
            assert!(operation["operationId"].is_string(), "{method} {path} has no id");
        }
    }
}

#[test]
fn operation_ids_are_unique() {
    let document: Value = serde_json::from_str(&openapi_text()).unwrap();
    let mut seen = std::collections::HashSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(seen.insert(id.clone()), "{id} stands twice");
        }
    }
}

#[tokio::test]
async fn without_signing_in_no_other_route_answers() {
    let world = World::new().await;
    world.admin().await;
    let visitor = world.visitor();
    let id = uuid::Uuid::now_v7().to_string();
    let all = routes();
    assert!(all.len() > 55, "{}", all.len());
    for route in all {
        if OPEN.contains(&format!("{} {}", route.method, route.path).as_str()) {
            continue;
        }
        let path = ["{id}", "{user_id}", "{message_id}"]
            .iter()
            .fold(route.path.clone(), |path, name| path.replace(name, &id));
        let path = path.replace("{section}", "answering").replace("{call}", "tags");
        let answer = visitor.call(route.method.clone(), &path, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_for_anyone() {
    let world = World::new().await;
    let visitor = world.visitor();
    assert_eq!(visitor.get("/openapi.json").await.text, openapi_text());
    let page = visitor.get("/docs").await;
    assert!(page.text.contains("docs.js") && page.status == StatusCode::OK);
    assert!(
        visitor.get("/docs.js").await.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/javascript")
    );
}

#[tokio::test]
async fn answers_carry_security_headers_and_are_not_stored() {
    let world = World::new().await;
    let answer = world.visitor().get("/setup").await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("'unsafe-eval'"), "{policy}");
    let wrong_method = world.visitor().call(Method::DELETE, "/setup", None).await;
    assert_eq!(
        (wrong_method.status, wrong_method.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
}

#[tokio::test]
async fn a_body_past_its_bound_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    let body = serde_json::json!({"title": "x".repeat(2 * 1024 * 1024)});
    let answer = admin.post("/chats", body).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
}
