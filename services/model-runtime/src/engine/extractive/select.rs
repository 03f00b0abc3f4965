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
    let units = units(passages);
    let vectors: Vec<Vec<f32>> = units.iter().map(|unit| embed(unit.text)).collect();
    let question = Question::new(question, embed(question));
    let scores = scores(&question, passages, &units, &vectors, weights);
    let chosen = choose(&units, &vectors, &scores, weights);
    compose(passages, &units, &chosen)
}

/// Indexes of the units to quote, best first.
fn choose(units: &[Unit<'_>], vectors: &[Vec<f32>], scores: &[Score], weights: &Weights) -> Vec<usize> {
    // Evidence across languages rests on the embedding alone and is counted higher for that; where the question's own
    // language has enough to say, it is not to be outvoted by a translation of something near.
    let enough =
        scores.iter().any(|score| score.own_language && score.evidence >= weights.own_language_enough);
    let quotable =
        |index: &usize| units[*index].shape != Shape::Oversized && (!enough || scores[*index].own_language);
    let mut order: Vec<usize> = (0..units.len()).filter(quotable).collect();
    order.sort_by(|&a, &b| scores[b].rank.total_cmp(&scores[a].rank));
    let Some(&best) = order.first().filter(|&&best| scores[best].evidence >= weights.threshold) else {
        return Vec::new();
    };
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
        let mut wanted: Vec<usize> =
            chosen.iter().copied().filter(|&index| units[index].passage == passage).collect();
        let needed: Vec<usize> = wanted.iter().flat_map(|&index| needed_with(units, index)).collect();
        wanted.extend(needed);
        wanted.sort_unstable();
        wanted.dedup();
        let Passage { n, text, .. } = passages[passage];
        for group in wanted.chunk_by(|&before, &next| belong_together(units, before, next)) {
            quotes.push(Quote {
                n,
                text: quote_text(text, units, group),
                is_table: is_table(units, group[0]),
            });
        }
    }
    quotes
}

fn is_table(units: &[Unit<'_>], index: usize) -> bool {
    units[index].shape == Shape::TableRow
}

/// Neighbours make one quote, and so do the rows of one table.
fn belong_together(units: &[Unit<'_>], before: usize, next: usize) -> bool {
    next == before + 1 && is_table(units, before) == is_table(units, next)
        || (before..=next).all(|index| is_table(units, index))
}

/// The words of neighbouring units as they stand in `passage`; between rows that are not neighbours, a line break.
fn quote_text(passage: &str, units: &[Unit<'_>], group: &[usize]) -> String {
    let mut text = String::new();
    for neighbours in group.chunk_by(|&before, &next| next == before + 1) {
        let (Some(&first), Some(&last)) = (neighbours.first(), neighbours.last()) else { continue };
        if !text.is_empty() {
            text.push('\n');
        }
        let end = units[last].range.end;
        text.push_str(&passage[units[first].range.start..end]);
        if neighbours.len() == 1 && is_table(units, first) {
            text.push_str(table_rule_after(&passage[end..]));
        }
    }
    text
}

/// The line under a table's head (`|---|---|`), without which the rows below are no table to a Markdown reader.
fn table_rule_after(rest: &str) -> &str {
    let Some(line) = rest.strip_prefix('\n').and_then(|rest| rest.lines().next()) else { return "" };
    let is_rule = line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    if is_rule { &rest[..=line.trim_end().len()] } else { "" }
}

/// Units without which `index` cannot be understood.
fn needed_with(units: &[Unit<'_>], index: usize) -> Vec<usize> {
    let same_passage =
        |other: usize| units.get(other).is_some_and(|unit| unit.passage == units[index].passage);
    let before = index.checked_sub(1).filter(|&before| same_passage(before));
    let mut needed = Vec::new();
    match units[index].shape {
        Shape::Sentence => {
            if begins_dependent(units[index].text) {
                needed.extend(before.filter(|&before| units[before].shape == Shape::Sentence));
            }
            let next_is_quotable = || same_passage(index + 1) && units[index + 1].shape != Shape::Oversized;
            if units[index].text.ends_with([':', '：']) && next_is_quotable() {
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
        Shape::ListItem | Shape::Heading | Shape::Oversized => {}
    }
    needed
}

/// A sentence that begins with a pronoun or a connective means little without the one before it.
fn begins_dependent(text: &str) -> bool {
    const WORDS: [&str; 20] = [
        "It",
        "This",
        "That",
        "These",
        "Those",
        "They",
        "He",
        "She",
        "His",
        "Her",
        "Their",
        "Its",
        "However,",
        "Therefore,",
        "Thus,",
        "But",
        "Also,",
        "Then",
        "Such",
        "Instead,",
    ];
    const HAN_STARTS: [&str; 20] = [
        "它", "他", "她", "该", "这", "其", "此", "因此", "所以", "但", "然而", "不过", "同时", "另外",
        "而且", "并且", "那", "上述", "否则", "于是",
    ];
    let first = text.split_whitespace().next().unwrap_or("");
    WORDS.contains(&first)
        || HAN_STARTS.iter().any(|start| text.starts_with(start))
            && !text.starts_with("其他")
            && !text.starts_with("其中")
}

#[cfg(test)]
mod tests {
    use super::super::WEIGHTS;
    use super::*;

    /// Without an embedding, so that what is quoted can be foreseen.
    fn quoted(question: &str, texts: &[&str]) -> Vec<(u32, String)> {
        let passages: Vec<Passage<'_>> = texts
            .iter()
            .zip(1..)
            .map(|(text, n)| Passage { n, title: "", text, score: 1.0 / n as f32 })
            .collect();
        let quotes = select_quotes(question, &passages, &WEIGHTS, |_| Vec::new());
        quotes.into_iter().map(|quote| (quote.n, quote.text)).collect()
    }

    #[test]
    fn the_sentence_that_shares_the_rare_words_is_quoted() {
        let handbook =
            "The office opens at eight. The canteen is on floor two. Parking permits cost 20 euros a month.";
        assert_eq!(
            quoted("How much do parking permits cost?", &[handbook, "Nothing about it here."]),
            [(1, "Parking permits cost 20 euros a month.".to_owned())]
        );
    }

    #[test]
    fn another_language_is_quoted_only_where_the_questions_own_has_too_little() {
        let chinese = "停车证每月 20 欧元。";
        let english = "Parking permits cost 20 euros a month.";
        // Every text is as near as can be: across languages that counts six times as much.
        let near = |passages: &[Passage<'_>]| {
            let quotes = select_quotes("What do parking permits cost?", passages, &WEIGHTS, |_| vec![1.0]);
            quotes.into_iter().map(|quote| quote.n).collect::<Vec<_>>()
        };
        let passage = |n, text| Passage { n, title: "", text, score: 1.0 / n as f32 };
        assert_eq!(near(&[passage(1, chinese), passage(2, english)]), [2]);
        assert_eq!(near(&[passage(1, chinese), passage(2, "Lunch is at noon.")])[0], 1);
    }

    #[test]
    fn a_sentence_that_begins_with_a_pronoun_brings_the_one_before() {
        let text = "The pump P7 stands in hall two. It was built by Meyer in 1998. Lunch is at noon.";
        assert_eq!(
            quoted("Who built the pump and when was it built?", &[text]),
            [(1, "The pump P7 stands in hall two. It was built by Meyer in 1998.".to_owned())]
        );
    }

    #[test]
    fn a_row_of_a_table_comes_with_its_head_and_rule() {
        let text = "| Model | Price |\n|---|---|\n| A1 | 10 |\n| B2 | 20 |";
        assert_eq!(
            quoted("price of B2", &[text]),
            [(1, "| Model | Price |\n|---|---|\n| B2 | 20 |".to_owned())]
        );
    }

    #[test]
    fn the_same_sentence_in_two_passages_is_quoted_once() {
        let text = "Parking permits cost 20 euros a month.";
        assert_eq!(quoted("What do parking permits cost?", &[text, text]), [(1, text.to_owned())]);
    }

    #[test]
    fn a_line_of_data_is_no_sentence() {
        let data = format!("{}parking permits cost 20 euros a month", "x7 ".repeat(3_000));
        assert!(quoted("What do parking permits cost?", &[&data]).is_empty());
    }

    #[test]
    fn nothing_is_quoted_when_nothing_answers() {
        assert!(quoted("Who painted the ceiling?", &["Parking permits cost 20 euros."]).is_empty());
        assert!(quoted("Who painted the ceiling?", &[]).is_empty());
        assert!(quoted("？", &["Parking permits cost 20 euros."]).is_empty());
    }

    #[test]
    fn every_line_of_a_quote_stands_in_its_passage() {
        let texts = [
            "年假：\n- 满一年：10天。\n- 满五年：15天。\n其他假期另行规定。它们须申请。",
            "| 年假 | 天数 |\n| 一年 | 10 |\n| 五年 | 15 |",
        ];
        for question in ["满五年的年假有多少天？", "其他假期如何规定？", "一年 天数"]
        {
            for (n, quote) in quoted(question, &texts) {
                for line in quote.lines() {
                    assert!(texts[n as usize - 1].contains(line), "{line:?}");
                }
            }
        }
    }
}
