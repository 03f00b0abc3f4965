//! Jobs in SQL.

use super::{INGEST, IndexingJob, Job, NewJob};
use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::{DocumentId, JobId, Timestamp};
use anwen_platform::DbError;
use anwen_platform::db::DatabaseKind;
use std::collections::BTreeMap;

pub async fn insert(connection: &mut Connection, job: &NewJob) -> Result<JobId, DbError> {
    let id = JobId::new();
    let now = job.now.as_millis();
    Statement::new(
        "INSERT INTO jobs (id, kind, version_id, document_id, knowledge_base_id, generation, state, priority,
             run_at, claims, failures, sealed_password, created_at, updated_at) VALUES (",
    )
    .text(id)
    .push(", ")
    .text(INGEST)
    .push(", ")
    .text(job.version)
    .push(", ")
    .text(job.document)
    .push(", ")
    .text(job.base)
    .push(", ")
    .bind(job.generation)
    .push(", 'queued', ")
    .bind(job.priority)
    .push(", ")
    .bind(now)
    .push(", 0, 0, ")
    .bind(job.sealed_password.clone())
    .push(", ")
    .bind(now)
    .push(", ")
    .bind(now)
    .push(")")
    .run(connection)
    .await?;
    Ok(id)
}

/// Takes the next job that is due: a waiting one, or one whose worker has let its lease run out.
pub async fn claim(
    connection: &mut Connection,
    kind: DatabaseKind,
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Job>, DbError> {
    let row = Statement::new("UPDATE jobs SET state = 'running', claims = claims + 1, worker = ")
        .text(worker)
        .push(", lease_until = ")
        .bind(lease_until.as_millis())
        .push(", updated_at = ")
        .bind(now.as_millis())
        .push(" WHERE id = (SELECT id FROM jobs WHERE (state = 'queued' AND run_at <= ")
        .bind(now.as_millis())
        .push(") OR (state = 'running' AND lease_until < ")
        .bind(now.as_millis())
        .push(") ORDER BY priority, run_at, id LIMIT 1")
        .push(kind.skip_locked())
        .push(
            ") RETURNING id, version_id, document_id, knowledge_base_id, generation, claims, failures,
             sealed_password",
        )
        .optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Job {
        id: row.parsed("id")?,
        version: row.parsed("version_id")?,
        document: row.parsed("document_id")?,
        base: row.parsed("knowledge_base_id")?,
        generation: row.integer("generation")?,
        claims: row.integer("claims")?,
        failures: row.integer("failures")?,
        sealed_password: row.optional_string("sealed_password")?,
    }))
}

/// Prolongs a lease; false when the job is no longer this worker's.
pub async fn heartbeat(
    connection: &mut Connection,
    id: JobId,
    worker: &str,
    lease_until: Timestamp,
) -> Result<bool, DbError> {
    let changed = Statement::new("UPDATE jobs SET lease_until = ")
        .bind(lease_until.as_millis())
        .push(" WHERE state = 'running' AND id = ")
        .text(id)
        .push(" AND worker = ")
        .text(worker)
        .run(connection)
        .await?;
    Ok(changed == 1)
}

/// Whether the job is still this worker's, and keeps it so until the transaction ends.
pub async fn hold(connection: &mut Connection, id: JobId, worker: &str) -> Result<bool, DbError> {
    let changed = Statement::new("UPDATE jobs SET updated_at = updated_at WHERE state = 'running' AND id = ")
        .text(id)
        .push(" AND worker = ")
        .text(worker)
        .run(connection)
        .await?;
    Ok(changed == 1)
}

/// The job's chunks are in the log at `log_sequence`; from here on the indexes have to follow.
pub async fn mark_indexing(
    connection: &mut Connection,
    id: JobId,
    log_sequence: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new(
        "UPDATE jobs SET state = 'indexing', worker = NULL, lease_until = NULL, sealed_password = NULL,
             log_sequence = ",
    )
    .bind(log_sequence)
    .push(", updated_at = ")
    .bind(now.as_millis())
    .push(" WHERE id = ")
    .text(id)
    .run(connection)
    .await?;
    Ok(())
}

/// Puts a job back into the queue until `run_at`. `is_failure` counts it against the job.
pub async fn postpone(
    connection: &mut Connection,
    id: JobId,
    worker: &str,
    run_at: Timestamp,
    is_failure: bool,
) -> Result<bool, DbError> {
    let changed = Statement::new(
        "UPDATE jobs SET state = 'queued', worker = NULL, lease_until = NULL, failures = failures + ",
    )
    .bind(i64::from(is_failure))
    .push(", run_at = ")
    .bind(run_at.as_millis())
    .push(" WHERE state = 'running' AND id = ")
    .text(id)
    .push(" AND worker = ")
    .text(worker)
    .run(connection)
    .await?;
    Ok(changed == 1)
}

/// One more failure of a job that waits for the indexes, with the entry that shall mend it.
pub async fn wait_again(connection: &mut Connection, id: JobId, log_sequence: i64) -> Result<(), DbError> {
    Statement::new("UPDATE jobs SET failures = failures + 1, log_sequence = ")
        .bind(log_sequence)
        .push(" WHERE state = 'indexing' AND id = ")
        .text(id)
        .run(connection)
        .await?;
    Ok(())
}

/// Puts a job aside for good, with the reason; false when it was not there any more.
pub async fn bury(
    connection: &mut Connection,
    id: JobId,
    code: &str,
    message: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let changed = Statement::new(
        "UPDATE jobs SET state = 'dead', worker = NULL, lease_until = NULL, sealed_password = NULL,
             error_code = ",
    )
    .text(code)
    .push(", error_message = ")
    .text(message)
    .push(", updated_at = ")
    .bind(now.as_millis())
    .push(" WHERE state <> 'dead' AND id = ")
    .text(id)
    .run(connection)
    .await?;
    Ok(changed == 1)
}

/// Removes a job that waits for the indexes; false when another process has been faster.
pub async fn take_indexing(
    connection: &mut Connection,
    id: JobId,
    log_sequence: i64,
) -> Result<bool, DbError> {
    let removed = Statement::new("DELETE FROM jobs WHERE state = 'indexing' AND id = ")
        .text(id)
        .push(" AND log_sequence = ")
        .bind(log_sequence)
        .run(connection)
        .await?;
    Ok(removed == 1)
}

/// The jobs whose chunks every index has by now.
pub async fn indexing_up_to(
    connection: &mut Connection,
    sequence: i64,
    limit: i64,
) -> Result<Vec<IndexingJob>, DbError> {
    let rows = Statement::new(
        "SELECT id, version_id, document_id, knowledge_base_id, generation, log_sequence, failures FROM jobs
         WHERE state = 'indexing' AND log_sequence <= ",
    )
    .bind(sequence)
    .push(" ORDER BY log_sequence LIMIT ")
    .bind(limit)
    .all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(IndexingJob {
                id: row.parsed("id")?,
                version: row.parsed("version_id")?,
                document: row.parsed("document_id")?,
                base: row.parsed("knowledge_base_id")?,
                generation: row.integer("generation")?,
                log_sequence: row.integer("log_sequence")?,
                failures: row.integer("failures")?,
            })
        })
        .collect()
}

/// Removes the jobs of a document that no worker has in hand: a newer version takes their place.
pub async fn drop_waiting(connection: &mut Connection, document: DocumentId) -> Result<u64, DbError> {
    Statement::new("DELETE FROM jobs WHERE state IN ('queued', 'dead') AND document_id = ")
        .text(document)
        .run(connection)
        .await
}

/// Removes every job of a document; a worker that has one in hand notices at its next step.
pub async fn drop_all(connection: &mut Connection, document: DocumentId) -> Result<u64, DbError> {
    Statement::new("DELETE FROM jobs WHERE document_id = ").text(document).run(connection).await
}

/// Gives back what the workers of a process that has ended had in hand. Only where no other process can be running
/// on this database; elsewhere leases run out by themselves.
pub async fn release_all(connection: &mut Connection) -> Result<u64, DbError> {
    Statement::new(
        "UPDATE jobs SET state = 'queued', worker = NULL, lease_until = NULL WHERE state = 'running'",
    )
    .run(connection)
    .await
}

/// When the next waiting job is due; `None` when none waits.
pub async fn next_due(connection: &mut Connection) -> Result<Option<Timestamp>, DbError> {
    let row = Statement::new(
        "SELECT MIN(CASE WHEN state = 'queued' THEN run_at ELSE lease_until END) AS due FROM jobs
         WHERE state IN ('queued', 'running')",
    )
    .one(connection)
    .await?;
    Ok(row.optional_integer("due")?.map(Timestamp))
}

/// How many jobs are in each state.
pub async fn count_by_state(connection: &mut Connection) -> Result<BTreeMap<String, i64>, DbError> {
    let rows =
        Statement::new("SELECT state, COUNT(*) AS jobs FROM jobs GROUP BY state").all(connection).await?;
    rows.iter().map(|row| Ok((row.string("state")?, row.integer("jobs")?))).collect()
}
