//! Wikipedia's full-text search (MediaWiki's action interface), in the language of the query.

use serde::Deserialize;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED};
use crate::engine::markup::plain;
use crate::results::{Found, Hit, published_at};

/// The Wikipedia that is asked when a query has no language.
const DEFAULT_LANGUAGE: &str = "en";

pub struct Wikipedia {
    /// Set where all languages are to be asked at one address, a mirror for example.
    mirror: Option<Url>,
    default: Url,
}

impl Wikipedia {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        let mirror = settings.url.is_some().then(|| settings.base("")).transpose()?;
        let own = EngineSettings { url: None, ..settings.clone() };
        let default = own.base(&format!("https://{DEFAULT_LANGUAGE}.wikipedia.org/w/api.php"))?;
        Ok(Self { mirror, default })
    }
}

#[derive(Deserialize)]
struct Shape {
    query: Inner,
}

#[derive(Deserialize)]
struct Inner {
    search: Vec<Row>,
    /// Asked for so that the answer says which Wikipedia it comes from.
    general: General,
}

#[derive(Deserialize)]
struct General {
    base: Url,
}

#[derive(Deserialize)]
struct Row {
    title: String,
    #[serde(default)]
    snippet: String,
    #[serde(default)]
    timestamp: Option<String>,
}

impl Engine for Wikipedia {
    fn ask(&self, query: &Query) -> Ask {
        let offset = query.offset(RESULTS_ASKED).to_string();
        let parameters = [
            ("action", "query"),
            ("list", "search"),
            ("meta", "siteinfo"),
            ("srsearch", query.text.as_str()),
            ("srlimit", "10"),
            ("sroffset", offset.as_str()),
            ("srprop", "snippet|timestamp"),
            ("format", "json"),
            ("formatversion", "2"),
        ];
        let ask = |base: &Url| Ask::get_with(base, &parameters);
        if let Some(mirror) = &self.mirror {
            return ask(mirror);
        }
        let language = query.primary_language().unwrap_or_else(|| of_text(&query.text).to_owned());
        let mut url = self.default.clone();
        // A tag that is no name of a host must not become one.
        if language.chars().all(|c| c.is_ascii_lowercase())
            && url.set_host(Some(&format!("{language}.wikipedia.org"))).is_err()
        {
            url = self.default.clone();
        }
        ask(&url)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let base = shape.query.general.base;
        let hits = shape.query.search.into_iter().filter_map(|row| {
            let mut url = base.clone();
            url.path_segments_mut().ok()?.pop().push(&row.title.replace(' ', "_"));
            Some(Hit {
                snippet: plain(&row.snippet),
                published_at: row.timestamp.as_deref().and_then(published_at),
                ..Hit::new(row.title, url)
            })
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

fn of_text(text: &str) -> &'static str {
    match anwen_text::language(text).code() {
        "zh" => "zh",
        _ => DEFAULT_LANGUAGE,
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::tests::{read, settings};
    use crate::engine::{Kind, Query, build};

    #[test]
    fn pages_are_linked_in_the_wikipedia_that_answered() {
        let found = read(Kind::Wikipedia, include_str!("fixtures/wikipedia.json")).unwrap();
        assert_eq!(
            found.hits[0].url,
            "https://zh.wikipedia.org/wiki/%E6%9C%BA%E6%A2%B0%E5%AF%86%E5%B0%81_(%E8%BD%B4)"
        );
        assert_eq!(found.hits[0].snippet, "机械密封是一种轴封");
    }

    #[test]
    fn the_language_of_the_query_chooses_the_wikipedia() {
        let engine = build(&settings(Kind::Wikipedia)).unwrap();
        let host = |query: &Query| engine.ask(query).url.host_str().unwrap().to_owned();
        assert_eq!(host(&Query::new("机械密封如何更换")), "zh.wikipedia.org");
        assert_eq!(host(&Query::new("how is a seal replaced")), "en.wikipedia.org");
        let odd = Query { language: Some("a.evil/".to_owned()), ..Query::new("x") };
        assert_eq!(host(&odd), "en.wikipedia.org");
    }
}
