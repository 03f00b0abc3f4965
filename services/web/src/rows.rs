//! Reading columns of the portable SQL subset into our types.

use anwen_contract::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::str::FromStr;

type Column<T> = Result<T, sqlx::Error>;

fn unreadable(column: &str, cause: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: cause.to_string().into() }
}

/// Typed access to the columns of a row.
pub trait Columns {
    fn text(&self, column: &str) -> Column<String>;
    fn maybe_text(&self, column: &str) -> Column<Option<String>>;
    fn int(&self, column: &str) -> Column<i64>;
    fn maybe_int(&self, column: &str) -> Column<Option<i64>>;

    /// A flag kept as 0 or 1.
    fn flag(&self, column: &str) -> Column<bool> {
        Ok(self.int(column)? != 0)
    }

    fn time(&self, column: &str) -> Column<Timestamp> {
        Ok(Timestamp(self.int(column)?))
    }

    fn maybe_time(&self, column: &str) -> Column<Option<Timestamp>> {
        Ok(self.maybe_int(column)?.map(Timestamp))
    }

    /// An id, or anything else that reads itself from text.
    fn parsed<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Column<T> {
        self.text(column)?.parse().map_err(|cause: T::Err| unreadable(column, cause))
    }

    fn maybe_parsed<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Column<Option<T>> {
        let parse = |text: String| text.parse().map_err(|cause: T::Err| unreadable(column, cause));
        self.maybe_text(column)?.map(parse).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> Column<T> {
        serde_json::from_str(&self.text(column)?).map_err(|cause| unreadable(column, cause))
    }

    fn maybe_json<T: DeserializeOwned>(&self, column: &str) -> Column<Option<T>> {
        let parse = |text: String| serde_json::from_str(&text).map_err(|cause| unreadable(column, cause));
        self.maybe_text(column)?.map(parse).transpose()
    }

    /// A word of an enumeration, as it stands on the wire (`done`, `user`).
    fn word<T: DeserializeOwned>(&self, column: &str) -> Column<T> {
        word_to(&self.text(column)?).map_err(|cause| unreadable(column, cause))
    }

    fn maybe_word<T: DeserializeOwned>(&self, column: &str) -> Column<Option<T>> {
        let parse = |text: String| word_to(&text).map_err(|cause| unreadable(column, cause));
        self.maybe_text(column)?.map(parse).transpose()
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> Column<String> {
        self.try_get(column)
    }

    fn maybe_text(&self, column: &str) -> Column<Option<String>> {
        self.try_get(column)
    }

    fn int(&self, column: &str) -> Column<i64> {
        self.try_get(column)
    }

    fn maybe_int(&self, column: &str) -> Column<Option<i64>> {
        self.try_get(column)
    }
}

fn word_to<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
}

/// The word by which a variant of a plain enumeration is kept: the one that stands on the wire.
pub fn word_of<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// JSON text of a value that always has one.
pub fn json_of<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
