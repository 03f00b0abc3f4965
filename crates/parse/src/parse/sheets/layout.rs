//! From the cells of a sheet to its tables and the lines around them.

use std::collections::HashSet;

use super::regions::{self, Region, RegionCell};
use super::{Area, Cell, Sheet};
use crate::document::Block;

/// Rows that merged cells are repeated in, over a whole sheet.
const MAX_FILLED_CELLS: usize = 500_000;

/// The blocks of a sheet in reading order, and how many hidden rows and columns with text were left out.
pub(super) fn blocks(mut sheet: Sheet, page: Option<u32>) -> (Vec<Block>, usize) {
    let hidden = drop_hidden(&mut sheet);
    // Most files hold their cells in order; where two stand in one place, the last one holds.
    if !sheet.cells.is_sorted_by_key(|cell| (cell.row, cell.column)) {
        sheet.cells.sort_by_key(|cell| (cell.row, cell.column));
    }
    let cells = with_merges(&sheet);
    let mut regions = regions(&sheet, cells);
    regions.sort_by_key(|region| (region.top(), region.left()));
    let mut blocks = Vec::new();
    for region in regions {
        regions::push_blocks(region, sheet.header_end, page, &mut blocks);
    }
    blocks.append(&mut sheet.shapes);
    for block in &mut blocks {
        block.page = page;
    }
    (blocks, hidden)
}

/// Removes cells that are not shown, and closes the gaps; answers how many rows and columns with text they stood in.
fn drop_hidden(sheet: &mut Sheet) -> usize {
    let rows = Ranges::new(&mut sheet.hidden_rows);
    let columns = Ranges::new(&mut sheet.hidden_columns);
    if rows.ranges.is_empty() && columns.ranges.is_empty() {
        return 0;
    }
    let mut left_out = HashSet::new();
    sheet.cells.retain_mut(|cell| {
        if rows.contain(cell.row) {
            left_out.insert((true, cell.row));
            return false;
        }
        if columns.contain(cell.column) {
            left_out.insert((false, cell.column));
            return false;
        }
        cell.row -= rows.before(cell.row);
        cell.column -= columns.before(cell.column);
        true
    });
    let shown = |area: &Area| {
        let (top, bottom) = rows.shown(area.top, area.bottom)?;
        let (left, right) = columns.shown(area.left, area.right)?;
        Some(Area { top, left, bottom, right })
    };
    sheet.merges = sheet.merges.iter().filter_map(shown).collect();
    sheet.tables.retain_mut(|table| shown(&table.area).map(|area| table.area = area).is_some());
    sheet.header_end = sheet.header_end.map(|end| end - rows.before(end));
    left_out.len()
}

/// Hidden rows or columns.
struct Ranges {
    /// Sorted, without overlap.
    ranges: Vec<(u32, u32)>,
    /// How many numbers stand in the ranges before each one.
    sums: Vec<u32>,
}

impl Ranges {
    fn new(ranges: &mut Vec<(u32, u32)>) -> Self {
        let mut ranges = std::mem::take(ranges);
        ranges.sort_unstable();
        ranges.dedup_by(|next, before| {
            let joined = next.0 <= before.1.saturating_add(1);
            if joined {
                before.1 = before.1.max(next.1);
            }
            joined
        });
        let mut sum = 0;
        let sums = ranges
            .iter()
            .map(|&(first, last)| {
                let before = sum;
                sum += last - first + 1;
                before
            })
            .collect();
        Self { ranges, sums }
    }

    fn contain(&self, number: u32) -> bool {
        let at = self.ranges.partition_point(|&(first, _)| first <= number);
        at > 0 && number <= self.ranges[at - 1].1
    }

    /// How many hidden ones stand before this one.
    fn before(&self, number: u32) -> u32 {
        let at = self.ranges.partition_point(|&(first, _)| first < number);
        let Some(last) = at.checked_sub(1) else { return 0 };
        let (first, end) = self.ranges[last];
        self.sums[last] + number.min(end + 1) - first
    }

    /// Where a range stands when the hidden ones are gone; `None` when nothing of it is left.
    fn shown(&self, first: u32, last: u32) -> Option<(u32, u32)> {
        let (first, end) = (first - self.before(first), last + 1 - self.before(last + 1));
        (first < end).then(|| (first, end - 1))
    }
}

/// The cells with their spans; a cell that spans rows stands again in each that holds something beside it.
fn with_merges(sheet: &Sheet) -> Vec<RegionCell> {
    let text = |cell: &Cell| sheet.cell_text(cell).to_owned();
    let mut cells: Vec<RegionCell> = sheet
        .cells
        .iter()
        .map(|cell| RegionCell {
            row: cell.row,
            column: cell.column,
            text: text(cell),
            kind: cell.kind,
            columns: 1,
            spans_down: false,
        })
        .collect();
    if sheet.merges.is_empty() {
        return cells;
    }
    let place = |cells: &[RegionCell], row: u32, column: u32| {
        cells.binary_search_by_key(&(row, column), |cell| (cell.row, cell.column)).ok()
    };
    let own = cells.len();
    let mut filled = 0;
    for area in &sheet.merges {
        let Some(at) = place(&cells[..own], area.top, area.left) else { continue };
        cells[at].columns = area.right - area.left + 1;
        cells[at].spans_down = area.bottom > area.top;
        for row in area.top + 1..=area.bottom.min(area.top.saturating_add(MAX_FILLED_CELLS as u32)) {
            if filled >= MAX_FILLED_CELLS {
                break;
            }
            if !has_others(&cells[..own], row, area) {
                continue;
            }
            filled += 1;
            let again = RegionCell { row, spans_down: row < area.bottom, ..cells[at].clone() };
            cells.push(again);
        }
    }
    cells.sort_by_key(|cell| (cell.row, cell.column));
    cells
}

/// Whether a row holds something outside the merged area.
fn has_others(cells: &[RegionCell], row: u32, area: &Area) -> bool {
    let begin = cells.partition_point(|cell| cell.row < row);
    cells[begin..].iter().take_while(|cell| cell.row == row).any(|cell| !area.contains(row, cell.column))
}

/// Tables that the file marks, and what lies between empty rows and columns.
fn regions(sheet: &Sheet, cells: Vec<RegionCell>) -> Vec<Region> {
    let mut regions = Vec::new();
    let mut rest = cells;
    for table in &sheet.tables {
        let (inside, outside): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|cell| table.area.contains(cell.row, cell.column));
        rest = outside;
        if !inside.is_empty() {
            regions.push(Region { cells: inside, header_rows: Some(table.header_rows as usize) });
        }
    }
    regions.extend(regions::split(rest));
    regions
}
