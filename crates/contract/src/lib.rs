//! What Anwen's services say to each other and to the outside: identifiers, wire types, the one table of
//! error codes, and typed clients.
//!
//! This crate depends on no other crate of the workspace; every service depends on it. A type that crosses a
//! process boundary lives here and nowhere else.

pub mod chat;
pub mod chunking;
pub mod client;
pub mod error;
pub mod ids;
pub mod knowledge;
pub mod labels;
pub mod model;
pub mod paging;
pub mod principal;
pub mod privacy;
pub mod search;
pub mod timestamp;
pub mod users;

pub use error::{ApiError, ErrorCode};
pub use ids::*;
pub use paging::{Page, PageQuery};
pub use principal::{Asker, Principal, Role};
pub use timestamp::Timestamp;

/// Where the paths begin that programs call on web beside `/api/`: the interfaces of other software.
pub const PROGRAM_PATHS: [&str; 6] = ["/v1/", "/ollama/", "/searxng/", "/mcp", "/tika", "/rmeta"];

/// Whether a path belongs to an interface of other software.
pub fn is_for_programs(path: &str) -> bool {
    PROGRAM_PATHS.iter().any(|prefix| path.starts_with(prefix))
}
