//! Taking a version out of the answers that a policy does not let stay there.

use super::pipeline::{Pipeline, database_failure};
use super::screening::refusal;
use crate::documents::store::{self as documents, VersionToBuild};
use crate::follow;
use crate::jobs::{self, Job, JobFailure};
use crate::privacy::screen::Report;
use crate::privacy::store as privacy;
use anwen_contract::Timestamp;
use anwen_platform::DbError;

impl Pipeline {
    /// Notes what was found in a version that is refused, and takes it out of the answers where it has answered.
    pub(super) async fn refuse(
        &self,
        job: &Job,
        worker: &str,
        version: &VersionToBuild,
        report: &Report,
    ) -> JobFailure {
        match self.withdraw(job, worker, version, Some(report)).await {
            Ok(true) => refusal(report),
            Ok(false) => JobFailure::Lost,
            Err(cause) => database_failure(cause),
        }
    }

    /// What a new policy keeps from being read, and cannot be read under it (its password is forgotten, say), answers no
    /// more either.
    pub(super) async fn unread(
        &self,
        job: &Job,
        worker: &str,
        version: &VersionToBuild,
        failure: JobFailure,
    ) -> JobFailure {
        if !matches!(failure, JobFailure::Permanent { .. }) || !version.answers_under_laxer_policy() {
            return failure;
        }
        match self.withdraw(job, worker, version, None).await {
            Ok(true) => failure,
            Ok(false) => JobFailure::Lost,
            Err(cause) => database_failure(cause),
        }
    }

    async fn withdraw(
        &self,
        job: &Job,
        worker: &str,
        version: &VersionToBuild,
        report: Option<&Report>,
    ) -> Result<bool, DbError> {
        let now = Timestamp::now();
        let mut transaction = self.database.begin_write().await?;
        if !jobs::store::hold(&mut transaction, job.id, worker).await? {
            return Ok(false);
        }
        if let Some(report) = report {
            privacy::note_report(&mut transaction, job.version, report).await?;
        }
        self.note_policy(&mut transaction, job, version).await?;
        let serving = documents::serving(&mut transaction, job.document).await?;
        if let Some(serving) = serving.filter(|serving| serving.version == job.version) {
            documents::withdraw(&mut transaction, job.document, job.version, now).await?;
            let gone = follow::Generation {
                base: job.base,
                document: job.document,
                version: serving.version,
                generation: serving.generation,
            };
            follow::remove_generation(&mut transaction, &gone, now).await?;
        }
        transaction.commit().await?;
        self.signals.log_grew();
        Ok(true)
    }

    /// Under which policy the version was read, and how its document is called where names are masked.
    pub(super) async fn note_policy(
        &self,
        connection: &mut crate::store::Connection,
        job: &Job,
        version: &VersionToBuild,
    ) -> Result<(), DbError> {
        privacy::note_revision(connection, job.version, version.policy_revision).await?;
        crate::privacy::note_shown_names(connection, &version.desensitisation, job.document).await
    }
}
