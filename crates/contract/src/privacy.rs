//! What a knowledge base does about personal data and secrets in its documents, and what was found in one.

use crate::ids::DocumentId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most findings that a report lists; all of them are counted.
pub const MAX_LISTED_FINDINGS: usize = 1_000;

/// What happens to sensitive content at ingest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DesensitisationMode {
    /// Nothing is looked for.
    #[default]
    Off,
    /// Documents are indexed as they are, with a warning and a report.
    Flag,
    /// Passages and their embeddings hold placeholders; opening an original takes the role editor.
    Mask,
    /// A document that holds any is refused.
    Block,
}

/// A kind of sensitive content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SensitiveKind {
    Email,
    Phone,
    IdentityNumber,
    BankCard,
    Passport,
    LicencePlate,
    Address,
    Secret,
    Word,
}

impl SensitiveKind {
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Phone,
        Self::IdentityNumber,
        Self::BankCard,
        Self::Passport,
        Self::LicencePlate,
        Self::Address,
        Self::Secret,
        Self::Word,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::IdentityNumber => "identity_number",
            Self::BankCard => "bank_card",
            Self::Passport => "passport",
            Self::LicencePlate => "licence_plate",
            Self::Address => "address",
            Self::Secret => "secret",
            Self::Word => "word",
        }
    }
}

/// A knowledge base's policy on sensitive content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Desensitisation {
    pub mode: DesensitisationMode,
    /// What to look for; empty: every kind.
    pub kinds: Vec<SensitiveKind>,
    /// Words of the organisation's own, found in any case, width and form of Chinese characters. At most 10,000 of at
    /// most 100 characters. Shown to editors and owners only.
    pub words: Vec<String>,
}

/// One finding, by its place and without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentFinding {
    pub kind: SensitiveKind,
    /// Counts from 1, where the format has pages.
    pub page: Option<u32>,
    /// The block of the document in reading order, counted from 0; absent for the file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u32>,
    /// Byte offset into the block's text before masking.
    pub offset: u32,
    /// The value with most of it hidden.
    pub sample: String,
}

/// What was found in a document when it was last read.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DocumentFindings {
    pub document_id: DocumentId,
    /// The version that was read.
    pub version: i64,
    /// How many of each kind, by the kind's name.
    pub counts: BTreeMap<String, i64>,
    /// In reading order, at most 1,000.
    pub items: Vec<DocumentFinding>,
    /// There are more than `items` lists.
    pub truncated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_on_the_wire_as_in_code() {
        for kind in SensitiveKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
        }
    }
}
