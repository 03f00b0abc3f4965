//! Stand-ins for the knowledge service and the model runtime, which record what they are asked.

use anwen_contract::client::Audience;
use anwen_contract::knowledge::{
    BoundingBox, Hit, HitScores, LineBox, PassageSearchAnswer, RetrieveAnswer, RetrieveRequest,
};
use anwen_contract::model::ChatRequest;
use anwen_contract::{ApiError, Asker, ChunkId, DocumentId, KnowledgeBaseId, Timestamp};
use anwen_platform::InternalTokens;
use anwen_platform::http::{Caller, InternalAuth};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

async fn serve(router: Router) -> url::Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// A call that the fake knowledge service got.
#[derive(Debug, Clone)]
pub struct Call {
    pub asker: Asker,
    pub line: String,
    pub body: Bytes,
}

/// Answers what a test set.
#[derive(Clone, Default)]
pub struct FakeKnowledge {
    pub calls: Arc<Mutex<Vec<Call>>>,
    pub hits: Arc<Mutex<Vec<Hit>>>,
    pub relevance: Arc<Mutex<Option<f32>>>,
    /// Knowledge bases by id.
    pub bases: Arc<Mutex<BTreeMap<String, String>>>,
}

impl FakeKnowledge {
    pub async fn start(&self, tokens: InternalTokens) -> url::Url {
        let auth = InternalAuth::new(tokens, Audience::Knowledge);
        let routes = Router::new()
            .route("/v1/retrieve", post(retrieve))
            .route("/v1/search", get(search))
            .route("/v1/knowledge-bases", get(list_bases).post(create_base))
            .route("/v1/knowledge-bases/{id}", any(one_base))
            .route("/v1/knowledge-bases/{id}/grants", any(grants))
            .route("/v1/knowledge-bases/{id}/documents", any(documents))
            .route("/v1/documents/{id}/content", get(content))
            .route("/tika", any(tika))
            .fallback(nothing)
            .layer(from_fn_with_state(self.clone(), record))
            .layer(from_fn_with_state(auth, InternalAuth::check))
            .route("/readyz", get(|| async { "ready" }))
            .with_state(self.clone());
        serve(routes).await
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub fn last_retrieve(&self) -> RetrieveRequest {
        let calls = self.calls();
        let call = calls.iter().rev().find(|call| call.line == "POST /v1/retrieve").unwrap();
        serde_json::from_slice(&call.body).unwrap()
    }

    pub fn add_base(&self, name: &str) -> KnowledgeBaseId {
        let id = KnowledgeBaseId::new();
        self.bases.lock().unwrap().insert(id.to_string(), name.to_owned());
        id
    }

    /// Sets one hit whose lines are on page 3, one below the other.
    pub fn set_hit(&self, lines: &[&str]) -> ChunkId {
        let text = lines.join("\n");
        let bounds =
            |row: usize| BoundingBox { page: 3, x0: 0.0, y0: row as f32, x1: 9.0, y1: row as f32 + 1.0 };
        let mut start = 0;
        let mut boxes = Vec::new();
        for (row, line) in lines.iter().enumerate() {
            boxes.push(LineBox { start, end: start + line.len() as u32, bounds: bounds(row) });
            start += line.len() as u32 + 1;
        }
        let hit = Hit {
            chunk_id: ChunkId(uuid::Uuid::new_v4()),
            document_id: DocumentId::new(),
            document_name: "handbook.pdf".to_owned(),
            knowledge_base_id: KnowledgeBaseId::new(),
            text,
            page_start: Some(3),
            page_end: Some(3),
            heading_path: vec!["Leave".to_owned()],
            boxes: vec![bounds(50)],
            score: 1.0,
            scores: HitScores::default(),
            version: 1,
            ordinal: 0,
            lines: boxes,
            as_of: Timestamp(0),
        };
        let id = hit.chunk_id;
        *self.hits.lock().unwrap() = vec![hit];
        id
    }
}

async fn record(
    State(fake): State<FakeKnowledge>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let asker = parts.extensions.get::<Asker>().cloned().unwrap();
    let path = parts.uri.path_and_query().unwrap().to_string();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    fake.calls.lock().unwrap().push(Call {
        asker,
        line: format!("{} {path}", parts.method),
        body: body.clone(),
    });
    next.run(axum::extract::Request::from_parts(parts, Body::from(body))).await
}

async fn retrieve(State(fake): State<FakeKnowledge>, Json(_): Json<RetrieveRequest>) -> Json<RetrieveAnswer> {
    Json(RetrieveAnswer {
        hits: fake.hits.lock().unwrap().clone(),
        took_ms: BTreeMap::new(),
        collapsed: 0,
        relevance: *fake.relevance.lock().unwrap(),
    })
}

async fn search() -> Json<PassageSearchAnswer> {
    Json(PassageSearchAnswer { items: Vec::new() })
}

fn base_json(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "description": "", "language": "auto", "document_count": 0, "chunk_count": 0,
        "status": "ready", "my_role": "owner", "created_at": Timestamp(0), "updated_at": Timestamp(0)})
}

async fn list_bases(State(fake): State<FakeKnowledge>) -> Json<Value> {
    let bases = fake.bases.lock().unwrap();
    let items: Vec<Value> = bases.iter().map(|(id, name)| base_json(id, name)).collect();
    Json(json!({"items": items, "next_cursor": null}))
}

async fn create_base(
    State(fake): State<FakeKnowledge>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let name = body["name"].as_str().unwrap();
    let id = fake.add_base(name);
    (StatusCode::CREATED, Json(base_json(&id.to_string(), name)))
}

async fn one_base(
    State(fake): State<FakeKnowledge>,
    Path(id): Path<String>,
    method: http::Method,
) -> Response {
    let Some(name) = fake.bases.lock().unwrap().get(&id).cloned() else {
        return not_found("knowledge base");
    };
    match method {
        http::Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        _ => Json(base_json(&id, &name)).into_response(),
    }
}

async fn grants(_: Path<String>, method: http::Method, body: Bytes) -> Response {
    let body = if method == http::Method::PUT { body } else { Bytes::from_static(b"[]") };
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn documents(
    Path(id): Path<String>,
    method: http::Method,
    State(fake): State<FakeKnowledge>,
) -> Response {
    if !fake.bases.lock().unwrap().contains_key(&id) {
        return not_found("knowledge base");
    }
    if method == http::Method::POST {
        let document = json!({"id": DocumentId::new(), "name": "a.txt", "status": "queued"});
        return (StatusCode::ACCEPTED, Json(json!({"documents": [document]}))).into_response();
    }
    Json(json!({"items": [], "next_cursor": null})).into_response()
}

async fn content(headers: HeaderMap) -> Response {
    match headers.get(header::RANGE).map(|range| range.to_str().unwrap()) {
        None => ([(header::CONTENT_TYPE, "text/html"), (header::ETAG, "\"v1\"")], "<b>0123456789</b>")
            .into_response(),
        Some("bytes=0-2") => {
            let headers = [(header::CONTENT_RANGE, "bytes 0-2/17"), (header::CONTENT_TYPE, "text/html")];
            (StatusCode::PARTIAL_CONTENT, headers, "<b>").into_response()
        }
        Some(_) => {
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, "bytes */17")]).into_response()
        }
    }
}

async fn tika(headers: http::HeaderMap, body: String) -> Response {
    let kind =
        headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    format!("{kind}: {body}").into_response()
}

async fn nothing(_: Caller) -> Response {
    not_found("document")
}

/// As the scaffold of a real service would write it.
fn not_found(what: &str) -> Response {
    let body =
        json!({"error": {"code": "not_found", "message": format!("no such {what}"), "request_id": "r"}});
    let _: ApiError = ApiError::not_found(what);
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

/// A model runtime that says what a test scripted.
#[derive(Clone)]
pub struct FakeModel {
    pub requests: Arc<Mutex<Vec<ChatRequest>>>,
    /// What the next chats say, one after the other; the last is said again.
    pub scripts: Arc<Mutex<Vec<Vec<Value>>>>,
    /// Each piece of an answer takes a permit.
    pub pieces: Arc<Semaphore>,
    /// Gets a permit for each stream that has ended, read to its end or left.
    pub ended: Arc<Semaphore>,
    pub models: Arc<Mutex<Value>>,
    /// The other calls that came, as `POST /path` and the body.
    pub calls: Arc<Mutex<Vec<(String, Bytes)>>>,
    /// What those answer, by `POST /path`; else `{}`.
    pub answers: Arc<Mutex<BTreeMap<String, (StatusCode, String)>>>,
}

/// The quoting answerer as `/admin/models` lists it.
pub fn quoting_model() -> Value {
    model("extractive", true)
}

/// A language model as `/admin/models` lists it.
pub fn language_model() -> Value {
    model("small", false)
}

fn model(id: &str, quotes: bool) -> Value {
    json!({"id": id, "engine": "stub", "state": "ready", "context_tokens": 4096, "size_bytes": 0, "dimensions": null,
        "capabilities": {"chat": true, "embed": false, "rerank": false, "vision": false, "tools": false, "quotes": quotes}})
}

/// A piece of text in a model's stream.
pub fn piece(text: &str) -> Value {
    json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": text}}]})
}

/// The end of a model's stream, with our note.
pub fn ending(outcome: Option<&str>) -> Value {
    json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, "anwen": {"outcome": outcome}})
}

impl FakeModel {
    pub fn new() -> Self {
        Self {
            requests: Arc::default(),
            scripts: Arc::new(Mutex::new(vec![vec![piece("quoted.[1]"), ending(Some("quoted"))]])),
            pieces: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            ended: Arc::new(Semaphore::new(0)),
            models: Arc::new(Mutex::new(json!([quoting_model()]))),
            calls: Arc::default(),
            answers: Arc::default(),
        }
    }

    pub async fn start(&self) -> url::Url {
        let routes = Router::new()
            .route("/admin/models", get(admin_models))
            .route("/v1/chat/completions", post(chat))
            .route("/readyz", get(|| async { "ready" }))
            .fallback(other_call)
            .with_state(self.clone());
        serve(routes).await
    }

    pub fn answers(&self, line: &str, status: StatusCode, body: impl Into<String>) {
        self.answers.lock().unwrap().insert(line.to_owned(), (status, body.into()));
    }

    /// The lines of the calls that have an answer of their own or none.
    pub fn lines(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }

    pub fn says(&self, script: Vec<Value>) {
        *self.scripts.lock().unwrap() = vec![script];
    }

    pub fn last_request(&self) -> ChatRequest {
        self.requests.lock().unwrap().last().cloned().unwrap()
    }

    /// From here on, each piece waits until `let_out` allows it.
    pub fn hold(&self) {
        let _ = self.pieces.forget_permits(usize::MAX);
    }

    pub fn let_out(&self, count: usize) {
        self.pieces.add_permits(count);
    }
}

async fn other_call(State(fake): State<FakeModel>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri.path());
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    fake.calls.lock().unwrap().push((line.clone(), body));
    let (status, text) =
        fake.answers.lock().unwrap().get(&line).cloned().unwrap_or((StatusCode::OK, "{}".to_owned()));
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn admin_models(State(fake): State<FakeModel>) -> Json<Value> {
    Json(json!({"models": fake.models.lock().unwrap().clone()}))
}

/// Tells that a stream has ended, however it did.
struct End(Arc<Semaphore>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

async fn chat(State(fake): State<FakeModel>, Json(body): Json<ChatRequest>) -> Response {
    fake.requests.lock().unwrap().push(body);
    let script = {
        let mut scripts = fake.scripts.lock().unwrap();
        if scripts.len() > 1 { scripts.remove(0) } else { scripts[0].clone() }
    };
    if let Some(error) = script.first().filter(|first| first.get("error").is_some()) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(error.clone())).into_response();
    }
    let lines =
        script.into_iter().map(|chunk| format!("data: {chunk}\n\n")).chain(["data: [DONE]\n\n".to_owned()]);
    let (pieces, end) = (fake.pieces.clone(), End(fake.ended.clone()));
    let stream = futures::stream::unfold((lines, pieces, end), |(mut lines, pieces, end)| async move {
        let line = lines.next()?;
        pieces.acquire().await.unwrap().forget();
        Some((Ok::<_, std::io::Error>(line), (lines, pieces, end)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}
