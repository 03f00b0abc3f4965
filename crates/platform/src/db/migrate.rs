//! Embedded migrations, each applied once, in order, in a transaction of its own.

use super::{Database, DatabaseKind, DbError};
use anwen_contract::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::Row as _;
use std::collections::BTreeMap;

/// Held by a PostgreSQL session while it migrates, so that two programs that start together do not collide.
const POSTGRES_LOCK_ID: i64 = 0x616e_7765_6e01;

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS anwen_migrations (
    component TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL, PRIMARY KEY (component, version))";

/// One step of a schema's history.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Counts from 1, without gaps.
    pub version: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

/// A component's schema history for each database.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    pub sqlite: &'static [Migration],
    pub postgres: &'static [Migration],
}

impl Migrations {
    fn of(&self, kind: DatabaseKind) -> &'static [Migration] {
        match kind {
            DatabaseKind::Sqlite => self.sqlite,
            DatabaseKind::Postgres => self.postgres,
        }
    }
}

impl Database {
    /// The versions of `component` that are still to be applied. An applied migration that has changed since, or
    /// one that this program does not know, is an error.
    pub async fn pending_migrations(
        &self,
        component: &str,
        migrations: &Migrations,
    ) -> Result<Vec<i64>, DbError> {
        sqlx::query(CREATE_TABLE).execute(self.pool()).await?;
        let rows = sqlx::query("SELECT version, checksum FROM anwen_migrations WHERE component = $1")
            .bind(component.to_owned())
            .fetch_all(self.pool())
            .await?;
        let mut applied = BTreeMap::new();
        for row in rows {
            applied.insert(row.try_get::<i64, _>("version")?, row.try_get::<String, _>("checksum")?);
        }
        let mut pending = Vec::new();
        for migration in migrations.of(self.kind()) {
            match applied.remove(&migration.version) {
                None => pending.push(migration.version),
                Some(checksum) if checksum == checksum_of(migration) => {}
                Some(_) => {
                    let component = component.to_owned();
                    return Err(DbError::ChangedMigration { component, version: migration.version });
                }
            }
        }
        match applied.into_keys().next() {
            Some(version) => Err(DbError::NewerDatabase { component: component.to_owned(), version }),
            None => Ok(pending),
        }
    }

    /// Applies what is pending, and says which versions that were.
    pub async fn migrate(&self, component: &str, migrations: &Migrations) -> Result<Vec<i64>, DbError> {
        let mut done = Vec::new();
        for migration in migrations.of(self.kind()) {
            let mut transaction = self.begin_write().await?;
            if self.kind() == DatabaseKind::Postgres {
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(POSTGRES_LOCK_ID)
                    .execute(&mut *transaction)
                    .await?;
            }
            sqlx::query(CREATE_TABLE).execute(&mut *transaction).await?;
            let inserted = sqlx::query(
                "INSERT INTO anwen_migrations (component, version, name, checksum, applied_at)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(component.to_owned())
            .bind(migration.version)
            .bind(migration.name)
            .bind(checksum_of(migration))
            .bind(Timestamp::now().as_millis())
            .execute(&mut *transaction)
            .await?;
            if inserted.rows_affected() > 0 {
                sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
                done.push(migration.version);
            }
            transaction.commit().await?;
        }
        self.pending_migrations(component, migrations).await?;
        Ok(done)
    }
}

fn checksum_of(migration: &Migration) -> String {
    hex::encode(Sha256::digest(migration.sql.as_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::db::PoolSettings;

    const FIRST: Migration =
        Migration { version: 1, name: "first", sql: "CREATE TABLE a (id TEXT); CREATE TABLE b (id TEXT);" };
    const SECOND: Migration =
        Migration { version: 2, name: "second", sql: "INSERT INTO b (id) VALUES ('x')" };
    const CHANGED: Migration = Migration { version: 1, name: "first", sql: "CREATE TABLE c (id TEXT)" };

    fn history(steps: &'static [Migration]) -> Migrations {
        Migrations { sqlite: steps, postgres: steps }
    }

    #[tokio::test]
    async fn each_migration_is_applied_once_and_a_changed_or_unknown_one_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("test.db").display());
        let database = Database::open(&url, &PoolSettings::default()).await.unwrap();
        assert_eq!(database.migrate("x", &history(&[FIRST])).await.unwrap(), [1]);
        assert_eq!(database.pending_migrations("x", &history(&[FIRST, SECOND])).await.unwrap(), [2]);
        assert_eq!(database.migrate("x", &history(&[FIRST, SECOND])).await.unwrap(), [2]);
        assert!(database.migrate("x", &history(&[FIRST, SECOND])).await.unwrap().is_empty());
        let newer = database.migrate("x", &history(&[FIRST])).await.unwrap_err();
        assert!(matches!(newer, DbError::NewerDatabase { version: 2, .. }), "{newer}");
        let changed = database.migrate("x", &history(&[CHANGED, SECOND])).await.unwrap_err();
        assert!(matches!(changed, DbError::ChangedMigration { version: 1, .. }), "{changed}");
    }
}
