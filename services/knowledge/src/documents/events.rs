//! Server-sent events of what happens to documents.
//!
//! Each stream asks SQL what changed, with its asker's permissions, whenever something in this process says that
//! something did, and once in a while for what other processes did. So a stream shows nothing that a `GET` would not
//! show, a grant that is taken back ends it, and a lost signal is caught up.

use super::store::{Change, changed_since};
use crate::access::{Access, require_base};
use crate::app::App;
use crate::store::reader;
use anwen_contract::knowledge::DocumentEvent;
use anwen_contract::{ApiError, DocumentId, KnowledgeBaseId, Role, Timestamp};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::convert::Infallible;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Changes are gathered for so long before a stream looks again.
const GATHER: Duration = Duration::from_millis(250);
/// How often a stream looks without having been told to.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);
/// Changes are looked for from so long before the newest one seen: transactions that began earlier may end later.
const OVERLAP_MS: i64 = 5_000;
/// Changes read at a time.
const MAX_CHANGES: i64 = 1_000;
/// Events that wait for a slow client; then the stream waits too.
const QUEUED_EVENTS: usize = 64;

/// The answer to `GET /v1/events/documents`.
pub async fn stream(app: &App, access: Access, base: Option<KnowledgeBaseId>) -> Result<Response, ApiError> {
    if let Some(base) = base {
        require_base(&mut *reader(&app.database).await?, &access, base, Role::Viewer).await?;
    }
    let (sender, receiver) = mpsc::channel(QUEUED_EVENTS);
    let watcher = Watcher { app: app.clone(), access, base, seen: Seen::from(Timestamp::now()) };
    let signals = app.signals.watch_documents();
    let stop = app.shutdown.token();
    app.shutdown.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = watcher.run(signals, sender) => {}
        }
    });
    let events = tokio_stream::wrappers::ReceiverStream::new(receiver);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

struct Watcher {
    app: App,
    access: Access,
    base: Option<KnowledgeBaseId>,
    seen: Seen,
}

impl Watcher {
    /// Runs until the client goes, or until the asker may no longer read.
    async fn run(
        mut self,
        mut signals: watch::Receiver<u64>,
        events: mpsc::Sender<Result<Event, Infallible>>,
    ) {
        loop {
            signals.mark_unchanged();
            match self.look().await {
                Ok(changes) => {
                    for event in changes {
                        let event = Event::default().event("document").json_data(&event).unwrap_or_default();
                        if events.send(Ok(event)).await.is_err() {
                            return;
                        }
                    }
                }
                Err(cause) if cause.code.status().is_client_error() => return,
                Err(cause) => tracing::warn!(%cause, "changes of documents could not be read"),
            }
            tokio::select! {
                () = events.closed() => return,
                _ = signals.changed() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(LOOK_ANYWAY) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<Vec<DocumentEvent>, ApiError> {
        let mut connection = reader(&self.app.database).await?;
        if let Some(base) = self.base {
            require_base(&mut connection, &self.access, base, Role::Viewer).await?;
        }
        let since = self.seen.since();
        let changes = changed_since(&mut connection, &self.access, self.base, since, MAX_CHANGES).await?;
        Ok(self.seen.news(changes))
    }
}

/// What a stream has sent lately, so that looking again over the same stretch of time sends nothing twice.
struct Seen {
    newest: Timestamp,
    /// There were more changes than were read at once: go on from the newest, without looking back.
    is_behind: bool,
    sent: HashMap<DocumentId, (Timestamp, u64)>,
}

impl From<Timestamp> for Seen {
    fn from(now: Timestamp) -> Self {
        Self { newest: now, is_behind: false, sent: HashMap::new() }
    }
}

impl Seen {
    fn since(&self) -> Timestamp {
        self.newest.plus_millis(if self.is_behind { 0 } else { -OVERLAP_MS })
    }

    /// Those of the changes that have not been sent in this form.
    fn news(&mut self, changes: Vec<Change>) -> Vec<DocumentEvent> {
        let mut news = Vec::new();
        self.is_behind = changes.len() as i64 >= MAX_CHANGES;
        for Change { document, deleted } in changes {
            let (id, updated_at) = (document.id, document.updated_at);
            let event = DocumentEvent { document, deleted };
            let form = form_of(&event);
            self.newest = self.newest.max(updated_at);
            if self.sent.insert(id, (updated_at, form)).is_none_or(|(_, before)| before != form) {
                news.push(event);
            }
        }
        let forget_before = self.newest.plus_millis(-OVERLAP_MS);
        self.sent.retain(|_, (updated_at, _)| *updated_at >= forget_before);
        news
    }
}

fn form_of(event: &DocumentEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    crate::store::json_text(event).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::knowledge::{Document, DocumentStatus};

    fn change(id: DocumentId, status: DocumentStatus, updated_at: i64) -> Change {
        let document = Document {
            id,
            knowledge_base_id: KnowledgeBaseId(id.0),
            parent_id: None,
            child_count: 0,
            name: "a.md".into(),
            path: "a.md".into(),
            media_type: "text/markdown".into(),
            bytes: 1,
            pages: None,
            status,
            progress: 0.0,
            error: None,
            warnings: vec![],
            version: 1,
            chunk_count: 0,
            finding_count: 0,
            near_duplicate_of: None,
            labels: vec![],
            created_at: Timestamp(0),
            updated_at: Timestamp(updated_at),
        };
        Change { document, deleted: false }
    }

    #[test]
    fn the_same_state_is_sent_once_and_a_late_commit_is_not_missed() {
        let (first, late) = (DocumentId::new(), DocumentId::new());
        let mut seen = Seen::from(Timestamp(10_000));
        assert_eq!(seen.news(vec![change(first, DocumentStatus::Queued, 10_500)]).len(), 1);
        assert_eq!(seen.news(vec![change(first, DocumentStatus::Queued, 10_500)]).len(), 0);
        let both = vec![
            change(late, DocumentStatus::Queued, 10_400),
            change(first, DocumentStatus::Parsing, 10_500),
        ];
        assert_eq!(seen.news(both).len(), 2);
        assert_eq!(seen.since(), Timestamp(10_500 - OVERLAP_MS));
    }

    #[test]
    fn what_is_long_past_is_forgotten() {
        let mut seen = Seen::from(Timestamp(0));
        seen.news(vec![change(DocumentId::new(), DocumentStatus::Queued, 1)]);
        seen.news(vec![change(DocumentId::new(), DocumentStatus::Queued, 100_000)]);
        assert_eq!(seen.sent.len(), 1);
    }
}
