//! Plain text: paragraphs are what empty lines separate; a short line of its own that is numbered as a chapter is a
//! heading. Line breaks inside a paragraph stay: a log or a poem is nothing without them.

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

pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let decoded = encoding::decode(data);
    let mut builder = DocumentBuilder::new(Format::PlainText.media_type(), &options.limits);
    decoded.report(builder.document());
    let mut paragraph: Vec<&str> = Vec::new();
    for line in decoded.text.split(['\n', '\u{c}']) {
        let line = line.trim_end();
        if line.is_empty() {
            flush(&mut builder, &mut paragraph);
        } else {
            paragraph.push(line);
        }
        if builder.is_full() {
            break;
        }
    }
    flush(&mut builder, &mut paragraph);
    Ok(builder.finish())
}

fn flush(builder: &mut DocumentBuilder, paragraph: &mut Vec<&str>) {
    if let [only] = paragraph.as_slice()
        && let Some(level) = heading_level(only)
    {
        builder.push(Block::new(BlockKind::Heading { level }, clean::normalise(only.trim()), None));
    } else if !paragraph.is_empty() {
        builder.push(Block::new(BlockKind::Paragraph, clean::normalise(&paragraph.join("\n")), None));
    }
    paragraph.clear();
}

fn heading_level(line: &str) -> Option<u8> {
    let line = line.trim();
    if clean::columns(line) > MAX_HEADING_COLUMNS || line.ends_with(['。', '.', '；', ';', '，', ',']) {
        return None;
    }
    ordinals::chapter_level(line)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::document::warning;

    #[test]
    fn paragraphs_and_chapter_headings() {
        let text = "第一章 总则\n\n第一条 为了规范管理，制定本办法。\n\nline one\r\nline two\r\n";
        let document = parse(text.as_bytes(), &ParseOptions::default()).unwrap();
        let shapes: Vec<(&BlockKind, &str)> =
            document.blocks.iter().map(|block| (&block.kind, block.text.as_str())).collect();
        assert_eq!(
            shapes,
            [
                (&BlockKind::Heading { level: 1 }, "第一章 总则"),
                (&BlockKind::Paragraph, "第一条 为了规范管理，制定本办法。"),
                (&BlockKind::Paragraph, "line one\nline two"),
            ]
        );
    }

    #[test]
    fn invalid_utf8_is_read_with_a_warning() {
        let document = parse(
            b"valid \xe5\xae\x89\xe5\x85\xa8\xe5\x88\xb6\xe5\xba\xa6 and \xff bad",
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
        let document = parse(line.as_bytes(), &ParseOptions::default()).unwrap();
        assert_eq!(document.blocks.len(), 1);
        assert_eq!(document.blocks[0].text.len(), line.trim_end().len());
    }
}
