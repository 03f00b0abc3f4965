//! What can go wrong between a request and an engine's answer. The HTTP surfaces put it into their own envelopes.

use std::time::Duration;

use anwen_contract::{ApiError, ErrorCode};
use anwen_models::StoreError;

/// When a server that goes down is likely to be back.
const RESTART_TIME: Duration = Duration::from_secs(10);

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
    #[error(
        "the model {model:?} needs {needed_bytes} bytes of memory with a context of {context_tokens} tokens, and {available_bytes} can be had; {advice}"
    )]
    TooLarge { model: String, needed_bytes: u64, available_bytes: u64, context_tokens: u64, advice: String },
    #[error("{waiting} requests wait for {model:?} already; try again later")]
    Busy { model: String, waiting: usize, retry_after: Duration },
    #[error("{waiting} of your requests wait for {model:?} already; try again later")]
    ShareUsed { model: String, waiting: usize, retry_after: Duration },
    #[error("this server is going down; try again")]
    ShuttingDown,
    #[error("no server behind {model:?} answers; try again")]
    UpstreamUnavailable { model: String, cause: String },
    #[error("the request waited longer than its deadline")]
    DeadlineExceeded,
    #[error("{0}")]
    Invalid(String),
    #[error("the model failed while it generated; try again")]
    GenerationFailed { cause: String },
    /// Of the models directory, or of a source that models come from.
    #[error(transparent)]
    Store(#[from] StoreError),
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
            Self::TooLarge { .. } => ErrorCode::ModelTooLarge,
            Self::Busy { .. } => ErrorCode::ModelBusy,
            Self::ShareUsed { .. } => ErrorCode::RateLimited,
            Self::ShuttingDown | Self::UpstreamUnavailable { .. } => ErrorCode::ServiceUnavailable,
            Self::DeadlineExceeded => ErrorCode::DeadlineExceeded,
            Self::Invalid(_) => ErrorCode::InvalidRequest,
            Self::GenerationFailed { .. } => ErrorCode::GenerationFailed,
            Self::Store(error) => store_code(error),
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// When the same request is worth another try; `None` where it would fail again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } | Self::ShareUsed { retry_after, .. } => Some(*retry_after),
            Self::ShuttingDown | Self::UpstreamUnavailable { .. } => Some(RESTART_TIME),
            _ => None,
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Self::LoadFailed { cause, .. }
            | Self::GenerationFailed { cause }
            | Self::UpstreamUnavailable { cause, .. }
            | Self::Internal { cause } => Some(cause),
            _ => None,
        }
    }

    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }
}

fn store_code(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::NotFound(_) => ErrorCode::ModelNotFound,
        StoreError::Invalid(_) => ErrorCode::InvalidRequest,
        StoreError::PutThereByHand { .. } | StoreError::BuiltIn { .. } => ErrorCode::Conflict,
        StoreError::DiskFull { .. } | StoreError::Io(_) => ErrorCode::StorageUnavailable,
        StoreError::PullDisabled => ErrorCode::PullDisabled,
        StoreError::AddressRefused { .. } => ErrorCode::AddressRefused,
        StoreError::WrongChecksum { .. }
        | StoreError::NotAtSource(_)
        | StoreError::Source(_)
        | StoreError::Cancelled => ErrorCode::PullFailed,
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
