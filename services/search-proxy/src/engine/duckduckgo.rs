//! DuckDuckGo's page without scripts.

use url::Url;

use super::{Answer, Ask, Body, Engine, EngineError, EngineSettings, Query, rows_or_shape};
use crate::results::{Found, Hit};

/// Results of its first page and of each further one.
const FIRST_PAGE: usize = 10;
const FURTHER_PAGES: usize = 15;

pub struct DuckDuckGo {
    base: Url,
}

impl DuckDuckGo {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://html.duckduckgo.com/html/")? })
    }
}

impl Engine for DuckDuckGo {
    fn ask(&self, query: &Query) -> Ask {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut fields = vec![field("q", &query.text), field("b", ""), field("kl", region(query))];
        if let Some(range) = query.time_range {
            fields.push(field("df", range.one_of(["d", "w", "m", "y"])));
        }
        if query.page > 1 {
            let skipped = FIRST_PAGE + (query.page as usize - 2) * FURTHER_PAGES;
            fields.push(field("s", &skipped.to_string()));
            fields.push(field("dc", &(skipped + 1).to_string()));
        }
        fields.push(field("kp", query.safe_search.one_of(["-2", "-1", "1"])));
        Ask { url: self.base.clone(), headers: Vec::new(), body: Body::Form(fields) }
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let page = answer.html()?;
        // It answers 202 where it wants a person.
        if answer.status == 202 || page.has(".anomaly-modal__title, #challenge-form") {
            return Err(EngineError::Captcha);
        }
        let hits = page.rows(".result:not(.result--ad):not(.result--no-result)", |row| {
            let link = row.attribute("a.result__a", "href")?;
            let url = self.base.join(&link).ok()?;
            Some(Hit { snippet: row.text(".result__snippet"), ..Hit::new(row.text("a.result__a"), url) })
        });
        rows_or_shape(Found { hits, ..Found::default() }, page.has(".result--no-result, .no-results"))
    }
}

fn region(query: &Query) -> &'static str {
    match query.language.as_deref() {
        Some("zh-TW" | "zh-Hant") => "tw-tzh",
        Some(tag) if tag.starts_with("zh") => "cn-zh",
        Some(tag) if tag.starts_with("en") => "us-en",
        _ => "wt-wt",
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::read;
    use crate::engine::{EngineError, Kind};
    use crate::merge::canonical::unwrapped;

    #[test]
    fn results_are_read_and_advertisements_left_out() {
        let found = read(Kind::Duckduckgo, include_str!("fixtures/duckduckgo.html")).unwrap();
        let urls: Vec<String> =
            found.hits.iter().map(|hit| unwrapped(hit.url.parse().unwrap()).to_string()).collect();
        assert_eq!(urls, ["https://pump.example/a?x=1&y=2", "https://direct.example/"]);
        assert_eq!(found.hits[0].snippet, "How a seal is changed.");
    }

    #[test]
    fn the_challenge_is_a_captcha() {
        let page =
            "<form id=challenge-form><div class=anomaly-modal__title>Bots use DuckDuckGo too</div></form>";
        assert_eq!(read(Kind::Duckduckgo, page), Err(EngineError::Captcha));
    }
}
