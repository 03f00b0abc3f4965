//! The SQL database: SQLite in standalone mode, PostgreSQL in a cluster, behind sqlx's `Any` driver.
//!
//! One portable subset of SQL serves both: `$1` placeholders, text ids, times as integer milliseconds, booleans
//! as 0 and 1, JSON as text, `ON CONFLICT` and `RETURNING`. The few differences stand in this file.

mod migrate;

pub use migrate::{Migration, Migrations};

use anwen_contract::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, ConnectOptions as _, Executor as _, Transaction};
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Statements slower than this are logged.
const SLOW_STATEMENT: Duration = Duration::from_secs(1);

/// What every SQLite connection is told. Full synchronisation: an acknowledged write survives a power cut.
const SQLITE_PRAGMAS: &str = "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA cache_size = -2048; PRAGMA journal_size_limit = 67108864; \
     PRAGMA temp_store = MEMORY;";

/// Which of the two databases this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl DatabaseKind {
    /// What a claiming `SELECT` ends with, so that workers on many machines do not wait for each other. SQLite
    /// has one writer at a time and needs nothing.
    pub fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// The size and patience of the pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolSettings {
    pub max_connections: u32,
    /// How long a request waits for a free connection.
    pub acquire_timeout_ms: u64,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { max_connections: 8, acquire_timeout_ms: 10_000 }
    }
}

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("database: {0}")]
    Sqlx(#[from] sqlx::Error),
    #[error("database address: expected `sqlite:…` or `postgres://…`")]
    UnknownKind,
    #[error("migration {version} of {component} was changed after it had been applied")]
    ChangedMigration { component: String, version: i64 },
    #[error("the database is newer than this program: it has migration {version} of {component}")]
    NewerDatabase { component: String, version: i64 },
    #[error("a row holds what this program cannot read: {0}")]
    Corrupt(String),
}

impl DbError {
    /// Whether a unique constraint refused the write.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sqlx(cause) if is_unique_violation(cause))
    }
}

/// Whether a unique constraint refused the write.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(cause) => {
            // SQLite reports its extended codes 1555 (primary key) and 2067 (unique); PostgreSQL 23505.
            matches!(cause.code().as_deref(), Some("1555" | "2067" | "23505")) || cause.is_unique_violation()
        }
        _ => false,
    }
}

/// Whether the disk, not the program, is at fault (SQLite: full, read-only, input/output; PostgreSQL: disk full).
fn is_storage_failure(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(cause) => {
            let code = cause.code().unwrap_or_default();
            let sqlite = code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 8 | 10 | 13));
            code == "53100" || (code.len() < 5 && sqlite)
        }
        _ => false,
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        let code = match &error {
            DbError::Sqlx(cause) if is_storage_failure(cause) => ErrorCode::StorageUnavailable,
            DbError::Sqlx(
                sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::Tls(_),
            ) => ErrorCode::ServiceUnavailable,
            _ => return ApiError::internal(error),
        };
        ApiError::new(code, "the database does not answer; try again in a moment").because(error)
    }
}

/// A pool of connections; clones share it.
#[derive(Clone)]
pub struct Database {
    pool: AnyPool,
    kind: DatabaseKind,
    /// SQLite has one writer at a time: ours queue here in order instead of failing with "busy".
    writer: Arc<Mutex<()>>,
}

impl Database {
    /// Opens `sqlite:<path>` (made when absent) or `postgres://…`.
    pub async fn open(url: &str, settings: &PoolSettings) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let kind = match url.split(':').next() {
            Some("sqlite") => DatabaseKind::Sqlite,
            Some("postgres" | "postgresql") => DatabaseKind::Postgres,
            _ => return Err(DbError::UnknownKind),
        };
        let url = match kind {
            DatabaseKind::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&url)?
            .log_statements(log::LevelFilter::Trace)
            .log_slow_statements(log::LevelFilter::Warn, SLOW_STATEMENT);
        let pool = AnyPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if kind == DatabaseKind::Sqlite {
                        connection.execute(sqlx::raw_sql(SQLITE_PRAGMAS)).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, kind, writer: Arc::default() })
    }

    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// The pool, for reads and for single-statement writes.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// A transaction that writes.
    pub async fn begin_write(&self) -> Result<WriteTransaction, DbError> {
        match self.kind {
            DatabaseKind::Sqlite => {
                let turn = Arc::clone(&self.writer).lock_owned().await;
                let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
                Ok(WriteTransaction { transaction, _turn: Some(turn) })
            }
            DatabaseKind::Postgres => {
                Ok(WriteTransaction { transaction: self.pool.begin().await?, _turn: None })
            }
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Writes a consistent copy of a SQLite database to `path` while it is in use. On PostgreSQL backups are
    /// the cluster's own affair, and this does nothing.
    pub async fn copy_to(&self, path: &std::path::Path) -> Result<(), DbError> {
        if self.kind == DatabaseKind::Sqlite {
            sqlx::query("VACUUM INTO $1")
                .bind(path.to_string_lossy().into_owned())
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction that writes, with the writer's turn that it holds until it ends.
pub struct WriteTransaction {
    transaction: Transaction<'static, Any>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl WriteTransaction {
    pub async fn commit(self) -> Result<(), DbError> {
        self.transaction.commit().await?;
        Ok(())
    }

    pub async fn rollback(self) -> Result<(), DbError> {
        self.transaction.rollback().await?;
        Ok(())
    }
}

impl Deref for WriteTransaction {
    type Target = sqlx::AnyConnection;

    fn deref(&self) -> &sqlx::AnyConnection {
        &self.transaction
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut sqlx::AnyConnection {
        &mut self.transaction
    }
}

/// `$first, $first+1, …` for `count` values of an `IN (…)` list.
pub fn placeholders(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count).map(|number| format!("${number}")).collect();
    names.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_from_the_first() {
        assert_eq!(placeholders(3, 2), "$3, $4");
        assert_eq!(placeholders(1, 0), "");
    }

    async fn database(directory: &tempfile::TempDir) -> Database {
        let url = format!("sqlite:{}", directory.path().join("test.db").display());
        Database::open(&url, &PoolSettings::default()).await.unwrap()
    }

    #[tokio::test]
    async fn writers_take_turns_and_unique_violations_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        sqlx::query("CREATE TABLE t (id TEXT PRIMARY KEY)").execute(database.pool()).await.unwrap();
        let writers = (0..20).map(|number| {
            let database = database.clone();
            tokio::spawn(async move {
                let mut transaction = database.begin_write().await?;
                sqlx::query("INSERT INTO t (id) VALUES ($1)")
                    .bind(number.to_string())
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await
            })
        });
        for writer in futures::future::join_all(writers).await {
            writer.unwrap().unwrap();
        }
        let again = sqlx::query("INSERT INTO t (id) VALUES ($1)").bind("3").execute(database.pool()).await;
        assert!(is_unique_violation(&again.unwrap_err()));
    }

    #[tokio::test]
    async fn a_copy_holds_what_was_committed() {
        let directory = tempfile::tempdir().unwrap();
        let source = database(&directory).await;
        sqlx::query("CREATE TABLE t (id TEXT PRIMARY KEY)").execute(source.pool()).await.unwrap();
        let copy = directory.path().join("copy.db");
        source.copy_to(&copy).await.unwrap();
        let url = format!("sqlite:{}", copy.display());
        let opened = Database::open(&url, &PoolSettings::default()).await.unwrap();
        sqlx::query("SELECT id FROM t").fetch_all(opened.pool()).await.unwrap();
    }
}
