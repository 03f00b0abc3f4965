//! A web service with everything around it, and people who use it.

use super::fakes::{FakeKnowledge, FakeModel};
use crate::{Config, Dependencies, MIGRATIONS, SERVICE, build};
use anwen_contract::client::{Audience, KnowledgeClient, ModelClient, ServiceClient};
use anwen_contract::users::{CreatedApiKey, User};
use anwen_platform::db::PoolSettings;
use anwen_platform::{Database, InternalTokens, Shutdown};
use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use futures::StreamExt as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;

pub const PASSWORD: &str = "correct horse battery";

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Makes a test for each database. On PostgreSQL it runs where `ANWEN_TEST_POSTGRES_URL` names a server.
macro_rules! on_each_database {
    ($(async fn $name:ident($backend:ident: Backend) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn check($backend: Backend) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                check(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if std::env::var_os("ANWEN_TEST_POSTGRES_URL").is_some() {
                    check(Backend::Postgres).await;
                }
            }
        }
    )+};
}
pub(super) use on_each_database;

/// A migrated database of a test's own, and the folder that it lives in.
pub async fn database(backend: Backend) -> (Database, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = match backend {
        Backend::Sqlite => format!("sqlite:{}", folder.path().join("web.db").display()),
        Backend::Postgres => new_postgres_database().await,
    };
    let db = Database::open(&url, &PoolSettings::default()).await.unwrap();
    db.migrate(SERVICE, &MIGRATIONS).await.unwrap();
    (db, folder)
}

async fn new_postgres_database() -> String {
    let server = std::env::var("ANWEN_TEST_POSTGRES_URL").unwrap();
    let name = format!("anwen_web_{}", uuid::Uuid::now_v7().simple());
    let admin = Database::open(&server, &PoolSettings::default()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(admin.pool()).await.unwrap();
    admin.close().await;
    let mut url = url::Url::parse(&server).unwrap();
    url.set_path(&name);
    url.to_string()
}

/// The service and its surroundings.
pub struct World {
    pub router: Router,
    pub db: Database,
    pub knowledge: FakeKnowledge,
    pub model: FakeModel,
    pub shutdown: Shutdown,
    dependencies: (KnowledgeClient, ModelClient),
    pub config: Config,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Backend::Sqlite, Config::default()).await
    }

    pub async fn with(backend: Backend, config: Config) -> Self {
        let (db, folder) = database(backend).await;
        let tokens = InternalTokens::new(&[7; 32]).unwrap();
        let (knowledge, model) = (FakeKnowledge::default(), FakeModel::new());
        let signer = Arc::new(tokens.clone());
        let http = reqwest::Client::new();
        let client = |url, audience| ServiceClient::new(url, http.clone(), signer.clone(), audience);
        let knowledge_client =
            KnowledgeClient::new(client(knowledge.start(tokens).await, Audience::Knowledge));
        let model_client = ModelClient::new(client(model.start().await, Audience::ModelRuntime));
        let mut world = Self {
            router: Router::new(),
            db,
            knowledge,
            model,
            shutdown: Shutdown::new(),
            dependencies: (knowledge_client, model_client),
            config,
            _folder: folder,
        };
        world.start().await;
        world
    }

    /// Starts the service (again) on the same database.
    pub async fn start(&mut self) {
        self.shutdown = Shutdown::new();
        let dependencies = Dependencies {
            db: self.db.clone(),
            knowledge: self.dependencies.0.clone(),
            model: self.dependencies.1.clone(),
            search: None,
            shutdown: self.shutdown.clone(),
        };
        self.router = build(self.config.clone(), dependencies).await.unwrap().router;
    }

    pub fn visitor(&self) -> Client {
        Client {
            router: self.router.clone(),
            cookies: String::new(),
            csrf: String::new(),
            key: None,
            headers: HeaderMap::new(),
        }
    }

    /// The first administrator, signed in.
    pub async fn admin(&self) -> Client {
        let mut client = self.visitor();
        let body = json!({"username": "admin", "password": PASSWORD, "display_name": "Admin"});
        let answer = client.post("/setup", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        client.keep_cookies(&answer);
        client
    }

    /// A new user, signed in.
    pub async fn user(&self, admin: &Client, name: &str) -> (Client, User) {
        let answer = admin.post("/users", json!({"username": name, "password": PASSWORD})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        (self.signed_in(name).await, answer.json())
    }

    pub async fn signed_in(&self, name: &str) -> Client {
        let mut client = self.visitor();
        let answer = client.post("/auth/login", json!({"username": name, "password": PASSWORD})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        client.keep_cookies(&answer);
        client
    }
}

/// Someone who calls the service.
#[derive(Clone)]
pub struct Client {
    pub router: Router,
    pub cookies: String,
    pub csrf: String,
    pub key: Option<String>,
    pub headers: HeaderMap,
}

/// An answer that was read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|cause| panic!("{cause}: {} {}", self.status, self.text))
    }

    pub fn value(&self) -> Value {
        self.json()
    }

    /// The code of a failure.
    pub fn code(&self) -> String {
        self.value()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Client {
    pub fn keep_cookies(&mut self, answer: &Answer) {
        let pairs: Vec<&str> = answer
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap().split(';').next().unwrap())
            .collect();
        self.cookies = pairs.join("; ");
        self.csrf =
            pairs.iter().find_map(|pair| pair.strip_prefix("anwen_csrf=")).unwrap_or_default().to_owned();
    }

    /// The same caller with an API key instead of a session.
    pub fn with_key(&self, secret: &str) -> Self {
        Self { cookies: String::new(), csrf: String::new(), key: Some(secret.to_owned()), ..self.clone() }
    }

    /// A new key of this caller.
    pub async fn new_key(&self, body: Value) -> CreatedApiKey {
        let answer = self.post("/api-keys", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let path = if path.starts_with("/api/") || anwen_contract::is_for_programs(path) {
            path.to_owned()
        } else {
            format!("/api/v1{path}")
        };
        let mut request = Request::builder().method(method).uri(path);
        if !self.cookies.is_empty() {
            request = request.header(COOKIE, &self.cookies);
        }
        if !self.csrf.is_empty() {
            request = request.header("x-csrf-token", &self.csrf);
        }
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    pub async fn post_raw(&self, path: &str, content_type: &str, body: Body) -> Answer {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, content_type).body(body).unwrap();
        self.send(request).await
    }

    pub async fn put_raw(&self, path: &str, content_type: &str, body: Body) -> Answer {
        let request = self.request(Method::PUT, path).header(CONTENT_TYPE, content_type).body(body).unwrap();
        self.send(request).await
    }

    /// A new chat's id.
    pub async fn new_chat(&self) -> String {
        let answer = self.post("/chats", json!({})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.value()["id"].as_str().unwrap().to_owned()
    }

    /// Opens a stream of events.
    pub async fn stream(&self, method: Method, path: &str, body: Option<Value>) -> Events {
        let request = self.request(method, path).header(CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        if status != StatusCode::OK {
            let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            panic!("{status}: {}", String::from_utf8_lossy(&bytes));
        }
        assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/event-stream"));
        Events { body: response.into_body().into_data_stream(), buffer: String::new() }
    }

    /// Asks, and follows the answer.
    pub async fn ask(&self, chat: &str, body: Value) -> Events {
        self.stream(Method::POST, &format!("/chats/{chat}/messages"), Some(body)).await
    }
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenEvent {
    pub id: u64,
    pub name: String,
    pub data: Value,
}

/// A stream of events that is read one by one.
pub struct Events {
    body: BodyDataStream,
    buffer: String,
}

impl Events {
    pub async fn next(&mut self) -> Option<SeenEvent> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let event = parse(event);
                self.buffer = rest.to_owned();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let bytes = self.body.next().await?.unwrap();
            self.buffer.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next bytes, as they come.
    pub async fn piece(&mut self) -> Option<String> {
        let bytes = self.body.next().await?.unwrap();
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads on until an event with this name has come, which is returned.
    pub async fn until(&mut self, name: &str) -> SeenEvent {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before `{name}`"));
            if event.name == name {
                return event;
            }
        }
    }

    pub async fn all(mut self) -> Vec<SeenEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(text: &str) -> Option<SeenEvent> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Some(SeenEvent {
        id: field("id:")?.parse().ok()?,
        name: field("event:")?.to_owned(),
        data: serde_json::from_str(field("data:")?).unwrap(),
    })
}

/// The text of all `delta` events.
pub fn text_of(events: &[SeenEvent]) -> String {
    events
        .iter()
        .filter(|event| event.name == "delta")
        .map(|event| event.data["text"].as_str().unwrap())
        .collect()
}
