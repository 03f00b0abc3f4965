//! Plain text: paragraphs are what empty lines separate. Headings are short lines of their own that are numbered as chapters
//! or sections, or underlined; lines that begin with marks are lists. Line breaks inside a paragraph stay: a log or a poem
//! is nothing without them.

mod asciidoc;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::encoding;
use super::failure::ParseFailure;
use super::format::Format;
use super::ordinals;
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument};

/// Longer lines are not headings (columns; a Chinese character counts two).
const MAX_HEADING_COLUMNS: usize = 60;
/// What headings are underlined with, the highest first: as in Markdown and reStructuredText.
const UNDERLINES: [char; 6] = ['=', '-', '~', '^', '"', '*'];
/// Columns of indent that make an item of an inner list.
const INDENT_COLUMNS: usize = 2;
/// Lists are not nested deeper.
const MAX_LIST_DEPTH: usize = 8;

pub(super) fn parse(
    data: &[u8],
    file_name: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let decoded = encoding::decode(data);
    let mut builder = DocumentBuilder::new(Format::PlainText.media_type(), &options.limits);
    decoded.report(builder.document());
    let lower = file_name.to_ascii_lowercase();
    if [".adoc", ".asciidoc"].iter().any(|ending| lower.ends_with(ending)) {
        asciidoc::read(&decoded.text, &mut builder);
    } else {
        read(&decoded.text, &mut builder);
    }
    Ok(builder.finish())
}

/// Reads the text into the builder.
pub(super) fn read(text: &str, builder: &mut DocumentBuilder) {
    let mut reader = Reader { builder, previous: Previous::Other };
    let mut paragraph: Vec<&str> = Vec::new();
    // A paragraph is pushed when it is known what follows: two numbered lines one after the other are a list.
    let mut pending: Option<Vec<&str>> = None;
    for line in text.split(['\n', '\u{c}']) {
        let line = line.trim_end();
        if !line.is_empty() {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            let next = std::mem::take(&mut paragraph);
            if let Some(before) = pending.replace(next) {
                reader.paragraph(&before, pending.as_deref());
            }
        }
        if reader.builder.is_full() {
            return;
        }
    }
    if !paragraph.is_empty()
        && let Some(before) = pending.replace(paragraph)
    {
        reader.paragraph(&before, pending.as_deref());
    }
    if let Some(last) = pending {
        reader.paragraph(&last, None);
    }
}

struct Reader<'b> {
    builder: &'b mut DocumentBuilder,
    previous: Previous,
}

/// What the paragraph before was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Previous {
    List,
    Other,
}

impl Reader<'_> {
    fn paragraph(&mut self, lines: &[&str], next: Option<&[&str]>) {
        let lines = self.without_underlined_heading(lines);
        let Some(first) = lines.first() else { return };
        if let [only] = lines
            && let Some(level) = self.heading_level(only, next)
        {
            self.push(BlockKind::Heading { level }, only.trim());
            self.previous = Previous::Other;
        } else if self.is_list(lines) {
            self.list(lines);
            self.previous = Previous::List;
        } else {
            // An indented paragraph after an item belongs to it; it stays a paragraph, and the list goes on.
            let continues = self.previous == Previous::List && first.starts_with([' ', '\t']);
            self.push(BlockKind::Paragraph, &lines.join("\n"));
            self.previous = if continues { Previous::List } else { Previous::Other };
        }
    }

    /// Pushes a heading that stands at the beginning of the paragraph with a line under it; answers what is left.
    fn without_underlined_heading<'l, 't>(&mut self, lines: &'l [&'t str]) -> &'l [&'t str] {
        let (title, rest) = match lines {
            // A line above and a line below.
            [over, title, under, rest @ ..] if over == under && underline(title, under).is_some() => {
                (*title, rest)
            }
            [title, under, rest @ ..] if underline(title, under).is_some() => (*title, rest),
            _ => return lines,
        };
        let mark = lines[..2].iter().find_map(|line| underline(title, line));
        let level = mark.or_else(|| underline(title, lines[lines.len() - rest.len() - 1])).unwrap_or(1);
        self.push(BlockKind::Heading { level }, title.trim());
        self.previous = Previous::Other;
        rest
    }

    fn heading_level(&self, line: &str, next: Option<&[&str]>) -> Option<u8> {
        let line = line.trim();
        if clean::columns(line) > MAX_HEADING_COLUMNS
            || line.ends_with(['。', '.', '；', ';', '，', ',', '：', ':'])
        {
            return None;
        }
        if let Some(level) = ordinals::chapter_level(line) {
            return Some(level);
        }
        let depth = ordinals::section_depth(line)?;
        // One number after the other is a list of one-line items, unless something stands under each.
        let next_is_numbered = next
            .is_some_and(|next| next.len() == 1 && ordinals::section_depth(next[0].trim()) == Some(depth));
        (!next_is_numbered && self.previous == Previous::Other).then_some(depth.clamp(1, 6))
    }

    /// At least two marked lines, or one that goes on with a list.
    fn is_list(&self, lines: &[&str]) -> bool {
        let is_marked = |line: &&&str| ordinals::list_mark(line.trim_start()).is_some();
        let starts = lines.first().as_ref().is_some_and(is_marked);
        let marked = lines.iter().filter(is_marked).count();
        starts && (marked >= 2 || self.previous == Previous::List || lines.len() == 1)
    }

    fn list(&mut self, lines: &[&str]) {
        let mut item = String::new();
        let mut depth = 0;
        // The indents of the lists that are open.
        let mut indents: Vec<usize> = Vec::new();
        for line in lines {
            let text = line.trim_start();
            if ordinals::list_mark(text).is_some() {
                self.item(depth, &std::mem::take(&mut item));
                let indent = clean::columns(&line[..line.len() - text.len()].replace('\t', "    "));
                while indents.last().is_some_and(|last| indent + INDENT_COLUMNS <= *last) {
                    indents.pop();
                }
                let is_deeper = indents.last().is_none_or(|last| indent >= last + INDENT_COLUMNS);
                if is_deeper && indents.len() < MAX_LIST_DEPTH {
                    indents.push(indent);
                }
                depth = indents.len().saturating_sub(1);
                item.push_str(text);
            } else {
                let space = match (item.chars().next_back(), text.chars().next()) {
                    (Some(before), Some(after)) => clean::space_between_lines(before, after),
                    _ => false,
                };
                if space {
                    item.push(' ');
                }
                item.push_str(text);
            }
        }
        self.item(depth, &item);
    }

    fn item(&mut self, depth: usize, text: &str) {
        self.push(BlockKind::ListItem { depth: u8::try_from(depth).unwrap_or(u8::MAX) }, text);
    }

    fn push(&mut self, kind: BlockKind, text: &str) {
        self.builder.push(Block::new(kind, clean::normalise(text), None));
    }
}

/// The level of a heading with this line under it, which has to be as long as the heading, roughly.
fn underline(title: &str, line: &str) -> Option<u8> {
    let mark = line.chars().next()?;
    let level = UNDERLINES.iter().position(|&known| known == mark)?;
    let width = clean::columns(title.trim());
    let drawn = line.chars().count();
    let is_line = drawn >= 3 && line.chars().all(|c| c == mark);
    let fits = width > 0 && width <= MAX_HEADING_COLUMNS && drawn + 2 >= width && drawn <= width * 2 + 4;
    let is_title = title.chars().any(char::is_alphanumeric);
    (is_line && fits && is_title).then(|| u8::try_from(level + 1).unwrap_or(6))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::document::warning;

    fn shapes(text: &str) -> Vec<(BlockKind, String)> {
        let document = parse(text.as_bytes(), "a.txt", &ParseOptions::default()).unwrap();
        document.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
    }

    fn heading(level: u8, text: &str) -> (BlockKind, String) {
        (BlockKind::Heading { level }, text.to_owned())
    }

    fn paragraph(text: &str) -> (BlockKind, String) {
        (BlockKind::Paragraph, text.to_owned())
    }

    fn item(depth: u8, text: &str) -> (BlockKind, String) {
        (BlockKind::ListItem { depth }, text.to_owned())
    }

    #[test]
    fn paragraphs_and_chapter_headings() {
        assert_eq!(
            shapes("第一章 总则\n\n第一条 为了规范管理，制定本办法。\n\nline one\r\nline two\r\n"),
            [
                heading(1, "第一章 总则"),
                paragraph("第一条 为了规范管理，制定本办法。"),
                paragraph("line one\nline two")
            ]
        );
    }

    #[test]
    fn numbered_and_underlined_lines_are_headings() {
        assert_eq!(
            shapes(
                "Manual\n======\n\n1 Scope\n\nText of the scope.\n\n2.1 Safety\n\nMore.\n\nNotes\n-----\nRight below."
            ),
            [
                heading(1, "Manual"),
                heading(1, "1 Scope"),
                paragraph("Text of the scope."),
                heading(2, "2.1 Safety"),
                paragraph("More."),
                heading(2, "Notes"),
                paragraph("Right below."),
            ]
        );
    }

    #[test]
    fn marked_lines_are_lists_with_their_depth() {
        assert_eq!(
            shapes("Needed:\n\n- a pump\n  of steel\n  - its seal\n- a valve\n\n1. First\n\n2. Second\n"),
            [
                paragraph("Needed:"),
                item(0, "- a pump of steel"),
                item(1, "- its seal"),
                item(0, "- a valve"),
                item(0, "1. First"),
                item(0, "2. Second"),
            ]
        );
    }

    #[test]
    fn a_rule_between_columns_of_a_log_is_no_heading() {
        let log = "12:00 start\n--------------------------------------------------------\n12:01 stop";
        assert_eq!(shapes(log), [paragraph(log)]);
    }

    #[test]
    fn invalid_utf8_is_read_with_a_warning() {
        let document = parse(
            b"valid \xe5\xae\x89\xe5\x85\xa8\xe5\x88\xb6\xe5\xba\xa6 and \xff bad",
            "a.txt",
            &ParseOptions::default(),
        )
        .unwrap();
        assert!(document.blocks[0].text.contains("安全制度"));
        assert!(document.blocks[0].text.contains("bad"));
        assert_eq!(document.warnings[0].code, warning::INVALID_ENCODING);
    }

    #[test]
    fn ten_megabytes_in_one_line_are_one_paragraph() {
        let line = "安全问答 question ".repeat(10 * 1024 * 1024 / 22);
        let document = parse(line.as_bytes(), "a.txt", &ParseOptions::default()).unwrap();
        assert_eq!(document.blocks.len(), 1);
        assert_eq!(document.blocks[0].text.len(), line.trim_end().len());
    }
}
