//! Brave's search interface.

use serde::Deserialize;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query};
use crate::engine::markup::plain;
use crate::results::{Found, Hit, published_at};

/// Pages that it lets one ask for.
const LAST_PAGE: u32 = 9;

pub struct Brave {
    base: Url,
    key: String,
}

impl Brave {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        let base = settings.base("https://api.search.brave.com/res/v1/web/search")?;
        Ok(Self { base, key: settings.required_key()? })
    }
}

/// `web` is absent when nothing was found.
#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    web: Web,
}

#[derive(Default, Deserialize)]
struct Web {
    #[serde(default)]
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    title: String,
    url: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    page_age: Option<String>,
}

impl Engine for Brave {
    fn ask(&self, query: &Query) -> Ask {
        let page = (query.page.clamp(1, LAST_PAGE + 1) - 1).to_string();
        let language =
            query.primary_language().map(|tag| if tag == "zh" { "zh-hans".to_owned() } else { tag });
        let mut parameters = vec![("q", query.text.as_str()), ("count", "10"), ("offset", page.as_str())];
        parameters.push(("safesearch", query.safe_search.one_of(["off", "moderate", "strict"])));
        if let Some(language) = &language {
            parameters.push(("search_lang", language));
        }
        if let Some(range) = query.time_range {
            parameters.push(("freshness", range.one_of(["pd", "pw", "pm", "py"])));
        }
        Ask::get_with(&self.base, &parameters)
            .header("accept", "application/json")
            .header("x-subscription-token", self.key.as_str())
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let hits = shape.web.results.into_iter().map(|row| Hit {
            snippet: plain(&row.description),
            published_at: row.page_age.as_deref().and_then(published_at),
            ..Hit::new(plain(&row.title), row.url)
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn results_are_read_without_their_markup() {
        let found = read(Kind::Brave, include_str!("fixtures/brave.json")).unwrap();
        assert_eq!(found.hits[0].title, "Seals & pumps");
        assert_eq!(found.hits[0].snippet, "Change the seal first.");
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2025-01-02T03:04:05.000Z");
    }
}
