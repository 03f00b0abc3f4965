//! Lists are paged by an opaque cursor.

use serde::{Deserialize, Serialize};

/// Items a page holds when the caller does not say.
pub const DEFAULT_PAGE_LIMIT: u32 = 50;
/// The most items that a page holds.
pub const MAX_PAGE_LIMIT: u32 = 200;

/// One page of a list, with the cursor of the next page (`null` on the last).
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// Cuts a result that was read with `limit + 1` rows down to a page, and takes the cursor from the last
    /// item that stays.
    pub fn cut(mut items: Vec<T>, limit: u32, cursor_of: impl Fn(&T) -> String) -> Self {
        let limit = limit as usize;
        let next_cursor = (items.len() > limit).then(|| {
            items.truncate(limit);
            items.last().map(&cursor_of).unwrap_or_default()
        });
        Self { items, next_cursor }
    }
}

/// The paging part of a query string.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// The limit to apply, always within its bounds.
    pub fn bounded_limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_PAGE_LIMIT).clamp(1, MAX_PAGE_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_given_only_when_more_follows() {
        let page = Page::cut(vec![1, 2, 3], 2, |item| item.to_string());
        assert_eq!((page.items, page.next_cursor), (vec![1, 2], Some("2".to_owned())));
        let page = Page::cut(vec![1, 2], 2, |item| item.to_string());
        assert_eq!((page.items, page.next_cursor), (vec![1, 2], None));
    }
}
