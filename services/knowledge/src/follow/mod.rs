//! The index log, and the task by which both indexes follow it.
//!
//! SQL holds the truth; the indexes are projections. Whatever changes chunks appends an [`Entry`] in the same
//! transaction. The [`Follower`] reads the log in order and applies it to each index from where that index says it
//! is. An entry names what changed and not how: applying it reads the chunks as they are *now*, so that applying it
//! again, or late, does no harm.

mod apply;
mod follower;
mod publish;
pub mod rebuild;
pub mod store;

pub use apply::{IndexFailure, Indexes, Targets};
pub use follower::{Follower, FollowerSettings};
pub use publish::{Generation, remove_generation};

use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};

/// What happened to chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The chunks of a generation are there, or what is indexed beside them (the document's name) has changed.
    Upsert { base: KnowledgeBaseId, document: DocumentId, version: VersionId, generation: i64 },
    /// A generation has gone; its ids follow from its count.
    DeleteGeneration {
        base: KnowledgeBaseId,
        document: DocumentId,
        version: VersionId,
        generation: i64,
        chunk_count: i64,
    },
    /// A document has gone, with every version.
    DeleteDocument { base: KnowledgeBaseId, document: DocumentId },
    /// A knowledge base has gone, with every document.
    DeleteBase { base: KnowledgeBaseId },
}

/// An entry and its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    pub sequence: i64,
    pub entry: Entry,
}

/// An entry as columns.
struct EntryFields {
    operation: &'static str,
    base: KnowledgeBaseId,
    document: Option<DocumentId>,
    version: Option<VersionId>,
    generation: Option<i64>,
    chunk_count: i64,
}

impl Entry {
    fn fields(&self) -> EntryFields {
        let bare = |operation, base| EntryFields {
            operation,
            base,
            document: None,
            version: None,
            generation: None,
            chunk_count: 0,
        };
        match *self {
            Self::Upsert { base, document, version, generation } => EntryFields {
                document: Some(document),
                version: Some(version),
                generation: Some(generation),
                ..bare("upsert", base)
            },
            Self::DeleteGeneration { base, document, version, generation, chunk_count } => EntryFields {
                document: Some(document),
                version: Some(version),
                generation: Some(generation),
                chunk_count,
                ..bare("delete_generation", base)
            },
            Self::DeleteDocument { base, document } => {
                EntryFields { document: Some(document), ..bare("delete_document", base) }
            }
            Self::DeleteBase { base } => bare("delete_base", base),
        }
    }
}

/// The ids of the chunks of a generation.
pub fn chunk_ids(version: VersionId, generation: i64, count: i64) -> Vec<ChunkId> {
    let count = u32::try_from(count).unwrap_or(0);
    (0..count).map(|ordinal| ChunkId::derive(version, generation, ordinal)).collect()
}
