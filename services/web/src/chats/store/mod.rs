//! Chats in SQL. Every statement names the owner: there is no way to a chat but through its user.

pub mod messages;

use crate::rows::{Columns as _, json_of};
use anwen_contract::chat::Chat;
use anwen_contract::{ApiKeyId, ChatId, Page, Timestamp, UserId};
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction};
use sqlx::any::AnyRow;

/// Whose chats a caller may see: a user's, and with a confined key only those that this key made (others may hold
/// passages from outside its bounds).
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    pub user: UserId,
    pub confined_to: Option<ApiKeyId>,
}

impl Owner {
    fn key_text(self) -> String {
        self.confined_to.map(|key| key.to_string()).unwrap_or_default()
    }
}

/// Chats.
#[derive(Clone)]
pub struct ChatStore {
    db: Database,
}

impl ChatStore {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    pub async fn create(&self, user: UserId, key: Option<ApiKeyId>, chat: &Chat) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO chats (id, user_id, title, model, knowledge_base_ids, web_search, api_key_id, archived,
                                pinned, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $8)",
        )
        .bind(chat.id.to_string())
        .bind(user.to_string())
        .bind(chat.title.as_str())
        .bind(chat.model.clone())
        .bind(json_of(&chat.knowledge_base_ids))
        .bind(i64::from(chat.web_search))
        .bind(key.map(|key| key.to_string()))
        .bind(chat.created_at.as_millis())
        .execute(self.db.pool())
        .await?;
        Ok(())
    }

    pub async fn get(&self, owner: Owner, id: ChatId) -> Result<Option<Chat>, DbError> {
        let row = sqlx::query(
            "SELECT * FROM chats WHERE id = $1 AND user_id = $2 AND ($3 = '' OR api_key_id = $3)",
        )
        .bind(id.to_string())
        .bind(owner.user.to_string())
        .bind(owner.key_text())
        .fetch_optional(self.db.pool())
        .await?;
        Ok(row.as_ref().map(chat_from).transpose()?)
    }

    /// Chats, the most recently used first. `archived` narrows to those that are, or are not.
    pub async fn list(
        &self,
        owner: Owner,
        archived: Option<bool>,
        after: Option<(i64, ChatId)>,
        limit: u32,
    ) -> Result<Page<Chat>, DbError> {
        let (updated_at, id) = after.map_or((i64::MAX, String::new()), |(at, id)| (at, id.to_string()));
        let rows = sqlx::query(
            "SELECT * FROM chats
             WHERE user_id = $1 AND ($2 = '' OR api_key_id = $2) AND ($3 < 0 OR archived = $3)
               AND (updated_at < $4 OR (updated_at = $4 AND id < $5))
             ORDER BY updated_at DESC, id DESC LIMIT $6",
        )
        .bind(owner.user.to_string())
        .bind(owner.key_text())
        .bind(archived.map_or(-1, i64::from))
        .bind(updated_at)
        .bind(id)
        .bind(i64::from(limit) + 1)
        .fetch_all(self.db.pool())
        .await?;
        let chats = rows.iter().map(chat_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(chats, limit, |chat| format!("{}_{}", chat.updated_at.as_millis(), chat.id)))
    }

    /// Writes what the owner may change of a chat that was read before.
    pub async fn update(&self, chat: &Chat) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE chats SET title = $2, model = $3, knowledge_base_ids = $4, web_search = $5, archived = $6,
                              pinned = $7 WHERE id = $1",
        )
        .bind(chat.id.to_string())
        .bind(chat.title.as_str())
        .bind(chat.model.clone())
        .bind(json_of(&chat.knowledge_base_ids))
        .bind(i64::from(chat.web_search))
        .bind(i64::from(chat.archived))
        .bind(i64::from(chat.pinned))
        .execute(self.db.pool())
        .await?;
        Ok(())
    }

    /// Removes a chat with its messages; says whether there was one.
    pub async fn delete(&self, owner: Owner, id: ChatId) -> Result<bool, DbError> {
        let result =
            sqlx::query("DELETE FROM chats WHERE id = $1 AND user_id = $2 AND ($3 = '' OR api_key_id = $3)")
                .bind(id.to_string())
                .bind(owner.user.to_string())
                .bind(owner.key_text())
                .execute(self.db.pool())
                .await?;
        Ok(result.rows_affected() > 0)
    }
}

/// Notes that a chat was used, and gives it a title if it has none.
pub async fn touch(
    transaction: &mut WriteTransaction,
    id: ChatId,
    title: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE chats SET updated_at = $2, title = CASE WHEN title = '' THEN $3 ELSE title END WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(now.as_millis())
    .bind(title)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn chat_from(row: &AnyRow) -> Result<Chat, sqlx::Error> {
    Ok(Chat {
        id: row.parsed("id")?,
        title: row.text("title")?,
        model: row.maybe_text("model")?,
        knowledge_base_ids: row.json("knowledge_base_ids")?,
        web_search: row.flag("web_search")?,
        folder_id: row.maybe_parsed("folder_id")?,
        archived: row.flag("archived")?,
        pinned: row.flag("pinned")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
