//! What stands before the text of a Markdown file: YAML between lines `---`, TOML between lines `+++`.
//!
//! Enough of both for what sites write there: scalars and lists of scalars on the first level.

use crate::document::Metadata;

#[derive(Debug, Default)]
pub(super) struct FrontMatter {
    /// Names in lower case.
    entries: Vec<(String, Vec<String>)>,
}

impl FrontMatter {
    /// The front matter and what follows it.
    pub(super) fn split(source: &str) -> (Self, &str) {
        let text = source.trim_start();
        for (fence, separator) in [("---", ':'), ("+++", '=')] {
            let Some(body) = text.strip_prefix(fence).and_then(|rest| rest.strip_prefix('\n')) else {
                continue;
            };
            let mut offset = 0;
            for line in body.split_inclusive('\n') {
                if line.trim_end() == fence {
                    return (Self::read(&body[..offset], separator), &body[offset + line.len()..]);
                }
                offset += line.len();
            }
        }
        (Self::default(), source)
    }

    fn read(text: &str, separator: char) -> Self {
        let mut entries: Vec<(String, Vec<String>)> = Vec::new();
        for line in text.lines() {
            let item = line.trim_start().strip_prefix("- ");
            if let (Some(item), Some((_, values))) = (item, entries.last_mut()) {
                values.extend(scalar(item));
                continue;
            }
            // What is indented belongs to an entry that has parts of its own.
            if line.starts_with([' ', '\t', '#']) {
                continue;
            }
            if let Some((name, value)) = line.split_once(separator) {
                entries.push((name.trim().to_lowercase(), values(value.trim())));
            }
        }
        Self { entries }
    }

    fn values(&self, names: &[&str]) -> &[String] {
        let known =
            |name: &&str| self.entries.iter().find(|(known, values)| known == *name && !values.is_empty());
        names.iter().find_map(known).map_or(&[], |(_, values)| values)
    }

    /// The first of these entries that there is, if it is one value.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        self.values(names).first().cloned()
    }

    pub(super) fn describe(&self, metadata: &mut Metadata) {
        metadata.author =
            Some(self.values(&["author", "authors"]).join(", ")).filter(|names| !names.is_empty());
        metadata.created = self.text(&["date", "created", "published"]);
        metadata.modified = self.text(&["updated", "modified", "lastmod", "last_modified"]);
        metadata.language = self.text(&["lang", "language"]);
        metadata.keywords = self.values(&["tags", "keywords", "categories"]).to_vec();
    }
}

/// A scalar, or a list in brackets.
fn values(text: &str) -> Vec<String> {
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((list, _)) => list.split(',').filter_map(scalar).collect(),
        None => scalar(text).into_iter().collect(),
    }
}

fn scalar(text: &str) -> Option<String> {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some((quoted, _)) = text.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return (!quoted.trim().is_empty()).then(|| quoted.trim().to_owned());
        }
    }
    let text = text.split(" #").next().unwrap_or(text).trim();
    let is_structure = text.starts_with(['|', '>', '{', '[', '&', '*']);
    (!text.is_empty() && !is_structure && text != "null" && text != "~").then(|| text.to_owned())
}
