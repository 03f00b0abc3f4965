//! Passing a call of OpenAI's or Ollama's interface on to the model runtime. The bodies go through as they are, so that
//! every field that the runtime knows works here; answers come back as they arrive, and when the caller leaves, the call
//! to the runtime ends too.

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::SignedIn;
use crate::models::{Rights, unreachable};
use crate::relay::{Forwarded, streamed_answer};
use anwen_contract::{ApiError, ErrorCode};
use axum::body::Bytes;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

/// Headers of an answer that are passed back.
const ANSWER_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, CACHE_CONTROL, RETRY_AFTER];

/// The one field of a body that matters here. A body that names its model twice is refused, not read in one way here and
/// in another there.
#[derive(Deserialize)]
struct Named {
    #[serde(default, alias = "name")]
    model: Option<String>,
}

/// The model that a body names; empty where it names none.
pub fn model_named_in(body: &[u8]) -> Result<String, ApiError> {
    let refused = |cause: &dyn std::fmt::Display| {
        ApiError::new(
            ErrorCode::InvalidJson,
            format!("the body is not a JSON object with a `model`: {cause}"),
        )
    };
    // A list would be read as the fields in order, which may be another order in the runtime.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(refused(&"it does not begin with a brace"));
    }
    let named: Named = serde_json::from_slice(body).map_err(|cause| refused(&cause))?;
    Ok(named.model.unwrap_or_default())
}

/// Asks a model that the caller may use, which the audit log keeps.
pub async fn ask_model(
    app: &AppState,
    caller: &SignedIn,
    path: &str,
    model: &str,
    body: Bytes,
) -> Result<Response, ApiError> {
    Rights::of(app, caller).await?.check(app, caller, model).await?;
    let entry = Entry::new(caller.actor(), "model.asked", format!("model:{model}"));
    app.audit.record(&entry.detail(json!({"call": path}))).await?;
    pass(app, caller, Method::POST, path, body).await
}

/// Passes a call on; the runtime's own errors stand in the interface's envelope already.
pub async fn pass(
    app: &AppState,
    caller: &SignedIn,
    method: Method,
    path: &str,
    body: impl Into<reqwest::Body>,
) -> Result<Response, ApiError> {
    let client = app.model.service();
    let call = Forwarded { client, method, path: path.to_owned(), query: None };
    let request = call.request(app, caller)?.header(CONTENT_TYPE, "application/json").body(body);
    passed_back(app, request.send().await.map_err(unreachable)?)
}

/// The runtime's answer, as it comes.
pub fn passed_back(app: &AppState, answer: reqwest::Response) -> Result<Response, ApiError> {
    if answer.status() == StatusCode::UNAUTHORIZED {
        // The caller has shown who it is; that the runtime does not take our token is our own fault.
        return Err(crate::relay::inner(ApiError::new(ErrorCode::Unauthenticated, "refused")));
    }
    let mut response = streamed_answer(app, answer, &ANSWER_HEADERS, None);
    // nginx would otherwise collect the words before it passes them on.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found_under_both_names_and_only_once() {
        assert_eq!(model_named_in(br#"{"model":"a","messages":[]}"#).unwrap(), "a");
        assert_eq!(model_named_in(br#"{"name":"a"}"#).unwrap(), "a");
        assert_eq!(model_named_in(b"{}").unwrap(), "");
        for twice in [r#"{"model":"a","model":"b"}"#, r#"{"model":"a","name":"b"}"#, "[]", "{"] {
            assert_eq!(model_named_in(twice.as_bytes()).unwrap_err().code, ErrorCode::InvalidJson, "{twice}");
        }
    }
}
