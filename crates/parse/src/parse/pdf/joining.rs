//! Blocks that run on in the next column or on the next page, put together.

use super::notes;
use super::paragraphs::{self, Draft};
use crate::clean::{self, Vocabulary};
use crate::document::{BlockKind, LineSpan};
use crate::parse::ordinals;

/// A table goes on where the page begins: above this share of its height, and ends below that share of the page before.
const TABLE_TOP_SHARE: f32 = 0.3;
const TABLE_BOTTOM_SHARE: f32 = 0.55;
/// Columns of a table that goes on stand at the same places, up to so many points.
const SAME_COLUMN: f32 = 10.0;
/// Footnotes, captions and tables that may stand between the parts of a paragraph.
const MAX_BETWEEN: usize = 12;

/// Joins paragraphs over columns and pages, and tables over pages.
pub(super) fn join(drafts: Vec<Draft>, vocabulary: &Vocabulary) -> Vec<Draft> {
    let mut joined: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let from = joined.len().saturating_sub(MAX_BETWEEN);
        let open = (from..joined.len()).rev().find(|&index| !stands_between(&joined[index]));
        let table = (from..joined.len())
            .rev()
            .find(|&index| joined[index].block.kind != BlockKind::Footnote)
            .filter(|&index| table_continues(&joined[index], &draft));
        let note = joined.len().checked_sub(1).filter(|&last| note_continues(&joined[last], &draft));
        if let Some(index) = note {
            paragraphs::absorb(&mut joined[index], draft, vocabulary);
        } else if let Some(index) = table {
            absorb_table(&mut joined[index], draft);
        } else if let Some(index) = open
            && joined[index].group != draft.group
            && continues(&joined[index], &draft)
        {
            paragraphs::absorb(&mut joined[index], draft, vocabulary);
        } else {
            joined.push(draft);
        }
    }
    joined
}

/// Whether a footnote is the rest of the one above it.
fn note_continues(last: &Draft, next: &Draft) -> bool {
    last.block.kind == BlockKind::Footnote
        && next.block.kind == BlockKind::Footnote
        && last.group == next.group
        && !notes::has_mark(&next.block.text)
}

fn stands_between(draft: &Draft) -> bool {
    matches!(draft.block.kind, BlockKind::Footnote | BlockKind::Figure | BlockKind::Table { .. })
}

/// Whether a paragraph runs on in the next column or on the next page.
fn continues(last: &Draft, next: &Draft) -> bool {
    let running = matches!(last.block.kind, BlockKind::Paragraph | BlockKind::ListItem { .. })
        && next.block.kind == BlockKind::Paragraph;
    let next_page =
        last.block.lines.last().zip(next.block.lines.first()).is_some_and(|(a, b)| b.page <= a.page + 1);
    let begins_inside = next
        .block
        .text
        .chars()
        .next()
        .is_some_and(|first| first.is_lowercase() || clean::is_wide(first) || matches!(first, ',' | ')'));
    let hyphenated = last.block.text.ends_with('-');
    running
        && next_page
        && paragraphs::same_size(last.size, next.size)
        && last.bold == next.bold
        && last.ends_full
        && (!next.begins_indented || hyphenated)
        && begins_inside
        && !paragraphs::ends_sentence(&last.block.text)
        && ordinals::chapter_level(&next.block.text).is_none()
        && !paragraphs::is_article(&next.block.text)
}

/// Whether a table goes on at the top of the next page: the same columns at the same places.
fn table_continues(last: &Draft, next: &Draft) -> bool {
    let (BlockKind::Table { rows: above, .. }, BlockKind::Table { rows: below, .. }) =
        (&last.block.kind, &next.block.kind)
    else {
        return false;
    };
    let (Some(end), Some(begin)) = (last.block.lines.last(), next.block.lines.first()) else { return false };
    let columns = |rows: &Vec<Vec<String>>| rows.iter().map(Vec::len).max().unwrap_or(0);
    let same_places = last.xs.len() == next.xs.len()
        && last.xs.iter().zip(&next.xs).all(|(a, b)| (a - b).abs() <= SAME_COLUMN);
    begin.page == end.page + 1
        && end.y1 >= last.page_size.height * TABLE_BOTTOM_SHARE
        && begin.y0 <= next.page_size.height * TABLE_TOP_SHARE
        && columns(above) == columns(below)
        && same_places
}

/// Appends the rows of a table that goes on; its header, when it is repeated, is left out.
fn absorb_table(last: &mut Draft, next: Draft) {
    let (BlockKind::Table { rows, header_rows }, BlockKind::Table { rows: more, .. }) =
        (&mut last.block.kind, next.block.kind)
    else {
        return;
    };
    let header = (*header_rows).max(1).min(rows.len());
    let repeated = if more.len() >= header && more[..header] == rows[..header] { header } else { 0 };
    let cut = match repeated {
        0 => 0,
        count => {
            next.block.text.match_indices('\n').nth(count - 1).map_or(next.block.text.len(), |(at, _)| at + 1)
        }
    };
    rows.extend(more.into_iter().skip(repeated));
    last.block.text.push('\n');
    let shift = last.block.text.len();
    last.block.text.push_str(&next.block.text[cut..]);
    last.block.lines.extend(next.block.lines.iter().filter(|line| line.start >= cut).map(|line| LineSpan {
        start: line.start - cut + shift,
        end: line.end - cut + shift,
        ..*line
    }));
    if cut == next.block.text.len() {
        last.block.text.pop();
    }
    last.line_count += next.line_count;
    last.group = next.group;
    last.page_size = next.page_size;
}
