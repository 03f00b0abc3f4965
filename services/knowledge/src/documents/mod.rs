//! Documents: taking them in, showing, renaming, retrying and deleting them.

pub mod children;
pub mod chunks;
pub mod content;
pub mod events;
pub mod names;
pub mod originals;
pub mod preview;
pub mod routes;
pub mod store;
pub mod upload;

use crate::access::{Access, require_base, require_document};
use crate::app::App;
use crate::classify;
use crate::follow::{self, Entry};
use crate::jobs::{self, NewJob};
use crate::paging::cursor_id;
use crate::privacy;
use crate::store::reader;
use anwen_contract::knowledge::{
    Chunk, Document, DocumentStatus, DocumentVersion, MAX_FILE_PASSWORD_CHARACTERS, RetryDocument,
    UpdateDocument,
};
use anwen_contract::{
    ApiError, ChunkId, DocumentId, ErrorCode, KnowledgeBaseId, Page, PageQuery, Role, Timestamp,
};
use names::{SafePath, renamed, safe_path};
use store::{ListFilter, StoredContent, Within};

/// What a retried document's job waits behind: a person waits for it.
const RETRY_PRIORITY: i64 = 0;

/// Which documents of a knowledge base are asked for.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    pub status: Option<DocumentStatus>,
    pub within: Option<Within>,
    pub label: Option<String>,
}

pub async fn list(
    app: &App,
    access: &Access,
    base: KnowledgeBaseId,
    page: &PageQuery,
    narrowed: Narrowed,
) -> Result<Page<Document>, ApiError> {
    let Narrowed { status, within, label } = narrowed;
    let filter = ListFilter { status, within, label, before: cursor_id(page)? };
    let limit = page.bounded_limit();
    let mut connection = reader(&app.database).await?;
    require_base(&mut connection, access, base, Role::Viewer).await?;
    let items = store::list(&mut connection, access, base, &filter, i64::from(limit) + 1).await?;
    Ok(Page::cut(items, limit, |document| document.id.to_string()))
}

pub async fn find(app: &App, access: &Access, id: DocumentId) -> Result<Document, ApiError> {
    let mut connection = reader(&app.database).await?;
    store::find(&mut connection, access, id).await?.ok_or_else(|| ApiError::not_found("document"))
}

pub async fn versions(
    app: &App,
    access: &Access,
    id: DocumentId,
    page: &PageQuery,
) -> Result<Page<DocumentVersion>, ApiError> {
    let before = cursor_id(page)?;
    let limit = page.bounded_limit();
    let mut connection = reader(&app.database).await?;
    require_document(&mut connection, access, id, Role::Viewer).await?;
    let items = store::versions(&mut connection, id, before, i64::from(limit) + 1).await?;
    Ok(Page::cut(items, limit, |version| version.version.to_string()))
}

/// Where the original of a document is, and what it is called.
pub async fn stored_content(
    app: &App,
    access: &Access,
    id: DocumentId,
    version: Option<i64>,
) -> Result<StoredContent, ApiError> {
    let mut connection = reader(&app.database).await?;
    let base = require_document(&mut connection, access, id, Role::Viewer).await?;
    if privacy::store::withholds_originals(&mut connection, base).await?
        && require_document(&mut connection, access, id, Role::Editor).await.is_err()
    {
        return Err(ApiError::new(
            ErrorCode::OriginalWithheld,
            "passages of this knowledge base are masked; opening an original needs the role editor",
        ));
    }
    let found = store::content(&mut connection, id, version).await?;
    found.ok_or_else(|| ApiError::not_found("version of this document"))
}

/// The passages of the version that answers, in reading order.
pub async fn passages(
    app: &App,
    access: &Access,
    id: DocumentId,
    page: &PageQuery,
) -> Result<Page<Chunk>, ApiError> {
    let after = cursor_id(page)?;
    let limit = page.bounded_limit();
    let mut connection = reader(&app.database).await?;
    require_document(&mut connection, access, id, Role::Viewer).await?;
    let items = chunks::store::of_document(&mut connection, id, after, i64::from(limit) + 1).await?;
    Ok(Page::cut(items, limit, |chunk| chunk.ordinal.to_string()))
}

pub async fn passage(app: &App, access: &Access, id: ChunkId) -> Result<Chunk, ApiError> {
    let mut connection = reader(&app.database).await?;
    let found = chunks::store::find(&mut connection, access, id).await?;
    found.ok_or_else(|| ApiError::not_found("chunk"))
}

/// Renames or moves a document. Its passages are indexed with its name, so the indexes follow.
pub async fn update(
    app: &App,
    access: &Access,
    id: DocumentId,
    body: &UpdateDocument,
) -> Result<Document, ApiError> {
    let now = Timestamp::now();
    let mut transaction = app.database.begin_write().await?;
    let base = require_document(&mut transaction, access, id, Role::Editor).await?;
    let document = store::find(&mut transaction, access, id).await?;
    let document = document.ok_or_else(|| ApiError::not_found("document"))?;
    let place = new_place(&document, body)?;
    let taken = store::at_path(&mut transaction, base, &place.path).await?;
    if taken.is_some_and(|other| other.id != id) {
        return Err(ApiError::new(ErrorCode::NameTaken, "there is another document at this path"));
    }
    store::rename(&mut transaction, id, (&place.name, &place.path), now).await?;
    children::move_children(&mut transaction, base, id, (&document.path, &place.path), now).await?;
    privacy::note_names_in(&mut transaction, base, id).await?;
    if let Some(labels) = &body.labels {
        classify::correct(&mut transaction, base, id, labels).await?;
    }
    if let Some(serving) = store::serving(&mut transaction, id).await? {
        let entry =
            Entry::Upsert { base, document: id, version: serving.version, generation: serving.generation };
        follow::store::append(&mut transaction, &entry, now).await?;
    }
    let changed = store::find(&mut transaction, access, id).await?;
    transaction.commit().await?;
    app.signals.log_grew();
    app.signals.documents_changed();
    changed.ok_or_else(|| ApiError::not_found("document"))
}

fn new_place(document: &Document, body: &UpdateDocument) -> Result<SafePath, ApiError> {
    let is_blank = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
    if is_blank(&body.name) || is_blank(&body.path) {
        return Err(ApiError::invalid("name and path: not empty"));
    }
    let place = match &body.path {
        Some(path) => safe_path(path),
        None => SafePath { path: document.path.clone(), name: document.name.clone() },
    };
    Ok(match &body.name {
        Some(name) => renamed(&place.path, name),
        None => place,
    })
}

/// Tries the newest version of a failed document again, as a new generation; with a password, if it needs one.
///
/// # Errors
/// `conflict` when it has not failed, or when nothing of it was kept.
pub async fn retry(
    app: &App,
    access: &Access,
    id: DocumentId,
    body: &RetryDocument,
) -> Result<Document, ApiError> {
    let sealed_password = sealed_password(app, id, body)?;
    let now = Timestamp::now();
    let mut transaction = app.database.begin_write().await?;
    let base = require_document(&mut transaction, access, id, Role::Editor).await?;
    let latest = store::versions(&mut transaction, id, None, 1).await?.into_iter().next();
    let latest = latest.ok_or_else(|| ApiError::not_found("document"))?;
    if latest.status != DocumentStatus::Failed {
        return Err(ApiError::new(ErrorCode::Conflict, "only a failed document can be tried again"));
    }
    if latest.sha256.is_empty() {
        return Err(ApiError::new(ErrorCode::Conflict, "nothing of this file was kept; upload it again"));
    }
    jobs::store::drop_all(&mut transaction, id).await?;
    let generation = store::begin_generation(&mut transaction, id, latest.id, now).await?;
    let job = NewJob {
        version: latest.id,
        document: id,
        base,
        generation,
        priority: RETRY_PRIORITY,
        sealed_password,
        now,
    };
    jobs::store::insert(&mut transaction, &job).await?;
    let document = store::find(&mut transaction, access, id).await?;
    transaction.commit().await?;
    app.signals.job_added();
    app.signals.documents_changed();
    document.ok_or_else(|| ApiError::not_found("document"))
}

fn sealed_password(app: &App, id: DocumentId, body: &RetryDocument) -> Result<Option<String>, ApiError> {
    let Some(password) = body.password.as_deref().filter(|password| !password.is_empty()) else {
        return Ok(None);
    };
    if password.chars().count() > MAX_FILE_PASSWORD_CHARACTERS {
        return Err(ApiError::invalid(format!(
            "password: at most {MAX_FILE_PASSWORD_CHARACTERS} characters"
        )));
    }
    app.file_passwords.seal(password, &id.to_string()).map(Some).map_err(ApiError::internal)
}

/// Deletes a document and what is inside of it: out of every answer when this returns, out of the indexes and from disk soon after.
pub async fn delete(app: &App, access: &Access, id: DocumentId) -> Result<(), ApiError> {
    let now = Timestamp::now();
    let mut transaction = app.database.begin_write().await?;
    let base = require_document(&mut transaction, access, id, Role::Editor).await?;
    children::delete_with_children(&mut transaction, base, id, now).await?;
    transaction.commit().await?;
    app.signals.log_grew();
    app.signals.documents_changed();
    Ok(())
}
