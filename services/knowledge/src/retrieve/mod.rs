//! From a question to the passages that may answer it.
//!
//! The order of things: normalise the question, ask both indexes at the same time, fuse the two rankings, look the
//! chunks up in SQL (which drops what no longer serves and what the asker may not read), collapse repetitions. All
//! of it but the asking is pure and lives in a module of its own; [`retriever`] is the shell.

pub mod collapse;
pub mod fusion;
pub mod neighbours;
pub mod normalise;
pub mod pack;
pub mod retriever;
#[cfg(test)]
mod testing;

use std::time::Duration;

use anwen_contract::knowledge::{Hit, RetrieveMode};
use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};
use async_trait::async_trait;

use crate::index::{IndexError, SearchScope, SpaceName};

pub use retriever::Retriever;

/// The knowledge bases whose serving generation is in one embedding space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceScope {
    pub space: SpaceName,
    pub knowledge_base_ids: Vec<KnowledgeBaseId>,
}

/// One retrieval. The knowledge bases have been authorised already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrievalRequest {
    pub query: String,
    pub mode: RetrieveMode,
    /// How many hits are wanted, from 1 to [`anwen_contract::knowledge::MAX_TOP_K`].
    pub top_k: usize,
    /// The embedding spaces to search and which knowledge bases are in each. All knowledge bases of the request
    /// are here; the lexical leg searches their union.
    pub spaces: Vec<SpaceScope>,
    /// Only these documents, when given.
    pub document_ids: Option<Vec<DocumentId>>,
    /// How repetitions are treated.
    pub collapse: collapse::Scope,
    /// Time for the whole retrieval.
    pub timeout: Duration,
}

/// A chunk that serves, as SQL has it.
#[derive(Debug, Clone)]
pub struct LiveChunk {
    pub version_id: VersionId,
    /// The document that stands for all which say nearly the same as this chunk's; its own where there is no other.
    pub kin: DocumentId,
    /// Counted by the embedding model's tokenizer.
    pub tokens: u32,
    /// What the asker gets to see. The scores are set here; a [`HydrateChunks`] leaves them at their defaults.
    pub hit: Hit,
}

/// What a retrieval found, in descending order of score.
#[derive(Debug, Clone, Default)]
pub struct Retrieval {
    pub hits: Vec<LiveChunk>,
    /// Chunks that were found and left out, by reason.
    pub dropped: Dropped,
    pub took: Timings,
}

/// Found and left out; reported, never silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// In an index, but replaced, deleted or not readable by the asker.
    pub not_live: usize,
    /// Repetitions of a better hit.
    pub repeated: usize,
    /// Below the wanted number.
    pub beyond_top_k: usize,
}

/// Wall-clock time of each step; `None` when it did not run. The two searches run side by side, so the sum can
/// exceed `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    pub embed: Option<Duration>,
    pub dense: Option<Duration>,
    pub lexical: Option<Duration>,
    pub fuse: Duration,
    pub hydrate: Duration,
    pub total: Duration,
}

/// Why nothing could be retrieved.
#[derive(Debug, thiserror::Error)]
pub enum RetrieveError {
    #[error("invalid retrieval request: {0}")]
    Invalid(String),
    /// The time of the request ran out; which step was running.
    #[error("retrieval ran out of time while it was {0}")]
    Deadline(&'static str),
    #[error("the question could not be embedded: {0}")]
    Embed(String),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("chunks could not be read: {0}")]
    Hydrate(String),
}

/// Turns a question into a vector of an embedding space.
#[async_trait]
pub trait EmbedQuery: Send + Sync + 'static {
    /// The vector of `text` in `space`; fails with [`RetrieveError::Embed`].
    async fn embed_query(&self, space: &SpaceName, text: &str) -> Result<Vec<f32>, RetrieveError>;
}

/// Looks chunks up where the truth is.
#[async_trait]
pub trait HydrateChunks: Send + Sync + 'static {
    /// Those of `chunk_ids` that serve now (the live generation of the live version of a document that exists) and
    /// that lie in `scope`, in any order. Ids that do not qualify are left out without an error; that is the last
    /// of the permission checks, so it must not rest on what an index said.
    async fn hydrate(
        &self,
        chunk_ids: &[ChunkId],
        scope: &SearchScope,
    ) -> Result<Vec<LiveChunk>, RetrieveError>;
}
