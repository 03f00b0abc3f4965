//! `/api-keys`: a user's own keys for other software.

mod handlers;
mod store;

pub use handlers::{prefix_of, routes};
pub use store::KeyStore;
