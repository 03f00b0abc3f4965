//! SearXNG's JSON interface: <https://docs.searxng.org/dev/search_api.html>.

use serde::Deserialize;
use url::Url;

use super::{Answer, Ask, Engine, EngineError, EngineSettings, Query};
use crate::results::{Found, Hit, SilentEngine, published_at};

/// One instance of SearXNG, or whatever speaks like it.
pub struct Searxng {
    /// Ends with a slash, so that joining keeps its path.
    base: Url,
}

impl Searxng {
    pub fn new(settings: &EngineSettings) -> Result<Self, String> {
        if settings.url.is_none() {
            return Err("url: the instance's address is needed".to_owned());
        }
        let mut base = settings.base("")?;
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Ok(Self { base })
    }
}

impl Engine for Searxng {
    fn ask(&self, query: &Query) -> Ask {
        let mut url = self.base.clone();
        url.set_path(&format!("{}search", self.base.path()));
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("q", &query.text).append_pair("format", "json");
        if let Some(language) = &query.language {
            pairs.append_pair("language", language);
        }
        if let Some(range) = query.time_range {
            pairs.append_pair("time_range", range.as_str());
        }
        pairs.append_pair("safesearch", query.safe_search.one_of(["0", "1", "2"]));
        if query.page > 1 {
            pairs.append_pair("pageno", &query.page.to_string());
        }
        drop(pairs);
        Ask::get(url)
    }

    fn read(&self, answer: &Answer) -> Result<Found, EngineError> {
        answer.json::<Shape>().map(Found::from)
    }
}

/// The parts of an answer that are used. What an instance leaves out is empty.
#[derive(Deserialize)]
struct Shape {
    results: Vec<Row>,
    #[serde(default)]
    suggestions: Vec<String>,
    /// Pairs of name and reason; some versions answer the name alone.
    #[serde(default)]
    unresponsive_engines: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    title: Option<String>,
    url: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    engine: Option<String>,
    #[serde(default)]
    engines: Vec<String>,
    #[serde(default)]
    score: Option<f32>,
    #[serde(default, rename = "publishedDate")]
    published_date: Option<String>,
}

impl From<Shape> for Found {
    fn from(answer: Shape) -> Self {
        let mut hits: Vec<Hit> = answer.results.into_iter().map(Hit::from).collect();
        // Its order is that of its scores, but for some versions that group by category. Stable: equal ones stay.
        hits.sort_by(|left, right| right.score.unwrap_or(0.0).total_cmp(&left.score.unwrap_or(0.0)));
        Self {
            hits,
            suggestions: answer.suggestions,
            silent: answer.unresponsive_engines.iter().filter_map(silent_engine).collect(),
        }
    }
}

impl From<Row> for Hit {
    fn from(row: Row) -> Self {
        let engines = if row.engines.is_empty() { row.engine.into_iter().collect() } else { row.engines };
        Self {
            snippet: row.content.unwrap_or_default(),
            engines,
            score: row.score,
            published_at: row.published_date.as_deref().and_then(published_at),
            ..Self::new(row.title.unwrap_or_default(), row.url)
        }
    }
}

fn silent_engine(value: &serde_json::Value) -> Option<SilentEngine> {
    let (name, reason) = match value {
        serde_json::Value::Array(pair) => {
            (pair.first()?.as_str()?, pair.get(1).and_then(serde_json::Value::as_str))
        }
        serde_json::Value::String(name) => (name.as_str(), None),
        _ => return None,
    };
    Some(SilentEngine { name: name.to_owned(), reason: reason.unwrap_or("no answer").to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::{read, settings};
    use crate::engine::{Kind, TimeRange};

    #[test]
    fn the_address_keeps_the_path_of_the_instance_and_escapes_the_query() {
        let query = Query {
            language: Some("zh-CN".to_owned()),
            time_range: Some(TimeRange::Year),
            page: 2,
            ..Query::new("泵 & co")
        };
        for base in ["http://searx.example/sub", "http://searx.example/sub/"] {
            let settings = EngineSettings { url: Some(base.to_owned()), ..settings(Kind::Searxng) };
            assert_eq!(
                Searxng::new(&settings).unwrap().ask(&query).url.as_str(),
                "http://searx.example/sub/search?q=%E6%B3%B5+%26+co&format=json&language=zh-CN&time_range=year&safesearch=1&pageno=2"
            );
        }
    }

    #[test]
    fn an_answer_is_read_whichever_version_wrote_it() {
        let found = read(Kind::Searxng, include_str!("fixtures/searxng.json")).unwrap();
        assert_eq!(found.hits[0].engines, ["bing", "brave"]);
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2026-01-02T03:04:05.000Z");
        assert_eq!((found.hits[1].title.as_str(), found.hits[1].score), ("", None));
        assert_eq!(found.hits[1].engines, ["bing"]);
        let silent: Vec<_> =
            found.silent.iter().map(|engine| (engine.name.as_str(), engine.reason.as_str())).collect();
        assert_eq!(silent, [("google", "timeout"), ("qwant", "no answer")]);
    }
}
