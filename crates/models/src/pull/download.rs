//! One file, in ranges that are fetched at the same time, gone on with after a cut or a restart.
//!
//! Beside the partial file lies a small one that names the SHA-256 of each range that is whole. What a restart finds is
//! hashed again before it is believed. The whole is hashed before it becomes a blob.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::PullSettings;
use super::source::{FetchError, RemoteFile, Source};
use crate::error::StoreError;
use crate::store::{Store, hash_file};

/// Attempts in all that one range gets, as a multiple of those without progress.
const TOTAL_ATTEMPTS_FACTOR: u32 = 16;

/// Hears how many bytes of the file are there.
pub(super) type OnProgress = Arc<dyn Fn(u64) + Send + Sync>;

/// What is known of a partial file.
#[derive(Default, Serialize, Deserialize)]
struct Journal {
    size_bytes: u64,
    chunk_bytes: u64,
    /// SHA-256 of each range that is whole, by its number.
    whole: Vec<Option<String>>,
}

/// A file on its way.
pub(super) struct Download<'a> {
    store: &'a Store,
    source: &'a dyn Source,
    file: &'a RemoteFile,
    settings: &'a PullSettings,
    on_progress: OnProgress,
    path: PathBuf,
    journal_path: PathBuf,
    journal: Mutex<Journal>,
    /// Bytes that are there, those of unfinished ranges included.
    done: Mutex<u64>,
}

impl<'a> Download<'a> {
    pub(super) fn new(
        store: &'a Store,
        source: &'a dyn Source,
        file: &'a RemoteFile,
        settings: &'a PullSettings,
        on_progress: OnProgress,
    ) -> Self {
        let path = store.partial().join(file.key());
        Self {
            journal_path: path.with_extension("json"),
            path,
            store,
            source,
            file,
            settings,
            on_progress,
            journal: Mutex::default(),
            done: Mutex::new(0),
        }
    }

    /// Fetches what is missing, checks the whole, and makes it a blob. Its SHA-256.
    pub(super) async fn run(&self) -> Result<String, StoreError> {
        if let Some(digest) = &self.file.sha256
            && self.store.blob_size(digest) == Some(self.file.size_bytes)
        {
            (self.on_progress)(self.file.size_bytes);
            return Ok(digest.clone());
        }
        fs::create_dir_all(self.store.partial())?;
        let handle = Arc::new(self.open_partial()?);
        let outcome = self.fetch_ranges(&handle).await;
        match outcome {
            Ok(()) => {}
            Err(FetchError::RangesIgnored) => self.fetch_whole(&handle).await?,
            Err(FetchError::Retry(cause)) => return Err(StoreError::Source(cause)),
            Err(FetchError::Fatal(error)) => return Err(error),
        }
        handle.sync_all()?;
        self.finish().await
    }

    fn open_partial(&self) -> Result<File, StoreError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path)?;
        let journal = self.believed(&file);
        file.set_len(self.file.size_bytes)?;
        let there: u64 = (0..journal.whole.len())
            .filter(|number| journal.whole[*number].is_some())
            .map(|number| self.range(number))
            .map(|range| range.end - range.start)
            .sum();
        *lock(&self.journal) = journal;
        *lock(&self.done) = 0;
        self.advance(there);
        Ok(file)
    }

    /// The journal of an earlier attempt, with the ranges that still are what it says.
    fn believed(&self, file: &File) -> Journal {
        let count = usize::try_from(self.file.size_bytes.div_ceil(self.chunk_bytes())).unwrap_or_default();
        let empty = Journal {
            size_bytes: self.file.size_bytes,
            chunk_bytes: self.chunk_bytes(),
            whole: vec![None; count],
        };
        let found = fs::read(&self.journal_path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(mut journal): Option<Journal> = found else { return empty };
        if (journal.size_bytes, journal.chunk_bytes, journal.whole.len())
            != (empty.size_bytes, empty.chunk_bytes, count)
        {
            return empty;
        }
        for (number, digest) in journal.whole.iter_mut().enumerate() {
            if digest.is_some() && hash_range(file, self.range(number)).ok() != *digest {
                *digest = None;
            }
        }
        journal
    }

    fn chunk_bytes(&self) -> u64 {
        self.settings.chunk_bytes.max(1)
    }

    fn range(&self, number: usize) -> Range<u64> {
        let start = (number as u64).saturating_mul(self.chunk_bytes());
        start..start.saturating_add(self.chunk_bytes()).min(self.file.size_bytes)
    }

    fn advance(&self, bytes: u64) {
        let mut done = lock(&self.done);
        *done += bytes;
        (self.on_progress)(*done);
    }

    async fn fetch_ranges(&self, handle: &Arc<File>) -> Result<(), FetchError> {
        let missing: Vec<usize> = lock(&self.journal)
            .whole
            .iter()
            .enumerate()
            .filter_map(|(number, digest)| digest.is_none().then_some(number))
            .collect();
        let ranges = missing.into_iter().map(|number| self.fetch_range(handle, number));
        stream::iter(ranges)
            .buffer_unordered(self.settings.connections.max(1))
            .try_collect::<Vec<()>>()
            .await
            .map(drop)
    }

    /// One range, with attempts that go on where the last one stopped.
    async fn fetch_range(&self, handle: &Arc<File>, number: usize) -> Result<(), FetchError> {
        let range = self.range(number);
        let mut at = range.start;
        let mut hasher = Sha256::new();
        let attempts = self.settings.attempts.max(1);
        let mut fruitless = 0;
        for _ in 0..attempts.saturating_mul(TOTAL_ATTEMPTS_FACTOR) {
            let before = at;
            let cause = match self.read_into(handle, &range, &mut at, &mut hasher).await {
                Ok(()) => {
                    self.note(number, hex::encode(hasher.finalize()))?;
                    return Ok(());
                }
                Err(FetchError::Retry(cause)) => cause,
                Err(other) => return Err(other),
            };
            fruitless = if at > before { 0 } else { fruitless + 1 };
            if fruitless >= attempts {
                return Err(FetchError::Retry(cause));
            }
            let wait = self.settings.backoff_ms.saturating_mul(1 << fruitless.min(6));
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        Err(FetchError::Retry(format!("{} breaks off again and again", self.file.address)))
    }

    async fn read_into(
        &self,
        handle: &Arc<File>,
        range: &Range<u64>,
        at: &mut u64,
        hasher: &mut Sha256,
    ) -> Result<(), FetchError> {
        let mut stream = self.source.open(self.file, Some(*at..range.end)).await?;
        while *at < range.end {
            let Some(part) = stream.try_next().await? else {
                return Err(FetchError::Retry(format!("{} broke off", self.file.address)));
            };
            let wanted = usize::try_from(range.end - *at).unwrap_or(usize::MAX).min(part.len());
            let part = part.slice(..wanted);
            hasher.update(&part);
            write_at(handle, part.clone(), *at).await?;
            *at += part.len() as u64;
            self.advance(part.len() as u64);
        }
        Ok(())
    }

    /// From a server that knows no ranges: everything from the beginning, at every attempt.
    async fn fetch_whole(&self, handle: &Arc<File>) -> Result<(), StoreError> {
        let mut cause = String::new();
        for attempt in 0..self.settings.attempts.max(1) {
            if attempt > 0 {
                let wait = self.settings.backoff_ms.saturating_mul(1 << attempt.min(6));
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            *lock(&self.done) = 0;
            match self.stream_whole(handle).await {
                Ok(()) => return Ok(()),
                Err(FetchError::Fatal(error)) => return Err(error),
                Err(FetchError::Retry(why)) => cause = why,
                Err(FetchError::RangesIgnored) => cause = "the source answers in pieces".to_owned(),
            }
        }
        Err(StoreError::Source(cause))
    }

    async fn stream_whole(&self, handle: &Arc<File>) -> Result<(), FetchError> {
        let mut stream = self.source.open(self.file, None).await?;
        let mut at = 0;
        while let Some(part) = stream.try_next().await? {
            let end = at + part.len() as u64;
            if end > self.file.size_bytes {
                return Err(
                    StoreError::Source(format!("{} is larger than it should be", self.file.path)).into()
                );
            }
            let length = part.len() as u64;
            write_at(handle, part, at).await?;
            at = end;
            self.advance(length);
        }
        if at < self.file.size_bytes {
            return Err(FetchError::Retry(format!("{} broke off", self.file.address)));
        }
        Ok(())
    }

    fn note(&self, number: usize, digest: String) -> Result<(), StoreError> {
        let mut journal = lock(&self.journal);
        if let Some(entry) = journal.whole.get_mut(number) {
            *entry = Some(digest);
        }
        let bytes = serde_json::to_vec(&*journal).map_err(|cause| StoreError::Io(cause.to_string()))?;
        let fresh = self.journal_path.with_extension("new");
        fs::write(&fresh, bytes)?;
        fs::rename(&fresh, &self.journal_path)?;
        Ok(())
    }

    async fn finish(&self) -> Result<String, StoreError> {
        let path = self.path.clone();
        let digest = tokio::task::spawn_blocking(move || hash_file(&path))
            .await
            .map_err(|cause| StoreError::Io(cause.to_string()))??;
        fs::remove_file(&self.journal_path).ok();
        if let Some(expected) = self.file.sha256.as_ref().filter(|expected| **expected != digest) {
            // Nobody could tell which range is wrong: the next pull begins anew.
            fs::remove_file(&self.path).ok();
            return Err(StoreError::WrongChecksum {
                what: self.file.path.clone(),
                expected: expected.clone(),
            });
        }
        self.store.take_blob(&self.path, &digest)?;
        Ok(digest)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write_at(handle: &Arc<File>, part: bytes::Bytes, at: u64) -> Result<(), StoreError> {
    let handle = Arc::clone(handle);
    tokio::task::spawn_blocking(move || handle.write_all_at(&part, at))
        .await
        .map_err(|cause| StoreError::Io(cause.to_string()))??;
    Ok(())
}

fn hash_range(mut file: &File, range: Range<u64>) -> io::Result<String> {
    file.seek(SeekFrom::Start(range.start))?;
    let mut hasher = Sha256::new();
    let mut left = file.take(range.end - range.start);
    let mut buffer = vec![0; 1024 * 1024];
    let mut total = 0;
    loop {
        let read = left.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        total += read as u64;
        hasher.update(&buffer[..read]);
    }
    if total < range.end - range.start {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(hex::encode(hasher.finalize()))
}

/// Bytes of `file` that an earlier attempt has brought already.
pub(super) fn bytes_there(store: &Store, file: &RemoteFile) -> u64 {
    let has_blob =
        file.sha256.as_ref().is_some_and(|digest| store.blob_size(digest) == Some(file.size_bytes));
    let partial: &Path = &store.partial().join(file.key());
    if has_blob {
        return file.size_bytes;
    }
    // What the file takes on the disk, and not how long it is: it was made as long as it will be.
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(partial).map_or(0, |found| (found.blocks() * 512).min(file.size_bytes))
}
