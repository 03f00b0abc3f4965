//! Tables whose cells have borders: the lines that a page draws, made grids of cells.
//!
//! Lines that cross or touch belong together. Their places on both axes are the grid's columns and rows; where no line
//! parts two neighbouring fields, they are one cell.

use super::glyphs::Rule;

/// Lines on one axis that are nearer are one line (points).
const SNAP: f32 = 2.0;
/// Lines touch when they come so near (points).
const TOUCH: f32 = 3.0;
/// Borders of cells that are nearer are one border (points).
const SAME_BORDER: f32 = 3.5;
/// Pages with more lines on one axis are drawings.
const MAX_SEGMENTS: usize = 1_500;
const MAX_COLUMNS: usize = 64;
const MAX_ROWS: usize = 400;
const MAX_GRIDS: usize = 200;
/// A line that goes on so far beyond the last crossing one ends a table without an outer border (points).
const OPEN_SIDE: f32 = 10.0;

/// A group of crossing lines, as fields. Coordinates of the displayed page.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Borders of the columns, ascending; at least three.
    pub(super) xs: Vec<f32>,
    /// Borders of the rows, ascending; at least three.
    pub(super) ys: Vec<f32>,
    /// By row and column: number of the cell that the field belongs to.
    cell_of: Vec<usize>,
    pub(super) cells: usize,
}

impl Grid {
    pub(super) fn columns(&self) -> usize {
        self.xs.len() - 1
    }

    pub(super) fn rows(&self) -> usize {
        self.ys.len() - 1
    }

    pub(super) fn cell(&self, row: usize, column: usize) -> usize {
        self.cell_of[row * self.columns() + column]
    }

    /// Left, top, right, bottom.
    pub(super) fn bounds(&self) -> [f32; 4] {
        [self.xs[0], self.ys[0], self.xs[self.xs.len() - 1], self.ys[self.ys.len() - 1]]
    }

    /// The cell at a point.
    pub(super) fn cell_at(&self, x: f32, y: f32) -> Option<usize> {
        let column = self.xs.partition_point(|&border| border <= x).checked_sub(1)?;
        let row = self.ys.partition_point(|&border| border <= y).checked_sub(1)?;
        (column < self.columns() && row < self.rows()).then(|| self.cell(row, column))
    }
}

/// The grids of a page, the smallest first.
pub(super) fn grids(rules: &[Rule]) -> Vec<Grid> {
    let horizontal = merged(rules.iter().filter(|rule| rule.horizontal).copied().collect());
    let vertical = merged(rules.iter().filter(|rule| !rule.horizontal).copied().collect());
    if horizontal.len() < 2
        || vertical.len() < 2
        || horizontal.len() > MAX_SEGMENTS
        || vertical.len() > MAX_SEGMENTS
    {
        return Vec::new();
    }
    let mut grids: Vec<Grid> = components(&horizontal, &vertical)
        .into_iter()
        .take(MAX_GRIDS)
        .filter_map(|(horizontal, vertical)| grid(&horizontal, &vertical))
        .collect();
    let area = |grid: &Grid| {
        let [x0, y0, x1, y1] = grid.bounds();
        (x1 - x0) * (y1 - y0)
    };
    grids.sort_by(|a, b| area(a).total_cmp(&area(b)));
    grids
}

/// Lines on one place made one; what lies end to end is joined.
fn merged(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut merged: Vec<Rule> = Vec::new();
    for group in rules.chunk_by_mut(|a, b| b.at - a.at <= SNAP / 2.0) {
        group.sort_by(|a, b| a.start.total_cmp(&b.start));
        let mut open: Option<Rule> = None;
        for rule in group {
            match &mut open {
                Some(last) if rule.start <= last.end + TOUCH => last.end = last.end.max(rule.end),
                _ => merged.extend(open.replace(*rule)),
            }
        }
        merged.extend(open);
    }
    merged
}

/// Groups of lines that touch, each with its horizontal and its vertical lines.
fn components(horizontal: &[Rule], vertical: &[Rule]) -> Vec<(Vec<Rule>, Vec<Rule>)> {
    let mut union = Union::new(horizontal.len() + vertical.len());
    for (index, line) in horizontal.iter().enumerate() {
        let from = vertical.partition_point(|other| other.at < line.start - TOUCH);
        for (other_index, other) in vertical.iter().enumerate().skip(from) {
            if other.at > line.end + TOUCH {
                break;
            }
            if other.start - TOUCH <= line.at && line.at <= other.end + TOUCH {
                union.join(index, horizontal.len() + other_index);
            }
        }
    }
    let mut groups: std::collections::BTreeMap<usize, (Vec<Rule>, Vec<Rule>)> = Default::default();
    for (index, line) in horizontal.iter().enumerate() {
        groups.entry(union.root(index)).or_default().0.push(*line);
    }
    for (index, line) in vertical.iter().enumerate() {
        groups.entry(union.root(horizontal.len() + index)).or_default().1.push(*line);
    }
    groups.into_values().collect()
}

fn grid(horizontal: &[Rule], vertical: &[Rule]) -> Option<Grid> {
    let xs = borders(vertical, horizontal);
    let ys = borders(horizontal, vertical);
    if !(3..=MAX_COLUMNS + 1).contains(&xs.len()) || !(3..=MAX_ROWS + 1).contains(&ys.len()) {
        return None;
    }
    let (columns, rows) = (xs.len() - 1, ys.len() - 1);
    let mut union = Union::new(columns * rows);
    let parts = |lines: &[&Rule], middle: f32| {
        lines.iter().any(|line| line.start - TOUCH <= middle && middle <= line.end + TOUCH)
    };
    for (column, &x) in xs.iter().enumerate().take(columns).skip(1) {
        let lines = near(vertical, x);
        for row in 0..rows {
            if !parts(&lines, (ys[row] + ys[row + 1]) / 2.0) {
                union.join(row * columns + column - 1, row * columns + column);
            }
        }
    }
    for (row, &y) in ys.iter().enumerate().take(rows).skip(1) {
        let lines = near(horizontal, y);
        for column in 0..columns {
            if !parts(&lines, (xs[column] + xs[column + 1]) / 2.0) {
                union.join((row - 1) * columns + column, row * columns + column);
            }
        }
    }
    let mut numbers: std::collections::BTreeMap<usize, usize> = Default::default();
    let mut cell_of = Vec::with_capacity(columns * rows);
    for field in 0..columns * rows {
        let next = numbers.len();
        cell_of.push(*numbers.entry(union.root(field)).or_insert(next));
    }
    Some(Grid { xs, ys, cell_of, cells: numbers.len() })
}

/// The lines at a border.
fn near(lines: &[Rule], at: f32) -> Vec<&Rule> {
    lines.iter().filter(|line| (line.at - at).abs() <= SAME_BORDER).collect()
}

/// Places of the lines on their axis; beyond the outermost, the ends of the crossing lines when they go on.
fn borders(lines: &[Rule], crossing: &[Rule]) -> Vec<f32> {
    let mut places: Vec<f32> = lines.iter().map(|line| line.at).collect();
    places.sort_by(f32::total_cmp);
    let mut borders: Vec<f32> = Vec::new();
    for place in places {
        if borders.last().is_none_or(|last| place - last > SAME_BORDER) {
            borders.push(place);
        }
    }
    let middle = |mut ends: Vec<f32>| {
        ends.sort_by(f32::total_cmp);
        ends.get(ends.len() / 2).copied()
    };
    let start = middle(crossing.iter().map(|line| line.start).collect());
    let end = middle(crossing.iter().map(|line| line.end).collect());
    if let (Some(&first), Some(start)) = (borders.first(), start)
        && start < first - OPEN_SIDE
    {
        borders.insert(0, start);
    }
    if let (Some(&last), Some(end)) = (borders.last(), end)
        && end > last + OPEN_SIDE
    {
        borders.push(end);
    }
    borders
}

/// Disjoint sets of indices.
struct Union(Vec<usize>);

impl Union {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn across(at: f32, start: f32, end: f32) -> Rule {
        Rule { at, start, end, horizontal: true }
    }

    fn down(at: f32, start: f32, end: f32) -> Rule {
        Rule { at, start, end, horizontal: false }
    }

    #[test]
    fn crossing_lines_make_a_grid_and_a_missing_border_joins_cells() {
        let rules = [
            across(10.0, 0.0, 300.0),
            across(30.0, 0.0, 300.0),
            across(50.0, 0.0, 300.0),
            down(0.0, 10.0, 50.0),
            // The first row spans the first two columns.
            down(100.0, 30.0, 50.0),
            down(200.0, 10.0, 50.0),
            down(300.0, 10.0, 50.0),
        ];
        let grids = grids(&rules);
        assert_eq!(grids.len(), 1);
        let grid = &grids[0];
        assert_eq!((grid.columns(), grid.rows(), grid.cells), (3, 2, 5));
        assert_eq!(grid.cell(0, 0), grid.cell(0, 1));
        assert_ne!(grid.cell(1, 0), grid.cell(1, 1));
        assert_eq!(grid.cell_at(50.0, 20.0), Some(grid.cell(0, 0)));
        assert_eq!(grid.cell_at(350.0, 20.0), None);
    }

    #[test]
    fn borders_that_are_drawn_cell_by_cell_are_one_line() {
        let mut rules = Vec::new();
        for column in 0..3 {
            for row in 0..3 {
                let (x, y) = (column as f32 * 50.0, row as f32 * 20.0);
                rules.push(across(y, x + 0.3, x + 49.7));
                rules.push(across(y + 20.0, x + 0.3, x + 49.7));
                rules.push(down(x, y, y + 20.0));
                rules.push(down(x + 50.0, y, y + 20.0));
            }
        }
        let grids = grids(&rules);
        assert_eq!((grids[0].columns(), grids[0].rows(), grids[0].cells), (3, 3, 9));
    }

    #[test]
    fn a_table_without_outer_borders_has_its_outer_columns() {
        let rules = [
            across(10.0, 0.0, 300.0),
            across(30.0, 0.0, 300.0),
            across(50.0, 0.0, 300.0),
            down(100.0, 10.0, 50.0),
            down(200.0, 10.0, 50.0),
        ];
        assert_eq!(grids(&rules)[0].xs, [0.0, 100.0, 200.0, 300.0]);
    }

    #[test]
    fn a_frame_and_an_underline_are_no_grid() {
        let frame = [
            across(0.0, 0.0, 500.0),
            across(700.0, 0.0, 500.0),
            down(0.0, 0.0, 700.0),
            down(500.0, 0.0, 700.0),
        ];
        assert!(grids(&frame).is_empty());
        assert!(grids(&[across(5.0, 0.0, 100.0), across(9.0, 200.0, 300.0)]).is_empty());
    }
}
