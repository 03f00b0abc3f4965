//! Tables as Markdown: each part begins with the header, and a row is in one part.
//!
//! A part is what a reader and a model see, so it is a table by itself. The block's lines point into its own text
//! (`cell | cell`), so each row knows where its cells went.

use super::{Block, ChunkKind, ChunkSettings, LineSpan, Piece, lines_within, split};
use crate::clean;
use crate::document::{CELL_SEPARATOR, table_row_text};

/// A header larger than this share of a chunk is left out of it.
const MAX_HEADER_SHARE: f32 = 0.4;
/// The first cell of a row that is cut is repeated when it is no larger than one part in so many of a chunk.
const MAX_KEY_SHARE: usize = 3;
/// Between the cells of a row.
const CELL_BORDER: &str = " | ";
/// A first row is only taken for a header that the file does not mark when its cells are at most this wide.
const MAX_HEADER_CELL_COLUMNS: usize = 30;
/// …and when so many rows stand below it.
const MIN_BODY_ROWS: usize = 2;
/// …of which this share has a digit in some column.
const MIN_VALUE_SHARE: f32 = 0.6;

/// The columns' names, to go on with in a table that continues on the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header(Vec<String>);

/// A row of a table, written as Markdown.
#[derive(Clone, Debug)]
struct Row {
    text: String,
    /// Offsets into `text`.
    lines: Vec<LineSpan>,
    /// The cells of the columns that are used.
    cells: Vec<String>,
    tokens: usize,
}

/// A table, ready to be cut.
pub(super) struct Table<'b> {
    block: &'b Block,
    header: Option<Row>,
    rows: Vec<Row>,
    columns: usize,
}

impl<'b> Table<'b> {
    /// `None` for what is no table to a reader: fewer than two columns with something in them.
    pub(super) fn of(
        block: &'b Block,
        rows: &[Vec<String>],
        header_rows: usize,
        before: Option<&Header>,
        count_tokens: &dyn Fn(&str) -> usize,
    ) -> Option<Self> {
        let used = used_columns(rows);
        if used.len() < 2 {
            return None;
        }
        let header_rows = header_rows.min(rows.len());
        let sources = source_ranges(block, rows);
        let row_of = |index: usize| {
            let lines = sources.as_ref().map_or_else(Vec::new, |sources| {
                let (start, end) = sources[index];
                lines_within(&block.lines, start, end)
            });
            Row::of(&rows[index], &used, &lines, count_tokens)
        };
        let continued = before.filter(|before| header_rows == 0 && before.0.len() == used.len());
        let (header, first) = match continued {
            Some(before) => (Some(Row::header(&before.0, Vec::new(), count_tokens)), 0),
            None if header_rows > 0 => {
                let parts: Vec<Row> = (0..header_rows).map(row_of).collect();
                (Some(merged_header(&parts, used.len(), count_tokens)), header_rows)
            }
            None if has_unmarked_header(rows, &used) => (Some(row_of(0)), 1),
            None => (None, 0),
        };
        let is_filled = |row: &Row| row.cells.iter().any(|cell| !cell.is_empty());
        let rows = (first..rows.len()).map(row_of).filter(is_filled).collect();
        Some(Self { block, header, rows, columns: used.len() })
    }

    pub(super) fn header(&self) -> Option<Header> {
        self.header.as_ref().map(|header| Header(header.cells.clone()))
    }

    /// The parts of the table: all in one when that is at most `whole_tokens` large, or else rows put together up to
    /// `part_tokens`, the header counted in.
    pub(super) fn parts(
        &self,
        whole_tokens: usize,
        part_tokens: usize,
        settings: &ChunkSettings,
        count_tokens: &dyn Fn(&str) -> usize,
    ) -> Vec<Piece> {
        let head = Head::of(self, settings.max_tokens, count_tokens);
        let all: usize = self.rows.iter().map(|row| row.tokens).sum();
        let limit = if head.tokens + all <= whole_tokens {
            whole_tokens
        } else {
            // Under a wide header there is room for rows still.
            part_tokens.max(head.tokens + part_tokens / 2)
        };
        let mut parts: Vec<Piece> = Vec::new();
        let mut open: Vec<&Row> = Vec::new();
        let mut open_tokens = 0;
        let left_out = self.header.as_ref().filter(|_| !head.has_header);
        for row in left_out.into_iter().chain(&self.rows) {
            if !open.is_empty() && head.tokens + open_tokens + row.tokens > limit {
                parts.push(self.part(&head, &open, parts.is_empty(), count_tokens));
                (open, open_tokens) = (Vec::new(), 0);
            }
            if head.tokens + row.tokens > settings.max_tokens {
                parts.extend(self.large_row(row, settings, count_tokens));
                continue;
            }
            open.push(row);
            open_tokens += row.tokens;
        }
        // A table of nothing but its header is worth showing too.
        if !open.is_empty() || parts.is_empty() {
            parts.push(self.part(&head, &open, parts.is_empty(), count_tokens));
        }
        parts
    }

    fn part(
        &self,
        head: &Head,
        rows: &[&Row],
        is_first: bool,
        count_tokens: &dyn Fn(&str) -> usize,
    ) -> Piece {
        let mut text = head.text.clone();
        // The header stands on the page once, above the first row.
        let mut lines = if is_first { head.lines.clone() } else { Vec::new() };
        for row in rows {
            text.push('\n');
            let shift = text.len();
            text.push_str(&row.text);
            lines.extend(shifted(&row.lines, shift));
        }
        let page = rows.iter().find_map(|row| row.lines.first()).map(|line| line.page).or(self.block.page);
        let tokens = count_tokens(&text);
        Piece { text, lines, page, tokens, shape: super::Shape::Table }
    }

    /// A row that is larger than a chunk: a line a cell, with the column's name, cut like text. Each part begins with
    /// the row's first cell, which says what the row is about.
    fn large_row(
        &self,
        row: &Row,
        settings: &ChunkSettings,
        count_tokens: &dyn Fn(&str) -> usize,
    ) -> Vec<Piece> {
        let mut text = String::new();
        let mut moves = Vec::with_capacity(row.cells.len());
        let mut source = "| ".len();
        for (column, cell) in row.cells.iter().enumerate() {
            let name = self.header.as_ref().map_or("", |header| header.cells[column].as_str());
            if !cell.is_empty() {
                if !text.is_empty() {
                    text.push('\n');
                }
                if !name.is_empty() {
                    text.push_str(name);
                    text.push_str(": ");
                }
                moves.push(Moved {
                    from: source,
                    length: cell.len(),
                    to: text.len(),
                    new_length: cell.len(),
                });
                text.push_str(cell);
            }
            source += cell.len() + CELL_BORDER.len();
        }
        let lines: Vec<LineSpan> = row.lines.iter().filter_map(|line| moved_line(line, &moves)).collect();
        let key = text.split_inclusive('\n').next().unwrap_or_default();
        let key_tokens = count_tokens(key);
        let is_short = key.len() < text.len() && key_tokens <= settings.max_tokens / MAX_KEY_SHARE;
        let key = if is_short { key } else { "" };
        let room = settings.max_tokens - if is_short { key_tokens } else { 0 };
        let settings = ChunkSettings {
            max_tokens: room,
            target_tokens: settings.target_tokens.min(room),
            ..settings.clone()
        };
        let ranges = split::ranges(&text[key.len()..], ChunkKind::Prose, &settings, count_tokens);
        let piece = |(at, (start, end)): (usize, (usize, usize))| {
            let (start, end) = (start + key.len(), end + key.len());
            let key_lines = if at == 0 { lines_within(&lines, 0, key.len()) } else { Vec::new() };
            let own = lines_within(&lines, start, end);
            let page = own.first().map(|line| line.page).or(self.block.page);
            let text = format!("{key}{}", &text[start..end]);
            let lines = key_lines.into_iter().chain(shifted(&own, key.len())).collect();
            let tokens = count_tokens(&text);
            Piece { text, lines, page, tokens, shape: super::Shape::Text }
        };
        ranges.into_iter().enumerate().map(piece).collect()
    }
}

/// What every part begins with: the header and the rule that makes it one.
struct Head {
    text: String,
    lines: Vec<LineSpan>,
    tokens: usize,
    /// The columns' names are in it; a header that is too large is a row like others.
    has_header: bool,
}

impl Head {
    fn of(table: &Table<'_>, chunk_tokens: usize, count_tokens: &dyn Fn(&str) -> usize) -> Self {
        let max_tokens = (chunk_tokens as f32 * MAX_HEADER_SHARE) as usize;
        let header = table.header.as_ref().filter(|header| header.tokens <= max_tokens.max(1));
        let (text, lines) = match header {
            Some(header) => (header.text.clone(), header.lines.clone()),
            None => (markdown_row(&vec![String::new(); table.columns]), Vec::new()),
        };
        let text = format!("{text}\n|{}", "---|".repeat(table.columns));
        let tokens = count_tokens(&text);
        Self { text, lines, tokens, has_header: header.is_some() }
    }
}

impl Row {
    fn of(
        cells: &[String],
        used: &[usize],
        lines: &[LineSpan],
        count_tokens: &dyn Fn(&str) -> usize,
    ) -> Self {
        let plain: Vec<String> = cells.iter().map(|cell| one_line(cell)).collect();
        let written: Vec<String> = used
            .iter()
            .map(|&column| plain.get(column).map_or(String::new(), |cell| escaped(cell)))
            .collect();
        let mut moves = Vec::with_capacity(used.len());
        let mut to = "| ".len();
        let starts = cell_starts(&plain);
        for (&column, cell) in used.iter().zip(&written) {
            if let (Some(&from), Some(plain)) = (starts.get(column), plain.get(column)) {
                moves.push(Moved { from, length: plain.len(), to, new_length: cell.len() });
            }
            to += cell.len() + CELL_BORDER.len();
        }
        let text = markdown_row(&written);
        let lines = lines.iter().filter_map(|line| moved_line(line, &moves)).map(|line| within(line, &text));
        Self { lines: lines.collect(), tokens: count_tokens(&text), text, cells: written }
    }

    fn header(cells: &[String], lines: Vec<LineSpan>, count_tokens: &dyn Fn(&str) -> usize) -> Self {
        let text = markdown_row(cells);
        let lines = lines.into_iter().map(|line| LineSpan { start: 0, end: text.len(), ..line }).collect();
        Self { lines, tokens: count_tokens(&text), text, cells: cells.to_vec() }
    }
}

/// Several header rows as one: what a column is called from top to bottom, each name once.
fn merged_header(parts: &[Row], columns: usize, count_tokens: &dyn Fn(&str) -> usize) -> Row {
    if let [only] = parts {
        return only.clone();
    }
    let name_of = |column: usize| {
        let mut names: Vec<&str> = Vec::with_capacity(parts.len());
        for part in parts {
            let name = part.cells[column].as_str();
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" ")
    };
    let cells: Vec<String> = (0..columns).map(name_of).collect();
    let lines = parts.iter().flat_map(|part| part.lines.iter().copied()).collect();
    Row::header(&cells, lines, count_tokens)
}

/// A stretch of text that has another place in a text made from it.
struct Moved {
    from: usize,
    length: usize,
    to: usize,
    /// Longer than `length` where pipes were escaped.
    new_length: usize,
}

/// The line at its new place; `None` when nothing of it was moved.
fn moved_line(line: &LineSpan, moves: &[Moved]) -> Option<LineSpan> {
    let touched = || moves.iter().filter(|m| m.from < line.end && m.from + m.length > line.start);
    let first = touched().next()?;
    let last = touched().next_back()?;
    let start = first.to + line.start.max(first.from) - first.from;
    let end = if line.end >= last.from + last.length {
        last.to + last.new_length
    } else {
        last.to + line.end - last.from
    };
    Some(LineSpan { start, end, ..*line })
}

/// An escaped pipe shifts what follows it by a byte: offsets are put back onto the text.
fn within(line: LineSpan, text: &str) -> LineSpan {
    let end = text.ceil_char_boundary(line.end.min(text.len()));
    LineSpan { start: text.floor_char_boundary(line.start.min(end)), end, ..line }
}

fn shifted(lines: &[LineSpan], by: usize) -> impl Iterator<Item = LineSpan> {
    lines.iter().map(move |line| LineSpan { start: line.start + by, end: line.end + by, ..*line })
}

fn markdown_row(cells: &[String]) -> String {
    format!("| {} |", cells.join(CELL_BORDER))
}

fn one_line(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|")
}

/// Where each cell begins in [`table_row_text`] of the row.
fn cell_starts(cells: &[String]) -> Vec<usize> {
    let mut at = 0;
    cells
        .iter()
        .map(|cell| {
            let start = at;
            at += cell.len() + CELL_SEPARATOR.len();
            start
        })
        .collect()
}

/// The columns that have something in some row.
fn used_columns(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let is_used =
        |column: &usize| rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.trim().is_empty()));
    (0..columns).filter(is_used).collect()
}

/// Byte ranges of the rows in the block's text; `None` when the text is not that of the rows.
fn source_ranges(block: &Block, rows: &[Vec<String>]) -> Option<Vec<(usize, usize)>> {
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

/// Whether the first row names the columns of a table whose file does not say so: short different names without
/// digits, above rows of which most have a digit in some column. Tables of two columns are left alone: what is a form
/// (name and value) looks the same.
fn has_unmarked_header(rows: &[Vec<String>], used: &[usize]) -> bool {
    let Some((first, body)) = rows.split_first() else { return false };
    if used.len() < 3 || body.len() < MIN_BODY_ROWS {
        return false;
    }
    let has_digit = |cell: &String| cell.chars().any(char::is_numeric);
    let names: Vec<&String> = used.iter().filter_map(|&column| first.get(column)).collect();
    let are_names = names.len() == used.len()
        && names.iter().all(|name| {
            !name.trim().is_empty() && !has_digit(name) && clean::columns(name) <= MAX_HEADER_CELL_COLUMNS
        })
        && names.iter().enumerate().all(|(at, name)| !names[..at].contains(name));
    let has_values = |column: usize| {
        let values = body.iter().filter(|row| row.get(column).is_some_and(has_digit)).count();
        values as f32 >= body.len() as f32 * MIN_VALUE_SHARE
    };
    are_names && used.iter().any(|&column| has_values(column))
}
