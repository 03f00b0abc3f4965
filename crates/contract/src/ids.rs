//! Identifiers as distinct types, so that a document's id cannot be passed where a chunk's is meant.
//!
//! On the wire and in SQL an id is the UUID's hyphenated lower-case text. New ids are version 7 (they sort by
//! time); chunk ids are version 5, derived from what they name, so that a replay overwrites and never duplicates.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The text was not an identifier.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not an identifier: expected a UUID")]
pub struct InvalidId;

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, example = "0198c0de-0000-7000-8000-000000000000")]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier that sorts by the time of its making.
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId)
            }
        }
    )+};
}

id_types! {
    /// A person who signs in.
    UserId,
    /// A group of users.
    GroupId,
    /// An API key; the secret part is never an id.
    ApiKeyId,
    /// A sign-in session.
    SessionId,
    /// A collection of documents with grants of its own.
    KnowledgeBaseId,
    /// A document, whatever its version.
    DocumentId,
    /// One version of a document.
    VersionId,
    /// A passage of one version of a document; also its point id in the vector index.
    ChunkId,
    /// A unit of background work.
    JobId,
    /// A conversation.
    ChatId,
    /// One message of a conversation.
    MessageId,
    /// A folder that holds chats.
    FolderId,
}

impl ChunkId {
    /// The id of the chunk at `ordinal` of `generation` of `version`.
    pub fn derive(version: VersionId, generation: i64, ordinal: u32) -> Self {
        let name = format!("{generation}/{ordinal}");
        Self(Uuid::new_v5(&version.0, name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_ids_are_stable_and_distinct_by_generation() {
        let version = VersionId::new();
        assert_eq!(ChunkId::derive(version, 1, 7), ChunkId::derive(version, 1, 7));
        assert_ne!(ChunkId::derive(version, 1, 7), ChunkId::derive(version, 2, 7));
        assert_ne!(ChunkId::derive(version, 1, 7), ChunkId::derive(version, 1, 8));
    }

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = DocumentId::new();
        assert_eq!(id.to_string().parse::<DocumentId>().ok(), Some(id));
        assert!("../etc/passwd".parse::<DocumentId>().is_err());
    }
}
