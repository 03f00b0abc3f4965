//! Parsing in a child process: a bomb, a panic, a stack overflow or a hang fails one document and nothing else.
//!
//! The parent starts `program arguments…`, writes one [`Request`] as a line of JSON to its standard input and reads its
//! standard output up to a bound. The child ([`run_parse_worker`]) first limits itself (memory, processor time, no core
//! files, no files written), then parses on a thread with a large bounded stack, and prints one [`Reply`] as the last
//! line of its output: a library that prints to standard output does no harm. Before it recognises text in pictures it
//! says so in a line of its own ([`RECOGNITION_STARTS`]), and the parent then waits for as long as that may take. The child gets an empty environment, so
//! that a parser that is taken over finds no secrets there. When the child dies by a signal, the file is given once to
//! the format's second parser; when it died while it recognised text, it is read once more without that. Child and
//! the processes that it starts (Tesseract) are a process group, which ends as a whole.

mod worker;

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

pub use worker::{limit_this_process, parse_on_own_stack, run_parse_worker};

use super::document::{ParsedDocument, warning};
use super::parse::ocr::OcrSettings;
use super::parse::{ContentLimits, Engine, FailureCode, ParseFailure, ParseOptions};

/// How much of the child's standard error is kept to tell why it died.
const MAX_ERROR_BYTES: usize = 16 * 1024;
/// The child's answer is taken in pieces of this size.
const READ_AHEAD_BYTES: u64 = 256 * 1024;
/// The line by which the child says that it begins to recognise text.
const RECOGNITION_STARTS: &str = "{\"recognition\":\"starts\"}";
/// Time that a child which was killed has to be gone.
const REAP_TIME: Duration = Duration::from_secs(5);

/// How to start the child: a program that calls [`run_parse_worker`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseWorker {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

impl ParseWorker {
    /// This very program, called with `parse-worker`.
    ///
    /// # Errors
    /// When the system does not say where the program lies.
    pub fn of_this_program() -> std::io::Result<Self> {
        Ok(Self { program: std::env::current_exe()?, arguments: vec!["parse-worker".to_owned()] })
    }
}

/// Bounds on the child and on what it reads and returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParseLimits {
    /// Memory that the child may write to (`RLIMIT_DATA`); its address space is limited to four times that and one GiB.
    pub memory_bytes: u64,
    /// Processor seconds of the child.
    pub cpu_seconds: u64,
    /// For each try; the file is tried at most twice.
    pub wall_time_ms: u64,
    /// Length of the child's answer.
    pub output_bytes: u64,
    /// Stack of the parser's thread. Nested structures are read by recursion in some libraries.
    pub stack_bytes: u64,
    pub content: ContentLimits,
}

impl Default for ParseLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 * 1024 * 1024 * 1024,
            cpu_seconds: 120,
            wall_time_ms: 180_000,
            output_bytes: 256 * 1024 * 1024,
            stack_bytes: 64 * 1024 * 1024,
            content: ContentLimits::default(),
        }
    }
}

/// What the parent asks of the child. It travels by the child's standard input: a password is neither among the
/// arguments, which other processes can read, nor on disk.
#[derive(Serialize, Deserialize)]
struct Request {
    path: PathBuf,
    file_name: String,
    engine: Engine,
    limits: ParseLimits,
    ocr: Option<OcrSettings>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// What the child answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Document(Box<ParsedDocument>),
    Failure(ParseFailure),
}

impl ParseLimits {
    /// How the child parses under these limits, without recognising text in pictures.
    pub fn options(&self, engine: Engine) -> ParseOptions {
        ParseOptions { limits: self.content.clone(), engine, ..ParseOptions::default() }
    }
}

impl Request {
    fn options(&self) -> ParseOptions {
        ParseOptions {
            ocr: self.ocr.clone(),
            password: self.password.clone(),
            on_recognition: self.ocr.is_some().then_some(worker::recognition_starts as fn()),
            ..self.limits.options(self.engine)
        }
    }
}

/// Parses a file in a child process, text in pictures left out. Dropping the future kills the child.
///
/// # Errors
/// [`ParseFailure`]: the parser's own, or one for what happened to the child.
pub async fn parse_in_child(
    worker: &ParseWorker,
    limits: &ParseLimits,
    path: &Path,
    file_name: &str,
) -> Result<ParsedDocument, ParseFailure> {
    let off = OcrSettings { enabled: false, ..OcrSettings::default() };
    parse_in_child_with(worker, limits, &Extras { ocr: &off, password: None }, path, file_name).await
}

/// What a file may need beside the limits.
#[derive(Clone, Copy)]
pub struct Extras<'a> {
    /// How text in scanned pages and pictures is recognised.
    pub ocr: &'a OcrSettings,
    /// Opens a file that is protected.
    pub password: Option<&'a str>,
}

/// [`parse_in_child`], with the text that can be recognised in scanned pages and pictures.
///
/// # Errors
/// [`ParseFailure`]: the parser's own, or one for what happened to the child.
pub async fn parse_in_child_with_ocr(
    worker: &ParseWorker,
    limits: &ParseLimits,
    ocr: &OcrSettings,
    path: &Path,
    file_name: &str,
) -> Result<ParsedDocument, ParseFailure> {
    parse_in_child_with(worker, limits, &Extras { ocr, password: None }, path, file_name).await
}

/// [`parse_in_child_with_ocr`], also for files that are protected by a password.
///
/// # Errors
/// [`ParseFailure`]: the parser's own, or one for what happened to the child.
pub async fn parse_in_child_with(
    worker: &ParseWorker,
    limits: &ParseLimits,
    extras: &Extras<'_>,
    path: &Path,
    file_name: &str,
) -> Result<ParsedDocument, ParseFailure> {
    let Extras { ocr, password } = *extras;
    let request = |engine, recognises: bool| Request {
        path: path.to_owned(),
        file_name: file_name.to_owned(),
        engine,
        limits: limits.clone(),
        ocr: recognises.then(|| ocr.clone()),
        password: password.map(str::to_owned),
    };
    let (first, again) = match attempt(worker, &request(Engine::First, ocr.enabled)).await {
        Attempt::Answered(result) => return result.map(|document| *document),
        Attempt::Died { failure, recognising } => {
            tracing::debug!(code = %failure.code, recognising, "parser died, trying otherwise");
            let again = if recognising {
                request(Engine::First, false)
            } else {
                request(Engine::Second, ocr.enabled)
            };
            (failure, again)
        }
    };
    let (code, message) = if again.engine == Engine::First {
        (warning::OCR_FAILED, "recognising the text of pictures failed on the file; such text was left out")
    } else {
        (warning::SECOND_PARSER, "the first parser failed on the file; it was read by the second one")
    };
    match attempt(worker, &again).await {
        Attempt::Answered(Ok(mut document)) => {
            if document.warnings.iter().all(|warned| warned.code != code) {
                document.warn(code, message);
            }
            Ok(*document)
        }
        // What the second try says of a file that killed the first explains less than that it did.
        _ => Err(first),
    }
}

/// How one try ended.
enum Attempt {
    Answered(Result<Box<ParsedDocument>, ParseFailure>),
    /// The child died by a signal; another parser may live.
    Died {
        failure: ParseFailure,
        recognising: bool,
    },
}

async fn attempt(worker: &ParseWorker, request: &Request) -> Attempt {
    let mut child = match spawn(worker) {
        Ok(child) => Group::new(child),
        Err(error) => return Attempt::Answered(Err(unavailable(&format!("cannot be started: {error}")))),
    };
    let limits = &request.limits;
    let recognising = AtomicBool::new(false);
    let talked = tokio::select! {
        talked = converse(&mut child.leader, request, &recognising) => Some(talked),
        () = time_is_up(request, &recognising) => None,
    };
    let recognising = recognising.into_inner();
    match talked {
        None => {
            child.kill().await;
            let failure = ParseFailure::new(
                FailureCode::ParseTimeout,
                format!(
                    "reading the file took longer than {} ms",
                    time_allowed(request, recognising).as_millis()
                ),
            );
            Attempt::Died { failure, recognising }
        }
        Some(Err(ConversationError::TooLong)) => {
            child.kill().await;
            Attempt::Answered(Err(ParseFailure::new(
                FailureCode::ParseOutputLimit,
                format!("what the file holds takes more than {} bytes", limits.output_bytes),
            )))
        }
        Some(Err(ConversationError::Io(error))) => {
            child.kill().await;
            Attempt::Answered(Err(unavailable(&format!("broke off: {error}"))))
        }
        Some(Ok(answer)) => {
            child.ended(answer.status);
            judge(&answer, recognising)
        }
    }
}

/// Reading has its time; recognition, once it begins, has its own beyond that, and one page may just have begun then.
fn time_allowed(request: &Request, recognising: bool) -> Duration {
    let reading = Duration::from_millis(request.limits.wall_time_ms);
    match &request.ocr {
        Some(ocr) if recognising => reading
            .saturating_add(Duration::from_millis(ocr.document_timeout_ms))
            .saturating_add(Duration::from_millis(ocr.page_timeout_ms)),
        _ => reading,
    }
}

async fn time_is_up(request: &Request, recognising: &AtomicBool) {
    let began = tokio::time::Instant::now();
    tokio::time::sleep(time_allowed(request, false)).await;
    if recognising.load(Ordering::Relaxed) {
        let end = began.checked_add(time_allowed(request, true)).unwrap_or(began);
        tokio::time::sleep_until(end).await;
    }
}

/// The child and what it started, which ends with it however it ends.
struct Group {
    leader: Child,
    /// While anything of the group may be left.
    id: Option<Pid>,
}

impl Group {
    fn new(leader: Child) -> Self {
        let id = leader.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { leader, id }
    }

    async fn kill(&mut self) {
        self.kill_all();
        let _ = tokio::time::timeout(REAP_TIME, self.leader.wait()).await;
    }

    fn kill_all(&mut self) {
        if let Some(id) = self.id.take() {
            let _ = kill_process_group(id, Signal::KILL);
        }
    }

    /// A child that ends by itself has waited for what it started; one that was ended has not.
    fn ended(&mut self, status: ExitStatus) {
        use std::os::unix::process::ExitStatusExt;
        if status.signal().is_some() {
            self.kill_all();
        }
        self.id = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill_all();
    }
}

fn spawn(worker: &ParseWorker) -> std::io::Result<Child> {
    Command::new(&worker.program)
        .args(&worker.arguments)
        .env_clear()
        // One thread for libraries that use all processors, one arena for the allocator: both are counted as memory.
        .env("RAYON_NUM_THREADS", "1")
        .env("MALLOC_ARENA_MAX", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// What the child said until it ended.
struct Answer {
    status: ExitStatus,
    output: Vec<u8>,
    errors: Vec<u8>,
}

enum ConversationError {
    TooLong,
    Io(std::io::Error),
}

async fn converse(
    child: &mut Child,
    request: &Request,
    recognising: &AtomicBool,
) -> Result<Answer, ConversationError> {
    let io = ConversationError::Io;
    let missing = || ConversationError::Io(std::io::Error::other("no pipe"));
    let mut input = child.stdin.take().ok_or_else(missing)?;
    let output = child.stdout.take().ok_or_else(missing)?;
    let errors = child.stderr.take().ok_or_else(missing)?;
    let mut line = serde_json::to_vec(request).map_err(|error| io(error.into()))?;
    line.push(b'\n');
    let write = async {
        // A child that died before it read its request says so by its status.
        let _ = input.write_all(&line).await;
        drop(input);
    };
    let limit = request.limits.output_bytes;
    let (_, output, errors) =
        tokio::join!(write, read_bounded(output, limit, recognising), read_head(errors));
    let output = output?;
    let status = child.wait().await.map_err(io)?;
    Ok(Answer { status, output, errors })
}

async fn read_bounded(
    mut from: impl AsyncRead + Unpin,
    limit: u64,
    recognising: &AtomicBool,
) -> Result<Vec<u8>, ConversationError> {
    let mut bytes = Vec::new();
    // Where the line that is being received begins.
    let mut line = 0;
    loop {
        let received = (&mut from).take(READ_AHEAD_BYTES).read_buf(&mut bytes).await;
        if received.map_err(ConversationError::Io)? == 0 {
            return Ok(bytes);
        }
        if bytes.len() as u64 > limit {
            return Err(ConversationError::TooLong);
        }
        while let Some(length) = memchr::memchr(b'\n', &bytes[line..]) {
            if &bytes[line..line + length] == RECOGNITION_STARTS.as_bytes() {
                recognising.store(true, Ordering::Relaxed);
            }
            line += length + 1;
        }
    }
}

/// Reads to the end, so that the child never waits for its reader, and keeps the beginning.
async fn read_head(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0u8; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let room = MAX_ERROR_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    kept
}

fn unavailable(what: &str) -> ParseFailure {
    ParseFailure::new(FailureCode::ParserUnavailable, format!("the parser process {what}"))
}

fn judge(answer: &Answer, recognising: bool) -> Attempt {
    use std::os::unix::process::ExitStatusExt;
    if let Some(signal) = answer.status.signal() {
        return Attempt::Died { failure: death(signal, &answer.errors), recognising };
    }
    let last_line = answer.output.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice::<Reply>(last_line) {
        Ok(Reply::Document(document)) => Attempt::Answered(Ok(document)),
        Ok(Reply::Failure(failure)) => Attempt::Answered(Err(failure)),
        Err(error) => {
            let errors = String::from_utf8_lossy(&answer.errors);
            tracing::warn!(status = ?answer.status.code(), %error, stderr = %errors.trim(), "parser process gave no answer");
            Attempt::Answered(Err(unavailable("gave no answer")))
        }
    }
}

/// Why a child died that the parent did not kill.
fn death(signal: i32, errors: &[u8]) -> ParseFailure {
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    let out_of_memory = memchr::memmem::find(errors, b"memory allocation of").is_some()
        || memchr::memmem::find(errors, b"Cannot allocate memory").is_some();
    match signal {
        SIGXCPU => ParseFailure::new(
            FailureCode::ParseTimeout,
            "reading the file took more processor time than is allowed",
        ),
        // The kernel kills what takes more memory than the machine has.
        SIGKILL => ParseFailure::new(
            FailureCode::ParseMemoryLimit,
            "reading the file took more memory than there is",
        ),
        _ if out_of_memory => ParseFailure::new(
            FailureCode::ParseMemoryLimit,
            "reading the file took more memory than is allowed",
        ),
        _ => {
            ParseFailure::new(FailureCode::ParserCrashed, "the parser crashed on the file; it may be damaged")
        }
    }
}

#[cfg(test)]
mod tests;
