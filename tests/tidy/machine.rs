//! No tracked file names a path of somebody's machine, and lock files name the public registries only.

use regex::Regex;

use crate::Violation;
use crate::repository::{Repository, TextFile};

pub fn traces(repository: &Repository) -> Vec<Violation> {
    repository
        .texts
        .iter()
        .flat_map(|file| machine_paths(file).into_iter().chain(private_registries(file)))
        .collect()
}

fn machine_paths(file: &TextFile) -> Vec<Violation> {
    // Put together from pieces, so that this file does not hold what it looks for.
    let folders = ["work", "root", r"home/[a-z]\w*", r"Users/\w+", r"private/var"].join("|");
    let path = Regex::new(&format!(r"(^|[^\w./}}-])/({folders})/")).unwrap();
    matching_lines(file, |line| path.is_match(line), "a path of somebody's machine")
}

fn private_registries(file: &TextFile) -> Vec<Violation> {
    let source = match file.path.rsplit('/').next() {
        Some("package-lock.json") => Regex::new(r#""resolved": "([^"]+)""#).unwrap(),
        Some("Cargo.lock") => Regex::new(r#"^source = "([^"]+)""#).unwrap(),
        Some(".npmrc" | "pip.conf") => Regex::new(r"(?:registry|index-url)\s*=\s*(\S+)").unwrap(),
        _ => return Vec::new(),
    };
    let is_private = |line: &str| source.captures(line).is_some_and(|found| !is_public_registry(&found[1]));
    matching_lines(file, is_private, "not a public registry")
}

fn is_public_registry(source: &str) -> bool {
    const PUBLIC: [&str; 3] = [
        "https://registry.npmjs.org/",
        "registry+https://github.com/rust-lang/crates.io-index",
        "https://pypi.org/simple",
    ];
    PUBLIC.iter().any(|registry| source.starts_with(registry))
}

fn matching_lines(file: &TextFile, is_match: impl Fn(&str) -> bool, message: &str) -> Vec<Violation> {
    let lines = file.text.lines().zip(1..).filter(|(line, _)| is_match(line));
    lines.map(|(_, number)| Violation::new(&file.path, number, message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> TextFile {
        TextFile { path: path.to_owned(), text }
    }

    #[test]
    fn machine_paths_are_found_and_addresses_are_not() {
        for folder in ["work", "root", "home/ann", "Users/Ann"] {
            let text = format!("see https://example.org/{folder}/x and docs/{folder}/y\ncd /{folder}/anwen");
            let lines: Vec<usize> =
                machine_paths(&file("a.md", text)).iter().map(|violation| violation.line).collect();
            assert_eq!(lines, [2], "{folder}");
        }
    }

    #[test]
    fn private_registries_in_lock_files_are_found() {
        let cases = [
            ("ui/package-lock.json", r#"  "resolved": "https://npm.corp.example/a.tgz""#, 1),
            ("ui/package-lock.json", r#"  "resolved": "https://registry.npmjs.org/a/-/a-1.tgz""#, 0),
            ("Cargo.lock", r#"source = "git+https://git.corp.example/x""#, 1),
            ("Cargo.lock", r#"source = "registry+https://github.com/rust-lang/crates.io-index""#, 0),
            (".npmrc", "registry=https://npm.corp.example/", 1),
        ];
        for (path, text, count) in cases {
            assert_eq!(private_registries(&file(path, text.to_owned())).len(), count, "{path}: {text}");
        }
    }
}
