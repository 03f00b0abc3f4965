//! JSON: what a record says as names and values, records of one kind as a table; notebooks as their cells.

mod notebook;
mod outline;
mod value;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::encoding;
use super::failure::ParseFailure;
use super::format::Format;
use crate::document::{Block, BlockKind, ParsedDocument, warning};
use value::Value;

pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let decoded = encoding::decode(data);
    let mut builder = DocumentBuilder::new(Format::Json.media_type(), &options.limits);
    decoded.report(builder.document());
    let value: Value = serde_json::from_str(decoded.text.trim_start_matches('\u{feff}').trim())
        .map_err(|error| ParseFailure::damaged(format!("the file is not valid JSON: {error}")))?;
    if notebook::is_notebook(&value) {
        notebook::read(&value, &mut builder);
    } else {
        if let Some(title) = ["title", "name"].into_iter().find_map(|key| value.text(key)) {
            builder.document().title = Some(title.to_owned());
        }
        outline::read(&value, &mut builder);
    }
    Ok(builder.finish())
}

/// Lines of JSON, each a record.
pub(super) fn parse_lines(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let decoded = encoding::decode(data);
    let mut builder = DocumentBuilder::new(Format::JsonLines.media_type(), &options.limits);
    decoded.report(builder.document());
    let mut records = Vec::new();
    let mut damaged = 0usize;
    for line in decoded.text.lines().map(|line| line.trim().trim_start_matches('\u{feff}')) {
        match serde_json::from_str::<Value>(line) {
            Ok(record) => records.push(record),
            Err(_) if line.is_empty() => {}
            Err(_) => {
                damaged += 1;
                builder.push(Block::new(BlockKind::Paragraph, line, None));
            }
        }
    }
    if damaged > 0 {
        builder.document().warn(
            warning::PARTLY_DAMAGED,
            format!("{damaged} lines are not valid JSON; they were read as text"),
        );
    }
    outline::read(&Value::Array(records), &mut builder);
    Ok(builder.finish())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
