//! How any of Anwen's services runs: typed configuration, logs and metrics, HTTP scaffolding, internal tokens,
//! the database pool and graceful shutdown.

pub mod config;
pub mod db;
pub mod http;
mod machine;
pub mod memory;
pub mod seal;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
pub mod token;
pub mod trace;

pub use config::{ConfigError, Settings};
pub use db::{Database, DbError};
pub use machine::publish_disk;
pub use seal::Sealer;
pub use settings::CommonSettings;
pub use shutdown::Shutdown;
pub use token::InternalTokens;
