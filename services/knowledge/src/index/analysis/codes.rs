//! Codes: `P0300`, `GB/T 19001-2016`, `v1.2.3`, `E-204`, part numbers.
//!
//! A code is looked for as a whole and in whatever spelling ("E-204", "E204"), so it becomes one term without the
//! separators that people vary; its pieces become terms too, so that "19001" still finds it. All functions take
//! folded text: lower case, half width.

use std::ops::Range;

/// Characters that hold a word or a code together when they stand between two letters or digits.
fn is_joiner(character: char) -> bool {
    matches!(character, '-' | '‐' | '‑' | '–' | '—' | '.' | '/' | '_' | ':' | '#' | '+' | ',' | '\'' | '’')
}

/// Part of a word: a letter or digit, but not a Han character, which jieba cuts.
fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() && !anwen_text::is_han(character)
}

/// Bytes of the longest prefix of accepted characters.
pub(super) fn prefix_length(text: &str, accept: impl Fn(char) -> bool) -> usize {
    text.find(|character| !accept(character)).unwrap_or(text.len())
}

/// Bytes of the longest prefix made of letters, digits and single joiners between them. `c++` and `c#` keep what
/// makes them a name.
pub(super) fn compound_length(text: &str) -> usize {
    let mut end = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next_joins = characters.peek().is_some_and(|&(_, next)| is_word_character(next));
        if is_word_character(character) {
            end = at + character.len_utf8();
        } else if !(is_joiner(character) && next_joins && end == at) {
            break;
        }
    }
    if end == 1 {
        end += ["++", "#"]
            .iter()
            .find(|suffix| text[end..].starts_with(**suffix))
            .map_or(0, |suffix| suffix.len());
    }
    end
}

/// Cuts a compound at its commas, except those between the digits of one number (`1,200`).
pub(super) fn split_lists(compound: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    if is_grouped_number(compound) {
        pieces.push(0..compound.len());
        return pieces;
    }
    let mut start = 0;
    for piece in compound.split(',') {
        if !piece.is_empty() {
            pieces.push(start..start + piece.len());
        }
        start += piece.len() + 1;
    }
    pieces
}

/// `1,200` and `1,234,567.89`, but not `1,2` or `12,3456`.
fn is_grouped_number(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let mut groups = whole.split(',');
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && is_digits(first))
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// True for what holds a digit together with something else; a plain number is a word.
pub(super) fn is_code(text: &str) -> bool {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_short_name = text.ends_with('+') || text.ends_with('#');
    is_short_name || (has_digit && !text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The one spelling of a code. Separators go, except between two digits, where they tell `1-12` from `11-2` and
/// `1.2` from `12`; there every dash, slash and underscore becomes `-`.
pub(super) fn canonical(text: &str) -> String {
    if is_grouped_number(text) {
        return text.replace(',', "");
    }
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !is_joiner(character) && character != ' ' {
            result.push(character);
            continue;
        }
        let between_digits = result.ends_with(|last: char| last.is_ascii_digit())
            && characters.peek().is_some_and(char::is_ascii_digit);
        match character {
            '+' | '#' if characters.peek().is_none_or(|&next| next == '+') => result.push(character),
            '.' | ':' | '+' | '#' if between_digits => result.push(character),
            _ if between_digits => result.push('-'),
            _ => {}
        }
    }
    result
}

/// The code without what follows its first number: `gbt19001` of `gbt19001-2016`, so that a standard is found when
/// its year is not said.
pub(super) fn before_year(canonical: &str) -> Option<&str> {
    let cut = canonical.find(['-', ':'])?;
    let stem = &canonical[..cut];
    stem.starts_with(|first: char| first.is_alphabetic()).then_some(stem)
}

/// The pieces of a code that can be searched for alone: its numbers (with their decimals) and its words of two
/// letters and more. `v1.2.3` -> `1.2.3`; `gb/t` has none but `gb`.
pub(super) fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let length = if first.is_ascii_digit() {
            number_length(&text[at..])
        } else if first.is_alphabetic() {
            prefix_length(&text[at..], |character| character.is_alphabetic())
        } else {
            at += first.len_utf8();
            continue;
        };
        let length = length.max(first.len_utf8());
        if text[at..at + length].chars().nth(1).is_some() {
            parts.push(at..at + length);
        }
        at += length;
    }
    parts
}

/// Bytes of digits with dots between them.
fn number_length(text: &str) -> usize {
    let mut end = prefix_length(text, |character| character.is_ascii_digit());
    while text[end..].starts_with('.') {
        let more = prefix_length(&text[end + 1..], |character| character.is_ascii_digit());
        if more == 0 {
            break;
        }
        end += 1 + more;
    }
    end
}

/// The words of a compound without digits: apostrophes stay inside a word (the stemmer knows `'s`), everything else
/// separates.
pub(super) fn letter_pieces(compound: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for piece in compound.split(|character| is_joiner(character) && character != '\'') {
        if !piece.is_empty() {
            pieces.push(start..start + piece.len());
        }
        start += piece.len();
        start += compound[start..].chars().next().map_or(0, char::len_utf8);
    }
    pieces
}

/// Most letters of a code's prefix that may stand apart from its number: `ASHRAE 62.1`.
const MAX_PREFIX_LETTERS: usize = 6;

/// True for letters that, with a number after a space, name one thing: capitals in the source (`ISO 9001`), or
/// letters around a slash (`gb/t 19001`).
pub(super) fn is_code_prefix(folded: &str, source: &str) -> bool {
    let letters = folded.chars().filter(|character| character.is_alphabetic()).count();
    let only_letters =
        folded.chars().all(|character| character.is_alphabetic() || matches!(character, '/' | '-'));
    let is_marked = folded.contains('/') || source.chars().all(|character| !character.is_lowercase());
    only_letters && is_marked && (1..=MAX_PREFIX_LETTERS).contains(&letters)
}

/// True for the number of a code that is written apart from its letters: two digits or more at its start.
pub(super) fn is_code_number(text: &str) -> bool {
    text.bytes().take_while(u8::is_ascii_digit).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_has_one_spelling() {
        for (spellings, expected) in [
            (["gb/t 19001-2016", "gb/t19001-2016", "gbt19001-2016"].as_slice(), "gbt19001-2016"),
            (&["e-204", "e204", "e_204", "e 204"], "e204"),
            (&["v1.2.3"], "v1.2.3"),
            (&["1,200"], "1200"),
            (&["1,234,567.89"], "1234567.89"),
            (&["2016/05/01", "2016-05-01"], "2016-05-01"),
            (&["10:30"], "10:30"),
            (&["abc-123-456"], "abc123-456"),
            (&["c++"], "c++"),
            (&["c#"], "c#"),
        ] {
            for spelling in spellings {
                assert_eq!(canonical(spelling), expected, "{spelling:?}");
            }
        }
    }

    #[test]
    fn different_codes_stay_apart() {
        for (one, other) in
            [("1-12", "11-2"), ("1.2", "12"), ("v1.2.3", "v12.3"), ("10:30", "1030"), ("e-204", "e-205")]
        {
            assert_ne!(canonical(one), canonical(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_code_comes_apart_into_searchable_pieces() {
        for (code, expected) in [
            ("p0300", vec!["0300"]),
            ("gb/t19001-2016", vec!["gb", "19001", "2016"]),
            ("v1.2.3", vec!["1.2.3"]),
            ("3.5mm", vec!["3.5", "mm"]),
            ("covid-19", vec!["covid", "19"]),
            ("1990s", vec!["1990"]),
            ("e-2", vec![]),
        ] {
            let pieces: Vec<&str> = parts(code).into_iter().map(|range| &code[range]).collect();
            assert_eq!(pieces, expected, "{code:?}");
        }
    }

    #[test]
    fn a_compound_ends_where_its_text_does() {
        for (text, expected) in [
            ("gb/t 19001", "gb/t"),
            ("end. next", "end"),
            ("a--b", "a"),
            ("don't stop", "don't"),
            ("p0300故障", "p0300"),
            ("c++ is", "c++"),
            ("c# is", "c#"),
            ("node.js, v8", "node.js"),
        ] {
            assert_eq!(&text[..compound_length(text)], expected, "{text:?}");
        }
    }

    #[test]
    fn commas_list_codes_and_group_digits() {
        for (text, expected) in
            [("a1,b2", vec!["a1", "b2"]), ("1,200", vec!["1,200"]), ("1,2", vec!["1", "2"])]
        {
            let pieces: Vec<&str> = split_lists(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(pieces, expected, "{text:?}");
        }
    }

    #[test]
    fn capitals_or_a_slash_make_a_prefix() {
        for (source, expected) in [
            ("ISO", true),
            ("GB/T", true),
            ("gb/t", true),
            ("In", false),
            ("iso", false),
            ("CHAPTERS", false),
        ] {
            assert_eq!(is_code_prefix(&source.to_lowercase(), source), expected, "{source:?}");
        }
    }
}
