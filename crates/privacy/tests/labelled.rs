//! Precision and recall of the detectors over `labelled.txt`, by kind and altogether.
#![allow(clippy::expect_used)]

use anwen_privacy::{Detector, Kind};
use std::collections::BTreeMap;

const CASES: &str = include_str!("labelled.txt");
const WORDS: [&str; 4] = ["启明星计划", "Project Falcon", "ACE", "华东电网"];
/// What the detectors have to reach, with all kinds looked for at once.
const MIN_PRECISION: f64 = 0.97;
const MIN_RECALL: f64 = 0.97;
const MIN_CASES_EACH_WAY: usize = 150;

struct Case {
    text: String,
    expected: Option<(Kind, String)>,
}

fn cases() -> Vec<Case> {
    let lines = CASES.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let fields: Vec<String> = line.split('\t').map(|field| field.replace("\\n", "\n")).collect();
            let [kind, value, text] = fields.as_slice() else { panic!("three fields: {line}") };
            let expected = (kind != "-").then(|| (kind.parse().expect(line), value.clone()));
            Case { text: text.clone(), expected }
        })
        .collect()
}

#[derive(Default, Clone, Copy)]
struct Counts {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Counts {
    fn precision(self) -> f64 {
        self.right as f64 / (self.right + self.wrong).max(1) as f64
    }

    fn recall(self) -> f64 {
        self.right as f64 / (self.right + self.missed).max(1) as f64
    }
}

/// A finding is right when its kind and its text are those of the label, to the byte; anything else that is found
/// is wrong, in texts with a label too.
#[test]
fn precision_and_recall_over_the_labelled_texts() {
    let words = WORDS.map(str::to_owned);
    let detector = Detector::new(Kind::ALL, &words).expect("the list is short");
    let cases = cases();
    let positives = cases.iter().filter(|case| case.expected.is_some()).count();
    assert!(positives >= MIN_CASES_EACH_WAY && cases.len() - positives >= MIN_CASES_EACH_WAY);
    let mut by_kind: BTreeMap<Kind, Counts> = BTreeMap::new();
    let mut mistakes = String::new();
    for case in &cases {
        let found = detector.find(&case.text);
        let found: Vec<(Kind, &str)> =
            found.iter().map(|finding| (finding.kind, &case.text[finding.range.clone()])).collect();
        let expected = case.expected.as_ref().map(|(kind, value)| (*kind, value.as_str()));
        for one in &found {
            let counts = by_kind.entry(one.0).or_default();
            if Some(*one) == expected { counts.right += 1 } else { counts.wrong += 1 }
        }
        if let Some(expected) = expected.filter(|expected| !found.contains(expected)) {
            by_kind.entry(expected.0).or_default().missed += 1;
        }
        if found != expected.into_iter().collect::<Vec<_>>() {
            mistakes += &format!("  {:?}: {found:?} instead of {expected:?}\n", case.text);
        }
    }
    let mut all = Counts::default();
    println!(
        "{:<16} {:>6} {:>6} {:>6} {:>10} {:>8}",
        "kind", "right", "wrong", "missed", "precision", "recall"
    );
    let print = |name: &str, counts: Counts| {
        println!(
            "{name:<16} {:>6} {:>6} {:>6} {:>10.3} {:>8.3}",
            counts.right,
            counts.wrong,
            counts.missed,
            counts.precision(),
            counts.recall()
        );
    };
    for (kind, counts) in &by_kind {
        print(kind.as_str(), *counts);
        all.right += counts.right;
        all.wrong += counts.wrong;
        all.missed += counts.missed;
    }
    print("all", all);
    println!(
        "{positives} texts with something to find, {} with nothing\n{mistakes}",
        cases.len() - positives
    );
    assert!(all.precision() >= MIN_PRECISION, "precision {:.3}\n{mistakes}", all.precision());
    assert!(all.recall() >= MIN_RECALL, "recall {:.3}\n{mistakes}", all.recall());
}
