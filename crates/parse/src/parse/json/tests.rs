use super::*;
use crate::parse::parse_bytes;

fn shapes(source: &str, name: &str) -> Vec<(BlockKind, String)> {
    let document = parse_bytes(source.as_bytes().to_vec(), name, &ParseOptions::default()).unwrap();
    document.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
}

fn texts(source: &str, name: &str) -> Vec<String> {
    shapes(source, name).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn members_are_told_in_their_order_and_sections_have_their_path() {
    let source = r#"{"zeta": 1, "alpha": true, "tags": ["a", "b"], "server": {"host": "db1", "limits": {"cpu": 2}}, "none": null}"#;
    assert_eq!(
        shapes(source, "a.json"),
        [
            (BlockKind::Paragraph, "zeta: 1\nalpha: true\ntags: a, b".to_owned()),
            (BlockKind::Heading { level: 1 }, "server".to_owned()),
            (BlockKind::Paragraph, "host: db1".to_owned()),
            (BlockKind::Heading { level: 2 }, "server › limits".to_owned()),
            (BlockKind::Paragraph, "cpu: 2".to_owned()),
        ]
    );
}

#[test]
fn records_of_one_kind_are_a_table() {
    let source = r#"[{"id": 1, "name": "pump"}, {"id": 2, "site": "B"}]"#;
    assert_eq!(texts(source, "a.json"), ["id | name | site\n1 | pump\n2 |  | B"]);
}

#[test]
fn long_records_are_sections_by_their_name() {
    let long = "x".repeat(500);
    let source = format!(
        r#"[{{"title": "One", "body": "{long}", "n": {{"a": 1}}}}, {{"title": "Two", "body": "b"}}]"#
    );
    let got = texts(&source, "a.json");
    assert_eq!(got[0], "One");
    assert_eq!(got[1], format!("title: One\nbody: {long}"));
    assert_eq!(got[2], "One › n");
    assert_eq!(got[4], "title: Two\nbody: b");
}

#[test]
fn lines_of_json_are_records_and_a_bad_line_is_kept_as_text() {
    let source = "{\"q\": \"a\", \"n\": 1}\n{\"q\": \"b\", \"n\": 2}\n";
    assert_eq!(texts(source, "a.jsonl"), ["q | n\na | 1\nb | 2"]);
    let broken = format!("{source}{{broken\n");
    let document = parse_lines(broken.as_bytes(), &ParseOptions::default()).unwrap();
    assert_eq!(document.blocks[0].text, "{broken");
    assert_eq!(document.warnings[0].code, warning::PARTLY_DAMAGED);
}

#[test]
fn a_notebook_is_its_cells() {
    let source = r##"{"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["1\n"]}]}]}"##;
    assert_eq!(
        shapes(source, "a.ipynb"),
        [
            (BlockKind::Heading { level: 1 }, "Title".to_owned()),
            (BlockKind::Paragraph, "text".to_owned()),
            (BlockKind::Code { language: Some("python".into()) }, "print(1)".to_owned()),
            (BlockKind::Code { language: None }, "1".to_owned()),
        ]
    );
}

#[test]
fn nesting_without_end_is_refused() {
    let failure = parse("[".repeat(100_000).as_bytes(), &ParseOptions::default()).unwrap_err();
    assert_eq!(failure.code, crate::parse::FailureCode::DamagedFile);
}
