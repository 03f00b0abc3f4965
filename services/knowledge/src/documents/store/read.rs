//! Reading documents and versions.

use crate::access::Access;
use crate::access::store::{push_readable, push_role, role_column};
use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::chunking::ChunkProfile;
use anwen_contract::knowledge::{Document, DocumentStatus, DocumentVersion, Notice};
use anwen_contract::labels::NearDuplicate;
use anwen_contract::privacy::{Desensitisation, DesensitisationMode};
use anwen_contract::{DocumentId, KnowledgeBaseId, Role, Timestamp, VersionId};
use anwen_platform::DbError;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// A document as it is shown: how its newest version fares, and what the version that answers holds. Before a
/// version answers, the newest one stands for it.
const DOCUMENT: &str =
    " AS my_role, d.id, d.knowledge_base_id, d.parent_id, d.name, d.path, d.created_at, d.updated_at, d.deleted_at,
    (SELECT COUNT(*) FROM documents ch WHERE ch.parent_id = d.id AND ch.deleted_at IS NULL) AS child_count,
    lv.status, lv.progress_permille, lv.error_code, lv.error_message, lv.warnings,
    CASE WHEN sv.id IS NULL THEN lv.media_type ELSE sv.media_type END AS media_type,
    CASE WHEN sv.id IS NULL THEN lv.bytes ELSE sv.bytes END AS bytes,
    CASE WHEN sv.id IS NULL THEN lv.pages ELSE sv.pages END AS pages,
    CASE WHEN sv.id IS NULL THEN lv.number ELSE sv.number END AS version,
    COALESCE(sv.chunk_count, 0) AS chunk_count, lv.finding_count,
    d.masked_name, d.masked_path, d.near_duplicate_of, d.near_duplicate_permille, d.labels_corrected
    FROM documents d
    JOIN knowledge_bases kb ON kb.id = d.knowledge_base_id
    JOIN versions lv ON lv.id = d.latest_version_id
    LEFT JOIN versions sv ON sv.id = d.serving_version_id
    WHERE ";

/// The documents of knowledge bases that the asker may read, as far as a condition that follows lets them through.
fn select(access: &Access) -> Statement {
    push_readable(push_role(Statement::new("SELECT "), access).push(DOCUMENT), access)
}

/// A text as it is shown to this asker: where names are masked, as it is to editors only.
fn shown(row: &AnyRow, column: &'static str, masked: &'static str) -> Result<String, DbError> {
    let text = row.string(column)?;
    let sees_all = role_column(row, "my_role")?.is_some_and(|role| role >= Role::Editor);
    Ok(if sees_all { text } else { row.optional_string(masked)?.unwrap_or(text) })
}

fn near_duplicate(row: &AnyRow) -> Result<Option<NearDuplicate>, DbError> {
    let permille = row.optional_integer("near_duplicate_permille")?.unwrap_or(0);
    let of =
        row.optional_string("near_duplicate_of")?.map(|_| row.parsed("near_duplicate_of")).transpose()?;
    Ok(of.map(|document_id| NearDuplicate { document_id, similarity: permille as f64 / 1000.0 }))
}

fn status_of(row: &AnyRow) -> Result<DocumentStatus, DbError> {
    let status = row.string("status")?;
    DocumentStatus::parse(&status).ok_or_else(|| DbError::Corrupt(format!("document status {status}")))
}

fn error_of(row: &AnyRow) -> Result<Option<Notice>, DbError> {
    let message = row.optional_string("error_message")?.unwrap_or_default();
    Ok(row.optional_string("error_code")?.map(|code| Notice { code, message }))
}

fn document_of(row: &AnyRow) -> Result<Document, DbError> {
    Ok(Document {
        id: row.parsed("id")?,
        knowledge_base_id: row.parsed("knowledge_base_id")?,
        parent_id: row.optional_parsed("parent_id")?,
        child_count: row.integer("child_count")?,
        name: shown(row, "name", "masked_name")?,
        path: shown(row, "path", "masked_path")?,
        media_type: row.string("media_type")?,
        bytes: row.integer("bytes")?,
        pages: row.optional_integer("pages")?,
        status: status_of(row)?,
        progress: row.integer("progress_permille")? as f64 / 1000.0,
        error: error_of(row)?,
        warnings: row.json("warnings")?,
        version: row.integer("version")?,
        chunk_count: row.integer("chunk_count")?,
        finding_count: row.integer("finding_count")?,
        near_duplicate_of: near_duplicate(row)?,
        labels: vec![],
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Which documents of a knowledge base to list.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    pub status: Option<DocumentStatus>,
    pub within: Option<Within>,
    /// The id of the last document of the page before.
    pub before: Option<DocumentId>,
    /// Only documents with this label.
    pub label: Option<String>,
}

/// Inside of what to look for documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    Document(DocumentId),
    /// Documents that are inside of no other.
    Nothing,
}

/// A knowledge base's documents, newest first.
pub async fn list(
    connection: &mut Connection,
    access: &Access,
    base: KnowledgeBaseId,
    filter: &ListFilter,
    limit: i64,
) -> Result<Vec<Document>, DbError> {
    let statement = select(access).push(" AND d.deleted_at IS NULL AND d.knowledge_base_id = ").text(base);
    let statement = match &filter.label {
        Some(label) => statement
            .push(" AND d.id IN (SELECT l.document_id FROM document_labels l WHERE l.name = ")
            .text(label)
            .push(")"),
        None => statement,
    };
    let statement = match filter.status {
        Some(status) => statement.push(" AND lv.status = ").text(status.as_str()),
        None => statement,
    };
    let statement = match filter.within {
        Some(Within::Document(parent)) => statement.push(" AND d.parent_id = ").text(parent),
        Some(Within::Nothing) => statement.push(" AND d.parent_id IS NULL"),
        None => statement,
    };
    let statement = match filter.before {
        Some(before) => statement.push(" AND d.id < ").text(before),
        None => statement,
    };
    let rows = statement.push(" ORDER BY d.id DESC LIMIT ").bind(limit).all(&mut *connection).await?;
    labelled(connection, rows.iter().map(document_of).collect::<Result<_, _>>()?).await
}

pub async fn find(
    connection: &mut Connection,
    access: &Access,
    id: DocumentId,
) -> Result<Option<Document>, DbError> {
    let statement = select(access).push(" AND d.deleted_at IS NULL AND d.id = ").text(id);
    let found = statement.optional(&mut *connection).await?.as_ref().map(document_of).transpose()?;
    Ok(labelled(connection, found.into_iter().collect()).await?.pop())
}

/// Puts its labels to each document.
async fn labelled(
    connection: &mut Connection,
    mut documents: Vec<Document>,
) -> Result<Vec<Document>, DbError> {
    let ids: Vec<DocumentId> = documents.iter().map(|document| document.id).collect();
    let mut labels = crate::classify::store::labels_of(connection, &ids).await?;
    for document in &mut documents {
        document.labels = labels.remove(&document.id).unwrap_or_default();
    }
    Ok(documents)
}

/// A document that has changed, or has gone.
#[derive(Debug, Clone)]
pub struct Change {
    pub document: Document,
    pub deleted: bool,
}

/// What the asker may see of the documents that changed since a moment, oldest change first.
pub async fn changed_since(
    connection: &mut Connection,
    access: &Access,
    base: Option<KnowledgeBaseId>,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Change>, DbError> {
    let mut statement = select(access).push(" AND d.updated_at >= ").bind(since.as_millis());
    if let Some(base) = base {
        statement = statement.push(" AND d.knowledge_base_id = ").text(base);
    }
    let rows = statement.push(" ORDER BY d.updated_at LIMIT ").bind(limit).all(&mut *connection).await?;
    let documents = rows.iter().map(document_of).collect::<Result<_, _>>()?;
    let documents = labelled(connection, documents).await?;
    rows.iter()
        .zip(documents)
        .map(|(row, document)| {
            let deleted = row.optional_integer("deleted_at")?.is_some();
            Ok(Change { document, deleted })
        })
        .collect()
}

/// The versions of a document, newest first. Whether the asker may read it has been decided.
pub async fn versions(
    connection: &mut Connection,
    document: DocumentId,
    before_number: Option<i64>,
    limit: i64,
) -> Result<Vec<DocumentVersion>, DbError> {
    let mut statement = Statement::new(
        "SELECT v.id, v.number, v.bytes, v.sha256, v.status, v.error_code, v.error_message, v.chunk_count,
             v.created_at, CASE WHEN d.serving_version_id = v.id THEN 1 ELSE 0 END AS serving
         FROM versions v JOIN documents d ON d.id = v.document_id WHERE v.document_id = ",
    )
    .text(document);
    if let Some(before) = before_number {
        statement = statement.push(" AND v.number < ").bind(before);
    }
    let rows = statement.push(" ORDER BY v.number DESC LIMIT ").bind(limit).all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(DocumentVersion {
                id: row.parsed("id")?,
                version: row.integer("number")?,
                bytes: row.integer("bytes")?,
                sha256: row.optional_string("sha256")?.unwrap_or_default(),
                status: status_of(row)?,
                error: error_of(row)?,
                chunk_count: row.integer("chunk_count")?,
                serving: row.integer("serving")? == 1,
                created_at: row.time("created_at")?,
            })
        })
        .collect()
}

/// A stored original, and what it is called.
#[derive(Debug, Clone)]
pub struct StoredContent {
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    /// `None` when the upload was refused and nothing was kept.
    pub sha256: Option<String>,
}

/// The original of a version: the numbered one, or else the one that answers, or else the newest.
pub async fn content(
    connection: &mut Connection,
    document: DocumentId,
    number: Option<i64>,
) -> Result<Option<StoredContent>, DbError> {
    let statement = Statement::new(
        "SELECT d.name, v.media_type, v.bytes, v.sha256 FROM documents d JOIN versions v ON v.document_id = d.id WHERE d.id = ",
    )
    .text(document);
    let statement = match number {
        Some(number) => statement.push(" AND v.number = ").bind(number),
        None => statement.push(" AND v.id = COALESCE(d.serving_version_id, d.latest_version_id)"),
    };
    let Some(row) = statement.optional(connection).await? else { return Ok(None) };
    Ok(Some(StoredContent {
        name: row.string("name")?,
        media_type: row.string("media_type")?,
        bytes: row.integer("bytes")?,
        sha256: row.optional_string("sha256")?,
    }))
}

/// What the pipeline needs to know of a version.
#[derive(Debug, Clone)]
pub struct VersionToBuild {
    pub name: String,
    pub sha256: Option<String>,
    pub embedding_model: String,
    /// The knowledge base's, as it is now.
    pub chunk_profile: ChunkProfile,
    /// The knowledge base's policy on sensitive content as it is now, and which of its changes that is.
    pub desensitisation: Desensitisation,
    pub policy_revision: i64,
    /// The change of policy that its passages were read under.
    pub read_revision: i64,
}

impl VersionToBuild {
    /// Whether passages of it may hold what the policy keeps out of them now.
    pub fn answers_under_laxer_policy(&self) -> bool {
        let keeps_out =
            matches!(self.desensitisation.mode, DesensitisationMode::Mask | DesensitisationMode::Block);
        keeps_out && self.read_revision != self.policy_revision
    }
}

/// The version, unless its document or knowledge base has gone.
pub async fn version_to_build(
    connection: &mut Connection,
    version: VersionId,
) -> Result<Option<VersionToBuild>, DbError> {
    let row = Statement::new(
        "SELECT d.name, v.sha256, kb.embedding_model, kb.chunk_profile, kb.desensitisation, kb.policy_revision,
         v.policy_revision AS read_revision
         FROM versions v
         JOIN documents d ON d.id = v.document_id AND d.deleted_at IS NULL
         JOIN knowledge_bases kb ON kb.id = d.knowledge_base_id AND kb.deleted_at IS NULL
         WHERE v.id = ",
    )
    .text(version)
    .optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(VersionToBuild {
        name: row.string("name")?,
        sha256: row.optional_string("sha256")?,
        embedding_model: row.string("embedding_model")?,
        chunk_profile: row.parsed("chunk_profile")?,
        desensitisation: row.json("desensitisation")?,
        policy_revision: row.integer("policy_revision")?,
        read_revision: row.integer("read_revision")?,
    }))
}

/// The version of a document that a preview is made of.
#[derive(Debug, Clone)]
pub struct VersionToShow {
    pub name: String,
    pub number: i64,
    /// `None` when the upload was refused and nothing was kept.
    pub sha256: Option<String>,
    /// How its last passages were cut.
    pub chunk_profile: ChunkProfile,
}

/// The version that answers, or else the newest.
pub async fn version_to_show(
    connection: &mut Connection,
    document: DocumentId,
) -> Result<Option<VersionToShow>, DbError> {
    let row = Statement::new(
        "SELECT d.name, v.number, v.sha256, v.chunk_profile FROM documents d
         JOIN versions v ON v.id = COALESCE(d.serving_version_id, d.latest_version_id)
         WHERE d.deleted_at IS NULL AND d.id = ",
    )
    .text(document)
    .optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(VersionToShow {
        name: row.string("name")?,
        number: row.integer("number")?,
        sha256: row.optional_string("sha256")?,
        chunk_profile: row.parsed("chunk_profile")?,
    }))
}

/// The embedding space of a knowledge base; `None` while it has none.
pub async fn space_of(connection: &mut Connection, base: KnowledgeBaseId) -> Result<Option<String>, DbError> {
    let row = Statement::new("SELECT kb.space FROM knowledge_bases kb WHERE kb.id = ")
        .text(base)
        .optional(connection)
        .await?;
    row.map_or(Ok(None), |row| row.optional_string("space"))
}

/// What narrows a search, as conditions on documents.
#[derive(Debug, Clone, Copy)]
pub struct DocumentFilter<'a> {
    pub ids: Option<&'a [DocumentId]>,
    pub path_prefix: Option<&'a str>,
    pub media_types: Option<&'a [String]>,
    pub labels: Option<&'a [String]>,
    pub updated_after: Option<Timestamp>,
    pub updated_before: Option<Timestamp>,
}

/// The documents of these knowledge bases that a filter lets through.
pub async fn matching(
    connection: &mut Connection,
    bases: &[KnowledgeBaseId],
    filter: &DocumentFilter<'_>,
    limit: i64,
) -> Result<Vec<DocumentId>, DbError> {
    let mut statement = Statement::new(
        "SELECT d.id FROM documents d JOIN versions v ON v.id = d.serving_version_id
         WHERE d.deleted_at IS NULL AND d.knowledge_base_id IN ",
    )
    .list(bases);
    if let Some(ids) = filter.ids {
        statement = statement.push(" AND d.id IN ").list(ids);
    }
    if let Some(prefix) = filter.path_prefix {
        let length = prefix.chars().count() as i64;
        statement =
            statement.push(" AND SUBSTR(d.path, 1, CAST(").bind(length).push(" AS INTEGER)) = ").text(prefix);
    }
    if let Some(media_types) = filter.media_types {
        statement = statement.push(" AND v.media_type IN ").list(media_types);
    }
    if let Some(labels) = filter.labels {
        statement = statement
            .push(" AND d.id IN (SELECT l.document_id FROM document_labels l WHERE l.name IN ")
            .list(labels)
            .push(")");
    }
    if let Some(after) = filter.updated_after {
        statement = statement.push(" AND v.created_at > ").bind(after.as_millis());
    }
    if let Some(before) = filter.updated_before {
        statement = statement.push(" AND v.created_at < ").bind(before.as_millis());
    }
    let rows = statement.push(" ORDER BY d.id LIMIT ").bind(limit).all(connection).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// How many documents are in each state.
pub async fn count_by_status(connection: &mut Connection) -> Result<BTreeMap<String, i64>, DbError> {
    let rows = Statement::new(
        "SELECT v.status, COUNT(*) AS documents FROM documents d JOIN versions v ON v.id = d.latest_version_id
         WHERE d.deleted_at IS NULL GROUP BY v.status",
    )
    .all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.string("status")?, row.integer("documents")?))).collect()
}

/// The knowledge base of a document that exists, whoever asks.
pub async fn base_of(
    connection: &mut Connection,
    document: DocumentId,
) -> Result<Option<KnowledgeBaseId>, DbError> {
    let row =
        Statement::new("SELECT d.knowledge_base_id FROM documents d WHERE d.deleted_at IS NULL AND d.id = ")
            .text(document)
            .optional(connection)
            .await?;
    row.map(|row| row.parsed("knowledge_base_id")).transpose()
}
