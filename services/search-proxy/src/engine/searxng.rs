//! SearXNG's JSON interface: <https://docs.searxng.org/dev/search_api.html>.

use async_trait::async_trait;
use serde::Deserialize;
use url::Url;

use super::{Engine, EngineError, Query};
use crate::config::Config;
use crate::results::{Found, Hit, SilentEngine, published_at};
use crate::transport::{BodyError, bounded_body, root_cause};

/// One instance of SearXNG, or whatever speaks like it.
pub struct Searxng {
    http: reqwest::Client,
    /// Ends with a slash, so that joining keeps its path.
    base: Url,
    max_answer_bytes: usize,
}

impl Searxng {
    pub fn new(mut base: Url, config: &Config) -> Result<Self, reqwest::Error> {
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let http = reqwest::Client::builder()
            .user_agent(&config.user_agent)
            .timeout(config.search_timeout())
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, base, max_answer_bytes: config.max_search_answer_bytes })
    }

    fn address_of(&self, query: &Query) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}search", self.base.path()));
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("q", &query.text).append_pair("format", "json");
        if !query.engines.is_empty() {
            pairs.append_pair("engines", &query.engines.join(","));
        }
        if let Some(language) = &query.language {
            pairs.append_pair("language", language);
        }
        if let Some(range) = query.time_range {
            pairs.append_pair("time_range", range.as_str());
        }
        if query.page > 1 {
            pairs.append_pair("pageno", &query.page.to_string());
        }
        drop(pairs);
        url
    }
}

#[async_trait]
impl Engine for Searxng {
    fn name(&self) -> &'static str {
        "searxng"
    }

    async fn search(&self, query: &Query) -> Result<Found, EngineError> {
        let answer = self.http.get(self.address_of(query)).send().await.map_err(failure)?;
        if !answer.status().is_success() {
            return Err(EngineError::Status(answer.status().as_u16()));
        }
        let body = bounded_body(answer, self.max_answer_bytes).await.map_err(|error| match error {
            BodyError::TooLarge => EngineError::TooLarge(self.max_answer_bytes),
            BodyError::Transport(cause) => failure(cause),
        })?;
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|cause| EngineError::Shape(cause.to_string()))?;
        Ok(answer.into())
    }

    async fn reachable(&self) -> Result<(), EngineError> {
        self.http.get(self.base.clone()).send().await.map(drop).map_err(failure)
    }
}

fn failure(cause: reqwest::Error) -> EngineError {
    if cause.is_timeout() {
        return EngineError::Timeout;
    }
    EngineError::Unreachable(root_cause(&cause))
}

/// The parts of an answer that are used. What an instance leaves out is empty.
#[derive(Deserialize)]
struct Answer {
    results: Vec<AnswerResult>,
    #[serde(default)]
    suggestions: Vec<String>,
    /// Pairs of name and reason; some versions answer the name alone.
    #[serde(default)]
    unresponsive_engines: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct AnswerResult {
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

impl From<Answer> for Found {
    fn from(answer: Answer) -> Self {
        Self {
            hits: answer.results.into_iter().map(Hit::from).collect(),
            suggestions: answer.suggestions,
            silent: answer.unresponsive_engines.iter().filter_map(silent_engine).collect(),
        }
    }
}

impl From<AnswerResult> for Hit {
    fn from(result: AnswerResult) -> Self {
        let engines =
            if result.engines.is_empty() { result.engine.into_iter().collect() } else { result.engines };
        Self {
            title: result.title.unwrap_or_default(),
            url: result.url,
            snippet: result.content.unwrap_or_default(),
            engines,
            score: result.score,
            published_at: result.published_date.as_deref().and_then(published_at),
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
    use crate::engine::TimeRange;

    #[test]
    fn the_address_keeps_the_path_of_the_instance_and_escapes_the_query() {
        let query = Query {
            text: "泵 & co".to_owned(),
            engines: vec!["bing".to_owned(), "wikipedia".to_owned()],
            language: Some("zh-CN".to_owned()),
            time_range: Some(TimeRange::Year),
            page: 2,
        };
        for base in ["http://searx.example/sub", "http://searx.example/sub/"] {
            let engine = Searxng::new(base.parse().unwrap(), &Config::default()).unwrap();
            assert_eq!(
                engine.address_of(&query).as_str(),
                "http://searx.example/sub/search?q=%E6%B3%B5+%26+co&format=json&engines=bing%2Cwikipedia&language=zh-CN&time_range=year&pageno=2"
            );
        }
    }

    #[test]
    fn an_answer_is_read_whichever_version_wrote_it() {
        let text = r#"{"query": "x", "results": [
            {"url": "https://a.example/1", "title": "A", "content": "one", "engine": "bing", "engines": ["bing", "brave"],
             "score": 2.5, "publishedDate": "2026-01-02T03:04:05", "category": "general"},
            {"url": "https://b.example/", "title": null, "engine": "bing"}],
            "unresponsive_engines": [["google", "timeout"], "qwant"]}"#;
        let found = Found::from(serde_json::from_str::<Answer>(text).unwrap());
        assert_eq!(found.hits[0].engines, ["bing", "brave"]);
        assert_eq!(found.hits[0].published_at.unwrap().to_rfc3339(), "2026-01-02T03:04:05.000Z");
        assert_eq!((found.hits[1].title.as_str(), found.hits[1].score), ("", None));
        assert_eq!(found.hits[1].engines, ["bing"]);
        let silent: Vec<_> =
            found.silent.iter().map(|engine| (engine.name.as_str(), engine.reason.as_str())).collect();
        assert_eq!(silent, [("google", "timeout"), ("qwant", "no answer")]);
    }
}
