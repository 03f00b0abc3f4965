//! One module a command.

pub mod ask;
pub mod check_config;
pub mod eval;
pub mod healthcheck;
pub mod ingest;
pub mod maintenance;
pub mod models;
pub mod parse;
pub mod serve;
pub mod session;
pub mod setup;
pub mod users;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use std::io::{BufRead as _, IsTerminal as _};

/// Runs one command to its end.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let common = &cli.common;
    match cli.command {
        Command::Serve => serve::run(common).await,
        Command::Healthcheck(arguments) => healthcheck::run(common, &arguments).await,
        Command::Setup(arguments) => setup::run(common, arguments).await,
        Command::Ingest(arguments) => ingest::run(common, arguments).await,
        Command::Ask(arguments) => ask::run(common, arguments).await,
        Command::Models(command) => models::run(common, command).await,
        Command::Users(arguments) => users::run(common, arguments).await,
        Command::Doctor => maintenance::doctor(common).await,
        Command::Reindex => maintenance::reindex(common).await,
        Command::Migrate => maintenance::migrate(common).await,
        Command::CheckConfig(arguments) => check_config::run(common, &arguments),
        Command::Parse(arguments) => parse::run(common, arguments).await,
        Command::Eval(arguments) => eval::run(common, arguments).await,
        Command::ParseWorker(_) => Err(Failure::new("internal", "the worker is started before the runtime")),
    }
}

/// A secret from standard input: the first line, without its end.
fn read_secret(prompt: &str) -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        eprint!("{prompt}: ");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
