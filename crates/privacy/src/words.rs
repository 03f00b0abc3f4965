//! Word lists of the caller's own.

use crate::folded::Folded;
use crate::kind::Kind;
use crate::scan::Found;
use aho_corasick::{AhoCorasick, MatchKind};

/// The most words of one list.
pub const MAX_WORDS: usize = 10_000;
/// The most characters of one word.
pub const MAX_WORD_CHARS: usize = 100;

/// A word list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordListError {
    #[error("a word list has at most {MAX_WORDS} words")]
    TooMany,
    #[error("a word has 1 to {MAX_WORD_CHARS} characters")]
    WrongLength,
    #[error("the word list is too large to be searched for: {0}")]
    Unsearchable(String),
}

/// Words that are looked for all at once, whatever their case, width or form of Chinese characters.
#[derive(Debug, Clone)]
pub(crate) struct WordList {
    automaton: AhoCorasick,
}

impl WordList {
    /// `None` for an empty list.
    pub fn new(words: &[String]) -> Result<Option<Self>, WordListError> {
        if words.len() > MAX_WORDS {
            return Err(WordListError::TooMany);
        }
        let mut spellings = Vec::with_capacity(words.len());
        for word in words {
            let spelled = spelling(Folded::new(word.trim()).chars.iter());
            if spelled.is_empty() || word.chars().count() > MAX_WORD_CHARS {
                return Err(WordListError::WrongLength);
            }
            spellings.push(spelled);
        }
        if spellings.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&spellings);
        automaton
            .map(|automaton| Some(Self { automaton }))
            .map_err(|cause| WordListError::Unsearchable(cause.to_string()))
    }

    /// Finds every word; one of Latin letters or digits only where it stands by itself.
    pub fn find(&self, folded: &Folded, found: &mut Vec<Found>) {
        let text = spelling(folded.chars.iter());
        // Each folded character is one character of the spelling.
        let mut places = text.char_indices().map(|(offset, _)| offset).chain([text.len()]).enumerate();
        let mut index_of =
            |offset: usize| places.find(|(_, place)| *place >= offset).map_or(0, |(index, _)| index);
        for one in self.automaton.find_iter(&text) {
            let joins = |inner: Option<char>, outer: Option<char>| {
                let is_latin = |one: Option<char>| one.is_some_and(|one| one.is_ascii_alphanumeric());
                is_latin(inner) && is_latin(outer)
            };
            let word = &text[one.start()..one.end()];
            let (before, after) = (text[..one.start()].chars().next_back(), text[one.end()..].chars().next());
            let is_part = joins(word.chars().next(), before) || joins(word.chars().next_back(), after);
            let start = index_of(one.start());
            let end = start + word.chars().count();
            if !is_part {
                found.push(Found::new(Kind::Word, start..end));
            }
        }
    }
}

/// Lower case, simplified characters; one character for each, so that places stay.
fn spelling<'c>(characters: impl Iterator<Item = &'c char>) -> String {
    let lower: String = characters
        .map(|one| {
            let mut lower = one.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(only), None) => only,
                _ => *one,
            }
        })
        .collect();
    anwen_text::simplify(&lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &str) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let list = WordList::new(&words).unwrap().unwrap();
        let folded = Folded::new(text);
        let mut found = Vec::new();
        list.find(&folded, &mut found);
        found.into_iter().map(|one| text[folded.bytes(&one.range)].to_owned()).collect()
    }

    #[test]
    fn words_are_found_in_every_spelling() {
        let words = ["启明星计划", "Project Falcon", "ACE", "张三"];
        assert_eq!(
            found(&words, "啟明星計劃和ＰＲＯＪＥＣＴ　ｆａｌｃｏｎ"),
            ["啟明星計劃", "ＰＲＯＪＥＣＴ　ｆａｌｃｏｎ"]
        );
        assert_eq!(found(&words, "place ace, ACE2; 由ACE负责，張\u{200B}三"), ["ace", "ACE", "張\u{200B}三"]);
        assert_eq!(found(&words, "İstanbul 张三"), ["张三"]);
    }

    #[test]
    fn the_longest_of_overlapping_words_is_found() {
        assert_eq!(found(&["华东", "华东电网", "电网"], "华东电网与华东"), ["华东电网", "华东"]);
    }

    #[test]
    fn lists_have_bounds() {
        let error = |words: Vec<String>| WordList::new(&words).err();
        assert_eq!(error(vec!["x".to_owned(); MAX_WORDS + 1]), Some(WordListError::TooMany));
        assert_eq!(error(vec![" ".to_owned()]), Some(WordListError::WrongLength));
        assert_eq!(error(vec!["x".repeat(MAX_WORD_CHARS + 1)]), Some(WordListError::WrongLength));
        assert!(WordList::new(&[]).unwrap().is_none());
    }
}
