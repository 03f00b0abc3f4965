//! Models as listings show them.

use std::sync::Arc;
use std::time::SystemTime;

use anwen_contract::model::{ModelCapabilities, ModelInfo, ModelState};

use super::{LoadedModel, ModelFiles, Slot, Weights};
use crate::engine::load::engine_for;

/// A model as listings show it.
#[derive(Clone)]
pub struct Listed {
    pub info: ModelInfo,
    pub files: Option<ModelFiles>,
    /// Where it is loaded: its memory, its queue and when it will go.
    pub loaded: Option<Arc<LoadedModel>>,
}

pub(super) fn listed_loaded(model: &Arc<LoadedModel>) -> Listed {
    let engine = &model.engine;
    let info = ModelInfo {
        id: model.name.clone(),
        engine: engine.name().to_owned(),
        capabilities: engine.capabilities(),
        state: ModelState::Ready,
        context_tokens: saturating_u32(engine.context_tokens()),
        dimensions: engine.dimensions().map(|dimensions| saturating_u32(Some(dimensions))),
        size_bytes: model.files.as_ref().map_or(0, |files| files.size_bytes),
    };
    Listed { info, files: model.files.clone(), loaded: Some(Arc::clone(model)) }
}

pub(super) fn listed_on_disk(files: ModelFiles, slot: Option<&Slot>) -> Listed {
    let capabilities = match files.weights {
        Weights::StaticEmbedding { .. } | Weights::Encoder { .. } => {
            ModelCapabilities { embed: true, ..ModelCapabilities::default() }
        }
        Weights::Gguf { .. } | Weights::Safetensors { .. } => {
            ModelCapabilities { chat: true, ..ModelCapabilities::default() }
        }
    };
    let state = match slot {
        Some(slot) if slot.is_loading => ModelState::Loading,
        Some(slot) if slot.failed.as_ref() == Some(&files.fingerprint()) => ModelState::Failed,
        _ => ModelState::Available,
    };
    let info = ModelInfo {
        id: files.name.clone(),
        engine: engine_for(&files).unwrap_or("none").to_owned(),
        capabilities,
        state,
        context_tokens: saturating_u32(files.context_tokens.and_then(|tokens| usize::try_from(tokens).ok())),
        dimensions: None,
        size_bytes: files.size_bytes,
    };
    Listed { info, files: Some(files), loaded: None }
}

/// A virtual model, whose rules choose a real one.
pub(super) fn listed_route(name: &str) -> Listed {
    let info = ModelInfo {
        id: name.to_owned(),
        engine: "route".to_owned(),
        capabilities: ModelCapabilities { chat: true, ..ModelCapabilities::default() },
        state: ModelState::Ready,
        context_tokens: 0,
        dimensions: None,
        size_bytes: 0,
    };
    Listed { info, files: None, loaded: None }
}

/// 0 stands for "no bound" on the wire.
fn saturating_u32(number: Option<usize>) -> u32 {
    number.map_or(0, |number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// When a model was last changed, for listings; the epoch for those that are part of the program.
pub fn modified_at(files: Option<&ModelFiles>) -> SystemTime {
    files.map_or(SystemTime::UNIX_EPOCH, |files| files.modified_at)
}
