//! Policies and reports in SQL.

use super::screen::Report;
use crate::store::{Columns as _, Connection, Statement, json_text};
use anwen_contract::privacy::{Desensitisation, DesensitisationMode};
use anwen_contract::{DocumentId, KnowledgeBaseId, VersionId};
use anwen_platform::DbError;

/// The policy of a knowledge base that exists.
pub async fn policy_of(
    connection: &mut Connection,
    base: KnowledgeBaseId,
) -> Result<Option<Desensitisation>, DbError> {
    let row = Statement::new("SELECT kb.desensitisation FROM knowledge_bases kb WHERE kb.id = ")
        .text(base)
        .optional(connection)
        .await?;
    row.map(|row| row.json("desensitisation")).transpose()
}

/// Whether originals of this knowledge base are for editors only.
pub async fn withholds_originals(
    connection: &mut Connection,
    base: KnowledgeBaseId,
) -> Result<bool, DbError> {
    Ok(policy_of(connection, base).await?.is_some_and(|policy| policy.mode == DesensitisationMode::Mask))
}

/// Gives a knowledge base another policy: every document is to be read anew.
pub async fn set_policy(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    policy: &Desensitisation,
) -> Result<(), DbError> {
    Statement::new("UPDATE knowledge_bases SET policy_revision = policy_revision + 1, desensitisation = ")
        .text(json_text(policy))
        .push(" WHERE id = ")
        .text(base)
        .run(connection)
        .await?;
    Ok(())
}

/// Notes what was found in a version, in place of what was found before.
pub async fn note_report(
    connection: &mut Connection,
    version: VersionId,
    report: &Report,
) -> Result<(), DbError> {
    Statement::new("DELETE FROM findings WHERE version_id = ").text(version).run(&mut *connection).await?;
    Statement::new("UPDATE versions SET finding_count = ")
        .bind(report.total())
        .push(" WHERE id = ")
        .text(version)
        .run(&mut *connection)
        .await?;
    if report.total() > 0 {
        Statement::new("INSERT INTO findings (version_id, report) VALUES (")
            .text(version)
            .push(", ")
            .text(json_text(report).replace("\\u0000", " "))
            .push(")")
            .run(connection)
            .await?;
    }
    Ok(())
}

/// Notes under which revision of the policy the last passages of a version were made, or refused.
pub async fn note_revision(
    connection: &mut Connection,
    version: VersionId,
    revision: i64,
) -> Result<(), DbError> {
    Statement::new("UPDATE versions SET policy_revision = ")
        .bind(revision)
        .push(" WHERE id = ")
        .text(version)
        .run(connection)
        .await?;
    Ok(())
}

/// The name and the path of a document, as they are.
pub async fn names_of(
    connection: &mut Connection,
    document: DocumentId,
) -> Result<Option<(String, String)>, DbError> {
    let row = Statement::new("SELECT d.name, d.path FROM documents d WHERE d.id = ")
        .text(document)
        .optional(connection)
        .await?;
    row.map(|row| Ok((row.string("name")?, row.string("path")?))).transpose()
}

/// Notes how the name and the path of a document are shown where names are masked.
pub async fn note_names(
    connection: &mut Connection,
    document: DocumentId,
    name: Option<String>,
    path: Option<String>,
) -> Result<(), DbError> {
    Statement::new("UPDATE documents SET masked_name = ")
        .bind(name)
        .push(", masked_path = ")
        .bind(path)
        .push(" WHERE id = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}

/// The report of a document's newest version, with the version's number; `None` when there is no such document.
pub async fn report_of(
    connection: &mut Connection,
    document: DocumentId,
) -> Result<Option<(i64, Report)>, DbError> {
    let row = Statement::new(
        "SELECT v.number, f.report FROM documents d JOIN versions v ON v.id = d.latest_version_id
         LEFT JOIN findings f ON f.version_id = v.id WHERE d.deleted_at IS NULL AND d.id = ",
    )
    .text(document)
    .optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let report = row.optional_string("report")?.map(|text| serde_json::from_str(&text)).transpose();
    let report = report.map_err(|cause| DbError::Corrupt(format!("column report: {cause}")))?;
    Ok(Some((row.integer("number")?, report.unwrap_or_default())))
}
