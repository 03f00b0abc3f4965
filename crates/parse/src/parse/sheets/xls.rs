//! Excel 97-2003 workbooks (XLS): [MS-XLS], a stream of records in a compound file. Older streams are left to a
//! library.

mod records;

use super::number_format::{Epoch, NumberFormat, general};
use super::xlsb::rk_number;
use super::{Area, Budget, CellKind, Sheet, Workbook};
use crate::document::ParsedDocument;
use crate::parse::failure::{FailureCode, ParseFailure};
use crate::parse::{Engine, ParseOptions, compound, legacy};
use records::{Record, Records, string8, string16};

const FORMULA: u16 = 0x06;
const END: u16 = 0x0a;
const DATE_1904: u16 = 0x22;
const PASSWORD: u16 = 0x2f;
const PANE: u16 = 0x41;
const COLUMN_INFO: u16 = 0x7d;
const SHEET: u16 = 0x85;
const FILTER_MODE: u16 = 0x9b;
const MULTIPLE_RK: u16 = 0xbd;
const RICH_STRING: u16 = 0xd6;
const CELL_FORMAT: u16 = 0xe0;
const MERGED_CELLS: u16 = 0xe5;
const SHARED_STRINGS: u16 = 0xfc;
const SHARED_STRING: u16 = 0xfd;
const NUMBER: u16 = 0x203;
const LABEL: u16 = 0x204;
const BOOL_OR_ERROR: u16 = 0x205;
const STRING: u16 = 0x207;
const ROW: u16 = 0x208;
const WINDOW: u16 = 0x23e;
const RK: u16 = 0x27e;
const FORMAT: u16 = 0x41e;
const BEGIN: u16 = 0x809;

/// The version that this module reads.
const BIFF8: u16 = 0x0600;
/// The kind of a substream that is a worksheet.
const WORKSHEET: u8 = 0;

/// # Errors
/// [`ParseFailure`] when the file is damaged or under a password, or no sheet holds text.
pub(in crate::parse) fn parse(
    data: Vec<u8>,
    media_type: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    if options.engine == Engine::Second {
        return legacy::parse(data, media_type, options);
    }
    let mut file = compound::open(&data)?;
    let Some(stream) = compound::stream(&mut file, "Workbook") else {
        return legacy::parse(data, media_type, options);
    };
    let first = Records::new(&stream, 0).next();
    if first.is_none_or(|record| record.kind != BEGIN || record.u16(0) != Some(BIFF8)) {
        return legacy::parse(data, media_type, options);
    }
    let mut workbook = Workbook::new(media_type, &options.limits);
    compound::read_properties(&mut file, workbook.document());
    let book = Book::read(&stream)?;
    for entry in &book.sheets {
        if workbook.is_full() {
            break;
        }
        if entry.kind != WORKSHEET {
            continue;
        }
        if entry.is_hidden {
            workbook.skip_hidden();
            continue;
        }
        let mut sheet = Sheet::new(entry.name.clone());
        book.read_sheet(Records::new(&stream, entry.offset), &mut sheet, workbook.budget());
        workbook.push(sheet);
    }
    workbook.finish()
}

struct Entry {
    name: String,
    offset: usize,
    is_hidden: bool,
    kind: u8,
}

/// What all sheets share.
#[derive(Default)]
struct Book {
    epoch: Epoch,
    sheets: Vec<Entry>,
    strings: Vec<String>,
    /// By cell format, the number of its number format.
    cell_formats: Vec<u16>,
    formats: std::collections::HashMap<u16, NumberFormat>,
}

impl Book {
    fn read(stream: &[u8]) -> Result<Self, ParseFailure> {
        let mut book = Self::default();
        let mut records = Records::new(stream, 0);
        while let Some(record) = records.next() {
            match record.kind {
                END => break,
                PASSWORD => {
                    return Err(ParseFailure::new(
                        FailureCode::Encrypted,
                        "the workbook is protected by a password; save it without one and upload it again",
                    ));
                }
                DATE_1904 if record.u16(0) == Some(1) => book.epoch = Epoch::Year1904,
                FORMAT => {
                    if let (Some(id), Some(code)) = (record.u16(0), string16(record.data, 2)) {
                        book.formats.insert(id, NumberFormat::new(&code));
                    }
                }
                CELL_FORMAT => book.cell_formats.push(record.u16(2).unwrap_or(0)),
                SHEET => {
                    let flags = record.data.get(4..6).unwrap_or(&[0, 1]);
                    if let (Some(offset), Some(name)) = (record.u32(0), string8(record.data, 6)) {
                        let is_hidden = flags[0] & 3 != 0;
                        book.sheets.push(Entry { name, offset: offset as usize, is_hidden, kind: flags[1] });
                    }
                }
                SHARED_STRINGS => book.strings = records::shared_strings(record.data, &mut records),
                _ => {}
            }
        }
        for &id in &book.cell_formats {
            book.formats.entry(id).or_insert_with(|| NumberFormat::built_in(u32::from(id)));
        }
        Ok(book)
    }

    fn read_sheet(&self, records: Records<'_>, sheet: &mut Sheet, budget: &mut Budget) {
        // Charts inside a sheet are streams in the stream.
        let mut depth = 0;
        let mut is_filtered = false;
        let mut frozen = None;
        let mut is_frozen = false;
        let mut formula_place = None;
        for record in records {
            match record.kind {
                BEGIN => depth += 1,
                END if depth <= 1 => break,
                END => depth -= 1,
                _ if depth > 1 => {}
                STRING => {
                    if let (Some(place), Some(text)) = (formula_place.take(), string16(record.data, 0)) {
                        sheet.push(budget, place, &text, CellKind::Text);
                    }
                }
                FILTER_MODE => is_filtered = true,
                PANE => frozen = record.u16(2),
                WINDOW => is_frozen = record.u16(0).is_some_and(|flags| flags & 8 != 0),
                ROW => {
                    let flags = record.u32(12).unwrap_or(0);
                    if let (true, Some(row)) = (flags & 0x20 != 0 && flags & 7 == 0, record.u16(0)) {
                        sheet.hide_rows(u32::from(row), u32::from(row));
                    }
                }
                COLUMN_INFO => {
                    let flags = record.u16(8).unwrap_or(0);
                    if let (true, Some(first), Some(last)) =
                        (flags & 1 != 0 && flags >> 8 & 7 == 0, record.u16(0), record.u16(2))
                    {
                        sheet.hide_columns(u32::from(first), u32::from(last));
                    }
                }
                MERGED_CELLS => merged(&record).for_each(|area| sheet.merge(area)),
                FORMULA => formula_place = self.push_formula(&record, sheet, budget),
                _ => self.push_cell(&record, sheet, budget),
            }
            if budget.is_spent() {
                break;
            }
        }
        if is_filtered {
            sheet.hidden_rows.clear();
        }
        sheet.header_end = frozen.filter(|&rows| is_frozen && rows > 0).map(u32::from);
    }

    fn push_cell(&self, record: &Record<'_>, sheet: &mut Sheet, budget: &mut Budget) {
        let (Some(row), Some(column), Some(style)) = (record.u16(0), record.u16(2), record.u16(4)) else {
            return;
        };
        let place = (u32::from(row), u32::from(column));
        match record.kind {
            NUMBER => {
                if let Some(number) = record.f64(6) {
                    self.push_number(place, style, number, sheet, budget);
                }
            }
            RK => {
                if let Some(rk) = record.u32(6) {
                    self.push_number(place, style, rk_number(rk), sheet, budget);
                }
            }
            MULTIPLE_RK => {
                let pairs = record.data.get(4..record.data.len().saturating_sub(2)).unwrap_or_default();
                for (column, pair) in (place.1..).zip(pairs.chunks_exact(6)) {
                    let pair = Record { kind: RK, data: pair };
                    if let (Some(style), Some(rk)) = (pair.u16(0), pair.u32(2)) {
                        self.push_number((place.0, column), style, rk_number(rk), sheet, budget);
                    }
                }
            }
            SHARED_STRING => {
                if let Some(text) = record.u32(6).and_then(|index| self.strings.get(index as usize)) {
                    sheet.push(budget, place, text, CellKind::Text);
                }
            }
            LABEL | RICH_STRING => {
                if let Some(text) = string16(record.data, 6) {
                    sheet.push(budget, place, &text, CellKind::Text);
                }
            }
            BOOL_OR_ERROR => {
                let (value, is_error) =
                    (record.data.get(6).copied().unwrap_or(0), record.data.get(7) == Some(&1));
                sheet.push(budget, place, bool_or_error(value, is_error), CellKind::Other);
            }
            _ => {}
        }
    }

    /// Takes a formula's value; answers its place when the value is the text in the next record.
    fn push_formula(
        &self,
        record: &Record<'_>,
        sheet: &mut Sheet,
        budget: &mut Budget,
    ) -> Option<(u32, u32)> {
        let place = (u32::from(record.u16(0)?), u32::from(record.u16(2)?));
        let value = record.data.get(6..14)?;
        if value[6..] != [0xff, 0xff] {
            self.push_number(place, record.u16(4)?, record.f64(6)?, sheet, budget);
            return None;
        }
        match value[0] {
            0 => return Some(place),
            1 => sheet.push(budget, place, bool_or_error(value[2], false), CellKind::Other),
            2 => sheet.push(budget, place, bool_or_error(value[2], true), CellKind::Other),
            _ => {}
        }
        None
    }

    fn push_number(
        &self,
        place: (u32, u32),
        style: u16,
        number: f64,
        sheet: &mut Sheet,
        budget: &mut Budget,
    ) {
        let format = self.cell_formats.get(usize::from(style)).and_then(|id| self.formats.get(id));
        let shown = format.map_or_else(|| general(number), |format| format.show(number, self.epoch));
        let is_date = format.is_some_and(NumberFormat::is_date);
        sheet.push(budget, place, &shown, if is_date { CellKind::Date } else { CellKind::Number });
    }
}

fn merged(record: &Record<'_>) -> impl Iterator<Item = Area> {
    record.data.get(2..).unwrap_or_default().chunks_exact(8).map(|chunk| {
        let number = |at: usize| u32::from(u16::from_le_bytes([chunk[at], chunk[at + 1]]));
        let (top, left) = (number(0), number(4));
        Area { top, left, bottom: number(2).max(top), right: number(6).max(left) }
    })
}

fn bool_or_error(value: u8, is_error: bool) -> &'static str {
    match (is_error, value) {
        (true, code) => error_text(code),
        (false, 0) => "FALSE",
        (false, _) => "TRUE",
    }
}

/// The text of an error's code, which all binary formats share.
pub(super) fn error_text(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        0x2b => "#GETTING_DATA",
        _ => "#N/A",
    }
}
