//! The replicas of one server: choosing, asking and probing them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use reqwest::{Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::UpstreamEngine;
use super::breaker::{Breaker, Health, choose};
use super::settings::UpstreamSettings;
use crate::engine::Engine;
use crate::error::RuntimeError;

/// Bytes of an error answer that are read.
const MAX_ERROR_BYTES: usize = 4096;
/// Bytes of an answer that is no stream.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// The pause before all replicas are asked once more; it grows with each round.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a busy server is left alone when it does not say.
const BUSY_RETRY: Duration = Duration::from_secs(5);

/// A key that shows in no log.
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

struct Replica {
    base_url: Url,
    running: AtomicUsize,
    breaker: Mutex<Breaker>,
}

impl Replica {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // A breaker is one value: a panic elsewhere does not spoil it.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One server, or several that offer the same models.
pub struct Upstream {
    settings: UpstreamSettings,
    http: reqwest::Client,
    key: Option<Secret>,
    replicas: Vec<Replica>,
    turn: AtomicUsize,
}

/// A request's hold on a replica; counts as running until dropped.
pub struct Lease {
    upstream: Arc<Upstream>,
    index: usize,
    judged: bool,
}

/// How a replica stands, for listings.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ReplicaState {
    pub upstream: String,
    pub url: String,
    pub state: &'static str,
    pub running: usize,
}

/// Why an attempt failed.
enum Failure {
    /// The request itself: no replica would take it.
    Request(RuntimeError),
    /// This replica has enough to do.
    Busy(Duration),
    /// This replica is ill.
    Replica(String),
}

impl Upstream {
    /// The server that `settings` describe; `None`, with a line in the log, where they are wrong.
    pub fn open(settings: &UpstreamSettings) -> Option<Self> {
        Self::try_open(settings)
            .inspect_err(|cause| {
                tracing::error!(upstream = settings.name, cause, "an upstream cannot be used")
            })
            .ok()
    }

    fn try_open(settings: &UpstreamSettings) -> Result<Self, String> {
        if settings.base_urls.is_empty() {
            return Err("base_urls is empty".to_owned());
        }
        let replica = |text: &String| {
            let slashed = if text.ends_with('/') { text.clone() } else { format!("{text}/") };
            let base_url =
                Url::parse(&slashed).map_err(|cause| format!("{text:?} is no address: {cause}"))?;
            Ok(Replica { base_url, running: AtomicUsize::new(0), breaker: Mutex::default() })
        };
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| cause.to_string())?;
        Ok(Self {
            http,
            key: key_of(settings)?,
            replicas: settings.base_urls.iter().map(replica).collect::<Result<_, String>>()?,
            turn: AtomicUsize::new(0),
            settings: settings.clone(),
        })
    }

    /// Its models, by the name that they have here.
    pub fn engines(self: &Arc<Self>) -> Vec<(String, Arc<dyn Engine>)> {
        let engine = |(name, model): (&String, &_)| {
            let engine: Arc<dyn Engine> = Arc::new(UpstreamEngine::new(Arc::clone(self), name, model));
            (name.clone(), engine)
        };
        self.settings.models.iter().map(engine).collect()
    }

    pub(super) fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    /// How each replica stands now.
    pub fn states(&self) -> Vec<ReplicaState> {
        let now = Instant::now();
        let state = |replica: &Replica| ReplicaState {
            upstream: self.settings.name.clone(),
            url: replica.base_url.to_string(),
            state: replica.breaker().health(now).as_str(),
            running: replica.running.load(Ordering::Relaxed),
        };
        self.replicas.iter().map(state).collect()
    }

    /// Whether no replica is asked at present.
    pub fn is_down(&self) -> bool {
        let now = Instant::now();
        self.replicas.iter().all(|replica| replica.breaker().health(now) == Health::Ill)
    }

    fn lease(self: &Arc<Self>, tried: &[usize]) -> Option<Lease> {
        let now = Instant::now();
        let states: Vec<(Health, usize)> = self
            .replicas
            .iter()
            .map(|replica| (replica.breaker().health(now), replica.running.load(Ordering::Relaxed)))
            .collect();
        let index = choose(&states, tried, self.turn.fetch_add(1, Ordering::Relaxed))?;
        let replica = &self.replicas[index];
        replica.breaker().sent(now);
        replica.running.fetch_add(1, Ordering::Relaxed);
        Some(Lease { upstream: Arc::clone(self), index, judged: false })
    }

    /// Sends a request to the best replica, and to others while it is not taken. `tries` counts attempts over the life of
    /// the request.
    pub(super) async fn send(
        self: &Arc<Self>,
        model: &str,
        path: &str,
        body: &Value,
        timeout: Duration,
        tries: &mut u32,
    ) -> Result<(Response, Lease), RuntimeError> {
        let mut tried = Vec::new();
        let mut last = Failure::Replica("every replica is left alone after failures".to_owned());
        let mut rounds = 0;
        while *tries < self.settings.attempts.max(1) {
            let Some(mut lease) = self.lease(&tried) else {
                if tried.is_empty() {
                    break;
                }
                // Each has failed once: a new round, after a while.
                tried.clear();
                rounds += 1;
                tokio::time::sleep(ROUND_PAUSE * rounds).await;
                continue;
            };
            *tries += 1;
            tried.push(lease.index);
            match self.attempt(&lease, path, body, timeout).await {
                Ok(response) => return Ok((response, lease)),
                Err(Failure::Request(error)) => {
                    lease.succeeded();
                    return Err(error);
                }
                Err(failure) => {
                    match &failure {
                        Failure::Replica(cause) => lease.failed(cause),
                        _ => lease.succeeded(),
                    }
                    last = failure;
                }
            }
        }
        Err(match last {
            Failure::Request(error) => error,
            Failure::Busy(retry_after) => {
                RuntimeError::Busy { model: model.to_owned(), waiting: tried.len(), retry_after }
            }
            Failure::Replica(cause) => RuntimeError::UpstreamUnavailable { model: model.to_owned(), cause },
        })
    }

    async fn attempt(
        &self,
        lease: &Lease,
        path: &str,
        body: &Value,
        timeout: Duration,
    ) -> Result<Response, Failure> {
        let url = self.url(lease.index, path)?;
        let mut request = self.http.post(url).json(body);
        if let Some(Secret(key)) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = match tokio::time::timeout(timeout, request.send()).await {
            Err(_) => return Err(Failure::Replica("it did not answer in time".to_owned())),
            Ok(Err(cause)) => return Err(Failure::Replica(cause.without_url().to_string())),
            Ok(Ok(response)) => response,
        };
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    fn url(&self, index: usize, path: &str) -> Result<Url, Failure> {
        let joined = self.replicas[index].base_url.join(path);
        joined.map_err(|cause| Failure::Request(RuntimeError::internal(cause)))
    }

    /// Sends a request whose answer is one JSON value.
    pub(super) async fn call(
        self: &Arc<Self>,
        model: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, RuntimeError> {
        let timeout = self.settings.call_timeout();
        let (mut response, mut lease) = self.send(model, path, body, timeout, &mut 0).await?;
        let read = async {
            let mut bytes = Vec::new();
            while let Some(part) = response.chunk().await.map_err(|cause| cause.without_url().to_string())? {
                bytes.extend_from_slice(&part);
                if bytes.len() > MAX_ANSWER_BYTES {
                    return Err(format!("an answer of more than {MAX_ANSWER_BYTES} bytes"));
                }
            }
            serde_json::from_slice(&bytes).map_err(|cause| cause.to_string())
        };
        let outcome =
            tokio::time::timeout(timeout, read).await.unwrap_or_else(|_| Err("too slow".to_owned()));
        match &outcome {
            Ok(_) => lease.succeeded(),
            Err(cause) => lease.failed(cause),
        }
        outcome.map_err(|cause| RuntimeError::GenerationFailed { cause })
    }

    /// Asks every replica for its models, again and again, until the upstream is gone.
    pub fn spawn_probing(self: &Arc<Self>) {
        let interval = Duration::from_millis(self.settings.probe_interval_ms);
        if interval.is_zero() {
            return;
        }
        let weak = Arc::downgrade(self);
        tokio::spawn(async move { probe_while_alive(weak, interval).await });
    }

    /// Asks every replica for its models once.
    pub async fn probe(&self) {
        for (index, replica) in self.replicas.iter().enumerate() {
            let Ok(url) = self.url(index, "models") else { continue };
            let mut request = self.http.get(url).timeout(PROBE_TIMEOUT);
            if let Some(Secret(key)) = &self.key {
                request = request.bearer_auth(key);
            }
            let is_well = request.send().await.is_ok_and(|response| !response.status().is_server_error());
            let now = Instant::now();
            if is_well {
                replica.breaker().succeeded();
            } else {
                replica.breaker().failed(now, self.settings.breaker());
            }
            let labels = [("upstream", self.settings.name.clone()), ("replica", index.to_string())];
            metrics::gauge!("anwen_model_upstream_up", &labels).set(f64::from(u8::from(is_well)));
        }
    }
}

async fn probe_while_alive(upstream: Weak<Upstream>, interval: Duration) {
    loop {
        match upstream.upgrade() {
            Some(upstream) => upstream.probe().await,
            None => return,
        }
        tokio::time::sleep(interval).await;
    }
}

/// What an answer that is no success says about the request and the replica.
async fn refusal(mut response: Response) -> Failure {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|seconds| seconds.parse().ok())
        .map_or(BUSY_RETRY, Duration::from_secs);
    let mut bytes = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        bytes.extend_from_slice(&part);
        if bytes.len() >= MAX_ERROR_BYTES {
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_ERROR_BYTES)]).into_owned();
    match status {
        StatusCode::TOO_MANY_REQUESTS => Failure::Busy(retry_after),
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            let message = message_in(&text).unwrap_or_else(|| format!("status {}", status.as_u16()));
            Failure::Request(RuntimeError::Invalid(format!(
                "the server behind this model refused the request: {message}"
            )))
        }
        _ => Failure::Replica(format!("status {status}: {text}")),
    }
}

/// The message in OpenAI's envelope, or in a plainer one.
fn message_in(text: &str) -> Option<String> {
    let body: Value = serde_json::from_str(text).ok()?;
    ["/error/message", "/message", "/detail", "/error"]
        .iter()
        .find_map(|path| body.pointer(path).and_then(Value::as_str).map(str::to_owned))
}

fn key_of(settings: &UpstreamSettings) -> Result<Option<Secret>, String> {
    let text = match &settings.api_key_file {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            text.map_err(|cause| format!("api_key_file {}: {cause}", file.display()))?
        }
        None if settings.api_key_env.is_empty() => return Ok(None),
        None => std::env::var(&settings.api_key_env)
            .map_err(|_| format!("the variable {} in api_key_env is not set", settings.api_key_env))?,
    };
    Ok(Some(Secret(text.trim().to_owned())))
}

impl Lease {
    fn replica(&self) -> &Replica {
        &self.upstream.replicas[self.index]
    }

    /// The replica has done what it should.
    pub(super) fn succeeded(&mut self) {
        self.judged = true;
        self.replica().breaker().succeeded();
    }

    /// The replica has failed.
    pub(super) fn failed(&mut self, cause: &str) {
        self.judged = true;
        let settings = &self.upstream.settings;
        tracing::warn!(upstream = settings.name, url = %self.replica().base_url, cause, "a replica failed");
        metrics::counter!("anwen_model_upstream_failures_total", "upstream" => settings.name.clone())
            .increment(1);
        self.replica().breaker().failed(Instant::now(), settings.breaker());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.replica().running.fetch_sub(1, Ordering::Relaxed);
        if !self.judged {
            self.replica().breaker().abandoned();
        }
    }
}
