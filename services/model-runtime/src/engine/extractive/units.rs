//! The pieces of passages that can be quoted.

use std::collections::HashSet;
use std::ops::Range;

use anwen_text::{is_list_item, is_table_row, sentences, terms};

use super::Passage;

/// Units that one request looks at; what comes after them is not read.
pub(super) const MAX_UNITS: usize = 2_000;

/// A unit longer than this is not quoted.
const UNIT_MAX_CHARS: usize = 4_000;

/// What a unit is, as far as quoting it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Sentence,
    ListItem,
    TableRow,
    /// Names what follows it; never an answer by itself.
    Heading,
    /// No sentence (a line of data, say), and nothing to quote.
    Oversized,
}

/// One quotable piece of a passage.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    /// Index into the passages.
    pub passage: usize,
    /// Bytes of the passage's text.
    pub range: Range<usize>,
    pub text: &'a str,
    pub shape: Shape,
    pub terms: HashSet<String>,
}

/// The units of all `passages`, passage by passage in reading order.
pub(super) fn units<'a>(passages: &[Passage<'a>]) -> Vec<Unit<'a>> {
    let mut units = Vec::new();
    for (index, passage) in passages.iter().enumerate() {
        for range in sentences(passage.text) {
            if units.len() == MAX_UNITS {
                return units;
            }
            let text = &passage.text[range.clone()];
            units.push(Unit {
                passage: index,
                shape: shape_of(text),
                terms: terms(text).into_iter().collect(),
                range,
                text,
            });
        }
    }
    units
}

fn shape_of(text: &str) -> Shape {
    /// A line without a mark at its end that is no longer than this is a title.
    const TITLE_MAX_CHARS: usize = 40;
    const TITLE_MAX_WORDS: usize = 6;
    if text.chars().nth(UNIT_MAX_CHARS).is_some() {
        Shape::Oversized
    } else if is_table_row(text) {
        Shape::TableRow
    } else if text.starts_with('#') {
        Shape::Heading
    } else if is_list_item(text) {
        Shape::ListItem
    } else if text.chars().next_back().is_some_and(char::is_alphanumeric)
        && text.chars().count() <= TITLE_MAX_CHARS
        && text.split_whitespace().count() <= TITLE_MAX_WORDS
        && !text.chars().any(|c| c.is_numeric() || matches!(c, '，' | ',' | '：' | ':' | '、'))
    {
        Shape::Heading
    } else {
        Shape::Sentence
    }
}
