//! Whether a passage supports a sentence that cites it, and where.
//!
//! Deliberately without a model: what a reader could check by eye is checked here. Everything exact (numbers, dates,
//! codes) must stand in the passage, and enough of the sentence's words must.

use super::facts::{Fact, KnownFacts, facts_of};
use anwen_contract::knowledge::{BoundingBox, LineBox};
use anwen_text::{Language, is_han, language, sentences, terms};
use std::collections::HashSet;
use std::ops::Range;

/// From this score on a sentence counts as supported. Sentences that a passage does not speak of score below 0.35
/// in both languages (common characters and words alone), close paraphrases above 0.5.
pub const SUPPORT_THRESHOLD: f32 = 0.45;
/// The score of a sentence in another language than its passage whose exact facts all stand there.
const CROSS_LANGUAGE_SCORE: f32 = 0.6;
/// A sentence that lacks a fact of its own keeps this share of its score.
const WRONG_FACT_FACTOR: f32 = 0.4;
/// Passage sentences that come this close to the best one are marked with it.
const ALSO_MARKED: f32 = 0.85;
/// Passage sentences that are marked for one answer sentence at most.
const MAX_MARKED: usize = 3;

/// How well a passage supports a sentence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Support {
    pub supported: bool,
    /// 0 to 1.
    pub score: f32,
}

/// A passage, read once for all the sentences that cite it.
pub struct Passage {
    text: String,
    language: Language,
    words: Words,
    facts: KnownFacts,
    sentences: Vec<(Range<usize>, Words)>,
}

/// The words of a text, coarse and fine: terms (Han in pairs), and single Han characters or word beginnings, which
/// survive rephrasing.
struct Words {
    terms: HashSet<String>,
    pieces: HashSet<String>,
}

impl Words {
    fn of(text: &str) -> Self {
        let terms: HashSet<String> = terms(text).into_iter().collect();
        let pieces = terms.iter().flat_map(|term| pieces_of(term)).collect();
        Self { terms, pieces }
    }

    /// The share of `self` that stands in `other`, 0 to 1; 0 for a text without words.
    fn covered_by(&self, other: &Self) -> f32 {
        let share = |mine: &HashSet<String>, theirs: &HashSet<String>| match mine.len() {
            0 => 0.0,
            count => mine.intersection(theirs).count() as f32 / count as f32,
        };
        0.5 * share(&self.terms, &other.terms) + 0.5 * share(&self.pieces, &other.pieces)
    }
}

/// Letters of a word's beginning that inflection rarely changes.
const WORD_BEGINNING_CHARS: usize = 5;

fn pieces_of(term: &str) -> Vec<String> {
    if term.chars().all(is_han) {
        return term.chars().map(String::from).collect();
    }
    vec![term.chars().take(WORD_BEGINNING_CHARS).collect()]
}

impl Passage {
    /// `text` with the heading under which it stands, whose words its sentences may leave out.
    pub fn new(text: &str, headings: &[String]) -> Self {
        let with_headings = format!("{}\n{text}", headings.join("\n"));
        let parts =
            sentences(text).into_iter().map(|range| (range.clone(), Words::of(&text[range]))).collect();
        Self {
            text: text.to_owned(),
            language: language(text),
            words: Words::of(&with_headings),
            facts: KnownFacts::of(&with_headings),
            sentences: parts,
        }
    }

    /// Whether this passage supports `sentence` (without markers).
    pub fn support(&self, sentence: &str) -> Support {
        if self.find_verbatim(sentence).is_some() {
            return Support { supported: true, score: 1.0 };
        }
        let facts = facts_of(sentence);
        let facts_hold = facts.iter().all(|fact| self.facts.bear_out(fact));
        let score = self.score(sentence, &facts, facts_hold);
        let score = if facts_hold { score } else { score * WRONG_FACT_FACTOR };
        Support { supported: facts_hold && score >= SUPPORT_THRESHOLD, score }
    }

    fn score(&self, sentence: &str, facts: &[Fact], facts_hold: bool) -> f32 {
        let score = Words::of(sentence).covered_by(&self.words);
        let other_language = matches!(
            (language(sentence), self.language),
            (Language::Chinese, Language::English) | (Language::English, Language::Chinese)
        );
        if other_language && facts_hold && !facts.is_empty() {
            return score.max(CROSS_LANGUAGE_SCORE);
        }
        score
    }

    /// The parts of the passage's text that say what `sentence` says: itself where it stands there word for word,
    /// else the sentences nearest to it.
    pub fn supporting_ranges(&self, sentence: &str) -> Vec<Range<usize>> {
        if let Some(range) = self.find_verbatim(sentence) {
            return vec![range];
        }
        let wanted = Words::of(sentence);
        let facts = facts_of(sentence);
        let rate = |(range, words): &(Range<usize>, Words)| {
            let known = KnownFacts::of(&self.text[range.clone()]);
            let borne_out = facts.iter().filter(|fact| known.bear_out(fact)).count();
            let facts_share = if facts.is_empty() { 0.0 } else { borne_out as f32 / facts.len() as f32 };
            (range.clone(), wanted.covered_by(words) + facts_share)
        };
        let rated: Vec<(Range<usize>, f32)> = self.sentences.iter().map(rate).collect();
        let best = rated.iter().map(|(_, score)| *score).fold(0.0, f32::max);
        if best <= 0.0 {
            return Vec::new();
        }
        let mut near: Vec<_> = rated.into_iter().filter(|(_, score)| *score >= best * ALSO_MARKED).collect();
        near.sort_by(|left, right| right.1.total_cmp(&left.1));
        near.truncate(MAX_MARKED);
        near.sort_by_key(|(range, _)| range.start);
        near.into_iter().map(|(range, _)| range).collect()
    }

    /// Where `sentence` stands in the passage, white space aside.
    fn find_verbatim(&self, sentence: &str) -> Option<Range<usize>> {
        let wanted: String = sentence.chars().filter(|c| !c.is_whitespace()).collect();
        let wanted = wanted.trim_end_matches(['.', '。', '…']);
        if wanted.is_empty() {
            return None;
        }
        let mut flat = String::with_capacity(self.text.len());
        let mut origin = Vec::with_capacity(self.text.len());
        for (at, c) in self.text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            flat.push(c);
            origin.resize(flat.len(), at);
        }
        let start = flat.find(wanted)?;
        let last = *origin.get(start + wanted.len() - 1)?;
        let last_length = self.text[last..].chars().next().map_or(1, char::len_utf8);
        Some(*origin.get(start)?..last + last_length)
    }
}

/// The boxes of the lines on which these parts of a chunk's text stand.
pub fn boxes_of(ranges: &[Range<usize>], lines: &[LineBox]) -> Vec<BoundingBox> {
    let touches = |line: &&LineBox| {
        let (start, end) = (line.start as usize, line.end as usize);
        ranges.iter().any(|range| start < range.end && range.start < end)
    };
    lines.iter().filter(touches).map(|line| line.bounds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVE_ZH: &str = "第三章 休假\n员工入职满一年后，每年享有15天带薪年假。年假应当在当年用完，经部门经理批准可以顺延至次年3月31日。病假需提供医院证明，每年最多10天。";
    const LEAVE_EN: &str = "Employees who have completed one year of service are entitled to 15 days of paid annual leave. Unused leave may be carried over until 31 March of the next year with the manager's approval. Sick leave requires a medical certificate.";
    const FAULT_EN: &str = "| Code | Meaning | Remedy |\n|---|---|---|\n| E-204 | Coolant pressure below 1.2 bar | Check the pump seal |\n| E-205 | Door open | Close the door |";

    #[test]
    fn sentences_are_supported_by_what_the_passage_says_and_by_nothing_else() {
        for (sentence, passage, expected) in [
            ("员工入职满一年后，每年享有15天带薪年假。", LEAVE_ZH, true),
            ("入职满一年的员工每年有15天年假。", LEAVE_ZH, true),
            ("每年有15天带薪年假，经经理批准可以顺延至次年3月31日。", LEAVE_ZH, true),
            ("入职满一年的员工每年有20天年假。", LEAVE_ZH, false),
            ("公司提供免费午餐和班车。", LEAVE_ZH, false),
            ("加班费按照工资的三倍计算。", LEAVE_ZH, false),
            ("After one year of service employees get 15 days of paid annual leave.", LEAVE_EN, true),
            ("Leave can be carried over until 31 March with approval from the manager.", LEAVE_EN, true),
            ("After one year of service employees get 25 days of paid annual leave.", LEAVE_EN, false),
            ("The cafeteria is open from noon.", LEAVE_EN, false),
            ("E-204 means that the coolant pressure is below 1.2 bar.", FAULT_EN, true),
            ("E-206 means that the coolant pressure is below 1.2 bar.", FAULT_EN, false),
            ("Employees get 15 days of annual leave.", LEAVE_ZH, true),
            ("Employees get 18 days of annual leave.", LEAVE_ZH, false),
            ("Lunch is free.", LEAVE_ZH, false),
        ] {
            let support = Passage::new(passage, &[]).support(sentence);
            assert_eq!(support.supported, expected, "{sentence}: {support:?}");
            assert!((0.0..=1.0).contains(&support.score));
        }
    }

    #[test]
    fn a_heading_lends_its_words() {
        let headings = ["年假".to_owned()];
        let passage = Passage::new("入职满一年：15天。", &headings);
        assert!(passage.support("入职满一年，年假15天。").supported);
    }

    #[test]
    fn the_supporting_part_is_found() {
        let passage = Passage::new(LEAVE_ZH, &[]);
        for (sentence, expected) in [
            ("病假需提供医院证明，每年最多10天。", "病假需提供医院证明，每年最多10天。"),
            ("病假每年最多10天，需要医院证明", "病假需提供医院证明，每年最多10天。"),
            ("年假可以顺延至次年3月31日", "年假应当在当年用完，经部门经理批准可以顺延至次年3月31日。"),
        ] {
            let found: Vec<&str> =
                passage.supporting_ranges(sentence).into_iter().map(|range| &LEAVE_ZH[range]).collect();
            assert!(
                found.iter().any(|found| found.contains(expected.trim_end_matches('。'))),
                "{sentence}: {found:?}"
            );
        }
        assert!(passage.supporting_ranges("zzz").is_empty());
    }

    #[test]
    fn a_sentence_broken_over_lines_is_found_and_its_lines_marked() {
        let text = "Title\nUnused leave may be\ncarried over.\nOther text.";
        let passage = Passage::new(text, &[]);
        let ranges = passage.supporting_ranges("Unused leave may be carried over.");
        let line = |start: u32, end: u32, y: f32| LineBox {
            start,
            end,
            bounds: BoundingBox { page: 1, x0: 0.0, y0: y, x1: 10.0, y1: y + 10.0 },
        };
        let lines = [line(0, 5, 0.0), line(6, 25, 10.0), line(26, 39, 20.0), line(40, 51, 30.0)];
        let marked: Vec<f32> = boxes_of(&ranges, &lines).iter().map(|bounds| bounds.y0).collect();
        assert_eq!(marked, [10.0, 20.0]);
        assert!(boxes_of(&[], &lines).is_empty());
    }
}
