//! The models on disk: which there are, what their files say, and how they come there.

mod estimate;
mod files;
mod gguf;
mod hugging_face;
mod scan;
mod shape;

pub use estimate::{MemoryEstimate, estimate, estimate_shape};
pub use files::{ModelFiles, ModelSettings, Purpose, Weights};
pub use gguf::{GgufHeader, Pooling};
pub use scan::scan;
pub use shape::{LayerKind, ModelShape};
