//! Every link of a Markdown document to a file or a heading of the repository resolves.

use std::collections::BTreeSet;

use regex::Regex;

use crate::Violation;
use crate::repository::{Repository, TextFile};

pub fn broken_links(repository: &Repository) -> Vec<Violation> {
    repository.with_suffix(".md").flat_map(|document| broken_in(document, repository)).collect()
}

fn broken_in(document: &TextFile, repository: &Repository) -> Vec<Violation> {
    links(&document.text)
        .into_iter()
        .filter(|(_, target)| !target.contains("://") && !target.starts_with("mailto:"))
        .filter_map(|(line, target)| {
            let reason = why_broken(&document.path, &target, repository)?;
            Some(Violation::new(&document.path, line, format!("link to {target}: {reason}")))
        })
        .collect()
}

fn why_broken(from: &str, target: &str, repository: &Repository) -> Option<&'static str> {
    let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(from, file) else { return Some("outside the repository") };
    let is_folder =
        || path.is_empty() || repository.paths.iter().any(|known| known.starts_with(&format!("{path}/")));
    if !repository.paths.contains(&path) && !is_folder() {
        return Some("no such file");
    }
    let text = repository.texts.iter().find(|text| text.path == path && path.ends_with(".md"));
    let is_missing = !fragment.is_empty() && text.is_some_and(|text| !anchors(&text.text).contains(fragment));
    is_missing.then_some("no such heading")
}

/// The path that a relative link means, from the root; `None` when it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.rsplit_once('/').map(|(folder, _)| folder.split('/').collect()).unwrap_or_default(),
    };
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The lines outside fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((number, line))
    })
}

/// The targets of inline links and images, of reference definitions, and of `href` and `src` in HTML.
fn links(text: &str) -> Vec<(usize, String)> {
    let code = Regex::new("`[^`]*`").unwrap();
    let link =
        Regex::new(r#"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*(\S+)|(?:href|src)="([^"]+)""#).unwrap();
    prose(text)
        .flat_map(|(number, line)| {
            let line = code.replace_all(line, "").into_owned();
            let targets: Vec<String> = link
                .captures_iter(&line)
                .filter_map(|found| Some(found.iter().skip(1).flatten().next()?.as_str().to_owned()))
                .collect();
            targets.into_iter().map(move |target| (number, target))
        })
        .collect()
}

/// The fragments that the headings of a document can be reached by, as Git hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| slug(line.trim_start_matches('#').trim())).collect()
}

fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'))
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(files: &[(&str, &str)]) -> Repository {
        let texts =
            files.iter().map(|(path, text)| TextFile { path: (*path).to_owned(), text: (*text).to_owned() });
        Repository {
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            texts: texts.collect(),
        }
    }

    #[test]
    fn broken_links_are_found_and_good_ones_are_not() {
        let good = "[a](docs/b.md) [c](docs/b.md#two-words) [d](docs) ![e](<pic.png> \"t\") [w](https://x.y/z) `[n](no.md)`\n```\n[n](no.md)\n```\n[here](#top)\n# Top\n";
        let bad = "[a](nope.md)\n[b](b.md#other)\n[c](../../up.md)\n[ref]: gone.md\n<img src=\"no.png\">\n## Two words!\n";
        let found = broken_links(&repository(&[("README.md", good), ("docs/b.md", bad), ("pic.png", "")]));
        let lines: Vec<String> =
            found.iter().map(|violation| format!("{}:{}", violation.path, violation.line)).collect();
        assert_eq!(lines, ["docs/b.md:1", "docs/b.md:2", "docs/b.md:3", "docs/b.md:4", "docs/b.md:5"]);
    }

    #[test]
    fn headings_become_fragments() {
        assert_eq!(slug("Two ways to run, one code"), "two-ways-to-run-one-code");
        assert_eq!(slug("`make test` 测试"), "make-test-测试");
    }
}
