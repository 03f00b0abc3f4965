//! Documents inside documents.

use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::{DocumentId, KnowledgeBaseId, UserId, VersionId};
use anwen_platform::DbError;

/// Longest chain of documents inside documents that is followed; what the settings allow is far less.
const MAX_CHAIN: i64 = 32;

/// A document whose file holds others.
#[derive(Debug, Clone)]
pub struct Parent {
    pub path: String,
    /// Who uploaded the version; the same person's are what is inside.
    pub created_by: UserId,
}

/// A document inside another one.
#[derive(Debug, Clone)]
pub struct Child {
    pub id: DocumentId,
    pub path: String,
}

/// What is at the path that a child should have.
#[derive(Debug, Clone)]
pub struct Occupant {
    pub id: DocumentId,
    pub parent: Option<DocumentId>,
    /// Of its newest version.
    pub sha256: Option<String>,
}

/// The parent, locked until the transaction ends, so that it cannot be deleted in between; `None` when it has gone or
/// when this is not its newest version.
pub async fn hold_parent(
    connection: &mut Connection,
    document: DocumentId,
    version: VersionId,
) -> Result<Option<Parent>, DbError> {
    let row =
        Statement::new("UPDATE documents SET updated_at = updated_at WHERE deleted_at IS NULL AND id = ")
            .text(document)
            .push(" AND latest_version_id = ")
            .text(version)
            .push(" RETURNING path")
            .optional(&mut *connection)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let version =
        Statement::new("SELECT created_by FROM versions WHERE id = ").text(version).one(connection).await?;
    Ok(Some(Parent { path: row.string("path")?, created_by: version.parsed("created_by")? }))
}

/// How many documents a document is inside of, and the outermost of them.
pub async fn nesting(
    connection: &mut Connection,
    document: DocumentId,
) -> Result<(i64, DocumentId), DbError> {
    let row = Statement::new(
        "WITH RECURSIVE up (id, parent_id, depth) AS (
             SELECT d.id, d.parent_id, CAST(0 AS BIGINT) FROM documents d WHERE d.id = ",
    )
    .text(document)
    .push(
        " UNION ALL
             SELECT d.id, d.parent_id, up.depth + 1 FROM documents d JOIN up ON d.id = up.parent_id WHERE up.depth < ",
    )
    .bind(MAX_CHAIN)
    .push(") SELECT up.id, up.depth FROM up ORDER BY up.depth DESC LIMIT 1")
    .one(connection)
    .await?;
    Ok((row.integer("depth")?, row.parsed("id")?))
}

/// Everything inside a document, at any depth.
pub async fn descendants(connection: &mut Connection, document: DocumentId) -> Result<Vec<Child>, DbError> {
    let rows = Statement::new(
        "WITH RECURSIVE down (id, path, depth) AS (
             SELECT d.id, d.path, CAST(0 AS BIGINT) FROM documents d WHERE d.deleted_at IS NULL AND d.parent_id = ",
    )
    .text(document)
    .push(
        " UNION ALL
             SELECT d.id, d.path, down.depth + 1 FROM documents d JOIN down ON d.parent_id = down.id
             WHERE d.deleted_at IS NULL AND down.depth < ",
    )
    .bind(MAX_CHAIN)
    .push(") SELECT down.id, down.path FROM down ORDER BY down.depth, down.path")
    .all(connection)
    .await?;
    rows.iter().map(|row| Ok(Child { id: row.parsed("id")?, path: row.string("path")? })).collect()
}

/// What is directly inside a document.
pub async fn children(connection: &mut Connection, document: DocumentId) -> Result<Vec<Child>, DbError> {
    let rows =
        Statement::new("SELECT d.id, d.path FROM documents d WHERE d.deleted_at IS NULL AND d.parent_id = ")
            .text(document)
            .push(" ORDER BY d.path")
            .all(connection)
            .await?;
    rows.iter().map(|row| Ok(Child { id: row.parsed("id")?, path: row.string("path")? })).collect()
}

/// What is at a path of a knowledge base.
pub async fn occupant(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    path: &str,
) -> Result<Option<Occupant>, DbError> {
    let row = Statement::new(
        "SELECT d.id, d.parent_id, v.sha256 FROM documents d JOIN versions v ON v.id = d.latest_version_id
         WHERE d.deleted_at IS NULL AND d.knowledge_base_id = ",
    )
    .text(base)
    .push(" AND d.path = ")
    .text(path)
    .optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Occupant {
        id: row.parsed("id")?,
        parent: row.optional_parsed("parent_id")?,
        sha256: row.optional_string("sha256")?,
    }))
}

/// Puts a new document inside another one.
pub async fn adopt(
    connection: &mut Connection,
    child: DocumentId,
    parent: DocumentId,
) -> Result<(), DbError> {
    Statement::new("UPDATE documents SET parent_id = ")
        .text(parent)
        .push(" WHERE id = ")
        .text(child)
        .run(connection)
        .await?;
    Ok(())
}
