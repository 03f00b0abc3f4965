//! The process that reads inputs, one after another, under the limits of the parser's child process: a new process for
//! each input would cost more than most inputs do. It dies of what would kill the real one, and is then replaced.

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use anwen_parse::chunk::{ChunkSettings, chunk_document};
use anwen_parse::document::{ParsedDocument, to_markdown, to_text};
use anwen_parse::parse::ocr::OcrSettings;
use anwen_parse::parse::{Engine, ParseOptions};
use anwen_parse::sandbox::{ParseLimits, limit_this_process, parse_on_own_stack};
use serde::{Deserialize, Serialize};

/// Begins the lines that are answers: a library may print what it likes.
pub const ANSWER_MARK: &str = "\u{1e}answer ";
/// The stack of the service's threads, which cut the document that the parser's process gives them.
const SERVICE_STACK_BYTES: usize = 2 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
pub struct Request {
    pub path: PathBuf,
    pub file_name: String,
    pub engine: Engine,
    pub ocr: Option<OcrSettings>,
}

#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub ended: Ended,
    /// The most memory that the process has had so far.
    pub peak_kb: u64,
    /// Processor time of this input.
    pub cpu_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Document,
    /// With the code of the failure.
    Failure(String),
    /// What the service does with the document went wrong.
    Broken(String),
}

/// Reads the limits, then requests, a line each, until its input ends.
pub fn serve() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let mut lines = std::io::stdin().lock().lines();
    let mut next = || lines.next()?.ok();
    let Some(limits) = next().and_then(|line| serde_json::from_str::<ParseLimits>(&line).ok()) else {
        return ExitCode::FAILURE;
    };
    if limit_this_process(&limits).is_err() {
        return ExitCode::FAILURE;
    }
    while let Some(line) = next() {
        let Ok(request) = serde_json::from_str::<Request>(&line) else { return ExitCode::FAILURE };
        let began = cpu_ms("self");
        let ended = read(request, &limits);
        let answer = Answer { ended, peak_kb: peak_kb(), cpu_ms: cpu_ms("self").saturating_sub(began) };
        let Ok(json) = serde_json::to_string(&answer) else { return ExitCode::FAILURE };
        let mut output = std::io::stdout().lock();
        if writeln!(output, "\n{ANSWER_MARK}{json}").and_then(|()| output.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn read(request: Request, limits: &ParseLimits) -> Ended {
    let options = ParseOptions { ocr: request.ocr, ..limits.options(request.engine) };
    let document = match parse_on_own_stack(request.path, request.file_name, options, limits.stack_bytes) {
        Ok(document) => document,
        Err(failure) => return Ended::Failure(failure.code.as_str().to_owned()),
    };
    let work = move || catch_unwind(AssertUnwindSafe(|| use_as_the_service_does(&document)));
    let thread = std::thread::Builder::new().stack_size(SERVICE_STACK_BYTES).spawn(work);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(Ok(())))) => Ended::Document,
        Ok(Ok(Ok(Err(what)))) => Ended::Broken(what),
        _ => Ended::Broken("cutting or rendering the document panicked".to_owned()),
    }
}

/// What happens to a document outside of the parser's process: it comes as JSON, is cut and rendered.
fn use_as_the_service_does(document: &ParsedDocument) -> Result<(), String> {
    let json = serde_json::to_vec(document).map_err(|error| format!("the document is no JSON: {error}"))?;
    let document: ParsedDocument = serde_json::from_slice(&json)
        .map_err(|error| format!("the document's JSON does not come back: {error}"))?;
    let chunks = chunk_document(&document, &ChunkSettings::default(), &|text| text.len() / 3);
    for chunk in &chunks.drafts {
        for line in &chunk.lines {
            if chunk.text.get(line.start..line.end).is_none() {
                return Err("a line of a chunk is no part of its text".to_owned());
            }
        }
    }
    for block in &document.blocks {
        for line in &block.lines {
            if block.text.get(line.start..line.end).is_none() {
                return Err("a line of a block is no part of its text".to_owned());
            }
        }
    }
    std::hint::black_box((to_text(&document), to_markdown(&document)));
    Ok(())
}

/// Processor time of a process so far, in steps of 10 ms (the clock of `/proc`); 0 when it is gone.
pub fn cpu_ms(process: &str) -> u64 {
    const MS_PER_TICK: u64 = 10;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in brackets may hold anything; user and system time are the 12th and 13th field behind it.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>()
        * MS_PER_TICK
}

fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
