//! PDF: characters with their places from one of two engines, made lines, columns, paragraphs, tables and headings.
//!
//! ```text
//! engine (hayro, else pdf_oxide; pages without usable text: recognised) -> glyphs, drawn lines
//!     -> ruled tables -> fragments -> xycut -> layout (lines)
//!     -> running headers out -> tables, paragraphs, footnotes, captions -> joined over pages
//!     -> headings (structure: outline) -> blocks; comments of the page behind its last block
//! ```

mod annotations;
mod bidi;
mod captions;
mod engine_hayro;
mod engine_oxide;
mod fragments;
mod geometry;
mod glyphs;
mod headings;
mod joining;
mod layout;
mod notes;
mod pages;
mod paragraphs;
mod recognised;
mod ruled;
mod ruled_table;
mod scanned;
mod structure;
mod tables;
#[cfg(test)]
mod tests;
mod xycut;

use std::collections::VecDeque;
use std::sync::Arc;

use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::format::Format;
use super::ocr::{self, Recognition, page_list};
use super::{ParseOptions, caught};
use crate::clean::{self, PageLine, Vocabulary};
use crate::document::{Block, BlockKind, LineSpan, ParsedDocument, warning};
use annotations::Comment;
use layout::Line;
use pages::{Opened, Pages};
use structure::{OutlineEntry, Structure};

pub(super) fn parse(data: Vec<u8>, options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let data = Arc::new(data);
    let opened = Opened::open(&data, options)?;
    let mut structure =
        opened.first.as_ref().and_then(|pdf| caught(|| structure::read(pdf))).unwrap_or_default();
    let mut pages = Pages::read(&data, opened, options, &mut structure.attachments)?;
    drop(data);

    let mut builder = DocumentBuilder::new(Format::Pdf.media_type(), &options.limits);
    describe(builder.document(), &pages, &structure);
    if let Some(settings) = &options.ocr {
        pages.recognition.describe(builder.document(), settings.low_confidence);
    }
    let lines = std::mem::take(&mut pages.lines);
    let blocks = blocks_of(lines, &structure.outline, &pages.recognition);
    if blocks.is_empty() && pages.comments.is_empty() {
        return Err(no_text(&pages.recognition, options));
    }
    push_with_comments(&mut builder, blocks, std::mem::take(&mut pages.comments).into());
    let document = builder.document();
    document.embedded = structure.attachments.files;
    document.links = pages.links;
    document.title = structure.title.or_else(|| title_on_first_page(document));
    Ok(builder.finish())
}

/// Pictures of pages, not in a PDF, as a document: the same way from lines to blocks.
pub(super) fn from_pictures(
    mut builder: DocumentBuilder,
    recognition: &Recognition,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let mut next_group = 0;
    let lines = recognition
        .pages
        .iter()
        .flat_map(|page| layout::lines(&recognised::glyphs(page), &[], page.number, &mut next_group))
        .collect();
    let blocks = blocks_of(lines, &[], recognition);
    if blocks.is_empty() {
        return Err(no_text(recognition, options));
    }
    blocks.into_iter().for_each(|block| builder.push(block));
    let document = builder.document();
    document.title = title_on_first_page(document);
    Ok(builder.finish())
}

fn blocks_of(lines: Vec<Line>, outline: &[OutlineEntry], recognition: &Recognition) -> Vec<Block> {
    let mut lines = without_running_lines(lines);
    lines.retain(|line| !line.is_blank());
    let mut vocabulary = Vocabulary::default();
    lines.iter().for_each(|line| vocabulary.learn(&line.text));
    let mut drafts = paragraphs::drafts(&lines, &vocabulary);
    headings::mark(&mut drafts, outline, &vocabulary);
    drafts
        .into_iter()
        .map(|mut draft| {
            ocr::place_back(&mut draft.block, |page| recognition.placement(page));
            draft.block
        })
        .collect()
}

/// Comments stand behind the blocks of their page, apart from its text.
fn push_with_comments(
    builder: &mut DocumentBuilder,
    blocks: Vec<Block>,
    mut comments: VecDeque<(u32, Comment)>,
) {
    for block in blocks {
        while comments.front().is_some_and(|(page, _)| block.page.is_some_and(|begins| begins > *page)) {
            let Some((page, comment)) = comments.pop_front() else { break };
            builder.push(comment_block(page, comment));
        }
        builder.push(block);
    }
    for (page, comment) in comments {
        builder.push(comment_block(page, comment));
    }
}

fn comment_block(page: u32, comment: Comment) -> Block {
    let text = match comment.author {
        Some(author) => format!("[{author}] {}", comment.placed.text),
        None => comment.placed.text,
    };
    let [x0, y0, x1, y1] = comment.placed.bounds;
    let lines = vec![LineSpan { start: 0, end: text.len(), page, x0, y0, x1, y1 }];
    Block { lines, ..Block::new(BlockKind::Footnote, text, Some(page)) }
}

/// Why a file of pictures yields nothing.
fn no_text(recognition: &Recognition, options: &ParseOptions) -> ParseFailure {
    if options.ocr.is_none() {
        return ParseFailure::new(
            FailureCode::NoText,
            "the file holds no text, only pictures of it or empty pages; recognition of text in pictures is switched off",
        );
    }
    if let Some(ocr::Unavailable(reason)) = &recognition.unavailable {
        return ParseFailure::new(
            FailureCode::OcrUnavailable,
            format!("the file holds only pictures of text, and they cannot be read: {reason}"),
        );
    }
    if recognition.too_long > 0 {
        return ParseFailure::new(
            FailureCode::ParseTimeout,
            "the file holds only pictures of text, and recognising it took too long",
        );
    }
    if !recognition.failed.is_empty() {
        return ParseFailure::new(
            FailureCode::NoText,
            "the file holds only pictures, and no text could be recognised in them",
        );
    }
    ParseFailure::new(
        FailureCode::NoText,
        "the file holds no text: its pages are empty, or pictures without text",
    )
}

/// Pages, labels, metadata, and what went wrong on the way.
fn describe(document: &mut ParsedDocument, pages: &Pages, structure: &Structure) {
    document.pages = pages.sizes.clone();
    document.page_count = u32::try_from(pages.page_count).ok();
    document.page_labels = structure.page_labels.iter().take(pages.sizes.len()).cloned().collect();
    document.metadata = structure.metadata.clone();
    let read = pages.sizes.len();
    if pages.page_count > read {
        document.warn(
            warning::PAGES_TRUNCATED,
            format!("only the first {read} of {} pages were read", pages.page_count),
        );
    }
    if !pages.failed.is_empty() {
        document.warn(
            warning::PAGES_FAILED,
            format!("pages that could not be read: {}", page_list(&pages.failed)),
        );
    }
    if !pages.without_text.is_empty() && pages.without_text.len() < read {
        document.warn(
            warning::PAGES_WITHOUT_TEXT,
            format!("pages without text (pictures, or empty): {}", page_list(&pages.without_text)),
        );
    }
    if pages.unmapped > 0 {
        document.warn(
            warning::UNMAPPED_GLYPHS,
            format!("{} characters have no meaning in Unicode and were left out", pages.unmapped),
        );
    }
    if structure.attachments.incomplete {
        document.warn(warning::PARTLY_DAMAGED, "some attachments are too large or damaged and were left out");
    }
    if pages.second_engine {
        document
            .warn(warning::SECOND_PARSER, "the file is damaged or unusual and was read by the second parser");
    }
}

fn without_running_lines(lines: Vec<Line>) -> Vec<Line> {
    let page_lines: Vec<PageLine<'_>> = lines
        .iter()
        .map(|line| PageLine {
            page: line.page,
            text: &line.text,
            top: line.shown[1],
            bottom: line.shown[3],
            page_height: line.page_size.height,
        })
        .collect();
    let running = clean::running_lines(&page_lines);
    drop(page_lines);
    lines
        .into_iter()
        .enumerate()
        .filter(|(index, _)| !running.contains(index))
        .map(|(_, line)| line)
        .collect()
}

fn title_on_first_page(document: &ParsedDocument) -> Option<String> {
    let first = document.blocks.iter().find(|block| matches!(block.kind, BlockKind::Heading { level: 1 }))?;
    (first.page == Some(1)).then(|| first.text.clone())
}
