//! Word documents (DOCX).
//!
//! The document is read from its XML ([`body`]). For files that this finds nothing in, the text comes from a library's
//! model (`undoc`; `docx-rs` when that fails too), and what the models lose is laid over them paragraph by paragraph:
//! numbers that Word makes (`第一条`, `2.1`), levels of headings that only the outline level marks, and the page where
//! Word last broke the text.

mod body;
mod model;
mod numbering;
mod overlay;
mod second;
mod styles;

use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::format::Format;
use super::package::Package;
use super::{Engine, ParseOptions};
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument, warning};
use overlay::{Overlay, ParagraphNotes};

/// Longer paragraphs are not headings, whatever their outline level says (text columns).
const MAX_HEADING_COLUMNS: usize = 200;

/// A document as both libraries' models give it.
struct Model {
    pieces: Vec<Piece>,
    title: Option<String>,
    metadata: crate::document::Metadata,
}

/// A part of the document's body in order.
enum Piece {
    Paragraph(Paragraph),
    Table { rows: Vec<Vec<TableCell>>, header_rows: usize },
    Footnote(String),
}

#[derive(Clone, Default)]
struct TableCell {
    paragraphs: Vec<Paragraph>,
    /// It stands here again because it spans rows; the paragraphs are those of the row above.
    is_again: bool,
}

#[derive(Clone, Default)]
struct Paragraph {
    text: String,
    /// 1 to 6 where the model knows it to be a heading.
    heading: Option<u8>,
    list: Option<ListPlace>,
}

/// Where in a list a paragraph stands, as far as the model knows.
#[derive(Clone)]
struct ListPlace {
    depth: u8,
    number: Option<u32>,
}

pub(super) fn parse(data: Vec<u8>, options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let mut package = Package::open(&data, &options.limits)?;
    if options.engine == Engine::First
        && let Some(document) = body::read(&mut package, options)
        && !document.is_blank()
    {
        return Ok(document);
    }
    let overlay = Overlay::read(&mut package);
    drop(package);

    let mut builder = DocumentBuilder::new(Format::Docx.media_type(), &options.limits);
    let model = match options.engine {
        Engine::First => model::read(&data).or_else(|error| {
            tracing::debug!(%error, "the first parser failed");
            builder.document().warn(
                warning::SECOND_PARSER,
                "the file is damaged or unusual and was read by the second parser",
            );
            second::read(&data)
        }),
        Engine::Second => second::read(&data),
    };
    let model = model.map_err(|error| {
        tracing::debug!(%error, "no parser reads the file");
        ParseFailure::damaged(
            "the file is damaged: it is a Word document by its parts, but cannot be read as one",
        )
    })?;
    let overlay = overlay.unwrap_or_else(|error| {
        tracing::debug!(%error, "numbers and outline levels not read");
        builder
            .document()
            .warn(warning::PARTLY_DAMAGED, "numbers and outline levels of paragraphs could not be read");
        Overlay::default()
    });
    assemble(model, overlay, &mut builder);
    let mut document = builder.finish();
    if document.is_blank() {
        return Err(ParseFailure::new(
            FailureCode::NoText,
            "the document holds no text; text in its pictures cannot be recognised yet",
        ));
    }
    document.page_count = document.blocks.iter().filter_map(|block| block.page).max();
    Ok(document)
}

fn assemble(model: Model, mut overlay: Overlay, builder: &mut DocumentBuilder) {
    for piece in model.pieces {
        match piece {
            Piece::Paragraph(paragraph) => {
                let notes = overlay.next(&paragraph.text);
                builder.push(block(&paragraph, &notes));
            }
            Piece::Table { rows, header_rows } => {
                let mut page = None;
                let rows = rows
                    .iter()
                    .map(|row| row.iter().map(|cell| cell_text(cell, &mut overlay, &mut page)).collect())
                    .collect();
                builder.push(Block::table(rows, header_rows, page));
            }
            Piece::Footnote(text) => {
                builder.push(Block::new(BlockKind::Footnote, clean::normalise(text.trim()), None))
            }
        }
        if builder.is_full() {
            break;
        }
    }
    let document = builder.document();
    document.metadata = model.metadata;
    document.title = model.title.filter(|title| title.trim().chars().count() > 1).or_else(|| {
        let first =
            document.blocks.iter().find(|block| matches!(block.kind, BlockKind::Heading { level: 1 }))?;
        Some(first.text.clone())
    });
}

fn block(paragraph: &Paragraph, notes: &ParagraphNotes) -> Block {
    let text = clean::normalise(paragraph.text.trim());
    let heading =
        paragraph.heading.or(notes.outline_level).filter(|_| clean::columns(&text) <= MAX_HEADING_COLUMNS);
    let kind = match (heading, &paragraph.list) {
        (Some(level), _) => BlockKind::Heading { level: level.clamp(1, 6) },
        (None, Some(list)) => BlockKind::ListItem { depth: list.depth },
        // An article (`第一条 …`) or a numbered clause of text is a paragraph that begins with its number.
        (None, None) => BlockKind::Paragraph,
    };
    let text = match (&notes.label, &paragraph.list) {
        _ if text.is_empty() => text,
        (Some(label), _) => format!("{label}{text}"),
        (None, Some(ListPlace { number: Some(number), .. })) => format!("{number}. {text}"),
        (None, Some(_)) if heading.is_none() => format!("• {text}"),
        (None, _) => text,
    };
    Block::new(kind, text, notes.page)
}

fn cell_text(cell: &TableCell, overlay: &mut Overlay, page: &mut Option<u32>) -> String {
    let mut lines = Vec::new();
    for paragraph in &cell.paragraphs {
        let notes = if cell.is_again { ParagraphNotes::default() } else { overlay.next(&paragraph.text) };
        *page = page.or(notes.page);
        let text = clean::normalise(paragraph.text.trim());
        if !text.is_empty() {
            lines.push(notes.label.map_or(text.clone(), |label| format!("{label}{text}")));
        }
    }
    lines.join(" ")
}

#[cfg(test)]
mod tests;
