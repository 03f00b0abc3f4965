//! The search proxy as a process of its own, for a deployment of several containers.

use std::path::PathBuf;

use anwen_platform::http::{Probe, bind, probe, serve};
use anwen_platform::shutdown::wait_for_signal;
use anwen_platform::{CommonSettings, Settings, Shutdown, telemetry};
use anwen_search_proxy::config::SECTION;
use anwen_search_proxy::{Config, RULES_FILE, SERVICE, build};
use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Searches the web and reads pages for the other services.
#[derive(Parser)]
#[command(name = "anwen-search-proxy", version)]
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
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let settings = Settings::load(arguments.config.as_deref())?;
    let common = CommonSettings::read(&settings)?;
    let mut config: Config = settings.section(SECTION)?;
    if let Some(Command::Healthcheck { ready }) = arguments.command {
        return Ok(probe(config.listen, Probe::of(ready))?);
    }
    config.knowledge_url.get_or_insert_with(|| common.services.knowledge.clone());
    config.model_runtime_url.get_or_insert_with(|| common.services.model_runtime.clone());
    config.rules_file.get_or_insert_with(|| common.server.data_dir.join(RULES_FILE));
    telemetry::init_logs(&common.log, &common.traces)?;

    let listener =
        bind(config.listen, false).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    tracing::info!(address = %listener.local_addr()?, web_search = !config.all_engines().is_empty(), "{SERVICE} is ready");
    let service = build(config, common.shared_tokens()?)?;

    let shutdown = Shutdown::new();
    let server = shutdown.spawn(serve(listener, service.router(), shutdown.token()));
    tokio::select! {
        result = wait_for_signal() => result?,
        result = server => return Ok(result??),
    }
    shutdown.finish().await;
    Ok(())
}
