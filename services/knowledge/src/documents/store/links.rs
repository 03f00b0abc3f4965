//! Further places of a document: where the same bytes were uploaded too. They are kept once and indexed once.

use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::{DocumentId, KnowledgeBaseId};
use anwen_platform::DbError;
use std::collections::HashMap;

/// The most further places of one document that are shown.
const MAX_SHOWN: usize = 100;

/// Notes that the bytes of a document stand at a path too.
pub async fn link_path(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    path: &str,
    document: DocumentId,
) -> Result<(), DbError> {
    unlink_path(&mut *connection, base, path).await?;
    Statement::new(
        "INSERT INTO document_links (knowledge_base_id, path, document_id)
         SELECT d.knowledge_base_id, CAST(",
    )
    .text(path)
    .push(" AS TEXT), d.id FROM documents d WHERE d.id = ")
    .text(document)
    .push(" AND d.path <> ")
    .text(path)
    .run(connection)
    .await?;
    Ok(())
}

/// Something else stands at this path from now on.
pub async fn unlink_path(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    path: &str,
) -> Result<(), DbError> {
    Statement::new("DELETE FROM document_links WHERE knowledge_base_id = ")
        .text(base)
        .push(" AND path = ")
        .text(path)
        .run(connection)
        .await?;
    Ok(())
}

/// A document's bytes are not those of its further places any more, or it goes.
pub async fn unlink_all(connection: &mut Connection, document: DocumentId) -> Result<(), DbError> {
    Statement::new("DELETE FROM document_links WHERE document_id = ").text(document).run(connection).await?;
    Ok(())
}

/// The further places of each of some documents, in order.
pub async fn other_paths(
    connection: &mut Connection,
    documents: &[DocumentId],
) -> Result<HashMap<DocumentId, Vec<String>>, DbError> {
    let mut paths: HashMap<DocumentId, Vec<String>> = HashMap::new();
    if documents.is_empty() {
        return Ok(paths);
    }
    let rows = Statement::new("SELECT l.document_id, l.path FROM document_links l WHERE l.document_id IN ")
        .list(documents)
        .push(" ORDER BY l.document_id, l.path")
        .all(connection)
        .await?;
    for row in &rows {
        let known = paths.entry(row.parsed("document_id")?).or_default();
        if known.len() < MAX_SHOWN {
            known.push(row.string("path")?);
        }
    }
    Ok(paths)
}
