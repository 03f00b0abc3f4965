//! The models: which there are, which are loaded, and loading them when they are asked for.

mod listing;
mod making_room;
mod residence;
mod room;
mod tending;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anwen_contract::model::{EXTRACTIVE_MODEL, STATIC_EMBEDDING_MODEL};
use anwen_models::Store;
use serde_json::Value;
use tokio::sync::Notify;

use crate::admission::{Admission, Bounds};
use crate::config::Config;
use crate::engine::extractive::ExtractiveEngine;
use crate::engine::static_embedding::{StaticEngine, StaticModel};
use crate::engine::stub::StubEngine;
use crate::engine::upstream::Upstream;
use crate::engine::{self, Engine};
use crate::error::RuntimeError;
use crate::routing::Surroundings;
use listing::{listed_loaded, listed_on_disk, listed_route};
use making_room::CONTEXT_OPTION;
use residence::{Residence, SharedResidence};

pub use anwen_models::{GgufHeader, ModelFiles, Weights};
pub use listing::{Listed, modified_at};
pub use residence::{KeepAlive, LoadedModel};

/// The name of the scripted engine's model.
pub const STUB_MODEL: &str = "stub";
/// Asks for whichever chat model is best at hand.
pub const DEFAULT_MODEL: &str = "default";
/// What Ollama adds to a name without a tag.
const LATEST_TAG: &str = ":latest";

/// How a request wants its model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// Tokens of prompt and answer that it should take; a model that is loaded with fewer is loaded again.
    pub context_tokens: Option<u64>,
    /// How long it should stay loaded; `None` leaves it as it is.
    pub keep_alive: Option<KeepAlive>,
}

/// What the registry remembers of a model that is not part of the program.
struct Slot {
    residence: SharedResidence,
    /// Held while the model is being loaded, so that two requests load it once.
    loading: Arc<tokio::sync::Mutex<()>>,
    is_loading: bool,
    loaded: Option<Arc<LoadedModel>>,
    /// Fingerprint of the files that could not be loaded: a new file gets a new chance in listings.
    failed: Option<String>,
}

/// The models of this runtime.
pub struct Registry {
    store: Arc<Store>,
    config: Arc<Config>,
    /// Part of the program, or on other servers: always there.
    builtin: Vec<Arc<LoadedModel>>,
    slots: Mutex<HashMap<String, Slot>>,
    /// One model with weights of its own is loaded at a time: two at once would each be promised the same memory.
    one_load: tokio::sync::Mutex<()>,
    /// Told whenever a model has become idle.
    idle: Arc<Notify>,
    /// The process ends.
    closed: AtomicBool,
    upstreams: Vec<Arc<Upstream>>,
    /// The bundled embedding, for routing by examples.
    embedding: Option<Arc<StaticModel>>,
}

impl Registry {
    /// Opens `directory` and loads what is always there: the bundled embedding and the quoting answerer.
    pub fn open(directory: &Path, config: Arc<Config>) -> Self {
        let registry = Self {
            store: Arc::new(Store::open(directory)),
            builtin: Vec::new(),
            slots: Mutex::default(),
            one_load: tokio::sync::Mutex::default(),
            idle: Arc::default(),
            closed: AtomicBool::new(false),
            upstreams: Vec::new(),
            embedding: None,
            config: Arc::clone(&config),
        };
        let embedding = registry.load_bundled_embedding();
        let mut builtin: Vec<Arc<LoadedModel>> = Vec::new();
        let extractive = ExtractiveEngine::new(embedding.as_ref().map(|(_, model)| Arc::clone(model)));
        builtin.push(registry.admitted_builtin(EXTRACTIVE_MODEL, Arc::new(extractive)));
        let (loaded, embedding) = embedding.unzip();
        builtin.extend(loaded);
        if config.enable_stub {
            let stub = StubEngine::new(config.stub.clone());
            builtin.push(registry.admitted_builtin(STUB_MODEL, Arc::new(stub)));
        }
        let upstreams: Vec<Arc<Upstream>> =
            config.upstreams.iter().filter_map(Upstream::open).map(Arc::new).collect();
        for (name, engine) in upstreams.iter().flat_map(Upstream::engines) {
            if builtin.iter().any(|model| model.name == name) {
                tracing::warn!(name, "an upstream's model has a name that is taken; it is left out");
            } else {
                builtin.push(registry.admitted_builtin(&name, engine));
            }
        }
        Self { builtin, upstreams, embedding, ..registry }
    }

    /// The models on disk.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    fn load_bundled_embedding(&self) -> Option<(Arc<LoadedModel>, Arc<StaticModel>)> {
        let files = self.scan().into_iter().find(|files| files.name == STATIC_EMBEDDING_MODEL)?;
        let Weights::StaticEmbedding { folder } = &files.weights else { return None };
        let started = Instant::now();
        let model = StaticModel::load(folder)
            .inspect_err(|cause| tracing::error!(folder = %folder.display(), %cause, "the bundled embedding cannot be loaded"))
            .ok()?;
        let model = Arc::new(model);
        let engine = Arc::new(StaticEngine::new(Arc::clone(&model)));
        let bytes = files.size_bytes;
        let took = started.elapsed();
        let residence = self.new_residence();
        let loaded =
            self.admitted(STATIC_EMBEDDING_MODEL, engine, Some(files.clone()), took, bytes, residence);
        Some((loaded, model))
    }

    /// What lies in the models directory. Reads it; call it where blocking is allowed.
    fn scan(&self) -> Vec<ModelFiles> {
        self.store.list()
    }

    fn new_residence(&self) -> SharedResidence {
        Arc::new(Mutex::new(Residence {
            keep_alive: self.config.keep_alive(),
            pinned: false,
            last_used: Instant::now(),
        }))
    }

    fn admitted_builtin(&self, name: &str, engine: Arc<dyn Engine>) -> Arc<LoadedModel> {
        self.admitted(name, engine, None, Duration::ZERO, 0, self.new_residence())
    }

    fn admitted(
        &self,
        name: &str,
        engine: Arc<dyn Engine>,
        files: Option<ModelFiles>,
        load_duration: Duration,
        estimated_bytes: u64,
        residence: SharedResidence,
    ) -> Arc<LoadedModel> {
        let bounds = Bounds {
            concurrency: engine.concurrency(),
            capacity: self.config.queue_capacity,
            capacity_per_user: self.config.queue_capacity_per_user,
        };
        let admission = Admission::new(name, bounds, Arc::clone(&self.idle));
        let name = name.to_owned();
        Arc::new(LoadedModel {
            name,
            engine,
            admission,
            files,
            load_duration,
            estimated_bytes,
            loaded_at: Instant::now(),
            residence,
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
        let mut listed: Vec<Listed> = self.builtin.iter().map(listed_loaded).collect();
        listed.extend(self.config.routes.iter().map(|route| listed_route(&route.name)));
        let on_disk = self.scan();
        let slots = self.lock();
        for files in on_disk {
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
        self.acquire_as(name, Wish::default()).await
    }

    /// The model that `name` means, loaded as `wish` says.
    pub async fn acquire_as(
        self: &Arc<Self>,
        name: &str,
        wish: Wish,
    ) -> Result<Arc<LoadedModel>, RuntimeError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(RuntimeError::ShuttingDown);
        }
        let model = self.acquire_wide(name, wish.context_tokens).await?;
        model.touch();
        if let Some(keep_alive) = wish.keep_alive {
            model.residence().keep_alive = keep_alive;
        }
        Ok(model)
    }

    async fn acquire_wide(
        self: &Arc<Self>,
        name: &str,
        context_tokens: Option<u64>,
    ) -> Result<Arc<LoadedModel>, RuntimeError> {
        let wanted = self.canonical(name);
        if let Some(model) = self.find_loaded(&wanted).filter(|model| takes(model, context_tokens)) {
            return Ok(model);
        }
        let registry = Arc::clone(self);
        let mut files = tokio::task::spawn_blocking(move || registry.find_on_disk(&wanted))
            .await
            .map_err(RuntimeError::internal)?
            .ok_or(RuntimeError::ModelNotFound { name: name.to_owned() })?;
        if let Some(tokens) = context_tokens {
            let trained_for = files.context_tokens.unwrap_or(tokens);
            files.settings.parameters.insert(CONTEXT_OPTION.to_owned(), Value::from(tokens.min(trained_for)));
        }
        let loading = self.with_slot(&files.name, |slot| Arc::clone(&slot.loading));
        let only_one = loading.lock_owned().await;
        // It may have been loaded while this request waited for its turn.
        if let Some(model) = self.find_loaded(&files.name).filter(|model| takes(model, context_tokens)) {
            return Ok(model);
        }
        // In a task of its own: a caller that goes must not leave a model half loaded.
        let registry = Arc::clone(self);
        let load = async move {
            let _only_one = only_one;
            registry.unload_for_more_context(&files).await?;
            registry.load(files).await
        };
        tokio::spawn(load).await.map_err(RuntimeError::internal)?
    }

    /// Unloads a model that is loaded with too small a context, once it is idle.
    async fn unload_for_more_context(&self, files: &ModelFiles) -> Result<(), RuntimeError> {
        let deadline = tokio::time::Instant::now() + self.config.queue_timeout();
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            let Some(model) = self.find_loaded(&files.name) else { return Ok(()) };
            if model.admission.is_idle() {
                tracing::info!(model = model.name, "model unloaded for a larger context");
                drop(self.with_slot(&files.name, |slot| slot.loaded.take()));
                return Ok(());
            }
            if tokio::time::timeout_at(deadline, idle).await.is_err() {
                let (model, waiting) = (files.name.clone(), model.admission.load().1);
                return Err(RuntimeError::Busy { model, waiting, retry_after: Duration::from_secs(1) });
            }
        }
    }

    /// The name behind an alias and Ollama's `:latest`.
    pub(crate) fn unaliased<'a>(&'a self, name: &'a str) -> &'a str {
        let name = name.trim();
        let aliased = self.config.aliases.get(name).map_or(name, String::as_str);
        let plain = aliased.strip_suffix(LATEST_TAG).unwrap_or(aliased);
        self.config.aliases.get(plain).map_or(plain, String::as_str)
    }

    /// The name behind an alias, Ollama's `:latest` and `default`.
    fn canonical(&self, name: &str) -> String {
        let plain = self.unaliased(name);
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
        let models = self.scan();
        let exact = models.iter().position(|files| files.name == name);
        let index =
            exact.or_else(|| models.iter().position(|files| files.name.eq_ignore_ascii_case(name)))?;
        models.into_iter().nth(index)
    }

    async fn load(self: &Arc<Self>, files: ModelFiles) -> Result<Arc<LoadedModel>, RuntimeError> {
        let is_heavy = !matches!(files.weights, Weights::StaticEmbedding { .. });
        let _one_load = if is_heavy { Some(self.one_load.lock().await) } else { None };
        let estimated_bytes = self.make_room(&files).await?;
        let residence = self.with_slot(&files.name, |slot| {
            slot.is_loading = true;
            Arc::clone(&slot.residence)
        });
        let started = Instant::now();
        let loaded = engine::load::load(&files, &self.config).await;
        let took = started.elapsed();
        let outcome = loaded.map(|engine| {
            tracing::info!(
                model = files.name,
                engine = engine.name(),
                took_ms = took.as_millis() as u64,
                "model loaded"
            );
            metrics::histogram!("anwen_model_load_duration_seconds", "model" => files.name.clone())
                .record(took.as_secs_f64());
            self.admitted(&files.name, engine, Some(files.clone()), took, estimated_bytes, residence)
        });
        self.with_slot(&files.name, |slot| {
            slot.is_loading = false;
            slot.failed = outcome.is_err().then(|| files.fingerprint());
            slot.loaded = outcome.as_ref().ok().map(Arc::clone);
        });
        outcome
    }

    fn with_slot<T>(&self, name: &str, change: impl FnOnce(&mut Slot) -> T) -> T {
        let mut slots = self.lock();
        change(slots.entry(name.to_owned()).or_insert_with(|| Slot {
            residence: self.new_residence(),
            loading: Arc::default(),
            is_loading: false,
            loaded: None,
            failed: None,
        }))
    }

    /// Keeps a loaded model in memory for so long after its last use. Without effect on what is part of the program, and
    /// where it is not loaded.
    pub fn keep_alive(&self, name: &str, keep_alive: KeepAlive) {
        if let Some(model) = self.find_loaded(&self.canonical(name)) {
            model.residence().keep_alive = keep_alive;
            // One that is idle already may have to go at once.
            self.idle.notify_waiters();
        }
    }

    /// Keeps a loaded model in memory whatever happens, or no longer. False when it is not loaded.
    pub fn pin(&self, name: &str, pinned: bool) -> bool {
        let Some(model) = self.find_loaded(&self.canonical(name)) else { return false };
        model.residence().pinned = pinned;
        true
    }

    /// The bundled embedding, if it is there.
    pub(crate) fn embedding(&self) -> Option<Arc<StaticModel>> {
        self.embedding.clone()
    }

    /// The servers behind models of the engine `upstream`.
    pub fn upstreams(&self) -> &[Arc<Upstream>] {
        &self.upstreams
    }

    /// Sends waiting requests away and takes no new ones; those that run may end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for model in self.loaded() {
            model.admission.close();
        }
    }

    /// Returns when no request runs any more.
    pub async fn drained(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.loaded().iter().all(|model| model.admission.is_idle()) {
                return;
            }
            idle.await;
        }
    }

    fn is_builtin(&self, name: &str) -> bool {
        self.builtin.iter().any(|model| model.name.eq_ignore_ascii_case(name))
    }

    /// Frees a loaded model; generations that run end first. False when it was not loaded.
    pub fn unload(&self, name: &str) -> Result<bool, RuntimeError> {
        let name = self.canonical(name);
        if self.is_builtin(&name) {
            return Err(RuntimeError::Invalid(format!("{name:?} is part of this program and stays loaded")));
        }
        let mut slots = self.lock();
        let loaded = slots
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name))
            .and_then(|(_, slot)| slot.loaded.take());
        if let Some(model) = &loaded {
            model.residence().pinned = false;
            tracing::info!(model = model.name, "model unloaded");
            metrics::gauge!("anwen_model_memory_bytes", "model" => model.name.clone()).set(0.0);
        }
        Ok(loaded.is_some())
    }
}

/// Whether a loaded model takes a context of so many tokens, or as many as it was trained for.
fn takes(model: &LoadedModel, context_tokens: Option<u64>) -> bool {
    let (Some(wanted), Some(has)) = (context_tokens, model.engine.context_tokens()) else { return true };
    let Some(files) = model.files.as_ref().filter(|_| model.is_heavy()) else { return true };
    // Loaded for as many before: the engine has given what it can.
    let loaded_for = files.settings.parameters.get(CONTEXT_OPTION).and_then(Value::as_u64).unwrap_or(0);
    let most = files.context_tokens.unwrap_or(wanted);
    (has as u64).max(loaded_for) >= wanted.min(most)
}

impl Surroundings for Registry {
    fn load_of(&self, model: &str) -> f64 {
        self.find_loaded(&self.canonical(model)).map_or(0.0, |model| {
            let (running, waiting) = model.admission.load();
            (running + waiting) as f64 / model.engine.concurrency().max(1) as f64
        })
    }
}
