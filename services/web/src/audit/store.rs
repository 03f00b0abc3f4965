//! The audit log in SQL.

use super::Entry;
use super::chain::{AuditRow, BrokenChain, check_link, row_hash};
use crate::rows::Columns as _;
use anwen_contract::{Page, Timestamp};
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction};
use sqlx::any::AnyRow;
use uuid::Uuid;

/// Rows that verification reads at a time.
const VERIFY_BATCH: i64 = 1_000;

/// Which entries to list; every given part must hold.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Entries before this sequence number: newest come first.
    pub before: Option<i64>,
    pub actor: Option<String>,
    /// An action (`user.created`) or a domain (`user`).
    pub action: Option<String>,
    pub object: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// What `audit verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub entries: i64,
    pub broken: Option<BrokenChain>,
}

/// Writes and reads the audit log.
#[derive(Clone)]
pub struct AuditLog {
    db: Database,
}

impl AuditLog {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// Adds an entry in the transaction of what it tells of: both happen, or neither. Writers of the log take turns
    /// from here until they commit.
    pub async fn append(&self, transaction: &mut WriteTransaction, entry: &Entry) -> Result<(), DbError> {
        let head = sqlx::query(
            "UPDATE audit_head SET sequence = sequence + 1 WHERE id = 1 RETURNING sequence, hash",
        )
        .fetch_one(&mut **transaction)
        .await?;
        let mut row = AuditRow {
            sequence: head.int("sequence")?,
            id: Uuid::now_v7().to_string(),
            at: Timestamp::now(),
            actor: entry.actor.id.clone(),
            actor_name: entry.actor.name.clone(),
            action: entry.action.to_owned(),
            object: entry.object.clone(),
            detail: entry.detail.clone(),
            address: entry.actor.address.clone(),
            prev_hash: head.text("hash")?,
            hash: String::new(),
        };
        let detail = row.detail.to_string();
        row.hash = row_hash(&row, &detail);
        sqlx::query(
            "INSERT INTO audit_log (sequence, id, at, actor, actor_name, action, object, detail, address, prev_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(row.sequence)
        .bind(row.id.as_str())
        .bind(row.at.as_millis())
        .bind(row.actor.as_str())
        .bind(row.actor_name.as_str())
        .bind(row.action.as_str())
        .bind(row.object.as_str())
        .bind(detail)
        .bind(row.address.as_str())
        .bind(row.prev_hash.as_str())
        .bind(row.hash.as_str())
        .execute(&mut **transaction)
        .await?;
        sqlx::query("UPDATE audit_head SET hash = $1 WHERE id = 1")
            .bind(row.hash.as_str())
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// Adds an entry on its own.
    pub async fn record(&self, entry: &Entry) -> Result<(), DbError> {
        let mut transaction = self.db.begin_write().await?;
        self.append(&mut transaction, entry).await?;
        transaction.commit().await
    }

    /// Entries, newest first.
    pub async fn list(&self, query: &AuditQuery, limit: u32) -> Result<Page<AuditRow>, DbError> {
        let any = String::new;
        let action = query.action.clone().unwrap_or_default();
        let rows = sqlx::query(
            "SELECT * FROM audit_log
             WHERE sequence < $1 AND at >= $2 AND at < $3
               AND ($4 = '' OR actor = $4 OR actor_name = $4)
               AND ($5 = '' OR action = $5 OR action LIKE $6)
               AND ($7 = '' OR object = $7)
             ORDER BY sequence DESC LIMIT $8",
        )
        .bind(query.before.unwrap_or(i64::MAX))
        .bind(query.from.map_or(i64::MIN, Timestamp::as_millis))
        .bind(query.to.map_or(i64::MAX, Timestamp::as_millis))
        .bind(query.actor.clone().unwrap_or_else(any))
        .bind(action.clone())
        .bind(format!("{}.%", action.replace(['%', '_'], "")))
        .bind(query.object.clone().unwrap_or_else(any))
        .bind(i64::from(limit) + 1)
        .fetch_all(self.db.pool())
        .await?;
        let rows = rows.iter().map(row_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, limit, |row| row.sequence.to_string()))
    }

    /// Walks the whole chain.
    pub async fn verify(&self) -> Result<Verification, DbError> {
        let head =
            sqlx::query("SELECT sequence FROM audit_head WHERE id = 1").fetch_one(self.db.pool()).await?;
        let written = head.int("sequence")?;
        let (mut sequence, mut hash) = (0, String::new());
        loop {
            let rows = sqlx::query("SELECT * FROM audit_log WHERE sequence > $1 ORDER BY sequence LIMIT $2")
                .bind(sequence)
                .bind(VERIFY_BATCH)
                .fetch_all(self.db.pool())
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (row, detail) = (row_from(row)?, row.text("detail")?);
                if let Err(broken) = check_link(&row, &detail, sequence, &hash) {
                    return Ok(Verification { entries: sequence, broken: Some(broken) });
                }
                (sequence, hash) = (row.sequence, row.hash);
            }
        }
        let broken = (sequence < written).then_some(BrokenChain::Cut { found: sequence, written });
        Ok(Verification { entries: sequence, broken })
    }
}

fn row_from(row: &AnyRow) -> Result<AuditRow, sqlx::Error> {
    Ok(AuditRow {
        sequence: row.int("sequence")?,
        id: row.text("id")?,
        at: row.time("at")?,
        actor: row.text("actor")?,
        actor_name: row.text("actor_name")?,
        action: row.text("action")?,
        object: row.text("object")?,
        detail: row.json("detail")?,
        address: row.text("address")?,
        prev_hash: row.text("prev_hash")?,
        hash: row.text("hash")?,
    })
}
