//! What a page's geometry and old encodings leave in text, taken out: ligatures, full-width letters, hyphens at line
//! ends, spaces between Chinese characters, running headers and footers. Pure functions.

mod running;

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

pub use running::{PageLine, running_lines};

/// Words that a document uses, to decide about hyphens at line ends; more are not remembered.
const MAX_VOCABULARY_WORDS: usize = 200_000;

/// Runs of leader dots (table of contents) of at least this length become one ellipsis.
const MIN_LEADER_DOTS: usize = 4;

/// The text with ligatures taken apart, full-width letters, digits and signs made half-width (punctuation such as
/// `，` stays), compatibility ideographs and radicals replaced by the usual ones, odd spaces made plain, invisible
/// formatting and control characters removed. Line breaks and tabs stay.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_normalised(&mut out, character);
    }
    out
}

/// [`normalise`] for one character; appends nothing, one or several characters.
pub fn push_normalised(out: &mut String, character: char) {
    match character {
        '\n' | '\t' | ' '..='~' => out.push(character),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => out.push(' '),
        '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
        '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{200e}' | '\u{200f}' => {}
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
        '\u{fb00}'..='\u{fb06}' => out.extend(std::iter::once(character).nfkc()),
        '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => out.extend(std::iter::once(character).nfkc()),
        '\u{ff01}'..='\u{ff5e}' => out.push(half_width(character)),
        '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}' => out.extend(std::iter::once(character).nfc()),
        '\u{2e80}'..='\u{2fdf}' => out.extend(std::iter::once(character).nfkc()),
        '\u{f0a7}' | '\u{f0a8}' | '\u{f0b7}' | '\u{f0d8}' | '\u{f06c}' | '\u{f06e}' | '\u{f076}'
        | '\u{f0fc}' => out.push('•'),
        _ if character.is_control() => {}
        _ => out.push(character),
    }
}

/// Full-width letters, digits and signs that stand in codes; Chinese punctuation keeps its width.
fn half_width(character: char) -> char {
    let keeps_width = matches!(
        character,
        '！' | '，'
            | '：'
            | '；'
            | '？'
            | '（'
            | '）'
            | '～'
            | '｜'
            | '｛'
            | '｝'
            | '［'
            | '］'
            | '＂'
            | '＇'
    );
    if keeps_width {
        return character;
    }
    char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
}

/// Whether the character belongs to a script that is written without spaces between words (Chinese, Japanese), or
/// is punctuation of such a script.
pub fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{2e80}'..='\u{303f}' | '\u{3041}'..='\u{33ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff01}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// Width of a text in columns, with characters of wide scripts (also Korean) counted twice.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) || ('\u{ac00}'..='\u{d7a3}').contains(&c) { 2 } else { 1 }).sum()
}

/// Whether a line break between the two characters stands for a space.
pub fn space_between_lines(before: char, after: char) -> bool {
    !(is_wide(before) || is_wide(after))
}

/// Leader dots made one ellipsis, runs of spaces made one, ends trimmed. One line in, one line out.
pub fn tidy_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        if is_leader(character) {
            let mut dots = 1;
            let mut spaces = 0;
            while let Some(&next) = rest.peek() {
                match next {
                    _ if is_leader(next) => dots += 1,
                    ' ' if dots >= 1 && spaces <= dots => spaces += 1,
                    _ => break,
                }
                rest.next();
            }
            if dots >= MIN_LEADER_DOTS {
                out.push_str(" … ");
            } else {
                out.extend(std::iter::repeat_n(character, dots));
                out.extend(std::iter::repeat_n(' ', spaces.min(1)));
            }
        } else {
            out.push(character);
        }
    }
    collapse_spaces(&out)
}

fn is_leader(character: char) -> bool {
    matches!(character, '.' | '·' | '…' | '．' | '⋯' | '‥' | '․')
}

fn collapse_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The words of a document, to tell a hyphen that a line break made from one that belongs to the word.
#[derive(Debug, Default)]
pub struct Vocabulary {
    words: HashSet<String>,
}

impl Vocabulary {
    /// Learns a line's words. The last word of a line that ends in a hyphen is not one.
    pub fn learn(&mut self, line: &str) {
        for word in line.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\'')) {
            if self.words.len() >= MAX_VOCABULARY_WORDS {
                return;
            }
            if word.len() >= 3 && !word.ends_with('-') && word.is_ascii() {
                self.words.insert(word.to_ascii_lowercase());
            }
        }
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word.to_ascii_lowercase())
    }
}

/// What stands between two lines of one paragraph when they become running text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// One space.
    Space,
    /// Nothing: a script without spaces, or a hyphen that belongs to the word.
    Nothing,
    /// Nothing, and the hyphen at the end of the first line goes.
    DropHyphen,
}

/// How to join a line and the line after it; see [`Join`]. A hyphen at the end of a line goes when both halves are
/// letters and the second is lower case, unless the document writes that compound with a hyphen elsewhere and never
/// without one.
pub fn join_between(before: &str, after: &str, vocabulary: &Vocabulary) -> Join {
    let before = before.trim_end();
    let (Some(last), Some(first)) = (before.chars().next_back(), after.trim_start().chars().next()) else {
        return Join::Nothing;
    };
    if !matches!(last, '-' | '\u{2010}' | '\u{ad}') {
        return if space_between_lines(last, first) { Join::Space } else { Join::Nothing };
    }
    let stem = &before[..before.len() - last.len_utf8()];
    if !stem.chars().next_back().is_some_and(char::is_alphanumeric) {
        return Join::Space;
    }
    let is_word = |c: char| c.is_alphanumeric();
    let head = stem.rsplit(|c| !is_word(c)).next().unwrap_or("");
    let tail = after.trim_start().split(|c| !is_word(c)).next().unwrap_or("");
    if last == '\u{ad}' || vocabulary.has(&format!("{head}{tail}")) {
        return Join::DropHyphen;
    }
    let letters =
        head.chars().all(char::is_alphabetic) && tail.chars().next().is_some_and(char::is_lowercase);
    if !letters || vocabulary.has(&format!("{head}-{tail}")) { Join::Nothing } else { Join::DropHyphen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_what_pages_leave_in_text() {
        for (input, expected) in [
            ("eﬃcient ﬂow", "efficient flow"),
            ("ＧＢ／Ｔ　１９００１－２０１６", "GB/T 19001-2016"),
            ("你好，世界！（一）", "你好，世界！（一）"),
            ("a\u{a0}b\u{200b}c\u{feff}", "a bc"),
            ("⼀⽉", "一月"),
            ("\u{f0b7} item", "• item"),
            ("tab\tand\nbreak\u{0}\u{7}", "tab\tand\nbreak"),
            ("co\u{ad}operate", "cooperate"),
        ] {
            assert_eq!(normalise(input), expected, "{input:?}");
        }
    }

    #[test]
    fn leader_dots_become_an_ellipsis_and_short_runs_stay() {
        assert_eq!(tidy_line("1.2  Scope ........... 7"), "1.2 Scope … 7");
        assert_eq!(tidy_line("1.2 Scope . . . . . . 7"), "1.2 Scope … 7");
        assert_eq!(tidy_line("and so on... v1.2.3"), "and so on... v1.2.3");
        assert_eq!(tidy_line("目录……………3"), "目录 … 3");
    }

    #[test]
    fn lines_join_by_script_and_by_the_documents_own_words() {
        let mut vocabulary = Vocabulary::default();
        vocabulary.learn("a well-known example of information");
        for (before, after, expected) in [
            ("the end", "of it", Join::Space),
            ("安全", "问答", Join::Nothing),
            ("使用", "Rust", Join::Nothing),
            ("the infor-", "mation", Join::DropHyphen),
            ("a well-", "known fact", Join::Nothing),
            ("unfore-", "seen", Join::DropHyphen),
            ("COVID-", "19", Join::Nothing),
            ("Anglo-", "American", Join::Nothing),
            ("see -", "below", Join::Space),
            ("co\u{ad}", "operate", Join::DropHyphen),
        ] {
            assert_eq!(join_between(before, after, &vocabulary), expected, "{before:?} + {after:?}");
        }
    }
}
