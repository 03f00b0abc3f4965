//! Putting the service together.

use crate::app::App;
use crate::config::{Config, VectorSettings};
use crate::documents::originals::Originals;
use crate::follow::{Follower, FollowerSettings, IndexFailure, Indexes, rebuild};
use crate::index::analysis::Analyzer;
use crate::index::server::{ServerConfig, ServerIndex};
use crate::index::{IndexError, LexicalConfig, LexicalIndex, VectorIndex};
use crate::ingest::cut::Chunker;
use crate::ingest::pipeline::{EmbedPassages, Pipeline};
use crate::ingest::read::SandboxedReader;
use crate::ingest::sandbox::ParseWorker;
use crate::ingest::worker::{IngestWorker, WorkerRules};
use crate::jobs;
use crate::maintenance::{Collector, DoctorReport, examine};
use crate::query::{ModelEmbedder, QuestionEmbedder, SqlChunks};
use crate::rechunk;
use crate::retrieve::Retriever;
use crate::routes;
use crate::signals::Signals;
use crate::store::MIGRATIONS;
use anwen_contract::ApiError;
use anwen_contract::client::{Audience, ModelClient};
use anwen_platform::http::{InternalAuth, ReadyCheck, Scaffold};
use anwen_platform::{Database, DbError, InternalTokens, Shutdown};
use anwen_text::UnigramTokenizer;
use axum::Router;
use axum::middleware::from_fn_with_state;
use object_store::prefix::PrefixStore;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The name of this service's schema among the migrations.
pub const COMPONENT: &str = "knowledge";
/// How long readiness waits for the model runtime.
const MODEL_READY_TIMEOUT: Duration = Duration::from_secs(2);

/// What the service is given by whoever runs it.
pub struct Dependencies {
    /// Migrated already.
    pub database: Database,
    /// Where originals and indexes live.
    pub data_dir: PathBuf,
    /// Where `embedding/tokenizer.json` lies, by which passages are measured.
    pub models_dir: PathBuf,
    pub model: ModelClient,
    pub tokens: InternalTokens,
    /// The program that reads untrusted files.
    pub parser: ParseWorker,
    /// No other process works on this database: jobs that somebody had in hand are free at once.
    pub single_instance: bool,
    pub shutdown: Shutdown,
}

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("the database lacks migrations {0:?} of knowledge; run `anwen migrate`")]
    Unmigrated(Vec<i64>),
    #[error("index: {0}")]
    Index(#[from] IndexError),
    #[error("knowledge.originals: {0}")]
    Originals(#[from] object_store::Error),
    #[error("the tokenizer of the embedding model, {path}: {message}")]
    Tokenizer { path: PathBuf, message: String },
    #[error("{path}: {source}")]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Invalid(String),
}

/// The service, ready to serve.
pub struct Service {
    /// Its HTTP surface.
    pub router: Router,
    app: App,
    pipeline: Pipeline,
    single_instance: bool,
}

/// Puts everything together and starts what runs in the background.
pub async fn build(config: Config, dependencies: Dependencies) -> Result<Service, BuildError> {
    let service = open(config, dependencies).await?;
    service.start().await?;
    Ok(service)
}

/// Opens the indexes and puts everything together, without anything that runs in the background: for commands that
/// need the indexes to themselves, and for tests that go step by step.
pub async fn open(config: Config, dependencies: Dependencies) -> Result<Service, BuildError> {
    let Dependencies { database, model, tokens, parser, shutdown, single_instance, .. } = dependencies;
    let data_dir = made_directory(&dependencies.data_dir)?;
    let pending = database.pending_migrations(COMPONENT, &MIGRATIONS).await?;
    if !pending.is_empty() {
        return Err(BuildError::Unmigrated(pending));
    }
    let scratch = made_directory(&data_dir.join("scratch"))?;
    let originals = open_originals(&config, &data_dir, &scratch)?;
    let indexes = open_indexes(&config, &data_dir).await?;
    let signals = Signals::default();
    let embed_timeout = Duration::from_millis(config.embedding.timeout_ms);
    let embedder: Arc<dyn EmbedPassages> = Arc::new(ModelEmbedder::new(model.clone(), embed_timeout));
    let reader = Arc::new(SandboxedReader::new(parser, config.parser.clone(), config.ocr.clone()));
    let questions = Arc::new(QuestionEmbedder::new(Arc::clone(&embedder), config.retrieval.cached_questions));
    let retriever = Retriever::new(
        Arc::clone(&indexes.vectors),
        Arc::clone(&indexes.lexical),
        questions.clone(),
        Arc::new(SqlChunks::new(database.clone())),
    );
    let chunker = Arc::new(load_chunker(&config, &dependencies.models_dir).await?);
    let file_passwords = tokens.sealer(jobs::FILE_PASSWORDS);
    let pipeline = Pipeline {
        database: database.clone(),
        originals: originals.clone(),
        reader: reader.clone(),
        chunker: Arc::clone(&chunker),
        embedder: embedder.clone(),
        file_passwords: file_passwords.clone(),
        signals: signals.clone(),
        batch_texts: config.embedding.batch_texts,
        children: config.children.clone(),
        max_file_bytes: config.uploads.max_file_bytes,
    };
    let app = App {
        database,
        originals,
        indexes,
        retriever: Arc::new(retriever),
        questions,
        reader,
        embedder,
        chunker,
        direct_reads: Arc::new(Semaphore::new(config.workers.effective_count())),
        scratch,
        file_passwords,
        signals,
        shutdown,
        config: Arc::new(config),
    };
    let router = framed_router(&app, tokens, model);
    Ok(Service { router, app, pipeline, single_instance })
}

impl Service {
    /// Starts what runs in the background: workers, the follower of the index log, the collector. All of it ends with
    /// the shutdown that the service was given.
    async fn start(&self) -> Result<(), DbError> {
        if self.single_instance {
            self.release_jobs().await?;
        }
        let (app, config) = (&self.app, &self.app.config);
        let stop = app.shutdown.token();
        let process = process_name(self.single_instance);
        let workers = if config.workers.enabled { config.workers.effective_count() } else { 0 };
        for number in 0..workers {
            let worker = IngestWorker {
                // Another life of the same process must not pass for this one.
                name: format!("{process}/{}/{number}", Uuid::now_v7().simple()),
                pipeline: self.pipeline.clone(),
                rules: WorkerRules {
                    lease: config.workers.lease(),
                    retry: config.workers.retry_rules(),
                    look_anyway: Duration::from_millis(config.workers.look_anyway_ms),
                },
            };
            app.shutdown.spawn(worker.run(stop.clone()));
        }
        app.shutdown.spawn(self.follower(process).run(stop.clone()));
        app.shutdown.spawn(rechunk::run(app.database.clone(), app.signals.clone(), stop.clone()));
        let collector = Collector {
            database: app.database.clone(),
            originals: app.originals.clone(),
            data_dir: app.scratch.clone(),
            config: Arc::clone(config),
        };
        app.shutdown.spawn(collector.run(stop));
        Ok(())
    }

    /// Builds both indexes again from what is stored, and answers how many passages they hold. Not beside
    /// a service that [`build`] made, here or in another process.
    pub async fn reindex(&self) -> Result<usize, IndexFailure> {
        rebuild::rebuild(&self.app.database, &self.app.indexes).await
    }

    /// Looks for damage; with `mend`, gives what can be indexed again to the workers.
    pub async fn doctor(&self, mend: bool) -> Result<DoctorReport, ApiError> {
        examine(&self.app, mend).await
    }

    /// What the handlers share; for the composition root's own needs and for tests.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// What a document passes through; for tests that work step by step.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// A follower of this service's log; [`build`] runs one.
    pub fn follower(&self, name: String) -> Follower {
        let settings = &self.app.config.index_log;
        let settings = FollowerSettings {
            name,
            commit_interval: Duration::from_millis(settings.commit_interval_ms),
            look_anyway: Duration::from_millis(settings.look_anyway_ms),
        };
        Follower::new(self.app.database.clone(), self.app.indexes.clone(), self.app.signals.clone(), settings)
    }

    async fn release_jobs(&self) -> Result<(), DbError> {
        let mut transaction = self.app.database.begin_write().await?;
        let released = jobs::store::release_all(&mut transaction).await?;
        transaction.commit().await?;
        if released > 0 {
            tracing::info!(released, "jobs of a process that ended go on");
        }
        Ok(())
    }
}

/// The routes behind the check of internal tokens, with health, readiness and metrics.
fn framed_router(app: &App, tokens: InternalTokens, model: ModelClient) -> Router {
    let auth = InternalAuth::new(tokens, Audience::Knowledge);
    let routes = routes::router(app.clone()).layer(from_fn_with_state(auth, InternalAuth::check));
    Scaffold::new(COMPONENT).ready(ready_checks(app, model)).wrap(routes)
}

fn ready_checks(app: &App, model: ModelClient) -> Vec<ReadyCheck> {
    let database = app.database.clone();
    let (vectors, lexical) = (Arc::clone(&app.indexes.vectors), Arc::clone(&app.indexes.lexical));
    vec![
        ReadyCheck::new("database", move || {
            let database = database.clone();
            async move { database.ping().await.map_err(|cause| cause.to_string()) }
        }),
        ReadyCheck::new("vector_index", move || {
            let vectors = Arc::clone(&vectors);
            async move { vectors.health().await.map_err(|cause| cause.to_string()) }
        }),
        ReadyCheck::new("lexical_index", move || {
            let lexical = Arc::clone(&lexical);
            async move { lexical.health().await.map_err(|cause| cause.to_string()) }
        }),
        ReadyCheck::new("model_runtime", move || {
            let model = model.clone();
            async move {
                let is_ready = model.service().is_ready(MODEL_READY_TIMEOUT).await;
                is_ready.then_some(()).ok_or_else(|| "not ready".to_owned())
            }
        }),
    ]
}

/// Names this process among those that share the database.
fn process_name(single_instance: bool) -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    match host {
        Some(host) if !single_instance => host,
        _ => "standalone".to_owned(),
    }
}

fn made_directory(path: &Path) -> Result<PathBuf, BuildError> {
    let failed = |source| BuildError::Directory { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(failed)?;
    // The parser's process runs elsewhere, so that its files must be named in full.
    path.canonicalize().map_err(failed)
}

fn open_originals(config: &Config, data_dir: &Path, scratch: &Path) -> Result<Originals, BuildError> {
    let Some(url) = &config.originals.url else { return Ok(Originals::local(&data_dir.join("originals"))?) };
    let options = std::env::vars()
        .filter(|(name, _)| name.starts_with("AWS_"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value));
    let (store, prefix) = object_store::parse_url_opts(url, options)?;
    Ok(Originals::remote(Arc::new(PrefixStore::new(store, prefix)), scratch.to_owned()))
}

async fn open_indexes(config: &Config, data_dir: &Path) -> Result<Indexes, BuildError> {
    let directory = data_dir.join("indexes");
    let lexical_config = LexicalConfig {
        writer_memory_bytes: config.lexical.writer_memory_bytes,
        ..LexicalConfig::new(directory.join("lexical"))
    };
    // The dictionary and the files are read off the runtime's threads.
    let lexical =
        tokio::task::spawn_blocking(move || LexicalIndex::open(&lexical_config, Arc::new(Analyzer::new())))
            .await
            .map_err(|cause| BuildError::Invalid(cause.to_string()))??;
    let vectors = open_vectors(&config.vectors, directory.join("vectors")).await?;
    Ok(Indexes { vectors, lexical: Arc::new(lexical) })
}

async fn open_vectors(
    settings: &VectorSettings,
    directory: PathBuf,
) -> Result<Arc<dyn VectorIndex>, BuildError> {
    match &settings.server_url {
        Some(url) => Ok(Arc::new(ServerIndex::new(&ServerConfig {
            url: url.clone(),
            api_key: settings.server_api_key.clone(),
            collection_prefix: settings.collection_prefix.parse()?,
            replication_factor: settings.replication_factor,
            timeout: Duration::from_millis(settings.timeout_ms),
        })?)),
        None => open_edge(directory).await,
    }
}

#[cfg(feature = "edge")]
async fn open_edge(directory: PathBuf) -> Result<Arc<dyn VectorIndex>, BuildError> {
    use crate::index::edge::{EdgeConfig, EdgeIndex};
    let opened = tokio::task::spawn_blocking(move || EdgeIndex::open(&EdgeConfig::new(directory))).await;
    Ok(Arc::new(opened.map_err(|cause| BuildError::Invalid(cause.to_string()))??))
}

#[cfg(not(feature = "edge"))]
async fn open_edge(_: PathBuf) -> Result<Arc<dyn VectorIndex>, BuildError> {
    Err(BuildError::Invalid("knowledge.vectors.server_url: this build needs a Qdrant server".to_owned()))
}

async fn load_chunker(config: &Config, models_dir: &Path) -> Result<Chunker, BuildError> {
    let path = models_dir.join(anwen_contract::model::STATIC_EMBEDDING_MODEL).join("tokenizer.json");
    let failed = |path: &Path, message: String| BuildError::Tokenizer { path: path.to_owned(), message };
    let file = path.clone();
    let tokenizer = tokio::task::spawn_blocking(move || UnigramTokenizer::from_file(&file))
        .await
        .map_err(|cause| failed(&path, cause.to_string()))?
        .map_err(|cause| failed(&path, cause.to_string()))?;
    Ok(Chunker::new(Arc::new(tokenizer), config.chunks.clone()))
}
