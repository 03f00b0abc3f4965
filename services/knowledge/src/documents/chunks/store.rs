//! Passages in SQL.

use super::{NewChunk, boxes_of, lines_from_json, lines_to_json, vector_from_bytes, vector_to_bytes};
use crate::access::Access;
use crate::access::store::push_readable;
use crate::index::{IndexedChunk, SearchScope, SpaceName};
use crate::retrieve::LiveChunk;
use crate::store::{Columns as _, Connection, Statement, json_text};
use anwen_contract::knowledge::{Chunk, Hit, HitScores, LineBox};
use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};
use anwen_platform::DbError;
use sqlx::any::AnyRow;

/// Rows of one `INSERT`: eleven values each, far below both databases' bound on parameters.
const ROWS_PER_INSERT: usize = 100;

/// What holds for a chunk that answers: its generation serves, of the version that serves, of a document and a
/// knowledge base that exist.
///
/// `CROSS JOIN` keeps SQLite to this order: it starts from the chunks that are asked for. Left to choose, it starts
/// from the knowledge base and walks through every chunk in it.
const LIVE: &str = " FROM chunks c
    CROSS JOIN versions v
    CROSS JOIN documents d
    CROSS JOIN knowledge_bases kb
    WHERE v.id = c.version_id AND v.serving_generation = c.generation
    AND d.id = c.document_id AND d.serving_version_id = v.id AND d.deleted_at IS NULL
    AND kb.id = d.knowledge_base_id AND kb.deleted_at IS NULL AND ";

const COLUMNS: &str =
    "c.id, c.document_id, c.knowledge_base_id, c.version_id, c.ordinal, c.text, c.page_start,
    c.page_end, c.heading_path, c.lines, c.tokens, v.number AS version";

/// The owner of chunks that are written.
#[derive(Debug, Clone, Copy)]
pub struct ChunkOwner {
    pub base: KnowledgeBaseId,
    pub document: DocumentId,
    pub version: VersionId,
    pub generation: i64,
}

/// Writes the chunks of a generation in place of whatever it had.
pub async fn replace_generation(
    connection: &mut Connection,
    owner: &ChunkOwner,
    chunks: &[NewChunk],
) -> Result<(), DbError> {
    delete_generation(connection, owner.version, owner.generation).await?;
    for (batch, rows) in chunks.chunks(ROWS_PER_INSERT).enumerate() {
        insert_rows(connection, owner, batch * ROWS_PER_INSERT, rows).await?;
    }
    Ok(())
}

async fn insert_rows(
    connection: &mut Connection,
    owner: &ChunkOwner,
    first: usize,
    rows: &[NewChunk],
) -> Result<(), DbError> {
    let mut chunks = Statement::new(
        "INSERT INTO chunks (id, version_id, generation, ordinal, document_id, knowledge_base_id, text,
             page_start, page_end, heading_path, lines, tokens) VALUES ",
    );
    let mut vectors = Statement::new("INSERT INTO chunk_vectors (chunk_id, vector) VALUES ");
    for (offset, chunk) in rows.iter().enumerate() {
        let ordinal = (first + offset) as u32;
        let id = ChunkId::derive(owner.version, owner.generation, ordinal);
        let separator = if offset == 0 { "(" } else { ", (" };
        chunks = chunks
            .push(separator)
            .text(id)
            .push(", ")
            .text(owner.version)
            .push(", ")
            .bind(owner.generation)
            .push(", ")
            .bind(i64::from(ordinal))
            .push(", ")
            .text(owner.document)
            .push(", ")
            .text(owner.base)
            .push(", ")
            // NUL is the one character that PostgreSQL's text does not hold.
            .bind(chunk.text.replace('\0', " "))
            .push(", ")
            .bind(chunk.page_start)
            .push(", ")
            .bind(chunk.page_end)
            .push(", ")
            .bind(json_text(&chunk.heading_path))
            .push(", ")
            .bind(lines_to_json(&chunk.lines))
            .push(", ")
            .bind(chunk.tokens)
            .push(")");
        vectors = vectors.push(separator).text(id).push(", ").bind(vector_to_bytes(&chunk.vector)).push(")");
    }
    chunks.run(&mut *connection).await?;
    vectors.run(connection).await?;
    Ok(())
}

/// Removes a generation's chunks and answers how many there were.
pub async fn delete_generation(
    connection: &mut Connection,
    version: VersionId,
    generation: i64,
) -> Result<u64, DbError> {
    Statement::new("DELETE FROM chunk_vectors WHERE chunk_id IN (SELECT id FROM chunks WHERE version_id = ")
        .text(version)
        .push(" AND generation = ")
        .bind(generation)
        .push(")")
        .run(&mut *connection)
        .await?;
    Statement::new("DELETE FROM chunks WHERE version_id = ")
        .text(version)
        .push(" AND generation = ")
        .bind(generation)
        .run(connection)
        .await
}

pub async fn count_generation(
    connection: &mut Connection,
    version: VersionId,
    generation: i64,
) -> Result<i64, DbError> {
    Statement::new("SELECT COUNT(*) AS chunks FROM chunks WHERE version_id = ")
        .text(version)
        .push(" AND generation = ")
        .bind(generation)
        .one(connection)
        .await?
        .integer("chunks")
}

/// Which chunks to read for the indexes, and from where.
#[derive(Debug, Clone)]
pub enum PageStart {
    /// A generation, from an ordinal.
    Generation { version: VersionId, generation: i64, from_ordinal: i64 },
    /// All chunks, in the order of their ids, after one.
    Everything { after: Option<ChunkId> },
}

impl PageStart {
    pub fn generation(version: VersionId, generation: i64) -> Self {
        Self::Generation { version, generation, from_ordinal: 0 }
    }

    pub fn everything() -> Self {
        Self::Everything { after: None }
    }

    /// Where the page after the one that ended with `last` starts.
    pub fn after(&self, last: &IndexedChunk, page_was_full: bool) -> Option<Self> {
        page_was_full.then(|| match *self {
            Self::Generation { version, generation, .. } => {
                Self::Generation { version, generation, from_ordinal: i64::from(last.ordinal) + 1 }
            }
            Self::Everything { .. } => Self::Everything { after: Some(last.chunk_id) },
        })
    }
}

/// Chunks with their vectors, as the indexes take them. What has been deleted is not among them.
pub async fn page_for_index(
    connection: &mut Connection,
    start: &PageStart,
    limit: i64,
) -> Result<Vec<(SpaceName, IndexedChunk)>, DbError> {
    let statement = Statement::new(
        "SELECT c.id, c.version_id, c.document_id, c.knowledge_base_id, c.ordinal, c.text, c.heading_path,
             COALESCE(d.masked_name, d.name) AS name, kb.space, w.vector
         FROM chunks c
         CROSS JOIN chunk_vectors w
         CROSS JOIN documents d
         CROSS JOIN knowledge_bases kb
         WHERE w.chunk_id = c.id
         AND d.id = c.document_id AND d.deleted_at IS NULL
         AND kb.id = c.knowledge_base_id AND kb.deleted_at IS NULL AND kb.space IS NOT NULL",
    );
    let statement = match start {
        PageStart::Generation { version, generation, from_ordinal } => statement
            .push(" AND c.version_id = ")
            .text(version)
            .push(" AND c.generation = ")
            .bind(*generation)
            .push(" AND c.ordinal >= ")
            .bind(*from_ordinal)
            .push(" ORDER BY c.ordinal"),
        PageStart::Everything { after: Some(after) } => {
            statement.push(" AND c.id > ").text(after).push(" ORDER BY c.id")
        }
        PageStart::Everything { after: None } => statement.push(" ORDER BY c.id"),
    };
    let rows = statement.push(" LIMIT ").bind(limit).all(connection).await?;
    rows.iter().map(indexed_chunk_of).collect()
}

fn indexed_chunk_of(row: &AnyRow) -> Result<(SpaceName, IndexedChunk), DbError> {
    let vector = vector_from_bytes(&row.bytes("vector")?);
    let chunk = IndexedChunk {
        chunk_id: row.parsed("id")?,
        knowledge_base_id: row.parsed("knowledge_base_id")?,
        document_id: row.parsed("document_id")?,
        version_id: row.parsed("version_id")?,
        ordinal: ordinal_of(row)?,
        title: row.string("name")?,
        heading_path: row.json("heading_path")?,
        text: row.string("text")?,
        vector: vector.ok_or_else(|| DbError::Corrupt("a vector of half a number".to_owned()))?,
    };
    Ok((row.parsed("space")?, chunk))
}

fn ordinal_of(row: &AnyRow) -> Result<u32, DbError> {
    u32::try_from(row.integer("ordinal")?).map_err(|_| DbError::Corrupt("column ordinal".to_owned()))
}

fn lines_of(row: &AnyRow) -> Result<Vec<LineBox>, DbError> {
    lines_from_json(&row.string("lines")?).map_err(|cause| DbError::Corrupt(format!("column lines: {cause}")))
}

fn chunk_of(row: &AnyRow) -> Result<Chunk, DbError> {
    Ok(Chunk {
        id: row.parsed("id")?,
        document_id: row.parsed("document_id")?,
        knowledge_base_id: row.parsed("knowledge_base_id")?,
        ordinal: row.integer("ordinal")?,
        text: row.string("text")?,
        page_start: row.optional_integer("page_start")?,
        page_end: row.optional_integer("page_end")?,
        heading_path: row.json("heading_path")?,
        boxes: boxes_of(&lines_of(row)?),
        tokens: row.integer("tokens")?,
        version: row.integer("version")?,
    })
}

/// The passages of a document that answer, in reading order. Whether the asker may read it has been decided.
pub async fn of_document(
    connection: &mut Connection,
    document: DocumentId,
    after_ordinal: Option<i64>,
    limit: i64,
) -> Result<Vec<Chunk>, DbError> {
    let rows = Statement::new("SELECT ")
        .push(COLUMNS)
        .push(LIVE)
        .push("c.document_id = ")
        .text(document)
        .push(" AND c.ordinal > ")
        .bind(after_ordinal.unwrap_or(-1))
        .push(" ORDER BY c.ordinal LIMIT ")
        .bind(limit)
        .all(connection)
        .await?;
    rows.iter().map(chunk_of).collect()
}

/// How many passages of a document answer, and how large they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassageCounts {
    pub chunks: i64,
    /// Of the one in the middle; 0 without passages.
    pub median_tokens: i64,
}

pub async fn counts_of_document(
    connection: &mut Connection,
    document: DocumentId,
) -> Result<PassageCounts, DbError> {
    let selected =
        |columns: &'static str| Statement::new(columns).push(LIVE).push("c.document_id = ").text(document);
    let chunks = selected("SELECT COUNT(*) AS chunks").one(&mut *connection).await?.integer("chunks")?;
    let middle = selected("SELECT c.tokens")
        .push(" ORDER BY c.tokens LIMIT 1 OFFSET ")
        .bind(chunks / 2)
        .optional(connection)
        .await?;
    let median_tokens = middle.map_or(Ok(0), |row| row.integer("tokens"))?;
    Ok(PassageCounts { chunks, median_tokens })
}

/// The passages of a version around some of them that answer and lie in the scope, in reading order.
pub async fn around(
    connection: &mut Connection,
    version: VersionId,
    ordinals: std::ops::RangeInclusive<i64>,
    scope: &SearchScope,
) -> Result<Vec<LiveChunk>, DbError> {
    let rows = Statement::new(
        "SELECT COALESCE(d.masked_name, d.name) AS document_name,
             COALESCE(d.near_duplicate_of, d.id) AS kin, v.created_at AS as_of, ",
    )
    .push(COLUMNS)
    .push(LIVE)
    .push("c.version_id = ")
    .text(version)
    .push(" AND c.ordinal >= ")
    .bind(*ordinals.start())
    .push(" AND c.ordinal <= ")
    .bind(*ordinals.end())
    .push(" AND kb.id IN ")
    .list(&scope.knowledge_base_ids)
    .push(" ORDER BY c.ordinal")
    .all(connection)
    .await?;
    rows.iter().map(live_chunk_of).collect()
}

/// A passage that answers and that the asker may read.
pub async fn find(
    connection: &mut Connection,
    access: &Access,
    id: ChunkId,
) -> Result<Option<Chunk>, DbError> {
    let statement = Statement::new("SELECT ").push(COLUMNS).push(LIVE).push("c.id = ").text(id).push(" AND ");
    let row = push_readable(statement, access).optional(connection).await?;
    row.as_ref().map(chunk_of).transpose()
}

/// Those of the passages that answer and lie in the scope.
pub async fn live(
    connection: &mut Connection,
    ids: &[ChunkId],
    scope: &SearchScope,
) -> Result<Vec<LiveChunk>, DbError> {
    let mut statement = Statement::new(
        "SELECT COALESCE(d.masked_name, d.name) AS document_name,
             COALESCE(d.near_duplicate_of, d.id) AS kin, v.created_at AS as_of, ",
    )
    .push(COLUMNS)
    .push(LIVE)
    .push("c.id IN ")
    .list(ids)
    .push(" AND kb.id IN ")
    .list(&scope.knowledge_base_ids);
    if let Some(documents) = &scope.document_ids {
        statement = statement.push(" AND d.id IN ").list(documents);
    }
    let rows = statement.all(connection).await?;
    rows.iter().map(live_chunk_of).collect()
}

fn live_chunk_of(row: &AnyRow) -> Result<LiveChunk, DbError> {
    let lines = lines_of(row)?;
    let hit = Hit {
        chunk_id: row.parsed("id")?,
        document_id: row.parsed("document_id")?,
        document_name: row.string("document_name")?,
        knowledge_base_id: row.parsed("knowledge_base_id")?,
        text: row.string("text")?,
        page_start: row.optional_integer("page_start")?,
        page_end: row.optional_integer("page_end")?,
        heading_path: row.json("heading_path")?,
        boxes: boxes_of(&lines),
        score: 0.0,
        scores: HitScores::default(),
        version: row.integer("version")?,
        ordinal: row.integer("ordinal")?,
        lines,
        as_of: row.time("as_of")?,
    };
    let tokens = u32::try_from(row.integer("tokens")?).unwrap_or(u32::MAX);
    Ok(LiveChunk { version_id: row.parsed("version_id")?, kin: row.parsed("kin")?, tokens, hit })
}
