//! A grid of borders with the text of its cells: a table, or not one.

use super::fragments::{self, Fragment};
use super::geometry::Reading;
use super::glyphs::Glyph;
use super::layout::{fragment_item, join_lines};
use super::ruled::Grid;
use super::tables::{self, RowLook};
use super::xycut;
use crate::clean;
use crate::document::PageSize;

/// Of a table's cells at least this share holds text.
const MIN_FILLED_SHARE: f32 = 0.25;
/// A cell that holds more than this share of a table's text, and more characters than
/// [`MAX_CHARACTERS_BESIDE_LITTLE`], is not a cell: the lines frame the page or a figure.
const MAX_SHARE_OF_ONE_CELL: f32 = 0.7;
const MAX_CHARACTERS_BESIDE_LITTLE: usize = 400;
/// Cells with more lines are not cells.
const MAX_LINES_OF_CELL: usize = 60;
/// From so many lines on, cells beside each other whose lines stand on the same baselines are rows without lines
/// between them.
const MIN_UNRULED_ROWS: usize = 3;
/// Text of a cell that spans rows stands in each of them up to this length (text columns).
const MAX_REPEATED_COLUMNS: usize = 40;
/// Lines of cells that fall into pieces, from so many on,
const MIN_BROKEN_LINES: usize = 4;
/// and in this share of all lines, say that the borders are not those of the cells.
const MAX_BROKEN_SHARE: f32 = 0.35;
/// A header over several columns has at most so many rows.
const MAX_HEADER_LEVELS: usize = 3;

/// A table with borders. Boxes on the displayed page.
#[derive(Clone, Debug)]
pub(super) struct RuledTable {
    pub(super) rows: Vec<Vec<String>>,
    pub(super) header_rows: usize,
    /// Lines of text: the row that each went into and its box.
    pub(super) lines: Vec<(usize, [f32; 4])>,
    pub(super) bounds: [f32; 4],
    /// Borders of its columns.
    pub(super) xs: Vec<f32>,
    pub(super) size: f32,
}

/// A line of text in a cell.
struct CellLine {
    text: String,
    bounds: [f32; 4],
    baseline: f32,
    size: f32,
    characters: usize,
    bold: usize,
    /// That wide gaps part.
    pieces: usize,
}

/// The glyphs of a page, those in tables with borders taken out.
pub(super) struct Taken {
    pub(super) tables: Vec<RuledTable>,
    pub(super) free: Vec<Glyph>,
    /// Where the free glyphs of annotations begin.
    pub(super) annotations_from: usize,
}

/// Takes the glyphs of a page that stand in tables with borders; those of annotations come from `annotations_from` on.
pub(super) fn take(glyphs: &[Glyph], annotations_from: usize, grids: &[Grid], page: PageSize) -> Taken {
    let mut inside: Vec<Vec<Vec<Glyph>>> = grids.iter().map(|grid| vec![Vec::new(); grid.cells]).collect();
    let mut free = Vec::with_capacity(glyphs.len());
    let mut free_annotations = Vec::new();
    for (index, glyph) in glyphs.iter().enumerate() {
        let upright = glyph.reading == Reading::LeftToRight;
        let (x, y) = (glyph.x + glyph.advance / 2.0, glyph.y - glyph.size * 0.3);
        let place = grids
            .iter()
            .enumerate()
            .filter(|_| upright)
            .find_map(|(index, grid)| grid.cell_at(x, y).map(|cell| (index, cell)));
        match place {
            Some((grid, cell)) => inside[grid][cell].push(*glyph),
            None if index >= annotations_from => free_annotations.push(*glyph),
            None => free.push(*glyph),
        }
    }
    let mut tables = Vec::new();
    for (grid, cells) in grids.iter().zip(inside) {
        match table(grid, &cells, page) {
            Some(table) => tables.push(table),
            None => free.extend(cells.into_iter().flatten()),
        }
    }
    let annotations_from = free.len();
    free.append(&mut free_annotations);
    Taken { tables, free, annotations_from }
}

fn table(grid: &Grid, cells: &[Vec<Glyph>], page: PageSize) -> Option<RuledTable> {
    let cells: Vec<Vec<CellLine>> = cells.iter().map(|glyphs| lines(glyphs, page)).collect();
    if !looks_like_table(grid, &cells) {
        return None;
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut looks: Vec<RowLook> = Vec::new();
    let mut spans: Vec<(usize, [f32; 4])> = Vec::new();
    let header_levels = header_levels(grid);
    if header_levels > 1 {
        push_header(grid, &cells, header_levels, &mut rows, &mut looks, &mut spans);
    }
    let first_row = if header_levels > 1 { header_levels } else { 0 };
    for row in first_row..grid.rows() {
        let begins = |column: usize| row == 0 || grid.cell(row - 1, column) != grid.cell(row, column);
        let first_column =
            |column: usize| column == 0 || grid.cell(row, column - 1) != grid.cell(row, column);
        let of_row: Vec<Option<&Vec<CellLine>>> = (0..grid.columns())
            .map(|column| first_column(column).then(|| &cells[grid.cell(row, column)]))
            .collect();
        let all_begin = (0..grid.columns()).all(begins);
        if all_begin && let Some(count) = unruled_rows(&of_row) {
            for index in 0..count {
                let parts: Vec<Option<&[CellLine]>> =
                    of_row.iter().map(|cell| cell.and_then(|lines| lines.get(index..=index))).collect();
                push_row(&parts, &vec![true; grid.columns()], &mut rows, &mut looks, &mut spans);
            }
            continue;
        }
        let parts: Vec<Option<&[CellLine]>> =
            of_row.iter().map(|cell| cell.map(|lines| lines.as_slice())).collect();
        let begins: Vec<bool> = (0..grid.columns()).map(begins).collect();
        push_row(&parts, &begins, &mut rows, &mut looks, &mut spans);
    }
    drop_empty_columns(&mut rows);
    let sizes: Vec<f32> = cells.iter().flatten().map(|line| line.size).collect();
    let size = sizes.iter().sum::<f32>() / sizes.len().max(1) as f32;
    let header_rows = tables::header_rows(&rows, &looks, (header_levels > 1).then_some(1));
    Some(RuledTable { rows, header_rows, lines: spans, bounds: grid.bounds(), xs: grid.xs.clone(), size })
}

/// Rows of a header in which cells span columns and, beside them, rows; 1 without.
fn header_levels(grid: &Grid) -> usize {
    let spans_columns = (1..grid.columns()).any(|column| grid.cell(0, column - 1) == grid.cell(0, column));
    let height = |column: usize| {
        (0..grid.rows()).take_while(|&row| grid.cell(row, column) == grid.cell(0, column)).count()
    };
    let levels = (0..grid.columns()).map(height).max().unwrap_or(1);
    if spans_columns && levels <= MAX_HEADER_LEVELS && levels < grid.rows() { levels } else { 1 }
}

/// One row for a header of several: what stands over each other is one cell. What spans columns stands in the first.
fn push_header(
    grid: &Grid,
    cells: &[Vec<CellLine>],
    levels: usize,
    rows: &mut Vec<Vec<String>>,
    looks: &mut Vec<RowLook>,
    spans: &mut Vec<(usize, [f32; 4])>,
) {
    let mut header = Vec::with_capacity(grid.columns());
    for column in 0..grid.columns() {
        let begins = |row: &usize| column == 0 || grid.cell(*row, column - 1) != grid.cell(*row, column);
        let mut over: Vec<usize> = (0..levels).filter(begins).map(|row| grid.cell(row, column)).collect();
        over.dedup();
        let lines = over.iter().flat_map(|&cell| &cells[cell]).map(|line| line.text.as_str());
        header.push(join_lines(lines));
        for cell in over {
            spans.extend(cells[cell].iter().map(|line| (rows.len(), line.bounds)));
        }
    }
    if header.iter().any(|cell| !cell.is_empty()) {
        rows.push(header);
        looks.push(RowLook { bold: false });
    }
}

/// Adds a row unless all of its cells are empty. Where a cell began in a row above, its text stands again.
fn push_row(
    parts: &[Option<&[CellLine]>],
    begins: &[bool],
    rows: &mut Vec<Vec<String>>,
    looks: &mut Vec<RowLook>,
    spans: &mut Vec<(usize, [f32; 4])>,
) {
    if !parts.iter().zip(begins).any(|(part, &begins)| begins && part.is_some_and(|lines| !lines.is_empty()))
    {
        return;
    }
    let mut row = Vec::with_capacity(parts.len());
    let (mut characters, mut bold) = (0, 0);
    for (part, &begins) in parts.iter().zip(begins) {
        let lines = part.unwrap_or_default();
        let text = join_lines(lines.iter().map(|line| line.text.as_str()));
        if begins {
            spans.extend(lines.iter().map(|line| (rows.len(), line.bounds)));
            characters += lines.iter().map(|line| line.characters).sum::<usize>();
            bold += lines.iter().map(|line| line.bold).sum::<usize>();
        }
        let shown = begins || clean::columns(&text) <= MAX_REPEATED_COLUMNS;
        row.push(if shown { text } else { String::new() });
    }
    rows.push(row);
    looks.push(RowLook { bold: characters > 0 && bold * 10 >= characters * 8 });
}

fn drop_empty_columns(rows: &mut [Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    for column in (0..columns).rev() {
        if rows.iter().all(|row| row[column].is_empty()) {
            rows.iter_mut().for_each(|row| {
                row.remove(column);
            });
        }
    }
}

fn lines(glyphs: &[Glyph], page: PageSize) -> Vec<CellLine> {
    if glyphs.is_empty() {
        return Vec::new();
    }
    let fragments = fragments::fragments(glyphs, Reading::LeftToRight, page);
    let items: Vec<xycut::Item> = fragments.iter().map(fragment_item).collect();
    let all: Vec<usize> = (0..items.len()).collect();
    xycut::rows(&items, &all)
        .into_iter()
        .filter_map(|row| cell_line(&row.into_iter().map(|index| &fragments[index]).collect::<Vec<_>>()))
        .collect()
}

fn cell_line(row: &[&Fragment]) -> Option<CellLine> {
    let largest = row.iter().max_by_key(|fragment| fragment.characters)?;
    let text = row.iter().map(|fragment| fragment.text.as_str()).collect::<Vec<_>>().join(" ");
    let text = clean::tidy_line(&text);
    let fold = |side: usize, pick: fn(f32, f32) -> f32| {
        row.iter().map(|fragment| fragment.bounds[side]).reduce(pick).unwrap_or_default()
    };
    (!text.is_empty()).then(|| CellLine {
        text,
        bounds: [fold(0, f32::min), fold(1, f32::min), fold(2, f32::max), fold(3, f32::max)],
        baseline: largest.baseline,
        size: largest.size,
        characters: row.iter().map(|fragment| fragment.characters).sum(),
        bold: row.iter().map(|fragment| fragment.bold).sum(),
        pieces: row.len(),
    })
}

fn looks_like_table(grid: &Grid, cells: &[Vec<CellLine>]) -> bool {
    let characters = |lines: &Vec<CellLine>| lines.iter().map(|line| line.characters).sum::<usize>();
    let all: usize = cells.iter().map(characters).sum();
    let largest = cells.iter().map(characters).max().unwrap_or(0);
    let filled = cells.iter().filter(|lines| !lines.is_empty()).count();
    let has_text = |row: usize, column: usize| !cells[grid.cell(row, column)].is_empty();
    let rows =
        (0..grid.rows()).filter(|&row| (0..grid.columns()).any(|column| has_text(row, column))).count();
    let columns =
        (0..grid.columns()).filter(|&column| (0..grid.rows()).any(|row| has_text(row, column))).count();
    let frames_text =
        largest as f32 > all as f32 * MAX_SHARE_OF_ONE_CELL && largest > MAX_CHARACTERS_BESIDE_LITTLE;
    let lines = cells.iter().flatten().count();
    let broken = cells.iter().flatten().filter(|line| line.pieces > 1).count();
    let is_broken = broken >= MIN_BROKEN_LINES && broken as f32 > lines as f32 * MAX_BROKEN_SHARE;
    rows >= 2
        && !is_broken
        && columns >= 2
        && filled >= 3
        && filled as f32 >= grid.cells as f32 * MIN_FILLED_SHARE
        && !frames_text
        && cells.iter().all(|lines| lines.len() <= MAX_LINES_OF_CELL)
}

/// In how many rows the lines of a row's cells fall when no lines part them: each cell has as many, on the same
/// baselines.
fn unruled_rows(cells: &[Option<&Vec<CellLine>>]) -> Option<usize> {
    let filled: Vec<&Vec<CellLine>> =
        cells.iter().flatten().copied().filter(|lines| !lines.is_empty()).collect();
    let first = *filled.first()?;
    let aligned = |other: &Vec<CellLine>| {
        other.len() == first.len()
            && other.iter().zip(first).all(|(a, b)| (a.baseline - b.baseline).abs() <= a.size * 0.3)
    };
    let enough = filled.len() >= 2 && first.len() >= MIN_UNRULED_ROWS;
    (enough && filled.iter().all(|lines| aligned(lines))).then_some(first.len())
}
