//! Parses a folder of documents as the service does, each in its own limited child process, and prints a table: how it
//! ended, pages, characters, time, and how well the text agrees with the expected text (where `manifest.jsonl` names
//! one) and with `pdftotext` (where poppler is installed).
//!
//! ```text
//! parse_corpus [FOLDER] [--only SUBSTRING]
//! ```
//!
//! FOLDER holds `manifest.jsonl` with `path` and `expected`; the default is `docs/dev` under `$ANWEN_SHARED`, or under
//! `../shared`. Agreement is the F1 of words (Chinese characters count as words): `words` regardless of order, `pairs`
//! of neighbours, which shows the reading order. `chunks` is their number at the default sizes and the median size in
//! words.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anwen_parse::chunk::{ChunkSettings, chunk_document};
use anwen_parse::clean::is_wide;
use anwen_parse::document::to_text;
use anwen_parse::parse::ocr::OcrSettings;
use anwen_parse::sandbox::{ParseLimits, ParseWorker, parse_in_child_with_ocr, run_parse_worker};

const FORMATS: [&str; 25] = [
    "pdf", "docx", "md", "mdx", "markdown", "html", "htm", "txt", "doc", "odt", "rtf", "pptx", "ppt", "odp",
    "xlsx", "xls", "xlsb", "ods", "csv", "tsv", "png", "jpg", "jpeg", "tif", "tiff",
];

#[derive(serde::Deserialize)]
struct Entry {
    path: String,
    expected: Option<String>,
}

struct Row {
    path: String,
    outcome: String,
    pages: usize,
    characters: usize,
    chunks: usize,
    median_chunk: usize,
    took_ms: u128,
    expected: Option<Agreement>,
    poppler: Option<Agreement>,
}

#[derive(Clone, Copy)]
struct Agreement {
    words: f64,
    pairs: f64,
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "parse-worker") {
        return run_parse_worker();
    }
    let only = arguments.iter().position(|argument| argument == "--only").map(|at| {
        let value = arguments.get(at + 1).cloned().unwrap_or_default();
        arguments.drain(at..arguments.len().min(at + 2));
        value
    });
    let folder = arguments.first().map_or_else(default_folder, PathBuf::from);
    let Ok(manifest) = std::fs::read_to_string(folder.join("manifest.jsonl")) else {
        println!("no manifest.jsonl in {}: nothing to parse", folder.display());
        return ExitCode::SUCCESS;
    };
    let entries: Vec<Entry> = manifest.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let chosen = entries.iter().filter(|entry| {
        let extension = entry.path.rsplit('.').next().unwrap_or("");
        FORMATS.contains(&extension) && only.as_ref().is_none_or(|only| entry.path.contains(only.as_str()))
    });
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let rows: Vec<Row> = chosen.map(|entry| runtime.block_on(measure(&folder, entry))).collect();
    print_table(&rows)
}

fn default_folder() -> PathBuf {
    let shared = std::env::var_os("ANWEN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    shared.join("docs/dev")
}

async fn measure(folder: &Path, entry: &Entry) -> Row {
    let path = folder.join(&entry.path);
    let worker = ParseWorker {
        program: std::env::current_exe().unwrap_or_default(),
        arguments: vec!["parse-worker".to_owned()],
    };
    let began = Instant::now();
    let (limits, ocr) = (ParseLimits::default(), OcrSettings::default());
    let result = parse_in_child_with_ocr(&worker, &limits, &ocr, &path, &entry.path).await;
    let took_ms = began.elapsed().as_millis();
    let mut row = Row {
        path: entry.path.clone(),
        outcome: String::new(),
        pages: 0,
        characters: 0,
        chunks: 0,
        median_chunk: 0,
        took_ms,
        expected: None,
        poppler: None,
    };
    match result {
        Ok(document) => {
            let warnings: Vec<&str> = document.warnings.iter().map(|warning| warning.code.as_str()).collect();
            row.outcome =
                if warnings.is_empty() { "ok".to_owned() } else { format!("ok ({})", warnings.join(", ")) };
            row.pages = document.pages.len();
            row.characters = document.character_count();
            let chunks =
                chunk_document(&document, &ChunkSettings::default(), &|text| words(text).len()).drafts;
            let mut sizes: Vec<usize> = chunks.iter().map(|chunk| chunk.tokens).collect();
            sizes.sort_unstable();
            (row.chunks, row.median_chunk) = (sizes.len(), sizes.get(sizes.len() / 2).copied().unwrap_or(0));
            let text = to_text(&document);
            let expected =
                entry.expected.as_ref().and_then(|name| std::fs::read_to_string(folder.join(name)).ok());
            row.expected = expected.map(|expected| agreement(&text, &expected));
            row.poppler = poppler_text(&path).map(|expected| agreement(&text, &expected));
        }
        Err(failure) => row.outcome = failure.to_string(),
    }
    row
}

fn poppler_text(path: &Path) -> Option<String> {
    if path.extension().is_none_or(|extension| extension != "pdf") {
        return None;
    }
    let output = Command::new("pdftotext").args(["-q", "-enc", "UTF-8"]).arg(path).arg("-").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (!text.trim().is_empty()).then_some(text)
}

fn agreement(ours: &str, theirs: &str) -> Agreement {
    let (ours, theirs) = (words(ours), words(theirs));
    let pairs = |words: &[String]| words.windows(2).map(|pair| pair.join(" ")).collect::<Vec<_>>();
    Agreement { words: f1(&ours, &theirs), pairs: f1(&pairs(&ours), &pairs(&theirs)) }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in anwen_parse::clean::normalise(text).chars() {
        if character.is_alphanumeric() && !is_wide(character) {
            word.extend(character.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            words.push(character.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn f1(ours: &[String], theirs: &[String]) -> f64 {
    if ours.is_empty() && theirs.is_empty() {
        return 1.0;
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in theirs {
        *left.entry(word).or_default() += 1;
    }
    let common = ours
        .iter()
        .filter(|word| {
            left.get_mut(word.as_str()).is_some_and(|count| {
                *count > 0 && {
                    *count -= 1;
                    true
                }
            })
        })
        .count();
    2.0 * common as f64 / (ours.len() + theirs.len()) as f64
}

fn print_table(rows: &[Row]) -> ExitCode {
    let show = |agreement: Option<Agreement>| {
        agreement.map_or("            -".to_owned(), |a| format!("{:>6.3}{:>7.3}", a.words, a.pairs))
    };
    println!(
        "{:<64}{:>6}{:>10}{:>11}{:>7}  {:>13}  {:>13}  outcome",
        "file", "pages", "chars", "chunks", "ms", "expected", "pdftotext"
    );
    for row in rows {
        let name: String = row.path.chars().rev().take(62).collect::<Vec<_>>().into_iter().rev().collect();
        println!(
            "{:<64}{:>6}{:>10}{:>6}/{:>4}{:>7}  {}  {}  {}",
            name,
            row.pages,
            row.characters,
            row.chunks,
            row.median_chunk,
            row.took_ms,
            show(row.expected),
            show(row.poppler),
            row.outcome
        );
    }
    let mean = |pick: fn(&Row) -> Option<Agreement>| {
        let found: Vec<Agreement> = rows.iter().filter_map(pick).collect();
        let n = found.len().max(1) as f64;
        (
            found.len(),
            found.iter().map(|a| a.words).sum::<f64>() / n,
            found.iter().map(|a| a.pairs).sum::<f64>() / n,
        )
    };
    let read = rows.iter().filter(|row| row.outcome.starts_with("ok")).count();
    let bad = rows.iter().filter(|row| row.outcome.starts_with("parser_unavailable")).count();
    let (expected, expected_words, expected_pairs) = mean(|row| row.expected);
    let (poppler, poppler_words, poppler_pairs) = mean(|row| row.poppler);
    println!(
        "\nfiles {}  read {read}  failed with a code {}  without an answer {bad}",
        rows.len(),
        rows.len() - read - bad
    );
    println!("expected text: {expected} files, words {expected_words:.3}, pairs {expected_pairs:.3}");
    println!("pdftotext:     {poppler} files, words {poppler_words:.3}, pairs {poppler_pairs:.3}");
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
