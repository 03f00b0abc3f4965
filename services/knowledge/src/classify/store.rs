//! Labels, prints and links between near-duplicates in SQL.

use super::nearest::{Chosen, Prototype};
use super::print::{NEAR_FROM, Print};
use crate::documents::chunks::{vector_from_bytes, vector_to_bytes};
use crate::store::{Columns as _, Connection, Statement, json_text};
use anwen_contract::labels::{DocumentLabel, Label};
use anwen_contract::{DocumentId, KnowledgeBaseId};
use anwen_platform::DbError;
use anwen_text::TextSignature;
use sqlx::any::AnyRow;
use std::collections::{HashMap, HashSet};

/// Documents that share a band and are compared; more would be copies of one another.
const MAX_COMPARED: i64 = 200;

/// A label with what it is told by; no vectors before they were needed.
#[derive(Debug, Clone)]
pub struct StoredLabel {
    pub label: Label,
    pub vectors: Option<Vec<Vec<f32>>>,
}

pub async fn labels(connection: &mut Connection, base: KnowledgeBaseId) -> Result<Vec<StoredLabel>, DbError> {
    let rows =
        Statement::new("SELECT name, description, examples, vectors FROM labels WHERE knowledge_base_id = ")
            .text(base)
            .push(" ORDER BY position")
            .all(connection)
            .await?;
    rows.iter()
        .map(|row| {
            let vectors = row.optional_string("vectors")?.map(|text| serde_json::from_str(&text)).transpose();
            Ok(StoredLabel {
                label: Label {
                    name: row.string("name")?,
                    description: row.string("description")?,
                    examples: row.json("examples")?,
                },
                vectors: vectors.map_err(|cause| DbError::Corrupt(format!("column vectors: {cause}")))?,
            })
        })
        .collect()
}

/// Replaces the labels; a name that is no longer among them is taken from every document.
pub async fn replace_labels(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    labels: &[Label],
) -> Result<(), DbError> {
    Statement::new("DELETE FROM labels WHERE knowledge_base_id = ").text(base).run(&mut *connection).await?;
    for (position, label) in labels.iter().enumerate() {
        Statement::new(
            "INSERT INTO labels (knowledge_base_id, name, position, description, examples) VALUES (",
        )
        .text(base)
        .push(", ")
        .text(&label.name)
        .push(", ")
        .bind(position as i64)
        .push(", ")
        .text(&label.description)
        .push(", ")
        .text(json_text(&label.examples))
        .push(")")
        .run(&mut *connection)
        .await?;
    }
    Statement::new(
        "DELETE FROM document_labels WHERE document_id IN (SELECT d.id FROM documents d WHERE d.knowledge_base_id = ",
    )
    .text(base)
    .push(") AND name NOT IN (SELECT l.name FROM labels l WHERE l.knowledge_base_id = ")
    .text(base)
    .push(")")
    .run(connection)
    .await?;
    Ok(())
}

/// Keeps a label's vectors, unless the label has changed meanwhile.
pub async fn note_vectors(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    label: &Label,
    vectors: &[Vec<f32>],
) -> Result<(), DbError> {
    Statement::new("UPDATE labels SET vectors = ")
        .text(json_text(vectors))
        .push(" WHERE knowledge_base_id = ")
        .text(base)
        .push(" AND name = ")
        .text(&label.name)
        .push(" AND description = ")
        .text(&label.description)
        .push(" AND examples = ")
        .text(json_text(&label.examples))
        .run(connection)
        .await?;
    Ok(())
}

/// The model that embeds a knowledge base's passages.
pub async fn model_of(connection: &mut Connection, base: KnowledgeBaseId) -> Result<Option<String>, DbError> {
    let row = Statement::new("SELECT kb.embedding_model FROM knowledge_bases kb WHERE kb.id = ")
        .text(base)
        .optional(connection)
        .await?;
    row.map(|row| row.string("embedding_model")).transpose()
}

fn centroid_of(row: &AnyRow) -> Result<Vec<f32>, DbError> {
    vector_from_bytes(&row.bytes("centroid")?).ok_or_else(|| DbError::Corrupt("column centroid".to_owned()))
}

/// The newest documents that people have labelled, as what their labels are told by.
pub async fn corrected(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    limit: i64,
) -> Result<Vec<Prototype>, DbError> {
    let rows = Statement::new(
        "SELECT l.name, p.centroid FROM documents d
         JOIN document_labels l ON l.document_id = d.id
         JOIN document_prints p ON p.document_id = d.id
         WHERE d.labels_corrected = 1 AND d.deleted_at IS NULL AND d.knowledge_base_id = ",
    )
    .text(base)
    .push(" ORDER BY d.id DESC, l.name LIMIT ")
    .bind(limit)
    .all(connection)
    .await?;
    rows.iter().map(|row| Ok(Prototype { label: row.string("name")?, vector: centroid_of(row)? })).collect()
}

/// Documents that no person has labelled, with what they say, by id.
pub async fn centroids(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<(DocumentId, Vec<f32>)>, DbError> {
    let mut statement = Statement::new(
        "SELECT d.id, p.centroid FROM documents d JOIN document_prints p ON p.document_id = d.id
         WHERE d.labels_corrected = 0 AND d.deleted_at IS NULL AND d.knowledge_base_id = ",
    )
    .text(base);
    if let Some(after) = after {
        statement = statement.push(" AND d.id > ").text(after);
    }
    let rows = statement.push(" ORDER BY d.id LIMIT ").bind(limit).all(connection).await?;
    rows.iter().map(|row| Ok((row.parsed("id")?, centroid_of(row)?))).collect()
}

/// Labels a document as it was found to be, unless a person has labelled it.
pub async fn set_labels(
    connection: &mut Connection,
    document: DocumentId,
    chosen: Option<&Chosen>,
) -> Result<(), DbError> {
    const BY_HAND: &str =
        " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.labels_corrected = 1 AND d.id = ";
    Statement::new("DELETE FROM document_labels WHERE document_id = ")
        .text(document)
        .push(BY_HAND)
        .text(document)
        .push(")")
        .run(&mut *connection)
        .await?;
    let Some(chosen) = chosen else { return Ok(()) };
    // The label may have gone since it was looked up.
    Statement::new("INSERT INTO document_labels (document_id, name, confidence_permille) SELECT d.id, l.name, CAST(")
        .bind(permille(f64::from(chosen.confidence)))
        .push(" AS BIGINT) FROM documents d JOIN labels l ON l.knowledge_base_id = d.knowledge_base_id WHERE l.name = ")
        .text(&chosen.label)
        .push(" AND d.labels_corrected = 0 AND d.id = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}

/// Labels a document by hand.
pub async fn correct(
    connection: &mut Connection,
    document: DocumentId,
    names: HashSet<&String>,
) -> Result<(), DbError> {
    Statement::new("DELETE FROM document_labels WHERE document_id = ")
        .text(document)
        .run(&mut *connection)
        .await?;
    Statement::new("UPDATE documents SET labels_corrected = 1 WHERE id = ")
        .text(document)
        .run(&mut *connection)
        .await?;
    for name in names {
        Statement::new("INSERT INTO document_labels (document_id, name, confidence_permille) VALUES (")
            .text(document)
            .push(", ")
            .text(name)
            .push(", 1000)")
            .run(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The labels of each of some documents, the surest first.
pub async fn labels_of(
    connection: &mut Connection,
    documents: &[DocumentId],
) -> Result<HashMap<DocumentId, Vec<DocumentLabel>>, DbError> {
    let mut labels: HashMap<DocumentId, Vec<DocumentLabel>> = HashMap::new();
    if documents.is_empty() {
        return Ok(labels);
    }
    let rows = Statement::new(
        "SELECT l.document_id, l.name, l.confidence_permille, d.labels_corrected FROM document_labels l
         JOIN documents d ON d.id = l.document_id WHERE l.document_id IN ",
    )
    .list(documents)
    .push(" ORDER BY l.confidence_permille DESC, l.name")
    .all(connection)
    .await?;
    for row in &rows {
        labels.entry(row.parsed("document_id")?).or_default().push(DocumentLabel {
            name: row.string("name")?,
            confidence: row.integer("confidence_permille")? as f64 / 1000.0,
            corrected: row.integer("labels_corrected")? == 1,
        });
    }
    Ok(labels)
}

fn permille(share: f64) -> i64 {
    (share * 1000.0).round() as i64
}

/// Keeps what a document says, in place of what it said before.
pub async fn note_print(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
    print: &Print,
) -> Result<(), DbError> {
    let signature = print.signature.as_ref().map(TextSignature::to_bytes).unwrap_or_default();
    Statement::new("INSERT INTO document_prints (document_id, knowledge_base_id, signature, centroid) VALUES (")
        .text(document)
        .push(", ")
        .text(base)
        .push(", ")
        .bind(signature)
        .push(", ")
        .bind(vector_to_bytes(&print.centroid))
        .push(
            ") ON CONFLICT (document_id) DO UPDATE SET signature = excluded.signature, centroid = excluded.centroid",
        )
        .run(&mut *connection)
        .await?;
    Statement::new("DELETE FROM print_bands WHERE document_id = ")
        .text(document)
        .run(&mut *connection)
        .await?;
    let bands: HashSet<i64> = print.signature.iter().flat_map(bands).collect();
    for band in bands {
        Statement::new("INSERT INTO print_bands (knowledge_base_id, band, document_id) VALUES (")
            .text(base)
            .push(", ")
            .bind(band)
            .push(", ")
            .text(document)
            .push(")")
            .run(&mut *connection)
            .await?;
    }
    Ok(())
}

fn bands(signature: &TextSignature) -> Vec<i64> {
    signature.bands().into_iter().map(u64::cast_signed).collect()
}

/// A document that shares a band with another.
struct Candidate {
    id: DocumentId,
    /// The document that stands for it; itself where there is no other.
    kin: DocumentId,
    similarity: f64,
}

async fn candidates(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
    signature: &TextSignature,
) -> Result<Vec<Candidate>, DbError> {
    let mut statement = Statement::new(
        "SELECT d.id, COALESCE(d.near_duplicate_of, d.id) AS kin, p.signature FROM documents d
         JOIN document_prints p ON p.document_id = d.id WHERE d.deleted_at IS NULL AND d.id <> ",
    )
    .text(document)
    .push(" AND d.id IN (SELECT b.document_id FROM print_bands b WHERE b.knowledge_base_id = ")
    .text(base)
    .push(" AND b.band IN (");
    for (number, band) in bands(signature).into_iter().enumerate() {
        statement = if number == 0 { statement.bind(band) } else { statement.push(", ").bind(band) };
    }
    let rows = statement.push(")) ORDER BY d.id LIMIT ").bind(MAX_COMPARED).all(connection).await?;
    rows.iter()
        .map(|row| {
            let other = TextSignature::from_bytes(&row.bytes("signature")?);
            let similarity = other.map_or(0.0, |other| signature.similarity(&other));
            Ok(Candidate { id: row.parsed("id")?, kin: row.parsed("kin")?, similarity })
        })
        .collect()
}

/// Links a document with those of its knowledge base that say nearly the same: the earliest of them stands for all.
pub async fn link(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
    print: &Print,
) -> Result<(), DbError> {
    // What it was linked with before may not hold any more.
    unlink_only(connection, document).await?;
    let Some(signature) = &print.signature else { return Ok(()) };
    let mut alike = candidates(connection, base, document, signature).await?;
    alike.retain(|candidate| candidate.similarity >= NEAR_FROM);
    let earlier = alike.iter().filter(|candidate| candidate.id.0 < document.0);
    let nearest = earlier.max_by(|one, other| one.similarity.total_cmp(&other.similarity));
    let kin = nearest.map_or(document, |nearest| nearest.kin);
    if let Some(nearest) = nearest {
        set_kin(connection, document, kin, nearest.similarity).await?;
    }
    for later in alike.iter().filter(|candidate| candidate.id.0 > document.0 && candidate.id != kin) {
        Statement::new("UPDATE documents SET near_duplicate_of = ")
            .text(kin)
            .push(" WHERE near_duplicate_of = ")
            .text(later.id)
            .run(&mut *connection)
            .await?;
        set_kin(connection, later.id, kin, later.similarity).await?;
    }
    Ok(())
}

async fn set_kin(
    connection: &mut Connection,
    document: DocumentId,
    kin: DocumentId,
    similarity: f64,
) -> Result<(), DbError> {
    Statement::new("UPDATE documents SET near_duplicate_of = ")
        .text(kin)
        .push(", near_duplicate_permille = ")
        .bind(permille(similarity))
        .push(" WHERE id = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}

/// Takes a document out of its links. The earliest of those that it stood for stands for them from now on.
async fn unlink_only(connection: &mut Connection, document: DocumentId) -> Result<(), DbError> {
    const LONE: &str =
        "UPDATE documents SET near_duplicate_of = NULL, near_duplicate_permille = NULL WHERE id = ";
    Statement::new(LONE).text(document).run(&mut *connection).await?;
    let first =
        Statement::new("SELECT d.id FROM documents d WHERE d.deleted_at IS NULL AND d.near_duplicate_of = ")
            .text(document)
            .push(" ORDER BY d.id LIMIT 1")
            .optional(&mut *connection)
            .await?;
    let Some(first) = first.map(|row| row.parsed::<DocumentId>("id")).transpose()? else { return Ok(()) };
    Statement::new(LONE).text(first).run(&mut *connection).await?;
    Statement::new("UPDATE documents SET near_duplicate_of = ")
        .text(first)
        .push(" WHERE near_duplicate_of = ")
        .text(document)
        .run(connection)
        .await?;
    Ok(())
}

/// The same for a document that is being deleted: it is compared with no other any more.
pub async fn unlink(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
) -> Result<(), DbError> {
    unlink_only(connection, document).await?;
    Statement::new("DELETE FROM print_bands WHERE document_id = ")
        .text(document)
        .push(" AND knowledge_base_id = ")
        .text(base)
        .run(connection)
        .await?;
    Ok(())
}
