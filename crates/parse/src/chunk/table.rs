//! Cuts tables between rows; each part repeats the header.

use super::{Block, ChunkKind, ChunkSettings, Piece, lines_within, split};
use crate::document::{LineSpan, table_row_text};

/// A header larger than this share of a chunk is not repeated.
const MAX_HEADER_SHARE: f32 = 0.4;

/// The parts of a table that is larger than a chunk.
pub(super) fn split(
    block: &Block,
    rows: &[Vec<String>],
    header_rows: usize,
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<Piece> {
    let Some(ranges) = row_ranges(block, rows) else {
        return split_as_text(block, settings, count_tokens);
    };
    let header = Header::of(block, &ranges, header_rows.min(ranges.len()), settings, count_tokens);
    let mut parts = Vec::new();
    let mut open = Part::default();
    for (index, &(start, end)) in ranges.iter().enumerate() {
        if index < header.rows || start == end {
            continue;
        }
        let tokens = count_tokens(&block.text[start..end]);
        if !open.ranges.is_empty() && open.tokens + header.tokens + tokens > settings.target_tokens {
            parts.push(open.finish(block, &header, count_tokens));
            open = Part::default();
        }
        if header.tokens + tokens > settings.max_tokens {
            parts.extend(large_row(block, (start, end), settings, count_tokens));
            continue;
        }
        open.ranges.push((start, end));
        open.tokens += tokens;
    }
    if !open.ranges.is_empty() {
        parts.push(open.finish(block, &header, count_tokens));
    }
    parts
}

/// Byte ranges of the rows in the block's text; `None` when the text is not that of the rows.
fn row_ranges(block: &Block, rows: &[Vec<String>]) -> Option<Vec<(usize, usize)>> {
    let mut ranges = Vec::with_capacity(rows.len());
    let mut start = 0;
    for row in rows {
        let text = table_row_text(row);
        let end = start + text.len();
        if block.text.get(start..end)? != text {
            return None;
        }
        ranges.push((start, end));
        start = end + 1;
    }
    Some(ranges)
}

/// The rows that every part begins with.
struct Header {
    rows: usize,
    ranges: Vec<(usize, usize)>,
    tokens: usize,
}

impl Header {
    fn of(
        block: &Block,
        ranges: &[(usize, usize)],
        rows: usize,
        settings: &ChunkSettings,
        count_tokens: &dyn Fn(&str) -> usize,
    ) -> Self {
        let ranges: Vec<(usize, usize)> =
            ranges[..rows].iter().copied().filter(|(start, end)| start < end).collect();
        let tokens = ranges.iter().map(|&(start, end)| count_tokens(&block.text[start..end])).sum();
        if tokens as f32 > settings.target_tokens as f32 * MAX_HEADER_SHARE {
            return Self { rows: 0, ranges: Vec::new(), tokens: 0 };
        }
        Self { rows, ranges, tokens }
    }
}

#[derive(Default)]
struct Part {
    ranges: Vec<(usize, usize)>,
    tokens: usize,
}

impl Part {
    fn finish(&self, block: &Block, header: &Header, count_tokens: &dyn Fn(&str) -> usize) -> Piece {
        let mut text = String::new();
        let mut lines: Vec<LineSpan> = Vec::new();
        for &(start, end) in header.ranges.iter().chain(&self.ranges) {
            if !text.is_empty() {
                text.push('\n');
            }
            let shift = text.len();
            text.push_str(&block.text[start..end]);
            let own = lines_within(&block.lines, start, end);
            lines.extend(own.into_iter().map(|line| LineSpan {
                start: line.start + shift,
                end: line.end + shift,
                ..line
            }));
        }
        // The page is that of the first row, not of the header that is repeated.
        let page = self
            .ranges
            .first()
            .and_then(|&(start, end)| lines_within(&block.lines, start, end).first().map(|line| line.page))
            .or(block.page);
        // The header's own lines are marked in the first part only, where they stand.
        if let Some(page) = page {
            lines.retain(|line| line.page >= page);
        }
        let tokens = count_tokens(&text);
        Piece { text, lines, page, tokens }
    }
}

/// A row that is larger than a chunk is text.
fn large_row(
    block: &Block,
    (start, end): (usize, usize),
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<Piece> {
    let row = Block {
        text: block.text[start..end].to_owned(),
        lines: lines_within(&block.lines, start, end),
        ..Block::new(block.kind.clone(), "", block.page)
    };
    split_as_text(&row, settings, count_tokens)
}

fn split_as_text(
    block: &Block,
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<Piece> {
    let ranges = split::ranges(&block.text, ChunkKind::Prose, settings, count_tokens);
    let piece = |(start, end): (usize, usize)| {
        let text = block.text[start..end].to_owned();
        let lines = lines_within(&block.lines, start, end);
        let page = lines.first().map(|line| line.page).or(block.page);
        let tokens = count_tokens(&text);
        Piece { text, lines, page, tokens }
    };
    ranges.into_iter().map(piece).collect()
}
