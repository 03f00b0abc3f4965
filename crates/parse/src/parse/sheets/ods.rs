//! OpenDocument spreadsheets: each cell holds its text as it is shown.

use std::collections::HashSet;

use super::number_format::general;
use super::{Area, CellKind, Sheet, Workbook};
use crate::parse::tree::{Element, Tree};

/// A cell with text stands again at most so often in a row, and a row at most so often.
const MAX_REPEATS: u32 = 1_000;
/// Groups of rows nested deeper are left out.
const MAX_DEPTH: usize = 16;

pub(in crate::parse) fn read(content: &Tree, workbook: &mut Workbook) {
    let Some(root) = content.root() else { return };
    let hidden_styles: HashSet<&str> = root
        .descendants()
        .filter(|element| element.name() == "style")
        .filter(|style| {
            style.child("table-properties").is_some_and(|own| own.attribute("display") == Some("false"))
        })
        .filter_map(|style| style.attribute("name"))
        .collect();
    let body = root.at(&["body", "spreadsheet"]);
    for table in body.into_iter().flat_map(|body| body.children_named("table")) {
        if workbook.is_full() {
            break;
        }
        if table.attribute("style-name").is_some_and(|style| hidden_styles.contains(style)) {
            workbook.skip_hidden();
            continue;
        }
        let mut reader =
            Reader { sheet: Sheet::new(table.attribute("name").unwrap_or_default()), row: 0, column: 0 };
        reader.rows(table, workbook, false, 0);
        workbook.push(reader.sheet);
    }
}

struct Reader {
    sheet: Sheet,
    row: u32,
    /// Of the columns' own list.
    column: u32,
}

impl Reader {
    fn rows(&mut self, element: Element<'_>, workbook: &mut Workbook, is_header: bool, depth: usize) {
        for child in element.children() {
            match child.name() {
                "table-column" => {
                    let repeats: u32 = child.number("number-columns-repeated").unwrap_or(1);
                    if child.attribute("visibility") == Some("collapse") {
                        let last = self.column.saturating_add(repeats).saturating_sub(1);
                        self.sheet.hide_columns(self.column, last);
                    }
                    self.column = self.column.saturating_add(repeats);
                }
                "table-row" => {
                    self.row(child, workbook);
                    if is_header {
                        self.sheet.header_end = Some(self.row);
                    }
                }
                "table-header-rows" => self.rows(child, workbook, true, depth + 1),
                "table-rows"
                | "table-row-group"
                | "table-columns"
                | "table-column-group"
                | "table-header-columns"
                    if depth < MAX_DEPTH =>
                {
                    self.rows(child, workbook, is_header, depth + 1);
                }
                "shapes" => {}
                _ => {}
            }
            if workbook.budget().is_spent() {
                return;
            }
        }
    }

    fn row(&mut self, row: Element<'_>, workbook: &mut Workbook) {
        let repeats: u32 = row.number("number-rows-repeated").unwrap_or(1).max(1);
        // Rows that a filter hides now are `filter`.
        if row.attribute("visibility") == Some("collapse") {
            self.sheet.hide_rows(self.row, self.row.saturating_add(repeats - 1));
        }
        let mut column = 0u32;
        for cell in row.children() {
            let wide: u32 = cell.number("number-columns-repeated").unwrap_or(1).max(1);
            if cell.name() == "table-cell" {
                let (text, kind) = shown(cell);
                if !text.trim().is_empty() {
                    for down in 0..repeats.min(MAX_REPEATS) {
                        for right in 0..wide.min(MAX_REPEATS) {
                            let place = (self.row.saturating_add(down), column.saturating_add(right));
                            self.sheet.push(workbook.budget(), place, &text, kind);
                        }
                    }
                }
                let columns: u32 = cell.number("number-columns-spanned").unwrap_or(1).max(1);
                let rows: u32 = cell.number("number-rows-spanned").unwrap_or(1).max(1);
                self.sheet.merge(Area {
                    top: self.row,
                    left: column,
                    bottom: self.row.saturating_add(rows - 1),
                    right: column.saturating_add(columns - 1),
                });
            }
            column = column.saturating_add(wide);
        }
        self.row = self.row.saturating_add(repeats);
    }
}

/// A cell's text as it is shown, and what it stands for.
fn shown(cell: Element<'_>) -> (String, CellKind) {
    let kind = match cell.attribute("value-type").unwrap_or_default() {
        "float" | "percentage" | "currency" => CellKind::Number,
        "date" | "time" => CellKind::Date,
        "boolean" => CellKind::Other,
        _ => CellKind::Text,
    };
    let lines: Vec<String> = cell.children_named("p").map(|line| line.text()).collect();
    let text = lines.join("\n");
    if !text.trim().is_empty() {
        return (text, kind);
    }
    let value = cell.attribute("value").and_then(|value| value.parse::<f64>().ok()).map(general);
    let other = || cell.attribute("date-value").or(cell.attribute("string-value")).map(str::to_owned);
    (value.or_else(other).unwrap_or_default(), kind)
}
