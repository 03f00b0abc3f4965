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

use std::time::Duration;

use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};
use async_trait::async_trait;

use crate::index::{IndexError, SearchScope, SpaceName};

pub use retriever::Retriever;

/// Which rankings to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Both, fused.
    #[default]
    Hybrid,
    /// Embeddings only.
    Dense,
    /// Words only (BM25).
    Lexical,
}

impl Mode {
    pub fn uses_dense(self) -> bool {
        matches!(self, Self::Hybrid | Self::Dense)
    }

    pub fn uses_lexical(self) -> bool {
        matches!(self, Self::Hybrid | Self::Lexical)
    }
}

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
    pub mode: Mode,
    /// How many hits are wanted, 1 to [`retriever::MAX_TOP_K`].
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

/// A chunk as SQL has it, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveChunk {
    pub chunk_id: ChunkId,
    pub document_id: DocumentId,
    pub version_id: VersionId,
    pub knowledge_base_id: KnowledgeBaseId,
    pub document_name: String,
    pub ordinal: u32,
    pub text: String,
    pub page_start: Option<u32>,
    pub page_end: Option<u32>,
    pub heading_path: Vec<String>,
    /// Where the passage stands on its pages.
    pub boxes: Vec<PageBox>,
    pub tokens: u32,
}

/// A rectangle on a page, in points from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageBox {
    /// Page number from 1.
    pub page: u32,
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
}

/// Scores of a hit; `None` where the leg did not find it (or was not asked).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Cosine.
    pub dense: Option<f32>,
    /// BM25.
    pub lexical: Option<f32>,
    /// What the hits are ordered by before any reranking; see [`fusion`].
    pub fused: f32,
    /// The cross-encoder's score, when one ran.
    pub rerank: Option<f32>,
}

/// A live chunk and why it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub chunk: LiveChunk,
    pub scores: Scores,
}

impl Hit {
    /// The score that the hits are ordered by.
    pub fn score(&self) -> f32 {
        self.scores.rerank.unwrap_or(self.scores.fused)
    }
}

/// What a retrieval found, in descending order of score.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retrieval {
    pub hits: Vec<Hit>,
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
    async fn hydrate(&self, chunk_ids: &[ChunkId], scope: &SearchScope) -> Result<Vec<LiveChunk>, RetrieveError>;
}
