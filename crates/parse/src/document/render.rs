//! A parsed document as plain text and as Markdown, for people and for software that asks for either.

use super::{BlockKind, ParsedDocument};

/// The document as plain text: blocks separated by an empty line, items of a list by a line break.
pub fn to_text(document: &ParsedDocument) -> String {
    let mut text = String::new();
    let mut previous_is_item = false;
    for block in &document.blocks {
        let is_item = matches!(block.kind, BlockKind::ListItem { .. });
        if !text.is_empty() {
            text.push_str(if is_item && previous_is_item { "\n" } else { "\n\n" });
        }
        text.push_str(&block.text);
        previous_is_item = is_item;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The document as Markdown (CommonMark with pipe tables).
pub fn to_markdown(document: &ParsedDocument) -> String {
    let mut out = String::new();
    let mut previous_is_item = false;
    for block in &document.blocks {
        let is_item = matches!(block.kind, BlockKind::ListItem { .. });
        if !out.is_empty() {
            out.push_str(if is_item && previous_is_item { "\n" } else { "\n\n" });
        }
        match &block.kind {
            BlockKind::Heading { level } => {
                out.push_str(&"#".repeat(usize::from((*level).clamp(1, 6))));
                out.push(' ');
                out.push_str(&block.text.replace('\n', " "));
            }
            BlockKind::ListItem { depth } => push_list_item(&mut out, &block.text, *depth),
            BlockKind::Table { rows, header_rows } => push_table(&mut out, rows, *header_rows),
            BlockKind::Code { language } => push_code(&mut out, &block.text, language.as_deref()),
            BlockKind::Paragraph | BlockKind::Figure | BlockKind::Footnote => {
                push_paragraph(&mut out, &block.text);
            }
        }
        previous_is_item = is_item;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// Lines that Markdown would take for something else than running text begin with a backslash.
fn push_paragraph(out: &mut String, text: &str) {
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if begins_a_block(line, index > 0) {
            out.push('\\');
        }
        out.push_str(line);
    }
}

fn begins_a_block(line: &str, follows_text: bool) -> bool {
    let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
    let is_heading = (1..=6).contains(&hashes) && line[hashes..].starts_with(' ');
    let is_item = ["- ", "* ", "+ ", "> "].iter().any(|mark| line.starts_with(mark));
    let is_fence = line.starts_with("```") || line.starts_with("~~~");
    let is_rule_of = |mark: char| line.len() >= 3 && line.chars().all(|c| c == mark);
    is_heading || is_item || is_fence || is_rule_of('-') || is_rule_of('*') || follows_text && is_rule_of('=')
}

fn push_list_item(out: &mut String, text: &str, depth: u8) {
    let indent = "  ".repeat(usize::from(depth));
    out.push_str(&indent);
    let body = text.trim_start_matches(['•', '-', '*', '–', '▪', '◦', '●', '○', '■', '□', '·']).trim_start();
    let has_own_number = body.len() == text.trim_start().len() && starts_with_ordinal(body);
    if !has_own_number {
        out.push_str("- ");
    }
    out.push_str(&body.replace('\n', &format!("\n{indent}  ")));
}

/// Whether Markdown itself reads the text as an item of a numbered list.
fn starts_with_ordinal(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&digits)
        && matches!(text.as_bytes().get(digits), Some(b'.' | b')'))
        && text[digits + 1..].starts_with(' ')
}

fn push_table(out: &mut String, rows: &[Vec<String>], header_rows: usize) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let write_row = |out: &mut String, row: &[String]| {
        out.push('|');
        for column in 0..columns {
            let cell = row.get(column).map_or("", String::as_str);
            let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
            out.push(' ');
            out.push_str(&cell);
            out.push_str(" |");
        }
    };
    let rule = |out: &mut String| {
        out.push_str("\n|");
        out.push_str(&" --- |".repeat(columns));
    };
    // Markdown has exactly one header row: a table without one gets an empty one, further ones become body.
    if header_rows == 0 {
        write_row(out, &[]);
        rule(out);
    }
    for (index, row) in rows.iter().enumerate() {
        if index > 0 || header_rows == 0 {
            out.push('\n');
        }
        write_row(out, row);
        if index == 0 && header_rows > 0 {
            rule(out);
        }
    }
}

fn push_code(out: &mut String, text: &str, language: Option<&str>) {
    let longest_run = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest_run.max(2) + 1);
    out.push_str(&fence);
    out.push_str(language.unwrap_or(""));
    out.push('\n');
    out.push_str(text.trim_end_matches('\n'));
    out.push('\n');
    out.push_str(&fence);
}

#[cfg(test)]
mod tests {
    use super::super::{Block, BlockKind, ParsedDocument};
    use super::*;

    fn document(blocks: Vec<Block>) -> ParsedDocument {
        ParsedDocument { blocks, ..ParsedDocument::new("text/plain") }
    }

    #[test]
    fn markdown_keeps_structure_and_escapes_pipes() {
        let document = document(vec![
            Block::new(BlockKind::Heading { level: 2 }, "Prices", None),
            Block::new(BlockKind::ListItem { depth: 0 }, "• first", None),
            Block::new(BlockKind::ListItem { depth: 1 }, "2. second", None),
            Block::table(vec![vec!["a|b".into(), "c".into()], vec!["d".into()]], 1, None),
            Block::new(BlockKind::Code { language: Some("rust".into()) }, "let a = 1;", None),
        ]);
        assert_eq!(
            to_markdown(&document),
            "## Prices\n\n- first\n  2. second\n\n| a\\|b | c |\n| --- | --- |\n| d |  |\n\n```rust\nlet a = 1;\n```\n"
        );
    }

    #[test]
    fn a_paragraph_stays_one_in_markdown() {
        for (text, markdown) in [
            ("# not a heading", "\\# not a heading\n"),
            ("#5 pump", "#5 pump\n"),
            ("log\n---\n> quoted", "log\n\\---\n\\> quoted\n"),
            ("From: a\nTo: b", "From: a\nTo: b\n"),
        ] {
            let document = document(vec![Block::new(BlockKind::Paragraph, text, None)]);
            assert_eq!(to_markdown(&document), markdown);
        }
    }

    #[test]
    fn text_separates_blocks_by_an_empty_line_and_items_by_a_break() {
        let document = document(vec![
            Block::new(BlockKind::Paragraph, "one", None),
            Block::new(BlockKind::ListItem { depth: 0 }, "- a", None),
            Block::new(BlockKind::ListItem { depth: 0 }, "- b", None),
        ]);
        assert_eq!(to_text(&document), "one\n\n- a\n- b\n");
    }
}
