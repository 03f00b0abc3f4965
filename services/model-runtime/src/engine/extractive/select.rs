//! Which units are quoted, and with what beside them.

use std::collections::HashSet;

use super::score::{Question, Score, cosine, scores};
use super::units::{Shape, Unit, units};
use super::{Passage, Quote, Weights};

/// Quotes of one answer.
const MAX_QUOTES: usize = 4;

/// A quote after the first is only added while the answer stays below this.
const ANSWER_MAX_CHARS: usize = 900;

/// Two units nearer to each other than this say the same.
const DUPLICATE_COSINE: f32 = 0.9;

/// Two units that share more of the smaller one's terms than this say the same.
const DUPLICATE_OVERLAP: f32 = 0.8;

/// The quotes that answer `question` best, the best one first; none when nothing answers.
///
/// `embed` gives vectors of length 1 (or empty ones, when there is no embedding).
pub fn select_quotes(
    question: &str,
    passages: &[Passage<'_>],
    weights: &Weights,
    mut embed: impl FnMut(&str) -> Vec<f32>,
) -> Vec<Quote> {
    select_scored(question, passages, weights, &mut embed).0
}

/// [`select_quotes`] with the evidence of the best unit.
pub fn select_scored(
    question: &str,
    passages: &[Passage<'_>],
    weights: &Weights,
    mut embed: impl FnMut(&str) -> Vec<f32>,
) -> (Vec<Quote>, f32) {
    let units = units(passages);
    let vectors: Vec<Vec<f32>> = units.iter().map(|unit| embed(unit.text)).collect();
    let question = Question::new(question, embed(question));
    let scores = scores(&question, passages, &units, &vectors, weights);
    let chosen = choose(&units, &vectors, &scores, weights);
    let best = scores.iter().max_by(|a, b| a.rank.total_cmp(&b.rank)).map_or(0.0, |score| score.evidence);
    (compose(passages, &units, &chosen), best)
}

/// Indexes of the units to quote, best first.
fn choose(units: &[Unit<'_>], vectors: &[Vec<f32>], scores: &[Score], weights: &Weights) -> Vec<usize> {
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by(|&a, &b| scores[b].rank.total_cmp(&scores[a].rank));
    let Some(&best) = order.first().filter(|&&best| scores[best].evidence >= weights.threshold) else { return Vec::new() };
    let mut chosen: Vec<usize> = vec![best];
    let mut chars = units[best].text.chars().count();
    for &index in &order[1..] {
        if chosen.len() == MAX_QUOTES || scores[index].rank < scores[best].rank * weights.share {
            break;
        }
        let length = units[index].text.chars().count();
        let repeats = chosen.iter().any(|&other| {
            units[index].text == units[other].text
                || cosine(&vectors[index], &vectors[other]) > DUPLICATE_COSINE
                || overlap(&units[index].terms, &units[other].terms) > DUPLICATE_OVERLAP
        });
        if !repeats && chars + length <= ANSWER_MAX_CHARS {
            chars += length;
            chosen.push(index);
        }
    }
    chosen
}

/// Shared terms as a share of the smaller set.
fn overlap(a: &HashSet<String>, b: &HashSet<String>) -> f32 {
    let smaller = a.len().min(b.len()).max(1);
    a.intersection(b).count() as f32 / smaller as f32
}

/// Joins neighbours, adds what a unit cannot be understood without, and orders: passages by their best unit, units as
/// they stand in the passage.
fn compose(passages: &[Passage<'_>], units: &[Unit<'_>], chosen: &[usize]) -> Vec<Quote> {
    let mut passage_order: Vec<usize> = Vec::new();
    for &index in chosen {
        if !passage_order.contains(&units[index].passage) {
            passage_order.push(units[index].passage);
        }
    }
    let mut quotes = Vec::new();
    for passage in passage_order {
        let mut wanted: Vec<usize> = chosen.iter().copied().filter(|&index| units[index].passage == passage).collect();
        let needed: Vec<usize> = wanted.iter().flat_map(|&index| needed_with(units, index)).collect();
        wanted.extend(needed);
        wanted.sort_unstable();
        wanted.dedup();
        let mut at = 0;
        while at < wanted.len() {
            let first = wanted[at];
            let mut last = first;
            while at + 1 < wanted.len() && wanted[at + 1] == last + 1 {
                at += 1;
                last = wanted[at];
            }
            let text = &passages[passage].text[units[first].range.start..units[last].range.end];
            quotes.push(Quote { n: passages[passage].n, text: text.to_owned() });
            at += 1;
        }
    }
    quotes
}

/// Units without which `index` cannot be understood.
fn needed_with(units: &[Unit<'_>], index: usize) -> Vec<usize> {
    let same_passage = |other: usize| units.get(other).is_some_and(|unit| unit.passage == units[index].passage);
    let before = index.checked_sub(1).filter(|&before| same_passage(before));
    let mut needed = Vec::new();
    match units[index].shape {
        Shape::Sentence => {
            if begins_dependent(units[index].text) {
                needed.extend(before.filter(|&before| units[before].shape == Shape::Sentence));
            }
            if units[index].text.ends_with([':', '：']) && same_passage(index + 1) {
                needed.push(index + 1);
            }
        }
        Shape::TableRow => {
            let mut head = index;
            while head > 0 && same_passage(head - 1) && units[head - 1].shape == Shape::TableRow {
                head -= 1;
            }
            needed.push(head);
        }
        Shape::ListItem | Shape::Heading => {}
    }
    needed
}

/// A sentence that begins with a pronoun or a connective means little without the one before it.
fn begins_dependent(text: &str) -> bool {
    const WORDS: [&str; 20] = [
        "It", "This", "That", "These", "Those", "They", "He", "She", "His", "Her", "Their", "Its", "However,", "Therefore,", "Thus,",
        "But", "Also,", "Then", "Such", "Instead,",
    ];
    const HAN_STARTS: [&str; 20] = [
        "它", "他", "她", "该", "这", "其", "此", "因此", "所以", "但", "然而", "不过", "同时", "另外", "而且", "并且", "那", "上述", "否则", "于是",
    ];
    let first = text.split_whitespace().next().unwrap_or("");
    WORDS.contains(&first) || HAN_STARTS.iter().any(|start| text.starts_with(start)) && !text.starts_with("其他") && !text.starts_with("其中")
}
