//! The model of the second library, `docx-rs`: for files that the first does not read.

use docx_rs::{
    DocumentChild, Paragraph as SourceParagraph, StructuredDataTag, StructuredDataTagChild, Table,
    TableCellContent, TableChild, TableRowChild,
};

use super::{ListPlace, Model, Paragraph, Piece, TableCell};
use crate::document::Metadata;
use crate::parse::caught;

/// Deeper nested content controls are left out.
const MAX_DEPTH: usize = 32;

pub(super) fn read(data: &[u8]) -> Result<Model, String> {
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
