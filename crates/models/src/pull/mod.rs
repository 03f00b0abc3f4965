//! Bringing models from a hub, a registry or a bucket into the store.
//!
//! Nothing leaves the server unless the settings say so. Two pulls of one model at once are one download; when everyone
//! who listened has gone it stops, and what has come stays for the next.

mod address;
mod choose;
mod download;
mod http;
mod hub;
mod ollama;
mod reference;
mod s3;
mod settings;
mod source;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::error::StoreError;
use crate::manifest::{Manifest, ManifestFile, is_go_template};
use crate::name::ModelName;
use crate::store::{Store, Stored};

use download::{Download, bytes_there};
use http::Http;
pub use reference::{Place, Reference};
pub use settings::PullSettings;
use source::{Plan, RemoteFile, Source, TextKind};

/// A line of Ollama's progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullEvent {
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<u64>,
}

impl PullEvent {
    fn status(status: &str) -> Self {
        Self { status: status.to_owned(), digest: None, total: None, completed: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LayerProgress {
    digest: String,
    total: u64,
    completed: u64,
}

/// How far a pull is.
#[derive(Clone, Debug, Default)]
struct Progress {
    steps: Vec<&'static str>,
    layers: Vec<LayerProgress>,
    end: Option<Result<(), StoreError>>,
}

/// A pull under way. When the last listener drops it, its task is ended.
struct Running {
    progress: watch::Receiver<Progress>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Pulls models into one store.
pub struct Puller {
    store: Arc<Store>,
    settings: Arc<PullSettings>,
    running: Mutex<HashMap<String, Weak<Running>>>,
}

/// Hears of a pull. Dropping the last one of a pull ends it.
pub struct Listener {
    _running: Arc<Running>,
    progress: watch::Receiver<Progress>,
    steps_told: usize,
    told: HashMap<String, u64>,
    queue: VecDeque<PullEvent>,
    is_over: bool,
    is_first: bool,
}

impl Listener {
    /// The next event, an error as the last one, or `None` after the end.
    pub async fn next(&mut self) -> Option<Result<PullEvent, StoreError>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(Ok(event));
            }
            if self.is_over {
                return None;
            }
            if !self.is_first
                && self.progress.changed().await.is_err()
                && self.progress.borrow().end.is_none()
            {
                self.is_over = true;
                return Some(Err(StoreError::Cancelled));
            }
            self.is_first = false;
            let now = self.progress.borrow_and_update().clone();
            self.tell(&now);
            match now.end {
                Some(Ok(())) => {
                    self.is_over = true;
                    self.queue.push_back(PullEvent::status("success"));
                }
                Some(Err(error)) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
                None => {}
            }
        }
    }

    fn tell(&mut self, now: &Progress) {
        let (before, after): (Vec<_>, Vec<_>) =
            now.steps.iter().enumerate().skip(self.steps_told).partition(|(index, _)| *index == 0);
        self.queue.extend(before.into_iter().map(|(_, step)| PullEvent::status(step)));
        for layer in &now.layers {
            if self.told.get(&layer.digest) != Some(&layer.completed) {
                self.told.insert(layer.digest.clone(), layer.completed);
                let short: String = layer.digest.chars().take(12).collect();
                self.queue.push_back(PullEvent {
                    status: format!("pulling {short}"),
                    digest: Some(format!("sha256:{}", layer.digest)),
                    total: Some(layer.total),
                    completed: Some(layer.completed),
                });
            }
        }
        self.queue.extend(after.into_iter().map(|(_, step)| PullEvent::status(step)));
        self.steps_told = now.steps.len();
    }

    /// Waits for the end.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        while let Some(event) = self.next().await {
            event?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Puller {
    pub fn new(store: Arc<Store>, settings: PullSettings) -> Self {
        Self { store, settings: Arc::new(settings), running: Mutex::default() }
    }

    /// Starts a pull, or joins the one that is under way. Call it within a runtime.
    pub fn pull(&self, text: &str) -> Result<Listener, StoreError> {
        if !self.settings.enabled {
            return Err(StoreError::PullDisabled);
        }
        let reference: Reference = text.parse()?;
        let key = reference.name.tagged();
        let mut running = lock(&self.running);
        running.retain(|_, pull| pull.strong_count() > 0);
        let joined = running.get(&key).and_then(Weak::upgrade).filter(|pull| !pull.task.is_finished());
        let pull = match joined {
            Some(pull) => pull,
            None if running.len() >= self.settings.max_pulls.max(1) => {
                return Err(StoreError::Invalid(format!(
                    "{} models are being pulled already; wait for one of them",
                    running.len()
                )));
            }
            None => {
                let pull = Arc::new(self.start(reference)?);
                running.insert(key, Arc::downgrade(&pull));
                pull
            }
        };
        Ok(Listener {
            progress: pull.progress.clone(),
            _running: pull,
            steps_told: 0,
            told: HashMap::new(),
            queue: VecDeque::new(),
            is_over: false,
            is_first: true,
        })
    }

    fn start(&self, reference: Reference) -> Result<Running, StoreError> {
        let source = self.source_of(&reference.place)?;
        let (sender, progress) = watch::channel(Progress::default());
        let (store, settings) = (Arc::clone(&self.store), Arc::clone(&self.settings));
        let task = tokio::spawn(async move {
            let reporter = Arc::new(sender);
            let end = run(&store, source.as_ref(), &settings, &reference.name, &reporter).await;
            if let Err(error) = &end {
                tracing::warn!(model = %reference.name, %error, "a model could not be pulled");
            }
            reporter.send_modify(|progress| progress.end = Some(end.map(drop)));
        });
        Ok(Running { progress, task })
    }

    fn source_of(&self, place: &Place) -> Result<Box<dyn Source>, StoreError> {
        let settings = &self.settings;
        Ok(match place {
            Place::HuggingFace { repository, wanted } => Box::new(hub::HuggingFace {
                http: Http::new(&settings.hugging_face_url, &settings.hugging_face_token, settings)?,
                repository: repository.clone(),
                wanted: wanted.clone(),
            }),
            Place::ModelScope { repository, wanted } => Box::new(hub::ModelScope {
                http: Http::new(&settings.modelscope_url, &settings.modelscope_token, settings)?,
                repository: repository.clone(),
                wanted: wanted.clone(),
            }),
            Place::Ollama { repository, tag } => Box::new(ollama::Ollama {
                http: Http::new(&settings.ollama_registry_url, "", settings)?,
                repository: repository.clone(),
                tag: tag.clone(),
            }),
            Place::S3 { url, wanted } => Box::new(s3::S3::open(url, wanted, settings)?),
        })
    }
}

type Reporter = Arc<watch::Sender<Progress>>;

fn step(reporter: &Reporter, step: &'static str) {
    reporter.send_modify(|progress| progress.steps.push(step));
}

async fn run(
    store: &Arc<Store>,
    source: &dyn Source,
    settings: &PullSettings,
    name: &ModelName,
    reporter: &Reporter,
) -> Result<Stored, StoreError> {
    step(reporter, "pulling manifest");
    let plan = source.plan().await?;
    let total = plan.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size_bytes));
    if total > settings.max_bytes {
        return Err(StoreError::Invalid(format!(
            "the model has {total} bytes, more than model_runtime.pull.max_bytes allows"
        )));
    }
    let there: u64 = plan.files.iter().map(|file| bytes_there(store, file)).sum();
    store.check_space(total.saturating_sub(there))?;
    let pins = store.pin(plan.files.iter().filter_map(|file| file.sha256.clone()));
    let mut files = Vec::new();
    for file in &plan.files {
        files.push(fetch(store, source, settings, file, reporter).await?);
    }
    step(reporter, "verifying sha256 digest");
    step(reporter, "writing manifest");
    let manifest = manifest_of(store, name, &plan, files)?;
    let committing = Arc::clone(store);
    let stored = tokio::task::spawn_blocking(move || committing.commit(manifest))
        .await
        .map_err(|cause| StoreError::Io(cause.to_string()))?;
    drop(pins);
    stored
}

async fn fetch(
    store: &Store,
    source: &dyn Source,
    settings: &PullSettings,
    file: &RemoteFile,
    reporter: &Reporter,
) -> Result<ManifestFile, StoreError> {
    let digest = file.key();
    let layer = LayerProgress { digest: digest.clone(), total: file.size_bytes, completed: 0 };
    reporter.send_modify(|progress| progress.layers.push(layer));
    let sender = Arc::clone(reporter);
    let on_progress = Arc::new(move |completed: u64| {
        sender.send_modify(|progress| {
            if let Some(layer) = progress.layers.iter_mut().find(|layer| layer.digest == digest) {
                layer.completed = completed;
            }
        });
    });
    let sha256 = Download::new(store, source, file, settings, on_progress).run().await?;
    Ok(ManifestFile { path: file.path.clone(), sha256, size_bytes: file.size_bytes, role: file.role })
}

fn manifest_of(
    store: &Store,
    name: &ModelName,
    plan: &Plan,
    files: Vec<ManifestFile>,
) -> Result<Manifest, StoreError> {
    let is_folder = files.iter().any(|file| file.path == "config.json");
    let format = if is_folder { "safetensors" } else { "gguf" };
    let mut manifest = store.described(Manifest::new(name.tagged(), format, files))?;
    manifest.source = Some(plan.source.clone());
    let texts: &BTreeMap<TextKind, String> = &plan.texts;
    let json = |kind: TextKind| texts.get(&kind).and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(template) = texts.get(&TextKind::Template) {
        let place = if is_go_template(template) { &mut manifest.go_template } else { &mut manifest.template };
        *place = Some(template.clone());
    }
    manifest.system = texts.get(&TextKind::System).cloned();
    manifest.license = texts.get(&TextKind::License).cloned().or(manifest.license);
    if let Some(Value::Object(parameters)) = json(TextKind::Parameters) {
        manifest.parameters = parameters;
    }
    if let Some(messages) = json(TextKind::Messages) {
        manifest.messages = serde_json::from_value(messages).unwrap_or_default();
    }
    Ok(manifest)
}
