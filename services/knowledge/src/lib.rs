//! The knowledge service: documents in, passages out.
//!
//! SQL and the object store hold the truth ([`bases`], [`documents`], [`jobs`]); the vector and the full-text index
//! are projections of it that follow a log ([`follow`], [`index`]). Documents are worked on in the background
//! ([`ingest`]); questions are answered from both indexes ([`retrieve`], [`query`]). Who may do what is decided here,
//! from the signed token that a request carries ([`access`]).

pub mod access;
pub mod app;
pub mod bases;
mod build;
pub mod classify;
pub mod config;
pub mod documents;
pub mod evaluate;
pub mod follow;
pub mod index;
pub mod ingest;
pub mod jobs;
pub mod maintenance;
mod paging;
pub mod privacy;
pub mod query;
pub mod rechunk;
pub mod retrieve;
pub mod routes;
mod signals;
pub mod store;
mod tika;

pub use build::{BuildError, COMPONENT, Dependencies, Service, build, open};
pub use config::Config;
pub use ingest::sandbox::{ParseWorker, run_parse_worker};
pub use store::MIGRATIONS;
