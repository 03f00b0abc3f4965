//! Which versions are to be cut anew.

use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::{DocumentId, KnowledgeBaseId, VersionId};
use anwen_platform::DbError;

/// Some versions that are at rest, answer, and were cut by another profile or read under another policy than their
/// knowledge base has now; and those that such a policy refused. One that failed for another reason to be cut anew is
/// not among them: a person has to look at it.
pub async fn stale(
    connection: &mut Connection,
    limit: i64,
) -> Result<Vec<(DocumentId, VersionId, KnowledgeBaseId)>, DbError> {
    let rows = Statement::new(
        "SELECT d.id AS document_id, v.id, kb.id AS knowledge_base_id FROM knowledge_bases kb
         JOIN documents d ON d.knowledge_base_id = kb.id AND d.deleted_at IS NULL
         JOIN versions lv ON lv.id = d.latest_version_id AND lv.status IN ('indexed', 'failed')
         JOIN versions v ON v.id = COALESCE(d.serving_version_id, d.latest_version_id)
         WHERE kb.deleted_at IS NULL AND v.sha256 IS NOT NULL
         AND ((v.status = 'indexed' AND (v.chunk_profile <> kb.chunk_profile
                 OR v.policy_revision <> kb.policy_revision))
             OR (v.error_code = 'sensitive_content' AND v.policy_revision <> kb.policy_revision))
         ORDER BY d.id LIMIT ",
    )
    .bind(limit)
    .all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.parsed("document_id")?, row.parsed("id")?, row.parsed("knowledge_base_id")?)))
        .collect()
}

/// Jobs of this priority that are not done yet.
pub async fn unfinished(connection: &mut Connection, priority: i64) -> Result<i64, DbError> {
    Statement::new("SELECT COUNT(*) AS jobs FROM jobs WHERE state <> 'dead' AND priority = ")
        .bind(priority)
        .one(connection)
        .await?
        .integer("jobs")
}
