//! AsciiDoc, as far as manuals use it: headings, lists, tables, listings, captions.

use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::ordinals;

/// The highest number of `=` before a heading.
const MAX_LEVEL: usize = 6;

pub(super) fn read(text: &str, builder: &mut DocumentBuilder) {
    let mut reader = Reader { builder, paragraph: Vec::new() };
    let mut lines = text.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if reader.builder.is_full() {
            return;
        }
        match trimmed {
            "" | "+" => reader.flush(),
            "|===" => {
                reader.flush();
                reader.table(lines.by_ref().take_while(|line| line.trim() != "|==="));
            }
            "----" | "...." | "```" => {
                reader.flush();
                let code: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != trimmed).collect();
                let kind = BlockKind::Code { language: None };
                reader.builder.push(Block::new(kind, code.join("\n"), None));
            }
            _ if trimmed.starts_with("//") || is_attribute(trimmed) => {}
            _ => reader.line(trimmed),
        }
    }
    reader.flush();
}

/// `:name: value` and `[options]`: how a page is made, not what it says.
fn is_attribute(line: &str) -> bool {
    let named = line.strip_prefix(':').and_then(|rest| rest.split_once(':')).is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '!'))
    });
    named || line.starts_with('[') && line.ends_with(']')
}

struct Reader<'b, 't> {
    builder: &'b mut DocumentBuilder,
    paragraph: Vec<&'t str>,
}

impl<'t> Reader<'_, 't> {
    fn line(&mut self, line: &'t str) {
        let signs = line.chars().take_while(|&c| c == '=').count();
        if (1..=MAX_LEVEL).contains(&signs) && line[signs..].starts_with(' ') {
            self.flush();
            let title = line[signs..].trim().to_owned();
            let level = u8::try_from(signs).unwrap_or(1);
            if signs == 1 && self.builder.document().title.is_none() {
                self.builder.document().title = Some(title.clone());
            }
            self.push(BlockKind::Heading { level }, &title);
        } else if let Some((depth, text)) = item(line) {
            self.flush();
            self.push(BlockKind::ListItem { depth }, &text);
        } else if let Some(caption) = caption(line) {
            self.flush();
            self.push(BlockKind::Figure, caption);
        } else {
            self.paragraph.push(line);
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.paragraph).join("\n");
        self.push(BlockKind::Paragraph, &text);
    }

    fn table<'l>(&mut self, lines: impl Iterator<Item = &'l str>) {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for line in lines.filter(|line| line.trim_start().contains('|')) {
            // `2+|text` and `.2+|text` span; what stands before the bar is the span.
            let cells = line.split('|').skip(1).map(|cell| without_span(cell.trim()));
            rows.push(cells.collect());
        }
        // Cells may stand one a line: the first line that has several says how many make a row.
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if columns > 1 && rows.iter().skip(1).all(|row| row.len() == 1) {
            let cells: Vec<String> = rows.into_iter().flatten().collect();
            rows = cells.chunks(columns).map(<[String]>::to_vec).collect();
        }
        if !rows.is_empty() {
            self.builder.push(Block::table(rows, 1, None));
        }
    }

    fn push(&mut self, kind: BlockKind, text: &str) {
        self.builder.push(Block::new(kind, clean::normalise(text), None));
    }
}

/// A cell's text without the span of the cell after it, which stands at its end.
fn without_span(cell: &str) -> String {
    match cell.rsplit_once(' ') {
        Some((text, span))
            if span.ends_with('+')
                && span.trim_end_matches('+').chars().all(|c| c.is_ascii_digit() || c == '.') =>
        {
            text.trim().to_owned()
        }
        _ => cell.to_owned(),
    }
}

/// `* text`, `** text`, `. text`, `- text`, `1. text`.
fn item(line: &str) -> Option<(u8, String)> {
    let first = line.chars().next()?;
    if matches!(first, '*' | '.' | '-') {
        let marks = line.chars().take_while(|&c| c == first).count();
        let text = line[marks..].strip_prefix(' ')?;
        let depth = u8::try_from(marks - 1).ok()?;
        return (depth < 6).then(|| (depth, format!("- {}", text.trim())));
    }
    ordinals::list_mark(line).map(|_| (0, line.to_owned()))
}

/// `.Title` before a block, and the description in `image::path[description, …]`.
fn caption(line: &str) -> Option<&str> {
    if let Some(image) = line.strip_prefix("image::") {
        let description = image.split_once('[')?.1.trim_end_matches(']');
        return Some(description.split(',').next().unwrap_or_default());
    }
    let title = line.strip_prefix('.')?;
    title.starts_with(|c: char| c.is_alphanumeric()).then_some(title)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::parse::{ParseOptions, parse_bytes};

    #[test]
    fn structure_is_read() {
        let source = "= Guide\n:toc:\n\nWords.\n\n== Parts\n\n* one\n** two\n\n.The table\n[options=\"header\"]\n|===\n|k |v\n|a |1\n|===\n\n----\ncode\n----\n";
        let document = parse_bytes(source.as_bytes().to_vec(), "a.adoc", &ParseOptions::default()).unwrap();
        let texts: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(
            texts,
            ["Guide", "Words.", "Parts", "- one", "- two", "The table", "k | v\na | 1", "code"]
        );
        assert_eq!(document.blocks[4].kind, BlockKind::ListItem { depth: 1 });
        assert_eq!(document.title.as_deref(), Some("Guide"));
    }
}
