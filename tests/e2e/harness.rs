//! Starts everything, and speaks to it as a person would.

use anwen::compose::{self, Ports, Running};
use anwen::workplace::Workplace;
use anwen_contract::chat::AnswerEvent;
use anwen_knowledge::ParseWorker;
use anwen_platform::{CommonSettings, InternalTokens, Settings};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PASSWORD: &str = "a long pass phrase 7";
/// Indexing a handful of small files takes a second or two; a busy machine may need far longer.
const INDEX_TIMEOUT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The program under test, built beside the tests.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("ANWEN_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("anwen");
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace --bin anwen` first", path.display());
    path
}

/// All services in this process, on free ports and a directory of their own.
pub struct Anwen {
    running: Option<Running>,
    directory: TempDir,
}

impl Anwen {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with settings given as environment variables are.
    pub async fn start_with(overrides: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let running = Self::run_in(directory.path(), overrides).await;
        Self { running: Some(running), directory }
    }

    async fn run_in(directory: &Path, overrides: &[(&str, &str)]) -> Running {
        let variables: BTreeMap<String, String> =
            overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::parse("", &variables).unwrap();
        let mut common = CommonSettings::read(&settings).unwrap();
        common.server.models_dir = root().join("models");
        let mut workplace = Workplace::with_settings(settings, common, Some(directory)).unwrap();
        workplace.parser = Some(ParseWorker { program: program(), arguments: vec!["parse-worker".into()] });
        compose::start(&workplace, Ports::AnyFree).await.unwrap()
    }

    /// Stops everything and starts it again on the same directory.
    pub async fn restart(&mut self) {
        self.running.take().unwrap().stop().await;
        self.running = Some(Self::run_in(self.directory.path(), &[]).await);
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.running.as_ref().unwrap().instance.web)
    }

    pub fn model_runtime_url(&self) -> String {
        format!("http://{}", self.running.as_ref().unwrap().instance.model_runtime)
    }

    /// What services sign their calls with.
    pub fn tokens(&self) -> &InternalTokens {
        &self.running.as_ref().unwrap().tokens
    }

    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// The first administrator, signed in.
    pub async fn administrator(&self) -> Person {
        let person = Person::new(&self.base_url());
        let body = json!({"username": "admin", "password": PASSWORD, "display_name": "Admin"});
        person.post("/setup", &body).await.expect_status(StatusCode::CREATED);
        person.sign_in("admin").await;
        person
    }

    /// A further user without any grant, signed in.
    pub async fn user(&self, administrator: &Person, name: &str) -> Person {
        administrator.post("/users", &json!({"username": name, "password": PASSWORD})).await.expect_success();
        let person = Person::new(&self.base_url());
        person.sign_in(name).await;
        person
    }

    pub async fn stop(mut self) {
        self.running.take().unwrap().stop().await;
    }
}

/// An answer: status and body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn expect_success(self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    #[track_caller]
    pub fn expect_status(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }
}

/// A browser's worth of state: cookies and the CSRF token.
#[derive(Clone)]
pub struct Person {
    base: String,
    http: reqwest::Client,
    csrf: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Person {
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).no_proxy().build().unwrap();
        Self { base: base.to_owned(), http, csrf: Default::default() }
    }

    pub async fn sign_in(&self, username: &str) {
        let answer = self.post("/auth/login", &json!({"username": username, "password": PASSWORD})).await;
        answer.expect_success();
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let csrf = self.csrf.lock().unwrap().clone();
        let url = if anwen_contract::is_for_programs(path) {
            format!("{}{path}", self.base)
        } else {
            format!("{}/api/v1{path}", self.base)
        };
        self.http.request(method, url).header("x-csrf-token", csrf)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        for cookie in response.cookies() {
            if cookie.name() == "anwen_csrf" {
                *self.csrf.lock().unwrap() = cookie.value().to_owned();
            }
        }
        let status = response.status();
        Answer { status, bytes: response.bytes().await.unwrap().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Makes a knowledge base and answers its id.
    pub async fn make_base(&self, name: &str) -> String {
        let base = self.post("/knowledge-bases", &json!({"name": name})).await.expect_success();
        base["id"].as_str().unwrap().to_owned()
    }

    /// Uploads one file under a name as it is given.
    pub async fn upload(&self, base: &str, name: &str, bytes: Vec<u8>) -> Answer {
        let form = Form::new().part("file", Part::bytes(bytes).file_name(name.to_owned()));
        self.send(self.request(Method::POST, &format!("/knowledge-bases/{base}/documents")).multipart(form))
            .await
    }

    /// Uploads a file and waits until it is indexed or has failed; answers the document.
    pub async fn add(&self, base: &str, name: &str, bytes: Vec<u8>) -> Value {
        let answer = self.upload(base, name, bytes).await.expect_status(StatusCode::ACCEPTED);
        let id = answer["documents"][0]["id"].as_str().unwrap().to_owned();
        self.wait_for(&id).await
    }

    /// Waits until a document is indexed or has failed.
    pub async fn wait_for(&self, document: &str) -> Value {
        let started = Instant::now();
        loop {
            let current = self.get(&format!("/documents/{document}")).await.expect_success();
            if ["indexed", "failed"].contains(&current["status"].as_str().unwrap()) {
                return current;
            }
            assert!(started.elapsed() < INDEX_TIMEOUT, "not indexed in time: {current}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Every document of a base, page by page.
    pub async fn documents(&self, base: &str) -> Vec<Value> {
        let (mut documents, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self
                .get(&format!("/knowledge-bases/{base}/documents?limit=50{cursor}"))
                .await
                .expect_success();
            documents.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return documents,
            }
        }
    }

    pub async fn retrieve(&self, query: &str) -> Vec<Value> {
        let answer = self.post("/retrieve", &json!({"query": query})).await.expect_success();
        answer["hits"].as_array().unwrap().clone()
    }

    /// Asks in a new chat, and answers every event of the stream in order.
    pub async fn ask(&self, bases: &[&str], question: &str) -> Vec<AnswerEvent> {
        let chat = self.post("/chats", &json!({"knowledge_base_ids": bases})).await.expect_success();
        let path = format!("/chats/{}/messages", chat["id"].as_str().unwrap());
        let answer = self.post(&path, &json!({"content": question})).await;
        assert!(answer.status.is_success(), "{}", String::from_utf8_lossy(&answer.bytes));
        read_events(&answer.bytes)
    }
}

/// The events of a whole stream.
pub fn read_events(bytes: &[u8]) -> Vec<AnswerEvent> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let mut events = Vec::new();
    for block in text.split("\n\n") {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let (Some(event), Some(data)) = (field("event:"), field("data:")) else { continue };
        let data: Value = serde_json::from_str(data).unwrap();
        assert!(field("id:").is_some(), "an event without an id: {block}");
        events.push(serde_json::from_value(json!({"event": event, "data": data})).unwrap());
    }
    events
}

/// The text of an answer.
pub fn text_of(events: &[AnswerEvent]) -> String {
    let delta = |event: &AnswerEvent| match event {
        AnswerEvent::Delta { text } => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(delta).collect()
}
