//! The section `[search_proxy]` of the settings. Every bound of the service stands here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::BuildError;
use crate::engine::{EngineSettings, Kind};
use crate::meaning::MAX_DURATION;
use crate::page::address::Network;

/// The section's name in `anwen.toml`.
pub const SECTION: &str = "search_proxy";

/// Settings of the search proxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port.
    pub listen: SocketAddr,
    /// A SearXNG instance that answers JSON (`search.formats: [html, json]` in its settings): short for an engine of the
    /// kind `searxng`. Without it and without `engines` web search is off.
    pub upstream_url: Option<Url>,
    /// The engines that are asked, all at the same time.
    pub engines: Vec<EngineSettings>,
    /// Milliseconds in which a search answers; engines that are later are left out.
    pub search_timeout_ms: u64,
    /// Bytes of a search engine's answer.
    pub max_search_answer_bytes: usize,
    /// Results of one search.
    pub max_results: usize,
    /// Characters of a query.
    pub max_query_chars: usize,
    /// Milliseconds in which a page has to be read, redirects included.
    pub read_timeout_ms: u64,
    /// Bytes of a page, after decompression.
    pub max_page_bytes: usize,
    /// Redirects that are followed for one page.
    pub max_redirects: usize,
    /// Characters of the text that is answered for a page; the rest is cut off.
    pub max_text_chars: usize,
    /// Pages that are read at the same time; more wait until their time is over.
    pub concurrent_reads: usize,
    /// Networks that pages may be read from although they are private, such as `10.20.0.0/16`. Everything else that is
    /// not on the public internet is refused.
    pub allowed_networks: Vec<Network>,
    /// Whether a site's `robots.txt` is heeded when its pages are read.
    pub respect_robots: bool,
    /// The knowledge service, whose parser reads PDF. Set by the composition root where services share a process; without
    /// it such pages are refused.
    pub knowledge_url: Option<Url>,
    /// The model runtime, whose embedding helps to order results. Set by the composition root where services share a
    /// process; without it words and ranks alone order them.
    pub model_runtime_url: Option<Url>,
    /// Where the rules are kept (word lists, sites, who may search). Relative to the working directory; in the data directory
    /// when absent.
    pub rules_file: Option<PathBuf>,
    /// Results of one site before its further ones step back behind all others.
    pub max_per_site: usize,
    /// Bytes of search answers that are kept, and for how many seconds: ordinary ones, those of a query for the last day or
    /// week, and those to which some engine was missing. 0 bytes keep nothing.
    pub cache_bytes: u64,
    pub cache_s: u64,
    pub cache_recent_s: u64,
    pub cache_partial_s: u64,
    /// Bytes of pages that are kept, and for how many seconds at most before the site is asked whether they have changed.
    pub page_cache_bytes: u64,
    pub page_cache_s: u64,
    /// How the proxy names itself to the sites whose pages it reads.
    pub user_agent: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8082),
            upstream_url: None,
            engines: Vec::new(),
            search_timeout_ms: 6_000,
            max_search_answer_bytes: 2 * 1024 * 1024,
            max_results: 20,
            max_query_chars: 512,
            read_timeout_ms: 10_000,
            max_page_bytes: 4 * 1024 * 1024,
            max_redirects: 5,
            max_text_chars: 100_000,
            concurrent_reads: 8,
            allowed_networks: Vec::new(),
            respect_robots: true,
            knowledge_url: None,
            model_runtime_url: None,
            rules_file: None,
            max_per_site: 3,
            cache_bytes: 8 * 1024 * 1024,
            cache_s: 900,
            cache_recent_s: 120,
            cache_partial_s: 30,
            page_cache_bytes: 8 * 1024 * 1024,
            page_cache_s: 600,
            user_agent: concat!("Mozilla/5.0 (compatible; Anwen/", env!("CARGO_PKG_VERSION"), ")").to_owned(),
        }
    }
}

impl Config {
    pub fn search_timeout(&self) -> Duration {
        Duration::from_millis(self.search_timeout_ms)
    }

    /// What of a search's time the engines have: ordering by meaning comes after them, within the same time.
    pub fn engines_timeout(&self) -> Duration {
        let whole = self.search_timeout();
        if self.model_runtime_url.is_some() {
            whole.saturating_sub(MAX_DURATION).max(whole / 2)
        } else {
            whole
        }
    }

    pub fn read_timeout(&self) -> Duration {
        Duration::from_millis(self.read_timeout_ms)
    }

    /// All engines, the short form of the first among them.
    pub fn all_engines(&self) -> Vec<EngineSettings> {
        let upstream = self.upstream_url.as_ref().map(|url| EngineSettings {
            url: Some(url.to_string()),
            ..EngineSettings::new("searxng", Kind::Searxng)
        });
        upstream.into_iter().chain(self.engines.iter().cloned()).collect()
    }

    /// What the types do not say.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        let wrong = |key, reason: &str| Err(BuildError::Setting { key, reason: reason.to_owned() });
        if self.upstream_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return wrong("upstream_url", "must begin with http:// or https://");
        }
        if self.max_results == 0 {
            return wrong("max_results", "must be at least 1");
        }
        if self.max_per_site == 0 {
            return wrong("max_per_site", "must be at least 1");
        }
        if self.search_timeout_ms == 0 {
            return wrong("search_timeout_ms", "must be at least 1");
        }
        if self.concurrent_reads == 0 {
            return wrong("concurrent_reads", "must be at least 1");
        }
        Ok(())
    }
}
