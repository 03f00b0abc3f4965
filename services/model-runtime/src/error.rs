//! What can go wrong between a request and an engine's answer. The HTTP surfaces put it into their own envelopes.

use anwen_contract::{ApiError, ErrorCode};

/// A failure of the runtime. Messages are for the caller; causes go to the log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("there is no model named {name:?} here; GET /v1/models lists those that are")]
    ModelNotFound { name: String },
    #[error("the model {model:?} cannot {action}")]
    NotCapable { model: String, action: &'static str },
    #[error("the model {model:?} could not be loaded; the log says why")]
    LoadFailed { model: String, cause: String },
    #[error(
        "the prompt has {prompt_tokens} tokens and the model takes {context_tokens}, the answer included; shorten it"
    )]
    ContextTooLong { prompt_tokens: usize, context_tokens: usize },
    #[error("{waiting} requests wait for {model:?} already; try again later")]
    Busy { model: String, waiting: usize },
    #[error("the request waited longer than its deadline")]
    DeadlineExceeded,
    #[error("{0}")]
    Invalid(String),
    #[error("the model failed while it generated; try again")]
    GenerationFailed { cause: String },
    #[error("something went wrong here; give the request id to your administrator")]
    Internal { cause: String },
}

impl RuntimeError {
    /// The public code of this failure.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::ModelNotFound { .. } => ErrorCode::ModelNotFound,
            Self::NotCapable { .. } => ErrorCode::ModelNotCapable,
            Self::LoadFailed { .. } => ErrorCode::ModelLoadFailed,
            Self::ContextTooLong { .. } => ErrorCode::ContextTooLong,
            Self::Busy { .. } => ErrorCode::ModelBusy,
            Self::DeadlineExceeded => ErrorCode::DeadlineExceeded,
            Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::GenerationFailed { .. } => ErrorCode::GenerationFailed,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Self::LoadFailed { cause, .. } | Self::GenerationFailed { cause } | Self::Internal { cause } => {
                Some(cause)
            }
            _ => None,
        }
    }

    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }
}

impl From<RuntimeError> for ApiError {
    fn from(error: RuntimeError) -> Self {
        let api_error = ApiError::new(error.code(), error.to_string());
        match error.cause() {
            Some(cause) => api_error.because(cause),
            None => api_error,
        }
    }
}

impl From<ApiError> for RuntimeError {
    fn from(error: ApiError) -> Self {
        Self::Internal { cause: error.to_string() }
    }
}
