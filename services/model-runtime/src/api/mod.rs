//! The HTTP surfaces: OpenAI's, Ollama's and our own administration, over the same generations.

mod access;
mod admin;
mod asking;
mod body;
mod changes;
mod choices;
mod defaults;
mod embedding;
mod embedding_wire;
mod fields;
mod generation;
mod images;
mod input;
mod library;
mod logprobs;
mod measure;
mod ollama;
mod openai;
mod reranking;
mod tools;

use std::sync::Arc;

use anwen_models::Puller;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use crate::cache::Cache;
use crate::config::Config;
use crate::registry::Registry;
use crate::routing::Routes;

pub use access::Access;
pub use images::{NoRemoteImages, RemoteImages};

/// What handlers need.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub registry: Arc<Registry>,
    pub config: Arc<Config>,
    pub cache: Arc<Cache>,
    pub routes: Arc<Routes>,
    pub remote_images: Arc<dyn RemoteImages>,
    pub puller: Arc<Puller>,
}

/// Every route of the service but health and metrics.
pub(crate) fn routes(state: ApiState, access: Access) -> Router {
    let max_body_bytes = state.config.max_body_bytes;
    Router::new()
        .merge(openai::routes())
        .merge(ollama::routes())
        .merge(admin::routes())
        .merge(library::routes())
        .with_state(state)
        .layer(DefaultBodyLimit::max(max_body_bytes))
        .layer(from_fn_with_state(access, access::check))
}
