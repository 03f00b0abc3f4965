//! Background work as rows: claimed with a lease, kept by a heartbeat, tried a bounded number of times, and put
//! aside with the reason when it cannot be done.
//!
//! A job goes `queued` -> `running` (a worker parses, embeds and writes chunks) -> `indexing` (the indexes follow
//! the log up to its entry) and is removed when its generation serves; or `dead`, with the reason, until the document
//! is retried, replaced or deleted.

pub mod store;

use anwen_contract::{DocumentId, ErrorCode, JobId, KnowledgeBaseId, Timestamp, VersionId};
use std::time::Duration;

/// The one kind of job so far: make the chunks of a version.
pub const INGEST: &str = "ingest";

/// What passwords of files are sealed for, by the id of their document. They leave the database when their job has
/// read the file or is put aside.
pub const FILE_PASSWORDS: &str = "passwords of files";

/// A job in a worker's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub version: VersionId,
    pub document: DocumentId,
    pub base: KnowledgeBaseId,
    pub generation: i64,
    pub claims: i64,
    pub failures: i64,
    /// Of a protected file; see [`FILE_PASSWORDS`].
    pub sealed_password: Option<String>,
}

/// A job that waits for the indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexingJob {
    pub id: JobId,
    pub version: VersionId,
    pub document: DocumentId,
    pub base: KnowledgeBaseId,
    pub generation: i64,
    pub log_sequence: i64,
    pub failures: i64,
}

/// A job to be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub version: VersionId,
    pub document: DocumentId,
    pub base: KnowledgeBaseId,
    pub generation: i64,
    /// Smaller goes first.
    pub priority: i64,
    /// Of a protected file; see [`FILE_PASSWORDS`].
    pub sealed_password: Option<String>,
    pub now: Timestamp,
}

/// Why a job was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobFailure {
    /// It will not go better next time: a reason for people.
    Permanent { code: ErrorCode, message: String },
    /// It may go better next time; counts as a failure.
    Transient { code: ErrorCode, message: String },
    /// Something that the job needs is away. Costs no try.
    Unavailable { message: String },
    /// The job is another worker's, or its document has gone.
    Lost,
}

/// How jobs are retried.
#[derive(Debug, Clone, Copy)]
pub struct RetryRules {
    /// Failures of its own after which a job is put aside.
    pub max_failures: i64,
    /// Times that a job is taken up in all; a job whose worker dies each time must end somewhere too.
    pub max_claims: i64,
    pub first_pause: Duration,
    pub max_pause: Duration,
}

impl RetryRules {
    /// The pause after the `failures`-th failure, counted from 1: doubled each time.
    pub fn pause(&self, failures: i64) -> Duration {
        let doublings = failures.saturating_sub(1).clamp(0, 16);
        self.first_pause.saturating_mul(1 << doublings).min(self.max_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let rules = RetryRules {
            max_failures: 5,
            max_claims: 50,
            first_pause: Duration::from_secs(2),
            max_pause: Duration::from_secs(60),
        };
        let pauses: Vec<u64> = (1..=7).map(|failures| rules.pause(failures).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(rules.pause(i64::MAX).as_secs(), 60);
    }
}
