//! Excel binary workbooks (XLSB): [MS-XLSB]. The package is that of XLSX, its parts are lists of records.

use super::number_format::{Epoch, NumberFormat, general};
use super::{Area, Budget, CellKind, Sheet, Workbook};
use crate::document::ParsedDocument;
use crate::parse::ParseOptions;
use crate::parse::failure::ParseFailure;
use crate::parse::package::Package;
use crate::parse::sheets::xls::error_text;

const ROW_HEADER: u16 = 0;
const CELL_RK: u16 = 2;
const CELL_ERROR: u16 = 3;
const CELL_BOOL: u16 = 4;
const CELL_REAL: u16 = 5;
const CELL_STRING: u16 = 6;
const CELL_SHARED_STRING: u16 = 7;
const FORMULA_STRING: u16 = 8;
const FORMULA_NUMBER: u16 = 9;
const FORMULA_BOOL: u16 = 10;
const FORMULA_ERROR: u16 = 11;
const SHARED_STRING: u16 = 19;
const FORMAT: u16 = 44;
const CELL_FORMAT: u16 = 47;
const COLUMN_INFO: u16 = 60;
const CELL_RICH_STRING: u16 = 62;
const PANE: u16 = 151;
const WORKBOOK_PROPERTIES: u16 = 153;
const SHEET: u16 = 156;
const FILTER: u16 = 161;
const FILTER_COLUMN: u16 = 163;
const MERGED_CELL: u16 = 176;
const BEGIN_CELL_FORMATS: u16 = 617;
const END_CELL_FORMATS: u16 = 618;

/// # Errors
/// [`ParseFailure`] when the archive cannot be opened, or no sheet holds text.
pub(in crate::parse) fn parse(
    data: &[u8],
    media_type: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let mut package = Package::open(data, &options.limits)?;
    let mut workbook = Workbook::new(media_type, &options.limits);
    package.read_properties(workbook.document());
    let main = package.main_part("xl/workbook.bin");
    let bytes = package
        .bytes(&main)
        .ok_or_else(|| ParseFailure::damaged("the workbook has no list of its sheets"))?;
    let relations = package.relations(&main);
    let mut part = |kind: &str, usual: &str| {
        let name = relations.of_kind(kind).next().map_or(usual, |relation| &relation.target).to_owned();
        package.bytes(&name).unwrap_or_default()
    };
    let mut book = Book::default();
    book.read_strings(&part("sharedStrings", "xl/sharedStrings.bin"));
    book.read_formats(&part("styles", "xl/styles.bin"));
    for (kind, record) in Records(&bytes) {
        if workbook.is_full() {
            break;
        }
        if kind == WORKBOOK_PROPERTIES && u32_at(record, 0).is_some_and(|flags| flags & 1 == 1) {
            book.epoch = Epoch::Year1904;
        }
        if kind != SHEET {
            continue;
        }
        let Some((id, length)) = wide_string(record, 8) else { continue };
        let Some((name, _)) = wide_string(record, 8 + length) else { continue };
        if u32_at(record, 0) != Some(0) {
            workbook.skip_hidden();
            continue;
        }
        let Some(cells) = relations.target(&id).and_then(|target| package.bytes(target)) else { continue };
        let mut sheet = Sheet::new(name);
        book.read_sheet(&cells, &mut sheet, workbook.budget());
        workbook.push(sheet);
    }
    workbook.finish()
}

/// Kind and content of each record; ends at damage.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&first, mut rest) = self.0.split_first()?;
        let mut kind = u16::from(first);
        if first & 0x80 != 0 {
            let (&second, after) = rest.split_first()?;
            kind = u16::from(first & 0x7f) | u16::from(second & 0x7f) << 7;
            rest = after;
        }
        let mut length = 0usize;
        for step in 0..4 {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            length |= usize::from(byte & 0x7f) << (7 * step);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (record, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((kind, record))
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn f64_at(data: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?))
}

/// A string, and the bytes that it takes with its length.
fn wide_string(data: &[u8], at: usize) -> Option<(String, usize)> {
    let length = u32_at(data, at)? as usize;
    let bytes = data.get(at + 4..(at + 4).checked_add(length.checked_mul(2)?)?)?;
    Some((encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(), 4 + bytes.len()))
}

#[derive(Default)]
struct Book {
    epoch: Epoch,
    strings: Vec<String>,
    /// By cell format.
    formats: Vec<NumberFormat>,
}

impl Book {
    fn read_strings(&mut self, data: &[u8]) {
        for (kind, record) in Records(data) {
            if kind == SHARED_STRING {
                self.strings.push(wide_string(record, 1).map(|(text, _)| text).unwrap_or_default());
            }
        }
    }

    fn read_formats(&mut self, data: &[u8]) {
        let mut own = std::collections::HashMap::new();
        let mut in_cell_formats = false;
        for (kind, record) in Records(data) {
            match kind {
                FORMAT => {
                    if let (Some(id), Some((code, _))) = (u16_at(record, 0), wide_string(record, 2)) {
                        own.insert(id, NumberFormat::new(&code));
                    }
                }
                BEGIN_CELL_FORMATS => in_cell_formats = true,
                END_CELL_FORMATS => in_cell_formats = false,
                CELL_FORMAT if in_cell_formats => {
                    let id = u16_at(record, 2).unwrap_or(0);
                    let format = own.get(&id).cloned();
                    self.formats.push(format.unwrap_or_else(|| NumberFormat::built_in(u32::from(id))));
                }
                _ => {}
            }
        }
    }

    fn read_sheet(&self, data: &[u8], sheet: &mut Sheet, budget: &mut Budget) {
        let mut row = 0;
        let mut is_filtered = false;
        for (kind, record) in Records(data) {
            if budget.is_spent() {
                break;
            }
            match kind {
                ROW_HEADER => {
                    row = u32_at(record, 0).unwrap_or(row);
                    let flags = record.get(11).copied().unwrap_or(0);
                    // Height zero, and not a closed group of the outline.
                    if flags & 0x10 != 0 && flags & 7 == 0 {
                        sheet.hide_rows(row, row);
                    }
                }
                CELL_RK..=FORMULA_ERROR | CELL_RICH_STRING => {
                    self.push_cell(kind, record, row, sheet, budget)
                }
                COLUMN_INFO => {
                    let flags = u16_at(record, 16).unwrap_or(0);
                    if let (true, Some(first), Some(last)) =
                        (flags & 1 == 1 && flags >> 8 & 7 == 0, u32_at(record, 0), u32_at(record, 4))
                    {
                        sheet.hide_columns(first, last);
                    }
                }
                MERGED_CELL => sheet_area(record).into_iter().for_each(|area| sheet.merge(area)),
                FILTER => sheet.header_end = sheet_area(record).map(|area| area.top + 1).or(sheet.header_end),
                FILTER_COLUMN => is_filtered = true,
                PANE if record.get(28).is_some_and(|flags| flags & 1 == 1) => {
                    sheet.header_end = sheet.header_end.or(f64_at(record, 8).map(|rows| rows as u32));
                }
                _ => {}
            }
        }
        if is_filtered {
            sheet.hidden_rows.clear();
        }
    }

    fn push_cell(&self, kind: u16, record: &[u8], row: u32, sheet: &mut Sheet, budget: &mut Budget) {
        let (Some(column), Some(style)) = (u32_at(record, 0), u32_at(record, 4)) else { return };
        let place = (row, column);
        let number = match kind {
            CELL_RK => u32_at(record, 8).map(rk_number),
            CELL_REAL | FORMULA_NUMBER => f64_at(record, 8),
            _ => None,
        };
        if let Some(number) = number {
            let format = self.formats.get((style & 0xff_ffff) as usize);
            let shown = format.map_or_else(|| general(number), |format| format.show(number, self.epoch));
            let is_date = format.is_some_and(NumberFormat::is_date);
            sheet.push(budget, place, &shown, if is_date { CellKind::Date } else { CellKind::Number });
            return;
        }
        let byte = record.get(8).copied().unwrap_or(0);
        let (text, kind) = match kind {
            CELL_STRING | FORMULA_STRING => (wide_string(record, 8).map(|(text, _)| text), CellKind::Text),
            CELL_RICH_STRING => (wide_string(record, 9).map(|(text, _)| text), CellKind::Text),
            CELL_SHARED_STRING => (
                u32_at(record, 8).and_then(|index| self.strings.get(index as usize).cloned()),
                CellKind::Text,
            ),
            CELL_BOOL | FORMULA_BOOL => {
                (Some(if byte == 1 { "TRUE" } else { "FALSE" }.to_owned()), CellKind::Other)
            }
            CELL_ERROR | FORMULA_ERROR => (Some(error_text(byte).to_owned()), CellKind::Other),
            _ => (None, CellKind::Other),
        };
        if let Some(text) = text {
            sheet.push(budget, place, &text, kind);
        }
    }
}

fn sheet_area(record: &[u8]) -> Option<Area> {
    Some(Area {
        top: u32_at(record, 0)?,
        bottom: u32_at(record, 4)?,
        left: u32_at(record, 8)?,
        right: u32_at(record, 12)?,
    })
    .filter(|area| {
        area.top <= area.bottom && area.left <= area.right && area.bottom < 1 << 20 && area.right < 1 << 14
    })
}

/// A number in four bytes: the upper part of a double or a whole number, perhaps a hundredth of it.
pub(super) fn rk_number(rk: u32) -> f64 {
    let number =
        if rk & 2 == 2 { f64::from((rk as i32) >> 2) } else { f64::from_bits(u64::from(rk & !3) << 32) };
    if rk & 1 == 1 { number / 100.0 } else { number }
}
