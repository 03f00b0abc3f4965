//! Questions whose answer is a row of a table: in spreadsheets, Word documents and PDF, in Chinese and English, put in
//! words of their own and among rows that differ in one cell.
//!
//! `cargo nextest run --workspace -E 'test(table_questions)' --no-capture` prints what was found, kind by kind.

mod data;
mod files;

use crate::harness::{Anwen, Person, root};
use data::files;
use files::Format;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Hits that a question may need.
const TOP_K: usize = 5;
/// The share of questions whose row must be among them, of all and in each language.
const WANTED_RECALL: f64 = 0.9;

#[derive(Debug, Deserialize)]
struct Question {
    id: String,
    language: String,
    question: String,
    /// What tells the row from every other: whole cells, or with `*` how they begin.
    cells: Vec<String>,
}

fn questions() -> Vec<Question> {
    let text = std::fs::read_to_string(root().join("tests/e2e/data/table_questions.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn is_row_of(question: &Question, row: &[String]) -> bool {
    question.cells.iter().all(|wanted| {
        row.iter().any(|cell| match wanted.strip_suffix('*') {
            Some(beginning) => cell.starts_with(beginning),
            None => cell == wanted,
        })
    })
}

/// Whether a passage shows the row as a row of a table.
fn shows_row(question: &Question, text: &str) -> bool {
    text.lines().filter(|line| line.starts_with("| ")).any(|line| {
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        is_row_of(question, &cells)
    })
}

#[test]
fn every_table_question_is_about_one_row() {
    let files = files();
    let rows: Vec<&Vec<String>> =
        files.iter().flat_map(|file| &file.tables).flat_map(|table| &table.rows[1..]).collect();
    assert!(files.len() >= 8 && rows.len() >= 400, "{} files, {} rows", files.len(), rows.len());
    let questions = questions();
    let of = |language: &str| questions.iter().filter(|question| question.language == language).count();
    assert!(of("zh") >= 30 && of("zh") + of("en") >= 60, "{} zh, {} en", of("zh"), of("en"));
    for question in &questions {
        let found = rows.iter().filter(|row| is_row_of(question, row)).count();
        assert_eq!(found, 1, "{} {}", question.id, question.question);
    }
}

/// How many questions of a kind were asked and found.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    asked: usize,
    found: usize,
}

impl Tally {
    fn recall(self) -> f64 {
        self.found as f64 / self.asked.max(1) as f64
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn table_questions_find_their_row_among_five_passages() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    for profile in ["general", "table"] {
        let base = upload_tables(&person, profile).await;
        let (tallies, misses) = ask_all(&person, &base).await;
        println!("\nchunk profile {profile}, recall@{TOP_K} of the right row");
        for (kind, tally) in &tallies {
            println!("  {kind:<20} {:>3} of {:>3}  {:.3}", tally.found, tally.asked, tally.recall());
        }
        for miss in &misses {
            println!("  missed {miss}");
        }
        for kind in ["all", "language zh", "language en"] {
            assert!(tallies[kind].recall() >= WANTED_RECALL, "{profile}, {kind}: {misses:#?}");
        }
        person.delete(&format!("/knowledge-bases/{base}")).await.expect_success();
    }
    anwen.stop().await;
}

async fn upload_tables(person: &Person, profile: &str) -> String {
    let body = json!({"name": format!("Tables by {profile}"), "chunk_profile": profile});
    let base = person.post("/knowledge-bases", &body).await.expect_success();
    assert_eq!(base["chunk_profile"], profile);
    let base = base["id"].as_str().unwrap().to_owned();
    for file in files() {
        let name = format!("{}.{}", file.name, file.format.extension());
        let document = person.add(&base, &name, file.format.write(&file.tables)).await;
        assert_eq!(document["status"], "indexed", "{document}");
    }
    base
}

async fn ask_all(person: &Person, base: &str) -> (BTreeMap<String, Tally>, Vec<String>) {
    let files = files();
    let format_of = |question: &Question| -> Format {
        let holds = |file: &&data::TableFile| {
            file.tables.iter().flat_map(|table| &table.rows[1..]).any(|row| is_row_of(question, row))
        };
        files.iter().find(holds).unwrap().format
    };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut misses = Vec::new();
    for question in questions() {
        let body = json!({"query": question.question, "top_k": TOP_K, "knowledge_base_ids": [base]});
        let answer =
            person.send(person.request(Method::POST, "/retrieve").json(&body)).await.expect_success();
        let hits: &Vec<Value> = answer["hits"].as_array().unwrap();
        assert!(hits.len() <= TOP_K);
        let found = hits.iter().any(|hit| shows_row(&question, hit["text"].as_str().unwrap()));
        let language = format!("language {}", question.language);
        for kind in ["all", format_of(&question).name(), &language] {
            let tally = tallies.entry(kind.to_owned()).or_default();
            tally.asked += 1;
            tally.found += usize::from(found);
        }
        if !found {
            misses.push(format!("{} {} {:?}", question.id, question.question, question.cells));
        }
    }
    (tallies, misses)
}
