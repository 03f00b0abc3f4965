//! Whom a query is sent to. An engine is pure: it says what to send and reads what came back. Connections, limits and
//! failures are the business of [`crate::fanout`], and are the same for all.
//!
//! Each engine is a file with a recorded answer in its shape under `fixtures/`.

mod arxiv;
mod baidu;
mod baidu_api;
mod baike;
mod bing;
mod bocha;
mod brave;
mod duckduckgo;
mod github;
mod google;
mod html_template;
mod json_template;
pub mod markup;
mod searxng;
mod serper;
pub mod settings;
mod so360;
mod sogou;
mod stackexchange;
mod tavily;
mod wikipedia;

use std::time::Duration;

use serde::de::DeserializeOwned;
use url::Url;

use crate::results::Found;
use markup::Markup;
pub use settings::{EngineSettings, Kind, SafeSearch};

/// Results that an engine is asked for, where it lets one say.
pub const RESULTS_ASKED: usize = 10;

/// A search, as an engine is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    pub text: String,
    /// Names of the engines to ask; empty for all.
    pub engines: Vec<String>,
    /// A language tag such as `zh-CN`; `None` for any.
    pub language: Option<String>,
    pub time_range: Option<TimeRange>,
    pub safe_search: SafeSearch,
    /// The page of results, from 1.
    pub page: u32,
}

impl Query {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            engines: Vec::new(),
            language: None,
            time_range: None,
            safe_search: SafeSearch::default(),
            page: 1,
        }
    }

    /// The results before this page, where a page has `size` of them.
    fn offset(&self, size: usize) -> usize {
        (self.page.max(1) as usize - 1) * size
    }

    /// The language without its region, in lower case: `zh` of `zh-CN`.
    fn primary_language(&self) -> Option<String> {
        let tag = self.language.as_deref()?;
        tag.split(['-', '_']).next().filter(|tag| !tag.is_empty()).map(str::to_ascii_lowercase)
    }
}

/// How old a result may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeRange {
    Day,
    Week,
    Month,
    Year,
}

impl TimeRange {
    pub fn as_str(self) -> &'static str {
        self.one_of(["day", "week", "month", "year"])
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Day, Self::Week, Self::Month, Self::Year].into_iter().find(|range| range.as_str() == text)
    }

    /// An engine's own words for day, week, month and year.
    fn one_of(self, words: [&'static str; 4]) -> &'static str {
        match self {
            Self::Day => words[0],
            Self::Week => words[1],
            Self::Month => words[2],
            Self::Year => words[3],
        }
    }
}

/// Why an engine gave no results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    #[error("no answer in time")]
    Timeout,
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("answered with status {0}")]
    Status(u16),
    /// The engine asks for a pause, of this length where it says so.
    #[error("asks for fewer requests")]
    TooManyRequests(Option<Duration>),
    #[error("asks for a captcha")]
    Captcha,
    #[error("refuses the key")]
    Unauthorized,
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the answer is not in the expected shape: {0}")]
    Shape(String),
}

/// What to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

/// The body of a request; without one it is a GET.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    None,
    Json(serde_json::Value),
    Form(Vec<(String, String)>),
}

impl Ask {
    pub fn get(url: Url) -> Self {
        Self { url, headers: Vec::new(), body: Body::None }
    }

    /// A GET of `base` with these parameters after those that it has.
    pub fn get_with(base: &Url, parameters: &[(&str, &str)]) -> Self {
        let mut url = base.clone();
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Self::get(url)
    }

    pub fn post_json(url: Url, body: serde_json::Value) -> Self {
        Self { url, headers: Vec::new(), body: Body::Json(body) }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// An engine's answer with a status of success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The encoding that the server named.
    pub charset: Option<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, EngineError> {
        // An array would be read as an object whose fields are all absent.
        if self.body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(EngineError::Shape("not a JSON object".to_owned()));
        }
        serde_json::from_slice(&self.body).map_err(|cause| EngineError::Shape(cause.to_string()))
    }

    /// Any JSON, for engines whose shape the settings describe.
    pub fn value(&self) -> Result<serde_json::Value, EngineError> {
        serde_json::from_slice(&self.body).map_err(|cause| EngineError::Shape(cause.to_string()))
    }

    pub fn text(&self) -> String {
        crate::page::decode::decode(&self.body, self.charset.as_deref())
    }

    pub fn html(&self) -> Result<Markup, EngineError> {
        Markup::parse(&self.text())
    }
}

/// A search engine: what it is sent, and how its answer reads.
pub trait Engine: Send + Sync {
    fn ask(&self, query: &Query) -> Ask;

    fn read(&self, answer: &Answer) -> Result<Found, EngineError>;
}

/// The engine that these settings describe. Errors say which setting is missing or wrong.
pub fn build(settings: &EngineSettings) -> Result<Box<dyn Engine>, String> {
    Ok(match settings.kind {
        Kind::Arxiv => Box::new(arxiv::Arxiv::new(settings)?),
        Kind::Baidu => Box::new(baidu::Baidu::new(settings)?),
        Kind::BaiduApi => Box::new(baidu_api::BaiduApi::new(settings)?),
        Kind::Baike => Box::new(baike::Baike::new(settings)?),
        Kind::Bing => Box::new(bing::Bing::new(settings)?),
        Kind::Bocha => Box::new(bocha::Bocha::new(settings)?),
        Kind::Brave => Box::new(brave::Brave::new(settings)?),
        Kind::Duckduckgo => Box::new(duckduckgo::DuckDuckGo::new(settings)?),
        Kind::Github => Box::new(github::GitHub::new(settings)?),
        Kind::Google => Box::new(google::Google::new(settings)?),
        Kind::Html => Box::new(html_template::HtmlTemplate::new(settings)?),
        Kind::Json => Box::new(json_template::JsonTemplate::new(settings)?),
        Kind::Searxng => Box::new(searxng::Searxng::new(settings)?),
        Kind::Serper => Box::new(serper::Serper::new(settings)?),
        Kind::So360 => Box::new(so360::So360::new(settings)?),
        Kind::Sogou => Box::new(sogou::Sogou::new(settings)?),
        Kind::Stackexchange => Box::new(stackexchange::StackExchange::new(settings)?),
        Kind::Tavily => Box::new(tavily::Tavily::new(settings)?),
        Kind::Wikipedia => Box::new(wikipedia::Wikipedia::new(settings)?),
    })
}

/// Zero results are an answer only where the page says so; otherwise the shape has changed and nobody noticed.
fn rows_or_shape(found: Found, says_none: bool) -> Result<Found, EngineError> {
    if found.hits.is_empty() && !says_none {
        return Err(EngineError::Shape("no results and no word that there are none".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Settings of an engine of each kind, complete.
    pub(super) fn settings(kind: Kind) -> EngineSettings {
        EngineSettings {
            key: Some("key-1".to_owned().into()),
            id: Some("cx-1".to_owned()),
            ..EngineSettings::new("engine", kind)
        }
    }

    pub(super) fn read(kind: Kind, fixture: &str) -> Result<Found, EngineError> {
        let settings = with_templates(settings(kind));
        let answer = Answer { status: 200, charset: None, body: fixture.as_bytes().to_vec() };
        build(&settings).unwrap().read(&answer)
    }

    fn with_templates(mut settings: EngineSettings) -> EngineSettings {
        match settings.kind {
            Kind::Searxng => settings.url = Some("http://searx.example/".to_owned()),
            Kind::Json => {
                settings.url = Some("http://wiki.example/api?q={query}".to_owned());
                settings.json = Some(settings::JsonPaths {
                    results: "data.items".to_owned(),
                    title: "title".to_owned(),
                    url: "link".to_owned(),
                    ..settings::JsonPaths::default()
                });
            }
            Kind::Html => {
                settings.url = Some("http://wiki.example/search?q={query}".to_owned());
                settings.html = Some(settings::HtmlSelectors {
                    result: ".hit".to_owned(),
                    link: "a".to_owned(),
                    ..settings::HtmlSelectors::default()
                });
            }
            _ => {}
        }
        settings
    }

    #[test]
    fn every_engine_sends_the_query_once_and_only_to_its_own_host() {
        let query = Query { language: Some("zh-CN".to_owned()), ..Query::new("泵 & seal#1") };
        for kind in Kind::ALL {
            let ask = build(&with_templates(settings(kind))).unwrap().ask(&query);
            let from_url: Vec<String> = ask.url.query_pairs().map(|(_, value)| value.into_owned()).collect();
            let body = match &ask.body {
                Body::None => String::new(),
                Body::Json(value) => value.to_string(),
                Body::Form(fields) => fields.iter().map(|(_, value)| value.as_str()).collect(),
            };
            let places = from_url.iter().filter(|value| value.contains("泵 & seal#1")).count()
                + body.matches("泵 & seal#1").count();
            assert_eq!(places, 1, "{kind:?} {ask:?}");
            let by_host: BTreeMap<&str, usize> = BTreeMap::from([(ask.url.host_str().unwrap(), 1)]);
            assert_eq!(by_host.len(), 1);
            assert!(matches!(ask.url.scheme(), "https" | "http"), "{kind:?}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error_of_every_engine() {
        for kind in Kind::ALL {
            for text in ["", "{}", "[]", "<html><body>maintenance</body></html>", "\u{0}\u{1}\u{2}", "null"] {
                let result = read(kind, text);
                // A JSON interface may answer an object without results.
                if text == "{}" && result.as_ref().is_ok_and(|found| found.hits.is_empty()) {
                    continue;
                }
                assert!(result.is_err(), "{kind:?} took {text:?}: {result:?}");
            }
        }
    }

    #[test]
    fn engines_without_their_key_or_address_are_refused_with_the_name_of_what_is_missing() {
        let cases = [
            (Kind::BaiduApi, "key"),
            (Kind::Bocha, "key"),
            (Kind::Brave, "key"),
            (Kind::Google, "key"),
            (Kind::Serper, "key"),
            (Kind::Tavily, "key"),
            (Kind::Searxng, "url"),
            (Kind::Json, "url"),
            (Kind::Html, "url"),
        ];
        for (kind, missing) in cases {
            let error = build(&EngineSettings::new("x", kind)).err().unwrap();
            assert!(error.contains(missing), "{kind:?}: {error}");
        }
    }
}
