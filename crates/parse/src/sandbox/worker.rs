//! The child's side.

use std::io::{BufRead, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{ParseLimits, RECOGNITION_STARTS, Reply, Request};
use crate::document::ParsedDocument;
use crate::parse::{FailureCode, ParseFailure, ParseOptions, parse_file};

/// A request is a path and some numbers.
const MAX_REQUEST_BYTES: u64 = 64 * 1024;
/// Descriptors that the child may have open: its pipes, the file, and a few for libraries.
const MAX_OPEN_FILES: u64 = 64;
/// Processor seconds that this process may use for each page that it draws, levels and turns for recognition.
const CPU_SECONDS_PER_PICTURE: u64 = 3;

/// What a pipe holds.
const REPLY_BUFFER_BYTES: usize = 64 * 1024;

/// Entry of the child process: reads one request from standard input, answers on standard output, and returns the exit
/// code of the process. Call it first thing in `main`, before threads or allocators are set up.
pub fn run_parse_worker() -> ExitCode {
    let reply = match read_request() {
        Ok(request) => answer(request),
        Err(message) => Reply::Failure(ParseFailure::new(FailureCode::ParserUnavailable, message)),
    };
    match write_reply(&reply) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn read_request() -> Result<Request, String> {
    let mut line = String::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), MAX_REQUEST_BYTES);
    input.read_line(&mut line).map_err(|error| format!("the request cannot be read: {error}"))?;
    serde_json::from_str(&line).map_err(|error| format!("the request is not understood: {error}"))
}

fn answer(request: Request) -> Reply {
    let pictures = request.ocr.as_ref().map_or(0, |ocr| ocr.max_pages.min(request.limits.content.max_pages));
    if let Err(error) = limit(&request.limits, u64::from(pictures)) {
        return Reply::Failure(ParseFailure::new(
            FailureCode::ParserUnavailable,
            format!("limits cannot be set: {error}"),
        ));
    }
    let stack_bytes = request.limits.stack_bytes;
    let options = request.options();
    match parse_on_own_stack(request.path, request.file_name, options, stack_bytes) {
        Ok(document) => Reply::Document(Box::new(document)),
        Err(failure) => Reply::Failure(failure),
    }
}

/// [`parse_file`] on a thread with a stack of its own; a panic is a failure. For a process that has limited itself.
///
/// # Errors
/// [`ParseFailure`]: the parser's own, [`FailureCode::ParserCrashed`] after a panic.
pub fn parse_on_own_stack(
    path: PathBuf,
    file_name: String,
    options: ParseOptions,
    stack_bytes: u64,
) -> Result<ParsedDocument, ParseFailure> {
    let stack = usize::try_from(stack_bytes).unwrap_or(usize::MAX);
    let work = move || catch_unwind(AssertUnwindSafe(|| parse_file(&path, &file_name, &options)));
    let thread = std::thread::Builder::new()
        .name("parser".to_owned())
        .stack_size(stack)
        .spawn(work)
        .map_err(|error| {
            ParseFailure::new(FailureCode::ParserUnavailable, format!("no thread for the parser: {error}"))
        })?;
    match thread.join() {
        Ok(Ok(result)) => result,
        // A panic that no part of the parser caught.
        Ok(Err(_)) | Err(_) => Err(ParseFailure::new(
            FailureCode::ParserCrashed,
            "the parser failed on the file; it may be damaged",
        )),
    }
}

/// Puts the limits on the calling process, for good. What it starts inherits them.
///
/// # Errors
/// When the operating system refuses, for instance a limit above one that is set already.
pub fn limit_this_process(limits: &ParseLimits) -> rustix::io::Result<()> {
    limit(limits, 0)
}

/// With processor time for `pictures` to be drawn, which is not to be had before recognition begins.
fn limit(limits: &ParseLimits, pictures: u64) -> rustix::io::Result<()> {
    const GIB: u64 = 1024 * 1024 * 1024;
    let at_most = |value: u64| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::Core, at_most(0))?;
    setrlimit(Resource::Fsize, at_most(0))?;
    setrlimit(Resource::Nofile, at_most(MAX_OPEN_FILES))?;
    // At the first limit the process is told (SIGXCPU), at the second it is killed. What lies between is for pictures.
    let maximum =
        limits.cpu_seconds.saturating_add(pictures.saturating_mul(CPU_SECONDS_PER_PICTURE)).saturating_add(1);
    setrlimit(Resource::Cpu, Rlimit { current: Some(limits.cpu_seconds), maximum: Some(maximum) })?;
    // Allocators reserve address space that they never touch; memory that can be written is what counts.
    setrlimit(Resource::Data, at_most(limits.memory_bytes))?;
    setrlimit(Resource::As, at_most(limits.memory_bytes.saturating_mul(4).saturating_add(GIB)))
}

/// Tells the parent that recognition begins, and allows this process the processor time that it was given for it.
pub(super) fn recognition_starts() {
    let limit = getrlimit(Resource::Cpu);
    let current = limit.maximum.map(|maximum| maximum.saturating_sub(1));
    let _ = setrlimit(Resource::Cpu, Rlimit { current, ..limit });
    let mut output = std::io::stdout().lock();
    // A library may have printed without ending its line. A parent that is gone is not missed here.
    let _ = write!(output, "\n{RECOGNITION_STARTS}\n").and_then(|()| output.flush());
}

fn write_reply(reply: &Reply) -> std::io::Result<()> {
    // Standard output alone gathers a kilobyte: a large document would take thousands of calls.
    let mut output = BufWriter::with_capacity(REPLY_BUFFER_BYTES, std::io::stdout().lock());
    // A library may have printed without ending its line.
    output.write_all(b"\n")?;
    serde_json::to_writer(&mut output, reply)?;
    output.write_all(b"\n")?;
    output.flush()
}
