//! Typed clients with deadlines. A call is retried only where repeating it changes nothing (reads, and writes
//! that are idempotent by design), a bounded number of times, with a growing pause.

mod knowledge;
mod model;
mod search;

pub use knowledge::KnowledgeClient;
pub use model::{ChatStream, ModelClient};
pub use search::SearchClient;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::principal::Asker;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The header by which a request is found in the logs of every service that it touched.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// The header that names the span which a call belongs to (W3C trace context).
pub const TRACE_PARENT_HEADER: &str = "traceparent";
/// How often a call that changes nothing is tried in all.
const MAX_ATTEMPTS: u32 = 3;
/// The pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Time for one call when the caller does not say.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// The most bytes of a JSON answer that a client reads.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The services that a token can be meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    Web,
    Knowledge,
    ModelRuntime,
    SearchProxy,
}

impl Audience {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Knowledge => "knowledge",
            Self::ModelRuntime => "model-runtime",
            Self::SearchProxy => "search-proxy",
        }
    }
}

/// Signs the tokens that carry the asker between services. The platform crate implements it.
pub trait TokenSource: Send + Sync {
    /// A short-lived bearer token by which `audience` knows that `asker` asks.
    fn bearer(&self, asker: &Asker, audience: Audience) -> Result<String, ApiError>;

    /// The value of [`TRACE_PARENT_HEADER`] for a call that is made now; `None` where nobody traces.
    fn trace_parent(&self) -> Option<String> {
        None
    }
}

/// For whom, under which request id and for how long a call is made.
#[derive(Debug, Clone)]
pub struct CallContext {
    pub asker: Asker,
    pub request_id: String,
    pub deadline: Duration,
}

impl CallContext {
    pub fn new(asker: Asker, request_id: impl Into<String>) -> Self {
        Self { asker, request_id: request_id.into(), deadline: DEFAULT_DEADLINE }
    }

    /// The same call with another bound on its time.
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// Whether a call may be sent again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Repeating changes nothing.
    Safe,
    /// The first try may have taken effect.
    Never,
}

/// What the typed clients share: where the service is, and how it is spoken to.
#[derive(Clone)]
pub struct ServiceClient {
    base_url: Url,
    http: reqwest::Client,
    tokens: Arc<dyn TokenSource>,
    audience: Audience,
}

impl ServiceClient {
    /// `http` is shared by all clients of a process, so that connections are.
    pub fn new(
        base_url: Url,
        http: reqwest::Client,
        tokens: Arc<dyn TokenSource>,
        audience: Audience,
    ) -> Self {
        Self { base_url, http, tokens, audience }
    }

    /// Where the service is.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// A request to `path_and_query`, signed for the asker, without a deadline (streams set none).
    pub fn request(
        &self,
        context: &CallContext,
        method: Method,
        path_and_query: &str,
    ) -> Result<reqwest::RequestBuilder, ApiError> {
        let url = self.base_url.join(path_and_query).map_err(ApiError::internal)?;
        let token = self.tokens.bearer(&context.asker, self.audience)?;
        let request = self
            .http
            .request(method, url)
            .bearer_auth(token)
            .header(REQUEST_ID_HEADER, context.request_id.as_str());
        Ok(match self.tokens.trace_parent() {
            Some(parent) => request.header(TRACE_PARENT_HEADER, parent),
            None => request,
        })
    }

    /// Whether the service says that it is ready.
    pub async fn is_ready(&self, deadline: Duration) -> bool {
        let Ok(url) = self.base_url.join("/readyz") else { return false };
        match self.http.get(url).timeout(deadline).send().await {
            Ok(answer) => answer.status().is_success(),
            Err(_) => false,
        }
    }

    async fn get<T: DeserializeOwned>(&self, context: &CallContext, path: &str) -> Result<T, ApiError> {
        self.call(context, Method::GET, path, None::<&()>, Repeat::Safe).await
    }

    async fn call<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        context: &CallContext,
        method: Method,
        path: &str,
        body: Option<&B>,
        repeat: Repeat,
    ) -> Result<T, ApiError> {
        let bytes = self.call_bytes(context, method, path, body, repeat).await?;
        // An answer without a body reads as JSON null, which `()` takes.
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(text).map_err(|cause| {
            ApiError::internal(format!(
                "{} answered {path} in an unknown shape: {cause}",
                self.audience.as_str()
            ))
        })
    }

    async fn call_bytes<B: Serialize + ?Sized>(
        &self,
        context: &CallContext,
        method: Method,
        path: &str,
        body: Option<&B>,
        repeat: Repeat,
    ) -> Result<Vec<u8>, ApiError> {
        let started = tokio::time::Instant::now();
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let left = context.deadline.saturating_sub(started.elapsed());
            let failure = match self.attempt(context, method.clone(), path, body, left).await {
                Ok(bytes) => return Ok(bytes),
                Err(failure) => failure,
            };
            let again = repeat == Repeat::Safe
                && attempt < MAX_ATTEMPTS
                && failure.code == ErrorCode::ServiceUnavailable
                && started.elapsed() + pause < context.deadline;
            if !again {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(self.unavailable("no attempt was made"))
    }

    async fn attempt<B: Serialize + ?Sized>(
        &self,
        context: &CallContext,
        method: Method,
        path: &str,
        body: Option<&B>,
        deadline: Duration,
    ) -> Result<Vec<u8>, ApiError> {
        let mut request = self.request(context, method, path)?.timeout(deadline);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.send(request).await?;
        read_bounded(answer).await.map_err(|cause| self.transport_failure(cause))
    }

    /// Sends a request and turns an error answer into its code.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, ApiError> {
        let answer = request.send().await.map_err(|cause| self.transport_failure(cause))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.failure_of(answer).await)
    }

    /// What an answer that is not a success says, for those who take some of them (such as "not modified").
    pub async fn failure_of(&self, answer: reqwest::Response) -> ApiError {
        let status = answer.status();
        let body = read_bounded(answer).await.unwrap_or_default();
        match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(ErrorBody { error }) => {
                let code = ErrorCode::parse(&error.code).unwrap_or(ErrorCode::Internal);
                ApiError::new(code, error.message)
            }
            Err(_) => self.unavailable(format!("status {status}")),
        }
    }

    fn transport_failure(&self, cause: reqwest::Error) -> ApiError {
        if cause.is_timeout() {
            let message = format!("{} did not answer in time; try again", self.audience.as_str());
            return ApiError::new(ErrorCode::DeadlineExceeded, message).because(cause);
        }
        self.unavailable(cause)
    }

    fn unavailable(&self, cause: impl std::fmt::Display) -> ApiError {
        let message = format!("{} does not answer; try again in a moment", self.audience.as_str());
        ApiError::new(ErrorCode::ServiceUnavailable, message).because(cause)
    }
}

async fn read_bounded(mut answer: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await? {
        if bytes.len() + part.len() > MAX_ANSWER_BYTES {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
