//! Passing a call on, and its answer back.

use crate::app::AppState;
use crate::auth::SignedIn;
use anwen_contract::client::ServiceClient;
use anwen_contract::{ApiError, ErrorCode};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A call to be passed on.
pub struct Forwarded<'a> {
    pub client: &'a ServiceClient,
    pub method: Method,
    pub path: String,
    /// The query string as it came.
    pub query: Option<String>,
}

impl Forwarded<'_> {
    fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) if !query.is_empty() => format!("{}?{query}", self.path),
            _ => self.path.clone(),
        }
    }

    /// The request, signed for the caller.
    pub fn request(&self, app: &AppState, caller: &SignedIn) -> Result<reqwest::RequestBuilder, ApiError> {
        self.client.request(&caller.context(app), self.method.clone(), &self.path_and_query())
    }
}

/// Sends a request with or without a JSON body, and passes the whole answer back.
pub async fn json_answer(
    app: &AppState,
    caller: &SignedIn,
    call: &Forwarded<'_>,
    body: Option<Bytes>,
) -> Result<(StatusCode, Bytes), ApiError> {
    let mut request = call.request(app, caller)?.timeout(app.config.limits.service_call());
    if let Some(body) = body {
        request = request.header(CONTENT_TYPE, "application/json").body(body);
    }
    let answer = call.client.send(request).await.map_err(inner)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(broken_off)?;
    Ok((status, bytes))
}

/// Bytes of JSON as a response.
pub fn exact_answer((status, bytes): (StatusCode, Bytes)) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// An answer that is passed back as it comes, with these of its headers. It ends with the process, and after `longest`
/// if that is given.
pub fn streamed_answer(
    app: &AppState,
    answer: reqwest::Response,
    headers: &[HeaderName],
    longest: Option<Duration>,
) -> Response {
    let status = answer.status();
    let mut passed = HeaderMap::new();
    for name in headers {
        if let Some(value) = answer.headers().get(name) {
            passed.insert(name.clone(), value.clone());
        }
    }
    let shutdown = app.shutdown.token();
    let end = async move {
        match longest {
            Some(longest) => {
                tokio::select! { () = shutdown.cancelled() => {}, () = tokio::time::sleep(longest) => {} }
            }
            None => shutdown.cancelled().await,
        }
    };
    let mut response = Response::new(Body::from_stream(answer.bytes_stream().take_until(Box::pin(end))));
    *response.status_mut() = status;
    *response.headers_mut() = passed;
    response
}

/// A body passed through without being held. Past `max_bytes` it breaks off, and the second part says so.
pub fn bounded_body(body: Body, max_bytes: u64) -> (reqwest::Body, WentPastBound) {
    let bound = WentPastBound::default();
    let (went_past, mut sent) = (bound.0.clone(), 0u64);
    let parts = body.into_data_stream().map(move |part| {
        let part = part.map_err(std::io::Error::other)?;
        sent += part.len() as u64;
        if sent > max_bytes {
            went_past.store(true, Ordering::Relaxed);
            return Err(std::io::Error::other("the body went past its bound"));
        }
        Ok(part)
    });
    (reqwest::Body::wrap_stream(parts), bound)
}

/// Whether a body that is passed through was longer than it may be.
#[derive(Debug, Clone, Default)]
pub struct WentPastBound(Arc<AtomicBool>);

impl WentPastBound {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The length that the caller announced, if it did.
pub fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A failure of the inner call as the caller may know it. That the inner service does not take our token is our own
/// fault, not the caller's.
pub fn inner(failure: ApiError) -> ApiError {
    if failure.code == ErrorCode::Unauthenticated {
        return ApiError::internal(
            "an inner service refused the internal token; do all services share one secret?",
        );
    }
    failure
}

pub fn broken_off(cause: reqwest::Error) -> ApiError {
    ApiError::new(ErrorCode::ServiceUnavailable, "the answer broke off; try again in a moment").because(cause)
}
