//! Real files of many kinds, some of them broken, where a collection of them is at hand: every one ends indexed or
//! failed with a reason, and questions find their document. The folder is named by `ANWEN_SHARED`, or is
//! `../shared` beside the workspace; without it these tests say so and pass.

use crate::harness::{Anwen, root};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Share of answerable questions whose document must be among the first five.
const MIN_FOUND: f64 = 0.85;

fn collection() -> Option<PathBuf> {
    let shared = std::env::var_os("ANWEN_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let folder = shared.join("docs/dev");
    if !folder.join("manifest.jsonl").is_file() {
        eprintln!("skipped: no collection of real files at {}", folder.display());
        return None;
    }
    Some(folder)
}

fn lines_of(file: PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_real_file_ends_indexed_or_failed_and_questions_find_their_document() {
    let Some(folder) = collection() else { return };
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Real files").await;
    let mut ids = BTreeMap::new();
    for entry in lines_of(folder.join("manifest.jsonl")) {
        let path = entry["path"].as_str().unwrap().to_owned();
        let bytes = std::fs::read(folder.join(&path)).unwrap();
        let answer = person.upload(&base, &path, bytes).await.expect_success();
        ids.insert(path, answer["documents"][0].clone());
    }
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for (path, uploaded) in &ids {
        let document = person.wait_for(uploaded["id"].as_str().unwrap()).await;
        let code = document["error"]["code"].as_str().unwrap_or("indexed").to_owned();
        if document["status"] == "failed" {
            assert!(!document["error"]["message"].as_str().unwrap().is_empty(), "{path}");
            println!("{code}: {path}");
        }
        *outcomes.entry(code).or_default() += 1;
    }
    println!("{} files: {outcomes:?}", ids.len());

    let (mut asked, mut found) = (0, 0);
    for question in lines_of(folder.join("questions.jsonl")) {
        let Some(file) = question["file"].as_str() else { continue };
        let Some(uploaded) = ids.get(file) else { continue };
        let body = json!({"query": question["question"], "top_k": 5, "knowledge_base_ids": [base]});
        let hits = person.post("/retrieve", &body).await.expect_success();
        let same = |hit: &&Value| {
            hit["document_id"] == uploaded["id"] || hit["document_id"] == uploaded["duplicate_of"]
        };
        let hit = hits["hits"].as_array().unwrap().iter().find(same).is_some();
        asked += 1;
        found += usize::from(hit);
        if !hit {
            println!("missed: {} ({file})", question["question"]);
        }
    }
    let share = found as f64 / f64::from(asked.max(1));
    println!("document in the top 5: {found} of {asked} ({:.1} %)", share * 100.0);
    assert!(share >= MIN_FOUND, "{found} of {asked}");
    anwen.stop().await;
}
