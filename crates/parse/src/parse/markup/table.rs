//! Tables in XML: those of HTML (`tr`, `td`), and those of CALS (`row`, `entry`) that DocBook and patents have.

use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::grid::{Grid, SpannedCell};
use crate::parse::markup::tree::Element;

pub(super) fn is_table(element: &Element) -> bool {
    matches!(element.name.as_str(), "table" | "informaltable" | "tgroup" | "simpletable")
        && (element.find("tr").is_some() || element.find("row").is_some() || element.find("strow").is_some())
}

/// The rows of a table, and of tables inside of it.
pub(super) fn push(table: &Element, builder: &mut DocumentBuilder) {
    let mut rows = Rows { rows: Vec::new(), header_rows: 0, grid: Grid::new(), columns: Vec::new() };
    rows.collect(table, false);
    if rows.rows.iter().flatten().all(String::is_empty) {
        return;
    }
    let header_rows = if rows.header_rows >= rows.rows.len() { 1 } else { rows.header_rows };
    let is_single_cell = matches!(rows.rows.as_slice(), [row] if row.len() == 1);
    if is_single_cell {
        let text = rows.rows.remove(0).remove(0);
        builder.push(Block::new(BlockKind::Paragraph, text, None));
    } else {
        builder.push(Block::table(rows.rows, header_rows.min(1), None));
    }
}

struct Rows {
    rows: Vec<Vec<String>>,
    header_rows: usize,
    grid: Grid<String>,
    /// Names of columns, which CALS cells use to say what they span.
    columns: Vec<String>,
}

impl Rows {
    fn collect(&mut self, element: &Element, in_head: bool) {
        for child in element.elements() {
            match child.name.as_str() {
                "colspec" => {
                    let name = child.attribute("colname").unwrap_or_default();
                    self.columns.push(name.to_owned());
                }
                "tgroup" => {
                    self.columns.clear();
                    self.collect(child, false);
                }
                "tr" | "row" | "strow" | "sthead" => self.row(child, in_head || child.name == "sthead"),
                "caption" | "title" | "label" => {}
                name => self.collect(child, in_head || name == "thead"),
            }
        }
    }

    fn row(&mut self, row: &Element, in_head: bool) {
        let mut all_headers = true;
        let mut cells = Vec::new();
        for cell in
            row.elements().filter(|cell| matches!(cell.name.as_str(), "td" | "th" | "entry" | "stentry"))
        {
            all_headers &= cell.name == "th";
            let text = cell.text();
            cells.push(SpannedCell {
                content: text.clone(),
                again: text,
                columns: self.columns_of(cell),
                rows: rows_of(cell),
            });
        }
        if cells.is_empty() {
            return;
        }
        let row = self.grid.row(cells);
        if row.iter().all(String::is_empty) {
            return;
        }
        if (in_head || all_headers) && self.header_rows == self.rows.len() {
            self.header_rows += 1;
        }
        self.rows.push(row);
    }

    fn columns_of(&self, cell: &Element) -> usize {
        if let Some(span) = cell.attribute("colspan").and_then(|span| span.parse().ok()) {
            return span;
        }
        let place = |attribute| {
            let name = cell.attribute(attribute)?;
            self.columns.iter().position(|column| column == name)
        };
        match (place("namest"), place("nameend")) {
            (Some(first), Some(last)) if last >= first => last - first + 1,
            _ => 1,
        }
    }
}

fn rows_of(cell: &Element) -> usize {
    let html = cell.attribute("rowspan").and_then(|span| span.parse().ok());
    let cals = || cell.attribute("morerows").and_then(|more| more.parse::<usize>().ok());
    html.or_else(|| cals().map(|more| more.saturating_add(1))).unwrap_or(1)
}
