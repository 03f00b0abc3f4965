//! The labels that a knowledge base sorts its documents by.

use crate::ids::DocumentId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most labels of one knowledge base.
pub const MAX_LABELS: usize = 100;
/// The most example texts of one label.
pub const MAX_LABEL_EXAMPLES: usize = 20;
/// The most characters of a label's description and of each example.
pub const MAX_LABEL_TEXT_CHARS: usize = 2_000;

/// A class of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Unique within the knowledge base.
    pub name: String,
    /// What belongs to it, in a sentence or two; documents near to it are given the label.
    #[serde(default)]
    pub description: String,
    /// Texts as they stand in such documents.
    #[serde(default)]
    pub examples: Vec<String>,
}

/// A label that a document has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DocumentLabel {
    pub name: String,
    /// 0 to 1; 1 where a person decided.
    pub confidence: f64,
    /// A person decided: it is never overwritten, and serves as an example.
    pub corrected: bool,
}

/// A document that says nearly the same, and was there before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NearDuplicate {
    pub document_id: DocumentId,
    /// The estimated share of common passages of five characters, 0 to 1.
    pub similarity: f64,
}
