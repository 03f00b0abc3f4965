//! Snippets: the part of a text where a question's words stand, and where exactly.

use std::collections::HashMap;
use std::ops::Range;

use super::analysis::{Analyzer, TermKind};

/// The terms of a question, for marking them in texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryTerms {
    /// Weight of each term in choosing the part to show.
    weights: HashMap<String, f32>,
}

impl QueryTerms {
    pub fn new(analyzer: &Analyzer, query: &str) -> Self {
        let mut weights = HashMap::new();
        for term in analyzer.terms(query) {
            let weight = match term.kind {
                TermKind::Code => 3.0,
                TermKind::Word => 1.0,
                TermKind::Part => 0.5,
            };
            weights.insert(term.text, weight);
        }
        Self { weights }
    }

    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }
}

/// A part of a text with its matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    pub text: String,
    /// Bytes of `text`, ascending, not overlapping.
    pub marks: Vec<Range<usize>>,
    /// The source goes on before and after what is shown.
    pub cut_before: bool,
    pub cut_after: bool,
}

/// The stretch of `text` of at most `max_chars` characters with the most different terms of the question, the
/// earliest of equals. A text without a match gives its beginning.
pub fn highlight(analyzer: &Analyzer, terms: &QueryTerms, text: &str, max_chars: usize) -> Snippet {
    let matches = find_matches(analyzer, terms, text);
    let window = best_window(&matches, text, max_chars.max(1));
    let mut marks: Vec<Range<usize>> = Vec::new();
    for found in
        matches.iter().filter(|found| found.range.start >= window.start && found.range.end <= window.end)
    {
        let range = found.range.start - window.start..found.range.end - window.start;
        match marks.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => marks.push(range),
        }
    }
    Snippet {
        text: text[window.clone()].to_owned(),
        marks,
        cut_before: window.start > 0,
        cut_after: window.end < text.len(),
    }
}

struct Match {
    range: Range<usize>,
    term: String,
    weight: f32,
}

/// The matches in the order of their start.
fn find_matches(analyzer: &Analyzer, terms: &QueryTerms, text: &str) -> Vec<Match> {
    let mut matches: Vec<Match> = analyzer
        .terms(text)
        .into_iter()
        .filter_map(|term| {
            let weight = *terms.weights.get(&term.text)?;
            Some(Match { range: term.source, term: term.text, weight })
        })
        .collect();
    matches.sort_by_key(|found| (found.range.start, found.range.end));
    matches
}

fn best_window(matches: &[Match], text: &str, max_chars: usize) -> Range<usize> {
    let mut best: Option<(f32, usize, usize)> = None;
    for (first, start) in matches.iter().enumerate() {
        let end = advance(text, start.range.start, max_chars);
        let mut seen: Vec<&str> = Vec::new();
        let mut score = 0.0;
        let mut last_end = start.range.end;
        for found in matches[first..].iter().take_while(|found| found.range.start < end) {
            if found.range.end <= end && !seen.contains(&found.term.as_str()) {
                seen.push(&found.term);
                score += found.weight;
                last_end = last_end.max(found.range.end);
            }
        }
        if best.is_none_or(|(best_score, _, _)| score > best_score) {
            best = Some((score, start.range.start, last_end));
        }
    }
    let Some((_, start, end)) = best else {
        return 0..advance(text, 0, max_chars);
    };
    widen(text, start..end, max_chars)
}

/// Puts `core` into the middle of a window of `max_chars`, beginning at a word.
fn widen(text: &str, core: Range<usize>, max_chars: usize) -> Range<usize> {
    let core_chars = text[core.clone()].chars().count();
    let before = max_chars.saturating_sub(core_chars) / 3;
    let start = text[..core.start].char_indices().rev().take(before).last().map_or(core.start, |(at, _)| at);
    let start = if start == 0 {
        0
    } else {
        text[start..core.start]
            .find([' ', '\n', '。', '，', '；'])
            .map_or(start, |at| start + at + text[start + at..].chars().next().map_or(0, char::len_utf8))
    };
    start..advance(text, start, max_chars)
}

/// The offset `count` characters after `start`, or the end.
fn advance(text: &str, start: usize, count: usize) -> usize {
    text[start..].char_indices().nth(count).map_or(text.len(), |(at, _)| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(query: &str, text: &str, max_chars: usize) -> (Snippet, Vec<String>) {
        let analyzer = Analyzer::new();
        let snippet = highlight(&analyzer, &QueryTerms::new(&analyzer, query), text, max_chars);
        let marks = snippet.marks.iter().map(|range| snippet.text[range.clone()].to_owned()).collect();
        (snippet, marks)
    }

    #[test]
    fn words_are_marked_in_the_form_they_have_in_the_text() {
        let (_, marks) =
            marked("connection 電腦 GB/T19001-2016", "Connections of 电脑 by GB/T 19001-2016.", 200);
        assert_eq!(marks, ["Connections", "电脑", "GB/T 19001-2016"]);
    }

    #[test]
    fn the_window_moves_to_where_most_terms_are() {
        let text = format!("leave once. {} annual leave policy here {}", "x ".repeat(200), "y ".repeat(200));
        let (snippet, marks) = marked("annual leave policy", &text, 60);
        assert_eq!(marks, ["annual", "leave", "policy"]);
        assert!(snippet.cut_before && snippet.cut_after);
        assert!(snippet.text.chars().count() <= 60);
    }

    #[test]
    fn without_a_match_the_beginning_is_shown() {
        let (snippet, marks) = marked("zebra", "一二三四五六", 3);
        assert_eq!((snippet.text.as_str(), marks.len()), ("一二三", 0));
        assert!(!snippet.cut_before && snippet.cut_after);
    }
}
