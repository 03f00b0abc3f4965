//! The model runtime as a process of its own.

use anwen_platform::http::Probe;
use anwen_platform::{CommonSettings, Settings, http, shutdown, telemetry};
use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// How long requests are still taken that were on their way when the connections were closed.
const SETTLE: Duration = Duration::from_secs(1);

/// Anwen's model runtime.
#[derive(Parser)]
#[command(name = "anwen-model-runtime", version)]
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
    let config: anwen_model_runtime::Config = settings.section("model_runtime")?;
    let (listen, finish) = (config.listen, Duration::from_secs(config.finish_seconds));
    if let Some(Command::Healthcheck { ready }) = arguments.command {
        return Ok(http::probe(listen, Probe::of(ready))?);
    }
    telemetry::init_logs(&common.log, &common.traces)?;
    common.server.link_bundled_models().context("server.bundled_models_dir")?;
    let service =
        anwen_model_runtime::build(config, &common.server.models_dir, common.shared_tokens()?).await;
    let listener = http::bind(listen, false).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, "model runtime ready");
    let stop = shutdown::Shutdown::new();
    service.close_on(stop.token());
    let closing = shutdown::Shutdown::new();
    let serving = tokio::spawn(http::serve(listener, service.router(), closing.token()));
    shutdown::wait_for_signal().await?;
    // Idle connections close first, so that who keeps one goes elsewhere instead of being refused here.
    closing.begin();
    tokio::time::sleep(SETTLE).await;
    service.registry().close();
    if tokio::time::timeout(finish, service.registry().drained()).await.is_err() {
        tracing::warn!("generations that are not finished are cut off");
    }
    stop.begin();
    serving.await??;
    Ok(())
}
