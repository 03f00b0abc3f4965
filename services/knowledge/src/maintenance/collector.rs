//! Removing what nobody can reach any more: a little at a time, beside the service's work.

use super::store;
use crate::config::Config;
use crate::documents::originals::Originals;
use crate::documents::store::count_by_status;
use crate::follow::store::trim;
use crate::jobs::store::count_by_state;
use crate::store::reader;
use anwen_contract::{ApiError, Timestamp};
use anwen_platform::{Database, publish_disk};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rows removed in one transaction: others write in between.
const ROWS_PER_STEP: i64 = 500;

/// Removes what was deleted.
pub struct Collector {
    pub database: Database,
    pub originals: Originals,
    /// On the volume whose free space is reported.
    pub data_dir: PathBuf,
    pub config: Arc<Config>,
}

/// What one round removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    pub chunks: usize,
    pub documents: usize,
    pub originals: usize,
    pub log_entries: u64,
    pub broken_uploads: u64,
}

impl Collector {
    /// Runs until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut rounds =
            tokio::time::interval(Duration::from_millis(self.config.collector.interval_ms.max(1)));
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rounds.tick() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                result = self.collect(Timestamp::now()) => match result {
                    Ok(collected) if collected != Collected::default() => tracing::info!(?collected, "removed what was deleted"),
                    Ok(_) => {}
                    Err(cause) => tracing::warn!(%cause, internal = cause.internal, "removing what was deleted failed"),
                }
            }
        }
    }

    /// One round, at the time `now`.
    pub async fn collect(&self, now: Timestamp) -> Result<Collected, ApiError> {
        self.publish_counts(now).await?;
        let settings = &self.config.collector;
        let deleted_before = now.plus_millis(-to_millis(settings.keep_deleted_ms));
        let trimmed_before = now.plus_millis(-to_millis(self.config.index_log.retention_hours * 3_600_000));
        let chunks = self.collect_chunks().await?;
        let documents = self.collect_documents(deleted_before).await?;
        let originals = self.collect_originals().await?;
        let mut transaction = self.database.begin_write().await?;
        store::delete_emptied_bases(&mut transaction, deleted_before).await?;
        let log_entries = trim(&mut transaction, trimmed_before).await?;
        transaction.commit().await?;
        let keep = Duration::from_millis(settings.keep_broken_uploads_ms);
        let broken_uploads = self.originals.clear_incoming(keep).await?;
        Ok(Collected { chunks, documents, originals, log_entries, broken_uploads })
    }

    async fn collect_chunks(&self) -> Result<usize, ApiError> {
        let mut removed = 0;
        loop {
            let ids = store::chunks_of_deleted(&mut *reader(&self.database).await?, ROWS_PER_STEP).await?;
            if ids.is_empty() {
                return Ok(removed);
            }
            let mut transaction = self.database.begin_write().await?;
            store::delete_chunks(&mut transaction, &ids).await?;
            transaction.commit().await?;
            removed += ids.len();
        }
    }

    async fn collect_documents(&self, before: Timestamp) -> Result<usize, ApiError> {
        let mut removed = 0;
        loop {
            let ids =
                store::emptied_documents(&mut *reader(&self.database).await?, before, ROWS_PER_STEP).await?;
            if ids.is_empty() {
                return Ok(removed);
            }
            let mut transaction = self.database.begin_write().await?;
            store::delete_documents(&mut transaction, &ids).await?;
            transaction.commit().await?;
            removed += ids.len();
        }
    }

    /// A file goes while its row is locked: an upload of the same bytes waits, and then stores them anew.
    async fn collect_originals(&self) -> Result<usize, ApiError> {
        let unused = store::unused_originals(&mut *reader(&self.database).await?, ROWS_PER_STEP).await?;
        let mut removed = 0;
        for sha256 in unused {
            let mut transaction = self.database.begin_write().await?;
            if store::forget_original(&mut transaction, &sha256).await? {
                self.originals.remove(&sha256).await?;
                removed += 1;
            }
            transaction.commit().await?;
        }
        Ok(removed)
    }

    async fn publish_counts(&self, now: Timestamp) -> Result<(), ApiError> {
        publish_disk("data", &self.data_dir);
        let mut connection = reader(&self.database).await?;
        let jobs = count_by_state(&mut connection).await?;
        for state in ["queued", "running", "indexing", "dead"] {
            metrics::gauge!("anwen_knowledge_jobs", "state" => state).set(count(&jobs, state));
        }
        let oldest = store::oldest_due(&mut connection, now).await?;
        let waited = oldest.map_or(0, |due| now.as_millis().saturating_sub(due).max(0));
        metrics::gauge!("anwen_knowledge_oldest_job_wait_seconds").set(waited as f64 / 1_000.0);
        let documents = count_by_status(&mut connection).await?;
        for status in ["queued", "parsing", "embedding", "indexed", "failed"] {
            metrics::gauge!("anwen_knowledge_documents", "status" => status).set(count(&documents, status));
        }
        Ok(())
    }
}

fn count(counts: &std::collections::BTreeMap<String, i64>, key: &str) -> f64 {
    counts.get(key).copied().unwrap_or(0) as f64
}

fn to_millis(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
