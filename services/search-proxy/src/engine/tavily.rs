//! Tavily's search interface.

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query, RESULTS_ASKED};
use crate::results::{Found, Hit, published_at};

pub struct Tavily {
    base: Url,
    key: String,
}

impl Tavily {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        Ok(Self { base: settings.base("https://api.tavily.com/search")?, key: settings.required_key()? })
    }
}

#[derive(Deserialize)]
struct Shape {
    results: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    title: String,
    url: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    published_date: Option<String>,
}

impl Engine for Tavily {
    fn ask(&self, query: &Query) -> Ask {
        let mut body = json!({"query": query.text, "max_results": RESULTS_ASKED, "search_depth": "basic"});
        if let Some(range) = query.time_range {
            body["time_range"] = json!(range.as_str());
        }
        Ask::post_json(self.base.clone(), body).header("authorization", format!("Bearer {}", self.key))
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        let shape: Shape = answer.json()?;
        let hits = shape.results.into_iter().map(|row| Hit {
            snippet: row.content,
            published_at: row.published_date.as_deref().and_then(published_at),
            ..Hit::new(row.title, row.url)
        });
        Ok(Found { hits: hits.collect(), ..Found::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Kind;
    use crate::engine::tests::read;

    #[test]
    fn results_are_read_with_their_date() {
        let found = read(Kind::Tavily, include_str!("fixtures/tavily.json")).unwrap();
        assert_eq!((found.hits.len(), found.hits[0].title.as_str()), (2, "Seal change"));
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2024-11-08T00:00:00.000Z");
    }
}
