//! The service over HTTP, as its clients see it. One binary, because linking the engines takes long.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod admission;
mod cache;
mod embeddings;
#[cfg(feature = "candle")]
mod encoders;
#[cfg(feature = "mistralrs")]
mod families;
#[cfg(feature = "mistralrs")]
mod language_models;
#[cfg(feature = "llamacpp")]
mod llamacpp;
#[cfg(feature = "llamacpp")]
mod memory;
mod metrics;
mod models;
#[cfg(any(feature = "candle", feature = "llamacpp", feature = "mistralrs"))]
mod models_made;
mod ollama;
mod openai;
mod quote_quality;
mod quoting;
mod routing;
mod store;
mod support;
#[cfg(any(feature = "candle", feature = "llamacpp", feature = "mistralrs"))]
mod tiny_model;
mod upstream;
#[cfg(feature = "mistralrs")]
mod vision;
