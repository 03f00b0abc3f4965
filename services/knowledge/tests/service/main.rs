//! The service as its callers see it, and its stores, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod children;
mod classes;
mod documents;
mod harness;
mod permissions;
mod privacy;
mod profiles;
mod protected;
mod recovery;
mod stores;
mod upload;
