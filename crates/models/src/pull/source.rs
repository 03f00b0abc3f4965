//! What every source can do: say what there is, and hand out bytes of it.

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::error::StoreError;
use crate::manifest::Role;

/// A file at a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// In the model's folder.
    pub path: String,
    /// Where the source has it: an address or a key.
    pub address: String,
    pub size_bytes: u64,
    /// SHA-256 in hexadecimal, where the source says it.
    pub sha256: Option<String>,
    pub role: Role,
}

impl RemoteFile {
    pub(super) fn new(path: &str, address: String, size_bytes: u64, sha256: Option<String>) -> Self {
        Self { path: path.to_owned(), address, size_bytes, sha256, role: Role::Model }
    }

    /// Names it in progress events and on the disk: the digest, or one of its address.
    pub(super) fn key(&self) -> String {
        use sha2::{Digest as _, Sha256};
        self.sha256.clone().unwrap_or_else(|| {
            let identity = format!("{} {}", self.address, self.size_bytes);
            hex::encode(Sha256::digest(identity))
        })
    }
}

/// A text that belongs to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextKind {
    Template,
    System,
    Parameters,
    Messages,
    License,
}

/// What a pull will bring.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub files: Vec<RemoteFile>,
    /// Small texts that stand apart from the files.
    pub texts: BTreeMap<TextKind, String>,
    /// The place and its revision, for the manifest.
    pub source: String,
}

/// Why bytes did not come.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// Trying again may help.
    Retry(String),
    /// The source answers with the whole file, whatever is asked for.
    RangesIgnored,
    /// Trying again does not help.
    Fatal(StoreError),
}

impl From<StoreError> for FetchError {
    fn from(error: StoreError) -> Self {
        Self::Fatal(error)
    }
}

pub(crate) type ByteStream = BoxStream<'static, Result<Bytes, FetchError>>;

/// Where models come from.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// Lists what belongs to the model.
    async fn plan(&self) -> Result<Plan, StoreError>;

    /// The bytes of `range` of a file, or of the whole of it where `range` is `None`.
    async fn open(&self, file: &RemoteFile, range: Option<Range<u64>>) -> Result<ByteStream, FetchError>;
}
