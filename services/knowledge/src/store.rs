//! What the stores share: statements whose parts are put together at run time, and reading of columns.

use anwen_contract::Timestamp;
use anwen_platform::db::{Migration, Migrations};
use anwen_platform::{Database, DbError};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, Arguments as _, AssertSqlSafe, Executor, Row as _};
use std::fmt::Display;
use std::str::FromStr;

/// A connection, within a transaction or without.
pub type Connection = sqlx::AnyConnection;

/// A connection for reading.
pub async fn reader(database: &Database) -> Result<PoolConnection<Any>, DbError> {
    Ok(database.pool().acquire().await?)
}

/// The history of knowledge's schema.
pub const MIGRATIONS: Migrations = Migrations {
    sqlite: &[
        Migration {
            version: 1,
            name: "initial",
            sql: include_str!("../../../migrations/knowledge/sqlite/0001_initial.sql"),
        },
        Migration {
            version: 2,
            name: "changes by time",
            sql: include_str!("../../../migrations/knowledge/sqlite/0002_changes_by_time.sql"),
        },
        Migration {
            version: 3,
            name: "job password",
            sql: include_str!("../../../migrations/knowledge/sqlite/0003_job_password.sql"),
        },
        Migration {
            version: 4,
            name: "child documents",
            sql: include_str!("../../../migrations/knowledge/sqlite/0004_child_documents.sql"),
        },
        Migration {
            version: 5,
            name: "chunk_profile",
            sql: include_str!("../../../migrations/knowledge/sqlite/0005_chunk_profile.sql"),
        },
        Migration {
            version: 6,
            name: "privacy and classes",
            sql: include_str!("../../../migrations/knowledge/sqlite/0006_privacy_classes.sql"),
        },
    ],
    postgres: &[
        Migration {
            version: 1,
            name: "initial",
            sql: include_str!("../../../migrations/knowledge/postgres/0001_initial.sql"),
        },
        Migration {
            version: 2,
            name: "changes by time",
            sql: include_str!("../../../migrations/knowledge/postgres/0002_changes_by_time.sql"),
        },
        Migration {
            version: 3,
            name: "job password",
            sql: include_str!("../../../migrations/knowledge/postgres/0003_job_password.sql"),
        },
        Migration {
            version: 4,
            name: "child documents",
            sql: include_str!("../../../migrations/knowledge/postgres/0004_child_documents.sql"),
        },
        Migration {
            version: 5,
            name: "chunk_profile",
            sql: include_str!("../../../migrations/knowledge/postgres/0005_chunk_profile.sql"),
        },
        Migration {
            version: 6,
            name: "privacy and classes",
            sql: include_str!("../../../migrations/knowledge/postgres/0006_privacy_classes.sql"),
        },
    ],
};

/// A statement that grows: text and values are appended side by side, so that a value can never become SQL.
pub struct Statement {
    text: String,
    arguments: AnyArguments,
    count: usize,
}

impl Statement {
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), arguments: AnyArguments::default(), count: 0 }
    }

    /// Appends SQL. Only text that stands in the program is taken.
    pub fn push(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder and its text value.
    pub fn text(self, value: impl Display) -> Self {
        self.bind(value.to_string())
    }

    /// Appends a placeholder and its value.
    pub fn bind<T>(mut self, value: T) -> Self
    where
        T: sqlx::Encode<'static, Any> + sqlx::Type<Any>,
    {
        self.count += 1;
        self.text.push_str(&format!("${}", self.count));
        // Only an argument that cannot be encoded could fail, and those that `Any` takes always can.
        if let Err(cause) = self.arguments.add(value) {
            tracing::error!(%cause, "a value could not be bound");
        }
        self
    }

    /// Appends `(…)` with a placeholder for each value; an empty list matches nothing.
    pub fn list<T: Display>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        let mut separator = "(";
        for value in values {
            self.text.push_str(separator);
            self = self.text(value);
            separator = ", ";
        }
        self.text.push_str(if separator == "(" { "(NULL)" } else { ")" });
        self
    }

    pub async fn all<'c>(self, executor: impl Executor<'c, Database = Any>) -> Result<Vec<AnyRow>, DbError> {
        Ok(sqlx::query_with(AssertSqlSafe(self.text), self.arguments).fetch_all(executor).await?)
    }

    pub async fn optional<'c>(
        self,
        executor: impl Executor<'c, Database = Any>,
    ) -> Result<Option<AnyRow>, DbError> {
        Ok(sqlx::query_with(AssertSqlSafe(self.text), self.arguments).fetch_optional(executor).await?)
    }

    pub async fn one<'c>(self, executor: impl Executor<'c, Database = Any>) -> Result<AnyRow, DbError> {
        Ok(sqlx::query_with(AssertSqlSafe(self.text), self.arguments).fetch_one(executor).await?)
    }

    /// Runs it and answers how many rows it changed.
    pub async fn run<'c>(self, executor: impl Executor<'c, Database = Any>) -> Result<u64, DbError> {
        let done = sqlx::query_with(AssertSqlSafe(self.text), self.arguments).execute(executor).await?;
        Ok(done.rows_affected())
    }
}

/// Reads a row's columns as our own types.
pub trait Columns {
    fn string(&self, column: &'static str) -> Result<String, DbError>;
    fn optional_string(&self, column: &'static str) -> Result<Option<String>, DbError>;
    fn integer(&self, column: &'static str) -> Result<i64, DbError>;
    fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, DbError>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, DbError>;

    /// A text column that holds an id, a role or another type with a text form.
    fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, DbError> {
        self.string(column)?.parse().map_err(|_| DbError::Corrupt(format!("column {column}")))
    }

    fn optional_parsed<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, DbError> {
        let text = self.optional_string(column)?;
        text.map(|text| text.parse().map_err(|_| DbError::Corrupt(format!("column {column}")))).transpose()
    }

    fn time(&self, column: &'static str) -> Result<Timestamp, DbError> {
        Ok(Timestamp(self.integer(column)?))
    }

    /// A text column that holds JSON.
    fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, DbError> {
        serde_json::from_str(&self.string(column)?)
            .map_err(|cause| DbError::Corrupt(format!("column {column}: {cause}")))
    }
}

impl Columns for AnyRow {
    fn string(&self, column: &'static str) -> Result<String, DbError> {
        Ok(self.try_get(column)?)
    }

    fn optional_string(&self, column: &'static str) -> Result<Option<String>, DbError> {
        Ok(self.try_get(column)?)
    }

    fn integer(&self, column: &'static str) -> Result<i64, DbError> {
        Ok(self.try_get(column)?)
    }

    fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, DbError> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, DbError> {
        Ok(self.try_get(column)?)
    }
}

/// JSON text for a column; what is stored here always serialises.
pub fn json_text<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
