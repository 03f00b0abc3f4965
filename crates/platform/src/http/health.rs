//! `/healthz` (the process is alive), `/readyz` (it can do its work) and `/metrics`.

use crate::machine;
use crate::telemetry::metrics_handle;
use anwen_contract::{ApiError, ErrorCode};
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::{BoxFuture, join_all};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A dependency that has not answered after this long counts as down.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);
/// What a proxy adds to the requests that it hands on.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

type Check = dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// Asks one dependency whether it works.
#[derive(Clone)]
pub struct ReadyCheck {
    name: &'static str,
    check: Arc<Check>,
}

impl ReadyCheck {
    /// `check` answers what is wrong, in words for the operator.
    pub fn new<F, Fut>(name: &'static str, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name, check: Arc::new(move || Box::pin(check())) }
    }

    async fn run(&self) -> Result<(), String> {
        tokio::time::timeout(CHECK_TIMEOUT, (self.check)())
            .await
            .unwrap_or_else(|_| Err("no answer in time".into()))
    }
}

/// The three routes that every service has.
pub(super) fn routes(service: &'static str, checks: Vec<ReadyCheck>) -> Router {
    Router::new()
        .route(
            "/healthz",
            get(move || async move { axum::Json(json!({"status": "alive", "service": service})) }),
        )
        .route("/readyz", get(move || readiness(service, checks.clone())))
        .route("/metrics", get(metrics))
}

async fn readiness(service: &'static str, checks: Vec<ReadyCheck>) -> impl IntoResponse {
    let results = join_all(checks.iter().map(ReadyCheck::run)).await;
    let ready = results.iter().all(Result::is_ok);
    let dependencies: serde_json::Map<_, _> = checks
        .iter()
        .zip(results)
        .map(|(check, result)| {
            let state = match result {
                Ok(()) => json!({"state": "ok"}),
                Err(detail) => json!({"state": "failed", "detail": detail}),
            };
            (check.name.to_owned(), state)
        })
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "not_ready" };
    (status, axum::Json(json!({"status": word, "service": service, "dependencies": dependencies})))
}

/// Answers who asks directly. What a proxy hands on comes from outside, and metrics tell of load and of models' names.
async fn metrics(headers: HeaderMap) -> Response {
    if FORWARDED.iter().any(|name| headers.contains_key(*name)) {
        return ApiError::new(ErrorCode::RouteNotFound, "no such route").into_response();
    }
    let handle = metrics_handle();
    handle.run_upkeep();
    let mut text = handle.render();
    machine::write_process_metrics(&mut text);
    ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
