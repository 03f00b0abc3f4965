//! The search proxy: the only part of Anwen that speaks to the internet, and only when an administrator has configured
//! a search engine. Without one every call answers `web_search_disabled`, and no connection is ever made.
//!
//! - [`engine`]: whom a query is sent to, and how their answers read (pure);
//! - [`fanout`]: asking several at once, with limits, pauses and a deadline;
//! - [`merge`]: from their answers to one list (pure), [`meaning`]: the embeddings that help to order it;
//! - [`outgoing`], [`incoming`], [`rules`]: what may leave and what may come in;
//! - [`page`]: reading one page: which addresses may be reached, how much is fetched, what of it is text.

mod cache;
pub mod config;
mod desk;
pub mod engine;
pub mod fanout;
pub mod incoming;
pub mod meaning;
pub mod merge;
pub mod outgoing;
pub mod page;
pub mod results;
mod routes;
pub mod rules;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;

use anwen_contract::client::Audience;
use anwen_platform::InternalTokens;
use anwen_platform::http::{InternalAuth, ReadyCheck, Scaffold};
use axum::Router;
use axum::middleware::from_fn_with_state;

use cache::SearchCache;
pub use config::Config;
use fanout::Panel;
use meaning::Meaning;
use page::PageReader;
use rules::RulesStore;

/// The name of the service in logs, metrics and health answers.
pub const SERVICE: &str = "search-proxy";
/// The rules' file within a data directory.
pub const RULES_FILE: &str = "search/rules.json";

/// Why the service could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("search_proxy.{key}: {reason}")]
    Setting { key: &'static str, reason: String },
    #[error("search_proxy.engines, `{name}`: {reason}")]
    Engine { name: String, reason: String },
    #[error("the rules of web search in {file} cannot be read: {reason}; mend the file or remove it")]
    Rules { file: PathBuf, reason: String },
    #[error("the HTTP client could not be made: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// The service, ready to be served.
#[derive(Clone)]
pub struct Service {
    web: Option<Arc<WebAccess>>,
    auth: InternalAuth,
}

/// What exists only where web search is configured.
pub(crate) struct WebAccess {
    panel: Panel,
    pages: PageReader,
    meaning: Option<Meaning>,
    rules: RulesStore,
    cache: SearchCache,
    config: Config,
}

/// Checks the settings and builds the service. Makes no connection.
pub fn build(config: Config, tokens: InternalTokens) -> Result<Service, BuildError> {
    config.check()?;
    let engines = config.all_engines();
    let web = if engines.is_empty() {
        None
    } else {
        Some(Arc::new(WebAccess {
            panel: Panel::new(engines, &config)?,
            meaning: match &config.model_runtime_url {
                Some(url) => Some(Meaning::new(url.clone(), &tokens)?),
                None => None,
            },
            pages: PageReader::new(&config, &tokens)?,
            rules: RulesStore::open(config.rules_file.clone())?,
            cache: SearchCache::new(&config),
            config,
        }))
    };
    Ok(Service { web, auth: InternalAuth::new(tokens, Audience::SearchProxy) })
}

impl Service {
    /// Every route; all but health, readiness and metrics need an internal token.
    pub fn router(&self) -> Router {
        let routes = routes::router(self.web.clone())
            .layer(from_fn_with_state(self.auth.clone(), InternalAuth::check));
        Scaffold::new(SERVICE).ready(self.ready_checks()).wrap(routes)
    }

    fn ready_checks(&self) -> Vec<ReadyCheck> {
        let Some(web) = &self.web else { return Vec::new() };
        let web = Arc::clone(web);
        let check = move || {
            let is_usable = web.panel.is_usable();
            async move { if is_usable { Ok(()) } else { Err("every engine is paused after failures".to_owned()) } }
        };
        vec![ReadyCheck::new("search_engine", check)]
    }
}
