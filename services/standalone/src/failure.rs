//! How a command fails: a stable code and a sentence, as JSON on standard error.

use crate::data_dir::DataDirError;
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::{ConfigError, DbError};
use std::fmt;

/// What a command failed of.
#[derive(Debug)]
pub struct Failure {
    pub code: String,
    pub message: String,
}

impl Failure {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// `{"error": {"code", "message"}}`
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({"error": {"code": self.code, "message": self.message}})
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new("invalid_config", error.to_string())
    }
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        let code = match error {
            DataDirError::InUse { .. } => "data_dir_in_use",
            DataDirError::Unusable { .. } => "data_dir_unusable",
        };
        Self::new(code, error.to_string())
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        // On the command line the operator is the reader: the cause is theirs to see.
        let message = match error.internal {
            Some(cause) => format!("{} ({cause})", error.message),
            None => error.message,
        };
        Self::new(error.code.as_str(), message)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::new("database", error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(ErrorCode::Internal.as_str(), format!("{error:#}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new("io", error.to_string())
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::new(ErrorCode::ServiceUnavailable.as_str(), error.to_string())
    }
}
