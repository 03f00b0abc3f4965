//! Making generations serve once both indexes hold every one of their chunks.

use super::apply::{IndexFailure, Indexes};
use super::{Entry, chunk_ids, store as log};
use crate::documents::chunks::store as chunks;
use crate::documents::store::{self as documents, Serving};
use crate::index::SpaceName;
use crate::jobs::{IndexingJob, store as jobs};
use crate::store::{Connection, reader};
use anwen_contract::knowledge::Notice;
use anwen_contract::{DocumentId, ErrorCode, KnowledgeBaseId, Timestamp, VersionId};
use anwen_platform::{Database, DbError};

/// Jobs looked at in one go.
const JOBS_PER_ROUND: i64 = 256;
/// How often chunks that are missing from an index are written again before the document fails.
const MAX_REPAIRS: i64 = 3;

/// Makes every generation serve whose entry is at most `reached`, and answers how many documents changed.
pub async fn publish_up_to(
    database: &Database,
    indexes: &Indexes,
    reached: i64,
) -> Result<usize, IndexFailure> {
    let mut changed = 0;
    loop {
        let waiting = {
            let mut connection = reader(database).await?;
            jobs::indexing_up_to(&mut connection, reached, JOBS_PER_ROUND).await?
        };
        for job in &waiting {
            publish(database, indexes, job).await?;
        }
        changed += waiting.len();
        if (waiting.len() as i64) < JOBS_PER_ROUND {
            return Ok(changed);
        }
    }
}

/// Every way through here ends the job or moves its entry beyond what has been reached, so that a round ends.
async fn publish(database: &Database, indexes: &Indexes, job: &IndexingJob) -> Result<(), IndexFailure> {
    let (expected, space) = {
        let mut connection = reader(database).await?;
        let expected = chunks::count_generation(&mut connection, job.version, job.generation).await?;
        (expected, documents::space_of(&mut connection, job.base).await?)
    };
    let is_complete = match space.map(|space| space.parse::<SpaceName>()).transpose()? {
        Some(space) => {
            let (vectors, texts) =
                indexes.count(&space, &chunk_ids(job.version, job.generation, expected)).await?;
            if (vectors as i64, texts as i64) != (expected, expected) {
                tracing::warn!(document = %job.document, expected, vectors, texts, "an index lacks chunks");
            }
            (vectors as i64, texts as i64) == (expected, expected)
        }
        None => expected == 0,
    };
    let mut transaction = database.begin_write().await?;
    if is_complete {
        serve(&mut transaction, job, expected).await?;
    } else {
        repair(&mut transaction, job).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// One transaction: the new generation answers, and what answered before goes.
async fn serve(connection: &mut Connection, job: &IndexingJob, chunk_count: i64) -> Result<(), DbError> {
    let now = Timestamp::now();
    if !jobs::take_indexing(connection, job.id, job.log_sequence).await? {
        return Ok(());
    }
    let Some(number) = documents::number_of(connection, job.version).await? else {
        // The document has gone; the collector removes its chunks.
        return Ok(());
    };
    let before = documents::serving(connection, job.document).await?;
    if before.as_ref().is_some_and(|before| before.number > number) {
        return remove_generation(connection, &Generation::of(job), now).await;
    }
    let serving = Serving { version: job.version, number, generation: job.generation, chunk_count };
    documents::serve(connection, job.document, &serving, now).await?;
    match before {
        Some(before) if (before.version, before.generation) != (job.version, job.generation) => {
            if before.version != job.version {
                documents::retire(connection, before.version).await?;
            }
            let replaced =
                Generation { version: before.version, generation: before.generation, ..Generation::of(job) };
            remove_generation(connection, &replaced, now).await
        }
        _ => Ok(()),
    }
}

/// A generation of chunks and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Generation {
    pub base: KnowledgeBaseId,
    pub document: DocumentId,
    pub version: VersionId,
    pub generation: i64,
}

impl Generation {
    fn of(job: &IndexingJob) -> Self {
        Self { base: job.base, document: job.document, version: job.version, generation: job.generation }
    }
}

/// Removes a generation's chunks, and has the indexes follow.
pub async fn remove_generation(
    connection: &mut Connection,
    of: &Generation,
    now: Timestamp,
) -> Result<(), DbError> {
    let removed = chunks::delete_generation(connection, of.version, of.generation).await?;
    let entry = Entry::DeleteGeneration {
        base: of.base,
        document: of.document,
        version: of.version,
        generation: of.generation,
        chunk_count: i64::try_from(removed).unwrap_or(i64::MAX),
    };
    log::append(connection, &entry, now).await?;
    Ok(())
}

/// Has the chunks written once more, a bounded number of times.
async fn repair(connection: &mut Connection, job: &IndexingJob) -> Result<(), DbError> {
    let now = Timestamp::now();
    if job.failures >= MAX_REPAIRS {
        return fail(connection, job, "an index does not hold every passage of this document", now).await;
    }
    let entry = Entry::Upsert {
        base: job.base,
        document: job.document,
        version: job.version,
        generation: job.generation,
    };
    let sequence = log::append(connection, &entry, now).await?;
    jobs::wait_again(connection, job.id, sequence).await
}

/// Gives a job up that the indexes cannot take; what answered before goes on answering.
pub async fn fail(
    connection: &mut Connection,
    job: &IndexingJob,
    message: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let reason = Notice { code: ErrorCode::IndexingFailed.as_str().to_owned(), message: message.to_owned() };
    if !jobs::bury(connection, job.id, &reason.code, &reason.message, now).await? {
        return Ok(());
    }
    documents::fail_version(connection, job.document, job.version, &reason, now).await?;
    remove_generation(connection, &Generation::of(job), now).await
}
