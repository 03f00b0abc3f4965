//! Page labels (ISO 32000-1, 12.4.2): what a document calls its pages.

use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Object};

use super::trees;
use crate::parse::ordinals::{letters, roman};

/// Longest roman numeral or letter label is for this number; larger numbers are written in digits.
const MAX_SPELLED_NUMBER: usize = 2_000;
/// Pages are not counted from a higher number.
const MAX_START: usize = 1_000_000;

/// How the pages from one on are called.
#[derive(Clone, Debug)]
struct Range {
    first_page: usize,
    style: Option<u8>,
    prefix: String,
    start: usize,
}

/// One label a page; empty when the document does not label its pages otherwise than 1, 2, 3.
pub(super) fn read(catalog: &Dict<'_>, pages: usize) -> Vec<String> {
    let Some(root) = catalog.get::<Dict<'_>>(b"PageLabels".as_slice()) else { return Vec::new() };
    let mut ranges = Vec::new();
    trees::leaves(&root, b"Nums", &mut |numbers| ranges.extend(ranges_of(numbers)));
    labels(ranges, pages)
}

fn labels(mut ranges: Vec<Range>, pages: usize) -> Vec<String> {
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

fn ranges_of(numbers: &Array<'_>) -> Vec<Range> {
    let values: Vec<Object<'_>> = numbers.iter::<Object<'_>>().take(trees::MAX_ENTRIES).collect();
    values
        .chunks_exact(2)
        .filter_map(|pair| {
            let first_page = usize::try_from(pair[0].clone().into_i32()?).ok()?;
            let label = pair[1].clone().into_dict()?;
            let start = label.get::<i32>(b"St".as_slice()).and_then(|start| usize::try_from(start).ok());
            Some(Range {
                first_page,
                style: label.get::<Name<'_>>(b"S".as_slice()).and_then(|name| name.as_ref().first().copied()),
                prefix: super::text::line(&label, b"P").unwrap_or_default(),
                start: start.unwrap_or(1).min(MAX_START),
            })
        })
        .collect()
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
    use super::*;

    fn range(first_page: usize, style: Option<u8>, prefix: &str, start: usize) -> Range {
        Range { first_page, style, prefix: prefix.to_owned(), start }
    }

    #[test]
    fn labels_follow_their_ranges() {
        let ranges =
            vec![range(4, Some(b'A'), "App-", 1), range(0, Some(b'r'), "", 1), range(2, Some(b'D'), "", 5)];
        assert_eq!(labels(ranges, 6), ["i", "ii", "5", "6", "App-A", "App-B"]);
    }

    #[test]
    fn usual_numbers_are_no_labels() {
        assert!(labels(vec![range(0, Some(b'D'), "", 1)], 3).is_empty());
    }
}
