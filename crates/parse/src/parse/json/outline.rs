//! A value as headings (where in the file), paragraphs of `name: value`, lists and tables.

use super::value::Value;
use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::builder::DocumentBuilder;

/// The lowest heading.
const MAX_LEVEL: usize = 6;
/// Longest cell of a table of records; records with longer values are told one by one.
const MAX_CELL_CHARACTERS: usize = 300;
/// Most columns of a table of records.
const MAX_COLUMNS: usize = 40;
/// A list of scalars up to this long stands on one line.
const MAX_LINE_CHARACTERS: usize = 160;
/// What names a record.
const NAMING_KEYS: [&str; 6] = ["title", "name", "label", "id", "key", "_id"];

pub(super) fn read(value: &Value, builder: &mut DocumentBuilder) {
    let mut path = Vec::new();
    walk(value, &mut path, builder);
}

fn walk(value: &Value, path: &mut Vec<String>, builder: &mut DocumentBuilder) {
    if builder.is_full() {
        return;
    }
    match value {
        Value::Null => {}
        Value::Scalar(text) => push(BlockKind::Paragraph, text, builder),
        Value::Object(members) => object(members, path, builder),
        Value::Array(items) => array(items, path, builder),
    }
}

/// Members that are scalars stand together; each that has parts is a section of its own.
fn object(members: &[(String, Value)], path: &mut Vec<String>, builder: &mut DocumentBuilder) {
    let facts: Vec<String> = members.iter().filter_map(|(key, value)| fact(key, value)).collect();
    push(BlockKind::Paragraph, &facts.join("\n"), builder);
    for (key, value) in members.iter().filter(|(key, value)| has_parts(value) && fact(key, value).is_none()) {
        path.push(key.clone());
        section_heading(path, builder);
        walk(value, path, builder);
        path.pop();
    }
}

fn array(items: &[Value], path: &mut Vec<String>, builder: &mut DocumentBuilder) {
    if let Some(rows) = as_table(items) {
        builder.push(Block::table(rows, 1, None));
        return;
    }
    for (index, item) in items.iter().enumerate() {
        if builder.is_full() {
            return;
        }
        match item {
            Value::Null => {}
            Value::Scalar(text) => push(BlockKind::ListItem { depth: 0 }, &format!("- {text}"), builder),
            Value::Object(members)
                if members.iter().all(|(key, value)| !has_parts(value) || fact(key, value).is_some()) =>
            {
                object(members, path, builder);
            }
            _ => {
                path.push(record_name(item).unwrap_or_else(|| format!("[{}]", index + 1)));
                section_heading(path, builder);
                walk(item, path, builder);
                path.pop();
            }
        }
    }
}

/// The whole path for people: `server › hosts › db1`.
fn section_heading(path: &[String], builder: &mut DocumentBuilder) {
    let level = u8::try_from(path.len().min(MAX_LEVEL)).unwrap_or(1);
    push(BlockKind::Heading { level }, &path.join(" › "), builder);
}

fn record_name(item: &Value) -> Option<String> {
    let name = NAMING_KEYS.into_iter().find_map(|key| item.text(key))?;
    (name.chars().count() <= MAX_LINE_CHARACTERS).then(|| clean::normalise(name).replace('\n', " "))
}

fn has_parts(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Null | Value::Scalar(_) => false,
    }
}

/// `key: value` for what fits on a line or is one text.
fn fact(key: &str, value: &Value) -> Option<String> {
    match value {
        Value::Scalar(text) if !text.trim().is_empty() => Some(format!("{key}: {text}")),
        Value::Array(_) => Some(format!("{key}: {}", short_list(value)?)),
        _ => None,
    }
}

/// Scalars on one line.
fn short_list(value: &Value) -> Option<String> {
    let items = value.items();
    let mut words = Vec::with_capacity(items.len().min(MAX_LINE_CHARACTERS));
    for item in items {
        let Value::Scalar(text) = item else { return None };
        words.push(text.as_str());
        if words.len() > MAX_LINE_CHARACTERS {
            return None;
        }
    }
    let line = words.join(", ");
    (!line.is_empty() && line.chars().count() <= MAX_LINE_CHARACTERS && !line.contains('\n')).then_some(line)
}

fn as_table(items: &[Value]) -> Option<Vec<Vec<String>>> {
    if items.len() < 2 {
        return None;
    }
    let mut header: Vec<String> = Vec::new();
    for item in items {
        let Value::Object(members) = item else { return None };
        for (key, value) in members {
            cell(value)?;
            if !header.contains(key) {
                header.push(key.clone());
            }
        }
        if header.len() > MAX_COLUMNS {
            return None;
        }
    }
    let row =
        |item: &Value| header.iter().map(|key| item.get(key).and_then(cell).unwrap_or_default()).collect();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    (!header.is_empty()).then(|| std::iter::once(header).chain(rows).collect())
}

/// A value as a cell; `None` when it is too long or has parts.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Scalar(text) if text.chars().count() <= MAX_CELL_CHARACTERS && !text.contains('\n') => {
            Some(clean::normalise(text))
        }
        Value::Array(items) if items.is_empty() => Some(String::new()),
        Value::Array(_) => short_list(value),
        _ => None,
    }
}

fn push(kind: BlockKind, text: &str, builder: &mut DocumentBuilder) {
    builder.push(Block::new(kind, clean::normalise(text), None));
}
