//! Cursors: the id (or number) of the last item of the page before.

use anwen_contract::{ApiError, ErrorCode, PageQuery};
use std::str::FromStr;

/// The cursor as what this list gives out.
///
/// # Errors
/// `invalid_cursor` when it is something else.
pub fn cursor_id<T: FromStr>(page: &PageQuery) -> Result<Option<T>, ApiError> {
    let parse = |text: &String| {
        text.parse()
            .map_err(|_| ApiError::new(ErrorCode::InvalidCursor, "cursor: not one that this list gave"))
    };
    page.cursor.as_ref().map(parse).transpose()
}
