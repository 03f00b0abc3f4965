//! Every route of the public interface, walked with a stranger's objects: nothing is found, nothing is changed.

use crate::harness::{Anwen, Person};
use anwen_contract::{ApiKeyId, ChatId, GroupId, UserId};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What belongs to someone else, by the name of the path parameter in each route.
struct Treasure {
    base: String,
    document: String,
    chunk: String,
    chat: String,
    message: String,
    key: String,
    user: String,
    group: String,
}

const SECRET: &str = "the launch code is marigold";

async fn bury(owner: &Person) -> Treasure {
    let base = owner.make_base("Secret plans").await;
    let document = owner.add(&base, "plans.md", format!("# Plans\n\n{SECRET}.\n").into_bytes()).await;
    assert_eq!(document["status"], "indexed");
    let document = document["id"].as_str().unwrap().to_owned();
    let chunks = owner.get(&format!("/documents/{document}/chunks")).await.expect_success();
    let chat = owner.post("/chats", &json!({"title": "Private"})).await.expect_success();
    let chat = chat["id"].as_str().unwrap().to_owned();
    owner.post(&format!("/chats/{chat}/messages"), &json!({"content": "What is the launch code?"})).await;
    let messages = owner.get(&format!("/chats/{chat}/messages")).await.expect_success();
    let key = owner.post("/api-keys", &json!({"name": "mine"})).await.expect_success();
    let group = owner.post("/groups", &json!({"name": "Insiders"})).await.expect_success();
    let me = owner.get("/auth/me").await.expect_success();
    let user = me["id"].as_str().or(me["user"]["id"].as_str()).unwrap().to_owned();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Treasure {
        base,
        document,
        chunk: text(&chunks["items"][0]["id"]),
        chat,
        message: text(&messages["items"].as_array().unwrap().last().unwrap()["id"]),
        key: text(&key["id"]),
        user,
        group: text(&group["id"]),
    }
}

/// The path with a stranger's ids in the place of its parameters.
fn aim(path: &str, treasure: &Treasure) -> String {
    let segments: Vec<&str> = path.split('/').collect();
    let mut aimed: Vec<String> = Vec::new();
    for (position, segment) in segments.iter().enumerate() {
        if !segment.starts_with('{') {
            aimed.push((*segment).to_owned());
            continue;
        }
        let before = segments[position - 1];
        let id = match before {
            "knowledge-bases" => &treasure.base,
            "documents" => &treasure.document,
            "chunks" => &treasure.chunk,
            "chats" => &treasure.chat,
            "messages" => &treasure.message,
            "api-keys" => &treasure.key,
            "users" | "members" => &treasure.user,
            "groups" => &treasure.group,
            "settings" => "answering",
            "api" => "tags",
            // A model that is part of the program.
            "models" => "extractive",
            "blobs" => "sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "files" => "0000000000000000000000000000000000000000000000000000000000000000",
            other => panic!("{path}: what belongs after {other}? Teach this test about the new route"),
        };
        aimed.push(id.to_owned());
    }
    aimed.join("/")
}

/// Routes that anyone who is signed in may call and that answer of the caller's own things only; the test reads
/// their answers for the secret all the same.
const OPEN_TO_ALL: &[(&str, &str)] = &[
    ("GET", "/setup"),
    ("POST", "/setup"),
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("GET", "/auth/me"),
    ("PATCH", "/auth/me"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/knowledge-bases"),
    ("POST", "/knowledge-bases"),
    ("POST", "/retrieve"),
    ("GET", "/search"),
    ("GET", "/chats"),
    ("POST", "/chats"),
    ("GET", "/models"),
    ("GET", "/api-keys"),
    ("POST", "/api-keys"),
    ("POST", "/samples"),
    ("GET", "/principals"),
    ("GET", "/web-search"),
];

/// Calls of other software's interfaces that change which models there are.
const FOR_ADMINISTRATORS: [&str; 5] =
    ["/ollama/api/pull", "/ollama/api/create", "/ollama/api/copy", "/ollama/api/delete", "/ollama/api/blobs"];

fn body_for(method: &str, path: &str, treasure: &Treasure) -> Option<Value> {
    if ["GET", "HEAD", "DELETE"].contains(&method) {
        return None;
    }
    Some(match path {
        "/retrieve" => json!({"query": "launch code", "knowledge_base_ids": [treasure.base]}),
        path if path.ends_with("/labels") => json!([{"name": "taken over"}]),
        path if path.ends_with("/outgoing") => json!({"query": "launch code"}),
        "/settings/web_search" => json!({}),
        path if path.ends_with("/grants") => json!([{"principal": "everyone", "role": "owner"}]),
        path if path.ends_with("/messages") => json!({"content": "launch code?"}),
        path if path.ends_with("/feedback") => json!({"rating": 1}),
        "/users" => json!({"username": "intruder", "password": "a long pass phrase 8"}),
        path if path.ends_with("/chunk-preview") => json!({"chunk_profile": "general"}),
        // By the id: an error may repeat the name that the asker gave.
        path if path.starts_with("/v1/") => {
            json!({"model": format!("kb/{}", treasure.base), "input": "launch code", "prompt": "launch code",
                "messages": [{"role": "user", "content": "What is the launch code?"}]})
        }
        path if path.starts_with("/ollama/") => json!({"model": "extractive", "prompt": "launch code?"}),
        path if path.ends_with("/pull") => json!({"source": "extractive"}),
        "/admin/models" => json!({"name": "x", "file_name": "x.gguf", "sha256": "00".repeat(32)}),
        path if path.ends_with("/groups") => json!({"name": "Intruders"}),
        _ => json!({"name": "taken over", "title": "taken over"}),
    })
}

async fn call(person: &Person, method: &str, path: &str, body: Option<Value>) -> crate::harness::Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = person.request(method.clone(), path);
    if path.ends_with("/documents") && method == Method::POST {
        let part = reqwest::multipart::Part::bytes(b"intruding".to_vec()).file_name("intruder.md");
        request = request.multipart(reqwest::multipart::Form::new().part("file", part));
    } else if let Some(body) = body {
        request = request.json(&body);
    }
    person.send(request).await
}

/// Method and path of every documented route.
async fn routes(person: &Person) -> Vec<(String, String)> {
    let document = person.get("/openapi.json").await.expect_success();
    let paths: BTreeMap<String, Value> = serde_json::from_value(document["paths"].clone()).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in paths {
        let path = path.strip_prefix("/api/v1").unwrap_or(&path).to_owned();
        for method in methods.as_object().unwrap().keys() {
            if ["get", "head", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                routes.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_finds_nothing_on_any_route() {
    let anwen = Anwen::start().await;
    let owner = anwen.administrator().await;
    let treasure = bury(&owner).await;
    let stranger = anwen.user(&owner, "stranger").await;
    let routes = routes(&owner).await;
    assert!(routes.len() > 40, "only {} routes are documented", routes.len());

    for (method, path) in &routes {
        if path == "/auth/logout" {
            continue;
        }
        let aimed = aim(path, &treasure);
        let aimed = match aimed.as_str() {
            "/search" => "/search?q=launch".to_owned(),
            "/events/documents" => format!("/events/documents?knowledge_base_id={}", treasure.base),
            other => other.to_owned(),
        };
        let answer = call(&stranger, method, &aimed, body_for(method, path, &treasure)).await;
        let text = String::from_utf8_lossy(&answer.bytes);
        assert!(
            !text.contains("marigold") && !text.contains("Secret plans"),
            "{method} {path} tells: {text}"
        );
        let open = OPEN_TO_ALL.contains(&(method.as_str(), path.as_str()));
        // Whoever has a key may ask models and searches; what a call may say was read above.
        let changes_models = FOR_ADMINISTRATORS.iter().any(|prefix| path.starts_with(prefix));
        if !open && (changes_models || !anwen_contract::is_for_programs(path)) {
            assert!(
                [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&answer.status),
                "{method} {path} answered a stranger {}: {text}",
                answer.status
            );
        }
    }

    // Nothing was changed by the attempts.
    let base = owner.get(&format!("/knowledge-bases/{}", treasure.base)).await.expect_success();
    assert_eq!((base["name"].as_str(), base["document_count"].as_i64()), (Some("Secret plans"), Some(1)));
    assert_eq!(owner.get(&format!("/chats/{}", treasure.chat)).await.expect_success()["title"], "Private");
    assert!(owner.retrieve("launch code").await[0]["text"].as_str().unwrap().contains("marigold"));
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_signing_in_only_the_door_is_open() {
    let anwen = Anwen::start().await;
    let owner = anwen.administrator().await;
    let treasure = bury(&owner).await;
    let nobody = Person::new(&anwen.base_url());
    for (method, path) in routes(&owner).await {
        let aimed = aim(&path, &treasure);
        let answer = call(&nobody, &method, &aimed, body_for(&method, &path, &treasure)).await;
        let door =
            ["/setup", "/auth/login", "/auth/logout", "/openapi.json", "/docs"].contains(&path.as_str());
        if !door {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {:?}", answer.json());
        }
    }
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_may_not_be_seen_answers_like_one_that_does_not_exist() {
    let anwen = Anwen::start().await;
    let owner = anwen.administrator().await;
    let treasure = bury(&owner).await;
    let stranger = anwen.user(&owner, "stranger").await;
    let absent = anwen_contract::DocumentId::new();
    for (hidden, missing) in [
        (format!("/documents/{}", treasure.document), format!("/documents/{absent}")),
        (format!("/documents/{}/content", treasure.document), format!("/documents/{absent}/content")),
        (format!("/chunks/{}", treasure.chunk), format!("/chunks/{absent}")),
        (format!("/knowledge-bases/{}", treasure.base), format!("/knowledge-bases/{absent}")),
        (format!("/chats/{}", treasure.chat), format!("/chats/{}", ChatId::new())),
    ] {
        let (hidden_answer, missing_answer) = (stranger.get(&hidden).await, stranger.get(&missing).await);
        let essence = |answer: &crate::harness::Answer| {
            (answer.status, answer.error_code(), answer.json()["error"]["message"].clone())
        };
        assert_eq!(essence(&hidden_answer), essence(&missing_answer), "{hidden}");
        assert_eq!(hidden_answer.status, StatusCode::NOT_FOUND, "{hidden}");
    }
    for id in [UserId::new().to_string(), GroupId::new().to_string(), ApiKeyId::new().to_string()] {
        assert_eq!(stranger.get(&format!("/users/{id}")).await.status, StatusCode::FORBIDDEN);
    }
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_open_exactly_what_they_name_and_end_when_withdrawn() {
    let anwen = Anwen::start().await;
    let owner = anwen.administrator().await;
    let treasure = bury(&owner).await;
    let reader = anwen.user(&owner, "reader").await;
    let id = reader.get("/auth/me").await.expect_success();
    let id = id["id"].as_str().or(id["user"]["id"].as_str()).unwrap().to_owned();
    let grants = format!("/knowledge-bases/{}/grants", treasure.base);
    let mine = json!({"principal": format!("user:{}", treasure.user), "role": "owner"});

    assert!(reader.retrieve("launch code").await.is_empty());
    owner.put(&format!("/groups/{}/members/{id}", treasure.group), &json!({})).await.expect_success();
    let group = json!({"principal": format!("group:{}", treasure.group), "role": "viewer"});
    owner.put(&grants, &json!([mine, group])).await.expect_success();
    assert_eq!(reader.retrieve("launch code").await.len(), 1);
    let base = reader.get(&format!("/knowledge-bases/{}", treasure.base)).await.expect_success();
    assert_eq!(base["my_role"], "viewer");
    let refused = reader.delete(&format!("/documents/{}", treasure.document)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "a viewer must not delete");
    assert_eq!(reader.upload(&treasure.base, "x.md", b"x".to_vec()).await.status, StatusCode::FORBIDDEN);

    owner.delete(&format!("/groups/{}/members/{id}", treasure.group)).await.expect_success();
    assert!(reader.retrieve("launch code").await.is_empty(), "leaving the group must end the grant");
    let nobody_owns = owner.put(&grants, &json!([])).await;
    assert_eq!(nobody_owns.error_code(), "last_owner");
    anwen.stop().await;
}
