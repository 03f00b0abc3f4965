//! Errors as the two interfaces write them.

use anwen_contract::ApiError;
use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Turns our errors into OpenAI's: `{"error": {"message", "type", "param", "code"}}`.
pub async fn openai(request: Request, next: Next) -> Response {
    rewritten(next.run(request).await, |error| json!({"error": openai_error(error)}))
}

/// Turns our errors into Ollama's: `{"error": "message"}`.
pub async fn ollama(request: Request, next: Next) -> Response {
    rewritten(next.run(request).await, |error| json!({"error": error.message}))
}

/// What stands under `error` in OpenAI's envelope.
pub fn openai_error(error: &ApiError) -> Value {
    let kind = match error.code.status().as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        status if status >= 500 => "server_error",
        _ => "invalid_request_error",
    };
    json!({"message": error.message, "type": kind, "param": null, "code": error.code.as_str()})
}

fn rewritten(mut response: Response, body_of: impl Fn(&ApiError) -> Value) -> Response {
    // Without the extension, the frame around all routes leaves the body as it is.
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    if error.code.status().is_server_error() {
        let cause = error.internal.as_deref().unwrap_or_default();
        tracing::error!(code = %error.code, message = %error.message, cause, "request failed");
    }
    (error.code.status(), Json(body_of(&error))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::ErrorCode;

    #[test]
    fn an_error_has_openais_fields() {
        let error = openai_error(&ApiError::new(ErrorCode::ModelNotFound, "no such model"));
        assert_eq!(
            error,
            json!({"message": "no such model", "type": "not_found_error", "param": null, "code": "model_not_found"})
        );
    }
}
