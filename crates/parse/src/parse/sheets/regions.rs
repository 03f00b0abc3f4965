//! Where tables begin and end in a sheet, which rows head them, and which lines are no table at all.

use super::CellKind;
use crate::document::{Block, BlockKind};

/// Header rows that are guessed at most.
const MAX_HEADER_ROWS: usize = 4;
/// A column by itself with longer text is running text.
const MAX_LIST_CELL_CHARACTERS: usize = 60;
/// A column by itself with fewer cells is lines of text.
const MIN_LIST_CELLS: usize = 4;
/// Rows that are looked at to learn what a table holds.
const SAMPLE_ROWS: usize = 20;
/// Tables side by side have at least so many columns and rows each.
const MIN_SIDE: usize = 2;

/// A cell with what it spans.
#[derive(Clone, Debug)]
pub(super) struct RegionCell {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) text: String,
    pub(super) kind: CellKind,
    pub(super) columns: u32,
    /// It stands in the next row too.
    pub(super) spans_down: bool,
}

impl RegionCell {
    fn last_column(&self) -> u32 {
        self.column.saturating_add(self.columns - 1)
    }
}

/// Cells that belong together, sorted by row and column; never empty.
pub(super) struct Region {
    pub(super) cells: Vec<RegionCell>,
    /// As the file says.
    pub(super) header_rows: Option<usize>,
}

impl Region {
    pub(super) fn top(&self) -> u32 {
        self.cells.first().map_or(0, |cell| cell.row)
    }

    pub(super) fn left(&self) -> u32 {
        self.cells.iter().map(|cell| cell.column).min().unwrap_or(0)
    }
}

/// Splits cells at empty rows, and at empty columns where that leaves tables on both sides.
pub(super) fn split(cells: Vec<RegionCell>) -> Vec<Region> {
    let mut bands: Vec<Vec<RegionCell>> = Vec::new();
    for cell in cells {
        match bands.last_mut() {
            Some(band) if band.last().is_some_and(|last| cell.row <= last.row + 1) => band.push(cell),
            _ => bands.push(vec![cell]),
        }
    }
    let mut joined: Vec<Vec<RegionCell>> = Vec::new();
    for band in bands {
        match joined.last_mut() {
            Some(before) if continues(before, &band) => before.extend(band),
            _ => joined.push(band),
        }
    }
    joined.into_iter().flat_map(side_by_side).collect()
}

fn rows_of(cells: &[RegionCell]) -> impl Iterator<Item = &[RegionCell]> {
    cells.chunk_by(|one, other| one.row == other.row)
}

/// Whether a table goes on below one empty row: the same columns hold the same kinds, numbers among them.
fn continues(before: &[RegionCell], band: &[RegionCell]) -> bool {
    let (Some(last), Some(first)) = (rows_of(before).last(), rows_of(band).next()) else { return false };
    let gap = first[0].row - last[0].row;
    let alike = last.len() >= 2
        && last.len() == first.len()
        && last.iter().zip(first).all(|(a, b)| a.column == b.column && a.kind == b.kind);
    gap == 2 && alike && first.iter().any(|cell| cell.kind != CellKind::Text)
}

/// Tables that stand beside each other, if these are.
fn side_by_side(band: Vec<RegionCell>) -> Vec<Region> {
    let whole = |cells| vec![Region { cells, header_rows: None }];
    let mut ends: Vec<(u32, u32)> = band.iter().map(|cell| (cell.column, cell.last_column())).collect();
    ends.sort_unstable();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (first, last) in ends {
        match runs.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => runs.push((first, last)),
        }
    }
    if runs.len() < 2 {
        return whole(band);
    }
    let run_of = |cell: &RegionCell| runs.partition_point(|&(first, _)| first <= cell.column) - 1;
    let mut parts: Vec<Vec<RegionCell>> = vec![Vec::new(); runs.len()];
    for cell in &band {
        parts[run_of(cell)].push(cell.clone());
    }
    if parts.iter().all(|part| stands_alone(part)) {
        parts.into_iter().map(|cells| Region { cells, header_rows: None }).collect()
    } else {
        whole(band)
    }
}

/// Whether cells beside others make a table of their own: rows and columns, and a first row that heads all columns.
fn stands_alone(cells: &[RegionCell]) -> bool {
    let Some(first) = rows_of(cells).find(|row| row.len() >= MIN_SIDE) else { return false };
    let columns = columns_of(cells).len();
    columns >= MIN_SIDE
        && rows_of(cells).count() > MIN_SIDE
        && first.len() == columns
        && first.iter().all(|cell| cell.kind == CellKind::Text)
}

/// The columns that hold anything, sorted.
fn columns_of(cells: &[RegionCell]) -> Vec<u32> {
    let mut columns: Vec<u32> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for cell in cells {
        if seen.insert(cell.column) {
            columns.push(cell.column);
        }
    }
    columns.sort_unstable();
    columns
}

/// Blocks of one region: lines above it, the table, lines below it. `header_end` is the row up to which the file says
/// that headers stand.
pub(super) fn push_blocks(
    region: Region,
    header_end: Option<u32>,
    page: Option<u32>,
    blocks: &mut Vec<Block>,
) {
    let Region { mut cells, header_rows } = region;
    let mut paragraph = |cell: &RegionCell| {
        blocks.push(Block::new(BlockKind::Paragraph, cell.text.clone(), page));
    };
    if header_rows.is_none() {
        let columns = columns_of(&cells).len();
        if columns == 1 && is_lines(&cells) {
            cells.iter().for_each(paragraph);
            return;
        }
        if columns > 1 {
            let lines =
                rows_of(&cells).take_while(|row| row.len() == 1 && !is_alone_in_key_column(row)).count();
            for cell in cells.drain(..lines) {
                paragraph(&cell);
            }
        }
    }
    let mut below = Vec::new();
    if header_rows.is_none() && columns_of(&cells).len() > 1 {
        let notes =
            rows_of(&cells).collect::<Vec<_>>().into_iter().rev().take_while(|row| is_note(row)).count();
        below = cells.split_off(cells.len() - notes);
    }
    if !cells.is_empty() {
        blocks.push(table(&mut cells, header_rows, header_end, page));
    }
    for cell in below {
        blocks.push(Block::new(BlockKind::Paragraph, cell.text, page));
    }
}

/// A single column of few or long texts.
fn is_lines(cells: &[RegionCell]) -> bool {
    cells.len() < MIN_LIST_CELLS
        || cells.iter().any(|cell| cell.text.chars().count() > MAX_LIST_CELL_CHARACTERS)
}

/// A number by itself above a table is no title.
fn is_alone_in_key_column(row: &[RegionCell]) -> bool {
    row.first().is_some_and(|cell| cell.kind != CellKind::Text)
}

/// A row below a table that is a remark: one cell, and a long text or one over several columns.
fn is_note(row: &[RegionCell]) -> bool {
    let [cell] = row else { return false };
    let is_long = cell.text.chars().count() > MAX_LIST_CELL_CHARACTERS;
    cell.kind == CellKind::Text && (is_long || cell.columns > 2)
}

fn table(
    cells: &mut [RegionCell],
    header_rows: Option<usize>,
    header_end: Option<u32>,
    page: Option<u32>,
) -> Block {
    let columns = columns_of(cells);
    let place = |column: u32| columns.partition_point(|&own| own < column);
    let header_rows = {
        let rows: Vec<&[RegionCell]> = rows_of(cells).collect();
        let said = header_rows.or_else(|| {
            let end = header_end?;
            let count = rows.iter().take_while(|row| row[0].row < end).count();
            (1..=MAX_HEADER_ROWS).contains(&count).then_some(count)
        });
        said.unwrap_or_else(|| guess_header_rows(&rows, columns.len())).min(rows.len().saturating_sub(1))
    };
    let mut rows = Vec::new();
    for (index, row) in cells.chunk_by_mut(|one, other| one.row == other.row).enumerate() {
        let mut out = vec![String::new(); columns.len()];
        for cell in row {
            let first = place(cell.column);
            if index < header_rows && header_rows > 1 {
                // A heading over several columns heads each of them.
                let last = columns.partition_point(|&own| own <= cell.last_column());
                for at in out.iter_mut().take(last).skip(first + 1) {
                    at.clone_from(&cell.text);
                }
            }
            out[first] = std::mem::take(&mut cell.text);
        }
        rows.push(out);
    }
    Block::table(rows, header_rows, page)
}

/// How many of the first rows are headings: rows of words (and years) that fill the columns; further ones only below
/// cells that span columns or reach down.
fn guess_header_rows(rows: &[&[RegionCell]], columns: usize) -> usize {
    if rows.len() < 2 || is_form(rows, columns) {
        return 0;
    }
    if differs_from_body(rows) {
        return 1;
    }
    let mut count = 0;
    for row in rows.iter().take(MAX_HEADER_ROWS.min(rows.len() - 1)) {
        if !is_header(row, columns) {
            break;
        }
        count += 1;
        let goes_on =
            row.iter().any(|cell| (cell.columns > 1 && (cell.columns as usize) < columns) || cell.spans_down);
        if !goes_on {
            break;
        }
    }
    count
}

fn is_header(row: &[RegionCell], columns: usize) -> bool {
    let covered: u32 = row.iter().map(|cell| cell.columns).sum();
    let is_word = |cell: &RegionCell| cell.kind == CellKind::Text;
    let is_year = |cell: &RegionCell| {
        cell.kind == CellKind::Date
            || cell.text.len() == 4 && cell.text.parse::<u32>().is_ok_and(|year| (1900..2100).contains(&year))
    };
    (covered as usize) * 2 >= columns
        && row.iter().any(is_word)
        && row.iter().all(|cell| is_word(cell) || is_year(cell))
}

/// Whether the first row holds numbers where the rows below hold words: numbered columns.
fn differs_from_body(rows: &[&[RegionCell]]) -> bool {
    let first = rows[0];
    let is_number = |cell: &RegionCell| cell.kind == CellKind::Number;
    let below: Vec<&RegionCell> = rows[1..].iter().take(SAMPLE_ROWS).copied().flatten().collect();
    first.len() > 1
        && first.iter().all(is_number)
        && below.len() >= first.len()
        && below.iter().filter(|cell| cell.kind == CellKind::Text).count() * 4 > below.len() * 3
}

/// Names and values in two columns, names with a colon.
fn is_form(rows: &[&[RegionCell]], columns: usize) -> bool {
    let named = rows.iter().filter(|row| row[0].text.ends_with([':', '：'])).count();
    columns == 2 && named * 2 > rows.len()
}
