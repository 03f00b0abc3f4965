//! Small models with random weights, written by the tests themselves: the shapes and files of real ones in a few
//! megabytes. Language models of every family as GGUF and as safetensors, encoders, a model that sees, adapters.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod adapter;
pub mod decoder;
pub mod encoder;
pub mod family;
mod folder;
mod gguf;
pub mod quantize;
mod tensor;
pub mod vision;
mod vocabulary;

use std::path::Path;

#[allow(unused_imports)]
pub use family::{FAMILIES, Family};
pub use quantize::Precision;

/// Tokens of the context of the plain model.
pub const CONTEXT: usize = 256;
/// Tokens of the context of every other language model: a token for nearly every byte makes prompts long.
pub const FAMILY_CONTEXT: usize = 8192;

/// Writes a model with the plain template as a GGUF file.
pub fn write_gguf(file: &Path) {
    decoder::write_gguf(file, Family::Plain, Precision::F16, CONTEXT);
}

/// Writes a model with the plain template in Hugging Face's layout.
pub fn write_safetensors(folder: &Path) {
    decoder::write_folder(folder, Family::Plain, CONTEXT);
}

/// Writes a model of `family` as a GGUF file.
pub fn write_family_gguf(file: &Path, family: Family, precision: Precision) {
    decoder::write_gguf(file, family, precision, FAMILY_CONTEXT);
}

/// Writes a model of `family` in Hugging Face's layout.
pub fn write_family_safetensors(folder: &Path, family: Family) {
    decoder::write_folder(folder, family, FAMILY_CONTEXT);
}
