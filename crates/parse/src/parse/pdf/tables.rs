//! Lines whose parts stand below each other are rows of a table.

use super::layout::{Cell, Line};
use crate::clean;

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
/// A line with one part continues the row above when it stands no further below than so many font sizes.
const CONTINUATION_EM: f32 = 1.6;

/// Lines `start..end` of a group form a table with these rows; `row_of_line` says which row each line went into.
#[derive(Debug)]
pub(super) struct TableSpan {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) row_of_line: Vec<usize>,
    pub(super) header_rows: usize,
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
            None => start += 1,
        }
    }
    tables
}

/// End of the longest run from `start` on that could be one table.
fn run_end(lines: &[Line], start: usize) -> usize {
    let mut end = start + 1;
    let mut index = start + 1;
    while index < lines.len() {
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
    if !enough {
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
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row_of_line = Vec::with_capacity(run.len());
    for (index, line) in run.iter().enumerate() {
        let columns: Vec<usize> = line.cells.iter().map(|cell| column_of(cell, &borders)).collect();
        let continues = index > 0
            && columns.len() == 1
            && (columns[0] > 0 || !rows.last().is_some_and(|row: &Vec<String>| row[0].is_empty()))
            && line.baseline - run[index - 1].baseline <= line.size * CONTINUATION_EM;
        if !continues {
            rows.push(vec![String::new(); borders.len() + 1]);
        }
        let Some(row) = rows.last_mut() else { break };
        for (cell, column) in line.cells.iter().zip(columns) {
            append(&mut row[column], &cell.text);
        }
        row_of_line.push(rows.len() - 1);
    }
    let header_rows = usize::from(has_header(run, &rows));
    Some(TableSpan { start, end, rows, row_of_line, header_rows })
}

fn append(cell: &mut String, text: &str) {
    if let (Some(last), Some(first)) = (cell.chars().next_back(), text.chars().next())
        && clean::space_between_lines(last, first)
    {
        cell.push(' ');
    }
    cell.push_str(text);
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

/// The first row is a header when it is bold and the next is not, or when it holds no number and most others do.
fn has_header(run: &[Line], rows: &[Vec<String>]) -> bool {
    if rows.len() < 2 {
        return false;
    }
    if run[0].bold && !run[run.len() - 1].bold {
        return true;
    }
    let has_number = |row: &Vec<String>| row.iter().any(|cell| cell.chars().any(|c| c.is_ascii_digit()));
    let numbered = rows[1..].iter().filter(|row| has_number(row)).count();
    !has_number(&rows[0]) && numbered * 2 > rows.len() - 1
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
}
