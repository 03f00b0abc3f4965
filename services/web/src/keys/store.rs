//! API keys in SQL. The secret is never stored: only its hash is.

use crate::rows::{Columns as _, json_of};
use crate::users::store::{groups_of, user_from};
use anwen_contract::users::{ApiKey, KeyScope, User};
use anwen_contract::{ApiKeyId, KnowledgeBaseId, Page, Timestamp, UserId};
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction};
use sqlx::any::AnyRow;

/// A key's last use is written at most this often.
const TOUCH_EVERY_MS: i64 = 60_000;

/// What a key's secret leads to.
pub struct FoundKey {
    pub id: ApiKeyId,
    pub user: User,
    pub scopes: Vec<KeyScope>,
    pub knowledge_base_ids: Option<Vec<KnowledgeBaseId>>,
}

/// API keys.
#[derive(Clone)]
pub struct KeyStore {
    db: Database,
}

impl KeyStore {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// The key with this secret's hash and its owner, unless it has expired.
    pub async fn find(&self, secret_hash: &str, now: Timestamp) -> Result<Option<FoundKey>, DbError> {
        let row = sqlx::query(
            "SELECT u.id, u.username, u.display_name, u.role, u.disabled, u.created_at, u.last_login_at,
                    k.id AS key_id, k.scopes, k.knowledge_base_ids, k.last_used_at
             FROM api_keys k JOIN users u ON u.id = k.user_id
             WHERE k.secret_hash = $1 AND (k.expires_at IS NULL OR k.expires_at > $2)",
        )
        .bind(secret_hash)
        .bind(now.as_millis())
        .fetch_optional(self.db.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: ApiKeyId = row.parsed("key_id")?;
        let last_used_at = row.maybe_int("last_used_at")?.unwrap_or_default();
        if now.as_millis() - last_used_at > TOUCH_EVERY_MS {
            sqlx::query("UPDATE api_keys SET last_used_at = $2 WHERE id = $1")
                .bind(id.to_string())
                .bind(now.as_millis())
                .execute(self.db.pool())
                .await?;
        }
        let mut user = user_from(&row)?;
        user.groups = groups_of(&self.db, user.id).await?;
        let knowledge_base_ids = row.maybe_json("knowledge_base_ids")?;
        Ok(Some(FoundKey { id, user, scopes: row.json("scopes")?, knowledge_base_ids }))
    }

    /// A user's keys in the order in which they were made.
    pub async fn list(
        &self,
        user: UserId,
        after: Option<ApiKeyId>,
        limit: u32,
    ) -> Result<Page<ApiKey>, DbError> {
        let rows = sqlx::query("SELECT * FROM api_keys WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3")
            .bind(user.to_string())
            .bind(after.map(|id| id.to_string()).unwrap_or_default())
            .bind(i64::from(limit) + 1)
            .fetch_all(self.db.pool())
            .await?;
        let keys = rows.iter().map(key_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(keys, limit, |key| key.id.to_string()))
    }

    /// How many keys a user holds.
    pub async fn count(&self, transaction: &mut WriteTransaction, user: UserId) -> Result<i64, DbError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM api_keys WHERE user_id = $1")
            .bind(user.to_string())
            .fetch_one(&mut **transaction)
            .await?;
        Ok(row.int("count")?)
    }

    pub async fn create(
        &self,
        transaction: &mut WriteTransaction,
        user: UserId,
        key: &ApiKey,
        secret_hash: &str,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO api_keys (id, user_id, name, prefix, secret_hash, scopes, knowledge_base_ids, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(key.id.to_string())
        .bind(user.to_string())
        .bind(key.name.as_str())
        .bind(key.prefix.as_str())
        .bind(secret_hash)
        .bind(json_of(&key.scopes))
        .bind(key.knowledge_base_ids.as_ref().map(json_of))
        .bind(key.created_at.as_millis())
        .bind(key.expires_at.map(Timestamp::as_millis))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// Withdraws a user's own key; says whether there was one.
    pub async fn delete(
        &self,
        transaction: &mut WriteTransaction,
        user: UserId,
        id: ApiKeyId,
    ) -> Result<bool, DbError> {
        let result = sqlx::query("DELETE FROM api_keys WHERE id = $1 AND user_id = $2")
            .bind(id.to_string())
            .bind(user.to_string())
            .execute(&mut **transaction)
            .await?;
        Ok(result.rows_affected() > 0)
    }
}

fn key_from(row: &AnyRow) -> Result<ApiKey, sqlx::Error> {
    Ok(ApiKey {
        id: row.parsed("id")?,
        name: row.text("name")?,
        prefix: row.text("prefix")?,
        scopes: row.json("scopes")?,
        knowledge_base_ids: row.maybe_json("knowledge_base_ids")?,
        created_at: row.time("created_at")?,
        expires_at: row.maybe_time("expires_at")?,
        last_used_at: row.maybe_time("last_used_at")?,
    })
}
