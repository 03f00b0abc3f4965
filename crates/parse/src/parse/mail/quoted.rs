//! Plain text of messages: what was written, apart from what was quoted.

use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;

/// Level of the line that says whose words follow.
const QUOTE_LEVEL: u8 = 3;

/// Paragraphs of the text. A line that says who wrote what follows is a heading, so that a passage of a quoted message
/// names its writer; the marks before quoted lines go.
pub(super) fn read(text: &str, builder: &mut DocumentBuilder) {
    let text = clean::normalise(&text.replace("\r\n", "\n"));
    let mut paragraph: Vec<&str> = Vec::new();
    let mut depth = 0;
    let lines: Vec<&str> = text.lines().collect();
    for (index, raw) in lines.iter().enumerate() {
        let (quotes, line) = without_marks(raw.trim_end());
        let next = lines.get(index + 1..).and_then(|rest| rest.iter().find(|line| !line.trim().is_empty()));
        let introduces =
            next.is_some_and(|next| next.trim_start().starts_with('>')) && line.ends_with([':', '：']);
        if quotes != depth || line.is_empty() {
            flush(&mut paragraph, builder);
            depth = quotes;
        }
        if introduces || is_separator(line) {
            flush(&mut paragraph, builder);
            let title = line.trim_matches(['-', '_', '=', ' ']).to_owned();
            builder.push(Block::new(BlockKind::Heading { level: QUOTE_LEVEL }, title, None));
        } else if !line.is_empty() && line != "--" {
            paragraph.push(line);
        }
        if builder.is_full() {
            return;
        }
    }
    flush(&mut paragraph, builder);
}

fn flush(paragraph: &mut Vec<&str>, builder: &mut DocumentBuilder) {
    builder.push(Block::new(BlockKind::Paragraph, paragraph.join("\n"), None));
    paragraph.clear();
}

/// How often a line is quoted, and what it says.
fn without_marks(line: &str) -> (usize, &str) {
    let mut rest = line;
    let mut quotes = 0;
    while let Some(after) = rest.trim_start().strip_prefix('>') {
        quotes += 1;
        rest = after;
    }
    (quotes, if quotes > 0 { rest.trim_start() } else { rest })
}

/// What Outlook and others put before a message that is answered or passed on.
fn is_separator(line: &str) -> bool {
    if !line.starts_with("--") && !line.starts_with("__") {
        return false;
    }
    let words = line.trim_matches(['-', '_', ' ']).to_lowercase();
    ["original message", "forwarded message", "原始邮件", "原始郵件", "转发的邮件", "转发邮件"]
        .contains(&words.as_str())
}
