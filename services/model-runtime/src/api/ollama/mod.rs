//! Ollama's interface: newline-delimited JSON, durations in nanoseconds.

mod answer;
mod context;
mod embed;
mod generate;
mod library;
mod messages;
mod models;
mod options;
mod request;

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::{delete, get, head, post};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ApiState;

pub(super) use options::Options;
pub(super) use request::think;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/api/chat", post(generate::chat))
        .route("/api/generate", post(generate::generate))
        .route("/api/embed", post(embed::embed))
        .route("/api/embeddings", post(embed::embed_one))
        .route("/api/tags", get(models::tags))
        .route("/api/ps", get(models::running))
        .route("/api/show", post(models::show))
        .route("/api/pull", post(library::pull))
        .route("/api/create", post(library::create))
        .route("/api/copy", post(library::copy))
        .route("/api/delete", delete(library::delete))
        .route("/api/push", post(library::push))
        .route("/api/blobs/{digest}", head(library::blob_exists).post(library::upload_blob))
        .route("/api/version", get(models::version))
}

fn rfc3339(time: SystemTime) -> String {
    OffsetDateTime::from(time).format(&Rfc3339).unwrap_or_default()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
