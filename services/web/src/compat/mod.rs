//! OpenAI's, Ollama's and Tika's interfaces, for software that already speaks them. An API key says who asks; permissions
//! and the audit log apply as everywhere.

mod completion;
mod envelope;
mod knowledge_model;
mod ollama;
mod openai;
mod runtime;
mod searxng;
mod tika;

use crate::app::AppState;
use utoipa_axum::router::OpenApiRouter;

/// Bytes of a request's body: pictures travel inside it.
pub const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

pub fn routes() -> OpenApiRouter<AppState> {
    openai::routes()
        .merge(ollama::routes())
        .merge(searxng::routes())
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY_BYTES))
        .merge(ollama::large_routes())
        .merge(tika::routes())
}
