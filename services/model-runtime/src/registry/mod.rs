//! The models: which there are, which are loaded, and loading them when they are asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anwen_contract::model::{
    EXTRACTIVE_MODEL, ModelCapabilities, ModelInfo, ModelState, STATIC_EMBEDDING_MODEL,
};

use crate::admission::Admission;
use crate::config::Config;
use crate::engine::extractive::ExtractiveEngine;
use crate::engine::static_embedding::{StaticEngine, StaticModel};
use crate::engine::stub::StubEngine;
use crate::engine::{self, Engine};
use crate::error::RuntimeError;

pub use anwen_models::{GgufHeader, ModelFiles, Weights};

/// The name of the scripted engine's model.
pub const STUB_MODEL: &str = "stub";
/// Asks for whichever chat model is best at hand.
pub const DEFAULT_MODEL: &str = "default";
/// What Ollama adds to a name without a tag.
const LATEST_TAG: &str = ":latest";

/// A model that can answer.
pub struct LoadedModel {
    pub name: String,
    pub engine: Arc<dyn Engine>,
    pub admission: Admission,
    /// `None` for models that are part of this program.
    pub files: Option<ModelFiles>,
    pub load_duration: Duration,
    last_used: Mutex<Instant>,
}

impl LoadedModel {
    fn touch(&self) {
        *self.last_used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last_used(&self) -> Instant {
        *self.last_used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only models with weights of their own count against the bound on loaded ones.
    fn is_heavy(&self) -> bool {
        self.files.as_ref().is_some_and(|files| !matches!(files.weights, Weights::StaticEmbedding { .. }))
    }
}

/// A model as listings show it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub info: ModelInfo,
    pub files: Option<ModelFiles>,
}

/// What the registry remembers of a model that is not part of the program.
#[derive(Default)]
struct Slot {
    /// Held while the model is being loaded, so that two requests load it once.
    loading: Arc<tokio::sync::Mutex<()>>,
    is_loading: bool,
    loaded: Option<Arc<LoadedModel>>,
    /// Fingerprint of the files that could not be loaded: a new file gets a new chance in listings.
    failed: Option<String>,
}

/// The models of this runtime.
pub struct Registry {
    directory: PathBuf,
    config: Arc<Config>,
    builtin: Vec<Arc<LoadedModel>>,
    slots: Mutex<HashMap<String, Slot>>,
}

impl Registry {
    /// Opens `directory` and loads what is always there: the bundled embedding and the quoting answerer.
    pub fn open(directory: &Path, config: Arc<Config>) -> Self {
        let registry = Self {
            directory: directory.to_owned(),
            builtin: Vec::new(),
            slots: Mutex::default(),
            config: Arc::clone(&config),
        };
        let embedding = registry.load_bundled_embedding();
        let mut builtin: Vec<Arc<LoadedModel>> = Vec::new();
        let extractive = ExtractiveEngine::new(embedding.as_ref().map(|(_, model)| Arc::clone(model)));
        builtin.push(registry.admitted(EXTRACTIVE_MODEL, Arc::new(extractive), None, Duration::ZERO));
        builtin.extend(embedding.map(|(loaded, _)| loaded));
        if config.enable_stub {
            let stub = StubEngine::new(config.stub.clone());
            builtin.push(registry.admitted(STUB_MODEL, Arc::new(stub), None, Duration::ZERO));
        }
        Self { builtin, ..registry }
    }

    fn load_bundled_embedding(&self) -> Option<(Arc<LoadedModel>, Arc<StaticModel>)> {
        let files = anwen_models::scan(&self.directory)
            .into_iter()
            .find(|files| files.name == STATIC_EMBEDDING_MODEL)?;
        let Weights::StaticEmbedding { folder } = &files.weights else { return None };
        let started = Instant::now();
        let model = StaticModel::load(folder)
            .inspect_err(|cause| tracing::error!(folder = %folder.display(), %cause, "the bundled embedding cannot be loaded"))
            .ok()?;
        let model = Arc::new(model);
        let engine = Arc::new(StaticEngine::new(Arc::clone(&model)));
        Some((self.admitted(STATIC_EMBEDDING_MODEL, engine, Some(files.clone()), started.elapsed()), model))
    }

    fn admitted(
        &self,
        name: &str,
        engine: Arc<dyn Engine>,
        files: Option<ModelFiles>,
        load_duration: Duration,
    ) -> Arc<LoadedModel> {
        Arc::new(LoadedModel {
            name: name.to_owned(),
            admission: Admission::new(name, engine.concurrency(), self.config.queue_capacity),
            engine,
            files,
            load_duration,
            last_used: Mutex::new(Instant::now()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        // Every change is one statement: a panic elsewhere does not spoil the map.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every model that can be asked for: those of this program, then those in the directory by name.
    ///
    /// Reads the directory; call it where blocking is allowed.
    pub fn list(&self) -> Vec<Listed> {
        let mut listed: Vec<Listed> = self.builtin.iter().map(|model| listed_loaded(model)).collect();
        let slots = self.lock();
        for files in anwen_models::scan(&self.directory) {
            if self.builtin.iter().any(|model| model.name == files.name) {
                continue;
            }
            let slot = slots.get(&files.name);
            match slot.and_then(|slot| slot.loaded.as_ref()) {
                Some(model) => listed.push(listed_loaded(model)),
                None => listed.push(listed_on_disk(files, slot)),
            }
        }
        listed
    }

    /// Models that are loaded now.
    pub fn loaded(&self) -> Vec<Arc<LoadedModel>> {
        let slots = self.lock();
        let mut loaded: Vec<Arc<LoadedModel>> =
            slots.values().filter_map(|slot| slot.loaded.as_ref().map(Arc::clone)).collect();
        loaded.sort_by(|a, b| a.name.cmp(&b.name));
        self.builtin.iter().map(Arc::clone).chain(loaded).collect()
    }

    /// The model that `name` means, loaded if it is not yet.
    pub async fn acquire(self: &Arc<Self>, name: &str) -> Result<Arc<LoadedModel>, RuntimeError> {
        let wanted = self.canonical(name);
        if let Some(model) = self.find_loaded(&wanted) {
            model.touch();
            return Ok(model);
        }
        let registry = Arc::clone(self);
        let lookup = wanted.clone();
        let files = tokio::task::spawn_blocking(move || registry.find_on_disk(&lookup))
            .await
            .map_err(RuntimeError::internal)?
            .ok_or(RuntimeError::ModelNotFound { name: name.to_owned() })?;
        let loading = Arc::clone(&self.lock().entry(files.name.clone()).or_default().loading);
        let only_one = loading.lock_owned().await;
        // It may have been loaded while this request waited for its turn.
        if let Some(model) = self.find_loaded(&files.name) {
            model.touch();
            return Ok(model);
        }
        // In a task of its own: a caller that goes must not leave a model half loaded.
        let registry = Arc::clone(self);
        let load = async move {
            let _only_one = only_one;
            registry.load(files).await
        };
        tokio::spawn(load).await.map_err(RuntimeError::internal)?
    }

    /// The name behind an alias, Ollama's `:latest` and `default`.
    fn canonical(&self, name: &str) -> String {
        let name = name.trim();
        let aliased = self.config.aliases.get(name).map_or(name, String::as_str);
        let plain = aliased.strip_suffix(LATEST_TAG).unwrap_or(aliased);
        let plain = self.config.aliases.get(plain).map_or(plain, String::as_str);
        if plain.is_empty() || plain == DEFAULT_MODEL {
            return self.default_chat_model();
        }
        plain.to_owned()
    }

    /// The chat model used last, or the quoting answerer when none is loaded.
    fn default_chat_model(&self) -> String {
        self.lock()
            .values()
            .filter_map(|slot| slot.loaded.as_ref())
            .filter(|model| model.engine.capabilities().chat)
            .max_by_key(|model| model.last_used())
            .map_or_else(|| EXTRACTIVE_MODEL.to_owned(), |model| model.name.clone())
    }

    fn find_loaded(&self, name: &str) -> Option<Arc<LoadedModel>> {
        if let Some(model) = self.builtin.iter().find(|model| model.name.eq_ignore_ascii_case(name)) {
            return Some(Arc::clone(model));
        }
        let slots = self.lock();
        slots
            .values()
            .filter_map(|slot| slot.loaded.as_ref())
            .find(|model| model.name.eq_ignore_ascii_case(name))
            .map(Arc::clone)
    }

    /// By the exact name first, so that two names that differ in case only stay apart.
    fn find_on_disk(&self, name: &str) -> Option<ModelFiles> {
        let models = anwen_models::scan(&self.directory);
        let exact = models.iter().position(|files| files.name == name);
        let index =
            exact.or_else(|| models.iter().position(|files| files.name.eq_ignore_ascii_case(name)))?;
        models.into_iter().nth(index)
    }

    async fn load(&self, files: ModelFiles) -> Result<Arc<LoadedModel>, RuntimeError> {
        self.make_room(&files)?;
        self.with_slot(&files.name, |slot| slot.is_loading = true);
        let started = Instant::now();
        let result = engine::load::load(&files, &self.config).await;
        let outcome = match result {
            Ok(engine) => {
                let took = started.elapsed();
                tracing::info!(
                    model = files.name,
                    engine = engine.name(),
                    took_ms = took.as_millis() as u64,
                    "model loaded"
                );
                metrics::histogram!("anwen_model_load_duration_seconds", "model" => files.name.clone())
                    .record(took.as_secs_f64());
                Ok(self.admitted(&files.name.clone(), engine, Some(files.clone()), took))
            }
            Err(error) => Err(error),
        };
        self.with_slot(&files.name, |slot| {
            slot.is_loading = false;
            slot.failed = outcome.is_err().then(|| files.fingerprint());
            slot.loaded = outcome.as_ref().ok().map(Arc::clone);
        });
        outcome
    }

    fn with_slot(&self, name: &str, change: impl FnOnce(&mut Slot)) {
        change(self.lock().entry(name.to_owned()).or_default());
    }

    /// Unloads the model unused for longest until one more fits.
    fn make_room(&self, files: &ModelFiles) -> Result<(), RuntimeError> {
        if matches!(files.weights, Weights::StaticEmbedding { .. }) {
            return Ok(());
        }
        let mut slots = self.lock();
        loop {
            let loaded: Vec<Arc<LoadedModel>> = slots
                .values()
                .filter_map(|slot| slot.loaded.as_ref())
                .filter(|model| model.is_heavy())
                .map(Arc::clone)
                .collect();
            if loaded.len() < self.config.max_loaded_models.max(1) {
                return Ok(());
            }
            let idle = loaded
                .iter()
                .filter(|model| model.admission.load() == (0, 0))
                .min_by_key(|model| model.last_used())
                .ok_or_else(|| RuntimeError::Busy { model: files.name.clone(), waiting: loaded.len() })?;
            tracing::info!(model = idle.name, for_model = files.name, "model unloaded to make room");
            if let Some(slot) = slots.get_mut(&idle.name) {
                slot.loaded = None;
            }
        }
    }

    /// Frees a loaded model; generations that run end first. False when it was not loaded.
    pub fn unload(&self, name: &str) -> Result<bool, RuntimeError> {
        let name = self.canonical(name);
        if self.builtin.iter().any(|model| model.name.eq_ignore_ascii_case(&name)) {
            return Err(RuntimeError::Invalid(format!("{name:?} is part of this program and stays loaded")));
        }
        let mut slots = self.lock();
        let loaded = slots
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name))
            .and_then(|(_, slot)| slot.loaded.take());
        if let Some(model) = &loaded {
            tracing::info!(model = model.name, "model unloaded");
        }
        Ok(loaded.is_some())
    }
}

fn listed_loaded(model: &LoadedModel) -> Listed {
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
    Listed { info, files: model.files.clone() }
}

fn listed_on_disk(files: ModelFiles, slot: Option<&Slot>) -> Listed {
    let (engine, capabilities) = match files.weights {
        Weights::StaticEmbedding { .. } => {
            ("static", ModelCapabilities { embed: true, ..ModelCapabilities::default() })
        }
        Weights::Encoder { .. } => {
            ("candle", ModelCapabilities { embed: true, ..ModelCapabilities::default() })
        }
        Weights::Gguf { .. } | Weights::Safetensors { .. } => {
            ("mistralrs", ModelCapabilities { chat: true, ..ModelCapabilities::default() })
        }
    };
    let state = match slot {
        Some(slot) if slot.is_loading => ModelState::Loading,
        Some(slot) if slot.failed.as_ref() == Some(&files.fingerprint()) => ModelState::Failed,
        _ => ModelState::Available,
    };
    let info = ModelInfo {
        id: files.name.clone(),
        engine: engine.to_owned(),
        capabilities,
        state,
        context_tokens: saturating_u32(files.context_tokens.and_then(|tokens| usize::try_from(tokens).ok())),
        dimensions: None,
        size_bytes: files.size_bytes,
    };
    Listed { info, files: Some(files) }
}

/// 0 stands for "no bound" on the wire.
fn saturating_u32(number: Option<usize>) -> u32 {
    number.map_or(0, |number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// When a model was last changed, for listings; the epoch for those that are part of the program.
pub fn modified_at(files: Option<&ModelFiles>) -> SystemTime {
    files.map_or(SystemTime::UNIX_EPOCH, |files| files.modified_at)
}
