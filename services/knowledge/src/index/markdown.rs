//! Tables in passages, which are Markdown: rows between pipes under a header and a rule.

use std::borrow::Cow;

/// Whether a line is a row of a table (or its header, or its rule).
pub fn is_row(line: &str) -> bool {
    let line = line.trim();
    line.len() > 1 && line.starts_with('|') && line.ends_with('|')
}

/// Whether a line is the rule under a table's header.
pub fn is_rule(line: &str) -> bool {
    is_row(line) && line.contains('-') && line.trim().chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// The bytes of the header and the rule that `text` begins with, the line break behind them counted in.
pub fn head_length(text: &str) -> Option<usize> {
    let mut lines = text.split_inclusive('\n');
    let (header, rule) = (lines.next()?, lines.next()?);
    (is_row(header) && is_rule(rule)).then_some(header.len() + rule.len())
}

/// The text with the cells of its rows apart from one another and without what draws the table.
pub fn without_borders(text: &str) -> Cow<'_, str> {
    if !text.lines().any(is_row) {
        return Cow::Borrowed(text);
    }
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    for line in text.lines().filter(|line| !is_rule(line)) {
        lines.push(if is_row(line) { Cow::Owned(cells(line).join(" ")) } else { Cow::Borrowed(line) });
    }
    Cow::Owned(lines.join("\n"))
}

/// The cells of a row that have something in them.
pub fn cells(row: &str) -> Vec<String> {
    let inner = row.trim().trim_start_matches('|').trim_end_matches('|').replace("\\|", "\u{0}");
    inner.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).filter(|cell| !cell.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_embedded_as_its_cells() {
        let table = "Prices\n\n| code | what |\n|---|---|\n| A\\|1 | pump |\n|  | seal |";
        assert_eq!(without_borders(table), "Prices\n\ncode what\nA|1 pump\nseal");
        for plain in ["a | b", "no table\n- item", "", "|"] {
            assert_eq!(without_borders(plain), plain);
        }
    }

    #[test]
    fn a_head_is_a_header_with_a_rule() {
        assert_eq!(head_length("| a |\n|---|\n| 1 |"), Some(12));
        assert_eq!(head_length("| a |\n| 1 |"), None);
        assert_eq!(head_length("text"), None);
    }
}
