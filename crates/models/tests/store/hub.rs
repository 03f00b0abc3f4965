//! A stand-in of Hugging Face, ModelScope and Ollama's registry on one address, which can be told to misbehave.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anwen_models::PullSettings;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::digest;

/// How the stand-in misbehaves.
#[derive(Default)]
pub struct Mischief {
    /// The answers to the next requests for bytes break off after so many.
    pub cuts: Mutex<VecDeque<usize>>,
    /// Ranges are ignored.
    pub no_ranges: bool,
    /// Requests for files of Hugging Face are sent there.
    pub redirect_to: Option<String>,
    /// The listings tell this digest instead of the right one.
    pub wrong_digest: Option<String>,
    /// Bytes come only as far as this allows: one permit, one answer.
    pub gate: Option<Arc<Semaphore>>,
    /// Answers wait for ever after their first bytes.
    pub stall: bool,
    /// A token is asked for.
    pub token: Option<String>,
}

pub struct Hub {
    pub url: String,
    pub state: Arc<HubState>,
}

pub struct HubState {
    files: HashMap<String, Bytes>,
    pub mischief: Mischief,
    /// Requests for bytes that were answered.
    pub byte_requests: AtomicUsize,
    pub bytes_sent: AtomicUsize,
}

impl Hub {
    /// Serves `files` as the repository `o/r` and, of the file `m.gguf`, as the model `tiny:latest`.
    pub async fn start(files: &[(&str, Vec<u8>)], mischief: Mischief) -> Self {
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone().into())).collect();
        let state = Arc::new(HubState {
            files,
            mischief,
            byte_requests: AtomicUsize::new(0),
            bytes_sent: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, state }
    }

    pub fn settings(&self) -> PullSettings {
        PullSettings {
            enabled: true,
            hugging_face_url: self.url.clone(),
            hugging_face_token: "secret".to_owned(),
            modelscope_url: self.url.clone(),
            modelscope_token: String::new(),
            ollama_registry_url: self.url.clone(),
            s3_endpoint: self.url.clone(),
            s3_region: "us-east-1".to_owned(),
            s3_access_key_id: "key".to_owned(),
            s3_secret_access_key: "secret".to_owned(),
            connections: 3,
            chunk_bytes: 10_000,
            attempts: 3,
            backoff_ms: 1,
            stall_timeout_ms: 10_000,
            max_bytes: 100_000_000,
            max_pulls: 2,
        }
    }

    pub fn byte_requests(&self) -> usize {
        self.state.byte_requests.load(Ordering::SeqCst)
    }

    pub fn bytes_sent(&self) -> usize {
        self.state.bytes_sent.load(Ordering::SeqCst)
    }
}

impl HubState {
    fn digest_of(&self, path: &str) -> String {
        // Of weights alone: files of one digest are one file to those who fetch them.
        let wrong = self.mischief.wrong_digest.clone().filter(|_| path.ends_with(".gguf"));
        wrong.unwrap_or_else(|| digest(&self.files[path]))
    }

    fn hugging_face(&self) -> Value {
        let siblings: Vec<Value> = self
            .files
            .iter()
            .map(|(path, bytes)| {
                let lfs = json!({"sha256": self.digest_of(path), "size": bytes.len(), "pointerSize": 134});
                json!({"rfilename": path, "size": bytes.len(), "lfs": lfs})
            })
            .collect();
        json!({"id": "o/r", "sha": "0123abcd", "siblings": siblings})
    }

    fn modelscope(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|(path, bytes)| {
                json!({"Path": path, "Name": path, "Size": bytes.len(), "Sha256": self.digest_of(path),
                    "Type": "blob", "Revision": "c0ffee"})
            })
            .collect();
        json!({"Code": 200, "Data": {"Files": files}})
    }

    fn registry(&self) -> Value {
        let layer = |kind: &str, path: &str| {
            json!({"mediaType": format!("application/vnd.ollama.image.{kind}"),
                "digest": format!("sha256:{}", self.digest_of(path)), "size": self.files[path].len()})
        };
        let mut layers = vec![layer("model", "m.gguf")];
        for (kind, path) in [("template", "template"), ("params", "params.json"), ("license", "license")] {
            if self.files.contains_key(path) {
                layers.push(layer(kind, path));
            }
        }
        json!({"schemaVersion": 2, "layers": layers})
    }

    fn by_digest(&self, wanted: &str) -> Option<&Bytes> {
        self.files.iter().find(|(path, _)| self.digest_of(path) == wanted).map(|(_, bytes)| bytes)
    }
}

async fn answer(State(hub): State<Arc<HubState>>, request: Request) -> Response {
    if let Some(token) = &hub.mischief.token
        && request.headers().get(AUTHORIZATION).is_none_or(|given| *given != format!("Bearer {token}"))
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let path = request.uri().path().to_owned();
    if path == "/api/models/o/r/revision/main" {
        return axum::Json(hub.hugging_face()).into_response();
    } else if path == "/api/v1/models/o/r/repo/files" {
        return axum::Json(hub.modelscope()).into_response();
    } else if path == "/v2/library/tiny/manifests/latest" {
        return axum::Json(hub.registry()).into_response();
    } else if path == "/bucket" {
        return listing(&hub);
    }
    if let Some(location) = hub.mischief.redirect_to.as_ref().filter(|_| path.starts_with("/o/r/resolve/")) {
        return (StatusCode::FOUND, [(LOCATION, location.clone())]).into_response();
    }
    let found = if let Some(digest) = path.strip_prefix("/v2/library/tiny/blobs/sha256:") {
        hub.by_digest(digest)
    } else if let Some(file) = path.strip_prefix("/o/r/resolve/0123abcd/") {
        hub.files.get(file)
    } else if let Some(file) = path.strip_prefix("/bucket/models/r/") {
        hub.files.get(file)
    } else if path == "/api/v1/models/o/r/repo" {
        let query = request.uri().query().unwrap_or_default();
        hub.files
            .iter()
            .find(|(file, _)| query.ends_with(&format!("FilePath={file}")))
            .map(|(_, bytes)| bytes)
    } else {
        None
    };
    match found.cloned() {
        Some(bytes) => send(&hub, request.headers(), bytes).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The listing of a bucket (S3's ListObjectsV2).
fn listing(hub: &HubState) -> Response {
    let contents: String = hub
        .files
        .iter()
        .map(|(path, bytes)| {
            let size = bytes.len();
            format!(
                "<Contents><Key>models/r/{path}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"x\"</ETag><Size>{size}</Size></Contents>"
            )
        })
        .collect();
    let text = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{contents}\
         </ListBucketResult>"
    );
    text.into_response()
}

async fn send(hub: &HubState, headers: &HeaderMap, bytes: Bytes) -> Response {
    hub.byte_requests.fetch_add(1, Ordering::SeqCst);
    if let Some(gate) = &hub.mischief.gate {
        gate.acquire().await.unwrap().forget();
    }
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok()).filter(|_| !hub.mischief.no_ranges);
    let (status, first, part) = match range {
        Some(range) => {
            let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            (StatusCode::PARTIAL_CONTENT, first, bytes.slice(first..=last.min(bytes.len() - 1)))
        }
        None => (StatusCode::OK, 0, bytes.clone()),
    };
    let total = bytes.len();
    let content_range = format!("bytes {first}-{}/{total}", first + part.len() - 1);
    let last_modified = ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT".to_owned());
    let cut = hub.mischief.cuts.lock().unwrap().pop_front();
    let sent = cut.map_or(part.len(), |cut| cut.min(part.len()));
    hub.bytes_sent.fetch_add(sent, Ordering::SeqCst);
    let length = part.len().to_string();
    let is_cut = sent < part.len();
    let stall = hub.mischief.stall;
    let beginning = part.slice(..sent);
    let stream = async_stream(beginning, is_cut, stall);
    let headers = [(CONTENT_RANGE.as_str(), content_range), (CONTENT_LENGTH.as_str(), length), last_modified];
    (status, headers, Body::from_stream(stream)).into_response()
}

/// The bytes, and then the end, a broken connection, or nothing any more.
fn async_stream(
    bytes: Bytes,
    is_cut: bool,
    stall: bool,
) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    use futures::StreamExt as _;
    let start = futures::stream::iter([Ok::<_, Infallible>(bytes)]).map(|part| Ok(part.unwrap()));
    let end = futures::stream::once(async move {
        if stall {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        // The bytes before must have left before the connection breaks.
        tokio::time::sleep(Duration::from_millis(5)).await;
        if is_cut { Err(std::io::Error::other("cut")) } else { Ok(Bytes::new()) }
    });
    start.chain(end)
}
