//! Applying entries of the log to the indexes.

use super::{Entry, chunk_ids};
use crate::documents::chunks::store::{PageStart, page_for_index};
use crate::index::{IndexError, IndexedChunk, LexicalIndex, Selection, SpaceName, VectorIndex};
use crate::store::reader;
use anwen_platform::{Database, DbError};
use std::sync::Arc;

/// Chunks read from SQL and given to the indexes at once.
const CHUNKS_PER_PAGE: i64 = 256;

/// Both indexes.
#[derive(Clone)]
pub struct Indexes {
    pub vectors: Arc<dyn VectorIndex>,
    pub lexical: Arc<LexicalIndex>,
}

/// Which of the indexes an entry is still news to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets {
    pub vectors: bool,
    pub lexical: bool,
}

impl Targets {
    pub const BOTH: Self = Self { vectors: true, lexical: true };
}

/// Why the log could not be followed further.
#[derive(Debug, thiserror::Error)]
pub enum IndexFailure {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IndexFailure {
    /// Whether it is the entry's own fault, so that trying again is no use.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Index(IndexError::Invalid(_) | IndexError::Dimension { .. }))
    }
}

impl Indexes {
    /// Applies one entry and answers how many chunks were written.
    pub async fn apply(
        &self,
        database: &Database,
        entry: &Entry,
        targets: Targets,
    ) -> Result<usize, IndexFailure> {
        match *entry {
            Entry::Upsert { version, generation, .. } => {
                self.upsert(database, PageStart::generation(version, generation), targets).await
            }
            Entry::DeleteGeneration { version, generation, chunk_count, .. } => {
                let ids = chunk_ids(version, generation, chunk_count);
                for ids in ids.chunks(CHUNKS_PER_PAGE as usize) {
                    self.delete(&Selection::Chunks(ids.to_vec()), targets).await?;
                }
                Ok(0)
            }
            Entry::DeleteDocument { document, .. } => {
                self.delete(&Selection::Document(document), targets).await
            }
            Entry::DeleteBase { base } => self.delete(&Selection::KnowledgeBase(base), targets).await,
        }
    }

    /// Writes every chunk that is in SQL, whether it serves or is about to.
    pub async fn apply_everything(
        &self,
        database: &Database,
        targets: Targets,
    ) -> Result<usize, IndexFailure> {
        self.upsert(database, PageStart::everything(), targets).await
    }

    async fn upsert(
        &self,
        database: &Database,
        start: PageStart,
        targets: Targets,
    ) -> Result<usize, IndexFailure> {
        let mut start = Some(start);
        let mut written = 0;
        while let Some(from) = start {
            let page = load_page(database, &from).await?;
            start = page.last().and_then(|(_, last)| from.after(last, page.len() as i64 == CHUNKS_PER_PAGE));
            written += page.len();
            self.write(page, targets).await?;
        }
        Ok(written)
    }

    /// Writes chunks that may be of several embedding spaces.
    async fn write(
        &self,
        page: Vec<(SpaceName, IndexedChunk)>,
        targets: Targets,
    ) -> Result<(), IndexFailure> {
        let mut rest = page.into_iter().peekable();
        while let Some((space, first)) = rest.next() {
            let mut group = vec![first];
            while let Some((_, chunk)) = rest.next_if(|(other, _)| *other == space) {
                group.push(chunk);
            }
            if targets.vectors {
                self.vectors.ensure_space(&space, group[0].vector.len()).await?;
                self.vectors.upsert(&space, &group).await?;
            }
            if targets.lexical {
                self.lexical.upsert(&group).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, selection: &Selection, targets: Targets) -> Result<usize, IndexFailure> {
        if targets.vectors {
            self.vectors.delete(selection).await?;
        }
        if targets.lexical {
            self.lexical.delete(selection).await?;
        }
        Ok(0)
    }

    /// How many chunks of a generation each index holds.
    pub async fn count(
        &self,
        space: &SpaceName,
        ids: &[anwen_contract::ChunkId],
    ) -> Result<(usize, usize), IndexFailure> {
        let mut counts = (0, 0);
        for ids in ids.chunks(CHUNKS_PER_PAGE as usize) {
            let selection = Selection::Chunks(ids.to_vec());
            counts.0 += match self.vectors.count(space, &selection).await {
                // An index that was lost has not been filled yet.
                Err(IndexError::UnknownSpace(_)) => 0,
                counted => counted?,
            };
            counts.1 += self.lexical.count(&selection).await?;
        }
        Ok(counts)
    }
}

/// A page of chunks as the indexes take them, with the space of each.
async fn load_page(
    database: &Database,
    start: &PageStart,
) -> Result<Vec<(SpaceName, IndexedChunk)>, IndexFailure> {
    let mut connection = reader(database).await?;
    Ok(page_for_index(&mut connection, start, CHUNKS_PER_PAGE).await?)
}
