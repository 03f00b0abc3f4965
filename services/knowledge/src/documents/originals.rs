//! The uploaded files themselves, in an object store, by the SHA-256 of their content.
//!
//! A file is streamed to `incoming/<random>` while it is hashed, and renamed to its place when the transaction that
//! knows of it is open. A crash leaves at most a file under `incoming/`, which the collector removes.

use anwen_contract::{ApiError, ErrorCode};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt as _};
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

/// Bytes gathered before they are written; stores on S3 want parts of 5 MiB or more.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// Parts of a local file may be small, and a small part is less memory for each upload.
const LOCAL_PART_BYTES: usize = 256 * 1024;
/// Bytes of a file's beginning that are kept to guess what it is.
const HEAD_BYTES: usize = 8 * 1024;

/// Where originals are kept. Clones share the store.
#[derive(Clone)]
pub struct Originals {
    store: Arc<dyn ObjectStore>,
    /// The directory behind the store, when it is on this machine's disk.
    local: Option<Arc<LocalFileSystem>>,
    /// Where copies for the parser go when the store is elsewhere.
    scratch: PathBuf,
}

/// A file that has arrived in full and has not been put in its place yet.
#[derive(Debug)]
pub struct Incoming {
    path: ObjectPath,
    pub sha256: String,
    pub bytes: u64,
    /// The first bytes.
    pub head: Vec<u8>,
}

/// What became of an upload's bytes.
#[derive(Debug)]
pub enum Received {
    Stored(Incoming),
    /// There were more bytes than allowed; nothing is kept.
    TooLarge,
}

/// A file that the parser can open.
pub enum LocalFile {
    Original(PathBuf),
    /// Removed when this is dropped.
    Copy(tempfile::TempPath),
}

impl AsRef<Path> for LocalFile {
    fn as_ref(&self) -> &Path {
        match self {
            Self::Original(path) => path,
            Self::Copy(path) => path,
        }
    }
}

impl Originals {
    /// Files under `directory`, written durably.
    pub fn local(directory: &Path) -> Result<Self, object_store::Error> {
        std::fs::create_dir_all(directory)
            .map_err(|source| object_store::Error::Generic { store: "local", source: Box::new(source) })?;
        let local = Arc::new(LocalFileSystem::new_with_prefix(directory)?.with_fsync(true));
        Ok(Self { store: local.clone(), local: Some(local), scratch: directory.to_owned() })
    }

    /// Objects in any other store; `scratch` takes the copies that the parser reads.
    pub fn remote(store: Arc<dyn ObjectStore>, scratch: PathBuf) -> Self {
        Self { store, local: None, scratch }
    }

    /// Takes a stream of bytes in, hashing it on the way; at most `max_bytes`.
    pub async fn receive<E: std::fmt::Display>(
        &self,
        stream: &mut BoxStream<'_, Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<Received, ApiError> {
        let path = ObjectPath::from(format!("incoming/{}", Uuid::new_v4().simple()));
        let mut upload = self.store.put_multipart(&path).await.map_err(storage_failure)?;
        match self.write(upload.as_mut(), stream, max_bytes).await {
            Ok(Some((digest, bytes, head))) => {
                upload.complete().await.map_err(storage_failure)?;
                Ok(Received::Stored(Incoming { path, sha256: hex::encode(digest.finalize()), bytes, head }))
            }
            Ok(None) => {
                abandon(upload.as_mut()).await;
                Ok(Received::TooLarge)
            }
            Err(failure) => {
                abandon(upload.as_mut()).await;
                Err(failure)
            }
        }
    }

    async fn write<E: std::fmt::Display>(
        &self,
        upload: &mut dyn MultipartUpload,
        stream: &mut BoxStream<'_, Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<Option<(Sha256, u64, Vec<u8>)>, ApiError> {
        let part_bytes = if self.local.is_some() { LOCAL_PART_BYTES } else { PART_BYTES };
        let (mut digest, mut bytes, mut head, mut part) = (Sha256::new(), 0_u64, Vec::new(), Vec::new());
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|cause| {
                ApiError::new(ErrorCode::InvalidRequest, "the upload broke off; send it again").because(cause)
            })?;
            bytes += piece.len() as u64;
            if bytes > max_bytes {
                return Ok(None);
            }
            digest.update(&piece);
            head.extend_from_slice(&piece[..piece.len().min(HEAD_BYTES - head.len())]);
            part.extend_from_slice(&piece);
            if part.len() >= part_bytes {
                upload.put_part(std::mem::take(&mut part).into()).await.map_err(storage_failure)?;
            }
        }
        if !part.is_empty() {
            upload.put_part(part.into()).await.map_err(storage_failure)?;
        }
        Ok(Some((digest, bytes, head)))
    }

    /// Puts a file in its place. Call it while the transaction that registers it is open.
    pub async fn place(&self, incoming: &Incoming) -> Result<(), ApiError> {
        self.store.rename(&incoming.path, &place_of(&incoming.sha256)).await.map_err(storage_failure)
    }

    /// Forgets a file that is not needed.
    pub async fn discard(&self, incoming: &Incoming) {
        if let Err(cause) = self.store.delete(&incoming.path).await {
            tracing::warn!(%cause, "an upload that is not needed could not be removed");
        }
    }

    /// The bytes of an original, or a part of them.
    pub async fn read(
        &self,
        sha256: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes, object_store::Error>>, ApiError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&place_of(sha256), options).await.map_err(missing_or_failed)?;
        Ok(found.into_stream())
    }

    /// A file on this machine with an original's content.
    pub async fn open_locally(&self, sha256: &str) -> Result<LocalFile, ApiError> {
        if let Some(local) = &self.local {
            let path = local.path_to_filesystem(&place_of(sha256)).map_err(storage_failure)?;
            return match tokio::fs::try_exists(&path).await {
                Ok(true) => Ok(LocalFile::Original(path)),
                _ => Err(original_missing()),
            };
        }
        let scratch = self.scratch.clone();
        let (file, path) = tokio::task::spawn_blocking(move || tempfile::NamedTempFile::new_in(scratch))
            .await
            .map_err(ApiError::internal)?
            .map_err(storage_failure)?
            .into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let mut stream = self.read(sha256, None).await?;
        while let Some(piece) = stream.next().await {
            file.write_all(&piece.map_err(missing_or_failed)?).await.map_err(storage_failure)?;
        }
        file.flush().await.map_err(storage_failure)?;
        Ok(LocalFile::Copy(path))
    }

    pub async fn exists(&self, sha256: &str) -> Result<bool, ApiError> {
        match self.store.head(&place_of(sha256)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(cause) => Err(storage_failure(cause)),
        }
    }

    /// Removes an original; one that is not there is no failure.
    pub async fn remove(&self, sha256: &str) -> Result<(), ApiError> {
        match self.store.delete(&place_of(sha256)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(storage_failure(cause)),
        }
    }

    /// Removes what uploads that broke off have left, and answers how many files that were.
    pub async fn clear_incoming(&self, older_than: Duration) -> Result<u64, ApiError> {
        let now = std::time::SystemTime::now();
        let mut found = self.store.list(Some(&ObjectPath::from("incoming")));
        let mut removed = 0;
        while let Some(entry) = found.next().await {
            let entry = entry.map_err(storage_failure)?;
            let modified = std::time::SystemTime::from(entry.last_modified);
            if now.duration_since(modified).unwrap_or_default() >= older_than {
                self.store.delete(&entry.location).await.map_err(storage_failure)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// `sha256/ab/abcdef…`: a directory for each first byte keeps directories small.
fn place_of(sha256: &str) -> ObjectPath {
    ObjectPath::from(format!("sha256/{}/{sha256}", sha256.get(..2).unwrap_or("00")))
}

async fn abandon(upload: &mut dyn MultipartUpload) {
    if let Err(cause) = upload.abort().await {
        tracing::warn!(%cause, "an unfinished upload could not be removed");
    }
}

fn original_missing() -> ApiError {
    ApiError::new(ErrorCode::OriginalMissing, "the stored file is missing; upload it again")
}

fn missing_or_failed(cause: object_store::Error) -> ApiError {
    match cause {
        object_store::Error::NotFound { .. } => original_missing().because(cause),
        cause => storage_failure(cause),
    }
}

fn storage_failure(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(
        ErrorCode::StorageUnavailable,
        "the file could not be stored or read; tell your administrator",
    )
    .because(cause)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn pieces(pieces: &[&'static [u8]]) -> BoxStream<'static, Result<Bytes, Infallible>> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
        futures::stream::iter(pieces).boxed()
    }

    async fn stored(originals: &Originals, content: &[&'static [u8]]) -> Incoming {
        match originals.receive(&mut pieces(content), 100).await.unwrap() {
            Received::Stored(incoming) => incoming,
            Received::TooLarge => panic!("too large"),
        }
    }

    #[tokio::test]
    async fn a_file_is_hashed_placed_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let originals = Originals::local(directory.path()).unwrap();
        let incoming = stored(&originals, &[b"ab", b"c"]).await;
        assert_eq!(incoming.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((incoming.bytes, incoming.head.as_slice()), (3, b"abc".as_slice()));
        assert!(!originals.exists(&incoming.sha256).await.unwrap());
        originals.place(&incoming).await.unwrap();
        let part: Vec<_> = originals.read(&incoming.sha256, Some(1..3)).await.unwrap().collect().await;
        assert_eq!(part.into_iter().next().unwrap().unwrap(), Bytes::from_static(b"bc"));
        let file = originals.open_locally(&incoming.sha256).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"abc");
        originals.remove(&incoming.sha256).await.unwrap();
        originals.remove(&incoming.sha256).await.unwrap();
        let gone = originals.open_locally(&incoming.sha256).await.err().unwrap();
        assert_eq!(gone.code, ErrorCode::OriginalMissing);
    }

    #[tokio::test]
    async fn too_many_bytes_leave_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let originals = Originals::local(directory.path()).unwrap();
        let received = originals.receive(&mut pieces(&[b"0123456789"]), 9).await.unwrap();
        assert!(matches!(received, Received::TooLarge));
        assert_eq!(originals.clear_incoming(Duration::ZERO).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_a_broken_upload_left_is_cleared() {
        let directory = tempfile::tempdir().unwrap();
        let originals = Originals::local(directory.path()).unwrap();
        stored(&originals, &[b"left behind"]).await;
        assert_eq!(originals.clear_incoming(Duration::from_secs(60)).await.unwrap(), 0);
        assert_eq!(originals.clear_incoming(Duration::ZERO).await.unwrap(), 1);
    }
}
