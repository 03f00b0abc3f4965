//! Taking files in: streamed to the object store, then made known in one transaction, then accepted.

use super::names::{SafePath, extended_file_name, guess_media_type, safe_path};
use super::originals::{Incoming, Received};
use super::store;
use crate::access::{Access, require_base};
use crate::app::App;
use crate::bases;
use crate::jobs::{self, NewJob};
use crate::privacy;
use anwen_contract::knowledge::{DocumentStatus, Notice, UploadAnswer, UploadedDocument};
use anwen_contract::{ApiError, DocumentId, ErrorCode, KnowledgeBaseId, Role, Timestamp, UserId, VersionId};
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::header::CONTENT_DISPOSITION;
use futures::stream::StreamExt as _;

/// The most files of one request; a browser sends folders in several.
const MAX_FILES_PER_REQUEST: usize = 5_000;
/// The most bytes of a `path` part.
const MAX_PATH_BYTES: usize = 8 * 1024;

/// What became of one file, before it is known whether it was the only one.
enum Outcome {
    Accepted(UploadedDocument),
    TooLarge(SafePath),
}

/// Takes every file of a request. Each is accepted, or refused, by itself; those that were accepted before the
/// connection broke stay.
///
/// # Errors
/// `file_too_large` when the only file is; in a larger batch such a file becomes a failed document instead.
pub async fn receive(
    app: &App,
    access: &Access,
    base: KnowledgeBaseId,
    mut parts: Multipart,
) -> Result<UploadAnswer, ApiError> {
    require_base(&mut *crate::store::reader(&app.database).await?, access, base, Role::Editor).await?;
    let mut outcomes = Vec::new();
    let mut path = None;
    while let Some(field) = parts.next_field().await.map_err(broken_request)? {
        match field.name() {
            Some("path") => path = Some(read_path(field).await?),
            Some("file") => {
                if outcomes.len() >= MAX_FILES_PER_REQUEST {
                    return Err(ApiError::invalid(format!("at most {MAX_FILES_PER_REQUEST} files at once")));
                }
                let place = safe_path(&path.take().unwrap_or_else(|| name_of(&field)));
                outcomes.push(receive_file(app, access, base, place, field, outcomes.len()).await?);
            }
            _ => {}
        }
    }
    answer(app, access, base, outcomes).await
}

async fn receive_file(
    app: &App,
    access: &Access,
    base: KnowledgeBaseId,
    place: SafePath,
    field: Field<'_>,
    position: usize,
) -> Result<Outcome, ApiError> {
    let mut bytes = field.boxed();
    match app.originals.receive(&mut bytes, app.config.uploads.max_file_bytes).await? {
        Received::TooLarge => Ok(Outcome::TooLarge(place)),
        Received::Stored(incoming) => {
            // The first files of every request go before the many that follow in somebody's folder.
            let accepted = accept(app, access, base, &place, &incoming, position as i64).await;
            if !matches!(&accepted, Ok(document) if document.duplicate_of.is_none()) {
                app.originals.discard(&incoming).await;
            }
            accepted.map(Outcome::Accepted)
        }
    }
}

/// Makes a stored file known: document, version and job in one transaction, in which the file takes its place.
async fn accept(
    app: &App,
    access: &Access,
    base: KnowledgeBaseId,
    place: &SafePath,
    incoming: &Incoming,
    priority: i64,
) -> Result<UploadedDocument, ApiError> {
    let now = Timestamp::now();
    let mut transaction = app.database.begin_write().await?;
    bases::store::lock(&mut transaction, base).await?;
    require_base(&mut transaction, access, base, Role::Editor).await?;
    if let Some(same) = store::with_bytes(&mut transaction, base, &incoming.sha256).await? {
        return Ok(UploadedDocument {
            id: same.id,
            name: place.name.clone(),
            status: same.status,
            duplicate_of: Some(same.id),
        });
    }
    let bytes = i64::try_from(incoming.bytes).map_err(ApiError::internal)?;
    store::register_original(&mut transaction, &incoming.sha256, bytes, now).await?;
    let new = NewContent::of_original(incoming, &place.name)?;
    let (document, version) = add_version(&mut transaction, access.user_id(), base, place, new, now).await?;
    let job = NewJob { version, document, base, generation: 1, priority, sealed_password: None, now };
    jobs::store::insert(&mut transaction, &job).await?;
    app.originals.place(incoming).await?;
    transaction.commit().await?;
    app.signals.job_added();
    app.signals.documents_changed();
    Ok(UploadedDocument {
        id: document,
        name: place.name.clone(),
        status: DocumentStatus::Queued,
        duplicate_of: None,
    })
}

/// What a version is made of.
pub(super) struct NewContent {
    sha256: Option<String>,
    bytes: i64,
    media_type: String,
    error: Option<Notice>,
}

impl NewContent {
    /// A file that is stored.
    pub(super) fn of_original(incoming: &Incoming, name: &str) -> Result<Self, ApiError> {
        Ok(Self {
            sha256: Some(incoming.sha256.clone()),
            bytes: i64::try_from(incoming.bytes).map_err(ApiError::internal)?,
            media_type: guess_media_type(&incoming.head, name),
            error: None,
        })
    }
}

/// Adds a version to the document at this path, or makes the document.
pub(super) async fn add_version(
    connection: &mut crate::store::Connection,
    created_by: UserId,
    base: KnowledgeBaseId,
    place: &SafePath,
    content: NewContent,
    now: Timestamp,
) -> Result<(DocumentId, VersionId), ApiError> {
    let version_id = VersionId::new();
    let existing = store::at_path(connection, base, &place.path).await?;
    let (document, number) = match &existing {
        Some(existing) => (existing.id, existing.latest_number + 1),
        None => (DocumentId::new(), 1),
    };
    match existing {
        Some(existing) if !existing.status.is_final() => {
            jobs::store::drop_waiting(connection, document).await?;
            let reason = Notice {
                code: ErrorCode::Conflict.as_str().to_owned(),
                message: "a newer version was uploaded before this one was indexed".to_owned(),
            };
            store::fail_version(connection, document, existing.latest_version, &reason, now).await?;
        }
        Some(_) => {
            jobs::store::drop_waiting(connection, document).await?;
        }
        None => {
            let names = (place.name.as_str(), place.path.as_str());
            store::insert_document(connection, document, base, names, version_id, now).await?;
            privacy::note_names_in(connection, base, document).await?;
        }
    }
    let version = store::NewVersion {
        id: version_id,
        document,
        number,
        sha256: content.sha256,
        bytes: content.bytes,
        media_type: content.media_type,
        error: content.error,
        created_by,
        now,
    };
    store::insert_version(connection, &version).await?;
    Ok((document, version_id))
}

async fn answer(
    app: &App,
    access: &Access,
    base: KnowledgeBaseId,
    outcomes: Vec<Outcome>,
) -> Result<UploadAnswer, ApiError> {
    if outcomes.is_empty() {
        return Err(ApiError::invalid("no file: send one or more parts named `file`"));
    }
    let too_large = too_large_notice(app.config.uploads.max_file_bytes);
    if let [Outcome::TooLarge(_)] = outcomes.as_slice() {
        return Err(ApiError::new(ErrorCode::FileTooLarge, too_large.message));
    }
    let mut documents = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        documents.push(match outcome {
            Outcome::Accepted(document) => document,
            Outcome::TooLarge(place) => refuse(app, access, base, &place, &too_large).await?,
        });
    }
    Ok(UploadAnswer { documents })
}

fn too_large_notice(max_bytes: u64) -> Notice {
    Notice {
        code: ErrorCode::FileTooLarge.as_str().to_owned(),
        message: format!("the file is larger than {max_bytes} bytes, the most that is taken here"),
    }
}

/// Shows a refused file among the documents, failed with its reason, so that it is not lost among a thousand others.
async fn refuse(
    app: &App,
    access: &Access,
    base: KnowledgeBaseId,
    place: &SafePath,
    reason: &Notice,
) -> Result<UploadedDocument, ApiError> {
    let now = Timestamp::now();
    let mut transaction = app.database.begin_write().await?;
    bases::store::lock(&mut transaction, base).await?;
    require_base(&mut transaction, access, base, Role::Editor).await?;
    let content = NewContent {
        sha256: None,
        bytes: 0,
        media_type: guess_media_type(&[], &place.name),
        error: Some(reason.clone()),
    };
    let (document, _) = add_version(&mut transaction, access.user_id(), base, place, content, now).await?;
    transaction.commit().await?;
    app.signals.documents_changed();
    Ok(UploadedDocument {
        id: document,
        name: place.name.clone(),
        status: DocumentStatus::Failed,
        duplicate_of: None,
    })
}

/// What the sender calls the file.
fn name_of(field: &Field<'_>) -> String {
    let extended =
        field.headers().get(CONTENT_DISPOSITION).and_then(|value| extended_file_name(value.as_bytes()));
    extended.or_else(|| field.file_name().map(str::to_owned)).unwrap_or_default()
}

async fn read_path(mut field: Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken_request)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_PATH_BYTES {
            return Err(ApiError::invalid(format!("path: at most {MAX_PATH_BYTES} bytes")));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn broken_request(cause: MultipartError) -> ApiError {
    if cause.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::new(
            ErrorCode::BodyTooLarge,
            "the upload is larger than one request may be; send fewer files",
        )
        .because(cause);
    }
    ApiError::invalid("the upload is not complete multipart/form-data; send it again").because(cause)
}
