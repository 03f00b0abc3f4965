//! The models directory as its callers see it, and pulls from local stand-ins of the sources.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod archives;
mod hub;
mod library;
mod pulls;
mod support;
