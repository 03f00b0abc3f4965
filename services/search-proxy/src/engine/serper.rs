//! Serper's interface to Google.

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED};
use crate::results::{Found, Hit, published_at};

pub struct Serper {
    base: Url,
    key: String,
}

impl Serper {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://google.serper.dev/search")?, key: settings.required_key()? })
    }
}

#[derive(Deserialize)]
struct Shape {
    organic: Vec<Row>,
    #[serde(default, rename = "relatedSearches")]
    related: Vec<Related>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    title: String,
    link: String,
    #[serde(default)]
    snippet: String,
    #[serde(default)]
    date: Option<String>,
}

#[derive(Deserialize)]
struct Related {
    query: String,
}

impl Engine for Serper {
    fn ask(&self, query: &Query) -> Ask {
        let mut body = json!({"q": query.text, "num": RESULTS_ASKED, "page": query.page});
        if let Some(language) = &query.language {
            body["hl"] = json!(language.to_ascii_lowercase());
        }
        if let Some(range) = query.time_range {
            body["tbs"] = json!(range.one_of(["qdr:d", "qdr:w", "qdr:m", "qdr:y"]));
        }
        Ask::post_json(self.base.clone(), body).header("x-api-key", self.key.as_str())
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let hits = shape.organic.into_iter().map(|row| Hit {
            snippet: row.snippet,
            published_at: row.date.as_deref().and_then(published_at),
            ..Hit::new(row.title, row.link)
        });
        let suggestions = shape.related.into_iter().map(|related| related.query).collect();
        Ok(Found { hits: hits.collect(), suggestions, ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn organic_results_and_related_searches_are_read() {
        let found = read(Kind::Serper, include_str!("fixtures/serper.json")).unwrap();
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2024-09-12T00:00:00.000Z");
        assert_eq!(found.suggestions, ["pump seal types"]);
    }
}
