//! What the collector and the doctor read and remove.

use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::{ChunkId, DocumentId, Timestamp, VersionId};
use anwen_platform::DbError;

/// Some chunks of documents that have been deleted.
pub async fn chunks_of_deleted(connection: &mut Connection, limit: i64) -> Result<Vec<ChunkId>, DbError> {
    let rows = Statement::new(
        "SELECT c.id FROM documents d CROSS JOIN chunks c WHERE c.document_id = d.id AND d.deleted_at IS NOT NULL LIMIT ",
    )
    .bind(limit)
    .all(connection)
    .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

pub async fn delete_chunks(connection: &mut Connection, ids: &[ChunkId]) -> Result<(), DbError> {
    Statement::new("DELETE FROM chunk_vectors WHERE chunk_id IN ").list(ids).run(&mut *connection).await?;
    Statement::new("DELETE FROM chunks WHERE id IN ").list(ids).run(connection).await?;
    Ok(())
}

/// Some documents that were deleted before `before` and have no chunks left.
pub async fn emptied_documents(
    connection: &mut Connection,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<DocumentId>, DbError> {
    let rows = Statement::new("SELECT d.id FROM documents d WHERE d.deleted_at < ")
        .bind(before.as_millis())
        // What is inside of a document goes before it.
        .push(" AND NOT EXISTS (SELECT 1 FROM documents ch WHERE ch.parent_id = d.id)")
        .push(" AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.document_id = d.id) LIMIT ")
        .bind(limit)
        .all(connection)
        .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

pub async fn delete_documents(connection: &mut Connection, ids: &[DocumentId]) -> Result<(), DbError> {
    Statement::new("DELETE FROM jobs WHERE document_id IN ").list(ids).run(&mut *connection).await?;
    Statement::new(
        "DELETE FROM findings WHERE version_id IN (SELECT v.id FROM versions v WHERE v.document_id IN ",
    )
    .list(ids)
    .push(")")
    .run(&mut *connection)
    .await?;
    for print in [
        "DELETE FROM print_bands WHERE document_id IN ",
        "DELETE FROM document_prints WHERE document_id IN ",
        "DELETE FROM document_labels WHERE document_id IN ",
    ] {
        Statement::new(print).list(ids).run(&mut *connection).await?;
    }
    Statement::new("DELETE FROM versions WHERE document_id IN ").list(ids).run(&mut *connection).await?;
    Statement::new("DELETE FROM documents WHERE id IN ").list(ids).run(connection).await?;
    Ok(())
}

/// Removes knowledge bases that were deleted before `before` and hold nothing any more.
pub async fn delete_emptied_bases(connection: &mut Connection, before: Timestamp) -> Result<u64, DbError> {
    const EMPTIED: &str = " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.knowledge_base_id = kb.id)";
    Statement::new(
        "DELETE FROM grants WHERE knowledge_base_id IN (SELECT kb.id FROM knowledge_bases kb WHERE kb.deleted_at < ",
    )
    .bind(before.as_millis())
    .push(EMPTIED)
    .push(")")
    .run(&mut *connection)
    .await?;
    Statement::new(
        "DELETE FROM labels WHERE knowledge_base_id IN (SELECT kb.id FROM knowledge_bases kb WHERE kb.deleted_at < ",
    )
    .bind(before.as_millis())
    .push(EMPTIED)
    .push(")")
    .run(&mut *connection)
    .await?;
    Statement::new("DELETE FROM knowledge_bases WHERE id IN (SELECT kb.id FROM knowledge_bases kb WHERE kb.deleted_at < ")
        .bind(before.as_millis())
        .push(EMPTIED)
        .push(")")
        .run(connection)
        .await
}

/// Some stored files that no version needs.
pub async fn unused_originals(connection: &mut Connection, limit: i64) -> Result<Vec<String>, DbError> {
    let rows = Statement::new(
        "SELECT o.sha256 FROM originals o WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.sha256 = o.sha256) LIMIT ",
    )
    .bind(limit)
    .all(connection)
    .await?;
    rows.iter().map(|row| row.string("sha256")).collect()
}

/// Forgets a stored file unless a version needs it by now; the row stays locked until the transaction ends, so that
/// the file can be removed before somebody uploads it again.
pub async fn forget_original(connection: &mut Connection, sha256: &str) -> Result<bool, DbError> {
    let removed = Statement::new("DELETE FROM originals WHERE sha256 = ")
        .text(sha256)
        .push(" AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.sha256 = originals.sha256)")
        .run(connection)
        .await?;
    Ok(removed == 1)
}

/// A generation that serves.
#[derive(Debug, Clone)]
pub struct ServingGeneration {
    pub document: DocumentId,
    pub version: VersionId,
    pub generation: i64,
    pub sha256: Option<String>,
    /// As noted when it began to serve.
    pub noted_chunks: i64,
    /// As they stand in SQL.
    pub stored_chunks: i64,
    pub space: Option<String>,
}

/// The generations that serve, by document id, after one.
pub async fn serving_generations(
    connection: &mut Connection,
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<ServingGeneration>, DbError> {
    let mut statement = Statement::new(
        "SELECT d.id AS document_id, v.id, v.serving_generation, v.sha256, v.chunk_count, kb.space,
             (SELECT COUNT(*) FROM chunks c WHERE c.version_id = v.id AND c.generation = v.serving_generation)
                 AS stored_chunks
         FROM documents d
         JOIN versions v ON v.id = d.serving_version_id AND v.serving_generation IS NOT NULL
         JOIN knowledge_bases kb ON kb.id = d.knowledge_base_id
         WHERE d.deleted_at IS NULL",
    );
    if let Some(after) = after {
        statement = statement.push(" AND d.id > ").text(after);
    }
    let rows = statement.push(" ORDER BY d.id LIMIT ").bind(limit).all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(ServingGeneration {
                document: row.parsed("document_id")?,
                version: row.parsed("id")?,
                generation: row.integer("serving_generation")?,
                sha256: row.optional_string("sha256")?,
                noted_chunks: row.integer("chunk_count")?,
                stored_chunks: row.integer("stored_chunks")?,
                space: row.optional_string("space")?,
            })
        })
        .collect()
}

/// Documents whose newest version is neither done nor worked on by any job.
pub async fn stranded_versions(connection: &mut Connection) -> Result<Vec<(DocumentId, VersionId)>, DbError> {
    let rows = Statement::new(
        "SELECT d.id AS document_id, v.id FROM documents d JOIN versions v ON v.id = d.latest_version_id
         WHERE d.deleted_at IS NULL AND v.status NOT IN ('indexed', 'failed')
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.version_id = v.id AND j.state <> 'dead')",
    )
    .all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.parsed("document_id")?, row.parsed("id")?))).collect()
}

/// Since when the oldest job waits that could be taken up, in milliseconds since 1970.
pub async fn oldest_due(connection: &mut Connection, now: Timestamp) -> Result<Option<i64>, DbError> {
    Statement::new("SELECT MIN(run_at) AS due FROM jobs WHERE state = 'queued' AND run_at <= ")
        .bind(now.as_millis())
        .one(connection)
        .await?
        .optional_integer("due")
}
