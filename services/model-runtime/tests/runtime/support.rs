//! A runtime on a free port, and what tests send to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anwen_contract::Asker;
use anwen_contract::UserId;
use anwen_contract::client::{Audience, TokenSource as _};
use anwen_model_runtime::registry::Registry;
use anwen_model_runtime::{Config, build};
use anwen_platform::{InternalTokens, http};
use futures::StreamExt as _;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The models directory of the repository.
pub fn bundled_models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").canonicalize().unwrap()
}

/// A running service. Stops when dropped.
pub struct Runtime {
    pub address: SocketAddr,
    pub registry: Arc<Registry>,
    pub models: TempDir,
    pub tokens: InternalTokens,
    client: reqwest::Client,
    stop: CancellationToken,
}

impl Runtime {
    /// The bundled embedding and the quoting answerer, with settings of the test's own.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let models = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(bundled_models().join("embedding"), models.path().join("embedding"))
            .unwrap();
        let mut config = Config::default();
        change(&mut config);
        let tokens = InternalTokens::new(&[7; 32]).unwrap();
        let service = build(config, models.path(), tokens.clone()).await;
        let listener = http::bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(http::serve(listener, service.router(), stop.clone()));
        Self {
            address,
            registry: Arc::clone(service.registry()),
            models,
            tokens,
            client: reqwest::Client::new(),
            stop,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn bearer(&self) -> String {
        self.bearer_of(false)
    }

    /// The token of somebody who is an administrator, or is not.
    pub fn bearer_of(&self, is_admin: bool) -> String {
        let asker =
            Asker { user_id: UserId::new(), groups: Vec::new(), is_admin, only_knowledge_bases: None };
        self.tokens.bearer(&asker, Audience::ModelRuntime).unwrap()
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(self.url(path)).bearer_auth(self.bearer()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub async fn send(&self, path: &str, body: &Value) -> reqwest::Response {
        self.client.post(self.url(path)).bearer_auth(self.bearer()).json(body).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.send(path, body).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The `data` of each server-sent event.
    pub async fn stream_openai(&self, path: &str, body: &Value) -> Vec<String> {
        let text = self.send(path, body).await.text().await.unwrap();
        text.lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
    }

    /// Each line of a streamed answer.
    pub async fn stream_ollama(&self, path: &str, body: &Value) -> Vec<Value> {
        let text = self.send(path, body).await.text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Requests that run and wait at `model`.
    pub fn load_of(&self, model: &str) -> (usize, usize) {
        self.registry
            .loaded()
            .iter()
            .find(|loaded| loaded.name == model)
            .map_or((0, 0), |loaded| loaded.admission.load())
    }

    /// Returns when `model` has this many requests running and waiting.
    pub async fn until_load(&self, model: &str, wanted: (usize, usize)) {
        let reached = async {
            while self.load_of(model) != wanted {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let limit = std::time::Duration::from_secs(20);
        let in_time = tokio::time::timeout(limit, reached).await.is_ok();
        assert!(in_time, "{model} is at {:?} and not at {wanted:?}", self.load_of(model));
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The content of a streamed chat completion.
pub fn content_of(events: &[String]) -> String {
    events
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect()
}

/// Reads a streamed answer until `enough` of it has come.
pub async fn read_until(response: reqwest::Response, enough: &str) -> (reqwest::Response, String) {
    let mut response = response;
    let mut text = String::new();
    while !text.contains(enough) {
        let part = response.chunk().await.unwrap().expect("the stream ended early");
        text.push_str(&String::from_utf8_lossy(&part));
    }
    (response, text)
}

/// Runs several futures at once.
pub async fn all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    futures::stream::iter(futures).buffered(usize::MAX >> 1).collect().await
}
