//! How documents are cut into passages, and a look at it before it is done.

use crate::ids::{DocumentId, KnowledgeBaseId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Passages on each side of a preview when the caller does not say.
pub const DEFAULT_PREVIEW_CHUNKS: u32 = 40;
/// The most passages on each side of a preview.
pub const MAX_PREVIEW_CHUNKS: u32 = 200;

/// How a knowledge base's documents are cut into passages.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChunkProfile {
    /// Paragraphs of a section together, up to the size that searches best.
    #[default]
    General,
    /// Each section for itself, and steps with what they belong to.
    Manual,
    /// Each article (第十二条, Article 12) for itself, under its chapter.
    Law,
    /// Each question with its answer.
    Qa,
    /// A row of a table, or a few short ones, with the header.
    Table,
    /// Each slide.
    Presentation,
    /// Each page.
    Page,
}

impl ChunkProfile {
    pub const ALL: [Self; 7] =
        [Self::General, Self::Manual, Self::Law, Self::Qa, Self::Table, Self::Presentation, Self::Page];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Manual => "manual",
            Self::Law => "law",
            Self::Qa => "qa",
            Self::Table => "table",
            Self::Presentation => "presentation",
            Self::Page => "page",
        }
    }
}

impl std::fmt::Display for ChunkProfile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no chunk profile")]
pub struct UnknownChunkProfile(pub String);

impl std::str::FromStr for ChunkProfile {
    type Err = UnknownChunkProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or_else(|| UnknownChunkProfile(text.to_owned()))
    }
}

/// The body of `POST /documents/{id}/chunk-preview`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChunkPreviewRequest {
    /// The profile to cut by.
    pub chunk_profile: ChunkProfile,
    /// Passages on each side, 1 to 200; 40 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A document's passages as they are, beside those that another profile would make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChunkPreview {
    pub document_id: DocumentId,
    pub knowledge_base_id: KnowledgeBaseId,
    /// The version that was cut: the one that answers, or else the newest.
    pub version: i64,
    /// What answers now.
    pub current: PreviewSide,
    /// What the profile would make of it.
    pub proposed: PreviewSide,
}

/// The first passages of a document, cut in one way.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PreviewSide {
    pub chunk_profile: ChunkProfile,
    /// All passages, of which `chunks` are the first.
    pub chunk_count: i64,
    /// Tokens of a passage in the middle when they are ordered by size; 0 without passages.
    pub median_tokens: i64,
    pub chunks: Vec<PreviewChunk>,
}

/// A passage in a preview.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PreviewChunk {
    /// Counts from 0 in reading order.
    pub ordinal: i64,
    pub text: String,
    pub page_start: Option<i64>,
    pub page_end: Option<i64>,
    pub heading_path: Vec<String>,
    /// Counted by the embedding model's tokenizer.
    pub tokens: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_reads_back_from_its_name() {
        for profile in ChunkProfile::ALL {
            assert_eq!(profile.as_str().parse(), Ok(profile));
            assert_eq!(serde_json::to_value(profile).ok(), Some(profile.as_str().into()));
        }
        assert!("General".parse::<ChunkProfile>().is_err());
    }
}
