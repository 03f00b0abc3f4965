//! Our side of `benches/parse.py`: reads files as the service does and says what it got and what it cost. A line of JSON
//! in, a line of JSON out, until the input ends.
//!
//! ```text
//! parse_bench TOKENIZER_JSON     {"path": "…", "name": "…", "want": "text" | "chunks" | "boxes" | "process"}
//! parse_bench parse-worker       the limited child process
//! ```
//!
//! `text` is the text by way of the child process, attachments and archive members included; `chunks` the time of
//! parsing, cleaning and cutting in this process; `boxes` the time of parsing alone; `process` that of the child process
//! and of cutting what it answers.

use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anwen_parse::chunk::{ChunkSettings, Chunks, chunk_document};
use anwen_parse::document::{ParsedDocument, to_text};
use anwen_parse::parse::ocr::OcrSettings;
use anwen_parse::parse::{ParseFailure, ParseOptions, parse_file};
use anwen_parse::sandbox::{ParseLimits, ParseWorker, parse_in_child_with_ocr, run_parse_worker};
use anwen_text::{TokenizerScratch, UnigramTokenizer};

/// Files in files in files.
const MAX_DEPTH: usize = 3;
/// Files of an archive that are read.
const MAX_EMBEDDED: usize = 200;

#[derive(serde::Deserialize)]
struct Request {
    path: PathBuf,
    name: String,
    want: Want,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Want {
    Text,
    Chunks,
    Boxes,
    Process,
}

#[derive(Default, serde::Serialize)]
struct Answer {
    /// Absent when the file could not be read.
    text: Option<String>,
    /// Why it could not be read.
    code: Option<String>,
    media_type: String,
    pages: usize,
    blocks: usize,
    chunks: usize,
    /// Processor time of this process and of its child, in seconds.
    cpu_s: f64,
}

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument == "parse-worker" {
        return run_parse_worker();
    }
    match serve(&argument) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parse_bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(tokenizer: &str) -> Result<(), Box<dyn std::error::Error>> {
    let bench = Bench {
        tokenizer: UnigramTokenizer::from_file(tokenizer)?,
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        worker: ParseWorker { program: std::env::current_exe()?, arguments: vec!["parse-worker".to_owned()] },
    };
    for line in std::io::stdin().lock().lines() {
        let answer = bench.answer(&serde_json::from_str(&line?)?);
        let mut output = std::io::stdout().lock();
        writeln!(output, "{}", serde_json::to_string(&answer)?)?;
        output.flush()?;
    }
    Ok(())
}

struct Bench {
    tokenizer: UnigramTokenizer,
    runtime: tokio::runtime::Runtime,
    worker: ParseWorker,
}

impl Bench {
    fn answer(&self, request: &Request) -> Answer {
        let began = self.processor_time(request.want);
        let parsed = match request.want {
            Want::Text | Want::Process => self.in_child(&request.path, &request.name),
            Want::Chunks | Want::Boxes => parse_file(&request.path, &request.name, &ParseOptions::default()),
        };
        let document = match parsed {
            Ok(document) => document,
            Err(failure) => return Answer { code: Some(failure.code.to_string()), ..Answer::default() },
        };
        let chunks = match request.want {
            Want::Boxes => Chunks::default(),
            Want::Text | Want::Chunks | Want::Process => self.chunks(&document),
        };
        let cpu_s = self.processor_time(request.want).saturating_sub(began).as_secs_f64();
        let text = matches!(request.want, Want::Text).then(|| self.whole_text(&document, MAX_DEPTH));
        Answer {
            text,
            code: None,
            pages: document.pages.len(),
            blocks: document.blocks.len(),
            chunks: chunks.drafts.len(),
            cpu_s,
            media_type: document.media_type,
        }
    }

    fn in_child(&self, path: &Path, name: &str) -> Result<ParsedDocument, ParseFailure> {
        let (limits, ocr) = (ParseLimits::default(), OcrSettings::default());
        self.runtime.block_on(parse_in_child_with_ocr(&self.worker, &limits, &ocr, path, name))
    }

    fn chunks(&self, document: &ParsedDocument) -> Chunks {
        let scratch = RefCell::new(TokenizerScratch::default());
        let count = |text: &str| self.tokenizer.count_tokens_with(text, &mut scratch.borrow_mut());
        chunk_document(document, &ChunkSettings::default(), &count)
    }

    /// With the text of the files in the file, as far as they can be read.
    fn whole_text(&self, document: &ParsedDocument, depth: usize) -> String {
        let mut text = to_text(document);
        if depth == 0 {
            return text;
        }
        for embedded in document.embedded.iter().take(MAX_EMBEDDED) {
            let Ok(file) = tempfile::NamedTempFile::new() else { continue };
            if std::fs::write(file.path(), &embedded.bytes).is_ok()
                && let Ok(inner) = self.in_child(file.path(), &embedded.path)
            {
                text.push_str("\n\n");
                text.push_str(&self.whole_text(&inner, depth - 1));
            }
        }
        text
    }

    fn processor_time(&self, want: Want) -> Duration {
        match want {
            Want::Chunks | Want::Boxes => time_of_this_thread(),
            Want::Text | Want::Process => time_with_children(),
        }
    }
}

/// The scheduler's own clock, in nanoseconds.
fn time_of_this_thread() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// In steps of 10 ms: to be added up over many files.
fn time_with_children() -> Duration {
    const MS_PER_TICK: u64 = 10;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        behind_name.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * MS_PER_TICK)
}
