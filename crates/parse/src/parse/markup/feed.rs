//! RSS and Atom: a section for each entry.

use super::text_of;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::html;
use crate::parse::markup::tree::Element;

pub(super) fn read(top: &Element, builder: &mut DocumentBuilder) {
    let channel = top.child("channel").unwrap_or(top);
    let title = text_of(channel.child("title"));
    if !title.is_empty() {
        builder.push(Block::new(BlockKind::Heading { level: 1 }, title.clone(), None));
        builder.document().title = Some(title);
    }
    for name in ["description", "subtitle"] {
        push_content(channel.child(name), builder);
    }
    let mut entries = Vec::new();
    for name in ["item", "entry"] {
        top.each(name, &mut |entry| entries.push(entry));
    }
    for entry in entries {
        if builder.is_full() {
            return;
        }
        push_entry(entry, builder);
    }
}

fn push_entry(entry: &Element, builder: &mut DocumentBuilder) {
    builder.push(Block::new(BlockKind::Heading { level: 2 }, text_of(entry.child("title")), None));
    let first = |names: &[&str]| {
        names.iter().find_map(|name| entry.child(name).map(Element::text).filter(|text| !text.is_empty()))
    };
    let author = entry.child("author").and_then(|author| author.child("name")).map(Element::text);
    let facts = [
        author.or_else(|| first(&["author", "creator"])),
        first(&["pubDate", "published", "updated", "date"]),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    builder.push(Block::new(BlockKind::Paragraph, facts.join(" | "), None));
    let encoded = entry.child("encoded").or_else(|| entry.child("content"));
    let summary = entry.child("description").or_else(|| entry.child("summary"));
    push_content(encoded.filter(|content| !content.is_blank()).or(summary), builder);
}

/// Text of a feed is most often HTML, escaped.
fn push_content(content: Option<&Element>, builder: &mut DocumentBuilder) {
    if let Some(content) = content {
        html::read_fragment(&content.raw_text(), builder);
    }
}
