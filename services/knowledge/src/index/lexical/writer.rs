//! The one thread that writes.

use std::time::Duration;

use anwen_contract::ChunkId;
use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexReader, IndexWriter, TantivyDocument, Term};

use super::schema::Fields;
use super::{LexicalConfig, engine_error};
use crate::index::IndexError;
use crate::index::worker::{Owner, Reply};

/// tantivy's own lower bound on a writer's memory.
const MIN_WRITER_MEMORY_BYTES: usize = 15_000_000;

/// What can be asked of the writer.
pub(super) enum Request {
    Upsert { documents: Vec<(ChunkId, TantivyDocument)>, reply: Reply<()> },
    Delete { terms: Vec<Term>, reply: Reply<()> },
    Commit { sequence: u64, reply: Reply<()> },
    Clear { reply: Reply<()> },
}

pub(super) struct WriterOwner {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    memory_bytes: usize,
    idle: Duration,
    /// Made by the first write, dropped after a while without one.
    writer: Option<IndexWriter>,
    /// Written and not committed, so that dropping the writer would lose it.
    has_uncommitted: bool,
}

impl WriterOwner {
    pub fn new(index: Index, reader: IndexReader, fields: Fields, config: &LexicalConfig) -> Self {
        Self {
            index,
            reader,
            fields,
            memory_bytes: config.writer_memory_bytes.max(MIN_WRITER_MEMORY_BYTES),
            idle: config.writer_idle,
            writer: None,
            has_uncommitted: false,
        }
    }

    fn writer(&mut self) -> Result<&mut IndexWriter, IndexError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let options = IndexWriterOptions::builder()
                    .num_worker_threads(1)
                    .num_merge_threads(1)
                    .memory_budget_per_thread(self.memory_bytes)
                    .build();
                self.index.writer_with_options(options).map_err(engine_error)?
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn upsert(&mut self, documents: Vec<(ChunkId, TantivyDocument)>) -> Result<(), IndexError> {
        let fields = self.fields;
        self.has_uncommitted = true;
        let writer = self.writer()?;
        for (chunk_id, document) in documents {
            writer.delete_term(fields.chunk_term(chunk_id));
            writer.add_document(document).map_err(engine_error)?;
        }
        Ok(())
    }

    fn delete(&mut self, terms: Vec<Term>) -> Result<(), IndexError> {
        self.has_uncommitted = true;
        let writer = self.writer()?;
        for term in terms {
            writer.delete_term(term);
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<(), IndexError> {
        self.writer()?.delete_all_documents().map_err(engine_error)?;
        self.commit(0)
    }

    fn commit(&mut self, sequence: u64) -> Result<(), IndexError> {
        let writer = self.writer()?;
        let mut prepared = writer.prepare_commit().map_err(engine_error)?;
        prepared.set_payload(&sequence.to_string());
        prepared.commit().map_err(engine_error)?;
        self.has_uncommitted = false;
        self.reader.reload().map_err(engine_error)
    }

    /// After a failure the writer may have lost some of what it was given; the next one starts from the last
    /// commit, as the caller does.
    fn answer(&mut self, reply: Reply<()>, result: Result<(), IndexError>) {
        if result.is_err() {
            self.writer = None;
            self.has_uncommitted = false;
        }
        let _ = reply.send(result);
    }
}

impl Owner for WriterOwner {
    type Request = Request;

    fn handle(&mut self, request: Request) {
        let (reply, result) = match request {
            Request::Upsert { documents, reply } => (reply, self.upsert(documents)),
            Request::Delete { terms, reply } => (reply, self.delete(terms)),
            Request::Commit { sequence, reply } => (reply, self.commit(sequence)),
            Request::Clear { reply } => (reply, self.clear()),
        };
        self.answer(reply, result);
    }

    fn idle_after(&self) -> Duration {
        self.idle
    }

    fn idle(&mut self) {
        if self.has_uncommitted {
            return;
        }
        let Some(writer) = self.writer.take() else {
            return;
        };
        // Lets merges that are under way finish, then frees the writer's arena.
        if let Err(error) = writer.wait_merging_threads() {
            tracing::warn!(%error, "merging segments of the lexical index failed, it will be tried again");
        }
        if let Err(error) = self.reader.reload() {
            tracing::warn!(%error, "the lexical index could not be reloaded after merging");
        }
    }
}
