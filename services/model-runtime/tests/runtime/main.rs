//! The service over HTTP, as its clients see it. One binary, because linking the engines takes long.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod embeddings;
#[cfg(feature = "mistralrs")]
mod language_models;
mod models;
mod ollama;
mod openai;
mod quote_quality;
mod quoting;
mod support;
#[cfg(feature = "mistralrs")]
mod tiny_model;
