//! Lines whose parts stand below each other are rows of a table.

use super::layout::{Cell, Line, join_lines};
use crate::clean;
use crate::parse::ordinals;

/// A table has at least so many lines with more than one part; two are enough when both have three parts.
const MIN_ROWS: usize = 3;
/// Between two such lines at most so many lines with one part may stand (cells that run over several lines).
const MAX_SINGLE_LINES: usize = 2;
/// Lines of a table stand no further apart than so many font sizes.
const MAX_ROW_DISTANCE_EM: f32 = 4.0;
/// A gap between columns may be crossed by this share of the lines (headings over several columns).
const MAX_CROSSING_SHARE: f32 = 0.15;
/// Cells that are longer on average are not cells but columns of text (text columns).
const MAX_MEAN_CELL_COLUMNS: usize = 48;
/// A line continues the row above when it stands no further below than so many font sizes.
const CONTINUATION_EM: f32 = 1.6;
/// Lines of one cell stand closer than rows do, by this factor at least.
const TIGHTER: f32 = 0.88;
/// More rows are not a header.
const MAX_HEADER_ROWS: usize = 3;
/// A table without borders has no more lines on one page.
const MAX_RUN_LINES: usize = 400;
/// Longer first rows of a table that holds text only are not its header (text columns of a cell).
const MAX_HEADER_COLUMNS: usize = 32;

/// Lines `start..end` of a group form a table with these rows; `row_of_line` says which row each line went into.
#[derive(Debug)]
pub(super) struct TableSpan {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) row_of_line: Vec<usize>,
    pub(super) header_rows: usize,
    /// Borders between the columns.
    pub(super) xs: Vec<f32>,
}

/// How a row looks, to tell a header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowLook {
    pub(super) bold: bool,
}

/// The tables among the lines of one group.
pub(super) fn find(lines: &[Line]) -> Vec<TableSpan> {
    let mut tables = Vec::new();
    let mut start = 0;
    while start < lines.len() {
        if lines[start].cells.len() < 2 {
            start += 1;
            continue;
        }
        let end = run_end(lines, start);
        match table(lines, start, end) {
            Some(table) => {
                tables.push(table);
                start = end;
            }
            // No part of a run is a table when the run is too short to be one.
            None if end - start < MIN_ROWS => start = end,
            None => start += 1,
        }
    }
    tables
}

/// End of the longest run from `start` on that could be one table.
fn run_end(lines: &[Line], start: usize) -> usize {
    let mut end = start + 1;
    let mut index = start + 1;
    while index < lines.len() && index - start < MAX_RUN_LINES {
        let (before, line) = (&lines[index - 1], &lines[index]);
        let far = (line.baseline - before.baseline) > line.size.max(before.size) * MAX_ROW_DISTANCE_EM;
        let singles = index - end;
        if far || line.monospaced || (line.cells.len() < 2 && singles >= MAX_SINGLE_LINES) {
            break;
        }
        index += 1;
        if line.cells.len() >= 2 {
            end = index;
        }
    }
    end
}

fn table(lines: &[Line], start: usize, end: usize) -> Option<TableSpan> {
    let run = &lines[start..end];
    let multi: Vec<&Line> = run.iter().filter(|line| line.cells.len() >= 2).collect();
    let enough =
        multi.len() >= MIN_ROWS || (multi.len() == 2 && multi.iter().all(|line| line.cells.len() >= 3));
    if !enough || is_list(&multi) {
        return None;
    }
    let cells: usize = multi.iter().map(|line| line.cells.len()).sum();
    let text: usize = multi.iter().map(|line| clean::columns(&line.text)).sum();
    if text > cells * MAX_MEAN_CELL_COLUMNS {
        return None;
    }
    let borders = column_borders(&multi);
    if borders.is_empty() {
        return None;
    }
    // Lines below the last one with several parts may be the rest of its cells.
    let end = end + trailing_lines(lines, end, &borders);
    let run = &lines[start..end];
    let row_of_line = rows_of_lines(run, &borders);
    let count = row_of_line.last().map_or(0, |last| last + 1);
    let mut rows = vec![vec![Vec::new(); borders.len() + 1]; count];
    let mut looks = vec![RowLook { bold: true }; count];
    for (line, &row) in run.iter().zip(&row_of_line) {
        for cell in &line.cells {
            rows[row][column_of(cell, &borders)].push(cell.text.as_str());
        }
        looks[row].bold &= line.bold;
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| row.into_iter().map(|parts| join_lines(parts.into_iter())).collect())
        .collect();
    let below_rule =
        (1..run.len()).find(|&index| run[index].rule_above > 0.0).map(|index| row_of_line[index]);
    let mut span = TableSpan { start, end, rows, row_of_line, header_rows: 0, xs: borders };
    join_header(&mut span, below_rule);
    span.header_rows = header_rows(&span.rows, &looks, below_rule.map(|rows| rows.min(1)));
    Some(span)
}

/// A header of several lines over the first drawn line is one row: what stands below each other belongs together.
fn join_header(span: &mut TableSpan, below_rule: Option<usize>) {
    let Some(header @ 2..=MAX_HEADER_ROWS) = below_rule else { return };
    if header + 1 >= span.rows.len() {
        return;
    }
    let mut joined = span.rows[0].clone();
    for row in &span.rows[1..header] {
        for (cell, more) in joined.iter_mut().zip(row) {
            *cell = join_lines([cell.as_str(), more.as_str()].into_iter().filter(|text| !text.is_empty()));
        }
    }
    span.rows.splice(..header, [joined]);
    span.row_of_line.iter_mut().for_each(|row| *row = row.saturating_sub(header - 1));
}

/// Marks and numbers of a list that stand apart from their text.
fn is_list(lines: &[&Line]) -> bool {
    lines.iter().all(|line| {
        line.cells.len() == 2
            && ordinals::list_mark(&format!("{} x", line.cells[0].text.trim_end())).is_some()
    })
}

/// How many lines below the table are the rest of its last row: one part each, not in the first column, close below.
fn trailing_lines(lines: &[Line], end: usize, borders: &[f32]) -> usize {
    let is_rest = |index: usize| {
        let (before, line) = (&lines[index - 1], &lines[index]);
        line.cells.len() == 1
            && line.rule_above == 0.0
            && column_of(&line.cells[0], borders) > 0
            && line.cells[0].x0 > borders[0]
            && line.baseline - before.baseline <= line.size * CONTINUATION_EM
            && line.baseline > before.baseline
    };
    (end..lines.len()).take(MAX_SINGLE_LINES).take_while(|&index| is_rest(index)).count()
}

/// The row that each line belongs to, rising from 0.
fn rows_of_lines(run: &[Line], borders: &[f32]) -> Vec<usize> {
    let columns: Vec<Vec<usize>> =
        run.iter().map(|line| line.cells.iter().map(|cell| column_of(cell, borders)).collect()).collect();
    if let Some(rows) = rows_between_rules(run, &columns) {
        return rows;
    }
    let row_distance = row_distance(run, &columns);
    let mut rows = Vec::with_capacity(run.len());
    let mut row = 0;
    let mut filled: Vec<usize> = Vec::new();
    for (index, line) in run.iter().enumerate() {
        let of_line = &columns[index];
        if index > 0 {
            let distance = line.baseline - run[index - 1].baseline;
            let close = distance <= line.size * CONTINUATION_EM && line.rule_above == 0.0;
            let within = of_line.len() < filled.len() && of_line.iter().all(|column| filled.contains(column));
            let tight = row_distance.is_some_and(|usual| distance <= usual * TIGHTER);
            let runs_on = line.cells.iter().all(|cell| cell.text.starts_with(char::is_lowercase));
            let single_inside = of_line.len() == 1 && of_line[0] > 0;
            if !(close && within && (tight || runs_on || single_inside)) {
                row += 1;
                filled.clear();
            }
        }
        filled.extend(of_line);
        filled.sort_unstable();
        filled.dedup();
        rows.push(row);
    }
    rows
}

/// When drawn lines part the rows: each stretch between two of them has at most one line in the first column.
fn rows_between_rules(run: &[Line], columns: &[Vec<usize>]) -> Option<Vec<usize>> {
    let ruled = run.iter().skip(1).filter(|line| line.rule_above > 0.0).count();
    if ruled < 2 {
        return None;
    }
    let mut rows = Vec::with_capacity(run.len());
    let (mut row, mut beginnings) = (0, 0);
    for (index, line) in run.iter().enumerate() {
        if index > 0 && line.rule_above > 0.0 {
            row += 1;
            beginnings = 0;
        }
        beginnings += usize::from(columns[index].contains(&0));
        // Above the first line stands the header, which may have several lines.
        if beginnings > 1 && row > 0 {
            return None;
        }
        rows.push(row);
    }
    Some(rows)
}

/// Usual distance between lines that begin rows: those with the first column filled.
fn row_distance(run: &[Line], columns: &[Vec<usize>]) -> Option<f32> {
    let beginnings: Vec<f32> = run
        .iter()
        .zip(columns)
        .filter(|(_, columns)| columns.contains(&0) && columns.len() > 1)
        .map(|(line, _)| line.baseline)
        .collect();
    let mut distances: Vec<f32> = beginnings.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_by(f32::total_cmp);
    distances.get(distances.len() / 2).copied()
}

/// Middles of the vertical gaps that nearly all lines leave free, at least half a font size wide.
fn column_borders(lines: &[&Line]) -> Vec<f32> {
    let size = lines.iter().map(|line| line.size).fold(0.0, f32::max);
    let allowed = (lines.len() as f32 * MAX_CROSSING_SHARE) as i32;
    let mut edges: Vec<(f32, i32)> = lines
        .iter()
        .flat_map(|line| line.cells.iter().flat_map(|cell| [(cell.x0, 1), (cell.x1, -1)]))
        .collect();
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut borders = Vec::new();
    let mut open = 0;
    let mut free_since: Option<f32> = None;
    let mut seen_text = false;
    for (at, change) in edges {
        let before = open;
        open += change;
        if before <= allowed && open > allowed {
            if let Some(since) = free_since.take()
                && seen_text
                && at - since >= size * 0.5
            {
                borders.push((since + at) / 2.0);
            }
            seen_text = true;
        } else if before > allowed && open <= allowed {
            free_since = Some(at);
        }
    }
    borders
}

fn column_of(cell: &Cell, borders: &[f32]) -> usize {
    let middle = (cell.x0 + cell.x1) / 2.0;
    borders.iter().filter(|&&border| middle > border).count()
}

/// How many of the first rows are the header: those above a drawn line, those that are bold when the others are not;
/// the first when it holds no number and most others do, or names its columns in fewer words than they hold.
pub(super) fn header_rows(rows: &[Vec<String>], looks: &[RowLook], below_rule: Option<usize>) -> usize {
    if rows.len() < 2 {
        return 0;
    }
    if let Some(header @ 1..=MAX_HEADER_ROWS) = below_rule
        && header * 2 <= rows.len()
    {
        return header;
    }
    let bold = looks.iter().take_while(|look| look.bold).count();
    if (1..=MAX_HEADER_ROWS).contains(&bold) && bold < looks.len() {
        return bold;
    }
    let has_number = |row: &Vec<String>| row.iter().any(|cell| cell.chars().any(|c| c.is_ascii_digit()));
    let numbered = rows[1..].iter().filter(|row| has_number(row)).count();
    if !has_number(&rows[0]) && numbered * 2 > rows.len() - 1 {
        return 1;
    }
    let names_columns = rows[0].iter().all(|cell| (1..=MAX_HEADER_COLUMNS).contains(&clean::columns(cell)))
        && !has_number(&rows[0]);
    let mean = |rows: &[Vec<String>]| {
        let cells: Vec<usize> =
            rows.iter().flatten().filter(|cell| !cell.is_empty()).map(|cell| clean::columns(cell)).collect();
        cells.iter().sum::<usize>() as f32 / cells.len().max(1) as f32
    };
    usize::from(names_columns && mean(&rows[..1]) * 1.3 < mean(&rows[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::PageSize;

    fn line(y: f32, cells: &[(f32, &str)]) -> Line {
        let cells: Vec<Cell> = cells
            .iter()
            .map(|&(x0, text)| Cell { text: text.to_owned(), x0, x1: x0 + clean::columns(text) as f32 * 5.0 })
            .collect();
        let bounds = [cells[0].x0, y - 8.0, cells[cells.len() - 1].x1, y + 2.0];
        Line {
            page: 1,
            page_size: PageSize { width: 600.0, height: 800.0 },
            group: 0,
            text: cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" "),
            cells,
            bounds,
            shown: bounds,
            baseline: y,
            size: 10.0,
            bold: false,
            monospaced: false,
            rule_above: 0.0,
            table: None,
        }
    }

    #[test]
    fn aligned_parts_are_rows_and_wrapped_cells_join() {
        let lines = [
            line(80.0, &[(50.0, "Fault codes of the pump")]),
            line(100.0, &[(50.0, "Code"), (150.0, "Meaning"), (350.0, "Hours")]),
            line(115.0, &[(50.0, "P0300"), (150.0, "random"), (350.0, "2")]),
            line(127.0, &[(150.0, "misfire")]),
            line(142.0, &[(50.0, "P0301"), (150.0, "cylinder 1"), (350.0, "3")]),
            line(200.0, &[(50.0, "Text below")]),
        ];
        let tables = find(&lines);
        assert_eq!(tables.len(), 1);
        assert_eq!((tables[0].start, tables[0].end, tables[0].header_rows), (1, 5, 1));
        assert_eq!(
            tables[0].rows,
            [["Code", "Meaning", "Hours"], ["P0300", "random misfire", "2"], ["P0301", "cylinder 1", "3"]]
        );
        assert_eq!(tables[0].row_of_line, [0, 1, 1, 2]);
    }

    #[test]
    fn two_lines_with_two_parts_are_no_table() {
        let lines =
            [line(100.0, &[(50.0, "Name"), (150.0, "Date")]), line(115.0, &[(50.0, "Li"), (150.0, "May")])];
        assert!(find(&lines).is_empty());
    }

    #[test]
    fn long_parts_are_text_in_columns() {
        let long = "a line of running text in a column that is as long as such lines are";
        let lines: Vec<Line> =
            (0..5).map(|row| line(100.0 + 12.0 * row as f32, &[(50.0, long), (420.0, long)])).collect();
        assert!(find(&lines).is_empty());
    }

    #[test]
    fn cells_that_wrap_in_several_columns_stay_in_their_row() {
        let lines = [
            line(100.0, &[(50.0, "Item"), (150.0, "Description"), (350.0, "Remark")]),
            line(124.0, &[(50.0, "A1"), (150.0, "Hydraulic pump of"), (350.0, "Replaced when")]),
            line(136.0, &[(150.0, "The second stage"), (350.0, "Worn down")]),
            line(160.0, &[(50.0, "A2"), (150.0, "Valve"), (350.0, "None")]),
            line(184.0, &[(50.0, "A3"), (150.0, "Filter of the tank"), (350.0, "Cleaned")]),
            line(196.0, &[(150.0, "and its cap")]),
        ];
        let tables = find(&lines);
        assert_eq!(tables.len(), 1);
        assert_eq!(
            tables[0].rows,
            [
                ["Item", "Description", "Remark"],
                ["A1", "Hydraulic pump of The second stage", "Replaced when Worn down"],
                ["A2", "Valve", "None"],
                ["A3", "Filter of the tank and its cap", "Cleaned"]
            ]
        );
    }

    #[test]
    fn drawn_lines_part_the_rows_and_the_header() {
        let ruled = |y: f32, cells: &[(f32, &str)]| Line { rule_above: 400.0, ..line(y, cells) };
        let lines = [
            line(88.0, &[(150.0, "Number of"), (350.0, "Paid")]),
            line(100.0, &[(50.0, "Team"), (150.0, "people"), (350.0, "hours")]),
            ruled(116.0, &[(50.0, "North"), (150.0, "12"), (350.0, "400")]),
            line(128.0, &[(50.0, "South"), (150.0, "7"), (350.0, "210")]),
            line(140.0, &[(50.0, "West"), (150.0, "9"), (350.0, "300")]),
        ];
        let tables = find(&lines);
        assert_eq!(tables[0].header_rows, 1);
        assert_eq!(tables[0].rows[0], ["Team", "Number of people", "Paid hours"]);
        assert_eq!(tables[0].row_of_line, [0, 0, 1, 2, 3]);
    }

    #[test]
    fn list_marks_apart_from_their_text_are_no_table() {
        let lines: Vec<Line> = (1..6)
            .map(|row| line(100.0 + 12.0 * row as f32, &[(50.0, &format!("{row}.")), (80.0, "short item")]))
            .collect();
        assert!(find(&lines).is_empty());
    }
}
