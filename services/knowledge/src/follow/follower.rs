//! The task that keeps both indexes up with the log.

use super::apply::{IndexFailure, Indexes, Targets};
use super::publish::{fail, publish_up_to};
use super::{LoggedEntry, store};
use crate::jobs;
use crate::signals::Signals;
use crate::store::reader;
use anwen_contract::Timestamp;
use anwen_platform::{Database, DbError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Entries read at a time.
const ENTRIES_PER_READ: i64 = 256;
/// A commit is made after so many chunks even when more entries wait: memory is bounded by it.
const CHUNKS_PER_COMMIT: usize = 4_096;
/// The first pause after a failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// How the log is followed.
#[derive(Debug, Clone)]
pub struct FollowerSettings {
    /// Names this process among those that follow.
    pub name: String,
    /// The least time between two commits; what comes in between is committed together.
    pub commit_interval: Duration,
    /// How often the log is looked at without a signal from this process.
    pub look_anyway: Duration,
}

/// How far each index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    vectors: i64,
    lexical: i64,
}

impl Position {
    fn slowest(self) -> i64 {
        self.vectors.min(self.lexical)
    }

    fn targets_of(self, sequence: i64) -> Targets {
        Targets { vectors: self.vectors < sequence, lexical: self.lexical < sequence }
    }

    fn advanced_to(self, sequence: i64) -> Self {
        Self { vectors: self.vectors.max(sequence), lexical: self.lexical.max(sequence) }
    }
}

/// Follows the log. One for each process; what it does is idempotent, so that several do no harm.
pub struct Follower {
    database: Database,
    indexes: Indexes,
    signals: Signals,
    settings: FollowerSettings,
    /// What both indexes have on disk; `None` until it has been asked, and again after a failure.
    position: Option<Position>,
}

impl Follower {
    pub fn new(database: Database, indexes: Indexes, signals: Signals, settings: FollowerSettings) -> Self {
        Self { database, indexes, signals, settings, position: None }
    }

    /// Runs until told to stop. A failure is logged and tried again with growing pauses: the log waits.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !stop.is_cancelled() {
            let started = Instant::now();
            let wait = match self.catch_up().await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    None
                }
                Err(failure) => {
                    tracing::error!(error = %failure, pause_ms = pause.as_millis() as u64, "the index log cannot be followed");
                    self.position = None;
                    let wait = pause;
                    pause = (pause * 2).min(MAX_PAUSE);
                    Some(wait)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wait_for_more(wait, started) => {}
            }
        }
    }

    async fn wait_for_more(&self, after_failure: Option<Duration>, last_round: Instant) {
        if let Some(pause) = after_failure {
            return tokio::time::sleep(pause).await;
        }
        tokio::select! {
            () = self.signals.wait_for_log() => {}
            () = tokio::time::sleep(self.settings.look_anyway) => {}
        }
        tokio::time::sleep_until(last_round + self.settings.commit_interval).await;
    }

    /// Applies everything that is in the log now, and makes what is complete serve.
    pub async fn catch_up(&mut self) -> Result<(), IndexFailure> {
        let mut position = self.settled_position().await?;
        loop {
            let head = store::head(&mut *reader(&self.database).await?).await?;
            report(position, head);
            if position.slowest() < head {
                position = self.advance(position).await?;
            }
            if publish_up_to(&self.database, &self.indexes, position.slowest()).await? > 0 {
                self.signals.documents_changed();
            }
            let head = store::head(&mut *reader(&self.database).await?).await?;
            report(position, head);
            if position.slowest() >= head {
                return Ok(());
            }
        }
    }

    /// Reads a stretch of the log, applies it and makes it durable.
    async fn advance(&mut self, from: Position) -> Result<Position, IndexFailure> {
        let entries = {
            let mut connection = reader(&self.database).await?;
            store::after(&mut connection, from.slowest(), ENTRIES_PER_READ).await?
        };
        let mut reached = from;
        let mut chunks = 0;
        for logged in &entries {
            chunks += self.apply(logged, reached.targets_of(logged.sequence)).await?;
            reached = reached.advanced_to(logged.sequence);
            if chunks >= CHUNKS_PER_COMMIT {
                break;
            }
        }
        self.commit(from, reached).await?;
        Ok(reached)
    }

    /// Applies an entry. One that cannot ever be applied fails its document and nothing else.
    async fn apply(&self, logged: &LoggedEntry, targets: Targets) -> Result<usize, IndexFailure> {
        match self.indexes.apply(&self.database, &logged.entry, targets).await {
            Err(failure) if failure.is_permanent() => {
                tracing::error!(error = %failure, sequence = logged.sequence, "an entry cannot be indexed");
                self.give_up(logged.sequence, &failure).await?;
                Ok(0)
            }
            applied => applied,
        }
    }

    async fn give_up(&self, sequence: i64, failure: &IndexFailure) -> Result<(), DbError> {
        let mut transaction = self.database.begin_write().await?;
        let waiting = jobs::store::indexing_up_to(&mut transaction, sequence, i64::MAX).await?;
        for job in waiting.iter().filter(|job| job.log_sequence == sequence) {
            fail(&mut transaction, job, &failure.to_string(), Timestamp::now()).await?;
        }
        transaction.commit().await
    }

    async fn commit(&mut self, from: Position, reached: Position) -> Result<(), IndexFailure> {
        if reached.lexical > from.lexical {
            self.indexes.lexical.commit(reached.lexical.unsigned_abs()).await?;
        }
        if reached.vectors > from.vectors {
            self.indexes.vectors.flush(reached.vectors.unsigned_abs()).await?;
        }
        self.position = Some(reached);
        let now = Timestamp::now();
        let mut transaction = self.database.begin_write().await?;
        for (index, sequence) in [("vectors", reached.vectors), ("lexical", reached.lexical)] {
            store::note_reached(&mut transaction, &self.settings.name, index, sequence, now).await?;
            metrics::gauge!("anwen_knowledge_index_sequence", "index" => index).set(sequence as f64);
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Where to follow from. An index whose place in the log cannot be trusted (it is new, the log has been trimmed
    /// beyond it, or it comes from another history of the database) is first filled from the chunks themselves.
    async fn settled_position(&mut self) -> Result<Position, IndexFailure> {
        if let Some(position) = self.position {
            return Ok(position);
        }
        let reached = Position {
            vectors: i64::try_from(self.indexes.vectors.reached_sequence().await?).unwrap_or(i64::MAX),
            lexical: i64::try_from(self.indexes.lexical.reached_sequence().await?).unwrap_or(i64::MAX),
        };
        let (head, oldest) = {
            let mut connection = reader(&self.database).await?;
            (store::head(&mut connection).await?, store::oldest(&mut connection).await?)
        };
        let is_lost = |sequence: i64| is_lost(sequence, head, oldest);
        let lost = Targets { vectors: is_lost(reached.vectors), lexical: is_lost(reached.lexical) };
        if !(lost.vectors || lost.lexical) {
            self.position = Some(reached);
            return Ok(reached);
        }
        tracing::info!(?lost, head, "filling an index from the stored passages");
        super::rebuild::fill(&self.database, &self.indexes, lost).await?;
        let filled = Position {
            vectors: if lost.vectors { head } else { reached.vectors },
            lexical: if lost.lexical { head } else { reached.lexical },
        };
        let before = Position {
            vectors: if lost.vectors { -1 } else { reached.vectors },
            lexical: if lost.lexical { -1 } else { reached.lexical },
        };
        self.commit(before, filled).await?;
        Ok(filled)
    }
}

/// How far this process's indexes are behind the log. An index that is up to date says when that was, so that one that
/// is not ages.
fn report(position: Position, head: i64) {
    for (index, reached) in [("vectors", position.vectors), ("lexical", position.lexical)] {
        let behind = head.saturating_sub(reached).max(0);
        metrics::gauge!("anwen_knowledge_index_lag_entries", "index" => index).set(behind as f64);
        if behind == 0 {
            let now = Timestamp::now().as_millis() as f64 / 1_000.0;
            metrics::gauge!("anwen_knowledge_index_current_timestamp_seconds", "index" => index).set(now);
        }
    }
}

/// Whether following from `reached` would miss entries: the next one needed has been trimmed, or the index is ahead
/// of the log.
fn is_lost(reached: i64, head: i64, oldest: Option<i64>) -> bool {
    let first_kept = oldest.unwrap_or(head + 1);
    reached > head || reached + 1 < first_kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_lost_when_the_log_cannot_take_it_further() {
        for (reached, head, oldest, expected) in [
            (0, 0, None, false),
            (0, 5, Some(1), false),
            (3, 5, Some(4), false),
            (2, 5, Some(4), true),
            (5, 5, None, false),
            (4, 5, None, true),
            (6, 5, Some(1), true),
        ] {
            assert_eq!(is_lost(reached, head, oldest), expected, "{reached} of {head}, oldest {oldest:?}");
        }
    }

    #[test]
    fn an_entry_is_applied_to_the_index_that_lacks_it() {
        let position = Position { vectors: 3, lexical: 5 };
        assert_eq!(position.targets_of(4), Targets { vectors: true, lexical: false });
        assert_eq!(position.targets_of(6), Targets::BOTH);
        assert_eq!(position.slowest(), 3);
    }
}
