//! The permission parts of statements.

use super::Access;
use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::{DocumentId, KnowledgeBaseId, Role};
use anwen_platform::DbError;
use sqlx::any::AnyRow;

/// The asker's highest role in the knowledge base `kb`, as 1 (viewer) to 3 (owner), or null.
const HIGHEST_ROLE: &str = "(SELECT MAX(CASE g.role WHEN 'owner' THEN 3 WHEN 'editor' THEN 2 ELSE 1 END) FROM grants g \
     WHERE g.knowledge_base_id = kb.id AND g.principal IN ";

/// Appends an expression: the asker's role in the row `kb`, read by [`role_column`].
pub fn push_role(statement: Statement, access: &Access) -> Statement {
    statement.push(HIGHEST_ROLE).list(&access.principals).push(")")
}

/// Appends a condition: the row `kb` of `knowledge_bases` exists for this asker.
pub fn push_readable(statement: Statement, access: &Access) -> Statement {
    let statement = statement
        .push("kb.deleted_at IS NULL AND EXISTS (SELECT 1 FROM grants g WHERE g.knowledge_base_id = kb.id AND g.principal IN ")
        .list(&access.principals)
        .push(")");
    match &access.only {
        Some(only) => statement.push(" AND kb.id IN ").list(only),
        None => statement,
    }
}

/// Reads what [`push_role`] selected.
pub fn role_column(row: &AnyRow, column: &'static str) -> Result<Option<Role>, DbError> {
    Ok(row.optional_integer(column)?.map(|rank| match rank {
        3 => Role::Owner,
        2 => Role::Editor,
        _ => Role::Viewer,
    }))
}

/// The asker's role; `None` when there is none or no such knowledge base.
pub async fn role_in(
    connection: &mut Connection,
    access: &Access,
    id: KnowledgeBaseId,
) -> Result<Option<Role>, DbError> {
    let statement = push_role(Statement::new("SELECT "), access)
        .push(" AS role FROM knowledge_bases kb WHERE kb.id = ")
        .text(id)
        .push(" AND ");
    let row = push_readable(statement, access).optional(connection).await?;
    row.map_or(Ok(None), |row| role_column(&row, "role"))
}

/// The knowledge base of a document and the asker's role there.
pub async fn role_in_base_of_document(
    connection: &mut Connection,
    access: &Access,
    id: DocumentId,
) -> Result<Option<(KnowledgeBaseId, Role)>, DbError> {
    let statement = push_role(Statement::new("SELECT kb.id AS id, "), access)
        .push(
            " AS role FROM documents d JOIN knowledge_bases kb ON kb.id = d.knowledge_base_id WHERE d.id = ",
        )
        .text(id)
        .push(" AND d.deleted_at IS NULL AND ");
    let Some(row) = push_readable(statement, access).optional(connection).await? else { return Ok(None) };
    let id = row.parsed("id")?;
    Ok(role_column(&row, "role")?.map(|role| (id, role)))
}

/// Whether the knowledge base exists at all, whoever asks.
pub async fn base_exists(connection: &mut Connection, id: KnowledgeBaseId) -> Result<bool, DbError> {
    let statement =
        Statement::new("SELECT kb.id FROM knowledge_bases kb WHERE kb.deleted_at IS NULL AND kb.id = ")
            .text(id);
    Ok(statement.optional(connection).await?.is_some())
}

/// A knowledge base that the asker may search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchableBase {
    pub id: KnowledgeBaseId,
    pub embedding_model: String,
    /// `None` while nothing is indexed in it.
    pub space: Option<String>,
}

/// The knowledge bases that the asker may read, of `wanted` or of all.
pub async fn searchable_bases(
    connection: &mut Connection,
    access: &Access,
    wanted: Option<&[KnowledgeBaseId]>,
) -> Result<Vec<SearchableBase>, DbError> {
    let statement =
        Statement::new("SELECT kb.id, kb.embedding_model, kb.space FROM knowledge_bases kb WHERE ");
    let mut statement = push_readable(statement, access);
    if let Some(wanted) = wanted {
        statement = statement.push(" AND kb.id IN ").list(wanted);
    }
    let rows = statement.push(" ORDER BY kb.id").all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(SearchableBase {
                id: row.parsed("id")?,
                embedding_model: row.string("embedding_model")?,
                space: row.optional_string("space")?,
            })
        })
        .collect()
}
