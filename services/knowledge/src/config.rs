//! The section `[knowledge]` of the settings.

use crate::documents::children::ChildSettings;
use crate::ingest::chunk::ChunkSettings;
use crate::ingest::parse::ocr::OcrSettings;
use crate::ingest::sandbox::{ParseLimits, ParseWorker};
use crate::jobs::RetryRules;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use url::Url;

/// Settings of the knowledge service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where this service listens. Only the other services need to reach it.
    pub listen: SocketAddr,
    pub uploads: UploadSettings,
    /// Files inside of files: attachments, members of archives.
    pub children: ChildSettings,
    pub originals: OriginalSettings,
    pub embedding: EmbeddingSettings,
    pub workers: WorkerSettings,
    /// The bounds of the process that reads a document.
    pub parser: ParseLimits,
    pub ocr: OcrSettings,
    pub chunks: ChunkSettings,
    pub vectors: VectorSettings,
    pub lexical: LexicalSettings,
    pub index_log: IndexLogSettings,
    pub retrieval: RetrievalSettings,
    pub collector: CollectorSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            uploads: UploadSettings::default(),
            children: ChildSettings::default(),
            originals: OriginalSettings::default(),
            embedding: EmbeddingSettings::default(),
            workers: WorkerSettings::default(),
            parser: ParseLimits::default(),
            ocr: OcrSettings::default(),
            chunks: ChunkSettings::default(),
            vectors: VectorSettings::default(),
            lexical: LexicalSettings::default(),
            index_log: IndexLogSettings::default(),
            retrieval: RetrievalSettings::default(),
            collector: CollectorSettings::default(),
        }
    }
}

/// What an upload may be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UploadSettings {
    /// The most bytes of one file.
    pub max_file_bytes: u64,
    /// The most bytes of one request, with all its files.
    pub max_request_bytes: usize,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self { max_file_bytes: 200 * 1024 * 1024, max_request_bytes: 4 * 1024 * 1024 * 1024 }
    }
}

/// Where the uploaded files are kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OriginalSettings {
    /// `s3://bucket/prefix`; credentials and region from the usual AWS_… variables. Absent: files under
    /// `originals/` of the data directory.
    pub url: Option<Url>,
}

/// Which model embeds passages and questions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingSettings {
    /// The model's name in the model runtime. New knowledge bases are made with it; existing ones keep theirs.
    pub model: String,
    /// Passages sent to the model runtime at once.
    pub batch_texts: usize,
    /// Time for one batch.
    pub timeout_ms: u64,
}

impl Default for EmbeddingSettings {
    fn default() -> Self {
        Self {
            model: anwen_contract::model::STATIC_EMBEDDING_MODEL.to_owned(),
            batch_texts: 128,
            timeout_ms: 120_000,
        }
    }
}

/// How documents are worked on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSettings {
    /// Whether this process works on documents. Off in a process that only answers, beside others that work.
    pub enabled: bool,
    /// Documents worked on at the same time; 0 for one less than the cores, at least 1.
    pub count: usize,
    /// A worker that has not been heard of for so long has lost its job.
    pub lease_ms: u64,
    /// Failures after which a document is given up.
    pub max_failures: i64,
    /// Times that a document is taken up in all, however it ended.
    pub max_claims: i64,
    /// The pause before a second try; it doubles with each further one.
    pub first_retry_pause_ms: u64,
    pub max_retry_pause_ms: u64,
    /// How often a worker looks for jobs that another process made.
    pub look_anyway_ms: u64,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            count: 0,
            lease_ms: 60_000,
            max_failures: 5,
            max_claims: 50,
            first_retry_pause_ms: 2_000,
            max_retry_pause_ms: 300_000,
            look_anyway_ms: 2_000,
        }
    }
}

impl WorkerSettings {
    pub fn effective_count(&self) -> usize {
        match self.count {
            0 => std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1),
            count => count,
        }
    }

    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    pub fn retry_rules(&self) -> RetryRules {
        RetryRules {
            max_failures: self.max_failures,
            max_claims: self.max_claims,
            first_pause: Duration::from_millis(self.first_retry_pause_ms),
            max_pause: Duration::from_millis(self.max_retry_pause_ms),
        }
    }
}

/// Which vector index.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VectorSettings {
    /// `http://qdrant:6334` for a Qdrant server; absent for the index inside this process.
    pub server_url: Option<String>,
    pub server_api_key: Option<String>,
    /// Collections on the server are named after this, so that installations can share it.
    pub collection_prefix: String,
    pub replication_factor: u32,
    pub timeout_ms: u64,
}

impl Default for VectorSettings {
    fn default() -> Self {
        Self {
            server_url: None,
            server_api_key: None,
            collection_prefix: "anwen".to_owned(),
            replication_factor: 1,
            timeout_ms: 10_000,
        }
    }
}

/// The full-text index.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LexicalSettings {
    /// Memory for what is written and not on disk yet; 15 MB or more.
    pub writer_memory_bytes: usize,
}

impl Default for LexicalSettings {
    fn default() -> Self {
        Self { writer_memory_bytes: 20_000_000 }
    }
}

/// How the indexes follow what is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexLogSettings {
    /// The least time between two commits; what comes in between becomes searchable together.
    pub commit_interval_ms: u64,
    /// How often the log is looked at for what other processes wrote.
    pub look_anyway_ms: u64,
    /// Entries older than this are dropped once every index has them.
    pub retention_hours: u64,
}

impl Default for IndexLogSettings {
    fn default() -> Self {
        Self { commit_interval_ms: 300, look_anyway_ms: 1_000, retention_hours: 72 }
    }
}

/// Answering questions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrievalSettings {
    /// Time for one retrieval.
    pub timeout_ms: u64,
    /// The most documents that a filter may select.
    pub max_filter_documents: u32,
    /// Embeddings of questions that are kept.
    pub cached_questions: u64,
}

impl Default for RetrievalSettings {
    fn default() -> Self {
        Self { timeout_ms: 10_000, max_filter_documents: 20_000, cached_questions: 1_000 }
    }
}

/// Removing what is not needed any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollectorSettings {
    /// How often.
    pub interval_ms: u64,
    /// Deleted documents stay in SQL for so long (unreadable), so that event streams can tell of them.
    pub keep_deleted_ms: u64,
    /// Uploads that broke off are removed after so long.
    pub keep_broken_uploads_ms: u64,
}

impl Default for CollectorSettings {
    fn default() -> Self {
        Self { interval_ms: 30_000, keep_deleted_ms: 60_000, keep_broken_uploads_ms: 86_400_000 }
    }
}

/// The program that reads a document in a process of its own.
pub type ParserCommand = ParseWorker;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_core_is_left_for_answering() {
        let settings = WorkerSettings { count: 0, ..WorkerSettings::default() };
        assert!(settings.effective_count() >= 1);
        assert_eq!(WorkerSettings { count: 7, ..settings }.effective_count(), 7);
    }
}
