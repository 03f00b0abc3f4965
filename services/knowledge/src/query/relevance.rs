//! How likely a passage answers a question at all: the estimate behind "that is not in the documents".
//!
//! Two signs, each weak by itself: the cosine of question and passage, and the share of the question's words that the
//! passage (with its headings and its document's name) holds, weighted by how much a word says. They are put together
//! by a logistic function,
//!
//! `relevance = 1 / (1 + exp(-(BIAS + COSINE * cosine + COVERAGE * coverage)))`,
//!
//! fitted for the bundled embedding on questions whose passage is there and on the same questions with that passage
//! taken away, and then shifted so that 0.35 keeps 96 of 100 questions whose passage was found. It tells what lies far
//! from the question; what only looks like an answer (the right table, the wrong year) it cannot tell, and need not:
//! the answer is checked against the passage afterwards.

use crate::index::analysis::{Term, TermKind};
use std::collections::{HashMap, HashSet};

const BIAS: f32 = -3.4;
const COSINE: f32 = 7.3;
const COVERAGE: f32 = 1.9;
/// Where there is no cosine (a search by words alone), coverage has to say it all.
const BIAS_OF_WORDS: f32 = -1.9;
const COVERAGE_OF_WORDS: f32 = 4.5;

/// A code in the question is what it is about: a passage about another code answers another question.
const CODE_WEIGHT: f32 = 6.0;
/// A piece of a longer term stands beside it.
const PART_WEIGHT: f32 = 0.25;

/// What speaks for a passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// -1 to 1; `None` where embeddings were not asked or did not find the passage.
    pub cosine: Option<f32>,
    /// 0 to 1.
    pub coverage: f32,
}

impl Evidence {
    /// The evidence in the terms of a question and of a passage.
    pub fn new(wanted: &[Term], shown: &[Term], cosine: Option<f32>) -> Self {
        let shown: HashSet<&str> = shown.iter().map(|term| term.text.as_str()).collect();
        // Each term counts once, however often the question says it.
        let weights: HashMap<&str, f32> =
            wanted.iter().map(|term| (term.text.as_str(), weight(term))).collect();
        let total: f32 = weights.values().sum();
        let found: f32 =
            weights.iter().filter(|(text, _)| shown.contains(*text)).map(|(_, weight)| weight).sum();
        Self { cosine, coverage: if total > 0.0 { found / total } else { 0.0 } }
    }
}

/// A longer word says more: in Chinese, single characters are mostly particles.
fn weight(term: &Term) -> f32 {
    let kind = match term.kind {
        TermKind::Code => CODE_WEIGHT,
        TermKind::Word => 1.0,
        TermKind::Part => PART_WEIGHT,
    };
    let is_single = term.text.chars().nth(1).is_none();
    if is_single && term.kind == TermKind::Word { 0.25 } else { kind }
}

/// 0 to 1; see the module's description.
pub fn relevance(evidence: &Evidence) -> f32 {
    let score = match evidence.cosine {
        Some(cosine) => BIAS + COSINE * cosine + COVERAGE * evidence.coverage,
        None => BIAS_OF_WORDS + COVERAGE_OF_WORDS * evidence.coverage,
    };
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::analysis::Analyzer;

    fn rated(question: &str, passage: &str, cosine: f32) -> f32 {
        let analyzer = Analyzer::new();
        relevance(&Evidence::new(&analyzer.terms(question), &analyzer.terms(passage), Some(cosine)))
    }

    #[test]
    fn a_passage_with_the_questions_words_is_relevant_and_one_with_none_is_not() {
        let question = "How many days of annual leave do employees have?";
        let good = rated(question, "Employees have 15 days of annual leave each year.", 0.7);
        let bad = rated(question, "The reactor is cooled by water.", 0.1);
        assert!(good > 0.8 && bad < 0.1, "{good} {bad}");
        let question = "年假有多少天？";
        let good = rated(question, "员工每年享有15天年假。", 0.6);
        let bad = rated(question, "反应堆由水冷却。", 0.1);
        assert!(good > 0.5 && bad < 0.2, "{good} {bad}");
    }

    #[test]
    fn a_code_that_is_not_there_weighs_more_than_the_words_around_it() {
        let question = "What does fault code P0300 mean?";
        let right = rated(question, "P0300: random misfire. Fault codes begin with P.", 0.4);
        let wrong = rated(question, "P0455: fault code of the tank. What it means: a leak.", 0.4);
        assert!(right > wrong + 0.1, "{right} {wrong}");
    }
}
