//! The one thread that changes shards.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use qdrant_edge::PointStructPersisted;

use super::shard::Space;
use super::{EdgeConfig, Spaces};
use crate::index::sequence::SequenceFile;
use crate::index::worker::{Owner, Reply};
use crate::index::{IndexError, Selection, SpaceName};

/// What can be asked of the owner.
pub(super) enum Request {
    EnsureSpace { space: SpaceName, dimension: usize, reply: Reply<()> },
    DropSpace { space: SpaceName, reply: Reply<()> },
    Upsert { space: Arc<Space>, points: Vec<PointStructPersisted>, reply: Reply<()> },
    Delete { selection: Selection, reply: Reply<()> },
    Flush { sequence: u64, reply: Reply<()> },
    Optimize { reply: Reply<()> },
    Clear { reply: Reply<()> },
}

pub(super) struct EdgeOwner {
    config: EdgeConfig,
    directory: PathBuf,
    sequence: SequenceFile,
    spaces: Spaces,
    reached: Arc<AtomicU64>,
}

impl EdgeOwner {
    pub fn new(
        config: EdgeConfig,
        directory: PathBuf,
        sequence: SequenceFile,
        spaces: Spaces,
        reached: Arc<AtomicU64>,
    ) -> Self {
        Self { config, directory, sequence, spaces, reached }
    }

    fn all_spaces(&self) -> Vec<Arc<Space>> {
        self.spaces.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn ensure_space(&self, name: SpaceName, dimension: usize) -> Result<(), IndexError> {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(existing) = spaces.get(&name) {
            return existing.check_dimension(dimension);
        }
        let space = Space::create(&self.directory, name.clone(), dimension, &self.config)?;
        spaces.insert(name, Arc::new(space));
        Ok(())
    }

    fn drop_space(&self, name: &SpaceName) -> Result<(), IndexError> {
        let removed = self.spaces.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        removed.map_or(Ok(()), |space| space.remove())
    }

    fn upsert(&self, space: &Space, points: Vec<PointStructPersisted>) -> Result<(), IndexError> {
        space.upsert(points)?;
        if space.changes() >= self.config.optimize_after_changes {
            space.optimize()?;
        }
        Ok(())
    }

    fn delete(&self, selection: &Selection) -> Result<(), IndexError> {
        self.all_spaces().iter().try_for_each(|space| space.delete(selection))
    }

    fn flush(&self, sequence: u64) -> Result<(), IndexError> {
        self.all_spaces().iter().try_for_each(|space| space.flush())?;
        self.sequence.write(sequence)?;
        self.reached.store(sequence, Ordering::Release);
        Ok(())
    }

    fn optimize(&self, min_changes: usize) -> Result<(), IndexError> {
        self.all_spaces()
            .iter()
            .filter(|space| space.changes() >= min_changes)
            .try_for_each(|space| space.optimize())
    }

    /// The number goes back first: after a crash in between, what is left is refilled from the beginning.
    fn clear(&self) -> Result<(), IndexError> {
        self.sequence.write(0)?;
        self.reached.store(0, Ordering::Release);
        let names: Vec<SpaceName> =
            self.spaces.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        names.iter().try_for_each(|name| self.drop_space(name))
    }
}

impl Owner for EdgeOwner {
    type Request = Request;

    fn handle(&mut self, request: Request) {
        let (reply, result) = match request {
            Request::EnsureSpace { space, dimension, reply } => (reply, self.ensure_space(space, dimension)),
            Request::DropSpace { space, reply } => (reply, self.drop_space(&space)),
            Request::Upsert { space, points, reply } => (reply, self.upsert(&space, points)),
            Request::Delete { selection, reply } => (reply, self.delete(&selection)),
            Request::Flush { sequence, reply } => (reply, self.flush(sequence)),
            Request::Optimize { reply } => (reply, self.optimize(0)),
            Request::Clear { reply } => (reply, self.clear()),
        };
        // The caller may have gone; the work is done all the same.
        let _ = reply.send(result);
    }

    fn idle_after(&self) -> Duration {
        self.config.optimize_idle
    }

    fn idle(&mut self) {
        if let Err(error) = self.optimize(self.config.optimize_min_changes) {
            tracing::warn!(%error, "optimising the vector index failed, searches go on without it");
        }
    }
}
