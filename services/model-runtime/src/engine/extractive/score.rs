//! How well a unit answers a question.
//!
//! A sum of what can be seen without understanding: words shared with the question weighted by their rarity, nearness
//! of the embeddings, words that the neighbourhood shares, the passage's rank in retrieval, and whether the unit holds
//! the kind of thing that is asked for.

use std::collections::{HashMap, HashSet};

use anwen_text::{Language, is_han, language, terms};

use super::units::{Shape, Unit};
use super::{Passage, Weights};

/// The kind of thing that a question asks for, by its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Number,
    Time,
    Person,
    Place,
    Reason,
    Other,
}

/// A question, prepared once.
pub(super) struct Question {
    pub terms: HashSet<String>,
    pub language: Language,
    pub asked: Asked,
    pub vector: Vec<f32>,
}

impl Question {
    pub(super) fn new(text: &str, vector: Vec<f32>) -> Self {
        Self {
            terms: terms(text).into_iter().collect(),
            language: language(text),
            asked: asked(text),
            vector,
        }
    }
}

/// Words by which a question says what it asks for; the first kind that matches counts.
const KINDS: [(Asked, &[&str]); 5] = [
    (
        Asked::Time,
        &[
            "when ",
            "what year",
            "which year",
            "what date",
            "what time",
            "how long",
            "what day",
            "what month",
            "what century",
            "what decade",
            "哪年",
            "哪一年",
            "何时",
            "什么时候",
            "几月",
            "哪天",
            "多久",
            "多长时间",
            "什么时间",
            "几点",
            "年份",
            "日期",
            "哪个月",
        ],
    ),
    (
        Asked::Number,
        &[
            "how many",
            "how much",
            "how old",
            "how far",
            "how tall",
            "how large",
            "how big",
            "what percent",
            "what number",
            "how often",
            "how high",
            "how deep",
            "what is the price",
            "what does it cost",
            "what fraction",
            "多少",
            "几",
            "多大",
            "多高",
            "多长",
            "多远",
            "多重",
            "多深",
            "价格",
            "费用",
            "百分之",
        ],
    ),
    (
        Asked::Place,
        &[
            "where ",
            "what city",
            "what country",
            "which city",
            "which country",
            "what state",
            "what place",
            "哪里",
            "哪儿",
            "哪个国家",
            "哪个城市",
            "哪个省",
            "什么地方",
            "哪个地方",
            "位于",
            "地址",
        ],
    ),
    (Asked::Person, &["who ", "whom ", "whose ", "谁", "哪位", "何人", "什么人"]),
    (
        Asked::Reason,
        &["why ", "what caused", "what is the reason", "for what reason", "为什么", "为何", "原因", "怎么会"],
    ),
];

fn asked(question: &str) -> Asked {
    let lower = format!("{} ", anwen_text::normalize(question));
    KINDS
        .iter()
        .find(|(_, cues)| cues.iter().any(|cue| lower.contains(cue)))
        .map_or(Asked::Other, |(kind, _)| *kind)
}

/// Cosine similarity of two vectors of length 1 (or 0).
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Rarity of the question's terms among `units`: `ln(1 + N / (1 + n))` for a term in `n` of `N` units.
fn rarity<'q>(question: &'q Question, units: &[Unit<'_>]) -> HashMap<&'q str, f32> {
    let total = units.len() as f32;
    question
        .terms
        .iter()
        .map(|term| {
            let holding = units.iter().filter(|unit| unit.terms.contains(term)).count() as f32;
            (term.as_str(), (1.0 + total / (1.0 + holding)).ln())
        })
        .collect()
}

/// How a unit fares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    /// For choosing among units.
    pub rank: f32,
    /// For deciding whether there is an answer at all: what the unit and its neighbours show, without what is only known
    /// relative to other passages.
    pub evidence: f32,
    /// The unit is in the question's language.
    pub own_language: bool,
}

/// The score of every unit, in order.
pub(super) fn scores(
    question: &Question,
    passages: &[Passage<'_>],
    units: &[Unit<'_>],
    vectors: &[Vec<f32>],
    weights: &Weights,
) -> Vec<Score> {
    let rarity = rarity(question, units);
    let priors = retrieval_priors(passages);
    let titles: Vec<HashSet<String>> =
        passages.iter().map(|passage| terms(passage.title).into_iter().collect()).collect();
    (0..units.len())
        .map(|index| {
            let unit = &units[index];
            let own_language = language(unit.text) == question.language;
            let nearness = if own_language { weights.cosine } else { weights.cosine_across };
            let evidence = shared(&rarity, units, index, &titles[unit.passage], weights)
                + nearness * cosine(&question.vector, &vectors[index]);
            let mut rank = evidence + weights.prior * priors[unit.passage] - penalty(question, unit, weights);
            if holds(question, unit) {
                rank += weights.asked;
            }
            if own_language {
                rank += weights.language;
            }
            Score { rank, evidence, own_language }
        })
        .collect()
}

/// Share of the question's terms, weighted by `rarity`, in the unit at `index` or, for less, around it.
fn shared(
    rarity: &HashMap<&str, f32>,
    units: &[Unit<'_>],
    index: usize,
    title: &HashSet<String>,
    weights: &Weights,
) -> f32 {
    let unit = &units[index];
    let beside = |other: Option<usize>| {
        other.and_then(|other| units.get(other)).filter(|other| other.passage == unit.passage)
    };
    let before = beside(index.checked_sub(1));
    let after = beside(Some(index + 1));
    let credit = |term: &str| {
        if unit.terms.contains(term) {
            1.0
        } else if before.is_some_and(|unit| unit.terms.contains(term)) || title.contains(term) {
            weights.before
        } else if after.is_some_and(|unit| unit.terms.contains(term)) {
            weights.after
        } else {
            0.0
        }
    };
    let whole = rarity.values().sum::<f32>().max(f32::EPSILON);
    rarity.iter().map(|(term, weight)| credit(term) * weight).sum::<f32>() / whole
}

/// What speaks against quoting a unit, whatever it shares with the question.
fn penalty(question: &Question, unit: &Unit<'_>, weights: &Weights) -> f32 {
    let new_terms = unit.terms.difference(&question.terms).count();
    let mut penalty = 0.0;
    if unit.shape == Shape::Heading || new_terms == 0 {
        penalty += weights.empty;
    }
    if unit.text.ends_with(['?', '？']) {
        penalty += weights.question;
    }
    penalty
}

/// 1 for the passage that retrieval rated best, falling to 0 for the one that it rated worst.
fn retrieval_priors(passages: &[Passage<'_>]) -> Vec<f32> {
    let best = passages.iter().map(|passage| passage.score).fold(f32::NEG_INFINITY, f32::max);
    let worst = passages.iter().map(|passage| passage.score).fold(f32::INFINITY, f32::min);
    let spread = best - worst;
    passages
        .iter()
        .map(|passage| if spread > f32::EPSILON { (passage.score - worst) / spread } else { 0.0 })
        .collect()
}

/// Whether the unit holds, beyond the question's own words, the kind of thing that is asked for.
fn holds(question: &Question, unit: &Unit<'_>) -> bool {
    let new_number = || {
        unit.terms.iter().any(|term| term.chars().any(|c| c.is_numeric()) && !question.terms.contains(term))
            || unit.text.chars().any(|c| "一二三四五六七八九十百千万亿两半".contains(c))
                && unit.text.chars().any(is_han)
            || NUMBER_WORDS.iter().any(|word| unit.terms.contains(*word))
    };
    match question.asked {
        Asked::Number => new_number(),
        Asked::Time => {
            unit.text.chars().any(|c| c.is_ascii_digit()) && new_number()
                || ["年", "月", "日", "世纪", "小时", "分钟", "天"].iter().any(|cue| unit.text.contains(cue))
                    && new_number()
                || TIME_WORDS.iter().any(|word| unit.text.contains(word))
        }
        Asked::Person => names_someone(question, unit.text),
        Asked::Place => PLACE_WORDS.iter().any(|cue| unit.text.contains(cue)),
        Asked::Reason => REASON_WORDS.iter().any(|cue| unit.text.contains(cue)),
        Asked::Other => false,
    }
}

const NUMBER_WORDS: [&str; 16] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelv",
    "hundr", "thousand", "million", "half",
];

const TIME_WORDS: [&str; 14] = [
    "January",
    "February",
    "March",
    "April",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "century",
    "Monday",
    "Friday",
];

const PLACE_WORDS: [&str; 12] =
    [" in ", " at ", " near ", " from ", "located", "位于", "坐落", "地处", "省", "市", "县", "区"];

const REASON_WORDS: [&str; 14] = [
    "because",
    "due to",
    "since",
    "in order to",
    "as a result",
    "caused by",
    "so that",
    "因为",
    "由于",
    "因此",
    "导致",
    "为了",
    "所以",
    "原因",
];

/// A capitalised word inside the sentence that the question does not have; Chinese names cannot be told by their look.
fn names_someone(question: &Question, text: &str) -> bool {
    text.split_whitespace().skip(1).any(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.chars().next().is_some_and(char::is_uppercase)
            && word.len() > 2
            && !terms(word).iter().any(|term| question.terms.contains(term))
    })
}
