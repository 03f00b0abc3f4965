//! What the handlers share.

use crate::config::Config;
use crate::documents::originals::Originals;
use crate::follow::Indexes;
use crate::ingest::cut::Chunker;
use crate::ingest::pipeline::{EmbedPassages, ReadDocument};
use crate::query::QuestionEmbedder;
use crate::retrieve::Retriever;
use crate::signals::Signals;
use anwen_platform::{Database, Sealer, Shutdown};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The state of the service. Clones share it.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub database: Database,
    pub originals: Originals,
    pub indexes: Indexes,
    pub retriever: Arc<Retriever>,
    pub questions: Arc<QuestionEmbedder>,
    pub reader: Arc<dyn ReadDocument>,
    pub embedder: Arc<dyn EmbedPassages>,
    pub chunker: Arc<Chunker>,
    /// Files that `/tika` may have read at the same time.
    pub direct_reads: Arc<Semaphore>,
    /// Where a file waits that is read and not kept.
    pub scratch: PathBuf,
    /// Seals passwords of files.
    pub file_passwords: Sealer,
    pub signals: Signals,
    pub shutdown: Shutdown,
}
