//! The web service as a process of its own.

use anwen_contract::client::{Audience, KnowledgeClient, ModelClient, SearchClient, ServiceClient};
use anwen_platform::http::Probe;
use anwen_platform::{CommonSettings, Database, Settings, Shutdown, http, shutdown, telemetry};
use anwen_web::{Dependencies, MIGRATIONS, SERVICE};
use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How often a database that is still to be migrated is looked at.
const MIGRATION_POLL: Duration = Duration::from_secs(2);
/// A service that is not there says so at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Anwen's web service.
#[derive(Parser)]
#[command(name = "anwen-web", version)]
struct Arguments {
    /// The settings file.
    #[arg(long, global = true, env = "ANWEN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until told to stop; so it does without a command.
    Serve,
    /// Asks the service that runs with these settings whether it answers; the exit status says it.
    Healthcheck {
        /// Whether it can do its work, its dependencies included.
        #[arg(long)]
        ready: bool,
    },
    /// Brings the database to this version's schema.
    Migrate,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let settings = Settings::load(arguments.config.as_deref())?;
    let common = CommonSettings::read(&settings)?;
    let config: anwen_web::Config = settings.section("web")?;
    let not_an_address = || format!("web.listen: `{}` is not an address with a port", config.listen);
    let listen = tokio::net::lookup_host(&config.listen).await.with_context(not_an_address)?.next();
    let listen = listen.with_context(not_an_address)?;
    if let Some(Command::Healthcheck { ready }) = arguments.command {
        return Ok(http::probe(listen, Probe::of(ready))?);
    }
    telemetry::init_logs(&common.log, &common.traces)?;
    match arguments.command {
        Some(Command::Migrate) => migrate(&common).await,
        _ => serve(config, listen, &common).await,
    }
}

async fn migrate(common: &CommonSettings) -> anyhow::Result<()> {
    let url = common.database.web_url(&common.server.data_dir);
    let database = Database::open(&url, &common.database.pool).await?;
    let done = database.migrate(SERVICE, &MIGRATIONS).await?;
    tracing::info!(?done, "the database is up to date");
    Ok(())
}

async fn serve(config: anwen_web::Config, listen: SocketAddr, common: &CommonSettings) -> anyhow::Result<()> {
    let stop = Shutdown::new();
    let dependencies = dependencies(common, stop.clone()).await?;
    let service = anwen_web::build(config, dependencies).await?;
    let listener = http::bind(listen, false).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, "web ready");
    let closing = Shutdown::new();
    let serving = tokio::spawn(http::serve(listener, service.router.clone(), closing.token()));
    shutdown::wait_for_signal().await?;
    // Idle connections close first, so that who keeps one goes elsewhere; answers under way keep theirs.
    closing.begin();
    service.answers_finished().await;
    stop.finish().await;
    serving.await??;
    Ok(())
}

async fn dependencies(common: &CommonSettings, shutdown: Shutdown) -> anyhow::Result<Dependencies> {
    let tokens = Arc::new(common.shared_tokens()?);
    let http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy().build()?;
    let service =
        |url: &Url, audience| ServiceClient::new(url.clone(), http.clone(), tokens.clone(), audience);
    let urls = &common.services;
    Ok(Dependencies {
        db: migrated_database(common).await?,
        knowledge: KnowledgeClient::new(service(&urls.knowledge, Audience::Knowledge)),
        model: ModelClient::new(service(&urls.model_runtime, Audience::ModelRuntime)),
        search: Some(SearchClient::new(service(&urls.search_proxy, Audience::SearchProxy))),
        shutdown,
    })
}

/// The database, once `anwen migrate` has brought it up to date: replicas do not migrate it themselves.
async fn migrated_database(common: &CommonSettings) -> anyhow::Result<Database> {
    let url = common.database.web_url(&common.server.data_dir);
    let db = Database::open(&url, &common.database.pool).await?;
    loop {
        let pending = db.pending_migrations(SERVICE, &MIGRATIONS).await?;
        if pending.is_empty() {
            return Ok(db);
        }
        tracing::warn!(
            ?pending,
            "waiting for `anwen-web migrate` (or `anwen migrate`) to update the database"
        );
        tokio::time::sleep(MIGRATION_POLL).await;
    }
}
