//! Which engine runs a model, and loading it.

use std::sync::Arc;

use anwen_models::{ModelFiles, Weights};

use super::Engine;
use super::static_embedding::{StaticEngine, StaticModel};
use crate::config::Config;
use crate::error::RuntimeError;

/// The name of the engine that `files` would be run by in this build; `None` when it has none for them.
pub fn engine_for(files: &ModelFiles) -> Option<&'static str> {
    match &files.weights {
        Weights::StaticEmbedding { .. } => Some("static"),
        Weights::Encoder { .. } => cfg!(feature = "candle").then_some("candle"),
        Weights::Gguf { .. } => gguf_engine(files.settings.engine.as_deref()),
        Weights::Safetensors { .. } => cfg!(feature = "mistralrs").then_some("mistralrs"),
    }
}

/// llama.cpp is several times faster on a processor; what the manifest asks for goes first.
fn gguf_engine(asked: Option<&str>) -> Option<&'static str> {
    let built = [("llamacpp", cfg!(feature = "llamacpp")), ("mistralrs", cfg!(feature = "mistralrs"))];
    let mut built = built.into_iter().filter(|(_, built)| *built).map(|(name, _)| name);
    match asked {
        Some(asked) => built.find(|name| *name == asked),
        // With a GPU the other way round.
        None if cfg!(any(feature = "cuda", feature = "metal")) => built.next_back(),
        None => built.next(),
    }
}

/// Loads the weights of `files`. Takes as long as reading them does.
pub async fn load(files: &ModelFiles, config: &Config) -> Result<Arc<dyn Engine>, RuntimeError> {
    match engine_for(files) {
        Some("static") => load_static(files).await,
        #[cfg(feature = "llamacpp")]
        Some("llamacpp") => Ok(Arc::new(super::llamacpp::LlamaCppEngine::load(files, config).await?)),
        #[cfg(feature = "candle")]
        Some("candle") => Ok(Arc::new(super::candle::CandleEngine::load(files, config).await?)),
        #[cfg(feature = "mistralrs")]
        Some("mistralrs") => Ok(Arc::new(super::mistralrs::MistralRsEngine::load(files, config).await?)),
        _ => {
            let _ = config;
            Err(RuntimeError::LoadFailed {
                model: files.name.clone(),
                cause: "this build has no engine for such weights (cargo features `llamacpp`, `mistralrs`, `candle`)"
                    .to_owned(),
            })
        }
    }
}

async fn load_static(files: &ModelFiles) -> Result<Arc<dyn Engine>, RuntimeError> {
    let Weights::StaticEmbedding { folder } = &files.weights else {
        return Err(RuntimeError::internal("a static embedding was expected"));
    };
    let folder = folder.clone();
    let model = tokio::task::spawn_blocking(move || StaticModel::load(&folder))
        .await
        .map_err(RuntimeError::internal)?
        .map_err(|cause| RuntimeError::LoadFailed { model: files.name.clone(), cause: cause.to_string() })?;
    Ok(Arc::new(StaticEngine::new(Arc::new(model))))
}
