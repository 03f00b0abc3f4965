//! From the answers of several engines to one list. Pure.
//!
//! 1. [`canonical`]: addresses of the same page become equal;
//! 2. [`duplicates`]: pages that say the same under different addresses are found by what engines show of them;
//! 3. [`fuse`]: ranks of the engines become one score, by their weights;
//! 4. [`relevance`]: the words of the query, the age and the site of a result move it;
//! 5. [`diversity`]: one site does not fill the top.

pub mod canonical;
pub mod diversity;
pub mod duplicates;
pub mod fuse;
pub mod relevance;

use anwen_contract::Timestamp;
use anwen_contract::search::{SearchResult, SitePreference};
use url::Url;

use crate::results::{Found, Hit};
use canonical::{Canonical, canonical, unwrapped};
use duplicates::Sketch;

/// Characters of a title and of a snippet; what is longer is not one.
const MAX_TITLE_CHARS: usize = 300;
const MAX_SNIPPET_CHARS: usize = 2_000;
/// Results of one engine that are merged.
const MAX_HITS_OF_AN_ENGINE: usize = 50;

/// What one engine found, and how much its ranks count.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    pub engine: String,
    pub weight: f32,
    pub found: Found,
}

/// How results are ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct Preferences<'a> {
    pub query: &'a str,
    pub top_k: usize,
    pub now: Timestamp,
    pub sites: &'a [SitePreference],
    /// Results of one site before its further ones step back.
    pub max_per_site: usize,
    /// Whether newer results are to come first where a query asked for a time.
    pub prefers_new: bool,
}

/// A page that one or more engines found.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub url: Url,
    pub canonical: Canonical,
    pub title: String,
    pub snippet: String,
    pub engines: Vec<String>,
    pub published_at: Option<Timestamp>,
    pub score: f32,
    sketch: Sketch,
}

impl Candidate {
    /// What is embedded of it.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.title, self.snippet)
    }

    fn from_hit(hit: &Hit, engine: &str) -> Option<Self> {
        let url = unwrapped(page_address(&hit.url)?);
        let title = clean(&hit.title, MAX_TITLE_CHARS);
        let snippet = clean(&hit.snippet, MAX_SNIPPET_CHARS);
        let mut engines = hit.engines.clone();
        if engines.is_empty() {
            engines.push(engine.to_owned());
        }
        Some(Self {
            canonical: canonical(&url),
            sketch: Sketch::of(&title, &snippet),
            url: without_tracking(url),
            title,
            snippet,
            engines,
            published_at: hit.published_at,
            score: 0.0,
        })
    }

    fn is_same_page(&self, other: &Self) -> bool {
        self.canonical == other.canonical
            || duplicates::near(&self.sketch, &other.sketch, self.canonical.host() == other.canonical.host())
    }

    fn absorb(&mut self, other: Self) {
        self.published_at = self.published_at.or(other.published_at);
        for engine in other.engines {
            if !self.engines.contains(&engine) {
                self.engines.push(engine);
            }
        }
        if other.snippet.chars().count() > self.snippet.chars().count() {
            self.snippet = other.snippet;
        }
        if self.title.is_empty() {
            self.title = other.title;
        }
        // The address that a reader at a desk wants.
        if other.canonical == self.canonical
            && canonical::plainness(&other.url) > canonical::plainness(&self.url)
        {
            self.url = other.url;
        }
    }

    fn into_result(self) -> SearchResult {
        SearchResult {
            title: self.title,
            url: self.url.into(),
            snippet: self.snippet,
            engines: self.engines,
            score: self.score,
            published_at: self.published_at,
            flags: Vec::new(),
        }
    }
}

/// The best `top_k` results of all engines, best score first, without their embeddings.
pub fn merge(contributions: &[Contribution], preferences: &Preferences<'_>) -> Vec<SearchResult> {
    ordered(fused(contributions), preferences, None)
}

/// What the engines found, addresses other than http and https left out and the same page merged, with scores of 0 to 1 by
/// their ranks. The order in which engines answered does not matter, only that in which they are listed.
pub fn fused(contributions: &[Contribution]) -> Vec<Candidate> {
    let mut merged: Vec<Candidate> = Vec::new();
    for Contribution { engine, weight, found } in contributions {
        // An engine that names a page twice has not voted for it twice.
        let mut voted = vec![false; merged.len()];
        for (rank, hit) in found.hits.iter().take(MAX_HITS_OF_AN_ENGINE).enumerate() {
            let Some(mut candidate) = Candidate::from_hit(hit, engine) else { continue };
            let vote = fuse::vote(*weight, rank);
            match merged.iter().position(|known| known.is_same_page(&candidate)) {
                Some(at) => {
                    if !voted[at] {
                        merged[at].score += vote;
                    }
                    voted[at] = true;
                    merged[at].absorb(candidate);
                }
                None => {
                    candidate.score = vote;
                    merged.push(candidate);
                    voted.push(true);
                }
            }
        }
    }
    let total_weight = contributions.iter().map(|contribution| contribution.weight).sum();
    fuse::normalise(&mut merged, total_weight);
    merged
}

/// The best `top_k` candidates. `nearness` is how near each is to the query in meaning (a cosine), where that is known.
pub fn ordered(
    mut candidates: Vec<Candidate>,
    preferences: &Preferences<'_>,
    nearness: Option<&[f32]>,
) -> Vec<SearchResult> {
    relevance::rerank(&mut candidates, preferences, nearness);
    let mut ordered = diversity::spread(candidates, preferences.max_per_site);
    ordered.truncate(preferences.top_k);
    ordered.into_iter().map(Candidate::into_result).collect()
}

/// Whether two results would be merged into one.
pub fn is_same_page(one: &Hit, other: &Hit) -> bool {
    match (Candidate::from_hit(one, ""), Candidate::from_hit(other, "")) {
        (Some(one), Some(other)) => one.is_same_page(&other),
        _ => false,
    }
}

/// An address that a browser may be sent to.
fn page_address(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (is_plain && url.has_host()).then_some(url)
}

fn without_tracking(mut url: Url) -> Url {
    canonical::strip_tracking(&mut url);
    url.set_fragment(None);
    url
}

/// One line without control characters and without what is invisible, at most `max_chars` long.
pub fn clean(text: &str, max_chars: usize) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let words = visible.split(|character: char| character.is_whitespace() || character.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(max_chars).collect()
}

/// Characters that a reader does not see and a model does: those without width, marks of direction, and tags. They are
/// how a page speaks to a model behind its reader's back.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}' | '\u{180E}' | '\u{115F}' | '\u{1160}' | '\u{3164}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contribution(engine: &str, weight: f32, urls: &[&str]) -> Contribution {
        let hits = urls.iter().enumerate().map(|(at, url)| Hit {
            snippet: format!("what {engine} shows of {url}"),
            ..Hit::new(format!("  {engine}\n title {at} {url}"), *url)
        });
        Contribution {
            engine: engine.to_owned(),
            weight,
            found: Found { hits: hits.collect(), ..Found::default() },
        }
    }

    fn preferences(query: &str) -> Preferences<'_> {
        Preferences {
            query,
            top_k: 10,
            now: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            sites: &[],
            max_per_site: 3,
            prefers_new: false,
        }
    }

    fn urls(results: &[SearchResult]) -> Vec<&str> {
        results.iter().map(|result| result.url.as_str()).collect()
    }

    #[test]
    fn the_same_page_is_one_result_of_several_engines() {
        let merged = merge(
            &[
                contribution(
                    "bing",
                    1.0,
                    &["https://b.example/", "https://m.a.example/p?id=1&utm_source=x#part"],
                ),
                contribution("sogou", 1.0, &["https://a.example/p?id=1"]),
            ],
            &preferences("x"),
        );
        assert_eq!(urls(&merged), ["https://a.example/p?id=1", "https://b.example/"]);
        assert_eq!(merged[0].engines, ["bing", "sogou"]);
        assert!(merged[0].score > merged[1].score);
    }

    #[test]
    fn a_page_named_twice_by_one_engine_has_one_vote() {
        let twice =
            contribution("bing", 1.0, &["https://b.example/", "https://a.example/", "https://a.example/#2"]);
        let merged = merge(&[twice], &preferences("x"));
        assert_eq!(urls(&merged), ["https://b.example/", "https://a.example/"]);
    }

    #[test]
    fn an_engine_of_more_weight_decides() {
        let light = contribution("light", 0.5, &["https://a.example/", "https://b.example/"]);
        let heavy = contribution("heavy", 2.0, &["https://b.example/", "https://a.example/"]);
        assert_eq!(urls(&merge(&[light, heavy], &preferences("x")))[0], "https://b.example/");
    }

    #[test]
    fn addresses_that_a_browser_must_not_be_sent_to_are_left_out() {
        let engine = contribution(
            "bing",
            1.0,
            &[
                "javascript:alert(1)",
                "data:text/html,x",
                "https://u:p@a.example/",
                "no address",
                "https://ok.example/",
            ],
        );
        assert_eq!(urls(&merge(&[engine], &preferences("x"))), ["https://ok.example/"]);
    }

    #[test]
    fn what_a_reader_does_not_see_is_taken_out_of_titles() {
        assert_eq!(clean("ig\u{200b}nore\u{e0041} \u{202e}x\n\u{7}y", 100), "ignore x y");
        assert_eq!(clean("abcdef", 3), "abc");
    }

    #[test]
    fn nothing_merges_to_nothing() {
        assert!(merge(&[], &preferences("x")).is_empty());
    }
}
