//! Values as Python writes them: `json.dumps` and `str`.

use minijinja::value::{Value, ValueKind};
use serde_json::Value as Json;

/// `json.dumps(value, ensure_ascii=False)`.
pub(crate) fn json(value: &Json) -> String {
    dump(value, None, None, false)
}

/// `json.dumps` with its options. `separators` are those of items and of keys.
pub(super) fn dump(
    value: &Json,
    indent: Option<usize>,
    separators: Option<(&str, &str)>,
    sort_keys: bool,
) -> String {
    let default_item = if indent.is_some() { "," } else { ", " };
    let (item, key) = separators.unwrap_or((default_item, ": "));
    let mut dumper = Dumper { indent, item, key, sort_keys, out: String::new() };
    dumper.write(value, 0);
    dumper.out
}

struct Dumper<'a> {
    indent: Option<usize>,
    item: &'a str,
    key: &'a str,
    sort_keys: bool,
    out: String,
}

impl Dumper<'_> {
    fn write(&mut self, value: &Json, depth: usize) {
        match value {
            Json::Array(items) if !items.is_empty() => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.before_item(index, depth + 1);
                    self.write(item, depth + 1);
                }
                self.new_line(depth);
                self.out.push(']');
            }
            Json::Object(fields) if !fields.is_empty() => {
                let mut fields: Vec<(&String, &Json)> = fields.iter().collect();
                if self.sort_keys {
                    fields.sort_by_key(|(name, _)| *name);
                }
                self.out.push('{');
                for (index, (name, field)) in fields.into_iter().enumerate() {
                    self.before_item(index, depth + 1);
                    self.out.push_str(&Json::from(name.as_str()).to_string());
                    self.out.push_str(self.key);
                    self.write(field, depth + 1);
                }
                self.new_line(depth);
                self.out.push('}');
            }
            simple => self.out.push_str(&simple.to_string()),
        }
    }

    fn before_item(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push_str(self.item);
        }
        self.new_line(depth);
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    }
}

/// `str(value)`: text as it is, `True`, `None`, lists and mappings with quoted text.
pub(super) fn text(value: &Value) -> String {
    match value.kind() {
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::None => "None".to_owned(),
        ValueKind::Seq => {
            let items = value.try_iter().into_iter().flatten().map(|item| quoted(&item));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            let fields = keys.map(|key| {
                let field = value.get_item(&key).unwrap_or_default();
                format!("{}: {}", quoted(&key), quoted(&field))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

/// `repr(value)`.
fn quoted(value: &Value) -> String {
    let Some(inner) = value.as_str() else { return text(value) };
    let quote = if inner.contains('\'') && !inner.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for character in inner.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other == quote => {
                out.push('\\');
                out.push(other);
            }
            other => out.push(other),
        }
    }
    out.push(quote);
    out
}
