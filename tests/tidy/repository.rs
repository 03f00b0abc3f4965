//! The files of the repository, read once per test.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::Violation;
use crate::lexer::{self, Lexed};

/// Files above this size hold data, not prose or code, and are not read.
const MAX_TEXT_BYTES: u64 = 4 * 1024 * 1024;

/// A text file; its path is relative to the root, with `/`.
pub struct TextFile {
    pub path: String,
    pub text: String,
}

pub struct Repository {
    /// Every path, of binary files too.
    pub paths: BTreeSet<String>,
    pub texts: Vec<TextFile>,
}

impl Repository {
    /// This repository: what git tracks, and what it would track if it were added.
    pub fn load() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        // Continuous integration may run as another user than the one who cloned.
        let listing = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .expect("git is installed");
        assert!(listing.status.success(), "{}", String::from_utf8_lossy(&listing.stderr));
        let paths: BTreeSet<String> = String::from_utf8(listing.stdout)
            .unwrap()
            .split_terminator('\0')
            .filter(|path| root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        let texts = paths.iter().filter_map(|path| read_text(root, path)).collect();
        Self { paths, texts }
    }

    pub fn with_suffix(&self, suffix: &str) -> impl Iterator<Item = &TextFile> {
        self.texts.iter().filter(move |file| file.path.ends_with(suffix))
    }

    /// Applies a rule to every Rust file.
    pub fn each_rust_file(&self, rule: impl Fn(&RustFile<'_>) -> Vec<Violation>) -> Vec<Violation> {
        let test_modules: BTreeSet<String> = self
            .with_suffix(".rs")
            .flat_map(|file| RustFile::new(&file.path, &file.text).external_test_modules())
            .collect();
        self.with_suffix(".rs")
            .flat_map(|file| {
                let mut parsed = RustFile::new(&file.path, &file.text);
                parsed.is_test_file |= test_modules.contains(&file.path);
                rule(&parsed)
            })
            .collect()
    }
}

fn read_text(root: &Path, path: &str) -> Option<TextFile> {
    let full = root.join(path);
    if full.metadata().ok()?.len() > MAX_TEXT_BYTES {
        return None;
    }
    let text = String::from_utf8(std::fs::read(full).ok()?).ok()?;
    (!text.contains('\0')).then(|| TextFile { path: path.to_owned(), text })
}

/// A Rust source file, with what the rules ask of it.
pub struct RustFile<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub lexed: Lexed,
    is_test_file: bool,
    test_lines: Vec<RangeInclusive<usize>>,
}

impl<'a> RustFile<'a> {
    pub fn new(path: &'a str, text: &'a str) -> Self {
        let lexed = lexer::lex(text);
        let test_lines = test_items(&lexed.code)
            .map(|item| lexer::line_of(&lexed.code, item.start)..=lexer::line_of(&lexed.code, item.end))
            .collect();
        let is_test_file = path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"));
        Self { path, text, lexed, is_test_file, test_lines }
    }

    /// Whether a line (from 1) is compiled for tests only.
    pub fn is_test(&self, line: usize) -> bool {
        self.is_test_file || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// Each line of code outside tests, numbered from 1, comments and contents of strings blanked.
    pub fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lexed
            .code
            .lines()
            .zip(1..)
            .map(|(code, line)| (line, code))
            .filter(|(line, _)| !self.is_test(*line))
    }

    /// The paths that files declared by `#[cfg(test)] mod name;` may have.
    fn external_test_modules(&self) -> Vec<String> {
        let declaration = Regex::new(r"mod\s+(\w+)\s*;$").unwrap();
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", self.path));
        let folder = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
        };
        test_items(&self.lexed.code)
            .filter_map(|item| Some(declaration.captures(&self.lexed.code[item])?[1].to_owned()))
            .flat_map(|module| [format!("{folder}/{module}.rs"), format!("{folder}/{module}/mod.rs")])
            .collect()
    }
}

/// The byte ranges of items under `#[cfg(test)]`, the attribute included.
fn test_items(code: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    code.match_indices(ATTRIBUTE).map(|(start, _)| start..lexer::end_of_item(code, start + ATTRIBUTE.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_under_cfg_test_are_test_lines() {
        let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let file = RustFile::new("crates/x/src/lib.rs", text);
        let lines: Vec<usize> = file.production_lines().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 7]);
    }

    #[test]
    fn files_under_tests_are_test_files() {
        assert!(RustFile::new("tests/e2e/main.rs", "fn a() {}").is_test(1));
        assert!(!RustFile::new("services/web/src/chats.rs", "fn a() {}").is_test(1));
    }

    #[test]
    fn a_test_module_in_its_own_file_is_found() {
        let inside =
            |path| RustFile::new(path, "#[cfg(test)]\nmod cases;\nmod other;").external_test_modules();
        assert_eq!(inside("a/src/lib.rs"), ["a/src/cases.rs", "a/src/cases/mod.rs"]);
        assert_eq!(inside("a/src/fuse.rs"), ["a/src/fuse/cases.rs", "a/src/fuse/cases/mod.rs"]);
    }
}
