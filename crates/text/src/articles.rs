//! Labels of articles in laws, contracts and regulations: `第十二条`, `第12条之一`, `Article 12`, `Art. 12`, `§ 12`.
//!
//! One article has one number, however it is spelled; who asks for "第12条" or "Article 12" means the one that is
//! headed 第十二条.

use std::ops::Range;

/// The largest number that is read; what is larger is no article.
const MAX_NUMBER: u32 = 99_999;
/// Spellings of "article" in front of a number, in lower case.
const LATIN_MARKS: [&str; 4] = ["articles", "article", "art.", "§"];

/// The label of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArticleLabel {
    pub number: u32,
    /// The second number of an article that was put in later: 1 for `第十二条之一`.
    pub inserted: Option<u32>,
    /// Bytes of the label.
    pub length: usize,
}

/// The article that `text` begins with the label of.
pub fn article_label(text: &str) -> Option<ArticleLabel> {
    han_label(text).or_else(|| latin_label(text))
}

/// Every article that `text` names, in order, with the bytes that name it.
pub fn article_references(text: &str) -> Vec<(Range<usize>, ArticleLabel)> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut previous = ' ';
    while let Some(first) = text[at..].chars().next() {
        let label = match first {
            '第' => han_label(&text[at..]),
            'A' | 'a' | '§' if !previous.is_alphanumeric() => latin_label(&text[at..]),
            _ => None,
        };
        let length = label.map_or(first.len_utf8(), |label| label.length);
        if let Some(label) = label {
            found.push((at..at + length, label));
        }
        previous = text[at..at + length].chars().next_back().unwrap_or(first);
        at += length;
    }
    found
}

/// `第…条`, also with 條, with any digits, and with `之一` behind it.
fn han_label(text: &str) -> Option<ArticleLabel> {
    let rest = text.strip_prefix('第')?;
    let spaces = rest.len() - rest.trim_start_matches([' ', '\u{3000}']).len();
    let (number, digits) = leading_number(&rest[spaces..])?;
    let behind = &rest[spaces + digits..];
    let gap = behind.len() - behind.trim_start_matches([' ', '\u{3000}']).len();
    let mark = behind[gap..].chars().next().filter(|&mark| mark == '条' || mark == '條')?;
    let mut length = '第'.len_utf8() + spaces + digits + gap + mark.len_utf8();
    let mut inserted = None;
    if let Some(more) = text[length..].strip_prefix('之')
        && let Some((number, digits)) = leading_number(more)
    {
        inserted = Some(number);
        length += '之'.len_utf8() + digits;
    }
    Some(ArticleLabel { number, inserted, length })
}

/// `Article 12`, `Art. 12`, `§ 12`; a letter behind the number (`12a`) is the insertion that it stands for.
fn latin_label(text: &str) -> Option<ArticleLabel> {
    let mark = LATIN_MARKS
        .iter()
        .find(|mark| text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)))?;
    let rest = &text[mark.len()..];
    let spaces = rest.len() - rest.trim_start_matches([' ', '\u{a0}']).len();
    // "article12" is no label, "§12" and "art.12" are.
    if spaces == 0 && mark.ends_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    let digits = rest[spaces..].bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[spaces..spaces + digits].parse().ok().filter(|&number| number <= MAX_NUMBER)?;
    let mut length = mark.len() + spaces + digits;
    let mut behind = text[length..].chars();
    let mut inserted = None;
    if let Some(letter) = behind.next().filter(char::is_ascii_alphabetic) {
        if behind.next().is_some_and(char::is_alphanumeric) {
            return None;
        }
        inserted = Some(u32::from(letter.to_ascii_lowercase()) - u32::from('a') + 1);
        length += 1;
    }
    Some(ArticleLabel { number, inserted, length })
}

/// The whole number that `text` begins with and its bytes: ASCII and full-width digits, or a Chinese number up to the
/// ten thousands (`十二`, `一百零三`, `二〇二四`).
pub fn leading_number(text: &str) -> Option<(u32, usize)> {
    let digits: Vec<u32> = text.chars().map_while(arabic_digit).collect();
    if !digits.is_empty() {
        let bytes = text.chars().take(digits.len()).map(char::len_utf8).sum();
        return Some((decimal(&digits)?, bytes));
    }
    let numerals: Vec<char> = text.chars().map_while(|c| is_numeral(c).then_some(c)).collect();
    let bytes = numerals.iter().map(|c| c.len_utf8()).sum();
    Some((chinese_number(&numerals)?, bytes))
}

fn arabic_digit(character: char) -> Option<u32> {
    match character {
        '0'..='9' => character.to_digit(10),
        '０'..='９' => Some(u32::from(character) - u32::from('０')),
        _ => None,
    }
}

fn decimal(digits: &[u32]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0u32, |value, digit| value.checked_mul(10)?.checked_add(*digit))
        .filter(|&value| value <= MAX_NUMBER)
}

fn is_numeral(character: char) -> bool {
    chinese_digit(character).is_some() || chinese_unit(character).is_some()
}

fn chinese_digit(character: char) -> Option<u32> {
    Some(match character {
        '〇' | '零' | '○' => 0,
        '一' => 1,
        '二' | '两' | '兩' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

fn chinese_unit(character: char) -> Option<u32> {
    Some(match character {
        '十' => 10,
        '百' => 100,
        '千' => 1_000,
        '万' | '萬' => 10_000,
        _ => return None,
    })
}

fn chinese_number(numerals: &[char]) -> Option<u32> {
    if numerals.is_empty() {
        return None;
    }
    if numerals.iter().all(|&c| chinese_digit(c).is_some()) {
        let digits: Vec<u32> = numerals.iter().filter_map(|&c| chinese_digit(c)).collect();
        return decimal(&digits);
    }
    let (mut whole, mut section, mut digit) = (0u32, 0u32, None);
    for &numeral in numerals {
        match (chinese_digit(numeral), chinese_unit(numeral)) {
            (Some(value), _) => digit = Some(value),
            (None, Some(10_000)) => {
                whole = section.checked_add(digit.take().unwrap_or(0))?.checked_mul(10_000)?;
                section = 0;
            }
            (None, Some(unit)) => {
                // 十二 is twelve: a ten without a digit before it is one ten.
                let count = digit.take().filter(|&count| count > 0).unwrap_or(1);
                section = section.checked_add(count.checked_mul(unit)?)?;
            }
            (None, None) => return None,
        }
    }
    let number = whole.checked_add(section)?.checked_add(digit.unwrap_or(0))?;
    (number <= MAX_NUMBER).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_either_script() {
        for (text, expected) in [
            ("12条", Some((12, 2))),
            ("１２条", Some((12, 6))),
            ("十条", Some((10, 3))),
            ("十二条", Some((12, 6))),
            ("二十条", Some((20, 6))),
            ("一百零三条", Some((103, 12))),
            ("一百一十条", Some((110, 12))),
            ("一千二百六十条", Some((1260, 18))),
            ("一万零五", Some((10_005, 12))),
            ("二〇二四", Some((2024, 12))),
            ("999999", None),
            ("条", None),
            ("", None),
        ] {
            assert_eq!(leading_number(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_article_has_one_number_however_it_is_spelled() {
        for (text, expected) in [
            ("第十二条　用人单位", Some((12, None, 12))),
            ("第12条", Some((12, None, 8))),
            ("第 12 條", Some((12, None, 10))),
            ("第十二条之一 规定", Some((12, Some(1), 18))),
            ("Article 12 Scope", Some((12, None, 10))),
            ("ARTICLE 12.", Some((12, None, 10))),
            ("Art. 7a Duties", Some((7, Some(1), 7))),
            ("§ 823 BGB", Some((823, None, 6))),
            ("§823", Some((823, None, 5))),
            ("article12", None),
            ("Article twelve", None),
            ("Art. 7ab", None),
            ("第十二章", None),
            ("条", None),
            ("", None),
        ] {
            let found = article_label(text).map(|label| (label.number, label.inserted, label.length));
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn references_are_found_within_a_sentence() {
        let text = "依照本法第三十九条和第40条的规定 (see Article 5; part 3, heart. 9)";
        let found: Vec<(&str, u32)> =
            article_references(text).into_iter().map(|(range, label)| (&text[range], label.number)).collect();
        assert_eq!(found, [("第三十九条", 39), ("第40条", 40), ("Article 5", 5)]);
    }
}
