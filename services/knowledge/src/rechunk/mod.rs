//! Cutting documents anew after their knowledge base's chunk profile has changed: as a new generation beside the one
//! that answers, behind every fresh upload.
//!
//! What is to be done follows from SQL alone (a version whose passages were cut by another profile than its knowledge
//! base has now), so nothing is lost when the process ends in between, and a profile that changes twice in a row, or
//! while a document is being worked on, ends in the right state.

pub mod store;

use crate::jobs::{self, NewJob};
use crate::signals::Signals;
use crate::store::reader;
use anwen_contract::Timestamp;
use anwen_platform::{Database, DbError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The priority of these jobs; smaller goes first, and no upload has one this large.
pub const PRIORITY: i64 = 1_000_000;
/// Jobs of this kind that wait at the same time: the rest is found again when they are done.
const MAX_WAITING: i64 = 500;
/// Documents taken in one transaction: others write in between.
const DOCUMENTS_PER_STEP: i64 = 50;
/// How soon to look again while there is something to do.
const PAUSE: Duration = Duration::from_secs(2);
/// How often to look for what another process changed.
const LOOK_ANYWAY: Duration = Duration::from_secs(600);

/// Gives documents that are to be cut anew to the workers, until told to stop.
pub async fn run(database: Database, signals: Signals, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match begin_due(&database, &signals).await {
            Ok(Due { begun: 0, waiting: 0 }) => LOOK_ANYWAY,
            Ok(_) => PAUSE,
            Err(cause) => {
                tracing::warn!(%cause, "documents to be cut anew could not be looked for");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = signals.wait_for_profile() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What a round found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Documents that a new generation was begun for.
    pub begun: usize,
    /// Jobs of this kind that were waiting or being worked on already.
    pub waiting: i64,
}

/// One round: begins generations as long as there is room in the queue.
pub async fn begin_due(database: &Database, signals: &Signals) -> Result<Due, DbError> {
    let waiting = store::unfinished(&mut *reader(database).await?, PRIORITY).await?;
    let mut due = Due { begun: 0, waiting };
    loop {
        let room = MAX_WAITING - waiting - due.begun as i64;
        let step = begin_some(database, room.min(DOCUMENTS_PER_STEP)).await?;
        if step == 0 {
            break;
        }
        due.begun += step;
        for _ in 0..step {
            signals.job_added();
        }
        signals.documents_changed();
    }
    if due.begun > 0 {
        tracing::info!(documents = due.begun, "documents are cut anew by another chunk profile");
    }
    Ok(due)
}

async fn begin_some(database: &Database, limit: i64) -> Result<usize, DbError> {
    if limit <= 0 {
        return Ok(0);
    }
    let now = Timestamp::now();
    let mut transaction = database.begin_write().await?;
    let stale = store::stale(&mut transaction, limit).await?;
    for (document, version, base) in &stale {
        let (document, version, base) = (*document, *version, *base);
        let generation =
            crate::documents::store::begin_generation(&mut transaction, document, version, now).await?;
        let job =
            NewJob { version, document, base, generation, priority: PRIORITY, sealed_password: None, now };
        jobs::store::insert(&mut transaction, &job).await?;
    }
    transaction.commit().await?;
    Ok(stale.len())
}
