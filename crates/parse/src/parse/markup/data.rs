//! Data in XML: records of one kind are a table, the rest is its path and its value.

use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;
use crate::parse::markup::tree::{Element, Node, one_line};

/// The lowest heading.
const MAX_LEVEL: u8 = 6;
/// Longest cell of a table of records; longer values are told one by one.
const MAX_CELL_CHARACTERS: usize = 400;
/// Most columns of a table of records.
const MAX_COLUMNS: usize = 40;

pub(super) fn read(element: &Element, builder: &mut DocumentBuilder) {
    section(element, 1, builder);
}

fn section(element: &Element, level: u8, builder: &mut DocumentBuilder) {
    if builder.is_full() {
        return;
    }
    let mut facts: Vec<String> = element
        .attributes
        .iter()
        .filter(|(name, _)| is_telling(name))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let own: String = element
        .children
        .iter()
        .filter_map(|child| match child {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        })
        .collect();
    let children: Vec<&Element> = element.elements().collect();
    let own = one_line(&own);
    if !own.is_empty() {
        facts.push(if children.is_empty() { own } else { format!("text: {own}") });
    }
    builder.push(Block::new(BlockKind::Heading { level: level.min(MAX_LEVEL) }, heading(element), None));
    if let Some((header, rows)) = as_table(&children) {
        flush(&mut facts, builder);
        builder.push(Block::table(std::iter::once(header).chain(rows).collect(), 1, None));
        return;
    }
    for child in children {
        if is_leaf(child) {
            facts.extend(leaf_fact(child));
        } else {
            flush(&mut facts, builder);
            section(child, level.saturating_add(1), builder);
        }
    }
    flush(&mut facts, builder);
}

/// The element's name, with what it is called where it says so.
fn heading(element: &Element) -> String {
    let called = ["name", "id", "key", "title"].into_iter().find_map(|name| element.attribute(name));
    match called {
        Some(called) => format!("{} {called}", element.name),
        None => element.name.clone(),
    }
}

fn is_telling(attribute: &str) -> bool {
    !matches!(attribute, "schemaLocation" | "noNamespaceSchemaLocation" | "space")
        && !attribute.starts_with("xmlns")
}

fn is_leaf(element: &Element) -> bool {
    element.elements().next().is_none()
}

fn leaf_fact(element: &Element) -> Option<String> {
    let attributes: Vec<String> = element
        .attributes
        .iter()
        .filter(|(name, _)| is_telling(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let text = element.text();
    let value = match (text.is_empty(), attributes.is_empty()) {
        (true, true) => return None,
        (true, false) => attributes.join(", "),
        (false, true) => text,
        (false, false) => format!("{text} ({})", attributes.join(", ")),
    };
    Some(format!("{}: {value}", element.name))
}

fn flush(facts: &mut Vec<String>, builder: &mut DocumentBuilder) {
    builder.push(Block::new(BlockKind::Paragraph, facts.join("\n"), None));
    facts.clear();
}

/// At least two children, all of one name, whose values are short: their attributes and leaves are columns.
fn as_table(children: &[&Element]) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let first = children.first()?;
    if children.len() < 2 || children.iter().any(|child| child.name != first.name) {
        return None;
    }
    let mut header: Vec<String> = Vec::new();
    let mut records = Vec::with_capacity(children.len());
    for child in children {
        let record = record_of(child)?;
        for (name, _) in &record {
            if !header.contains(name) {
                header.push(name.clone());
            }
        }
        if header.len() > MAX_COLUMNS {
            return None;
        }
        records.push(record);
    }
    let cell = |record: &[(String, String)], name: &String| {
        record.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let rows = records.iter().map(|record| header.iter().map(|name| cell(record, name)).collect()).collect();
    (!header.is_empty()).then_some((header, rows))
}

/// Names and values of a flat element; `None` when something in it has parts, or is long, or comes twice.
fn record_of(element: &Element) -> Option<Vec<(String, String)>> {
    let mut record: Vec<(String, String)> = element
        .attributes
        .iter()
        .filter(|(name, _)| is_telling(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if is_leaf(element) {
        record.push((element.name.clone(), element.text()));
    }
    for child in element.elements() {
        let is_repeated = record.iter().any(|(name, _)| *name == child.name);
        if !is_leaf(child) || is_repeated {
            return None;
        }
        record.push((child.name.clone(), child.text()));
    }
    record.iter().all(|(_, value)| value.chars().count() <= MAX_CELL_CHARACTERS).then_some(record)
}
