//! What an answer may rest on: passages of documents, and pages of the web when that was asked for.

use anwen_contract::chat::{Source, SourceKind};
use anwen_contract::knowledge::{Hit, LineBox};
use anwen_contract::search::{ReadAnswer, SearchResult};
use anwen_text::{sentences, terms};
use std::collections::HashSet;

/// Characters of a passage that are kept with the answer.
const MAX_EXCERPT_CHARS: usize = 3_000;
/// Characters of a web page that go into the prompt.
const MAX_PAGE_CHARS: usize = 1_500;
/// Scores of web sources stand below those of documents: the organisation's own word comes first.
const WEB_SCORE_FACTOR: f32 = 0.5;

/// A source with what is needed to quote from it and to check what cites it.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub source: Source,
    pub text: String,
    pub headings: Vec<String>,
    pub lines: Vec<LineBox>,
}

/// Hits as evidence, each passage once, numbered from 1 in their order.
pub fn from_hits(hits: Vec<Hit>) -> Vec<Evidence> {
    let mut seen = HashSet::new();
    hits.into_iter()
        .filter(|hit| seen.insert(hit.chunk_id))
        .enumerate()
        .map(|(at, hit)| from_hit(at, hit))
        .collect()
}

fn from_hit(position: usize, hit: Hit) -> Evidence {
    let source = Source {
        n: number(position),
        kind: SourceKind::Document,
        chunk_id: Some(hit.chunk_id),
        document_id: Some(hit.document_id),
        document_name: Some(hit.document_name.clone()),
        knowledge_base_id: Some(hit.knowledge_base_id),
        page_start: hit.page_start,
        page_end: hit.page_end,
        boxes: Some(hit.boxes),
        url: None,
        title: hit.document_name,
        excerpt: hit.text.chars().take(MAX_EXCERPT_CHARS).collect(),
        score: hit.score,
        version: Some(hit.version),
        as_of: Some(hit.as_of),
        flags: Vec::new(),
    };
    Evidence { source, text: hit.text, headings: hit.heading_path, lines: hit.lines }
}

/// Adds pages of the web, numbered on.
pub fn add_pages(
    evidence: &mut Vec<Evidence>,
    question: &str,
    pages: Vec<(SearchResult, Option<ReadAnswer>)>,
) {
    for (result, page) in pages {
        let text =
            page.as_ref().map_or_else(|| result.snippet.clone(), |page| best_part(question, &page.text));
        if text.trim().is_empty() {
            continue;
        }
        let source = Source {
            n: number(evidence.len()),
            kind: SourceKind::Web,
            chunk_id: None,
            document_id: None,
            document_name: None,
            knowledge_base_id: None,
            page_start: None,
            page_end: None,
            boxes: None,
            url: Some(page.as_ref().map_or(result.url, |page| page.url.clone())),
            title: result.title,
            excerpt: text.clone(),
            score: result.score * WEB_SCORE_FACTOR,
            version: None,
            as_of: page.and_then(|page| page.published_at).or(result.published_at),
            flags: result.flags,
        };
        evidence.push(Evidence { source, text, headings: Vec::new(), lines: Vec::new() });
    }
}

/// The stretch of whole sentences that shares the most terms with the question.
fn best_part(question: &str, text: &str) -> String {
    let wanted: HashSet<String> = terms(question).into_iter().collect();
    let ranges = sentences(text);
    let shared: Vec<usize> = ranges
        .iter()
        .map(|range| terms(&text[range.clone()]).iter().filter(|term| wanted.contains(*term)).count())
        .collect();
    let (mut best, mut best_score) = (0..0, 0);
    let (mut start, mut score, mut chars) = (0, 0, 0);
    for end in 0..ranges.len() {
        score += shared[end];
        chars += text[ranges[end].clone()].chars().count();
        while chars > MAX_PAGE_CHARS && start < end {
            score -= shared[start];
            chars -= text[ranges[start].clone()].chars().count();
            start += 1;
        }
        if score > best_score || best.is_empty() {
            (best, best_score) = (ranges[start].start..ranges[end].end, score);
        }
    }
    text[best].chars().take(MAX_PAGE_CHARS).collect()
}

/// Sources are numbered from 1.
fn number(position: usize) -> u32 {
    u32::try_from(position + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_a_page_that_speaks_of_the_question_is_taken() {
        let filler = "This sentence speaks of the weather in spring. ".repeat(60);
        let page = format!("{filler}The pump warranty lasts 24 months. {filler}");
        let part = best_part("How long is the pump warranty?", &page);
        assert!(part.contains("24 months") && part.chars().count() <= MAX_PAGE_CHARS, "{part}");
        assert_eq!(best_part("anything", ""), "");
    }

    #[test]
    fn a_page_that_could_not_be_read_is_its_snippet() {
        let result = SearchResult {
            title: "T".into(),
            url: "https://example.com".into(),
            snippet: "A snippet.".into(),
            engines: vec![],
            score: 1.0,
            published_at: None,
            flags: vec![],
        };
        let mut evidence = Vec::new();
        add_pages(
            &mut evidence,
            "q",
            vec![(result.clone(), None), (SearchResult { snippet: " ".into(), ..result }, None)],
        );
        assert_eq!(evidence.len(), 1);
        assert_eq!((evidence[0].source.n, evidence[0].text.as_str()), (1, "A snippet."));
    }
}
