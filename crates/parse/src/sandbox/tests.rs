#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{IsTerminal, Read, Write};

use super::*;

/// The child of the tests is this test binary, running this one test. Without a request it does nothing.
#[test]
fn worker_entry() {
    let named = std::env::args().any(|argument| argument == "--exact");
    if !named || std::io::stdin().is_terminal() || std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        return;
    }
    assert_eq!(run_parse_worker(), std::process::ExitCode::SUCCESS);
    // Nothing of the test harness is to follow the answer.
    std::process::exit(0);
}

fn this_binary() -> ParseWorker {
    ParseWorker {
        program: std::env::current_exe().unwrap(),
        arguments: ["sandbox::tests::worker_entry", "--exact", "--nocapture", "--test-threads=1"]
            .map(str::to_owned)
            .to_vec(),
    }
}

fn shell(script: &str) -> ParseWorker {
    ParseWorker { program: "/bin/sh".into(), arguments: vec!["-c".to_owned(), script.to_owned()] }
}

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

async fn parse(content: &[u8], name: &str, limits: &ParseLimits) -> Result<ParsedDocument, ParseFailure> {
    let file = file(content);
    parse_in_child(&this_binary(), limits, file.path(), name).await
}

#[tokio::test]
async fn a_document_comes_back_from_the_child() {
    let document = parse("# 员工手册\n\nText.\n".as_bytes(), "a.md", &ParseLimits::default()).await.unwrap();
    assert_eq!(document.title.as_deref(), Some("员工手册"));
    assert_eq!(document.blocks.len(), 2);
}

#[tokio::test]
async fn the_parsers_own_failure_comes_back_as_it_is() {
    for (content, name, code) in [
        (b"".as_slice(), "a.pdf", FailureCode::EmptyFile),
        (b"fLaC\0\0\0\x22\x10\0\x10\0\0\0\x0e", "a.pdf", FailureCode::UnsupportedMediaType),
        (b"%PDF-1.7\nnothing else", "a.pdf", FailureCode::DamagedFile),
        (b" \n\t\n ", "a.txt", FailureCode::NoText),
    ] {
        let failure = parse(content, name, &ParseLimits::default()).await.unwrap_err();
        assert_eq!(failure.code, code, "{name}: {}", failure.message);
    }
}

#[tokio::test]
async fn a_missing_file_is_a_failure_with_a_code() {
    let failure =
        parse_in_child(&this_binary(), &ParseLimits::default(), Path::new("/nonexistent/file"), "a.txt")
            .await
            .unwrap_err();
    assert_eq!(failure.code, FailureCode::UnreadableFile);
}

#[tokio::test]
async fn memory_is_limited() {
    let limits = ParseLimits { memory_bytes: 160 * 1024 * 1024, ..ParseLimits::default() };
    let failure = parse(&vec![b'a'; 100 * 1024 * 1024], "a.txt", &limits).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::ParseMemoryLimit);
}

#[tokio::test]
async fn output_is_limited() {
    let limits = ParseLimits { output_bytes: 1000, ..ParseLimits::default() };
    let failure = parse(&vec![b'a'; 10_000], "a.txt", &limits).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::ParseOutputLimit);
}

#[tokio::test]
async fn what_happens_to_the_child_has_a_code() {
    let limits = ParseLimits { wall_time_ms: 300, ..ParseLimits::default() };
    for (script, code) in [
        ("kill -SEGV $$", FailureCode::ParserCrashed),
        ("kill -ABRT $$", FailureCode::ParserCrashed),
        ("echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$", FailureCode::ParseMemoryLimit),
        ("kill -KILL $$", FailureCode::ParseMemoryLimit),
        ("kill -XCPU $$", FailureCode::ParseTimeout),
        ("exec sleep 60", FailureCode::ParseTimeout),
        ("exit 3", FailureCode::ParserUnavailable),
        ("echo not json", FailureCode::ParserUnavailable),
    ] {
        let failure = parse_in_child(&shell(script), &limits, Path::new("/dev/null"), "a").await.unwrap_err();
        assert_eq!(failure.code, code, "{script}");
    }
    let absent = ParseWorker { program: "/nonexistent/program".into(), arguments: Vec::new() };
    let failure = parse_in_child(&absent, &limits, Path::new("/dev/null"), "a").await.unwrap_err();
    assert_eq!(failure.code, FailureCode::ParserUnavailable);
}

#[tokio::test]
async fn a_child_that_dies_is_followed_by_the_second_parser() {
    let document =
        serde_json::to_string(&Reply::Document(Box::new(ParsedDocument::new("text/plain")))).unwrap();
    let script = format!(
        "read request; case \"$request\" in *'\"engine\":\"first\"'*) kill -SEGV $$;; *) echo 'noise'; printf '%s' '{document}';; esac"
    );
    let document =
        parse_in_child(&shell(&script), &ParseLimits::default(), Path::new("/dev/null"), "a").await.unwrap();
    assert_eq!(document.warnings[0].code, warning::SECOND_PARSER);
}

#[tokio::test]
async fn the_child_sees_no_environment() {
    let seen = file(b"");
    let script = format!("env > {}; kill -SEGV $$", seen.path().display());
    let _ = parse_in_child(&shell(&script), &ParseLimits::default(), Path::new("/dev/null"), "a").await;
    let mut environment = String::new();
    std::fs::File::open(seen.path()).unwrap().read_to_string(&mut environment).unwrap();
    assert!(
        environment.contains("RAYON_NUM_THREADS")
            && !environment.contains("CARGO")
            && !environment.contains("HOME="),
        "{environment}"
    );
}

#[tokio::test]
async fn a_child_that_recognises_text_may_take_longer() {
    let document =
        serde_json::to_string(&Reply::Document(Box::new(ParsedDocument::new("image/png")))).unwrap();
    let limits = ParseLimits { wall_time_ms: 300, ..ParseLimits::default() };
    let ocr = OcrSettings { document_timeout_ms: 60_000, ..OcrSettings::default() };
    let script = format!("echo noise; echo '{RECOGNITION_STARTS}'; sleep 1; printf '%s' '{document}'");
    let answer =
        parse_in_child_with_ocr(&shell(&script), &limits, &ocr, Path::new("/dev/null"), "a").await.unwrap();
    assert_eq!(answer.media_type, "image/png");
    // Where recognition is not asked for, saying so gains nothing.
    let failure = parse_in_child(&shell(&script), &limits, Path::new("/dev/null"), "a").await.unwrap_err();
    assert_eq!(failure.code, FailureCode::ParseTimeout);
}

#[tokio::test]
async fn a_child_that_dies_recognising_is_followed_by_a_reading_without() {
    let document =
        serde_json::to_string(&Reply::Document(Box::new(ParsedDocument::new("text/plain")))).unwrap();
    let script = format!(
        "read request; case \"$request\" in *'\"ocr\":null'*) printf '%s' '{document}';; *) echo '{RECOGNITION_STARTS}'; kill -SEGV $$;; esac"
    );
    let ocr = OcrSettings::default();
    let document =
        parse_in_child_with_ocr(&shell(&script), &ParseLimits::default(), &ocr, Path::new("/dev/null"), "a")
            .await
            .unwrap();
    assert_eq!(document.warnings[0].code, warning::OCR_FAILED);
}

#[tokio::test]
async fn what_the_child_started_ends_with_it() {
    let limits = ParseLimits { wall_time_ms: 500, ..ParseLimits::default() };
    for end in ["exec sleep 600", "sleep 0.2; kill -SEGV $$"] {
        let left = file(b"");
        let script = format!("sleep 600 & echo $! >> {}; {end}", left.path().display());
        let _ = parse_in_child(&shell(&script), &limits, Path::new("/dev/null"), "a").await;
        let pids = std::fs::read_to_string(left.path()).unwrap();
        assert!(!pids.is_empty());
        for pid in pids.split_whitespace() {
            let gone = tokio::time::timeout(Duration::from_secs(20), ended(pid)).await;
            assert!(gone.is_ok(), "{end}: {pid} still runs");
        }
    }
}

/// Waits until a process is gone, or is dead and only waits for whoever inherits it.
async fn ended(pid: &str) {
    loop {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn text_in_pictures_is_recognised_under_the_childs_limits() {
    let Some(ocr) = crate::parse::ocr::tests::installed() else { return };
    let scan = file(&crate::parse::ocr::tests::scanned_handbook());
    let document =
        parse_in_child_with_ocr(&this_binary(), &ParseLimits::default(), &ocr, scan.path(), "a.pdf")
            .await
            .unwrap();
    assert_eq!(document.warnings[0].code, warning::OCR_USED);
    assert!(document.character_count() > 200, "{}", document.character_count());
}
