//! The model of the second library, `docx-rs`: for files that the first does not read.

use std::io::{BufReader, Cursor, Read};

use docx_rs::{
    DocumentChild, Paragraph as SourceParagraph, StructuredDataTag, StructuredDataTagChild, Table,
    TableCellContent, TableChild, TableRowChild,
};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::{ListPlace, Model, Paragraph, Piece, TableCell};
use crate::document::Metadata;
use crate::parse::caught;

/// Deeper nested content controls are left out.
const MAX_DEPTH: usize = 32;
/// A larger part is not read by this library.
const MAX_PART_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn read(data: &[u8]) -> Result<Model, String> {
    // docx-rs 0.4 reads relations and other parts up to their closing tag, and for ever when there is none.
    if let Some(part) = unfinished_part(data)? {
        return Err(format!("the part {part} is cut off"));
    }
    let document = caught(|| docx_rs::read_docx(data))
        .ok_or("the parser panicked")?
        .map_err(|error| error.to_string())?;
    let mut pieces = Vec::new();
    for child in document.document.children {
        match child {
            DocumentChild::Paragraph(source) => pieces.push(Piece::Paragraph(paragraph(&source))),
            DocumentChild::Table(table) => pieces.push(self::table(&table)),
            DocumentChild::StructuredDataTag(tag) => structured(&tag, 0, &mut pieces),
            _ => {}
        }
    }
    Ok(Model { pieces, title: None, metadata: Metadata::default() })
}

/// The name of a part that is no well-formed XML.
fn unfinished_part(data: &[u8]) -> Result<Option<String>, String> {
    let mut archive = ZipArchive::new(Cursor::new(data)).map_err(|error| error.to_string())?;
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index(index) else { continue };
        let name = entry.name().to_owned();
        let is_xml = name.ends_with(".xml") || name.ends_with(".rels");
        if is_xml && !is_finished(BufReader::new(entry.take(MAX_PART_BYTES))) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Whether every element is closed by its own tag.
fn is_finished(part: impl std::io::BufRead) -> bool {
    let mut reader = Reader::from_reader(part);
    let (mut depth, mut elements) = (0usize, 0usize);
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(_)) => {
                depth += 1;
                elements += 1;
            }
            Ok(Event::Empty(_)) => elements += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return depth == 0 && elements > 0,
            Ok(_) => {}
            Err(_) => return false,
        }
        buffer.clear();
    }
}

fn structured(tag: &StructuredDataTag, depth: usize, pieces: &mut Vec<Piece>) {
    for child in &tag.children {
        match child {
            StructuredDataTagChild::Paragraph(source) => pieces.push(Piece::Paragraph(paragraph(source))),
            StructuredDataTagChild::Table(table) => pieces.push(self::table(table)),
            StructuredDataTagChild::StructuredDataTag(inner) if depth < MAX_DEPTH => {
                structured(inner, depth + 1, pieces)
            }
            _ => {}
        }
    }
}

fn table(table: &Table) -> Piece {
    let mut rows = Vec::new();
    for TableChild::TableRow(row) in &table.rows {
        let mut cells = Vec::new();
        for TableRowChild::TableCell(cell) in &row.cells {
            let paragraphs = cell.children.iter().filter_map(|content| match content {
                TableCellContent::Paragraph(source) => Some(paragraph(source)),
                _ => None,
            });
            cells.push(TableCell { paragraphs: paragraphs.collect(), is_again: false });
        }
        rows.push(cells);
    }
    let header_rows = usize::from(rows.len() > 1);
    Piece::Table { rows, header_rows }
}

fn paragraph(source: &SourceParagraph) -> Paragraph {
    let style = source.property.style.as_ref().map(|style| style.val.to_lowercase()).unwrap_or_default();
    let heading = style
        .strip_prefix("heading")
        .or_else(|| style.strip_prefix("标题"))
        .and_then(|level| level.trim().parse().ok());
    let list = source.property.numbering_property.as_ref().map(|numbering| ListPlace {
        depth: numbering.level.as_ref().map_or(0, |level| u8::try_from(level.val).unwrap_or(0)),
        number: None,
    });
    Paragraph { text: source.raw_text(), heading, list }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_part_that_is_cut_off_is_refused() {
        for (relations, unfinished) in [
            ("<Relationships><Relationship Id='a'/></Relationships>", None),
            ("<Relationships><Relationship Id='a'/>", Some("_rels/.rels")),
            ("", Some("_rels/.rels")),
        ] {
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            writer.start_file("_rels/.rels", zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(relations.as_bytes()).unwrap();
            let data = writer.finish().unwrap().into_inner();
            assert_eq!(unfinished_part(&data).unwrap().as_deref(), unfinished, "{relations}");
        }
    }
}
