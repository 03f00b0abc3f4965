//! Reading bodies and answering errors in the way of each surface.

use std::marker::PhantomData;

use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::RequestId;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::RuntimeError;

/// Seconds after which a client should try a full queue again.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Whose envelope errors come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surface {
    OpenAi,
    Ollama,
}

impl Surface {
    /// The surface that `path` belongs to; our own routes belong to neither.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        if path.starts_with("/v1/") || path.starts_with("/v2/") {
            Some(Self::OpenAi)
        } else if path.starts_with("/api/") {
            Some(Self::Ollama)
        } else {
            None
        }
    }

    /// The body of an error answer, or of an error in the middle of a stream.
    pub(super) fn error_body(self, code: ErrorCode, message: &str) -> Value {
        match self {
            Self::OpenAi => json!({
                "error": {"message": message, "type": openai_type(code), "param": null, "code": code.as_str()}
            }),
            Self::Ollama => json!({"error": message}),
        }
    }

    /// An error answer.
    pub(super) fn error(self, code: ErrorCode, message: &str) -> Response {
        let mut response = (code.status(), axum::Json(self.error_body(code, message))).into_response();
        if code.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        response
    }

    /// Logs a failure and puts it into this surface's body.
    pub(super) fn body_of(self, failure: &RuntimeError, request_id: &str) -> Value {
        log(failure, request_id);
        self.error_body(failure.code(), &failure.to_string())
    }
}

/// OpenAI's word for the kind of an error.
fn openai_type(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Unauthenticated => "authentication_error",
        ErrorCode::Forbidden => "permission_error",
        code if code.status().is_client_error() => "invalid_request_error",
        _ => "server_error",
    }
}

/// The one place where a failure of these surfaces is logged.
fn log(failure: &RuntimeError, request_id: &str) {
    let code = failure.code();
    let cause = ApiError::from(failure.clone()).internal.unwrap_or_default();
    if code.status().is_server_error() && code != ErrorCode::ModelBusy {
        tracing::error!(%code, cause, request_id, "request failed");
    } else {
        tracing::debug!(%code, cause, request_id, "request refused");
    }
    metrics::counter!("anwen_model_failures_total", "code" => code.as_str()).increment(1);
}

/// The surface that a handler answers on, as a type.
pub(super) trait SurfaceKind: Send + Sync + 'static {
    const SURFACE: Surface;
}

/// OpenAI's.
pub(super) struct OpenAi;

/// Ollama's.
pub(super) struct Ollama;

impl SurfaceKind for OpenAi {
    const SURFACE: Surface = Surface::OpenAi;
}

impl SurfaceKind for Ollama {
    const SURFACE: Surface = Surface::Ollama;
}

/// A failure on its way out.
pub(super) struct Failure<K> {
    response: Response,
    kind: PhantomData<K>,
}

impl<K: SurfaceKind> Failure<K> {
    pub(super) fn new(failure: &RuntimeError, request_id: &str) -> Self {
        log(failure, request_id);
        let mut response = K::SURFACE.error(failure.code(), &failure.to_string());
        if let Some(wait) = failure.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
        }
        Self { response, kind: PhantomData }
    }

    fn of_code(code: ErrorCode, message: &str) -> Self {
        Self { response: K::SURFACE.error(code, message), kind: PhantomData }
    }
}

impl<K> IntoResponse for Failure<K> {
    fn into_response(self) -> Response {
        self.response
    }
}

/// A JSON body with the id of its request. The content type is not asked for: `curl -d` sends the wrong one, and
/// Ollama takes it.
pub(super) struct Body<K, T> {
    pub value: T,
    pub request_id: String,
    kind: PhantomData<K>,
}

impl<K: SurfaceKind, T> Body<K, T> {
    /// Puts a failure of this request into the surface's envelope.
    pub(super) fn failure(request_id: &str) -> impl Fn(RuntimeError) -> Failure<K> + use<'_, K, T> {
        move |failure| Failure::new(&failure, request_id)
    }
}

impl<S: Send + Sync, K: SurfaceKind, T: DeserializeOwned> FromRequest<S> for Body<K, T> {
    type Rejection = Failure<K>;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure<K>> {
        let (mut parts, body) = request.into_parts();
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(&mut parts, state).await;
        let bytes = Bytes::from_request(Request::from_parts(parts, body), state).await.map_err(|cause| {
            if cause.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Failure::of_code(ErrorCode::BodyTooLarge, "the body is larger than this call takes")
            } else {
                Failure::of_code(ErrorCode::InvalidJson, "the body broke off")
            }
        })?;
        let value = serde_json::from_slice(&bytes).map_err(|cause| {
            let code = if cause.is_data() { ErrorCode::InvalidRequest } else { ErrorCode::InvalidJson };
            Failure::of_code(code, &format!("the body is not what this call takes: {cause}"))
        })?;
        Ok(Self { value, request_id, kind: PhantomData })
    }
}
