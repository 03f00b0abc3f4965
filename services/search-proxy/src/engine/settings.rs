//! The settings of one engine: `[[search_proxy.engines]]`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anwen_contract::search::SafeSearchLevel;
use serde::{Deserialize, Serialize};
use url::Url;

/// How strictly engines are asked to leave out what is not for the office.
pub type SafeSearch = SafeSearchLevel;

/// Requests to an engine in a second, when its settings do not say.
const DEFAULT_PER_SECOND: f64 = 5.0;
const DEFAULT_BURST: u32 = 10;
const DEFAULT_CONCURRENT: usize = 8;

/// The engines that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Arxiv,
    Baidu,
    BaiduApi,
    Baike,
    Bing,
    Bocha,
    Brave,
    Duckduckgo,
    Github,
    Google,
    Html,
    Json,
    Searxng,
    Serper,
    So360,
    Sogou,
    Stackexchange,
    Tavily,
    Wikipedia,
}

impl Kind {
    pub const ALL: [Self; 19] = [
        Self::Arxiv,
        Self::Baidu,
        Self::BaiduApi,
        Self::Baike,
        Self::Bing,
        Self::Bocha,
        Self::Brave,
        Self::Duckduckgo,
        Self::Github,
        Self::Google,
        Self::Html,
        Self::Json,
        Self::Searxng,
        Self::Serper,
        Self::So360,
        Self::Sogou,
        Self::Stackexchange,
        Self::Tavily,
        Self::Wikipedia,
    ];

    /// Pages of markup that are made for people: those that refuse programs by their name.
    pub fn reads_markup(self) -> bool {
        matches!(self, Self::Baidu | Self::Bing | Self::Duckduckgo | Self::So360 | Self::Sogou)
    }
}

/// A key that no log and no dump of the settings shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("…")
    }
}

/// The oldest version of TLS that is spoken with an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersion {
    #[serde(rename = "1.2")]
    V1_2,
    #[serde(rename = "1.3")]
    V1_3,
}

/// An engine and its limits. What is absent has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSettings {
    /// How it is called in reports, metrics and requests.
    pub name: String,
    pub kind: Kind,
    /// Another address than the engine's own. With `{query}`, `{page}`, `{offset}`, `{language}` in it for the kinds
    /// `json` and `html`.
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub key: Option<Secret>,
    /// What the engine wants besides the key: the search engine's id for `google`, the site for `stackexchange`.
    #[serde(default)]
    pub id: Option<String>,
    /// How much its ranks count; 1 when absent.
    #[serde(default)]
    pub weight: Option<f32>,
    /// Milliseconds that it has to answer, at most those of the whole search.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Milliseconds after which the same request is sent a second time; absent for never.
    #[serde(default)]
    pub hedge_after_ms: Option<u64>,
    /// Requests in a second, and how many may come at once.
    #[serde(default)]
    pub per_second: Option<f64>,
    #[serde(default)]
    pub burst: Option<u32>,
    /// Requests that are under way at the same time.
    #[serde(default)]
    pub concurrent: Option<usize>,
    /// A proxy to reach it through.
    #[serde(default)]
    pub proxy: Option<Url>,
    /// A certificate authority (PEM) that is trusted besides the usual ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    pub tls_min: Option<TlsVersion>,
    #[serde(default)]
    pub user_agent: Option<String>,
    /// Headers that are sent with each request, of the kinds `json` and `html`.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub json: Option<JsonPaths>,
    #[serde(default)]
    pub html: Option<HtmlSelectors>,
}

/// Where things stand in a JSON answer: dotted paths, numbers index arrays (`data.items`, `meta.0.date`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonPaths {
    /// The array of results.
    pub results: String,
    /// Within one result.
    pub title: String,
    pub url: String,
    #[serde(default)]
    pub snippet: Option<String>,
    #[serde(default)]
    pub date: Option<String>,
    /// Put before `url` where that is not a whole address.
    #[serde(default)]
    pub url_prefix: Option<String>,
    /// A JSON body with `{query}` in it; the request is then a POST.
    #[serde(default)]
    pub body: Option<String>,
}

/// Where things stand in a page: CSS selectors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HtmlSelectors {
    /// One result.
    pub result: String,
    /// Its link, within the result. Its text is the title unless `title` is given.
    pub link: String,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub snippet: Option<String>,
    #[serde(default)]
    pub date: Option<String>,
    /// What the page shows when it has found nothing.
    #[serde(default)]
    pub none: Option<String>,
}

impl EngineSettings {
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            url: None,
            key: None,
            id: None,
            weight: None,
            timeout_ms: None,
            hedge_after_ms: None,
            per_second: None,
            burst: None,
            concurrent: None,
            proxy: None,
            ca_file: None,
            tls_min: None,
            user_agent: None,
            headers: Vec::new(),
            json: None,
            html: None,
        }
    }

    pub fn weight(&self) -> f32 {
        self.weight.unwrap_or(1.0)
    }

    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_ms.map(Duration::from_millis)
    }

    pub fn hedge_after(&self) -> Option<Duration> {
        self.hedge_after_ms.map(Duration::from_millis)
    }

    pub fn per_second(&self) -> f64 {
        self.per_second.unwrap_or(DEFAULT_PER_SECOND)
    }

    pub fn burst(&self) -> u32 {
        self.burst.unwrap_or(DEFAULT_BURST)
    }

    pub fn concurrent(&self) -> usize {
        self.concurrent.unwrap_or(DEFAULT_CONCURRENT)
    }

    /// The address, or the engine's own.
    pub(super) fn base(&self, default: &str) -> Result<Url, String> {
        let text = self.url.as_deref().unwrap_or(default);
        let url = Url::parse(text).map_err(|cause| format!("url: {cause}"))?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() {
            Ok(url)
        } else {
            Err("url: must begin with http:// or https://".to_owned())
        }
    }

    pub(super) fn required_key(&self) -> Result<String, String> {
        let key = self.key.as_ref().map(Secret::expose).filter(|key| !key.trim().is_empty());
        key.map(str::to_owned).ok_or_else(|| "key: this engine needs one".to_owned())
    }

    /// What no kind takes.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if self.name.is_empty() || !self.name.chars().all(is_name) {
            return Err("name: write it in small letters, digits, `-`, `_` and `.`".to_owned());
        }
        if !(self.weight().is_finite() && self.weight() >= 0.0) {
            return Err("weight: must be a number that is not negative".to_owned());
        }
        if !(self.per_second().is_finite() && self.per_second() > 0.0) || self.burst() == 0 {
            return Err("per_second and burst: must be more than 0".to_owned());
        }
        if self.concurrent() == 0 {
            return Err("concurrent: must be at least 1".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_by_no_dump_of_the_settings() {
        let settings =
            EngineSettings { key: Some("k-123".to_owned().into()), ..EngineSettings::new("b", Kind::Brave) };
        assert!(!format!("{settings:?}").contains("k-123"));
        assert!(!serde_json::to_string(&settings).unwrap().contains("k-123"));
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        let good = EngineSettings::new("bing", Kind::Bing);
        assert_eq!(good.check(), Ok(()));
        let wrong = [
            EngineSettings { name: "Bing 1".to_owned(), ..good.clone() },
            EngineSettings { name: String::new(), ..good.clone() },
            EngineSettings { weight: Some(f32::NAN), ..good.clone() },
            EngineSettings { per_second: Some(0.0), ..good.clone() },
            EngineSettings { burst: Some(0), ..good.clone() },
            EngineSettings { concurrent: Some(0), ..good.clone() },
        ];
        for settings in wrong {
            assert!(settings.check().is_err(), "{settings:?}");
        }
    }
}
