//! Tables with cells that span columns and rows, made plain rows.

/// A cell spans at most so many columns or rows.
const MAX_SPAN: usize = 256;

/// A cell as documents write it: only where it begins.
pub(super) struct SpannedCell<T> {
    pub(super) content: T,
    /// What stands for it in the further rows that it spans.
    pub(super) again: T,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Lays rows out one after the other. In the further columns of a cell stands nothing; in its further rows it stands
/// again, so that each row says all that it means.
#[derive(Debug)]
pub(super) struct Grid<T> {
    /// By column: what a row above left to repeat, and in how many more rows.
    spanning: Vec<(T, usize)>,
}

impl<T: Clone + Default> Grid<T> {
    pub(super) fn new() -> Self {
        Self { spanning: Vec::new() }
    }

    /// All columns of the next row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = SpannedCell<T>>) -> Vec<T> {
        let mut row = Vec::new();
        for cell in cells {
            self.fill_spanned(&mut row);
            let rows_below = cell.rows.clamp(1, MAX_SPAN) - 1;
            self.span(row.len(), cell.again, rows_below);
            row.push(cell.content);
            for _ in 1..cell.columns.clamp(1, MAX_SPAN) {
                self.span(row.len(), T::default(), rows_below);
                row.push(T::default());
            }
        }
        self.fill_spanned(&mut row);
        row
    }

    fn span(&mut self, column: usize, again: T, rows_below: usize) {
        if self.spanning.len() <= column {
            self.spanning.resize(column + 1, (T::default(), 0));
        }
        self.spanning[column] = (again, rows_below);
    }

    fn fill_spanned(&mut self, row: &mut Vec<T>) {
        while let Some((again, rows)) = self.spanning.get_mut(row.len()).filter(|(_, rows)| *rows > 0) {
            *rows -= 1;
            row.push(again.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str, columns: usize, rows: usize) -> SpannedCell<String> {
        SpannedCell { content: text.to_owned(), again: text.to_owned(), columns, rows }
    }

    #[test]
    fn spans_keep_columns_in_place() {
        let mut grid = Grid::new();
        assert_eq!(grid.row([cell("a", 1, 2), cell("b", 2, 1), cell("c", 1, 3)]), ["a", "b", "", "c"]);
        assert_eq!(grid.row([cell("d", 1, 1), cell("e", 1, 1)]), ["a", "d", "e", "c"]);
        assert_eq!(grid.row([cell("f", 1, 1), cell("g", 1, 1), cell("h", 1, 1)]), ["f", "g", "h", "c"]);
        assert_eq!(grid.row([cell("i", 1, 1)]), ["i"]);
    }
}
