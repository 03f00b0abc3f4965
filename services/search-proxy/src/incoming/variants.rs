//! The forms in which a word is written to get past a list.

use pinyin::ToPinyin as _;
use unicode_normalization::UnicodeNormalization as _;

use crate::merge::is_invisible;

/// Characters of a word of which each may stand as pinyin or as a character: 2⁴ forms.
const MAX_MIXED_CHARS: usize = 4;
/// Letters of pinyin below which whole-pinyin forms are no word of their own (`ma`, `shi`): too many others hold them.
const MIN_PINYIN_LETTERS: usize = 5;

/// A text as it is compared, and where each of its characters came from.
pub struct Folded {
    pub text: String,
    /// For each byte of `text`, the byte range in the original of the character it came from.
    origins: Vec<(usize, usize)>,
}

impl Folded {
    /// Compatibility forms (full-width letters, circled ones), case, traditional characters, invisible characters and, between
    /// two Han characters, spaces and marks are made equal or left out.
    pub fn of(text: &str) -> Self {
        let mut folded =
            Self { text: String::with_capacity(text.len()), origins: Vec::with_capacity(text.len()) };
        let simplified = anwen_text::simplify(text);
        let mut characters = text.char_indices().zip(simplified.chars()).peekable();
        while let Some(((start, original), simple)) = characters.next() {
            let end = start + original.len_utf8();
            if is_invisible(original) {
                continue;
            }
            let is_filler =
                original.is_whitespace() || (!original.is_alphanumeric() && !original.is_control());
            let after_han = folded.text.chars().next_back().is_some_and(anwen_text::is_han);
            let before_han = characters.peek().is_some_and(|((_, next), _)| anwen_text::is_han(*next));
            if is_filler && after_han && before_han {
                continue;
            }
            for c in std::iter::once(simple).nfkc().flat_map(char::to_lowercase) {
                let c = if c.is_whitespace() { ' ' } else { c };
                folded.text.push(c);
                folded.origins.extend(std::iter::repeat_n((start, end), c.len_utf8()));
            }
        }
        folded
    }

    /// The range of the original that a range of the folded text came from.
    pub fn original(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let (first, _) = *self.origins.get(start)?;
        let (_, last) = *self.origins.get(end.checked_sub(1)?)?;
        Some((first, last))
    }
}

/// The forms of a word that are searched for in folded texts.
pub fn forms(word: &str, with_pinyin: bool) -> Vec<String> {
    let folded = Folded::of(word.trim()).text;
    let mut forms = vec![folded.clone()];
    let characters: Vec<char> = folded.chars().collect();
    if !with_pinyin || characters.len() < 2 || !characters.iter().all(|c| anwen_text::is_han(*c)) {
        return forms;
    }
    let syllables: Vec<String> = characters
        .iter()
        .map(|c| c.to_pinyin().map_or_else(|| c.to_string(), |pinyin| pinyin.plain().to_owned()))
        .collect();
    if syllables.concat().len() >= MIN_PINYIN_LETTERS {
        forms.push(syllables.concat());
        forms.push(syllables.join(" "));
    }
    if characters.len() <= MAX_MIXED_CHARS {
        for mask in 1..(1_u32 << characters.len()) - 1 {
            let mixed = characters.iter().zip(&syllables).enumerate();
            let form = mixed.map(
                |(at, (c, syllable))| if mask >> at & 1 == 1 { syllable.clone() } else { c.to_string() },
            );
            forms.push(form.collect());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguises_fold_to_the_word() {
        for text in ["賭博", "赌 博", "赌*博", "赌\u{200b}博"] {
            assert_eq!(Folded::of(text).text, "赌博", "{text}");
        }
        assert_eq!(Folded::of("Ｃａｓｉｎｏ Ⓧ").text, "casino x");
        assert_eq!(Folded::of("two words").text, "two words");
    }

    #[test]
    fn places_in_the_folded_text_lead_back() {
        let text = "买 ＡＢ赌*博吗";
        let folded = Folded::of(text);
        let start = folded.text.find("赌博").unwrap();
        let (from, to) = folded.original(start, start + "赌博".len()).unwrap();
        assert_eq!(&text[from..to], "赌*博");
    }

    #[test]
    fn pinyin_and_mixtures_are_forms_of_a_chinese_word() {
        let all = forms("赌博", true);
        for form in ["赌博", "du博", "赌bo"] {
            assert!(all.contains(&form.to_owned()), "{form} {all:?}");
        }
        // Four letters are within too many other words.
        assert!(!all.contains(&"dubo".to_owned()), "{all:?}");
        assert!(forms("机械密封", true).contains(&"jixiemifeng".to_owned()));
        assert_eq!(forms("casino", true), ["casino"]);
        assert_eq!(forms("赌博", false), ["赌博"]);
    }
}
