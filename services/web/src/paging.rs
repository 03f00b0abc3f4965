//! Cursors of our own lists.

use anwen_contract::{ApiError, ErrorCode, PageQuery};
use std::str::FromStr;

/// The id after which a list in order of making goes on.
pub fn after_id<T: FromStr>(page: &PageQuery) -> Result<Option<T>, ApiError> {
    page.cursor.as_deref().map(|cursor| cursor.parse().map_err(|_| invalid())).transpose()
}

/// The pair of a time (or number) and an id after which a list goes on: `<number>_<id>`.
pub fn after_pair<T: FromStr>(page: &PageQuery) -> Result<Option<(i64, T)>, ApiError> {
    let Some(cursor) = &page.cursor else { return Ok(None) };
    let parse = || {
        let (number, id) = cursor.split_once('_')?;
        Some((number.parse().ok()?, id.parse().ok()?))
    };
    parse().map(Some).ok_or_else(invalid)
}

fn invalid() -> ApiError {
    ApiError::new(ErrorCode::InvalidCursor, "the cursor is not one that this list gave")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::ChatId;

    fn query(cursor: &str) -> PageQuery {
        PageQuery { cursor: Some(cursor.to_owned()), limit: None }
    }

    #[test]
    fn a_cursor_reads_back_and_nonsense_is_refused() {
        let id = ChatId::new();
        assert_eq!(after_id::<ChatId>(&query(&id.to_string())).ok(), Some(Some(id)));
        assert_eq!(after_pair::<ChatId>(&query(&format!("17_{id}"))).ok(), Some(Some((17, id))));
        assert_eq!(after_pair::<ChatId>(&PageQuery::default()).ok(), Some(None));
        for cursor in ["", "x", "17", "17_", "_", &format!("x_{id}")] {
            assert!(after_pair::<ChatId>(&query(cursor)).is_err(), "{cursor}");
        }
    }
}
