//! Files that nobody would write on purpose, given to every parser: each must end as a document or as a failure with a
//! code, within its limits.
//!
//! `make fuzz INPUTS=200000` runs a campaign over the built-in files, the sample library and `../shared/docs/dev` where it
//! is; `cargo nextest run -E 'test(fuzz)'` the short form. The program is its own child process (`--read`,
//! `--parse-worker`), so it brings its own `main` instead of the test harness's.
//!
//! ```text
//! fuzz campaign [--inputs N] [--seed N] [--first N] [--jobs N] [--cpu-seconds N] [--seconds N] [--keep FOLDER]
//!               [--write NUMBER] [FOLDER…]
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod campaign;
mod checks;
mod child;
mod mutate;
mod pool;
mod random;
mod recogniser;
mod report;
mod seeds;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anwen_parse::sandbox::{ParseLimits, ParseWorker, run_parse_worker};
use campaign::Plan;
use seeds::Seeds;

const DEFAULT_INPUTS: u64 = 200_000;
const DEFAULT_CPU_SECONDS: u64 = 2;
/// An input that waits for something other than the processor.
const WALL_TIME_MS: u64 = 60_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--read") => child::serve(),
        Some("--parse-worker") => run_parse_worker(),
        Some("campaign") => run_campaign(&arguments[1..]),
        _ => checks::main(&arguments),
    }
}

/// This program in another role.
fn this_program(role: &str) -> ParseWorker {
    ParseWorker {
        program: std::env::current_exe().expect("this program's path"),
        arguments: vec![role.to_owned()],
    }
}

fn plan() -> Plan {
    Plan {
        seed: 1,
        first: 0,
        inputs: DEFAULT_INPUTS,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        cpu_seconds: DEFAULT_CPU_SECONDS,
        time: None,
        limits: ParseLimits { wall_time_ms: WALL_TIME_MS, ..ParseLimits::default() },
        keep: std::env::temp_dir().join("anwen-fuzz"),
        reader: this_program("--read"),
        worker: this_program("--parse-worker"),
    }
}

/// The sample library, and the folder of real files where there is one.
fn default_folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("ANWEN_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    vec![root.join("samples/library"), shared.join("docs/dev")]
}

fn run_campaign(arguments: &[String]) -> ExitCode {
    let mut plan = plan();
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut write = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(option) = argument.strip_prefix("--") else {
            folders.push(argument.into());
            continue;
        };
        let value = rest.next().unwrap_or_else(|| panic!("--{option} needs a value"));
        let number =
            || value.parse::<u64>().unwrap_or_else(|_| panic!("--{option} needs a number, not {value}"));
        match option {
            "inputs" => plan.inputs = number(),
            "seed" => plan.seed = number(),
            "first" => plan.first = number(),
            "jobs" => plan.jobs = number() as usize,
            "cpu-seconds" => plan.cpu_seconds = number(),
            "seconds" => plan.time = Some(Duration::from_secs(number())),
            "keep" => plan.keep = value.into(),
            "write" => write = Some(number()),
            _ => panic!("no option is called --{option}"),
        }
    }
    if folders.is_empty() {
        folders = default_folders();
    }
    let absent = folders.iter().filter(|folder| !folder.is_dir());
    absent.for_each(|folder| println!("not there, goes on without it: {}", folder.display()));
    let seeds = Seeds::load(&folders, u64::MAX);
    if let Some(number) = write {
        let input = campaign::input(&plan, &seeds, number);
        let path = plan.keep.join(format!("{number}-{}", input.file_name));
        std::fs::create_dir_all(&plan.keep)
            .and_then(|()| std::fs::write(&path, &input.bytes))
            .expect("room for a file");
        println!("made from {}: {}", seeds.all[input.seed].file_name, path.display());
        return ExitCode::SUCCESS;
    }
    println!(
        "{} inputs from {} files of {} families, seed {}, {} s of processor time each, {} at a time",
        plan.inputs,
        seeds.all.len(),
        seeds.families(),
        plan.seed,
        plan.cpu_seconds,
        plan.jobs
    );
    let report = campaign::run(&plan, &seeds).expect("the harness works");
    report.print();
    let is_complete = report.inputs == plan.inputs;
    if !is_complete {
        println!("the time ended before the inputs did");
    }
    if report.findings.is_empty() && (is_complete || plan.time.is_some()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
