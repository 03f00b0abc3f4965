//! Writes tiny language models with random weights into a folder: `tiny_models DIR`.
//!
//! They say nothing that makes sense, and load in milliseconds: what clients and scripts need of a model.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/runtime/tiny_model.rs"]
mod tiny_model;

use std::path::PathBuf;

fn main() {
    let directory = PathBuf::from(std::env::args_os().nth(1).expect("usage: tiny_models DIR"));
    println!("writing models with a context of {} tokens", tiny_model::CONTEXT);
    tiny_model::write_gguf(&directory.join("tiny-plain.gguf"));
    tiny_model::write_safetensors(&directory.join("tiny-plain-safetensors"));
}
