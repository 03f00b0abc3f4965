//! The program `anwen`.

use anwen::cli::{Cli, Command};
use anwen::commands;
use anwen::failure::Failure;
use clap::Parser as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    anwen::memory::keep_small();
    let cli = Cli::parse();
    if let Command::ParseWorker(_) = cli.command {
        // Before any runtime: the worker limits its own process first.
        return anwen_knowledge::ingest::sandbox::run_parse_worker();
    }
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(commands::run(cli)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.to_json());
            ExitCode::FAILURE
        }
    }
}
