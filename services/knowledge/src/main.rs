//! The knowledge service as a process of its own.

use anwen_contract::client::{Audience, ModelClient, ServiceClient};
use anwen_knowledge::{Config, Dependencies, MIGRATIONS, ParseWorker};
use anwen_platform::http::Probe;
use anwen_platform::{CommonSettings, Database, Settings, Shutdown, http, shutdown, telemetry};
use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Anwen's knowledge service.
#[derive(Parser)]
#[command(name = "anwen-knowledge", version)]
struct Arguments {
    /// The settings file.
    #[arg(long, global = true, env = "ANWEN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until told to stop.
    Serve,
    /// Asks the service that runs with these settings whether it answers; the exit status says it.
    Healthcheck {
        /// Whether it can do its work, its dependencies included.
        #[arg(long)]
        ready: bool,
    },
    /// Brings the database to this version's schema.
    Migrate,
    /// Reads one untrusted file in a limited process; started by the service.
    #[command(hide = true)]
    ParseWorker,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if matches!(arguments.command, Command::ParseWorker) {
        return Ok(anwen_knowledge::run_parse_worker());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings::load(arguments.config.as_deref())?;
    let common = CommonSettings::read(&settings)?;
    let config: Config = settings.section("knowledge")?;
    if let Command::Healthcheck { ready } = arguments.command {
        return Ok(http::probe(config.listen, Probe::of(ready))?);
    }
    telemetry::init_logs(&common.log, &common.traces)?;
    let url = common.database.knowledge_url(&common.server.data_dir);
    std::fs::create_dir_all(&common.server.data_dir)?;
    let database = Database::open(&url, &common.database.pool).await.context("knowledge's database")?;
    match arguments.command {
        Command::Migrate => {
            let done = database.migrate(anwen_knowledge::COMPONENT, &MIGRATIONS).await?;
            tracing::info!(?done, "the database is up to date");
            Ok(())
        }
        _ => serve(config, &common, database).await,
    }
}

async fn serve(config: Config, common: &CommonSettings, database: Database) -> anyhow::Result<()> {
    let tokens = common.shared_tokens()?;
    let client = ServiceClient::new(
        common.services.model_runtime.clone(),
        reqwest::Client::new(),
        Arc::new(tokens.clone()),
        Audience::ModelRuntime,
    );
    let stop = Shutdown::new();
    let listen = config.listen;
    let dependencies = Dependencies {
        database,
        data_dir: common.server.data_dir.clone(),
        models_dir: common.server.models_dir.clone(),
        model: ModelClient::new(client),
        tokens,
        parser: ParseWorker::of_this_program()?,
        single_instance: false,
        shutdown: stop.clone(),
    };
    let service = anwen_knowledge::build(config, dependencies).await?;
    let listener = http::bind(listen, false).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, "knowledge ready");
    let serving = tokio::spawn(http::serve(listener, service.router.clone(), stop.token()));
    shutdown::wait_for_signal().await?;
    stop.begin();
    serving.await??;
    stop.finish().await;
    Ok(())
}
