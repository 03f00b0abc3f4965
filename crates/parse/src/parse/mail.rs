//! E-mail: single messages (EML, Outlook's MSG), mailboxes of them (MBOX), and web pages saved as messages (MHTML).
//!
//! A message is its subject as a heading, a paragraph of its header fields, and its body; what was attached becomes a
//! document of its own.

mod mime;
mod outlook;
mod quoted;

pub(super) use mime::{parse as parse_message, parse_mailbox, parse_saved_page};
pub(super) use outlook::parse as parse_outlook;

use super::builder::DocumentBuilder;
use super::html;
use crate::clean;
use crate::document::{Block, BlockKind};

/// Messages inside messages are read in place down to this depth.
const MAX_DEPTH: u8 = 6;
/// Smaller pictures inside of a message's text are logos and marks.
const MIN_INLINE_PICTURE_BYTES: usize = 32 * 1024;

/// What all kinds of messages say of themselves, as text for people.
#[derive(Debug, Default)]
struct Envelope {
    subject: String,
    from: String,
    to: String,
    cc: String,
    /// RFC 3339.
    date: String,
}

/// A message's text as the sender's program wrote it.
#[derive(Debug, Default)]
struct Body {
    plain: Option<String>,
    html: Option<String>,
}

impl Envelope {
    /// The subject as a heading and the fields as one paragraph.
    fn push(&self, level: u8, builder: &mut DocumentBuilder) {
        let one_line = |text: &str| clean::normalise(text).split_whitespace().collect::<Vec<_>>().join(" ");
        builder.push(Block::new(BlockKind::Heading { level }, one_line(&self.subject), None));
        let fields = [("From", &self.from), ("To", &self.to), ("Cc", &self.cc), ("Date", &self.date)];
        let lines: Vec<String> = fields
            .into_iter()
            .filter(|(_, value)| !value.trim().is_empty())
            .map(|(name, value)| format!("{name}: {}", one_line(value)))
            .collect();
        builder.push(Block::new(BlockKind::Paragraph, lines.join("\n"), None));
    }

    /// Puts what the message says of itself into the document's own facts.
    fn describe(&self, builder: &mut DocumentBuilder) {
        let stated = |text: &String| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let document = builder.document();
        document.title = stated(&self.subject);
        document.metadata.author = stated(&self.from);
        document.metadata.subject = stated(&self.subject);
        document.metadata.created = stated(&self.date);
    }
}

impl Body {
    /// Reads the better of the two: HTML where it has structure that plain text has not.
    fn push(self, builder: &mut DocumentBuilder) {
        let plain = self.plain.filter(|text| !text.trim().is_empty());
        let html = self.html.filter(|text| !text.trim().is_empty());
        match (plain, html) {
            (plain, Some(html)) if plain.is_none() || has_structure(&html) => {
                html::read_fragment(&html, builder)
            }
            (Some(plain), _) => quoted::read(&plain, builder),
            (None, _) => {}
        }
    }
}

/// Tables of data, lists and headings; nearly every message is laid out with tables of one column.
fn has_structure(html: &str) -> bool {
    let lower = html.to_ascii_lowercase();
    ["<th", "<ul", "<ol", "<h1", "<h2", "<h3"].iter().any(|tag| lower.contains(tag))
        || lower.matches("<td").count() >= 2 * lower.matches("<tr").count().max(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
