//! The vector index inside the process: one Qdrant Edge shard for each embedding space.
//!
//! Edge is a library of blocking calls without threads of its own: nothing is flushed, optimised or truncated unless
//! it is asked for. One thread ([`owner`]) makes all changes, in the order in which they were asked; searches run on
//! blocking threads beside it. Vectors, payloads and graphs are memory-mapped.
//!
//! What has been reached is in the file `sequence` beside the shards, written after they have been flushed. Edge
//! keeps a write-ahead log but never reads it back; the index log does that job here.

mod owner;
mod shard;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use self::owner::{EdgeOwner, Request};
use self::shard::Space;
use super::sequence::SequenceFile;
use super::worker::{Worker, search_blocking};
use super::{ChunkScore, IndexError, IndexedChunk, SearchScope, Selection, SpaceName, VectorIndex};

const ENGINE: &str = "vector";
/// Version of what is in the directory; another one is not read but rebuilt.
const LAYOUT_VERSION: u32 = 1;

/// Settings of the vector index inside the process.
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    /// Where the shards live; made when missing.
    pub directory: PathBuf,
    /// After so many changed chunks the shard is optimised even if changes keep coming.
    pub optimize_after_changes: usize,
    /// With fewer changes than this, a quiet moment is no reason to optimise.
    pub optimize_min_changes: usize,
    /// How long nothing must have changed to count as a quiet moment.
    pub optimize_idle: Duration,
    /// Threads that build a graph.
    pub max_indexing_threads: usize,
    /// Searches at the same time; further ones wait.
    pub max_concurrent_searches: usize,
}

impl EdgeConfig {
    /// The usual settings for an index in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            directory: directory.into(),
            optimize_after_changes: 50_000,
            optimize_min_changes: 1_000,
            optimize_idle: Duration::from_secs(3),
            max_indexing_threads: (cores / 2).max(1),
            max_concurrent_searches: 8,
        }
    }
}

/// The spaces that are open. The owner changes the map; searches look a space up and let go of the lock.
type Spaces = Arc<RwLock<HashMap<SpaceName, Arc<Space>>>>;

/// Vectors in Qdrant Edge; see the module's description.
pub struct EdgeIndex {
    spaces: Spaces,
    reached: Arc<AtomicU64>,
    worker: Worker<Request>,
    searches: Arc<Semaphore>,
}

impl EdgeIndex {
    /// Opens all spaces of the directory. Where one cannot be read, the whole index is set aside and an empty one
    /// takes its place, which has reached 0. Blocks; call it off the async runtime.
    pub fn open(config: &EdgeConfig) -> Result<Self, IndexError> {
        let directory = config.directory.join(format!("v{LAYOUT_VERSION}"));
        std::fs::create_dir_all(&directory)?;
        let sequence = SequenceFile::new(directory.join("sequence"));
        let opened = shard::open_all(&directory, config).and_then(|spaces| Ok((spaces, sequence.read()?)));
        let (spaces, reached) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(%error, "the vector index cannot be read, it is set aside and will be rebuilt");
                super::set_aside(&directory)?;
                std::fs::create_dir_all(&directory)?;
                (HashMap::new(), 0)
            }
        };
        let spaces: Spaces = Arc::new(RwLock::new(spaces));
        let reached = Arc::new(AtomicU64::new(reached));
        let owner =
            EdgeOwner::new(config.clone(), directory, sequence, Arc::clone(&spaces), Arc::clone(&reached));
        let worker = Worker::spawn("vector-writer", owner)?;
        let searches = Arc::new(Semaphore::new(config.max_concurrent_searches.max(1)));
        Ok(Self { spaces, reached, worker, searches })
    }

    /// Merges segments and builds graphs now, whatever the schedule says.
    pub async fn optimize(&self) -> Result<(), IndexError> {
        self.worker.ask(|reply| Request::Optimize { reply }).await
    }

    fn space(&self, name: &SpaceName) -> Result<Arc<Space>, IndexError> {
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner);
        spaces.get(name).cloned().ok_or_else(|| IndexError::UnknownSpace(name.clone()))
    }
}

#[async_trait]
impl VectorIndex for EdgeIndex {
    async fn ensure_space(&self, space: &SpaceName, dimension: usize) -> Result<(), IndexError> {
        if dimension == 0 {
            return Err(IndexError::Invalid("an embedding space needs a dimension of 1 or more".to_owned()));
        }
        if let Ok(existing) = self.space(space) {
            return existing.check_dimension(dimension);
        }
        let space = space.clone();
        self.worker.ask(|reply| Request::EnsureSpace { space, dimension, reply }).await
    }

    async fn drop_space(&self, space: &SpaceName) -> Result<(), IndexError> {
        let space = space.clone();
        self.worker.ask(|reply| Request::DropSpace { space, reply }).await
    }

    async fn upsert(&self, space: &SpaceName, chunks: &[IndexedChunk]) -> Result<(), IndexError> {
        let space = self.space(space)?;
        for chunk in chunks {
            space.check_vector(&chunk.vector)?;
        }
        for batch in chunks.chunks(shard::MAX_BATCH_POINTS) {
            let points = batch.iter().map(shard::point).collect();
            let space = Arc::clone(&space);
            self.worker.ask(|reply| Request::Upsert { space, points, reply }).await?;
        }
        Ok(())
    }

    async fn delete(&self, selection: &Selection) -> Result<(), IndexError> {
        let selection = selection.clone();
        self.worker.ask(|reply| Request::Delete { selection, reply }).await
    }

    async fn clear(&self) -> Result<(), IndexError> {
        self.worker.ask(|reply| Request::Clear { reply }).await
    }

    async fn count(&self, space: &SpaceName, selection: &Selection) -> Result<usize, IndexError> {
        let space = self.space(space)?;
        let selection = selection.clone();
        search_blocking(&self.searches, move || space.count(&selection)).await
    }

    async fn search(
        &self,
        space: &SpaceName,
        vector: &[f32],
        scope: &SearchScope,
        limit: usize,
    ) -> Result<Vec<ChunkScore>, IndexError> {
        let space = self.space(space)?;
        space.check_vector(vector)?;
        if scope.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let (vector, scope) = (vector.to_vec(), scope.clone());
        search_blocking(&self.searches, move || space.search(vector, &scope, limit)).await
    }

    async fn flush(&self, sequence: u64) -> Result<(), IndexError> {
        self.worker.ask(|reply| Request::Flush { sequence, reply }).await
    }

    async fn reached_sequence(&self) -> Result<u64, IndexError> {
        Ok(self.reached.load(Ordering::Acquire))
    }

    async fn health(&self) -> Result<(), IndexError> {
        if self.worker.is_running() {
            Ok(())
        } else {
            Err(IndexError::Unavailable("the writer has ended, restart the service"))
        }
    }
}

#[cfg(test)]
mod tests;
