//! The full-text index: BM25 over words and codes in a tantivy directory.
//!
//! One thread owns the writer ([`writer`]); searches run beside it on snapshots. What is written is seen by
//! searches, and is durable, after [`LexicalIndex::commit`]. The writer's memory is given back when nothing has
//! been written for a while.

mod query;
mod schema;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anwen_contract::{DocumentId, KnowledgeBaseId, VersionId};
use tantivy::directory::MmapDirectory;
use tantivy::{Index, IndexReader, ReloadPolicy};
use tokio::sync::Semaphore;

use self::schema::Fields;
use self::writer::{Request, WriterOwner};
use super::analysis::{ANALYSIS_VERSION, Analyzer};
use super::worker::{Worker, search_blocking};
use super::{IndexError, IndexedChunk, LexicalHits, SearchScope, Selection};

const ENGINE: &str = "lexical";

/// Settings of the lexical index.
#[derive(Debug, Clone)]
pub struct LexicalConfig {
    /// Where the index lives; made when missing.
    pub directory: PathBuf,
    /// Memory for documents that are not on disk yet, while something is being written: 15 MB or more.
    pub writer_memory_bytes: usize,
    /// After so long without a write the writer's memory is given back.
    pub writer_idle: Duration,
    /// Searches at the same time; further ones wait.
    pub max_concurrent_searches: usize,
}

impl LexicalConfig {
    /// The usual settings for an index in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            writer_memory_bytes: 20_000_000,
            writer_idle: Duration::from_secs(3),
            max_concurrent_searches: 8,
        }
    }
}

/// The full-text index of one process. See the module's description for what becomes visible when.
pub struct LexicalIndex {
    analyzer: Arc<Analyzer>,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    worker: Worker<Request>,
    searches: Arc<Semaphore>,
}

impl LexicalIndex {
    /// Opens the index, or makes an empty one where there is none, where it was made by another version of the
    /// analysis, or where its files cannot be read (they are kept aside). Blocks; call it off the async runtime.
    pub fn open(config: &LexicalConfig, analyzer: Arc<Analyzer>) -> Result<Self, IndexError> {
        let directory = config.directory.join(format!("v{ANALYSIS_VERSION}"));
        std::fs::create_dir_all(&directory)?;
        let (schema, fields) = schema::schema();
        let index = match open_index(&directory, schema.clone()) {
            Ok(index) => index,
            Err(error) => {
                tracing::error!(%error, "the lexical index cannot be read, it is set aside and will be rebuilt");
                super::set_aside(&directory)?;
                std::fs::create_dir_all(&directory)?;
                open_index(&directory, schema)?
            }
        };
        index.tokenizers().register(schema::TOKENIZER, schema::AnalyzerTokenizer::new(Arc::clone(&analyzer)));
        let reader: IndexReader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(0)
            .try_into()
            .map_err(engine_error)?;
        let owner = WriterOwner::new(index.clone(), reader.clone(), fields, config);
        let worker = Worker::spawn("lexical-writer", owner)?;
        let searches = Arc::new(Semaphore::new(config.max_concurrent_searches.max(1)));
        Ok(Self { analyzer, index, reader, fields, worker, searches })
    }

    /// Inserts or overwrites chunks by their id; visible and durable after [`commit`](Self::commit). When this or
    /// `commit` fails, everything since the last commit is lost: follow the log again from
    /// [`reached_sequence`](Self::reached_sequence).
    pub async fn upsert(&self, chunks: &[IndexedChunk]) -> Result<(), IndexError> {
        let documents: Vec<_> =
            chunks.iter().map(|chunk| (chunk.chunk_id, self.fields.document(chunk))).collect();
        self.worker.ask(|reply| Request::Upsert { documents, reply }).await
    }

    /// Deletes; visible and durable after [`commit`](Self::commit). Deleting what is not there succeeds.
    pub async fn delete(&self, selection: &Selection) -> Result<(), IndexError> {
        let terms = self.fields.selection_terms(selection);
        self.worker.ask(|reply| Request::Delete { terms, reply }).await
    }

    /// Makes all that was written durable and visible, together with the number of the index log's last entry that
    /// is in it.
    pub async fn commit(&self, sequence: u64) -> Result<(), IndexError> {
        self.worker.ask(|reply| Request::Commit { sequence, reply }).await
    }

    /// Empties the index and sets what it has reached to 0.
    pub async fn clear(&self) -> Result<(), IndexError> {
        self.worker.ask(|reply| Request::Clear { reply }).await
    }

    /// The number given to the last successful commit; 0 for a new index.
    pub async fn reached_sequence(&self) -> Result<u64, IndexError> {
        let index = self.index.clone();
        search_blocking(&self.searches, move || {
            let payload = index.load_metas().map_err(engine_error)?.payload;
            Ok(payload.and_then(|text| text.parse().ok()).unwrap_or(0))
        })
        .await
    }

    /// The chunks of the scope that match `query` best by BM25, best first, at most `limit`.
    pub async fn search(
        &self,
        query: &str,
        scope: &SearchScope,
        limit: usize,
    ) -> Result<LexicalHits, IndexError> {
        if scope.is_empty() || limit == 0 {
            return Ok(LexicalHits::default());
        }
        let searcher = self.reader.searcher();
        let (analyzer, fields) = (Arc::clone(&self.analyzer), self.fields);
        let (query, scope) = (query.to_owned(), scope.clone());
        search_blocking(&self.searches, move || {
            let terms = query::weighted_terms(&analyzer, &query);
            Ok(LexicalHits {
                hits: query::search(&searcher, fields, &terms, &scope, limit)?,
                best_possible: query::best_possible(&searcher, fields, &terms)?,
            })
        })
        .await
    }

    /// How many of the selected chunks the last commit holds.
    pub async fn count(&self, selection: &Selection) -> Result<usize, IndexError> {
        let searcher = self.reader.searcher();
        let terms = self.fields.selection_terms(selection);
        search_blocking(&self.searches, move || query::count(&searcher, terms)).await
    }

    /// The terms that [`search`](Self::search) would look for, for marking them in a text.
    pub fn query_terms(&self, query: &str) -> super::highlight::QueryTerms {
        super::highlight::QueryTerms::new(&self.analyzer, query)
    }

    /// The analysis that texts and questions go through.
    pub fn analyzer(&self) -> &Arc<Analyzer> {
        &self.analyzer
    }

    /// Whether the index can answer and take work.
    pub async fn health(&self) -> Result<(), IndexError> {
        if self.worker.is_running() {
            Ok(())
        } else {
            Err(IndexError::Unavailable("the writer has ended, restart the service"))
        }
    }

    pub async fn delete_version(&self, version_id: VersionId) -> Result<(), IndexError> {
        self.delete(&Selection::Version(version_id)).await
    }

    pub async fn delete_document(&self, document_id: DocumentId) -> Result<(), IndexError> {
        self.delete(&Selection::Document(document_id)).await
    }

    pub async fn delete_knowledge_base(&self, knowledge_base_id: KnowledgeBaseId) -> Result<(), IndexError> {
        self.delete(&Selection::KnowledgeBase(knowledge_base_id)).await
    }

    pub async fn count_version(&self, version_id: VersionId) -> Result<usize, IndexError> {
        self.count(&Selection::Version(version_id)).await
    }
}

fn open_index(directory: &Path, schema: tantivy::schema::Schema) -> Result<Index, IndexError> {
    let mmap = MmapDirectory::open(directory).map_err(|error| engine_error(error.into()))?;
    Index::open_or_create(mmap, schema).map_err(engine_error)
}

fn engine_error(error: tantivy::TantivyError) -> IndexError {
    IndexError::Engine { engine: ENGINE, message: error.to_string() }
}

#[cfg(test)]
mod tests;
