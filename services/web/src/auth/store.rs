//! Sessions in SQL.

use crate::rows::Columns as _;
use crate::users::store::{groups_of, user_from};
use anwen_contract::users::User;
use anwen_contract::{SessionId, Timestamp, UserId};
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction};

/// A session is written to at most this often, so that reading stays cheap.
const TOUCH_EVERY_MS: i64 = 60_000;

/// When sessions end.
#[derive(Debug, Clone, Copy)]
pub struct SessionLife {
    pub idle_ms: i64,
    pub max_ms: i64,
}

impl SessionLife {
    fn is_over(self, created_at: Timestamp, last_used_at: Timestamp, now: Timestamp) -> bool {
        now.as_millis() - last_used_at.as_millis() > self.idle_ms
            || now.as_millis() - created_at.as_millis() > self.max_ms
    }
}

/// What a session's secret leads to.
pub enum FoundSession {
    Live {
        id: SessionId,
        user: User,
    },
    /// It was there, and has ended.
    Over,
}

/// Sign-in sessions.
#[derive(Clone)]
pub struct SessionStore {
    db: Database,
    life: SessionLife,
}

impl SessionStore {
    pub fn new(db: Database, life: SessionLife) -> Self {
        Self { db, life }
    }

    /// Begins a session, and clears those of the user that have ended.
    pub async fn create(
        &self,
        transaction: &mut WriteTransaction,
        user: UserId,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<SessionId, DbError> {
        let id = SessionId::new();
        sqlx::query("DELETE FROM sessions WHERE last_used_at < $1 OR created_at < $2")
            .bind(now.plus_millis(-self.life.idle_ms).as_millis())
            .bind(now.plus_millis(-self.life.max_ms).as_millis())
            .execute(&mut **transaction)
            .await?;
        sqlx::query(
            "INSERT INTO sessions (id, user_id, token_hash, created_at, last_used_at) VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(id.to_string())
        .bind(user.to_string())
        .bind(token_hash)
        .bind(now.as_millis())
        .execute(&mut **transaction)
        .await?;
        Ok(id)
    }

    /// The session with this secret's hash and its user; finding it keeps it alive.
    pub async fn find(&self, token_hash: &str, now: Timestamp) -> Result<Option<FoundSession>, DbError> {
        let row = sqlx::query(
            "SELECT u.id, u.username, u.display_name, u.role, u.disabled, u.created_at, u.last_login_at,
                    s.id AS session_id, s.created_at AS session_created_at, s.last_used_at
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1",
        )
        .bind(token_hash)
        .fetch_optional(self.db.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (created_at, last_used_at) = (row.time("session_created_at")?, row.time("last_used_at")?);
        if self.life.is_over(created_at, last_used_at, now) {
            return Ok(Some(FoundSession::Over));
        }
        let id: SessionId = row.parsed("session_id")?;
        if now.as_millis() - last_used_at.as_millis() > TOUCH_EVERY_MS {
            sqlx::query("UPDATE sessions SET last_used_at = $2 WHERE id = $1")
                .bind(id.to_string())
                .bind(now.as_millis())
                .execute(self.db.pool())
                .await?;
        }
        let mut user = user_from(&row)?;
        user.groups = groups_of(&self.db, user.id).await?;
        Ok(Some(FoundSession::Live { id, user }))
    }

    pub async fn delete(&self, id: SessionId) -> Result<(), DbError> {
        sqlx::query("DELETE FROM sessions WHERE id = $1")
            .bind(id.to_string())
            .execute(self.db.pool())
            .await?;
        Ok(())
    }

    /// Ends every session of a user but the one to keep.
    pub async fn delete_others(
        &self,
        transaction: &mut WriteTransaction,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<(), DbError> {
        sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2")
            .bind(user.to_string())
            .bind(keep.map(|id| id.to_string()).unwrap_or_default())
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }
}
