//! The two indexes: vectors and full text. Both are projections of the chunks in SQL.
//!
//! This is the only place that knows Qdrant and tantivy. Everything here can be thrown away and rebuilt by
//! following the index log from its first entry, so an index promises just three things:
//!
//! 1. **Applying twice equals applying once.** A chunk's id is its key in both indexes; an upsert overwrites.
//! 2. **What is reported as reached is on disk.** [`VectorIndex::flush`] and [`LexicalIndex::commit`] take the
//!    sequence number of the last applied entry of the index log and make it durable *after* the entries
//!    themselves. After a crash the log is followed again from there.
//! 3. **No search looks outside its scope.** The knowledge bases that the asker may read are part of the query;
//!    an empty scope finds nothing.
//!
//! Indexes may hold chunks that no longer serve (a version that was replaced a moment ago, a generation that is
//! still being built). Which chunks live is SQL's to say, so whoever searches passes the ids through
//! [`crate::retrieve::HydrateChunks`].

pub mod analysis;
#[cfg(feature = "edge")]
pub mod edge;
pub mod highlight;
pub mod lexical;
pub mod markdown;
mod sequence;
pub mod server;
pub mod space;
#[cfg(test)]
mod suite;
mod worker;

use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};
use async_trait::async_trait;

pub use lexical::{LexicalConfig, LexicalIndex};
pub use space::SpaceName;

/// A chunk as the indexes see it.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedChunk {
    pub chunk_id: ChunkId,
    pub knowledge_base_id: KnowledgeBaseId,
    pub document_id: DocumentId,
    pub version_id: VersionId,
    /// Position in its version, from 0.
    pub ordinal: u32,
    /// The document's name.
    pub title: String,
    /// Headings above the chunk, outermost first.
    pub heading_path: Vec<String>,
    pub text: String,
    /// The embedding in the space that the chunk is indexed in; the lexical index does not look at it.
    pub vector: Vec<f32>,
}

/// One chunk that a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChunkScore {
    pub chunk_id: ChunkId,
    pub document_id: DocumentId,
    pub version_id: VersionId,
    /// Cosine in -1..=1 from the vector index, BM25 (0 or more) from the lexical index.
    pub score: f32,
}

/// What a search by words found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LexicalHits {
    /// Best first.
    pub hits: Vec<ChunkScore>,
    /// The highest score that any text could have for the question: what to hold a score against to see how much of
    /// the question a hit covers.
    pub best_possible: f32,
}

/// Where a search may look. An empty list of knowledge bases finds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchScope {
    pub knowledge_base_ids: Vec<KnowledgeBaseId>,
    /// When given, only these documents of those knowledge bases; empty finds nothing.
    pub document_ids: Option<Vec<DocumentId>>,
}

impl SearchScope {
    /// All documents of these knowledge bases.
    pub fn of_knowledge_bases(ids: impl IntoIterator<Item = KnowledgeBaseId>) -> Self {
        Self { knowledge_base_ids: ids.into_iter().collect(), document_ids: None }
    }

    /// True when nothing can be found in this scope, so that no index needs to be asked.
    pub fn is_empty(&self) -> bool {
        self.knowledge_base_ids.is_empty() || self.document_ids.as_ref().is_some_and(Vec::is_empty)
    }
}

/// Which chunks to delete or to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These chunks; a generation is deleted by its chunk ids, which SQL knows.
    Chunks(Vec<ChunkId>),
    Version(VersionId),
    Document(DocumentId),
    KnowledgeBase(KnowledgeBaseId),
}

/// What an index could not do.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The caller's mistake: it will not go away by trying again.
    #[error("invalid index request: {0}")]
    Invalid(String),
    /// The embedding space is not there; call `ensure_space` first.
    #[error("embedding space {0} does not exist, create it first")]
    UnknownSpace(SpaceName),
    /// The space exists with another dimension.
    #[error("embedding space {space} holds vectors of {expected} numbers, got {found}")]
    Dimension { space: SpaceName, expected: usize, found: usize },
    /// The engine refused or failed; trying again may help.
    #[error("{engine} index failed: {message}")]
    Engine { engine: &'static str, message: String },
    /// The index's queue is full or its thread has ended.
    #[error("index is not taking work: {0}")]
    Unavailable(&'static str),
    #[error("index files: {0}")]
    Io(#[from] std::io::Error),
}

/// An index over embeddings, one per embedding space. Implementations behave the same: one suite runs on all.
#[async_trait]
pub trait VectorIndex: Send + Sync + 'static {
    /// Makes the space when it is missing. Fails with [`IndexError::Dimension`] when it exists with another size.
    async fn ensure_space(&self, space: &SpaceName, dimension: usize) -> Result<(), IndexError>;

    /// Removes a space and all that it holds; succeeds when there is none.
    async fn drop_space(&self, space: &SpaceName) -> Result<(), IndexError>;

    /// Inserts or overwrites chunks by their id. Searches see them when this returns; they are durable after
    /// [`flush`](Self::flush).
    async fn upsert(&self, space: &SpaceName, chunks: &[IndexedChunk]) -> Result<(), IndexError>;

    /// Deletes in every space; deleting what is not there succeeds.
    async fn delete(&self, selection: &Selection) -> Result<(), IndexError>;

    /// Removes all spaces and sets what has been reached to 0.
    async fn clear(&self) -> Result<(), IndexError>;

    /// How many of the selected chunks the space holds.
    async fn count(&self, space: &SpaceName, selection: &Selection) -> Result<usize, IndexError>;

    /// The chunks of the scope with the highest cosine to `vector`, best first, at most `limit`.
    async fn search(
        &self,
        space: &SpaceName,
        vector: &[f32],
        scope: &SearchScope,
        limit: usize,
    ) -> Result<Vec<ChunkScore>, IndexError>;

    /// Makes everything applied so far durable, and then that `sequence` of the index log has been reached.
    async fn flush(&self, sequence: u64) -> Result<(), IndexError>;

    /// The sequence number of the last successful flush; 0 for a new index.
    async fn reached_sequence(&self) -> Result<u64, IndexError>;

    /// Whether the index can answer now; the error says what is wrong.
    async fn health(&self) -> Result<(), IndexError>;

    async fn delete_version(&self, version_id: VersionId) -> Result<(), IndexError> {
        self.delete(&Selection::Version(version_id)).await
    }

    async fn delete_document(&self, document_id: DocumentId) -> Result<(), IndexError> {
        self.delete(&Selection::Document(document_id)).await
    }

    async fn delete_knowledge_base(&self, knowledge_base_id: KnowledgeBaseId) -> Result<(), IndexError> {
        self.delete(&Selection::KnowledgeBase(knowledge_base_id)).await
    }

    async fn count_version(&self, space: &SpaceName, version_id: VersionId) -> Result<usize, IndexError> {
        self.count(space, &Selection::Version(version_id)).await
    }
}

/// What the embedding of a chunk is made from: the document's name as words, the headings and the text, so that a
/// passage is found by what it stands under. A table's rows are embedded as their cells: the embedding is a mean over
/// words, in which borders would only blur them. Whoever embeds chunks embeds this.
pub fn text_to_embed(title: &str, heading_path: &[String], text: &str) -> String {
    let title = without_extension(title.trim()).replace('_', " ");
    let mut parts: Vec<&str> = Vec::with_capacity(heading_path.len() + 2);
    parts.extend([title.as_str()].into_iter().filter(|title| !title.is_empty()));
    parts.extend(heading_path.iter().map(String::as_str));
    let text = markdown::without_borders(text);
    parts.push(&text);
    parts.join("\n")
}

/// A file's name without what says its format, which is the same for every other file.
fn without_extension(name: &str) -> &str {
    const MAX_EXTENSION_CHARS: usize = 5;
    let is_extension = |text: &str| {
        text.len() <= MAX_EXTENSION_CHARS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    name.rsplit_once('.')
        .filter(|(stem, extension)| !stem.is_empty() && is_extension(extension))
        .map_or(name, |(stem, _)| stem)
}

/// Rejects a vector that cosine cannot rank: wrong length, not finite, or all zeros is allowed (an empty text).
fn check_vector(space: &SpaceName, expected: usize, vector: &[f32]) -> Result<(), IndexError> {
    if vector.len() != expected {
        return Err(IndexError::Dimension { space: space.clone(), expected, found: vector.len() });
    }
    if vector.iter().any(|value| !value.is_finite()) {
        return Err(IndexError::Invalid("a vector holds a number that is not finite".to_owned()));
    }
    Ok(())
}

/// Renames what cannot be read, so that it can be looked into and an empty index can take its place.
fn set_aside(directory: &std::path::Path) -> std::io::Result<()> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let aside = directory.with_file_name(format!("{name}.unreadable-{}", uuid::Uuid::now_v7()));
    std::fs::rename(directory, aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_embedded_with_what_it_stands_under() {
        let headings = ["3 Leave".to_owned(), "3.1 Annual".to_owned()];
        for (title, expected) in [
            ("员工_手册.pdf", "员工 手册\n3 Leave\n3.1 Annual\ntext"),
            ("Release 1.2", "Release 1.2\n3 Leave\n3.1 Annual\ntext"),
            (".env", ".env\n3 Leave\n3.1 Annual\ntext"),
            ("", "3 Leave\n3.1 Annual\ntext"),
        ] {
            assert_eq!(text_to_embed(title, &headings, "text"), expected, "{title:?}");
        }
    }
}
