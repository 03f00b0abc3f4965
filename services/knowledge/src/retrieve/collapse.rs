//! Leaving out what says the same as a better hit.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use anwen_contract::DocumentId;

use crate::index::markdown::head_length;

/// Characters of one shingle.
const SHINGLE_CHARS: usize = 8;
/// Two texts with this share of common shingles (Jaccard) or more are repetitions of one another.
const SAME_FROM: f32 = 0.9;

/// Between which hits repetitions are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Nowhere: every hit stays.
    Off,
    /// Within a document and between those that are known to be near-duplicates. Another document that happens to say
    /// the same stays: who looks for a document wants all that have it.
    #[default]
    WithinDocument,
    /// Everywhere, for a prompt that has no room to be told anything twice.
    AcrossDocuments,
}

/// What a text says, for comparing it with others.
#[derive(Debug, Clone)]
pub struct Signature {
    document_id: DocumentId,
    /// Hashes of the shingles, sorted and without repetitions.
    shingles: Vec<u64>,
    /// Rows of a table and articles of a law differ in a number and nothing else, and say different things.
    numbers: BTreeSet<String>,
}

impl Signature {
    pub fn new(document_id: DocumentId, text: &str) -> Self {
        if let Some(head) = head_length(text) {
            return Self::of_rows(document_id, &text[head..]);
        }
        let normalized = anwen_text::normalize(text);
        let characters: Vec<char> =
            normalized.chars().filter(|character| character.is_alphanumeric()).collect();
        let mut shingles: Vec<u64> = if characters.len() < SHINGLE_CHARS {
            vec![hash(&characters)]
        } else {
            characters.windows(SHINGLE_CHARS).map(hash).collect()
        };
        shingles.sort_unstable();
        shingles.dedup();
        Self { document_id, shingles, numbers: numbers(&normalized) }
    }

    /// Of a table, a row is one shingle, and the header, which every part repeats, is none: rows that differ in one word
    /// of one cell say different things.
    fn of_rows(document_id: DocumentId, rows: &str) -> Self {
        let normalized = anwen_text::normalize(rows);
        let mut shingles: Vec<u64> = normalized.lines().map(hash).collect();
        shingles.sort_unstable();
        shingles.dedup();
        Self { document_id, shingles, numbers: numbers(&normalized) }
    }

    /// True when the two texts say the same, as far as letters and numbers can tell.
    pub fn repeats(&self, other: &Self) -> bool {
        if self.numbers != other.numbers {
            return false;
        }
        let common = common(&self.shingles, &other.shingles);
        let all = self.shingles.len() + other.shingles.len() - common;
        // Both counts are small enough for f32 to hold exactly.
        common as f32 >= SAME_FROM * all as f32
    }
}

/// Decides one after the other, in the order of the ranking, which texts stay.
#[derive(Debug)]
pub struct Collapser {
    scope: Scope,
    kept: Vec<Signature>,
}

impl Collapser {
    pub fn new(scope: Scope) -> Self {
        Self { scope, kept: Vec::new() }
    }

    /// True when the text is new; it is remembered then.
    pub fn keep(&mut self, document_id: DocumentId, text: &str) -> bool {
        if self.scope == Scope::Off {
            return true;
        }
        let signature = Signature::new(document_id, text);
        let is_repeated = self
            .kept
            .iter()
            .filter(|kept| self.scope == Scope::AcrossDocuments || kept.document_id == document_id)
            .any(|kept| kept.repeats(&signature));
        if !is_repeated {
            self.kept.push(signature);
        }
        !is_repeated
    }
}

fn hash(characters: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    characters.hash(&mut hasher);
    hasher.finish()
}

fn numbers(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !character.is_alphanumeric() || anwen_text::is_han(character))
        .filter(|word| word.contains(|character: char| character.is_numeric()))
        .map(str::to_owned)
        .collect()
}

/// How many numbers two sorted lists share.
fn common(one: &[u64], other: &[u64]) -> usize {
    let (mut at, mut other_at, mut count) = (0, 0, 0);
    while at < one.len() && other_at < other.len() {
        match one[at].cmp(&other[other_at]) {
            std::cmp::Ordering::Less => at += 1,
            std::cmp::Ordering::Greater => other_at += 1,
            std::cmp::Ordering::Equal => {
                count += 1;
                at += 1;
                other_at += 1;
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "Employees accrue annual leave at one and a quarter days for every full month of service, and may \
        carry unused days into the first quarter of the next year with the consent of their manager.";

    #[test]
    fn texts_that_say_the_same_are_told_from_those_that_do_not() {
        let document = DocumentId::new();
        let table = [
            (LONG.to_owned(), LONG.to_uppercase().replace(',', "，"), true),
            (LONG.to_owned(), format!("{LONG} Yes."), true),
            (LONG.to_owned(), format!("{LONG} See section 7."), false),
            (LONG.to_owned(), LONG.replace("annual", "sick").replace("year", "decade"), false),
            (
                "故障码E-204：请检查电机温度传感器的接线是否松动，然后重新启动设备。".to_owned(),
                "故障码E-205：请检查电机温度传感器的接线是否松动，然后重新启动设备。".to_owned(),
                false,
            ),
            ("年假為十五天".to_owned(), "年假为十五天。".to_owned(), true),
            ("短".to_owned(), "长".to_owned(), false),
            (
                "| name of the colleague | department | telephone number |\n|---|---|---|\n| Li Wei | sales | 12 |".to_owned(),
                "| name of the colleague | department | telephone number |\n|---|---|---|\n| Li Mei | sales | 12 |".to_owned(),
                false,
            ),
            (String::new(), String::new(), true),
        ];
        for (one, other, expected) in &table {
            let (first, second) = (Signature::new(document, one), Signature::new(document, other));
            assert_eq!(first.repeats(&second), *expected, "{one:?} / {other:?}");
            assert_eq!(second.repeats(&first), *expected, "{other:?} / {one:?}");
        }
    }

    #[test]
    fn the_scope_says_whose_repetitions_go() {
        let (one, other) = (DocumentId::new(), DocumentId::new());
        for (scope, expected) in [
            (Scope::Off, [true, true, true]),
            (Scope::WithinDocument, [true, false, true]),
            (Scope::AcrossDocuments, [true, false, false]),
        ] {
            let mut collapser = Collapser::new(scope);
            let kept = [one, one, other].map(|document| collapser.keep(document, LONG));
            assert_eq!(kept, expected, "{scope:?}");
        }
    }
}
