//! `/groups`: administrators put users together, so that a grant can name them all.

mod handlers;
pub mod store;

pub use handlers::routes;
pub use store::GroupStore;
