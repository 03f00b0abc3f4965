//! Which knowledge base a user's samples went to.

use crate::rows::Columns as _;
use anwen_contract::{KnowledgeBaseId, UserId};
use anwen_platform::Database;
use anwen_platform::db::DbError;

/// Sample libraries by user.
#[derive(Clone)]
pub struct SampleStore {
    db: Database,
}

impl SampleStore {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    pub async fn of(&self, user: UserId) -> Result<Option<KnowledgeBaseId>, DbError> {
        let row = sqlx::query("SELECT knowledge_base_id FROM sample_libraries WHERE user_id = $1")
            .bind(user.to_string())
            .fetch_optional(self.db.pool())
            .await?;
        Ok(row.map(|row| row.parsed("knowledge_base_id")).transpose()?)
    }

    pub async fn set(&self, user: UserId, base: KnowledgeBaseId) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO sample_libraries (user_id, knowledge_base_id) VALUES ($1, $2)
             ON CONFLICT (user_id) DO UPDATE SET knowledge_base_id = excluded.knowledge_base_id",
        )
        .bind(user.to_string())
        .bind(base.to_string())
        .execute(self.db.pool())
        .await?;
        Ok(())
    }
}
