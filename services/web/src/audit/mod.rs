//! The audit log: who did what, in a chain of hashes that shows whether a row was changed or taken out.

mod chain;
mod handlers;
mod store;

pub use chain::BrokenChain;
pub use handlers::routes;
pub use store::{AuditLog, Verification};

use serde_json::Value;

/// Who did something.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// A user's id; empty when nobody was signed in.
    pub id: String,
    pub name: String,
    /// The client's address.
    pub address: String,
}

/// Something to remember.
#[derive(Debug, Clone)]
pub struct Entry {
    pub actor: Actor,
    /// `domain.verb`, such as `user.created`.
    pub action: &'static str,
    /// `kind:id` of what it was done to; may be empty.
    pub object: String,
    pub detail: Value,
}

impl Entry {
    pub fn new(actor: Actor, action: &'static str, object: impl Into<String>) -> Self {
        Self { actor, action, object: object.into(), detail: Value::Object(serde_json::Map::new()) }
    }

    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}
