//! Word, Excel and PowerPoint files of 1997 to 2003 and before, and damaged newer ones: the model of a library
//! (`undoc`) made blocks.

use undoc::model::{Block as SourceBlock, Cell, ListType, Paragraph, Section, Table};

use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::grid::{Grid, SpannedCell};
use super::undoc_model::{self, paragraph_text};
use super::{ParseOptions, caught};
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument};

/// Longer paragraphs are not headings, whatever their level says (text columns).
const MAX_HEADING_COLUMNS: usize = 200;

/// # Errors
/// [`ParseFailure`] when the library does not read the file, the file is under a password, or it holds no text.
pub(super) fn parse(
    data: Vec<u8>,
    media_type: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let damaged =
        || ParseFailure::damaged("the file is damaged: it cannot be read as the kind of document that it is");
    let source = match caught(|| undoc::parse_bytes(&data)) {
        Some(Ok(source)) => source,
        Some(Err(error)) if matches!(error.kind(), undoc::ErrorKind::Encrypted) => {
            return Err(ParseFailure::new(
                FailureCode::Encrypted,
                "the document is protected by a password; save it without one and upload it again",
            ));
        }
        Some(Err(error)) => {
            tracing::debug!(%error, "no parser reads the file");
            return Err(damaged());
        }
        None => return Err(damaged()),
    };
    drop(data);
    let mut reader = Reader {
        builder: DocumentBuilder::new(media_type, &options.limits),
        page: None,
        is_paged: media_type.contains("powerpoint")
            || media_type.contains("presentation")
            || media_type.contains("excel")
            || media_type.contains("spreadsheet"),
    };
    for section in &source.sections {
        reader.section(section);
    }
    let (title, metadata) = undoc_model::metadata(source.metadata);
    let document = reader.builder.document();
    document.metadata = metadata;
    document.title = title.filter(|title| title.trim().chars().count() > 1);
    if reader.is_paged {
        document.page_count = u32::try_from(source.sections.len()).ok();
    }
    let document = reader.builder.finish();
    if document.is_blank() {
        return Err(ParseFailure::new(FailureCode::NoText, "the document holds no text"));
    }
    Ok(document)
}

struct Reader {
    builder: DocumentBuilder,
    page: Option<u32>,
    /// Sections are slides or sheets.
    is_paged: bool,
}

impl Reader {
    fn push(&mut self, kind: BlockKind, text: &str) {
        let text = clean::normalise(text.trim());
        self.builder.push(Block::new(kind, text, self.page));
    }

    fn section(&mut self, section: &Section) {
        if self.is_paged {
            self.page = u32::try_from(section.index + 1).ok();
            // Slides without a title are called by their number.
            let number = format!("Slide {}", section.index + 1);
            if let Some(name) = section.name.as_ref().filter(|name| **name != number) {
                self.push(BlockKind::Heading { level: 1 }, name);
            }
        }
        let mut is_first = true;
        for block in &section.content {
            let repeats_name = is_first && self.is_paged && is_same_text(block, section.name.as_deref());
            is_first = false;
            if !repeats_name {
                self.block(block);
            }
            if self.builder.is_full() {
                return;
            }
        }
        let notes = section.notes.iter().flatten().map(paragraph_text).collect::<Vec<_>>().join("\n");
        self.push(BlockKind::Footnote, &notes);
    }

    fn block(&mut self, block: &SourceBlock) {
        match block {
            SourceBlock::Paragraph(source) => self.paragraph(source),
            SourceBlock::Table(source) => {
                let (rows, header_rows) = table(source);
                self.builder.push(Block::table(rows, header_rows, self.page));
            }
            SourceBlock::Note { label, content } => {
                let text: Vec<String> = content.iter().map(paragraph_text).collect();
                self.push(BlockKind::Footnote, &format!("[^{label}] {}", text.join("\n").trim()));
            }
            SourceBlock::Image { alt_text: Some(alt), .. } => self.push(BlockKind::Figure, alt),
            _ => {}
        }
    }

    fn paragraph(&mut self, source: &Paragraph) {
        let text = paragraph_text(source);
        if source.heading.is_heading() && clean::columns(&text) <= MAX_HEADING_COLUMNS {
            self.push(BlockKind::Heading { level: source.heading.level().clamp(1, 6) }, &text);
        } else if let (Some(list), false) = (&source.list_info, text.trim().is_empty()) {
            let mark = match (list.list_type, list.number) {
                (ListType::Numbered, Some(number)) => format!("{number}. "),
                _ => "• ".to_owned(),
            };
            self.push(BlockKind::ListItem { depth: list.level }, &format!("{mark}{}", text.trim()));
        } else {
            self.push(BlockKind::Paragraph, &text);
        }
        for image in &source.images {
            self.push(BlockKind::Figure, image.alt_text.as_deref().unwrap_or_default());
        }
    }
}

fn is_same_text(block: &SourceBlock, name: Option<&str>) -> bool {
    match (block, name) {
        (SourceBlock::Paragraph(source), Some(name)) => paragraph_text(source).trim() == name.trim(),
        _ => false,
    }
}

fn table(source: &Table) -> (Vec<Vec<String>>, usize) {
    let mut grid = Grid::new();
    let rows: Vec<_> = source.rows.iter().map(|row| grid.row(row.cells.iter().map(cell))).collect();
    let is_header = |row: &undoc::model::Row| {
        row.is_header || !row.cells.is_empty() && row.cells.iter().all(|cell| cell.is_header)
    };
    let headers = source.rows.iter().take_while(|row| is_header(row)).count();
    // A table that is all header has none; one that marks none has its first row by custom.
    let by_custom = headers == 0 || headers == rows.len();
    let header_rows = if by_custom { usize::from(rows.len() > 1) } else { headers };
    (rows, header_rows)
}

fn cell(source: &Cell) -> SpannedCell<String> {
    let mut lines: Vec<String> = source.content.iter().map(paragraph_text).collect();
    for nested in &source.nested_tables {
        let rows = nested.rows.iter().flat_map(|row| &row.cells);
        lines.extend(rows.flat_map(|cell| cell.content.iter().map(paragraph_text)));
    }
    lines.retain(|line| !line.trim().is_empty());
    let content = clean::normalise(lines.join(" ").trim());
    SpannedCell {
        again: content.clone(),
        content,
        columns: source.col_span as usize,
        rows: source.row_span as usize,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    #[test]
    fn a_file_that_the_library_cannot_read_is_damaged() {
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        file.create_stream("/WordDocument").unwrap().write_all(&[0xec; 600]).unwrap();
        let data = file.into_inner().into_inner();
        let failure = parse(data, "application/msword", &ParseOptions::default()).unwrap_err();
        assert_eq!(failure.code, FailureCode::DamagedFile);
    }

    #[test]
    fn numbered_items_and_notes_keep_their_marks() {
        let run = undoc::model::TextRun::plain("text");
        let list = undoc::model::ListInfo {
            list_type: ListType::Numbered,
            level: 1,
            number: Some(3),
            ..undoc::model::ListInfo::default()
        };
        let item = Paragraph { runs: vec![run], list_info: Some(list), ..Paragraph::default() };
        let note =
            SourceBlock::Note { label: "e1".to_owned(), content: vec![Paragraph::with_text("a note")] };
        let builder = DocumentBuilder::new("application/msword", &super::super::ContentLimits::default());
        let mut reader = Reader { builder, page: None, is_paged: false };
        reader.block(&SourceBlock::Paragraph(item));
        reader.block(&note);
        crate::parse::fixtures::assert_outline(
            &reader.builder.finish(),
            &[("li1", "3. text"), ("note", "[^e1] a note")],
        );
    }
}
