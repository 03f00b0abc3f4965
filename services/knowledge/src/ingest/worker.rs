//! Workers: each claims a job, keeps its lease alive while the pipeline runs, and settles how it ended.

use super::pipeline::Pipeline;
use crate::documents::store as documents;
use crate::jobs::{Job, JobFailure, RetryRules, store as jobs};
use anwen_contract::knowledge::{DocumentStatus, Notice};
use anwen_contract::{ErrorCode, Timestamp};
use anwen_platform::DbError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Heartbeats in the time of one lease: two may be lost.
const HEARTBEATS_PER_LEASE: u32 = 4;
/// How soon a job is tried again that waits for something else.
const PAUSE_WHEN_UNAVAILABLE: Duration = Duration::from_secs(5);
/// The pause of a worker whose database does not answer.
const PAUSE_WITHOUT_DATABASE: Duration = Duration::from_secs(2);

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerRules {
    pub lease: Duration,
    pub retry: RetryRules,
    /// How often to look for jobs of other processes, and for those whose pause is over.
    pub look_anyway: Duration,
}

/// One worker; a process has several.
pub struct IngestWorker {
    /// Its name in the jobs that it holds; unique among all processes.
    pub name: String,
    pub pipeline: Pipeline,
    pub rules: WorkerRules,
}

impl IngestWorker {
    /// Works until told to stop; the job in hand then goes back.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.work_once(&stop).await {
                Ok(true) => {}
                Ok(false) => self.wait(&stop).await,
                Err(cause) => {
                    tracing::error!(%cause, worker = self.name, "a worker cannot reach the database");
                    sleep_or_stop(PAUSE_WITHOUT_DATABASE, &stop).await;
                }
            }
        }
    }

    async fn wait(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.pipeline.signals.wait_for_job() => {}
            () = tokio::time::sleep(self.rules.look_anyway) => {}
        }
    }

    /// Claims a job and works on it; false when there is none.
    pub async fn work_once(&self, stop: &CancellationToken) -> Result<bool, DbError> {
        let Some(job) = self.claim().await? else { return Ok(false) };
        tracing::debug!(job = %job.id, document = %job.document, claims = job.claims, "job taken");
        let result = tokio::select! {
            result = self.perform(&job) => result,
            () = self.keep_lease(&job) => Err(JobFailure::Lost),
            () = stop.cancelled() => {
                let now = Timestamp::now();
                self.postpone(&job, now, false).await?;
                return Ok(true);
            }
        };
        match result {
            Ok(()) => metrics::counter!("anwen_knowledge_jobs_total", "outcome" => "done").increment(1),
            Err(failure) => self.settle(&job, failure).await?,
        }
        Ok(true)
    }

    async fn claim(&self) -> Result<Option<Job>, DbError> {
        let database = &self.pipeline.database;
        let now = Timestamp::now();
        let until = self.lease_end(now);
        let mut transaction = database.begin_write().await?;
        let job = jobs::claim(&mut transaction, database.kind(), &self.name, now, until).await?;
        transaction.commit().await?;
        Ok(job)
    }

    /// Runs the pipeline in a task of its own, so that a panic costs the job a try and not the process a worker.
    async fn perform(&self, job: &Job) -> Result<(), JobFailure> {
        if job.claims > self.rules.retry.max_claims {
            return Err(JobFailure::Permanent {
                code: ErrorCode::IndexingFailed,
                message: "the service ended each time while it worked on this file".to_owned(),
            });
        }
        let (pipeline, job, name) = (self.pipeline.clone(), job.clone(), self.name.clone());
        let task = AbortOnDropHandle::new(tokio::spawn(async move { pipeline.run(&job, &name).await }));
        task.await.unwrap_or_else(|cause| {
            Err(JobFailure::Transient { code: ErrorCode::IndexingFailed, message: cause.to_string() })
        })
    }

    /// Returns when the lease is lost.
    async fn keep_lease(&self, job: &Job) {
        let mut beats = tokio::time::interval(self.rules.lease / HEARTBEATS_PER_LEASE);
        beats.tick().await;
        loop {
            beats.tick().await;
            match self.heartbeat(job).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(cause) => tracing::warn!(%cause, job = %job.id, "a lease could not be prolonged"),
            }
        }
    }

    async fn heartbeat(&self, job: &Job) -> Result<bool, DbError> {
        let until = self.lease_end(Timestamp::now());
        let mut transaction = self.pipeline.database.begin_write().await?;
        let is_ours = jobs::heartbeat(&mut transaction, job.id, &self.name, until).await?;
        transaction.commit().await?;
        Ok(is_ours)
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(millis(self.rules.lease))
    }

    /// Writes down how a job failed.
    async fn settle(&self, job: &Job, failure: JobFailure) -> Result<(), DbError> {
        let now = Timestamp::now();
        let outcome = match failure {
            JobFailure::Lost => "lost",
            JobFailure::Permanent { code, message } => {
                tracing::info!(document = %job.document, %code, "a document cannot be indexed");
                self.bury(job, code, message, now).await?;
                "failed"
            }
            JobFailure::Transient { code, message } if job.failures + 1 >= self.rules.retry.max_failures => {
                tracing::error!(document = %job.document, cause = message, "a document is given up");
                let told =
                    "indexing failed each time; your administrator finds the cause in the log".to_owned();
                self.bury(job, code, told, now).await?;
                "failed"
            }
            JobFailure::Transient { message, .. } => {
                let pause = self.rules.retry.pause(job.failures + 1);
                tracing::warn!(document = %job.document, cause = message, ?pause, "a document is tried again");
                self.postpone(job, now.plus_millis(millis(pause)), true).await?;
                "retried"
            }
            JobFailure::Unavailable { message } => {
                tracing::warn!(document = %job.document, cause = message, "a document waits");
                self.postpone(job, now.plus_millis(millis(PAUSE_WHEN_UNAVAILABLE)), false).await?;
                "postponed"
            }
        };
        metrics::counter!("anwen_knowledge_jobs_total", "outcome" => outcome).increment(1);
        self.pipeline.signals.documents_changed();
        Ok(())
    }

    async fn bury(&self, job: &Job, code: ErrorCode, message: String, now: Timestamp) -> Result<(), DbError> {
        let reason = Notice { code: code.as_str().to_owned(), message };
        let mut transaction = self.pipeline.database.begin_write().await?;
        if jobs::hold(&mut transaction, job.id, &self.name).await? {
            jobs::bury(&mut transaction, job.id, &reason.code, &reason.message, now).await?;
            documents::fail_version(&mut transaction, job.document, job.version, &reason, now).await?;
        }
        transaction.commit().await
    }

    async fn postpone(&self, job: &Job, run_at: Timestamp, is_failure: bool) -> Result<(), DbError> {
        let queued = documents::Progress { status: DocumentStatus::Queued, permille: 0 };
        let now = Timestamp::now();
        let mut transaction = self.pipeline.database.begin_write().await?;
        if jobs::postpone(&mut transaction, job.id, &self.name, run_at, is_failure).await? {
            documents::report_progress(&mut transaction, job.document, job.version, &queued, now).await?;
        }
        transaction.commit().await
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

async fn sleep_or_stop(pause: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}
