//! The sample library and its questions belong together: each question names a file, and its evidence stands in the
//! source of that file. (`make samples` also checks the page in the rendered PDF.)

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Violation;
use crate::repository::{Repository, TextFile};

const QUESTIONS: &str = "samples/questions.jsonl";
const LEAST_QUESTIONS: usize = 24;
const LEAST_UNANSWERABLE: usize = 4;

pub fn broken_samples(repository: &Repository) -> Vec<Violation> {
    let Some(questions) = repository.texts.iter().find(|file| file.path == QUESTIONS) else {
        return vec![Violation::new(QUESTIONS, 1, "missing")];
    };
    let sources = sources_by_output(repository);
    let mut ids = BTreeSet::new();
    let mut unanswerable = 0;
    let mut violations = Vec::new();
    for (line, number) in questions.text.lines().zip(1..) {
        let question: Value = serde_json::from_str(line).expect("one JSON object a line");
        if !ids.insert(question["id"].to_string()) {
            violations.push(Violation::new(QUESTIONS, number, "this id stands twice"));
        }
        if question["unanswerable"] == true {
            unanswerable += 1;
        } else if let Some(reason) = why_unsupported(&question, repository, &sources) {
            violations.push(Violation::new(QUESTIONS, number, reason));
        }
    }
    if ids.len() < LEAST_QUESTIONS || unanswerable < LEAST_UNANSWERABLE {
        violations.push(Violation::new(QUESTIONS, 1, "too few questions, or too few without an answer"));
    }
    violations
}

fn why_unsupported(
    question: &Value,
    repository: &Repository,
    sources: &BTreeMap<&str, &str>,
) -> Option<&'static str> {
    let file = question["file"].as_str().unwrap_or_default();
    if !repository.paths.contains(&format!("samples/library/{file}")) {
        return Some("no such file in samples/library");
    }
    let Some(source) = sources.get(file) else { return Some("no source writes this file") };
    let evidence = squeeze(question["evidence"].as_str().unwrap_or_default());
    (evidence.is_empty() || !squeeze(source).contains(&evidence))
        .then_some("the evidence is not in the source")
}

/// Which source text each file of the library is written from.
fn sources_by_output(repository: &Repository) -> BTreeMap<&str, &str> {
    let sources = repository.with_suffix(".md").filter(|file| file.path.starts_with("samples/source/"));
    sources.flat_map(|file| outputs(file).map(|output| (output, file.text.as_str()))).collect()
}

fn outputs(source: &TextFile) -> impl Iterator<Item = &str> {
    let line = source.text.lines().find_map(|line| line.strip_prefix("outputs: ["));
    line.unwrap_or_default().trim_end_matches(']').split(',').map(str::trim)
}

/// A text without white space and Markdown's marks, so that line breaks and table cells do not hide a passage.
fn squeeze(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && !"|*`#>".contains(*character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(questions: &str) -> Repository {
        let source = "---\noutputs: [a.md]\n---\n| E-1 | stops\nat once |\n";
        let texts = [(QUESTIONS, questions), ("samples/source/a.md", source), ("samples/library/a.md", "")];
        let texts = texts.map(|(path, text)| TextFile { path: path.to_owned(), text: text.to_owned() });
        Repository { paths: texts.iter().map(|file| file.path.clone()).collect(), texts: texts.into() }
    }

    #[test]
    fn a_question_without_its_file_or_evidence_is_found() {
        let cases = [
            (r#"{"id": "1", "file": "a.md", "evidence": "E-1 | stops at once"}"#, 0),
            (r#"{"id": "1", "file": "b.md", "evidence": "E-1"}"#, 1),
            (r#"{"id": "1", "file": "a.md", "evidence": "E-2"}"#, 1),
            (r#"{"id": "1", "unanswerable": true}"#, 0),
        ];
        for (question, count) in cases {
            // One more than counted, since these are too few questions.
            assert_eq!(broken_samples(&repository(question)).len(), count + 1, "{question}");
        }
    }

    #[test]
    fn an_id_that_stands_twice_is_found() {
        let lines = "{\"id\": \"1\", \"unanswerable\": true}\n".repeat(LEAST_QUESTIONS);
        assert_eq!(broken_samples(&repository(&lines)).len(), LEAST_QUESTIONS);
    }
}
