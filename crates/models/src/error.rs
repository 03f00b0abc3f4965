//! What can go wrong in the store and on the way into it.

use std::io;
use std::path::PathBuf;

use crate::manifest::InvalidManifest;
use crate::name::InvalidName;

/// A failure of the store. The text is for whoever asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no model named {0:?}")]
    NotFound(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{name:?} was put into the models directory by hand; delete {path} there")]
    PutThereByHand { name: String, path: PathBuf },
    #[error("{name:?} is part of this program and stays")]
    BuiltIn { name: String },
    #[error("{needed_bytes} bytes are needed and {free_bytes} are free on the disk of the models directory")]
    DiskFull { needed_bytes: u64, free_bytes: u64 },
    #[error("{what} is damaged: its SHA-256 is not {expected}")]
    WrongChecksum { what: String, expected: String },
    #[error("pulling models is switched off; an administrator may set model_runtime.pull.enabled")]
    PullDisabled,
    #[error("the source does not have {0}")]
    NotAtSource(String),
    #[error("the address {address} is refused: {why}")]
    AddressRefused { address: String, why: String },
    #[error("the source does not answer as it should: {0}")]
    Source(String),
    #[error("the pull was given up; what has come is kept, and the next pull goes on from there")]
    Cancelled,
    #[error("the models directory cannot be used: {0}")]
    Io(String),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull {
            return Self::DiskFull { needed_bytes: 0, free_bytes: 0 };
        }
        Self::Io(error.to_string())
    }
}

impl From<InvalidName> for StoreError {
    fn from(error: InvalidName) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<InvalidManifest> for StoreError {
    fn from(error: InvalidManifest) -> Self {
        Self::Invalid(error.to_string())
    }
}
