//! Knowledge bases, documents, chunks and retrieval, as they stand on the wire between web and knowledge and,
//! unchanged, in the public interface.

use crate::chunking::ChunkProfile;
use crate::ids::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};
use crate::labels::{DocumentLabel, NearDuplicate};
use crate::principal::{Principal, Role};
use crate::privacy::Desensitisation;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most characters of a knowledge base's or document's name.
pub const MAX_NAME_CHARS: usize = 200;
/// The most characters of a question to `retrieve`.
pub const MAX_QUERY_CHARS: usize = 4_000;
/// The most hits that `retrieve` returns.
pub const MAX_TOP_K: u32 = 100;
/// Hits that `retrieve` returns when the caller does not say.
pub const DEFAULT_TOP_K: u32 = 8;
/// The largest passage that `retrieve` reads around a hit, in tokens.
pub const MAX_READ_TOKENS: u32 = 4_000;

/// A collection of documents with grants of its own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KnowledgeBase {
    pub id: KnowledgeBaseId,
    pub name: String,
    pub description: String,
    /// `zh`, `en` or `auto`.
    pub language: String,
    pub document_count: i64,
    pub chunk_count: i64,
    pub status: KnowledgeBaseStatus,
    /// How its documents are cut into passages.
    #[serde(default)]
    pub chunk_profile: ChunkProfile,
    /// Documents that answer from passages of another profile still, and are cut anew in the background.
    #[serde(default)]
    pub documents_to_rechunk: i64,
    /// What is done about personal data and secrets. Its words are shown to editors and owners only.
    #[serde(default)]
    pub desensitisation: Desensitisation,
    /// What the asker may do here.
    pub my_role: Role,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether a knowledge base is at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnowledgeBaseStatus {
    /// Every document is indexed or has failed.
    Ready,
    /// Documents are on their way.
    Indexing,
    /// Being deleted.
    Deleting,
}

/// The body of `POST /knowledge-bases`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateKnowledgeBase {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// `zh`, `en` or `auto` (the default).
    #[serde(default = "auto_language")]
    pub language: String,
    /// How its documents are to be cut into passages; `general` when absent.
    #[serde(default)]
    pub chunk_profile: ChunkProfile,
}

fn auto_language() -> String {
    "auto".to_owned()
}

/// The body of `PATCH /knowledge-bases/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct UpdateKnowledgeBase {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Another profile has every document cut anew, in the background; until then the old passages answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_profile: Option<ChunkProfile>,
    /// Another policy has every document read anew, in the background; until then the old passages answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desensitisation: Option<Desensitisation>,
}

/// Who may do what with a knowledge base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// `user:<id>`, `group:<id>` or `everyone`.
    pub principal: Principal,
    pub role: Role,
}

/// Where a document stands on its way into the indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentStatus {
    Queued,
    Parsing,
    Embedding,
    Indexed,
    Failed,
}

impl DocumentStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Parsing => "parsing",
            Self::Embedding => "embedding",
            Self::Indexed => "indexed",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "queued" => Some(Self::Queued),
            "parsing" => Some(Self::Parsing),
            "embedding" => Some(Self::Embedding),
            "indexed" => Some(Self::Indexed),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }

    /// Nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Indexed | Self::Failed)
    }
}

/// A reason of failure or a warning: a stable code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    pub code: String,
    pub message: String,
}

/// A document and where it stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Document {
    pub id: DocumentId,
    pub knowledge_base_id: KnowledgeBaseId,
    /// The document that this one is inside of: the message that it was attached to, the archive that holds it.
    #[serde(default)]
    pub parent_id: Option<DocumentId>,
    /// Documents directly inside of this one.
    #[serde(default)]
    pub child_count: i64,
    /// The file's name, made safe.
    pub name: String,
    /// Folder and name within the knowledge base, `/`-separated, made safe.
    pub path: String,
    /// What the file is, by its content.
    pub media_type: String,
    pub bytes: i64,
    /// Pages, where the format has them.
    pub pages: Option<i64>,
    pub status: DocumentStatus,
    /// 0 to 1.
    pub progress: f64,
    pub error: Option<Notice>,
    pub warnings: Vec<Notice>,
    /// Counts from 1; the version that answers.
    pub version: i64,
    pub chunk_count: i64,
    /// Findings of sensitive content when it was last read; see `GET /documents/{id}/findings`.
    #[serde(default)]
    pub finding_count: i64,
    /// The earlier document of this knowledge base that says nearly the same.
    #[serde(default)]
    pub near_duplicate_of: Option<NearDuplicate>,
    #[serde(default)]
    pub labels: Vec<DocumentLabel>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One version of a document.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DocumentVersion {
    pub id: VersionId,
    pub version: i64,
    pub bytes: i64,
    /// SHA-256 of the original, lower-case hexadecimal.
    pub sha256: String,
    pub status: DocumentStatus,
    pub error: Option<Notice>,
    pub chunk_count: i64,
    /// Whether answers come from this version.
    pub serving: bool,
    pub created_at: Timestamp,
}

/// What became of one uploaded file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UploadedDocument {
    pub id: DocumentId,
    pub name: String,
    pub status: DocumentStatus,
    /// The document that holds the same bytes already; nothing new was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<DocumentId>,
}

/// The answer to an upload.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UploadAnswer {
    pub documents: Vec<UploadedDocument>,
}

/// The body of `PATCH /documents/{id}`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct UpdateDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Names of labels of the knowledge base. They take the place of all that the document has, and are never
    /// overwritten; empty: none fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

/// Longest password of a file (characters).
pub const MAX_FILE_PASSWORD_CHARACTERS: usize = 1_024;

/// The body of `POST /documents/{id}/retry`; it may be left out.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct RetryDocument {
    /// For a file that is protected by one. Kept encrypted until the file has been read, and no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024, format = Password)]
    pub password: Option<String>,
}

/// Without the password.
impl std::fmt::Debug for RetryDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetryDocument").field("password", &self.password.as_ref().map(|_| "...")).finish()
    }
}

/// A rectangle on a page, in points from the page's top left corner as it is shown (crop box and rotation
/// applied).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BoundingBox {
    /// Counts from 1.
    pub page: u32,
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
}

/// Where a stretch of a chunk's text stands on the page: one visual line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineBox {
    /// Byte offsets into the chunk's text.
    pub start: u32,
    pub end: u32,
    #[serde(flatten)]
    pub bounds: BoundingBox,
}

/// A passage of a document.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Chunk {
    pub id: ChunkId,
    pub document_id: DocumentId,
    pub knowledge_base_id: KnowledgeBaseId,
    /// Counts from 0 in reading order.
    pub ordinal: i64,
    pub text: String,
    pub page_start: Option<i64>,
    pub page_end: Option<i64>,
    pub heading_path: Vec<String>,
    pub boxes: Vec<BoundingBox>,
    /// Counted by the embedding model's tokenizer.
    pub tokens: i64,
    /// The version of the document that this is a passage of.
    pub version: i64,
}

/// Which legs of the search run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetrieveMode {
    #[default]
    Hybrid,
    Dense,
    Lexical,
}

/// Narrows a search; every given part must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrieveFilters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_ids: Option<Vec<DocumentId>>,
    /// Only documents whose `path` begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_types: Option<Vec<String>>,
    /// Only documents that have one of these labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_after: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_before: Option<Timestamp>,
}

/// The body of `POST /retrieve`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RetrieveRequest {
    pub query: String,
    /// Absent: every knowledge base that the asker may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_base_ids: Option<Vec<KnowledgeBaseId>>,
    /// 1 to 100; 8 when absent.
    #[serde(default = "default_top_k")]
    pub top_k: u32,
    #[serde(default)]
    pub mode: RetrieveMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<RetrieveFilters>,
    /// Search small, read large: each hit is answered with its neighbours in the same section, up to so many tokens
    /// (at most 4,000). `text`, `lines`, `boxes` and pages are then those of the larger passage; absent or 0: of the
    /// passage that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_tokens: Option<u32>,
}

fn default_top_k() -> u32 {
    DEFAULT_TOP_K
}

impl RetrieveRequest {
    /// A hybrid search for `query` over everything that the asker may read.
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            knowledge_base_ids: None,
            top_k: DEFAULT_TOP_K,
            mode: RetrieveMode::Hybrid,
            filters: None,
            read_tokens: None,
        }
    }
}

/// How each leg rated a hit; `null` where a leg did not find it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HitScores {
    /// Cosine of question and passage.
    pub dense: Option<f32>,
    /// BM25.
    pub lexical: Option<f32>,
    pub fused: Option<f32>,
    pub rerank: Option<f32>,
}

/// A passage that was found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    pub chunk_id: ChunkId,
    pub document_id: DocumentId,
    pub document_name: String,
    pub knowledge_base_id: KnowledgeBaseId,
    pub text: String,
    pub page_start: Option<i64>,
    pub page_end: Option<i64>,
    pub heading_path: Vec<String>,
    pub boxes: Vec<BoundingBox>,
    /// By which the hits are ordered.
    pub score: f32,
    pub scores: HitScores,
    /// The version of the document that was found.
    pub version: i64,
    /// Position of the passage in its document, counted from 0.
    pub ordinal: i64,
    /// The lines of `text` on their pages, so that a part of the passage can be marked.
    #[serde(default)]
    pub lines: Vec<LineBox>,
    /// When this version was uploaded.
    pub as_of: Timestamp,
}

/// The answer of `POST /retrieve`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RetrieveAnswer {
    pub hits: Vec<Hit>,
    /// Milliseconds by step, and `total`.
    pub took_ms: BTreeMap<String, f64>,
    /// Hits left out because they said the same as a better one.
    #[serde(default)]
    pub collapsed: u32,
    /// 0 to 1: how likely the hits answer the question at all (see ARCHITECTURE.md, "Refusal").
    #[serde(default)]
    pub relevance: Option<f32>,
}

/// A stretch of a snippet: as it stands in the passage, and whether it is what was searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnippetPart {
    pub text: String,
    pub matched: bool,
}

/// A passage that holds the words of a full-text search, cut to the part where they stand.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PassageSnippet {
    pub chunk_id: ChunkId,
    pub document_id: DocumentId,
    pub document_name: String,
    pub knowledge_base_id: KnowledgeBaseId,
    pub page_start: Option<i64>,
    pub heading_path: Vec<String>,
    /// BM25.
    pub score: f32,
    /// The snippet in order; together its text.
    pub snippet: Vec<SnippetPart>,
    /// The passage goes on before or after the snippet.
    pub cut_before: bool,
    pub cut_after: bool,
}

/// The answer of `GET /v1/search`: the best passages, best first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PassageSearchAnswer {
    pub items: Vec<PassageSnippet>,
}

/// An event of `GET /events/documents`: the document as it is now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DocumentEvent {
    pub document: Document,
    /// Set when the document has gone.
    #[serde(default)]
    pub deleted: bool,
}
