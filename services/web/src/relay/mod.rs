//! Calls that another service answers. Web says who asks, in the signed token, and passes the call on; whoever holds
//! the data decides.

pub mod bases;
pub mod documents;
mod forward;
pub mod search;

use crate::app::AppState;
use utoipa_axum::router::OpenApiRouter;

pub use forward::{Forwarded, announced_length, bounded_body, inner, streamed_answer};

pub fn routes() -> OpenApiRouter<AppState> {
    bases::routes().merge(documents::routes()).merge(search::routes())
}
