//! How documents and versions change. Each function is a step of a transaction that its caller holds.

use crate::store::{Columns as _, Connection, Statement, json_text};
use anwen_contract::chunking::ChunkProfile;
use anwen_contract::knowledge::{DocumentStatus, Notice};
use anwen_contract::{DocumentId, KnowledgeBaseId, Timestamp, UserId, VersionId};
use anwen_platform::DbError;

/// Notes that a file is stored. The row stays locked until the transaction ends, so that the collector cannot
/// remove the file in between.
pub async fn register_original(
    connection: &mut Connection,
    sha256: &str,
    bytes: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("INSERT INTO originals (sha256, bytes, created_at) VALUES (")
        .text(sha256)
        .push(", ")
        .bind(bytes)
        .push(", ")
        .bind(now.as_millis())
        .push(") ON CONFLICT (sha256) DO UPDATE SET bytes = excluded.bytes")
        .run(connection)
        .await?;
    Ok(())
}

/// A document with the newest version that it has.
#[derive(Debug, Clone)]
pub struct Existing {
    pub id: DocumentId,
    pub name: String,
    pub latest_version: VersionId,
    pub latest_number: i64,
    pub status: DocumentStatus,
}

fn existing_of(row: &sqlx::any::AnyRow) -> Result<Existing, DbError> {
    let status = row.string("status")?;
    Ok(Existing {
        id: row.parsed("id")?,
        name: row.string("name")?,
        latest_version: row.parsed("version_id")?,
        latest_number: row.integer("number")?,
        status: DocumentStatus::parse(&status)
            .ok_or(DbError::Corrupt(format!("document status {status}")))?,
    })
}

/// The document of this knowledge base whose newest version has these bytes and has not failed. `CROSS JOIN` keeps
/// SQLite to starting from the bytes: a large knowledge base has many documents, and one version like this.
pub async fn with_bytes(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    sha256: &str,
) -> Result<Option<Existing>, DbError> {
    let row = Statement::new(
        "SELECT d.id, d.name, v.id AS version_id, v.number, v.status FROM versions v CROSS JOIN documents d
         WHERE d.id = v.document_id AND d.latest_version_id = v.id AND d.deleted_at IS NULL
         AND v.status <> 'failed' AND v.sha256 = ",
    )
    .text(sha256)
    .push(" AND d.knowledge_base_id = ")
    .text(base)
    .push(" ORDER BY d.id LIMIT 1")
    .optional(connection)
    .await?;
    row.as_ref().map(existing_of).transpose()
}

/// The document at this path of this knowledge base.
pub async fn at_path(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    path: &str,
) -> Result<Option<Existing>, DbError> {
    let row = Statement::new(
        "SELECT d.id, d.name, v.id AS version_id, v.number, v.status FROM documents d
         JOIN versions v ON v.id = d.latest_version_id WHERE d.deleted_at IS NULL AND d.knowledge_base_id = ",
    )
    .text(base)
    .push(" AND d.path = ")
    .text(path)
    .optional(connection)
    .await?;
    row.as_ref().map(existing_of).transpose()
}

pub async fn insert_document(
    connection: &mut Connection,
    id: DocumentId,
    base: KnowledgeBaseId,
    (name, path): (&str, &str),
    first_version: VersionId,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new(
        "INSERT INTO documents (id, knowledge_base_id, name, path, latest_version_id, created_at, updated_at) VALUES (",
    )
    .text(id)
    .push(", ")
    .text(base)
    .push(", ")
    .text(name)
    .push(", ")
    .text(path)
    .push(", ")
    .text(first_version)
    .push(", ")
    .bind(now.as_millis())
    .push(", ")
    .bind(now.as_millis())
    .push(")")
    .run(connection)
    .await?;
    Ok(())
}

/// A version to be made.
#[derive(Debug, Clone)]
pub struct NewVersion {
    pub id: VersionId,
    pub document: DocumentId,
    pub number: i64,
    /// `None` when the upload was refused and nothing is kept.
    pub sha256: Option<String>,
    pub bytes: i64,
    pub media_type: String,
    /// Set when the version is refused from the start.
    pub error: Option<Notice>,
    pub created_by: UserId,
    pub now: Timestamp,
}

/// Adds a version and makes it the document's newest. Its first generation is number 1.
pub async fn insert_version(connection: &mut Connection, version: &NewVersion) -> Result<(), DbError> {
    let status = if version.error.is_some() { DocumentStatus::Failed } else { DocumentStatus::Queued };
    Statement::new(
        "INSERT INTO versions (id, document_id, number, sha256, bytes, media_type, status, progress_permille,
             error_code, error_message, warnings, generation, chunk_count, created_by, created_at) VALUES (",
    )
    .text(version.id)
    .push(", ")
    .text(version.document)
    .push(", ")
    .bind(version.number)
    .push(", ")
    .bind(version.sha256.clone())
    .push(", ")
    .bind(version.bytes)
    .push(", ")
    .text(&version.media_type)
    .push(", ")
    .text(status.as_str())
    .push(", 0, ")
    .bind(version.error.as_ref().map(|error| error.code.clone()))
    .push(", ")
    .bind(version.error.as_ref().map(|error| error.message.clone()))
    .push(", '[]', 1, 0, ")
    .text(version.created_by)
    .push(", ")
    .bind(version.now.as_millis())
    .push(")")
    .run(&mut *connection)
    .await?;
    Statement::new("UPDATE documents SET latest_version_id = ")
        .text(version.id)
        .push(", updated_at = ")
        .bind(version.now.as_millis())
        .push(" WHERE id = ")
        .text(version.document)
        .run(connection)
        .await?;
    Ok(())
}

/// What there is to report of a version on its way.
#[derive(Debug, Clone)]
pub struct Progress {
    pub status: DocumentStatus,
    /// Thousandths.
    pub permille: i64,
}

/// Notes progress. A version that has failed in the meantime (it was replaced) stays failed.
pub async fn report_progress(
    connection: &mut Connection,
    document: DocumentId,
    version: VersionId,
    progress: &Progress,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("UPDATE versions SET status = ")
        .text(progress.status.as_str())
        .push(", progress_permille = ")
        .bind(progress.permille)
        .push(" WHERE status <> 'failed' AND id = ")
        .text(version)
        .run(&mut *connection)
        .await?;
    touch(connection, document, now).await
}

/// What parsing found out about a version.
#[derive(Debug, Clone)]
pub struct ParsedFacts {
    pub media_type: String,
    pub pages: Option<i64>,
    pub warnings: Vec<Notice>,
}

pub async fn note_parsed(
    connection: &mut Connection,
    version: VersionId,
    facts: &ParsedFacts,
) -> Result<(), DbError> {
    Statement::new("UPDATE versions SET media_type = ")
        .text(&facts.media_type)
        .push(", pages = ")
        .bind(facts.pages)
        .push(", warnings = ")
        .text(json_text(&facts.warnings))
        .push(" WHERE id = ")
        .text(version)
        .run(connection)
        .await?;
    Ok(())
}

/// Notes how the passages of a version that have just been written were cut.
pub async fn note_chunk_profile(
    connection: &mut Connection,
    version: VersionId,
    profile: ChunkProfile,
) -> Result<(), DbError> {
    Statement::new("UPDATE versions SET chunk_profile = ")
        .text(profile)
        .push(" WHERE id = ")
        .text(version)
        .run(connection)
        .await?;
    Ok(())
}

/// A version failed, for a reason that people can read.
pub async fn fail_version(
    connection: &mut Connection,
    document: DocumentId,
    version: VersionId,
    reason: &Notice,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("UPDATE versions SET status = 'failed', error_code = ")
        .text(&reason.code)
        .push(", error_message = ")
        .text(&reason.message)
        .push(" WHERE id = ")
        .text(version)
        .run(&mut *connection)
        .await?;
    touch(connection, document, now).await
}

/// Begins a further generation of a version and answers its number.
pub async fn begin_generation(
    connection: &mut Connection,
    document: DocumentId,
    version: VersionId,
    now: Timestamp,
) -> Result<i64, DbError> {
    let row = Statement::new(
        "UPDATE versions SET status = 'queued', progress_permille = 0, error_code = NULL, error_message = NULL,
             generation = generation + 1 WHERE id = ",
    )
    .text(version)
    .push(" RETURNING generation")
    .one(&mut *connection)
    .await?;
    touch(connection, document, now).await?;
    row.integer("generation")
}

/// Gives a knowledge base its embedding space, unless it has one; answers the one that it has now.
pub async fn settle_space(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    space: &str,
) -> Result<String, DbError> {
    let row = Statement::new("UPDATE knowledge_bases SET space = COALESCE(space, ")
        .text(space)
        .push(") WHERE id = ")
        .text(base)
        .push(" RETURNING space")
        .one(connection)
        .await?;
    row.string("space")
}

/// What serves a document, and what is to be said about one of its versions.
#[derive(Debug, Clone)]
pub struct Serving {
    pub version: VersionId,
    pub number: i64,
    pub generation: i64,
    pub chunk_count: i64,
}

/// What answers for a document now; `None` when nothing does.
pub async fn serving(connection: &mut Connection, document: DocumentId) -> Result<Option<Serving>, DbError> {
    let row = Statement::new(
        "SELECT v.id, v.number, v.serving_generation, v.chunk_count FROM documents d
         JOIN versions v ON v.id = d.serving_version_id
         WHERE v.serving_generation IS NOT NULL AND d.id = ",
    )
    .text(document)
    .optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Serving {
        version: row.parsed("id")?,
        number: row.integer("number")?,
        generation: row.integer("serving_generation")?,
        chunk_count: row.integer("chunk_count")?,
    }))
}

/// The number of a version whose document exists.
pub async fn number_of(connection: &mut Connection, version: VersionId) -> Result<Option<i64>, DbError> {
    let row = Statement::new(
        "SELECT v.number FROM versions v JOIN documents d ON d.id = v.document_id AND d.deleted_at IS NULL
         JOIN knowledge_bases kb ON kb.id = d.knowledge_base_id AND kb.deleted_at IS NULL WHERE v.id = ",
    )
    .text(version)
    .optional(connection)
    .await?;
    row.map(|row| row.integer("number")).transpose()
}

/// Makes a generation of a version the one that answers for its document.
pub async fn serve(
    connection: &mut Connection,
    document: DocumentId,
    now_serving: &Serving,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("UPDATE versions SET status = 'indexed', progress_permille = 1000, error_code = NULL, error_message = NULL, serving_generation = ")
        .bind(now_serving.generation)
        .push(", chunk_count = ")
        .bind(now_serving.chunk_count)
        .push(" WHERE id = ")
        .text(now_serving.version)
        .run(&mut *connection)
        .await?;
    Statement::new("UPDATE documents SET serving_version_id = ")
        .text(now_serving.version)
        .push(", updated_at = ")
        .bind(now.as_millis())
        .push(" WHERE id = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}

/// A version answers no more.
pub async fn retire(connection: &mut Connection, version: VersionId) -> Result<(), DbError> {
    Statement::new("UPDATE versions SET serving_generation = NULL WHERE id = ")
        .text(version)
        .run(connection)
        .await?;
    Ok(())
}

/// Nothing answers for a document any more.
pub async fn withdraw(
    connection: &mut Connection,
    document: DocumentId,
    version: VersionId,
    now: Timestamp,
) -> Result<(), DbError> {
    retire(&mut *connection, version).await?;
    Statement::new("UPDATE versions SET chunk_count = 0 WHERE id = ")
        .text(version)
        .run(&mut *connection)
        .await?;
    Statement::new("UPDATE documents SET serving_version_id = NULL WHERE id = ")
        .text(document)
        .run(&mut *connection)
        .await?;
    touch(connection, document, now).await
}

pub async fn rename(
    connection: &mut Connection,
    document: DocumentId,
    (name, path): (&str, &str),
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("UPDATE documents SET name = ")
        .text(name)
        .push(", path = ")
        .text(path)
        .push(", updated_at = ")
        .bind(now.as_millis())
        .push(" WHERE id = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}

/// From here on the document exists for nobody; the collector removes what belonged to it.
pub async fn mark_deleted(
    connection: &mut Connection,
    document: DocumentId,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("UPDATE documents SET deleted_at = ")
        .bind(now.as_millis())
        .push(", updated_at = ")
        .bind(now.as_millis())
        .push(" WHERE deleted_at IS NULL AND id = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}

async fn touch(connection: &mut Connection, document: DocumentId, now: Timestamp) -> Result<(), DbError> {
    Statement::new("UPDATE documents SET updated_at = ")
        .bind(now.as_millis())
        .push(" WHERE deleted_at IS NULL AND id = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}
