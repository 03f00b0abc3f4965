//! The search proxy: the only part of Anwen that speaks to the internet, and only when an administrator has configured
//! a search engine. Without one every call answers `web_search_disabled`, and no connection is ever made.
//!
//! - [`engine`]: whom a query is sent to, behind one trait;
//! - [`results`]: what comes back, cleaned, merged and ordered (pure);
//! - [`page`]: reading one page: which addresses may be reached, how much is fetched, what of it is text.

pub mod config;
pub mod engine;
pub mod page;
pub mod results;
mod routes;
mod transport;

use std::sync::Arc;

use anwen_contract::client::Audience;
use anwen_platform::InternalTokens;
use anwen_platform::http::{InternalAuth, ReadyCheck, Scaffold};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

pub use config::Config;
use engine::Engine;
use engine::searxng::Searxng;
use page::PageReader;

/// The name of the service in logs, metrics and health answers.
pub const SERVICE: &str = "search-proxy";
/// A request holds a query or an address, never more.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Why the service could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("search_proxy.{key}: {reason}")]
    Setting { key: &'static str, reason: String },
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
    engine: Arc<dyn Engine>,
    pages: PageReader,
    config: Config,
}

/// Checks the settings and builds the service. Makes no connection.
pub fn build(config: Config, tokens: InternalTokens) -> Result<Service, BuildError> {
    config.check()?;
    let web = match config.upstream_url.clone() {
        None => None,
        Some(url) => {
            let engine = Arc::new(Searxng::new(url, &config)?);
            let pages = PageReader::new(&config)?;
            Some(Arc::new(WebAccess { engine, pages, config }))
        }
    };
    Ok(Service { web, auth: InternalAuth::new(tokens, Audience::SearchProxy) })
}

impl Service {
    /// Every route; all but health, readiness and metrics need an internal token.
    pub fn router(&self) -> Router {
        let routes = routes::router(self.web.clone())
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(from_fn_with_state(self.auth.clone(), InternalAuth::check));
        Scaffold::new(SERVICE).ready(self.ready_checks()).wrap(routes)
    }

    fn ready_checks(&self) -> Vec<ReadyCheck> {
        let Some(web) = &self.web else { return Vec::new() };
        let engine = Arc::clone(&web.engine);
        let check = move || {
            let engine = Arc::clone(&engine);
            async move { engine.reachable().await.map_err(|cause| cause.to_string()) }
        };
        vec![ReadyCheck::new("search_engine", check)]
    }
}
