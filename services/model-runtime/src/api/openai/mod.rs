//! OpenAI's interface.

mod answer;
mod chat;
mod completions;
mod embeddings;
mod messages;
mod models;
mod request;
mod rerank;
mod sampling;
mod streaming;

use axum::Router;
use axum::routing::{get, post};

use super::ApiState;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/completions", post(completions::complete))
        .route("/v1/embeddings", post(embeddings::embed))
        .route("/v1/rerank", post(rerank::rerank))
        .route("/v2/rerank", post(rerank::rerank))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*name}", get(models::show))
}

/// Seconds since 1970, as OpenAI counts time.
fn unix_seconds(time: std::time::SystemTime) -> u64 {
    time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
