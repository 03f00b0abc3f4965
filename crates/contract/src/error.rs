//! The one table of public error codes, and the error that services answer with.
//!
//! A code is stable: clients match on it. Its status and kind follow from the table, and so does the section of
//! the documentation that explains it. The message says what happened and what to do; detail for the operator
//! goes to `internal`, which is logged with the request id and never sent.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal;)+) => {
        /// Every failure that a caller can meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)+];

            /// The code's text on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status that goes with the code.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self { $(Self::$name => $status,)+ };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The code with this text, if there is one.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

error_codes! {
    // The request itself.
    /// A field is missing, of the wrong type or out of its bounds.
    InvalidRequest = "invalid_request", 400;
    /// The body is not JSON, or not of the shape that the call takes.
    InvalidJson = "invalid_json", 400;
    /// The cursor is not one that this list gave.
    InvalidCursor = "invalid_cursor", 400;
    /// The body is larger than the call's bound.
    BodyTooLarge = "body_too_large", 413;
    /// No such route.
    RouteNotFound = "route_not_found", 404;
    /// The route does not take this method.
    MethodNotAllowed = "method_not_allowed", 405;

    // Who asks.
    /// Sign in first, or send an API key.
    Unauthenticated = "unauthenticated", 401;
    /// The name or the password is wrong.
    WrongCredentials = "wrong_credentials", 401;
    /// The session has ended.
    SessionExpired = "session_expired", 401;
    /// A write that relies on the session cookie lacks its `X-CSRF-Token`.
    CsrfTokenMissing = "csrf_token_missing", 403;
    /// The asker may see the object but not do this with it.
    Forbidden = "forbidden", 403;
    /// The account is switched off.
    AccountDisabled = "account_disabled", 403;
    /// Too many attempts from here, or for this name; wait.
    TooManyAttempts = "too_many_attempts", 429;
    /// A quota or rate limit is reached.
    RateLimited = "rate_limited", 429;
    /// There is a user already: the first administrator was made before.
    SetupAlreadyDone = "setup_already_done", 409;
    /// Web listens beyond loopback: the set-up token from the log or `ANWEN_SETUP_TOKEN` is needed.
    SetupTokenRequired = "setup_token_required", 403;
    /// The password is too short or too common.
    WeakPassword = "weak_password", 400;

    // Objects.
    /// No such object, or none that the asker may know of.
    NotFound = "not_found", 404;
    /// The name is taken.
    NameTaken = "name_taken", 409;
    /// The object is in a state in which this cannot be done.
    Conflict = "conflict", 409;
    /// At least one owner or administrator must remain.
    LastOwner = "last_owner", 409;

    // Documents: why a file could not be read.
    /// The file has no bytes.
    EmptyFile = "empty_file", 422;
    /// The file's kind is not one that can be read.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// The file is damaged beyond repair, or cut short.
    DamagedFile = "damaged_file", 422;
    /// The file needs a password.
    Encrypted = "encrypted", 422;
    /// The password that was given does not open the file.
    WrongPassword = "wrong_password", 422;
    /// The document has no pages.
    NoPages = "no_pages", 422;
    /// The document holds no text that can be read (a scan, for example).
    NoText = "no_text", 422;
    /// The document holds only pictures of text, and the server has no program to recognise it.
    OcrUnavailable = "ocr_unavailable", 422;
    /// The archive would unpack to far more than its size.
    ArchiveBomb = "archive_bomb", 422;
    /// The file is larger than the upload bound.
    FileTooLarge = "file_too_large", 413;
    /// The document has more pages or text than the bound.
    DocumentTooLarge = "document_too_large", 422;
    /// The reader crashed on this file.
    ParserCrashed = "parser_crashed", 422;
    /// Reading took longer than the bound.
    ParseTimeout = "parse_timeout", 422;
    /// Reading took more memory than the bound.
    ParseMemoryLimit = "parse_memory_limit", 422;
    /// Reading yielded more output than the bound.
    ParseOutputLimit = "parse_output_limit", 422;
    /// The document holds content that its knowledge base does not take.
    SensitiveContent = "sensitive_content", 422;
    /// Passages of this knowledge base are masked, and the original may be opened by editors only.
    OriginalWithheld = "original_withheld", 403;
    /// The stored original is missing.
    OriginalMissing = "original_missing", 500;
    /// Indexing failed after every retry.
    IndexingFailed = "indexing_failed", 500;

    // Models.
    /// No model of this name is known here.
    ModelNotFound = "model_not_found", 404;
    /// The model cannot do this (embed, chat, rerank, see).
    ModelNotCapable = "model_not_capable", 400;
    /// The model could not be loaded.
    ModelLoadFailed = "model_load_failed", 500;
    /// The prompt is longer than the model's context.
    ContextTooLong = "context_too_long", 400;
    /// The queue in front of the model is full.
    ModelBusy = "model_busy", 503;
    /// The model does not fit into the memory that can be had.
    ModelTooLarge = "model_too_large", 507;
    /// Fetching models from elsewhere is switched off.
    PullDisabled = "pull_disabled", 403;
    /// The source of a model does not answer as it should, or its bytes are damaged.
    PullFailed = "pull_failed", 502;
    /// The model failed while it generated.
    GenerationFailed = "generation_failed", 500;

    // Web search.
    /// Web search is switched off.
    WebSearchDisabled = "web_search_disabled", 403;
    /// The rules want a person to see what is sent first.
    SearchNotConfirmed = "search_not_confirmed", 409;
    /// The rules let this query not leave, or its results not come in.
    SearchBlocked = "search_blocked", 403;
    /// No search engine answered.
    SearchUnavailable = "search_unavailable", 502;
    /// The address may not be read (private, link-local, or not HTTP).
    AddressRefused = "address_refused", 403;
    /// The page could not be read.
    PageUnreadable = "page_unreadable", 502;

    // The server.
    /// A service that this one needs does not answer; try again.
    ServiceUnavailable = "service_unavailable", 503;
    /// The deadline passed before the work was done.
    DeadlineExceeded = "deadline_exceeded", 504;
    /// The disk is full or read-only.
    StorageUnavailable = "storage_unavailable", 507;
    /// Something went wrong here; the log holds it under the request id.
    Internal = "internal", 500;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A failure with its public code and message, and what only the log may know.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    pub code: ErrorCode,
    /// For the caller: what happened and what to do.
    pub message: String,
    /// For the log: the cause. Never sent.
    pub internal: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), internal: None }
    }

    /// Adds what the log should know.
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.internal = Some(cause.to_string());
        self
    }

    /// A failure of our own, whose cause goes to the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, "something went wrong here; give the request id to your administrator")
            .because(cause)
    }

    /// `what` does not exist, or the asker may not know of it: the two are not told apart.
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("no such {what}"))
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }
}

/// The body of an error answer.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

/// What an error answer says.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorDetail {
    /// A stable code in snake case.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Names the request in the server's log.
    #[serde(default)]
    pub request_id: String,
}

impl IntoResponse for ApiError {
    /// The JSON body has an empty `request_id`: the HTTP scaffolding, which knows it, fills it in and logs
    /// `internal` from the response's extensions.
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: ErrorDetail {
                code: self.code.as_str().to_owned(),
                message: self.message.clone(),
                request_id: String::new(),
            },
        };
        let mut response = (self.code.status(), Json(body)).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_snake_case_and_read_back() {
        let mut seen = HashSet::new();
        for code in ErrorCode::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} stands twice");
            assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{text}");
            assert_eq!(ErrorCode::parse(text), Some(*code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[test]
    fn the_cause_is_not_in_the_public_message() {
        let error = ApiError::internal("disk /dev/sda1 failed");
        assert!(!error.to_string().contains("sda1"));
        assert_eq!(error.internal.as_deref(), Some("disk /dev/sda1 failed"));
    }
}
