//! Nobody reaches what he was not granted, by any route. The tests walk the service's own list of routes: one that is
//! added without a line here fails them.

use crate::harness::{Answer, Backend, Person, World};
use crate::on_each_database;
use anwen_contract::{ChunkId, DocumentId, GroupId, KnowledgeBaseId};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const SECRET_TEXT: &[u8] = b"# Project Nightingale\n\nThe launch code of project Nightingale is X-1234.\n";

/// What a route does for somebody without a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForStrangers {
    /// It names an object, which does not exist for him.
    NotFound,
    /// It answers, without anything of what others own.
    Nothing,
    /// It serves everybody and knows no objects.
    Open,
}

fn expectation(method: &Method, path: &str) -> ForStrangers {
    match (method.as_str(), path) {
        ("POST", "/v1/knowledge-bases") | ("PUT", "/tika" | "/tika/text" | "/rmeta/text") => {
            ForStrangers::Open
        }
        ("GET", "/v1/knowledge-bases" | "/v1/search" | "/v1/events/documents") | ("POST", "/v1/retrieve") => {
            ForStrangers::Nothing
        }
        (_, path) if path.starts_with("/v1/knowledge-bases/{id}") => ForStrangers::NotFound,
        (_, path) if path.starts_with("/v1/documents/{id}") => ForStrangers::NotFound,
        ("GET", "/v1/chunks/{id}") => ForStrangers::NotFound,
        (method, path) => panic!("{method} {path} has no permission test: add it here"),
    }
}

/// The ids of one document and what belongs to it.
#[derive(Debug, Clone, Copy)]
struct Objects {
    base: KnowledgeBaseId,
    document: DocumentId,
    chunk: ChunkId,
}

impl Objects {
    /// Ids of nothing.
    fn imaginary() -> Self {
        Self { base: KnowledgeBaseId::new(), document: DocumentId::new(), chunk: ChunkId::new() }
    }

    async fn of(owner: &Person<'_>, world: &World) -> Self {
        let base = owner.new_base("Secrets").await;
        let document = owner.upload_one(base, "nightingale.md", SECRET_TEXT).await;
        world.settled(owner, document).await;
        let chunks: Value = owner.get(&format!("/v1/documents/{document}/chunks")).await.json();
        let chunk = chunks["items"][0]["id"].as_str().unwrap().parse().unwrap();
        Self { base, document, chunk }
    }

    fn in_path(&self, path: &str) -> String {
        let id = match path {
            path if path.starts_with("/v1/knowledge-bases") => self.base.to_string(),
            path if path.starts_with("/v1/documents") => self.document.to_string(),
            _ => self.chunk.to_string(),
        };
        path.replace("{id}", &id)
    }
}

/// Calls a route with a body that it would take.
async fn call(person: &Person<'_>, method: &Method, path: &str, objects: &Objects) -> Answer {
    let concrete = objects.in_path(path);
    let request = person.request(method.clone(), &concrete);
    let request = match (method.as_str(), path) {
        ("POST", "/v1/knowledge-bases/{id}/documents") => {
            return person.upload(objects.base, &[("x.txt", b"x")]).await;
        }
        ("PUT", "/v1/knowledge-bases/{id}/grants") => {
            request.json(&json!([{"principal": person.principal(), "role": "owner"}]))
        }
        ("PUT", "/v1/knowledge-bases/{id}/labels") => request.json(&json!([{"name": "Launches"}])),
        ("POST", "/v1/knowledge-bases") | ("PATCH", _) => request.json(&json!({"name": "renamed"})),
        ("POST", "/v1/retrieve") => request.json(&json!({"query": "launch code Nightingale X-1234"})),
        ("GET", "/v1/search") => person.request(Method::GET, "/v1/search?q=launch+code+Nightingale+X-1234"),
        ("PUT", "/tika" | "/tika/text" | "/rmeta/text") => request.body("plain words"),
        ("POST", "/v1/documents/{id}/chunk-preview") => request.json(&json!({"chunk_profile": "general"})),
        _ => request,
    };
    person.send(request).await
}

fn all_routes() -> Vec<(Method, &'static str)> {
    anwen_knowledge::routes::routes(1_000_000).into_iter().map(|route| (route.method, route.path)).collect()
}

on_each_database! {
    async fn a_strangers_objects_are_like_none_on_every_route(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let theirs = Objects::of(&owner, &world).await;
        let stranger = world.somebody().in_group(GroupId::new());
        for (method, path) in all_routes() {
            match expectation(&method, path) {
                ForStrangers::NotFound => {
                    let answer = call(&stranger, &method, path, &theirs).await;
                    let of_nothing = call(&stranger, &method, path, &Objects::imaginary()).await;
                    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{method} {path}");
                    assert_eq!(without_request_id(&answer), without_request_id(&of_nothing), "{method} {path}");
                }
                // The stream of events is looked at in a test of its own.
                ForStrangers::Nothing if path == "/v1/events/documents" => {}
                ForStrangers::Nothing => {
                    let answer = call(&stranger, &method, path, &theirs).await;
                    assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
                    assert!(!answer.text().contains("X-1234") && !answer.text().contains("Secrets"), "{method} {path}");
                }
                ForStrangers::Open => {
                    let answer = call(&stranger, &method, path, &theirs).await;
                    assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
                }
            }
        }
        // The owner still has everything, and found it all along.
        assert!(owner.found("launch code Nightingale").await.iter().any(|text| text.contains("X-1234")));
    }

    async fn what_a_stranger_names_in_a_search_is_left_out(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let theirs = Objects::of(&owner, &world).await;
        let stranger = world.somebody();
        let query = |extra: Value| {
            let mut body = json!({"query": "launch code Nightingale"});
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            body
        };
        let named = query(json!({"knowledge_base_ids": [theirs.base]}));
        let answer = stranger.call(Method::POST, "/v1/retrieve", &named).await;
        assert_eq!(answer.code(), "not_found");
        stranger.new_base("Own").await;
        for mode in ["hybrid", "dense", "lexical"] {
            let filtered = query(json!({"mode": mode, "filters": {"document_ids": [theirs.document]}}));
            let answer: Value = stranger.call(Method::POST, "/v1/retrieve", &filtered).await.json();
            assert_eq!(answer["hits"], json!([]), "{mode}");
        }
        let events = format!("/v1/events/documents?knowledge_base_id={}", theirs.base);
        assert_eq!(stranger.get(&events).await.code(), "not_found");
    }

    async fn each_role_may_do_its_own_and_no_more(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let objects = Objects::of(&owner, &world).await;
        let group = GroupId::new();
        let (viewer, editor) = (world.somebody(), world.somebody().in_group(group));
        let grants = format!("/v1/knowledge-bases/{}/grants", objects.base);
        let body = json!([
            {"principal": owner.principal(), "role": "owner"},
            {"principal": viewer.principal(), "role": "viewer"},
            {"principal": format!("group:{group}"), "role": "editor"},
        ]);
        assert_eq!(owner.call(Method::PUT, &grants, &body).await.code(), "ok");
        for (method, path) in all_routes().into_iter().filter(|(_, path)| path.contains("{id}")) {
            let writes = method != Method::GET;
            let is_for_owners = path.ends_with("/grants") || (path == "/v1/knowledge-bases/{id}" && writes);
            // Deleting would end the test, and a document that is indexed cannot be retried: both are refused before.
            let ends_the_test = method == Method::DELETE;
            let forbidden_for_viewer = writes || is_for_owners || path.ends_with("/findings");
            let answer = call(&viewer, &method, path, &objects).await;
            assert_eq!(answer.code() == "forbidden", forbidden_for_viewer, "viewer: {method} {path}: {}", answer.text());
            if is_for_owners || !ends_the_test {
                let answer = call(&editor, &method, path, &objects).await;
                assert_eq!(answer.code() == "forbidden", is_for_owners, "editor: {method} {path}: {}", answer.text());
            }
        }
        assert_eq!(editor.delete(&format!("/v1/documents/{}", objects.document)).await.code(), "ok");
        assert_eq!(owner.delete(&format!("/v1/knowledge-bases/{}", objects.base)).await.code(), "ok");
    }

    async fn a_confined_key_sees_its_own_knowledge_bases_only(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let objects = Objects::of(&owner, &world).await;
        let other = owner.new_base("Open part").await;
        let key = owner.clone().confined_to(vec![other]);
        for (method, path) in all_routes() {
            if expectation(&method, path) == ForStrangers::NotFound {
                let answer = call(&key, &method, path, &objects).await;
                assert_eq!(answer.code(), "not_found", "{method} {path}");
            }
        }
        let listed: Value = key.get("/v1/knowledge-bases").await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!(key.found("launch code Nightingale").await, Vec::<String>::new());
        assert_eq!(key.call(Method::POST, "/v1/knowledge-bases", &json!({"name": "New"})).await.code(), "forbidden");
        let nowhere = owner.clone().confined_to(vec![]);
        assert_eq!(nowhere.found("launch code Nightingale").await, Vec::<String>::new());
    }

    async fn one_owner_always_remains(backend: Backend) {
        let world = World::new(backend).await;
        let (owner, heir) = (world.somebody(), world.somebody());
        let base = owner.new_base("Inherited").await;
        let grants = format!("/v1/knowledge-bases/{base}/grants");
        assert_eq!(owner.call(Method::PUT, &grants, &json!([])).await.code(), "last_owner");
        let viewers = json!([{"principal": "everyone", "role": "viewer"}]);
        assert_eq!(owner.call(Method::PUT, &grants, &viewers).await.code(), "last_owner");
        let handed_over = json!([{"principal": heir.principal(), "role": "owner"}]);
        let now: Value = owner.call(Method::PUT, &grants, &handed_over).await.json();
        assert_eq!(now, handed_over);
        assert_eq!(owner.get(&grants).await.code(), "not_found");
        assert_eq!(heir.get(&grants).await.json::<Value>(), handed_over);
    }

    async fn an_administrator_gives_grants_and_reads_nothing(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let objects = Objects::of(&owner, &world).await;
        let mut admin = world.somebody();
        admin.asker.is_admin = true;
        let document = format!("/v1/documents/{}", objects.document);
        assert_eq!(admin.get(&document).await.code(), "not_found");
        assert_eq!(admin.found("launch code Nightingale").await, Vec::<String>::new());
        let grants = format!("/v1/knowledge-bases/{}/grants", objects.base);
        let body = json!([
            {"principal": owner.principal(), "role": "owner"},
            {"principal": admin.principal(), "role": "viewer"},
        ]);
        assert_eq!(admin.call(Method::PUT, &grants, &body).await.code(), "ok");
        assert_eq!(admin.get(&document).await.code(), "ok");
        let imaginary = format!("/v1/knowledge-bases/{}/grants", KnowledgeBaseId::new());
        assert_eq!(admin.get(&imaginary).await.code(), "not_found");
    }
}

#[tokio::test]
async fn without_a_token_nothing_answers() {
    let world = World::new(Backend::Sqlite).await;
    let nobody = world.somebody();
    for (method, path) in all_routes() {
        let path = Objects::imaginary().in_path(path);
        let mut request = nobody.request(method.clone(), &path).build().unwrap();
        request.headers_mut().remove("authorization");
        let answer = reqwest::Client::new().execute(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

fn without_request_id(answer: &Answer) -> Value {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["error"]["request_id"] = Value::Null;
    body
}
