//! Reading a page of results: what the engines that answer markup share.

use dom_query::{Document, Matcher, Selection};

use super::EngineError;
use crate::page::depth;
use crate::results::Hit;

/// Rows of a page that are looked at.
const MAX_ROWS: usize = 100;

/// A page of results, parsed.
pub struct Markup(Document);

impl Markup {
    /// Refuses a page that would keep the parser busy.
    pub fn parse(source: &str) -> Result<Self, EngineError> {
        depth::check(source).map_err(|cause| EngineError::Shape(cause.to_string()))?;
        Ok(Self(Document::from(source)))
    }

    pub fn has(&self, selector: &str) -> bool {
        self.0.select(selector).exists()
    }

    pub fn text(&self, selector: &str) -> String {
        text_of(&self.0.select_single(selector))
    }

    /// The rows that `selector` finds, each read by `read`; those without a title or an address are left out.
    pub fn rows(&self, selector: &str, read: impl Fn(&Row<'_>) -> Option<Hit>) -> Vec<Hit> {
        let rows = self.0.select(selector);
        rows.iter()
            .take(MAX_ROWS)
            .filter_map(|row| read(&Row(row)))
            .filter(|hit| !hit.title.is_empty())
            .collect()
    }
}

/// One result in a page.
pub struct Row<'a>(Selection<'a>);

impl Row<'_> {
    /// The text of the first element that `selector` finds; empty without one.
    pub fn text(&self, selector: &str) -> String {
        text_of(&self.0.select(selector).first())
    }

    /// The first of several selectors that finds text.
    pub fn first_text(&self, selectors: &[&str]) -> String {
        selectors.iter().map(|selector| self.text(selector)).find(|text| !text.is_empty()).unwrap_or_default()
    }

    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.0
            .select(selector)
            .first()
            .attr(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// An attribute of the row itself.
    pub fn own_attribute(&self, name: &str) -> Option<String> {
        self.0.attr(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub fn has(&self, selector: &str) -> bool {
        self.0.select(selector).exists()
    }
}

fn text_of(selection: &Selection<'_>) -> String {
    one_line(&selection.text())
}

/// Words with single spaces between them.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a fragment of HTML, as interfaces put it into JSON (`<b>`, `&quot;`).
pub fn plain(fragment: &str) -> String {
    if !fragment.contains(['<', '&']) || depth::check(fragment).is_err() {
        return one_line(fragment);
    }
    one_line(&Document::fragment(fragment).text())
}

/// Whether a selector from the settings can be used.
pub fn is_selector(text: &str) -> bool {
    !text.trim().is_empty() && Matcher::new(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_without_tags_entities_and_line_breaks() {
        assert_eq!(plain("a <b>pump</b>&nbsp;&amp; <em>seal</em>\n x"), "a pump & seal x");
        assert_eq!(plain("1 < 2"), "1 < 2");
        assert_eq!(plain("plain"), "plain");
    }

    #[test]
    fn selectors_are_told_from_other_text() {
        assert!(is_selector("li.hit > a[href]"));
        assert!(!is_selector("") && !is_selector("a[[["));
    }
}
