//! The event stream of the Markdown parser, made blocks.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::mdx;
use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::html;

/// Reads the source into the builder; its front matter has been taken off.
pub(super) fn read(source: &str, builder: &mut DocumentBuilder) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut reader = Reader::default();
    for event in Parser::new_ext(source, options) {
        reader.event(event, builder);
        if builder.is_full() {
            break;
        }
    }
    reader.flush(builder);
}

/// A list that is open: the number of its next item, when it is numbered.
struct OpenList {
    next_number: Option<u64>,
}

#[derive(Default)]
struct Reader {
    text: String,
    /// What the text becomes when it is flushed.
    kind: Option<BlockKind>,
    lists: Vec<OpenList>,
    /// The mark of the item whose first text has not come yet.
    pending_mark: Option<String>,
    footnote: Option<String>,
    code: bool,
    table: Option<TableRows>,
}

#[derive(Default)]
struct TableRows {
    rows: Vec<Vec<String>>,
    header_rows: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, builder: &mut DocumentBuilder) {
        match event {
            Event::Start(tag) => self.start(tag, builder),
            Event::End(tag) => self.end(tag, builder),
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text.push_str(&text)
            }
            Event::InlineHtml(html) => self.text.push_str(&mdx::without_tags(&html)),
            Event::Html(html) => self.text.push_str(&html),
            Event::SoftBreak if self.code => self.text.push('\n'),
            Event::SoftBreak => self.text.push('\n'),
            Event::HardBreak => self.text.push('\n'),
            Event::FootnoteReference(label) => self.text.push_str(&format!("[^{label}]")),
            Event::TaskListMarker(done) => self.text.push_str(if done { "[x] " } else { "[ ] " }),
            Event::Rule => self.flush(builder),
        }
    }

    fn start(&mut self, tag: Tag<'_>, builder: &mut DocumentBuilder) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush(builder);
                self.kind = Some(BlockKind::Heading { level: level as u8 });
            }
            Tag::CodeBlock(kind) => {
                self.flush(builder);
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',', '{']).next().filter(|word| !word.is_empty()).map(str::to_owned)
                    }
                    CodeBlockKind::Indented => None,
                };
                self.kind = Some(BlockKind::Code { language });
                self.code = true;
            }
            Tag::List(first) => {
                self.flush(builder);
                self.lists.push(OpenList { next_number: first });
            }
            Tag::Item => {
                self.flush(builder);
                self.pending_mark = self.lists.last_mut().map(|list| match &mut list.next_number {
                    Some(number) => {
                        let mark = format!("{number}. ");
                        *number += 1;
                        mark
                    }
                    None => "- ".to_owned(),
                });
            }
            Tag::FootnoteDefinition(label) => {
                self.flush(builder);
                self.footnote = Some(format!("[^{label}]: "));
            }
            Tag::Table(_) => {
                self.flush(builder);
                self.table = Some(TableRows::default());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::Paragraph | Tag::HtmlBlock | Tag::BlockQuote(_) => self.flush(builder),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, builder: &mut DocumentBuilder) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Paragraph | TagEnd::Item | TagEnd::BlockQuote(_) => {
                self.flush(builder)
            }
            TagEnd::HtmlBlock => self.html(builder),
            TagEnd::CodeBlock => {
                self.flush(builder);
                self.code = false;
            }
            TagEnd::List(_) => {
                self.flush(builder);
                self.lists.pop();
            }
            TagEnd::FootnoteDefinition => {
                self.flush(builder);
                self.footnote = None;
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(cell.trim().to_owned());
                }
            }
            TagEnd::TableHead => {
                if let Some(table) = &mut self.table {
                    table.header_rows = 1;
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    builder.push(Block::table(table.rows, table.header_rows, None));
                }
            }
            _ => {}
        }
    }

    /// A block of HTML: with its structure where it has one of its own, as running text inside of lists.
    fn html(&mut self, builder: &mut DocumentBuilder) {
        if self.lists.is_empty() && self.footnote.is_none() {
            let html = std::mem::take(&mut self.text);
            html::read_fragment(&mdx::without_code(&html), builder);
        } else {
            self.text = mdx::without_tags(&self.text);
            self.flush(builder);
        }
    }

    fn flush(&mut self, builder: &mut DocumentBuilder) {
        let text = std::mem::take(&mut self.text);
        let kind = self.kind.take();
        if text.trim().is_empty() {
            return;
        }
        if let Some(kind @ (BlockKind::Code { .. } | BlockKind::Heading { .. })) = kind {
            let text = if matches!(kind, BlockKind::Code { .. }) {
                text.trim_end().to_owned()
            } else {
                joined_lines(&text)
            };
            builder.push(Block::new(kind, text, None));
            return;
        }
        let text = joined_lines(&text);
        if let Some(label) = self.footnote.take() {
            builder.push(Block::new(BlockKind::Footnote, label + &text, None));
        } else if self.lists.is_empty() {
            builder.push(Block::new(BlockKind::Paragraph, text, None));
        } else {
            let depth = u8::try_from(self.lists.len() - 1).unwrap_or(u8::MAX);
            let mark = self.pending_mark.take().unwrap_or_default();
            builder.push(Block::new(BlockKind::ListItem { depth }, mark + &text, None));
        }
    }
}

/// Source lines of a paragraph made running text. Lines of container syntax (`:::tip Title`) lose their mark.
fn joined_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = match line.trim().strip_prefix(":::") {
            Some(container) => {
                container.trim_start_matches(':').trim().split_once(' ').map_or("", |(_, title)| title)
            }
            None => line.trim(),
        };
        let (Some(first), last) = (line.chars().next(), out.chars().next_back()) else { continue };
        if last.is_some_and(|last| clean::space_between_lines(last, first)) {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}
