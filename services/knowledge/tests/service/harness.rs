//! A knowledge service on a free port with a model runtime that is a few lines of hashing, on either database.

use anwen_contract::client::{Audience, ModelClient, ServiceClient, TokenSource as _};
use anwen_contract::knowledge::{CreateKnowledgeBase, Document, KnowledgeBase, UploadAnswer};
use anwen_contract::{Asker, DocumentId, GroupId, KnowledgeBaseId, UserId};
use anwen_knowledge::{Config, Dependencies, MIGRATIONS, ParseWorker, Service};
use anwen_platform::db::PoolSettings;
use anwen_platform::{Database, InternalTokens, Shutdown};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// Longer than anything here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
const DIMENSION: usize = 64;
const SECRET: [u8; 32] = [7; 32];

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Makes a test for each database. On PostgreSQL it runs where `ANWEN_TEST_POSTGRES_URL` names a server.
#[macro_export]
macro_rules! on_each_database {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: Backend) $body:block)+) => {$(
        mod $name {
            use super::*;
            $(#[$attribute])*
            async fn check($world: Backend) $body

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

/// Where a service's state is; it outlives the service, as a machine outlives a process.
pub struct Place {
    pub directory: tempfile::TempDir,
    pub database_url: String,
}

impl Place {
    pub async fn new(backend: Backend) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database_url = match backend {
            Backend::Sqlite => format!("sqlite:{}", directory.path().join("knowledge.db").display()),
            Backend::Postgres => new_postgres_database().await,
        };
        Self { directory, database_url }
    }

    pub async fn database(&self) -> Database {
        let database = Database::open(&self.database_url, &PoolSettings::default()).await.unwrap();
        database.migrate(anwen_knowledge::COMPONENT, &MIGRATIONS).await.unwrap();
        database
    }
}

/// A database of its own on the server that the environment names.
async fn new_postgres_database() -> String {
    let server = std::env::var("ANWEN_TEST_POSTGRES_URL").unwrap();
    let name = format!("anwen_test_{}", uuid::Uuid::now_v7().simple());
    let admin = Database::open(&server, &PoolSettings::default()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(admin.pool()).await.unwrap();
    admin.close().await;
    let mut url = url::Url::parse(&server).unwrap();
    url.set_path(&name);
    url.to_string()
}

/// The model runtime's two calls that knowledge makes.
#[derive(Clone, Default)]
pub struct FakeModel {
    pub is_away: Arc<AtomicBool>,
    pub embedded_texts: Arc<AtomicUsize>,
}

impl FakeModel {
    async fn serve(&self) -> url::Url {
        let routes = Router::new()
            .route("/v1/embeddings", post(embed))
            .route("/readyz", get(|| async { "ready" }))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        url.parse().unwrap()
    }
}

async fn embed(State(model): State<FakeModel>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    if model.is_away.load(Ordering::SeqCst) {
        let error = json!({"error": {"code": "service_unavailable", "message": "away", "request_id": ""}});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(error));
    }
    let texts: Vec<&str> =
        body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    model.embedded_texts.fetch_add(texts.len(), Ordering::SeqCst);
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"index": index, "embedding": encoded(&vector_of(text))}))
        .collect();
    (StatusCode::OK, Json(json!({"model": "embedding", "data": data})))
}

/// A bag of hashed words, normalised: texts that share words are near each other.
fn vector_of(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSION];
    for word in text
        .to_lowercase()
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let mut hasher = DefaultHasher::new();
        word.hash(&mut hasher);
        vector[(hasher.finish() % DIMENSION as u64) as usize] += 1.0;
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
    vector.iter().map(|value| value / length).collect()
}

fn encoded(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A running service.
pub struct World {
    pub service: Service,
    pub model: FakeModel,
    pub shutdown: Shutdown,
    url: url::Url,
    http: reqwest::Client,
    tokens: InternalTokens,
}

/// What tests of the service are set up with: quick rounds, small bounds.
pub fn config() -> Config {
    let mut config = Config::default();
    config.workers.count = 2;
    config.workers.look_anyway_ms = 200;
    config.workers.first_retry_pause_ms = 10;
    config.uploads.max_file_bytes = 200_000;
    config.index_log.commit_interval_ms = 10;
    config.index_log.look_anyway_ms = 100;
    config.collector.interval_ms = 3_600_000;
    config
}

impl World {
    /// Everything running, at a new place that ends with the test process.
    pub async fn new(backend: Backend) -> Self {
        let place = Place::new(backend).await;
        let world = Self::at(&place, config(), Background::Running).await;
        // The directory must live as long as the service; the operating system clears temporary files.
        let _ = place.directory.keep();
        world
    }

    pub async fn at(place: &Place, config: Config, background: Background) -> Self {
        let model = FakeModel::default();
        let tokens = InternalTokens::new(&SECRET).unwrap();
        let client = ServiceClient::new(
            model.serve().await,
            reqwest::Client::new(),
            Arc::new(tokens.clone()),
            Audience::ModelRuntime,
        );
        let shutdown = Shutdown::new();
        let dependencies = Dependencies {
            database: place.database().await,
            data_dir: place.directory.path().to_owned(),
            models_dir: repository().join("models"),
            model: ModelClient::new(client),
            tokens: tokens.clone(),
            parser: ParseWorker {
                program: PathBuf::from(env!("CARGO_BIN_EXE_anwen-knowledge")),
                arguments: vec!["parse-worker".to_owned()],
            },
            single_instance: true,
            shutdown: shutdown.clone(),
        };
        let service = match background {
            Background::Running => anwen_knowledge::build(config, dependencies).await.unwrap(),
            Background::Stopped => anwen_knowledge::open(config, dependencies).await.unwrap(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        shutdown.spawn(anwen_platform::http::serve(listener, service.router.clone(), shutdown.token()));
        Self { service, model, shutdown, url, http: reqwest::Client::new(), tokens }
    }

    /// Someone whom nobody has granted anything.
    pub fn somebody(&self) -> Person<'_> {
        self.person(Asker {
            user_id: UserId::new(),
            groups: vec![],
            is_admin: false,
            only_knowledge_bases: None,
        })
    }

    /// Someone who is known already.
    pub fn person(&self, asker: Asker) -> Person<'_> {
        Person { world: self, asker }
    }

    /// Waits until the document is done, and answers how it ended.
    pub async fn settled(&self, person: &Person<'_>, id: DocumentId) -> Document {
        self.until(|| async {
            let document: Document = person.get(&format!("/v1/documents/{id}")).await.json();
            document.status.is_final().then_some(document)
        })
        .await
    }

    /// Asks again whenever a document changes, until there is an answer.
    pub async fn until<T, F: Future<Output = Option<T>>>(&self, mut ask: impl FnMut() -> F) -> T {
        let mut changes = self.service.app().signals.watch_documents();
        let waiting = async {
            loop {
                changes.mark_unchanged();
                if let Some(answer) = ask().await {
                    return answer;
                }
                // What changes without a signal is looked for now and then.
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("nothing came of it in time")
    }
}

/// Whether workers, follower and collector run, or the test goes step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    Running,
    Stopped,
}

/// Someone who asks.
#[derive(Clone)]
pub struct Person<'a> {
    world: &'a World,
    pub asker: Asker,
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of a success.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|cause| panic!("{cause}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of an error, or "ok".
    pub fn code(&self) -> String {
        if self.status.is_success() {
            return "ok".to_owned();
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["error"]["code"].as_str().unwrap_or("no code").to_owned()
    }
}

impl Person<'_> {
    pub fn in_group(mut self, group: GroupId) -> Self {
        self.asker.groups.push(group);
        self
    }

    pub fn confined_to(mut self, bases: Vec<KnowledgeBaseId>) -> Self {
        self.asker.only_knowledge_bases = Some(bases);
        self
    }

    pub fn principal(&self) -> String {
        format!("user:{}", self.asker.user_id)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let token = self.world.tokens.bearer(&self.asker, Audience::Knowledge).unwrap();
        self.world
            .http
            .request(method, self.world.url.join(path).unwrap())
            .bearer_auth(token)
            .timeout(PATIENCE)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(self.request(method, path).json(body)).await
    }

    pub async fn new_base(&self, name: &str) -> KnowledgeBaseId {
        let body = CreateKnowledgeBase {
            name: name.into(),
            description: String::new(),
            language: "auto".into(),
            chunk_profile: Default::default(),
        };
        let made = self.send(self.request(Method::POST, "/v1/knowledge-bases").json(&body)).await;
        made.json::<KnowledgeBase>().id
    }

    /// Uploads files, each with its path.
    pub async fn upload(&self, base: KnowledgeBaseId, files: &[(&str, &[u8])]) -> Answer {
        let mut form = Form::new();
        for (path, content) in files {
            form = form.text("path", (*path).to_owned());
            form = form.part("file", Part::bytes(content.to_vec()).file_name("ignored"));
        }
        self.send(
            self.request(Method::POST, &format!("/v1/knowledge-bases/{base}/documents")).multipart(form),
        )
        .await
    }

    /// Uploads one file that is taken, and answers its document.
    pub async fn upload_one(&self, base: KnowledgeBaseId, path: &str, content: &[u8]) -> DocumentId {
        let answer = self.upload(base, &[(path, content)]).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        answer.json::<UploadAnswer>().documents[0].id
    }

    /// Texts that are found for a question.
    pub async fn found(&self, query: &str) -> Vec<String> {
        let answer = self.call(Method::POST, "/v1/retrieve", &json!({"query": query})).await;
        let answer: Value = answer.json();
        answer["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The top of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
