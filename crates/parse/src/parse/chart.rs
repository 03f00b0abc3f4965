//! Charts of Office documents (ECMA-376-1, 21.2): the numbers that a chart draws, as the table that they are.

use super::tree::{Element, Tree};
use crate::document::Block;

/// Points of a series beyond are left out.
const MAX_POINTS: usize = 5_000;
/// Series beyond are left out.
const MAX_SERIES: usize = 100;

/// The chart's title, and its table: a row a category, a column a series.
pub(super) fn read(tree: &Tree) -> (Option<String>, Option<Block>) {
    let Some(root) = tree.root() else { return (None, None) };
    let title = root.at(&["chart", "title", "tx"]).map(|title| {
        let paragraphs = title.descendants().filter(|element| element.name() == "p");
        paragraphs.map(|paragraph| paragraph.text()).collect::<Vec<_>>().join(" ").trim().to_owned()
    });
    let series: Vec<Element<'_>> =
        root.descendants().filter(|element| element.name() == "ser").take(MAX_SERIES).collect();
    let Some(first) = series.first() else { return (title, None) };
    let categories = first.child("cat").or_else(|| first.child("xVal")).map(points).unwrap_or_default();
    let values: Vec<Vec<String>> = series
        .iter()
        .map(|one| one.child("val").or_else(|| one.child("yVal")).map(points).unwrap_or_default())
        .collect();
    let length = values.iter().map(Vec::len).chain([categories.len()]).max().unwrap_or(0);
    if length == 0 {
        return (title, None);
    }
    let name = |one: &Element<'_>| one.child("tx").map(|tx| points(tx).join(" ")).unwrap_or_default();
    let mut rows = vec![std::iter::once(String::new()).chain(series.iter().map(name)).collect::<Vec<_>>()];
    let at = |list: &[String], place: usize| list.get(place).cloned().unwrap_or_default();
    for place in 0..length {
        let row = std::iter::once(at(&categories, place)).chain(values.iter().map(|list| at(list, place)));
        rows.push(row.collect());
    }
    let has_header = rows[0].iter().any(|name| !name.is_empty());
    if !has_header {
        rows.remove(0);
    }
    (title.filter(|title| !title.is_empty()), Some(Block::table(rows, usize::from(has_header), None)))
}

/// The points of a list that the chart keeps a copy of, in their places.
fn points(list: Element<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for point in list.descendants().filter(|element| element.name() == "pt") {
        let place = point.number::<usize>("idx").unwrap_or(out.len()).min(MAX_POINTS);
        if out.len() <= place {
            out.resize(place + 1, String::new());
        }
        let text = point.child("v").map(|value| value.text()).unwrap_or_default();
        // Binary fractions leave noise in what was computed.
        out[place] = match text.parse::<f64>() {
            Ok(number) if text.contains('.') => super::sheets::number_format::general(number),
            _ => text,
        };
    }
    out
}
