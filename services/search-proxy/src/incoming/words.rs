//! Word lists, matched in one pass whatever their number.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use anwen_contract::search::{Direction, FilterAction, WordList};

use super::variants::{Folded, forms};

/// What takes a masked word's place.
pub const MASK: &str = "***";

/// The lists of one direction.
pub struct Filter {
    automaton: Option<AhoCorasick>,
    /// For each pattern, its list.
    lists: Vec<usize>,
    actions: Vec<(FilterAction, String)>,
}

/// A word of a list in a text, as byte offsets into the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordHit {
    pub start: usize,
    pub end: usize,
    pub action: FilterAction,
    pub category: String,
}

/// What becomes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Keep { text: String, flags: Vec<String>, masked: u32 },
    Drop { category: String },
    Block { category: String },
}

/// The lists are larger than what is searched for at once.
#[derive(Debug, thiserror::Error)]
#[error("the word lists are too large: {0}")]
pub struct ListsTooLarge(String);

impl Filter {
    pub fn new(lists: &[WordList], direction: Direction) -> Result<Self, ListsTooLarge> {
        let mut patterns = Vec::new();
        let (mut of_list, mut actions) = (Vec::new(), Vec::new());
        let applies = |list: &&WordList| list.direction == direction || list.direction == Direction::Both;
        for list in lists.iter().filter(applies) {
            actions.push((list.action, list.category.clone()));
            for word in list.words.iter().filter(|word| !word.trim().is_empty()) {
                for form in forms(word, list.pinyin).into_iter().filter(|form| !form.trim().is_empty()) {
                    patterns.push(form);
                    of_list.push(actions.len() - 1);
                }
            }
        }
        let automaton = (!patterns.is_empty())
            .then(|| AhoCorasickBuilder::new().match_kind(MatchKind::Standard).build(&patterns))
            .transpose()
            .map_err(|cause| ListsTooLarge(cause.to_string()))?;
        Ok(Self { automaton, lists: of_list, actions })
    }

    /// A filter of words that all have one action.
    pub fn of_words(words: &[String], action: FilterAction, category: &str) -> Result<Self, ListsTooLarge> {
        let list = WordList {
            category: category.to_owned(),
            direction: Direction::Both,
            action,
            words: words.to_vec(),
            pinyin: false,
        };
        Self::new(std::slice::from_ref(&list), Direction::Both)
    }

    /// Every word of a list that stands in `text`, overlapping ones too. Latin words count as whole words only: `ass` is not
    /// in `assembly`.
    pub fn find(&self, text: &str) -> Vec<WordHit> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        let folded = Folded::of(text);
        let hits = automaton.find_overlapping_iter(&folded.text).filter_map(|found| {
            is_whole(&folded.text, found.start(), found.end()).then_some(())?;
            let (start, end) = folded.original(found.start(), found.end())?;
            let (action, category) = self.actions[self.lists[found.pattern().as_usize()]].clone();
            Some(WordHit { start, end, action, category })
        });
        hits.collect()
    }

    /// The strictest action wins: block, drop, then mask and flag together.
    pub fn judge(&self, text: &str) -> Verdict {
        let hits = self.find(text);
        let first = |action| hits.iter().find(|hit| hit.action == action).map(|hit| hit.category.clone());
        if let Some(category) = first(FilterAction::Block) {
            return Verdict::Block { category };
        }
        if let Some(category) = first(FilterAction::Drop) {
            return Verdict::Drop { category };
        }
        let mut flags: Vec<String> = hits
            .iter()
            .filter(|hit| hit.action == FilterAction::Flag)
            .map(|hit| hit.category.clone())
            .collect();
        flags.sort();
        flags.dedup();
        let places =
            hits.iter().filter(|hit| hit.action == FilterAction::Mask).map(|hit| (hit.start, hit.end));
        let (text, masked) = replaced(text, places.collect(), MASK);
        Verdict::Keep { text, flags, masked }
    }
}

/// The text with these places replaced, overlapping ones as one, and their number.
pub fn replaced(text: &str, mut places: Vec<(usize, usize)>, by: &str) -> (String, u32) {
    places.sort_unstable();
    let (mut result, mut at, mut count) = (String::with_capacity(text.len()), 0, 0);
    let mut places = places.into_iter().peekable();
    while let Some((start, mut end)) = places.next() {
        while let Some((_, further)) = places.next_if(|(next, _)| *next < end) {
            end = end.max(further);
        }
        result.push_str(&text[at..start]);
        result.push_str(by);
        at = end;
        count += 1;
    }
    result.push_str(&text[at..]);
    (result, count)
}

/// Whether a match is not the inside of a longer word of letters.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() && !anwen_text::is_han(c);
    let continues = |inside: Option<char>, outside: Option<char>| {
        inside.is_some_and(is_letter) && outside.is_some_and(is_letter)
    };
    let matched = &text[start..end];
    !continues(matched.chars().next(), text[..start].chars().next_back())
        && !continues(matched.chars().next_back(), text[end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(category: &str, direction: Direction, action: FilterAction, words: &[&str]) -> WordList {
        WordList {
            category: category.to_owned(),
            direction,
            action,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            pinyin: true,
        }
    }

    fn incoming(lists: &[WordList]) -> Filter {
        Filter::new(lists, Direction::Incoming).unwrap()
    }

    #[test]
    fn each_action_does_what_it_says() {
        let filter = incoming(&[
            list("weapons", Direction::Both, FilterAction::Block, &["枪支弹药"]),
            list("gambling", Direction::Incoming, FilterAction::Drop, &["赌博", "casino"]),
            list("swearing", Direction::Incoming, FilterAction::Mask, &["混蛋"]),
            list("medicine", Direction::Incoming, FilterAction::Flag, &["aspirin"]),
            list("leaves", Direction::Outgoing, FilterAction::Block, &["pump"]),
        ]);
        assert_eq!(filter.judge("卖枪支弹药"), Verdict::Block { category: "weapons".to_owned() });
        assert_eq!(filter.judge("Best ＣＡＳＩＮＯ here"), Verdict::Drop { category: "gambling".to_owned() });
        assert_eq!(
            filter.judge("你个混 蛋 takes Aspirin, a pump"),
            Verdict::Keep {
                text: "你个*** takes Aspirin, a pump".to_owned(),
                flags: vec!["medicine".to_owned()],
                masked: 1
            }
        );
    }

    #[test]
    fn disguised_words_are_found() {
        let filter = incoming(&[list("x", Direction::Both, FilterAction::Drop, &["赌博网站"])]);
        for text in [
            "赌博网站",
            "賭博網站",
            "赌 博 网 站",
            "du博网站",
            "dubowangzhan",
            "DuBoWangZhan",
            "赌·博·网站",
            "du bo wang zhan",
        ] {
            assert!(matches!(filter.judge(text), Verdict::Drop { .. }), "{text}");
        }
    }

    #[test]
    fn the_inside_of_a_latin_word_is_no_word() {
        let filter = incoming(&[list("x", Direction::Both, FilterAction::Drop, &["ass", "sex"])]);
        for text in ["assembly", "Essex", "class", "sextant"] {
            assert!(matches!(filter.judge(text), Verdict::Keep { .. }), "{text}");
        }
        assert!(matches!(filter.judge("an ass."), Verdict::Drop { .. }));
    }

    #[test]
    fn overlapping_words_are_masked_once() {
        let filter = incoming(&[list("x", Direction::Both, FilterAction::Mask, &["甲乙", "乙丙"])]);
        assert_eq!(
            filter.judge("甲乙丙丁"),
            Verdict::Keep { text: "***丁".to_owned(), flags: vec![], masked: 1 }
        );
    }

    #[test]
    fn empty_lists_keep_everything() {
        assert!(matches!(incoming(&[]).judge("x"), Verdict::Keep { .. }));
        assert!(matches!(
            incoming(&[list("x", Direction::Both, FilterAction::Drop, &["", " "])]).judge("x y"),
            Verdict::Keep { .. }
        ));
    }
}
