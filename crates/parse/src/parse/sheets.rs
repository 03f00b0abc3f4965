//! Spreadsheets: each sheet is a heading and the tables that stand in it.
//!
//! Every format's reader fills the same [`Sheet`] with cells as they are shown: numbers in their formats, formulas as
//! the values that were last computed. What a person does not see is left out, with a warning: hidden sheets, rows and
//! columns. Rows that only a filter hides at the moment, and outline groups that are closed, are read.
//!
//! The sheet's number is the page, its name the page's label.

pub(super) mod delimited;
mod layout;
pub(super) mod number_format;
pub(super) mod ods;
mod regions;
mod xls;
mod xlsb;
mod xlsx;

pub(super) use xls::parse as parse_xls;
pub(super) use xlsb::parse as parse_xlsb;
pub(super) use xlsx::parse as parse_xlsx;

use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::limits::ContentLimits;
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument, warning};

/// Cells of a workbook beyond are not read.
const MAX_CELLS: usize = 6_000_000;
/// Merged areas of a sheet beyond are not read.
const MAX_MERGES: usize = 100_000;
/// Ranges of hidden rows or columns of a sheet beyond are not read.
const MAX_HIDDEN_RANGES: usize = 100_000;
/// Rows and columns with a higher number are damage.
const MAX_LINE: u32 = 1 << 24;
/// Sheets beyond are not read.
const MAX_SHEETS: usize = 2_000;
/// What a workbook holds of text outside its cells (text boxes) is cut at so many characters.
const MAX_SHAPE_CHARACTERS: usize = 200_000;

/// What a cell's text stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CellKind {
    #[default]
    Text,
    Number,
    Date,
    /// True, false, an error.
    Other,
}

/// A cell; its text is a range of the sheet's.
#[derive(Clone, Copy, Debug)]
struct Cell {
    row: u32,
    column: u32,
    start: u32,
    length: u32,
    kind: CellKind,
}

/// Rows and columns from 0, all inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) top: u32,
    pub(super) left: u32,
    pub(super) bottom: u32,
    pub(super) right: u32,
}

impl Area {
    /// From `B2:D9` or `B2`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.replace('$', "");
        let (first, last) = text.split_once(':').unwrap_or((&text, &text));
        let ((top, left), (bottom, right)) = (cell_place(first)?, cell_place(last)?);
        (top <= bottom && left <= right).then_some(Self { top, left, bottom, right })
    }

    fn contains(&self, row: u32, column: u32) -> bool {
        (self.top..=self.bottom).contains(&row) && (self.left..=self.right).contains(&column)
    }
}

/// Row and column, from 0, that `B7` stands for.
fn cell_place(text: &str) -> Option<(u32, u32)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(1..=3).contains(&letters) {
        return None;
    }
    let column = text[..letters]
        .bytes()
        .fold(0u32, |column, letter| column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1);
    let row: u32 = text[letters..].parse().ok()?;
    Some((row.checked_sub(1)?, column - 1))
}

/// A table that the file itself marks as one.
#[derive(Clone, Copy, Debug)]
struct MarkedTable {
    area: Area,
    header_rows: u32,
}

/// What stands in one sheet.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    name: String,
    cells: Vec<Cell>,
    text: String,
    merges: Vec<Area>,
    /// First and last, in any order.
    hidden_rows: Vec<(u32, u32)>,
    hidden_columns: Vec<(u32, u32)>,
    tables: Vec<MarkedTable>,
    /// Rows above this one head the table, by the file's own word (frozen rows, a filter's row).
    header_end: Option<u32>,
    /// Text boxes and descriptions of pictures.
    shapes: Vec<Block>,
}

/// How much of a workbook may still be read.
pub(super) struct Budget {
    cells: usize,
    characters: usize,
    is_spent: bool,
}

impl Budget {
    pub(super) fn new(limits: &ContentLimits) -> Self {
        Self { cells: MAX_CELLS, characters: limits.max_characters, is_spent: false }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }
}

impl Sheet {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Takes a cell as it is shown, unless it is empty or the budget is spent.
    pub(super) fn push(&mut self, budget: &mut Budget, place: (u32, u32), text: &str, kind: CellKind) {
        let text = text.trim();
        if text.is_empty() || budget.is_spent || place.0 > MAX_LINE || place.1 > MAX_LINE {
            return;
        }
        let start = self.text.len();
        if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
            self.text.push_str(text);
        } else {
            text.chars().for_each(|character| clean::push_normalised(&mut self.text, character));
        }
        let length = self.text.len() - start;
        let characters = text.chars().count();
        if budget.cells == 0 || characters > budget.characters || self.text.len() > u32::MAX as usize {
            self.text.truncate(start);
            budget.is_spent = true;
            return;
        }
        budget.cells -= 1;
        budget.characters -= characters;
        self.cells.push(Cell {
            row: place.0,
            column: place.1,
            start: start as u32,
            length: length as u32,
            kind,
        });
    }

    pub(super) fn merge(&mut self, area: Area) {
        if self.merges.len() < MAX_MERGES
            && (area.bottom > area.top || area.right > area.left)
            && area.bottom.max(area.right) <= MAX_LINE
        {
            self.merges.push(area);
        }
    }

    pub(super) fn hide_rows(&mut self, first: u32, last: u32) {
        hide(&mut self.hidden_rows, first, last);
    }

    pub(super) fn hide_columns(&mut self, first: u32, last: u32) {
        hide(&mut self.hidden_columns, first, last);
    }

    fn cell_text(&self, cell: &Cell) -> &str {
        self.text.get(cell.start as usize..(cell.start + cell.length) as usize).unwrap_or_default()
    }
}

fn hide(ranges: &mut Vec<(u32, u32)>, first: u32, last: u32) {
    let last = last.min(MAX_LINE);
    if first > last {
        return;
    }
    let has_room = ranges.len() < MAX_HIDDEN_RANGES;
    match ranges.last_mut() {
        Some((_, end)) if *end + 1 == first => *end = last,
        _ if has_room => ranges.push((first, last)),
        _ => {}
    }
}

/// A workbook's sheets made a document.
pub(super) struct Workbook {
    builder: DocumentBuilder,
    budget: Budget,
    hidden_sheets: usize,
    hidden_lines: usize,
    sheets: u32,
}

impl Workbook {
    pub(super) fn new(media_type: &str, limits: &ContentLimits) -> Self {
        Self {
            builder: DocumentBuilder::new(media_type, limits),
            budget: Budget::new(limits),
            hidden_sheets: 0,
            hidden_lines: 0,
            sheets: 0,
        }
    }

    pub(super) fn document(&mut self) -> &mut ParsedDocument {
        self.builder.document()
    }

    pub(super) fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    /// Whether nothing more is taken.
    pub(super) fn is_full(&self) -> bool {
        self.builder.is_full() || self.budget.is_spent || self.sheets as usize >= MAX_SHEETS
    }

    /// A sheet of the workbook that is not shown; it need not be read.
    pub(super) fn skip_hidden(&mut self) {
        self.hidden_sheets += 1;
    }

    /// Adds a sheet under its name.
    pub(super) fn push(&mut self, sheet: Sheet) {
        self.sheets += 1;
        let page = Some(self.sheets);
        let document = self.builder.document();
        document.page_count = page;
        document.page_labels.push(sheet.name.clone());
        let name = clean::normalise(sheet.name.trim());
        let (blocks, hidden) = layout::blocks(sheet, page);
        self.hidden_lines += hidden;
        if blocks.is_empty() {
            return;
        }
        self.builder.push(Block::new(BlockKind::Heading { level: 1 }, name, page));
        blocks.into_iter().for_each(|block| self.builder.push(block));
    }

    /// # Errors
    /// [`FailureCode::NoText`] when no sheet holds any.
    pub(super) fn finish(self) -> Result<ParsedDocument, ParseFailure> {
        let is_spent = self.budget.is_spent;
        let (sheets, lines) = (self.hidden_sheets, self.hidden_lines);
        let mut document = self.builder.finish();
        if is_spent && document.warnings.iter().all(|warned| warned.code != warning::TEXT_TRUNCATED) {
            document
                .warn(warning::TEXT_TRUNCATED, "the workbook is larger than the limit: its end was not read");
        }
        if sheets + lines > 0 {
            document.warn(
                warning::HIDDEN_LEFT_OUT,
                format!("{sheets} hidden sheets and {lines} hidden rows or columns were not read"),
            );
        }
        if document.blocks.is_empty() {
            return Err(ParseFailure::new(
                FailureCode::NoText,
                "the workbook holds no text in the sheets that it shows",
            ));
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests;
