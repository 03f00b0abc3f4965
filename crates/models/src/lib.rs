//! The models on disk: which there are, what their files say, and how they come there.

mod gguf;
mod scan;

pub use gguf::GgufHeader;
pub use scan::{ModelFiles, ModelSettings, Weights, scan};
