//! The index log in SQL.

use super::{Entry, LoggedEntry};
use crate::store::{Columns as _, Connection, Statement};
use anwen_contract::Timestamp;
use anwen_platform::DbError;
use sqlx::any::AnyRow;

/// Appends an entry and answers its sequence number.
///
/// The row that holds the last number stays locked until the transaction ends: whoever reads the log never sees
/// an entry before one with a smaller number. Append last, so that others wait briefly.
pub async fn append(connection: &mut Connection, entry: &Entry, now: Timestamp) -> Result<i64, DbError> {
    let row = Statement::new("UPDATE index_head SET sequence = sequence + 1 WHERE id = 1 RETURNING sequence")
        .one(&mut *connection)
        .await?;
    let sequence = row.integer("sequence")?;
    let fields = entry.fields();
    Statement::new(
        "INSERT INTO index_log
            (sequence, operation, knowledge_base_id, document_id, version_id, generation, chunk_count, created_at)
         VALUES (",
    )
    .bind(sequence)
    .push(", ")
    .text(fields.operation)
    .push(", ")
    .text(fields.base)
    .push(", ")
    .bind(fields.document.map(|id| id.to_string()))
    .push(", ")
    .bind(fields.version.map(|id| id.to_string()))
    .push(", ")
    .bind(fields.generation)
    .push(", ")
    .bind(fields.chunk_count)
    .push(", ")
    .bind(now.as_millis())
    .push(")")
    .run(connection)
    .await?;
    Ok(sequence)
}

/// The sequence number of the newest entry; 0 for an empty log.
pub async fn head(connection: &mut Connection) -> Result<i64, DbError> {
    Statement::new("SELECT sequence FROM index_head WHERE id = 1").one(connection).await?.integer("sequence")
}

/// The entries after `sequence`, oldest first.
pub async fn after(
    connection: &mut Connection,
    sequence: i64,
    limit: i64,
) -> Result<Vec<LoggedEntry>, DbError> {
    let rows = Statement::new(
        "SELECT sequence, operation, knowledge_base_id, document_id, version_id, generation, chunk_count
         FROM index_log WHERE sequence > ",
    )
    .bind(sequence)
    .push(" ORDER BY sequence LIMIT ")
    .bind(limit)
    .all(connection)
    .await?;
    rows.iter().map(entry_of).collect()
}

fn entry_of(row: &AnyRow) -> Result<LoggedEntry, DbError> {
    let missing = |column: &str| DbError::Corrupt(format!("index log without {column}"));
    let base = row.parsed("knowledge_base_id")?;
    let document = row.optional_parsed("document_id")?;
    let version = row.optional_parsed("version_id")?;
    let generation = row.optional_integer("generation")?;
    let entry = match row.string("operation")?.as_str() {
        "upsert" => Entry::Upsert {
            base,
            document: document.ok_or_else(|| missing("document"))?,
            version: version.ok_or_else(|| missing("version"))?,
            generation: generation.ok_or_else(|| missing("generation"))?,
        },
        "delete_generation" => Entry::DeleteGeneration {
            base,
            document: document.ok_or_else(|| missing("document"))?,
            version: version.ok_or_else(|| missing("version"))?,
            generation: generation.ok_or_else(|| missing("generation"))?,
            chunk_count: row.integer("chunk_count")?,
        },
        "delete_document" => {
            Entry::DeleteDocument { base, document: document.ok_or_else(|| missing("document"))? }
        }
        "delete_base" => Entry::DeleteBase { base },
        other => return Err(DbError::Corrupt(format!("index log with the operation {other}"))),
    };
    Ok(LoggedEntry { sequence: row.integer("sequence")?, entry })
}

/// The smallest sequence number that is still in the log.
pub async fn oldest(connection: &mut Connection) -> Result<Option<i64>, DbError> {
    Statement::new("SELECT MIN(sequence) AS sequence FROM index_log")
        .one(connection)
        .await?
        .optional_integer("sequence")
}

/// Notes, for reports and for trimming, how far an index of a follower has come.
pub async fn note_reached(
    connection: &mut Connection,
    follower: &str,
    index: &str,
    sequence: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    Statement::new("INSERT INTO index_state (follower, index_name, sequence, updated_at) VALUES (")
        .text(follower)
        .push(", ")
        .text(index)
        .push(", ")
        .bind(sequence)
        .push(", ")
        .bind(now.as_millis())
        .push(
            ") ON CONFLICT (follower, index_name) DO UPDATE
               SET sequence = excluded.sequence, updated_at = excluded.updated_at",
        )
        .run(connection)
        .await?;
    Ok(())
}

/// Drops entries made before `before` that every follower has behind it. A follower that has not been heard of since
/// then counts no more: if it comes back, it starts from the chunks themselves.
pub async fn trim(connection: &mut Connection, before: Timestamp) -> Result<u64, DbError> {
    Statement::new("DELETE FROM index_log WHERE created_at < ")
        .bind(before.as_millis())
        .push(" AND sequence <= (SELECT COALESCE(MIN(sequence), 0) FROM index_state WHERE updated_at >= ")
        .bind(before.as_millis())
        .push(")")
        .run(connection)
        .await
}
