//! What every service's HTTP surface has: request ids, logs and metrics by request, error bodies, health,
//! readiness, extractors that answer with our errors, and graceful serving.

mod auth;
mod extract;
mod health;
mod probe;
mod scaffold;
mod serve;

pub use auth::{Caller, InternalAuth};
pub use extract::{Json, OptionalJson, Path, Query, RequestId};
pub use health::ReadyCheck;
pub use probe::{Probe, probe};
pub use scaffold::Scaffold;
pub use serve::{bind, serve};
