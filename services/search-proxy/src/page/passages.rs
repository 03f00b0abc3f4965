//! The passages of a page that say most about a question.

use anwen_contract::search::PagePassage;

use crate::merge::relevance::Bm25;

/// Characters of a passage: paragraphs are joined up to this, and cut at sentences beyond it.
const PASSAGE_CHARS: usize = 600;
/// Passages of a page that are looked at, and that are answered.
const MAX_PASSAGES: usize = 400;
const MAX_ANSWERED: usize = 5;

/// The best passages, best first; of a page without a word of the question its beginning.
pub fn best(text: &str, title: &str, question: &str) -> Vec<PagePassage> {
    let passages = split(text);
    // The title counts a little for every passage: its words say what the page is about.
    let scores =
        Bm25::of(passages.iter().map(|passage| vec![(passage.as_str(), 1.0), (title, 0.2)])).scores(question);
    let mut scored: Vec<PagePassage> =
        passages.into_iter().zip(scores).map(|(text, score)| PagePassage { text, score }).collect();
    // Stable: passages that say as much stand in the order of the page.
    scored.sort_by(|left, right| right.score.total_cmp(&left.score));
    let has_words = scored.first().is_some_and(|best| best.score > 0.0);
    scored.truncate(if has_words { MAX_ANSWERED } else { 1 });
    scored.retain(|passage| !has_words || passage.score > 0.0);
    scored
}

fn split(text: &str) -> Vec<String> {
    let mut passages: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut chars = 0;
    for range in anwen_text::sentences(text) {
        let sentence = &text[range];
        let length = sentence.chars().count();
        if chars > 0 && chars + length > PASSAGE_CHARS {
            passages.push(std::mem::take(&mut current));
            chars = 0;
            if passages.len() >= MAX_PASSAGES {
                return passages;
            }
        }
        if chars > 0 && current.chars().next_back().is_some_and(|last| last.is_ascii()) {
            current.push(' ');
        }
        current.push_str(sentence);
        chars += length;
    }
    if !current.is_empty() {
        passages.push(current);
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passage_that_answers_comes_first() {
        let filler = "The weather was fine that day and nobody thought of machines at all. ".repeat(12);
        let text = format!("{filler}The impeller nut is tightened to 210 newton metres. {filler}");
        let found = best(&text, "Seal change", "torque of the impeller nut in newton metres");
        assert!(found[0].text.contains("210 newton metres"), "{found:?}");
        assert!(found.len() <= MAX_ANSWERED);
    }

    #[test]
    fn chinese_pages_are_split_at_their_sentences() {
        let filler = "当天的天气很好，大家都没有想到机器的事情。".repeat(40);
        let text = format!("{filler}叶轮螺母的拧紧力矩是二百一十牛米。{filler}");
        let found = best(&text, "", "叶轮螺母的力矩");
        assert!(found[0].text.contains("二百一十牛米"), "{found:?}");
        assert!(found[0].text.chars().count() <= PASSAGE_CHARS + 30);
    }

    #[test]
    fn a_page_about_something_else_shows_its_beginning() {
        assert_eq!(best("First sentence here. Second one.", "", "量子").len(), 1);
        assert!(best("", "", "x").is_empty());
    }
}
