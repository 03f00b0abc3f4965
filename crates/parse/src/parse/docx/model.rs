//! The model of the first library, `undoc`.

use undoc::model::{Block, Cell, ListType, Paragraph as SourceParagraph};

use super::{ListPlace, Model, Paragraph, Piece, TableCell};
use crate::parse::caught;
use crate::parse::grid::{Grid, SpannedCell};
use crate::parse::undoc_model::{self, paragraph_text};

pub(super) fn read(data: &[u8]) -> Result<Model, String> {
    let document = caught(|| undoc::parse_bytes(data))
        .ok_or("the parser panicked")?
        .map_err(|error| error.to_string())?;
    let mut pieces = Vec::new();
    for section in &document.sections {
        for block in &section.content {
            pieces.extend(piece(block));
        }
    }
    let (title, metadata) = undoc_model::metadata(document.metadata);
    Ok(Model { pieces, title, metadata })
}

fn piece(block: &Block) -> Option<Piece> {
    match block {
        Block::Paragraph(source) => Some(Piece::Paragraph(paragraph(source))),
        Block::Table(table) => {
            let mut grid = Grid::new();
            let rows: Vec<_> = table.rows.iter().map(|row| grid.row(row.cells.iter().map(cell))).collect();
            let headers = table
                .rows
                .iter()
                .take_while(|row| row.is_header || row.cells.iter().all(|cell| cell.is_header))
                .count();
            // A table that is all header has none; one that marks none has its first row by custom.
            let header_rows = if headers == 0 || headers == table.rows.len() {
                usize::from(table.rows.len() > 1)
            } else {
                headers
            };
            Some(Piece::Table { rows, header_rows })
        }
        Block::Note { label, content } => {
            let text: Vec<String> = content.iter().map(paragraph_text).collect();
            Some(Piece::Footnote(format!("[^{label}] {}", text.join("\n").trim())))
        }
        _ => None,
    }
}

fn cell(source: &Cell) -> SpannedCell<TableCell> {
    let mut paragraphs: Vec<Paragraph> = source.content.iter().map(paragraph).collect();
    for nested in &source.nested_tables {
        for row in &nested.rows {
            paragraphs.extend(row.cells.iter().flat_map(|cell| cell.content.iter().map(paragraph)));
        }
    }
    SpannedCell {
        again: TableCell { paragraphs: paragraphs.clone(), is_again: true },
        content: TableCell { paragraphs, is_again: false },
        columns: source.col_span as usize,
        rows: source.row_span as usize,
    }
}

fn paragraph(source: &SourceParagraph) -> Paragraph {
    let list = source.list_info.as_ref().map(|list| ListPlace {
        depth: list.level,
        number: if matches!(list.list_type, ListType::Numbered) { list.number } else { None },
    });
    Paragraph {
        text: paragraph_text(source),
        heading: source.heading.is_heading().then(|| source.heading.level()),
        list,
    }
}
