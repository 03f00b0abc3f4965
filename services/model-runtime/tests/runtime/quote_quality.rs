//! How often the quoted words hold the answer, on sets of questions with passages and answers.
//!
//! `ANWEN_EVAL_DIR=DIR cargo nextest run -p anwen-model-runtime --run-ignored only quote_quality --no-capture`, where each
//! folder of `DIR` has `corpus.jsonl`, `queries.jsonl`, `qrels.tsv` and `answers.jsonl`.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anwen_model_runtime::engine::extractive::{Passage, WEIGHTS, select_quotes};
use anwen_model_runtime::engine::static_embedding::{StaticModel, StaticScratch};
use anwen_text::terms;
use serde_json::Value;

use crate::support::bundled_models;

/// Questions of each set that are asked, evenly spread.
const MAX_QUESTIONS: usize = 600;
/// Passages beside the right one.
const DISTRACTORS: usize = 4;

struct Set {
    ids: HashMap<String, usize>,
    texts: Vec<String>,
    titles: Vec<String>,
    vectors: Vec<Vec<f32>>,
    terms: Vec<HashSet<String>>,
    frequency: HashMap<String, f32>,
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Set {
    fn load(folder: &Path, model: &StaticModel, scratch: &mut StaticScratch) -> Self {
        let corpus = rows(&folder.join("corpus.jsonl"));
        let texts: Vec<String> = corpus.iter().map(|row| text_of(&row["text"])).collect();
        let terms: Vec<HashSet<String>> =
            texts.iter().map(|text| terms(text).into_iter().collect()).collect();
        let mut frequency: HashMap<String, f32> = HashMap::new();
        for term in terms.iter().flatten() {
            *frequency.entry(term.clone()).or_default() += 1.0;
        }
        Self {
            ids: corpus.iter().enumerate().map(|(index, row)| (text_of(&row["id"]), index)).collect(),
            titles: corpus.iter().map(|row| text_of(&row["title"])).collect(),
            vectors: texts.iter().map(|text| model.embed(text, scratch)).collect(),
            texts,
            terms,
            frequency,
        }
    }

    /// Shared words by rarity plus half the cosine: about what retrieval does.
    fn retrieval_scores(&self, question: &str, vector: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let count = self.texts.len() as f32;
        let wanted: HashSet<String> = terms(question).into_iter().collect();
        let rarity =
            |term: &String| (1.0 + count / (1.0 + self.frequency.get(term).copied().unwrap_or(0.0))).ln();
        let whole: f32 = wanted.iter().map(rarity).sum::<f32>().max(f32::EPSILON);
        let lexical = |terms: &HashSet<String>| {
            wanted.iter().filter(|term| terms.contains(*term)).map(rarity).sum::<f32>() / whole
        };
        let cosine = |other: &Vec<f32>| other.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
        (self.terms.iter().map(lexical).collect(), self.vectors.iter().map(cosine).collect())
    }
}

/// The wrong passages nearest to the question, by words and by vector in turn.
fn distractors(lexical: &[f32], dense: &[f32], gold: usize, count: usize) -> Vec<usize> {
    let ranked = |scores: &[f32]| {
        let mut order: Vec<usize> = (0..scores.len()).filter(|index| *index != gold).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        order
    };
    let mut chosen = Vec::new();
    for (a, b) in ranked(lexical).into_iter().zip(ranked(dense)) {
        for index in [a, b] {
            if chosen.len() < count && !chosen.contains(&index) {
                chosen.push(index);
            }
        }
    }
    chosen
}

#[derive(Default)]
struct Tally {
    questions: usize,
    held: usize,
    refused: usize,
    refused_without_gold: usize,
    quotes: usize,
    chars: usize,
}

fn measure(folder: &Path, model: &StaticModel) -> Tally {
    let mut scratch = StaticScratch::default();
    let set = Set::load(folder, model, &mut scratch);
    let qrels = std::fs::read_to_string(folder.join("qrels.tsv")).unwrap();
    let gold: HashMap<&str, &str> = qrels
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|row| (row[0], row[1]))
        .collect();
    let answers: HashMap<String, Vec<String>> = rows(&folder.join("answers.jsonl"))
        .iter()
        .map(|row| {
            (text_of(&row["id"]), row["answers"].as_array().into_iter().flatten().map(text_of).collect())
        })
        .collect();
    let questions: Vec<(String, String)> = rows(&folder.join("queries.jsonl"))
        .iter()
        .map(|row| (text_of(&row["id"]), text_of(&row["text"])))
        .filter(|(id, _)| {
            gold.contains_key(id.as_str()) && answers.get(id).is_some_and(|answers| !answers.is_empty())
        })
        .collect();
    let mut tally = Tally::default();
    for (id, question) in questions.iter().step_by((questions.len() / MAX_QUESTIONS).max(1)) {
        let gold = set.ids[gold[id.as_str()]];
        let vector = model.embed(question, &mut scratch);
        let (lexical, dense) = set.retrieval_scores(question, &vector);
        let score = |index: usize| lexical[index] + 0.5 * dense[index];
        let near = distractors(&lexical, &dense, gold, DISTRACTORS + 1);
        let mut ask = |mut chosen: Vec<usize>| {
            chosen.sort_by(|a, b| score(*b).total_cmp(&score(*a)));
            let passages: Vec<Passage<'_>> = chosen
                .iter()
                .zip(1..)
                .map(|(&index, n)| Passage {
                    n,
                    title: &set.titles[index],
                    text: &set.texts[index],
                    score: score(index),
                })
                .collect();
            select_quotes(question, &passages, &WEIGHTS, |text| model.embed(text, &mut scratch))
        };
        let quotes = ask([&[gold], &near[..DISTRACTORS]].concat());
        let without_gold = ask(near.clone());
        tally.questions += 1;
        tally.held += usize::from(
            quotes.iter().any(|quote| answers[id].iter().any(|answer| quote.text.contains(answer))),
        );
        tally.refused += usize::from(quotes.is_empty());
        tally.refused_without_gold += usize::from(without_gold.is_empty());
        tally.quotes += quotes.len();
        tally.chars += quotes.iter().map(|quote| quote.text.chars().count()).sum::<usize>();
    }
    tally
}

#[test]
#[ignore = "needs evaluation sets: ANWEN_EVAL_DIR=DIR cargo nextest run -p anwen-model-runtime --run-ignored only quote_quality --no-capture"]
fn quote_quality() {
    let directory = std::env::var("ANWEN_EVAL_DIR").expect("ANWEN_EVAL_DIR names a folder of sets");
    let model = StaticModel::load(&bundled_models().join("embedding")).unwrap();
    println!(
        "| set | questions | quotes hold the answer | refused | refused without the right passage | quotes | characters |"
    );
    println!("|-|-|-|-|-|-|-|");
    let mut folders: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.join("answers.jsonl").is_file()) {
        let tally = measure(folder, &model);
        let share = |count: usize| 100.0 * count as f64 / tally.questions.max(1) as f64;
        println!(
            "| {} | {} | {:.1} % | {:.1} % | {:.1} % | {:.2} | {:.0} |",
            folder.file_name().unwrap().to_string_lossy(),
            tally.questions,
            share(tally.held),
            share(tally.refused),
            share(tally.refused_without_gold),
            share(tally.quotes) / 100.0,
            share(tally.chars) / 100.0,
        );
    }
}
