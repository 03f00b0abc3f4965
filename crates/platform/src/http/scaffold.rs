//! The layers around every service's routes.

use super::extract::RequestId;
use super::health::{self, ReadyCheck};
use anwen_contract::client::{REQUEST_ID_HEADER, TRACE_PARENT_HEADER};
use anwen_contract::error::{ErrorBody, ErrorDetail};
use anwen_contract::{ApiError, ErrorCode};
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderMap, HeaderValue};
use std::any::Any;
use std::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

/// The longest request id that is taken from outside.
const MAX_REQUEST_ID_CHARS: usize = 64;

/// Puts a service's routes into their frame.
pub struct Scaffold {
    service: &'static str,
    checks: Vec<ReadyCheck>,
}

impl Scaffold {
    pub fn new(service: &'static str) -> Self {
        // The recorder must stand before the first metric is counted.
        crate::telemetry::metrics_handle();
        metrics::gauge!("anwen_build_info", "service" => service, "version" => env!("CARGO_PKG_VERSION"))
            .set(1.0);
        Self { service, checks: Vec::new() }
    }

    /// What `/readyz` asks.
    pub fn ready(mut self, checks: Vec<ReadyCheck>) -> Self {
        self.checks = checks;
        self
    }

    /// The routes with health, readiness, metrics, request ids, error bodies, and panics caught.
    pub fn wrap(self, routes: Router) -> Router {
        self.wrap_with_fallback(routes.fallback(route_not_found))
    }

    /// The same for routes that bring a fallback of their own.
    pub fn wrap_with_fallback(self, routes: Router) -> Router {
        let service = self.service;
        routes
            .method_not_allowed_fallback(method_not_allowed)
            .merge(health::routes(service, self.checks))
            .layer(CatchPanicLayer::custom(panic_answer))
            .layer(from_fn(move |request, next| frame(service, request, next)))
    }
}

async fn route_not_found() -> ApiError {
    ApiError::new(ErrorCode::RouteNotFound, "no such route")
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(ErrorCode::MethodNotAllowed, "this route does not take this method")
}

fn panic_answer(payload: Box<dyn Any + Send + 'static>) -> Response {
    let cause = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    ApiError::internal(format!("panic: {cause}")).into_response()
}

/// Gives the request its id and its span, then completes, logs and counts the answer.
async fn frame(service: &'static str, mut request: Request, next: Next) -> Response {
    let request_id = request_id_of(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let trace_parent = request.headers().get(TRACE_PARENT_HEADER).and_then(|value| value.to_str().ok());
    let span =
        tracing::info_span!("request", service, %request_id, %method, route, trace_parent, status = Empty);
    async move {
        let started = Instant::now();
        let response = next.run(request).await;
        let mut response = complete(response, &request_id);
        let status = response.status();
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(REQUEST_ID_HEADER, value);
        }
        let elapsed = started.elapsed();
        Span::current().record("status", u64::from(status.as_u16()));
        tracing::debug!(status = status.as_u16(), elapsed_ms = elapsed.as_secs_f64() * 1000.0, "answered");
        let labels = [
            ("service", service.to_owned()),
            ("method", method.to_string()),
            ("route", route),
            ("status", status.as_str().to_owned()),
        ];
        metrics::counter!("anwen_http_requests_total", &labels).increment(1);
        metrics::histogram!("anwen_http_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
        response
    }
    .instrument(span)
    .await
}

/// Fills the request id into an error's body, and logs the cause: the one place where errors are logged.
fn complete(mut response: Response, request_id: &str) -> Response {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else {
        return response;
    };
    let status = response.status();
    let cause = error.internal.as_deref().unwrap_or_default();
    if status.is_server_error() {
        tracing::error!(code = %error.code, message = %error.message, cause, "request failed");
    } else {
        tracing::debug!(code = %error.code, message = %error.message, cause, "request refused");
    }
    let body = ErrorBody {
        error: ErrorDetail {
            code: error.code.as_str().to_owned(),
            message: error.message,
            request_id: request_id.to_owned(),
        },
    };
    let headers: HeaderMap = response.headers().clone();
    let mut completed = (status, Json(body)).into_response();
    // What a handler added (Retry-After, say) stays; length and type are the new body's.
    for (name, value) in headers.iter() {
        if *name != http::header::CONTENT_LENGTH && *name != http::header::CONTENT_TYPE {
            completed.headers_mut().append(name, value.clone());
        }
    }
    completed
}

/// The caller's id when it is a harmless one, otherwise a new one.
fn request_id_of(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID_HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|text| !text.is_empty() && text.len() <= MAX_REQUEST_ID_CHARS)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)))
        .map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt as _;

    fn app() -> Router {
        let routes =
            Router::new().route("/fails", get(|| async { ApiError::internal("the secret cause") })).route(
                "/panics",
                get(|| async {
                    if true {
                        panic!("the secret panic")
                    }
                }),
            );
        let checks = vec![
            ReadyCheck::new("database", || async { Ok(()) }),
            ReadyCheck::new("model_runtime", || async { Err("down".to_owned()) }),
        ];
        Scaffold::new("test").ready(checks).wrap(routes)
    }

    async fn ask(method: &str, path: &str) -> (StatusCode, String, serde_json::Value) {
        let request = Request::builder().method(method).uri(path).header(REQUEST_ID_HEADER, "abc-1");
        let response = app().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let id = response.headers().get(REQUEST_ID_HEADER).unwrap().to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, id, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn errors_carry_code_and_request_id_and_hide_the_cause() {
        for path in ["/fails", "/panics"] {
            let (status, id, body) = ask("GET", path).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(id, "abc-1");
            assert_eq!(body["error"]["code"], "internal");
            assert_eq!(body["error"]["request_id"], "abc-1");
            assert!(!body.to_string().contains("secret"));
        }
    }

    #[tokio::test]
    async fn unknown_routes_and_methods_answer_json() {
        assert_eq!(ask("GET", "/nowhere").await.2["error"]["code"], "route_not_found");
        assert_eq!(ask("DELETE", "/fails").await.2["error"]["code"], "method_not_allowed");
    }

    #[tokio::test]
    async fn readiness_names_each_dependency() {
        let (status, _, body) = ask("GET", "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["dependencies"]["database"]["state"], "ok");
        assert_eq!(body["dependencies"]["model_runtime"]["detail"], "down");
        assert_eq!(ask("GET", "/healthz").await.0, StatusCode::OK);
    }

    #[test]
    fn a_strange_request_id_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID_HEADER, HeaderValue::from_static("a b\tc"));
        assert_ne!(request_id_of(&headers), "a b\tc");
        headers.insert(REQUEST_ID_HEADER, HeaderValue::from_static("a-b"));
        assert_eq!(request_id_of(&headers), "a-b");
    }
}
