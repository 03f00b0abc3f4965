//! Settings in SQL: one row of JSON for each section.

use super::{ANSWERING, Answering};
use crate::rows::{Columns as _, json_of};
use anwen_contract::Timestamp;
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reading settings.
#[derive(Clone)]
pub struct SettingsStore {
    db: Database,
}

impl SettingsStore {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// The section `answering`; its defaults when it was never set.
    pub async fn answering(&self) -> Result<Answering, DbError> {
        self.section(ANSWERING).await
    }

    /// A section; its defaults when it was never set.
    pub async fn section<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, DbError> {
        let row = sqlx::query("SELECT value FROM web_settings WHERE section = $1")
            .bind(name)
            .fetch_optional(self.db.pool())
            .await?;
        Ok(row.map(|row| row.json("value")).transpose()?.unwrap_or_default())
    }
}

/// Writes a section.
pub async fn set<T: Serialize>(
    transaction: &mut WriteTransaction,
    section: &str,
    value: &T,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO web_settings (section, value, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (section) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )
    .bind(section)
    .bind(json_of(value))
    .bind(Timestamp::now().as_millis())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
