//! Knowledge bases and their grants in SQL.

use crate::access::Access;
use crate::access::store::{push_readable, push_role, role_column};
use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::chunking::ChunkProfile;
use anwen_contract::knowledge::{Grant, KnowledgeBase, KnowledgeBaseStatus};
use anwen_contract::privacy::Desensitisation;
use anwen_contract::{KnowledgeBaseId, Role, Timestamp, UserId};
use anwen_platform::DbError;
use sqlx::any::AnyRow;

/// What a knowledge base is made of.
#[derive(Debug, Clone)]
pub struct NewBase {
    pub id: KnowledgeBaseId,
    pub name: String,
    pub description: String,
    pub language: String,
    pub embedding_model: String,
    pub chunk_profile: ChunkProfile,
    pub created_by: UserId,
    pub now: Timestamp,
}

const COUNTS: &str = "
    (SELECT COUNT(*) FROM documents d WHERE d.knowledge_base_id = kb.id AND d.deleted_at IS NULL) AS document_count,
    (SELECT CAST(COALESCE(SUM(v.chunk_count), 0) AS BIGINT) FROM documents d
        JOIN versions v ON v.id = d.serving_version_id
        WHERE d.knowledge_base_id = kb.id AND d.deleted_at IS NULL) AS chunk_count,
    (SELECT COUNT(*) FROM documents d JOIN versions v ON v.id = d.latest_version_id
        WHERE d.knowledge_base_id = kb.id AND d.deleted_at IS NULL
        AND v.status NOT IN ('indexed', 'failed')) AS pending_count,
    (SELECT COUNT(*) FROM documents d JOIN versions v ON v.id = d.serving_version_id
        WHERE d.knowledge_base_id = kb.id AND d.deleted_at IS NULL
        AND (v.chunk_profile <> kb.chunk_profile OR (v.serving_generation <> v.generation
            AND v.status NOT IN ('indexed', 'failed')))) AS rechunk_count";

fn select(access: &Access) -> Statement {
    let statement = Statement::new(
        "SELECT kb.id, kb.name, kb.description, kb.language, kb.chunk_profile, kb.desensitisation,
         kb.created_at, kb.updated_at, ",
    );
    let statement = push_role(statement, access).push(" AS my_role, ").push(COUNTS);
    push_readable(statement.push(" FROM knowledge_bases kb WHERE "), access)
}

fn base_of(row: &AnyRow) -> Result<KnowledgeBase, DbError> {
    let is_busy = row.integer("pending_count")? > 0;
    let my_role =
        role_column(row, "my_role")?.ok_or_else(|| DbError::Corrupt("a base without a role".into()))?;
    let mut desensitisation: Desensitisation = row.json("desensitisation")?;
    if my_role < Role::Editor {
        desensitisation.words.clear();
    }
    Ok(KnowledgeBase {
        id: row.parsed("id")?,
        name: row.string("name")?,
        description: row.string("description")?,
        language: row.string("language")?,
        chunk_profile: row.parsed("chunk_profile")?,
        documents_to_rechunk: row.integer("rechunk_count")?,
        document_count: row.integer("document_count")?,
        chunk_count: row.integer("chunk_count")?,
        status: if is_busy { KnowledgeBaseStatus::Indexing } else { KnowledgeBaseStatus::Ready },
        desensitisation,
        my_role,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// The knowledge bases that the asker may read, oldest first, after the one with id `after`.
pub async fn list(
    connection: &mut Connection,
    access: &Access,
    after: Option<KnowledgeBaseId>,
    limit: i64,
) -> Result<Vec<KnowledgeBase>, DbError> {
    let mut statement = select(access);
    if let Some(after) = after {
        statement = statement.push(" AND kb.id > ").text(after);
    }
    let rows = statement.push(" ORDER BY kb.id LIMIT ").bind(limit).all(connection).await?;
    rows.iter().map(base_of).collect()
}

pub async fn find(
    connection: &mut Connection,
    access: &Access,
    id: KnowledgeBaseId,
) -> Result<Option<KnowledgeBase>, DbError> {
    let row = select(access).push(" AND kb.id = ").text(id).optional(connection).await?;
    row.as_ref().map(base_of).transpose()
}

/// Whether the asker can see another knowledge base of this name. Names need be unique only within what one asker
/// sees: a check across all would tell strangers which names exist.
pub async fn sees_name(
    connection: &mut Connection,
    access: &Access,
    name: &str,
    except: Option<KnowledgeBaseId>,
) -> Result<bool, DbError> {
    let statement = Statement::new("SELECT kb.id FROM knowledge_bases kb WHERE ");
    let mut statement = push_readable(statement, access).push(" AND kb.name = ").text(name);
    if let Some(except) = except {
        statement = statement.push(" AND kb.id <> ").text(except);
    }
    Ok(statement.push(" LIMIT 1").optional(connection).await?.is_some())
}

pub async fn insert(connection: &mut Connection, base: &NewBase) -> Result<(), DbError> {
    Statement::new(
        "INSERT INTO knowledge_bases
            (id, name, description, language, embedding_model, chunk_profile, created_by, created_at, updated_at)
            VALUES (",
    )
    .text(base.id)
    .push(", ")
    .text(&base.name)
    .push(", ")
    .text(&base.description)
    .push(", ")
    .text(&base.language)
    .push(", ")
    .text(&base.embedding_model)
    .push(", ")
    .text(base.chunk_profile)
    .push(", ")
    .text(base.created_by)
    .push(", ")
    .bind(base.now.as_millis())
    .push(", ")
    .bind(base.now.as_millis())
    .push(")")
    .run(connection)
    .await?;
    Ok(())
}

/// Writes the fields that are there; those that are absent stay.
pub async fn update(
    connection: &mut Connection,
    id: KnowledgeBaseId,
    change: &anwen_contract::knowledge::UpdateKnowledgeBase,
    now: Timestamp,
) -> Result<(), DbError> {
    let mut statement = Statement::new("UPDATE knowledge_bases SET updated_at = ").bind(now.as_millis());
    if let Some(name) = &change.name {
        statement = statement.push(", name = ").text(name);
    }
    if let Some(description) = &change.description {
        statement = statement.push(", description = ").text(description);
    }
    if let Some(language) = &change.language {
        statement = statement.push(", language = ").text(language);
    }
    if let Some(profile) = change.chunk_profile {
        statement = statement.push(", chunk_profile = ").text(profile);
    }
    statement.push(" WHERE id = ").text(id).run(connection).await?;
    Ok(())
}

/// From here on the knowledge base exists for nobody; its jobs end, and the collector removes the rest.
pub async fn mark_deleted(
    connection: &mut Connection,
    id: KnowledgeBaseId,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("UPDATE knowledge_bases SET deleted_at = ")
        .bind(now.as_millis())
        .push(" WHERE deleted_at IS NULL AND id = ")
        .text(id)
        .run(&mut *connection)
        .await?;
    Statement::new("UPDATE documents SET deleted_at = ")
        .bind(now.as_millis())
        .push(", updated_at = ")
        .bind(now.as_millis())
        .push(" WHERE deleted_at IS NULL AND knowledge_base_id = ")
        .text(id)
        .run(&mut *connection)
        .await?;
    Statement::new("DELETE FROM jobs WHERE knowledge_base_id = ").text(id).run(connection).await?;
    Ok(())
}

/// Keeps others from changing this knowledge base until the transaction ends.
pub async fn lock(connection: &mut Connection, id: KnowledgeBaseId) -> Result<(), DbError> {
    Statement::new("UPDATE knowledge_bases SET updated_at = updated_at WHERE id = ")
        .text(id)
        .run(connection)
        .await?;
    Ok(())
}

/// Every grant, in a stable order.
pub async fn grants(connection: &mut Connection, id: KnowledgeBaseId) -> Result<Vec<Grant>, DbError> {
    let rows = Statement::new("SELECT principal, role FROM grants WHERE knowledge_base_id = ")
        .text(id)
        .push(" ORDER BY principal")
        .all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok(Grant { principal: row.parsed("principal")?, role: row.parsed::<Role>("role")? }))
        .collect()
}

/// Replaces all grants.
pub async fn replace_grants(
    connection: &mut Connection,
    id: KnowledgeBaseId,
    grants: &[Grant],
) -> Result<(), DbError> {
    Statement::new("DELETE FROM grants WHERE knowledge_base_id = ").text(id).run(&mut *connection).await?;
    for grant in grants {
        Statement::new("INSERT INTO grants (knowledge_base_id, principal, role) VALUES (")
            .text(id)
            .push(", ")
            .text(grant.principal)
            .push(", ")
            .text(grant.role.as_str())
            .push(")")
            .run(&mut *connection)
            .await?;
    }
    Ok(())
}
