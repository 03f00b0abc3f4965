//! Values separated by commas, semicolons, tabs or bars (CSV, TSV; RFC 4180 and what programs make of it).

use super::{Budget, CellKind, Sheet, Workbook, layout};
use crate::document::{Block, ParsedDocument};
use crate::parse::ParseOptions;
use crate::parse::encoding;
use crate::parse::failure::ParseFailure;

const SEPARATORS: [u8; 4] = *b",;\t|";
/// How much of a file is looked at to find what separates its values.
const SAMPLE_BYTES: usize = 64 * 1024;
/// Rows of the sample that are counted.
const SAMPLE_ROWS: usize = 200;

/// # Errors
/// [`ParseFailure`] when the file holds no text.
pub(in crate::parse) fn parse(
    data: &[u8],
    media_type: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let decoded = encoding::decode(data);
    let mut workbook = Workbook::new(media_type, &options.limits);
    decoded.report(workbook.document());
    let (separator, text) = dialect(&decoded.text);
    let mut sheet = Sheet::new("");
    read(text, separator, &mut sheet, workbook.budget());
    workbook.push_unnamed(sheet);
    workbook.finish()
}

/// What separates the values, and the text behind a line that says so (`sep=;`).
fn dialect(text: &str) -> (u8, &str) {
    if let Some(rest) = text.strip_prefix("sep=")
        && let Some((separator, rest)) = rest.split_once('\n')
        && let [separator] = separator.trim_end_matches('\r').as_bytes()
    {
        return (*separator, rest);
    }
    let end = (0..=text.len().min(SAMPLE_BYTES)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let sample = &text[..end];
    let best = SEPARATORS.into_iter().max_by_key(|&separator| consistency(sample, separator));
    (best.filter(|&separator| consistency(sample, separator).0 > 0).unwrap_or(b','), text)
}

/// How many rows have the commonest number of values above one, and that number; the first separator wins a tie.
fn consistency(sample: &str, separator: u8) -> (usize, usize, std::cmp::Reverse<usize>) {
    let mut counts = std::collections::HashMap::new();
    for record in reader(sample, separator).byte_records().flatten().take(SAMPLE_ROWS) {
        *counts.entry(record.len()).or_insert(0usize) += 1;
    }
    let order = SEPARATORS.iter().position(|&other| other == separator).unwrap_or(0);
    let best =
        counts.into_iter().filter(|&(fields, _)| fields > 1).max_by_key(|&(fields, rows)| (rows, fields));
    let (fields, rows) = best.unwrap_or((0, 0));
    (rows, fields, std::cmp::Reverse(order))
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

fn read(text: &str, separator: u8, sheet: &mut Sheet, budget: &mut Budget) {
    let mut record = csv::StringRecord::new();
    let mut reader = reader(text, separator);
    let mut row = 0;
    while !budget.is_spent() && reader.read_record(&mut record).unwrap_or(false) {
        // The reader leaves empty lines out; they separate tables here.
        let line = record.position().map_or(0, |position| position.line()) as u32;
        row = line.saturating_sub(1).max(row);
        for (column, value) in (0u32..).zip(&record) {
            sheet.push(budget, (row, column), value, kind(value.trim()));
        }
        row += 1;
    }
}

/// What a value looks like.
fn kind(value: &str) -> CellKind {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return CellKind::Text;
    }
    let plain = value.trim_start_matches(['-', '+', '$', '¥', '€', '£', '￥']).trim_end_matches('%');
    let is_number = plain.trim().chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' '))
        || plain.parse::<f64>().is_ok();
    let is_date =
        value.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '/' | ':' | '.' | ' ' | 'T' | 'Z'));
    match (is_number, is_date) {
        (true, _) => CellKind::Number,
        (false, true) => CellKind::Date,
        _ => CellKind::Text,
    }
}

impl Workbook {
    /// Adds the one sheet of a file that has no sheets.
    fn push_unnamed(&mut self, sheet: Sheet) {
        let (blocks, _): (Vec<Block>, usize) = layout::blocks(sheet, None);
        blocks.into_iter().for_each(|block| self.builder.push(block));
    }
}
