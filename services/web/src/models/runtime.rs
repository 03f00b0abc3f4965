//! What calls to the model runtime have in common.

use anwen_contract::{ApiError, ErrorCode};
use http::StatusCode;
use serde::Deserialize;
use url::form_urlencoded;

/// Characters of the runtime's own words that are passed on.
const MAX_MESSAGE_CHARS: usize = 1_000;

/// A name as one segment of a path.
pub fn path_segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// That the runtime does not answer.
pub fn unreachable(cause: reqwest::Error) -> ApiError {
    ApiError::new(ErrorCode::ServiceUnavailable, "the model runtime does not answer; try again")
        .because(cause)
}

/// An error that came in Ollama's envelope (`{"error": "message"}`), as one of ours.
pub fn ollama_failure(status: StatusCode, body: &[u8]) -> ApiError {
    #[derive(Deserialize)]
    struct Envelope {
        error: String,
    }
    let message = serde_json::from_slice::<Envelope>(body)
        .map_or_else(|_| format!("the model runtime answered {status}"), |envelope| envelope.error);
    ApiError::new(code_of(status), message.chars().take(MAX_MESSAGE_CHARS).collect::<String>())
}

fn code_of(status: StatusCode) -> ErrorCode {
    match status {
        StatusCode::UNAUTHORIZED => ErrorCode::Internal,
        StatusCode::FORBIDDEN => ErrorCode::Forbidden,
        StatusCode::NOT_FOUND => ErrorCode::ModelNotFound,
        StatusCode::CONFLICT => ErrorCode::Conflict,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::FileTooLarge,
        StatusCode::INSUFFICIENT_STORAGE => ErrorCode::StorageUnavailable,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => ErrorCode::ModelBusy,
        status if status.is_client_error() => ErrorCode::InvalidRequest,
        _ => ErrorCode::ServiceUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(path_segment("hf.co/a b:q4"), "hf.co%2Fa%20b%3Aq4");
    }

    #[test]
    fn ollamas_error_keeps_its_words() {
        let failure = ollama_failure(StatusCode::NOT_FOUND, br#"{"error":"no such model"}"#);
        assert_eq!((failure.code, failure.message.as_str()), (ErrorCode::ModelNotFound, "no such model"));
        assert_eq!(ollama_failure(StatusCode::BAD_GATEWAY, b"<html>").code, ErrorCode::ServiceUnavailable);
    }
}
