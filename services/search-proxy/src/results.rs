//! What comes back from a search: cleaned, merged and ordered. Pure.

use anwen_contract::Timestamp;
use anwen_contract::search::SearchResult;
use url::Url;

/// Characters of a title and of a snippet; what is longer is not one.
const MAX_TITLE_CHARS: usize = 300;
const MAX_SNIPPET_CHARS: usize = 2_000;
/// Query parameters that say how a reader came, not what the page is.
const TRACKING_PARAMETERS: [&str; 6] = ["fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "spm"];
const TRACKING_PREFIX: &str = "utm_";

/// An engine's answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub hits: Vec<Hit>,
    pub suggestions: Vec<String>,
    /// Engines behind this one that did not answer.
    pub silent: Vec<SilentEngine>,
}

/// One result as an engine gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub title: String,
    pub url: String,
    pub snippet: String,
    pub engines: Vec<String>,
    /// The engine's own score; higher is better.
    pub score: Option<f32>,
    pub published_at: Option<Timestamp>,
}

/// An engine that did not answer, and its excuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentEngine {
    pub name: String,
    pub reason: String,
}

/// The best `top_k` results: addresses other than http and https left out, the same page merged, best score first. A
/// hit without a score gets the reciprocal of its rank.
pub fn merge(hits: Vec<Hit>, top_k: usize) -> Vec<SearchResult> {
    let mut merged: Vec<SearchResult> = Vec::with_capacity(hits.len());
    for (hit, rank) in hits.into_iter().zip(1_u16..) {
        let Some(url) = page_address(&hit.url) else { continue };
        let score = hit.score.filter(|score| score.is_finite()).unwrap_or(1.0 / f32::from(rank));
        match merged.iter_mut().find(|known| known.url == url) {
            Some(known) => absorb(known, hit, score),
            None => merged.push(SearchResult {
                title: clean(&hit.title, MAX_TITLE_CHARS),
                snippet: clean(&hit.snippet, MAX_SNIPPET_CHARS),
                url,
                engines: hit.engines,
                score,
                published_at: hit.published_at,
            }),
        }
    }
    // Stable: equal scores keep the engine's order.
    merged.sort_by(|left, right| right.score.total_cmp(&left.score));
    merged.truncate(top_k);
    merged
}

fn absorb(known: &mut SearchResult, hit: Hit, score: f32) {
    known.score += score;
    known.published_at = known.published_at.or(hit.published_at);
    for engine in hit.engines {
        if !known.engines.contains(&engine) {
            known.engines.push(engine);
        }
    }
    let snippet = clean(&hit.snippet, MAX_SNIPPET_CHARS);
    if snippet.len() > known.snippet.len() {
        known.snippet = snippet;
    }
}

/// The address of a page, by which two results are known to be the same: without fragment and tracking parameters.
/// `None` for what a browser should not be sent to.
fn page_address(text: &str) -> Option<String> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_fragment(None);
    if url.query().is_some() {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !is_tracking(name))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        if kept.len() != url.query_pairs().count() {
            url.set_query(None);
            if !kept.is_empty() {
                url.query_pairs_mut().extend_pairs(kept);
            }
        }
    }
    Some(url.into())
}

fn is_tracking(parameter: &str) -> bool {
    parameter.starts_with(TRACKING_PREFIX) || TRACKING_PARAMETERS.contains(&parameter)
}

/// One line without control characters, at most `max_chars` long.
fn clean(text: &str, max_chars: usize) -> String {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(max_chars).collect()
}

/// Reads a date as search engines and pages write it: RFC 3339, the same without an offset (taken as UTC), or a day.
pub fn published_at(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    Timestamp::parse(text)
        .or_else(|| Timestamp::parse(&format!("{}Z", text.replacen(' ', "T", 1))))
        .or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(url: &str, engine: &str, score: Option<f32>) -> Hit {
        Hit {
            title: format!("  {engine}\n title "),
            url: url.to_owned(),
            snippet: engine.to_owned(),
            engines: vec![engine.to_owned()],
            score,
            published_at: None,
        }
    }

    #[test]
    fn the_same_page_is_one_result_of_several_engines() {
        let hits = vec![
            hit("https://a.example/p?id=1&utm_source=x#part", "bing", Some(1.0)),
            hit("https://b.example/", "bing", Some(1.5)),
            hit("https://a.example/p?id=1", "wikipedia", Some(1.0)),
        ];
        let merged = merge(hits, 10);
        let urls: Vec<&str> = merged.iter().map(|result| result.url.as_str()).collect();
        assert_eq!(urls, ["https://a.example/p?id=1", "https://b.example/"]);
        assert_eq!(merged[0].engines, ["bing", "wikipedia"]);
        assert_eq!((merged[0].score, merged[0].snippet.as_str()), (2.0, "wikipedia"));
        assert_eq!(merged[0].title, "bing title");
    }

    #[test]
    fn without_scores_the_order_stays_and_the_rest_is_cut() {
        let hits = ["https://a.example/", "https://b.example/", "https://c.example/"]
            .map(|url| hit(url, "bing", None));
        let urls: Vec<String> = merge(hits.into(), 2).into_iter().map(|result| result.url).collect();
        assert_eq!(urls, ["https://a.example/", "https://b.example/"]);
    }

    #[test]
    fn addresses_that_are_no_pages_are_left_out() {
        for url in
            ["javascript:alert(1)", "ftp://a.example/", "/relative", "https://user:word@a.example/", ""]
        {
            assert!(merge(vec![hit(url, "bing", None)], 10).is_empty(), "{url}");
        }
    }

    #[test]
    fn an_address_keeps_what_is_not_tracking() {
        let cases = [
            ("https://a.example/?q=%E6%B3%B5&x=a+b", "https://a.example/?q=%E6%B3%B5&x=a+b"),
            ("https://a.example/?utm_medium=y", "https://a.example/"),
            (" https://A.example/x?gclid=1&y=2 ", "https://a.example/x?y=2"),
        ];
        for (given, kept) in cases {
            assert_eq!(page_address(given).as_deref(), Some(kept), "{given}");
        }
    }

    #[test]
    fn dates_are_read_in_the_forms_that_engines_write() {
        let cases = [
            ("2026-01-02T03:04:05", Some("2026-01-02T03:04:05.000Z")),
            ("2026-01-02 03:04:05", Some("2026-01-02T03:04:05.000Z")),
            ("2026-01-02T03:04:05+08:00", Some("2026-01-01T19:04:05.000Z")),
            ("2026-01-02", Some("2026-01-02T00:00:00.000Z")),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(published_at(text).map(Timestamp::to_rfc3339).as_deref(), expected, "{text}");
        }
    }
}
