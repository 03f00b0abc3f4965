//! The model runtime: chat, embeddings and reranking behind the interfaces of OpenAI and Ollama.
//!
//! `engine` holds what computes, behind one trait; `registry` knows which models there are and loads them; `admission` is
//! the bounded queue in front of each; `api` speaks HTTP.

pub mod admission;
mod api;
pub mod cache;
mod config;
pub mod engine;
mod error;
pub mod registry;
pub mod routing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anwen_contract::client::Audience;
use anwen_contract::model::STATIC_EMBEDDING_MODEL;
use anwen_models::Puller;
use anwen_platform::InternalTokens;
use anwen_platform::http::{InternalAuth, ReadyCheck, Scaffold};
use axum::Router;
use tokio_util::sync::CancellationToken;

pub use config::{Config, StubCall, StubScript, StubSettings};
pub use error::RuntimeError;

use api::{Access, ApiState};
use cache::Cache;
use registry::Registry;
use routing::Routes;

/// The name of this service in logs and metrics.
const SERVICE: &str = "model-runtime";

/// The service, ready to be served.
#[derive(Clone)]
pub struct Service {
    registry: Arc<Registry>,
    config: Arc<Config>,
    cache: Arc<Cache>,
    routes: Arc<Routes>,
    tokens: InternalTokens,
    models_dir: PathBuf,
    puller: Arc<Puller>,
}

/// Opens the models in `models_dir`. A missing or damaged bundled embedding is logged and shows in `/readyz`; the service
/// runs without it.
pub async fn build(config: Config, models_dir: &Path, tokens: InternalTokens) -> Service {
    let config = Arc::new(config);
    let directory = models_dir.to_owned();
    let for_registry = Arc::clone(&config);
    let opened = tokio::task::spawn_blocking(move || Registry::open(&directory, for_registry)).await;
    let registry = match opened {
        Ok(registry) => Arc::new(registry),
        // Only a panic while opening comes here; go on with it.
        Err(cause) => std::panic::resume_unwind(cause.into_panic()),
    };
    registry.spawn_tending();
    for upstream in registry.upstreams() {
        upstream.spawn_probing();
    }
    let cache = Arc::new(Cache::new(&config.cache));
    let routes = Arc::new(Routes::new(&config.routes, registry.embedding()));
    let puller = Arc::new(Puller::new(Arc::clone(registry.store()), config.pull.clone()));
    Service { registry, config, cache, routes, tokens, models_dir: models_dir.to_owned(), puller }
}

impl Service {
    /// Every route of the service.
    pub fn router(&self) -> Router {
        let auth = InternalAuth::new(self.tokens.clone(), Audience::ModelRuntime);
        let access = Access::new(auth, self.config.allow_loopback_clients);
        let state = ApiState {
            registry: Arc::clone(&self.registry),
            config: Arc::clone(&self.config),
            cache: Arc::clone(&self.cache),
            routes: Arc::clone(&self.routes),
            remote_images: Arc::new(api::NoRemoteImages),
            puller: Arc::clone(&self.puller),
        };
        Scaffold::new(SERVICE).ready(self.ready_checks()).wrap(api::routes(state, access))
    }

    /// When `stop` fires, requests that wait in a queue and new ones are refused, so that their clients turn to another
    /// server at once; those that run end within the time in which open connections may.
    pub fn close_on(&self, stop: CancellationToken) {
        let registry = Arc::clone(&self.registry);
        tokio::spawn(async move {
            stop.cancelled().await;
            registry.close();
        });
    }

    /// The models, for those who look at them in process.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    fn ready_checks(&self) -> Vec<ReadyCheck> {
        let registry = Arc::clone(&self.registry);
        let directory = self.models_dir.clone();
        let embedding = ReadyCheck::new("embedding", move || {
            let found = registry.loaded().iter().any(|model| model.name == STATIC_EMBEDDING_MODEL);
            let message = format!("no usable model {STATIC_EMBEDDING_MODEL:?} in {}", directory.display());
            async move { if found { Ok(()) } else { Err(message) } }
        });
        vec![embedding]
    }
}
