//! The models on disk: which there are, what their files say, and how they come there.

mod archive;
mod catalogue;
mod create;
mod error;
mod estimate;
mod files;
mod gguf;
mod hugging_face;
mod manifest;
mod modelfile;
mod name;
mod pull;
mod quantize;
mod scan;
mod shape;
mod show;
mod store;

pub use catalogue::{Catalogue, CatalogueModel, CatalogueSources, catalogue};
pub use create::{OneOrMany, Paths, Recipe};
pub use error::StoreError;
pub use estimate::{MemoryEstimate, estimate, estimate_shape};
pub use files::{ModelFiles, ModelSettings, Purpose, Weights};
pub use gguf::{GgufHeader, Pooling, obstacle_to_computing};
pub use manifest::{Manifest, ManifestFile, Role, SavedMessage, is_digest, is_go_template};
pub use modelfile::{Modelfile, parameter_lines};
pub use name::{InvalidName, LATEST, ModelName, SemanticVersion};
pub use pull::{Listener, Place, PullEvent, PullSettings, Puller, Reference};
pub use scan::scan;
pub use shape::{LayerKind, ModelShape};
pub use show::{Shown, show};
pub use store::{BlobWriter, FreeSpace, Pins, Store, Stored};
