//! Page labels (ISO 32000-1, 12.4.2): what a document calls its pages.

use std::collections::HashSet;

use lopdf::{Dictionary, Document, Object, ObjectId};

use crate::parse::ordinals::{letters, roman};

/// Nodes of the number tree that are visited.
const MAX_NODES: usize = 2_000;
/// Longest roman numeral or letter label is for this number; larger numbers are written in digits.
const MAX_SPELLED_NUMBER: usize = 2_000;

/// How the pages from one on are called.
struct Range {
    first_page: usize,
    style: Option<u8>,
    prefix: String,
    start: usize,
}

/// One label a page; empty when the document does not label its pages otherwise than 1, 2, 3.
pub(super) fn read(document: &Document, pages: usize) -> Vec<String> {
    let mut ranges = ranges(document);
    ranges.sort_by_key(|range| range.first_page);
    if ranges.is_empty() || ranges[0].first_page != 0 {
        return Vec::new();
    }
    let mut labels = Vec::with_capacity(pages);
    let mut current = 0;
    for page in 0..pages {
        while ranges.get(current + 1).is_some_and(|next| next.first_page <= page) {
            current += 1;
        }
        let range = &ranges[current];
        let number = range.start + (page - range.first_page);
        labels.push(format!("{}{}", range.prefix, numeral(range.style, number)));
    }
    let usual = labels.iter().enumerate().all(|(index, label)| *label == (index + 1).to_string());
    if usual { Vec::new() } else { labels }
}

fn ranges(document: &Document) -> Vec<Range> {
    let mut ranges = Vec::new();
    let Ok(root) = document
        .catalog()
        .and_then(|catalog| catalog.get_deref(b"PageLabels", document))
        .and_then(Object::as_dict)
    else {
        return ranges;
    };
    let mut visited: HashSet<ObjectId> = HashSet::new();
    let mut open: Vec<&Dictionary> = vec![root];
    while let Some(node) = open.pop() {
        if let Ok(numbers) = node.get_deref(b"Nums", document).and_then(Object::as_array) {
            ranges.extend(numbers.chunks_exact(2).filter_map(|pair| range(document, &pair[0], &pair[1])));
        }
        let Ok(kids) = node.get_deref(b"Kids", document).and_then(Object::as_array) else { continue };
        for kid in kids.iter().filter_map(|kid| kid.as_reference().ok()) {
            if visited.len() < MAX_NODES
                && visited.insert(kid)
                && let Ok(kid) = document.get_dictionary(kid)
            {
                open.push(kid);
            }
        }
    }
    ranges
}

fn range(document: &Document, first_page: &Object, label: &Object) -> Option<Range> {
    let (_, label) = document.dereference(label).ok()?;
    let label = label.as_dict().ok()?;
    let start = label
        .get(b"St")
        .and_then(Object::as_i64)
        .ok()
        .and_then(|start| usize::try_from(start).ok())
        .unwrap_or(1);
    Some(Range {
        first_page: usize::try_from(first_page.as_i64().ok()?).ok()?,
        style: label.get(b"S").and_then(Object::as_name).ok().and_then(|name| name.first().copied()),
        prefix: super::text(document, label, b"P").unwrap_or_default(),
        start: start.min(1_000_000),
    })
}

fn numeral(style: Option<u8>, number: usize) -> String {
    let spelled = number > 0 && number <= MAX_SPELLED_NUMBER;
    match style {
        None => String::new(),
        Some(b'r') if spelled => roman(number),
        Some(b'R') if spelled => roman(number).to_uppercase(),
        Some(b'a') if spelled => letters(number, b'a'),
        Some(b'A') if spelled => letters(number, b'A'),
        Some(_) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use lopdf::dictionary;

    use super::*;

    #[test]
    fn labels_follow_their_ranges() {
        let mut document = Document::with_version("1.5");
        let numbers = vec![
            0.into(),
            dictionary! { "S" => "r" }.into(),
            2.into(),
            dictionary! { "S" => "D", "St" => 5 }.into(),
            4.into(),
            dictionary! { "S" => "A", "P" => Object::string_literal("App-") }.into(),
        ];
        let catalog = document.add_object(
            dictionary! { "Type" => "Catalog", "PageLabels" => dictionary! { "Nums" => numbers } },
        );
        document.trailer.set("Root", catalog);
        assert_eq!(read(&document, 6), ["i", "ii", "5", "6", "App-A", "App-B"]);
    }
}
