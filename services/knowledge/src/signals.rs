//! Within one process, those who wait for work are told at once; across processes they look once in a while. The
//! truth is always in SQL: a signal that is lost costs time, nothing else.

use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Clones share the signals.
#[derive(Clone)]
pub struct Signals {
    jobs: Arc<Notify>,
    log: Arc<Notify>,
    profile: Arc<Notify>,
    documents: watch::Sender<u64>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            jobs: Arc::default(),
            log: Arc::default(),
            profile: Arc::default(),
            documents: watch::Sender::new(0),
        }
    }
}

impl Signals {
    /// A job is there to be claimed.
    pub fn job_added(&self) {
        self.jobs.notify_one();
    }

    /// Waits for a job; one call is woken for each.
    pub async fn wait_for_job(&self) {
        self.jobs.notified().await;
    }

    /// The index log has a new entry.
    pub fn log_grew(&self) {
        self.log.notify_one();
    }

    pub async fn wait_for_log(&self) {
        self.log.notified().await;
    }

    /// A knowledge base has another chunk profile.
    pub fn profile_changed(&self) {
        self.profile.notify_one();
    }

    pub async fn wait_for_profile(&self) {
        self.profile.notified().await;
    }

    /// Some document is not as it was.
    pub fn documents_changed(&self) {
        self.documents.send_modify(|count| *count += 1);
    }

    pub fn watch_documents(&self) -> watch::Receiver<u64> {
        self.documents.subscribe()
    }
}
