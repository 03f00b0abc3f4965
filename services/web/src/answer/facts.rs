//! What must match exactly between a sentence and the passage that it cites: numbers, dates and codes.

use anwen_text::normalize;
use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

/// A number, date or code that a sentence states. It is borne out when any of its spellings stands in the passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub spellings: Vec<Spelling>,
}

/// Parts that must all stand in the passage.
pub type Spelling = Vec<String>;

/// Everything exact that a passage states.
#[derive(Debug, Clone, Default)]
pub struct KnownFacts(HashSet<String>);

impl KnownFacts {
    /// The facts of `text`, with the numbers that are written as words (`十五`, `twelve`).
    pub fn of(text: &str) -> Self {
        let text = normalize(text);
        let mut known = HashSet::new();
        for fact in facts_of_normalized(&text) {
            known.extend(fact.spellings.into_iter().flatten());
        }
        known.extend(han_numbers(&text).into_iter().map(|(value, _)| value));
        known.extend(english_numbers(&text));
        Self(known)
    }

    /// Whether the passage states `fact`.
    pub fn bear_out(&self, fact: &Fact) -> bool {
        fact.spellings.iter().any(|parts| parts.iter().all(|part| self.0.contains(part)))
    }
}

/// The facts that a sentence states. Numbers in Chinese words count where a unit follows them (`六天`).
pub fn facts_of(sentence: &str) -> Vec<Fact> {
    let text = normalize(sentence);
    let mut facts = facts_of_normalized(&text);
    for (value, followed_by) in han_numbers(&text) {
        let counts = followed_by.is_some_and(|c| HAN_UNITS.contains(c)) && value != "1";
        if counts {
            facts.push(Fact { spellings: vec![vec![value]] });
        }
    }
    facts
}

/// The codes that a text names (`e-204`, `p0300`), normalised.
pub fn codes_of(text: &str) -> Vec<String> {
    let (mut rest, mut dates, mut codes) = (normalize(text), Vec::new(), Vec::new());
    take_dates(&mut rest, &mut dates);
    take_codes(&mut rest, &mut codes);
    codes.into_iter().flat_map(|fact| fact.spellings).flatten().collect()
}

/// Units after which a Chinese numeral is a quantity and not part of a word.
const HAN_UNITS: &str = "天日年月周元个小分秒岁人次倍条项章节级度米克升台套件份页";

macro_rules! patterns {
    ($($name:ident = $pattern:literal;)+) => {$(
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
    )+};
}

patterns! {
    DATE_BY_NUMBERS = r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})(?:\s*日)?";
    DATE_DAY_FIRST = r"\b(\d{1,2})(?:st|nd|rd|th)?\s+(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s+(\d{4})\b";
    DATE_MONTH_FIRST = r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b";
    CODE = r"[a-z][a-z0-9]*(?:[-_./][a-z0-9]+)*\d[a-z0-9]*(?:[-_./][a-z0-9]+)*|\d+[-_./a-z]*[a-z][a-z0-9]*(?:[-_./][a-z0-9]+)*";
    NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?\s*(万|亿|千|百|thousand\b|million\b|billion\b)?";
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Units that are written against a number without making it a code: `5kg` is the number 5.
const UNITS: [&str; 28] = [
    "a", "bar", "c", "cm", "d", "days", "g", "gb", "h", "hz", "k", "kg", "km", "kpa", "kw", "l", "m", "mb",
    "min", "ml", "mm", "mpa", "ms", "nm", "rpm", "s", "v", "w",
];

fn facts_of_normalized(text: &str) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut rest = text.to_owned();
    take_dates(&mut rest, &mut facts);
    take_codes(&mut rest, &mut facts);
    take_numbers(&rest, &mut facts);
    facts
}

/// Moves what `pattern` matches out of `rest` and into facts, where `read` makes one of it.
fn take(
    rest: &mut String,
    pattern: &LazyLock<Option<Regex>>,
    facts: &mut Vec<Fact>,
    read: impl Fn(&regex::Captures<'_>) -> Option<Fact>,
) {
    let Some(pattern) = pattern.as_ref() else { return };
    let replaced = pattern.replace_all(rest, |found: &regex::Captures<'_>| match read(found) {
        Some(fact) => {
            facts.push(fact);
            " ".to_owned()
        }
        None => found.get(0).map_or("", |whole| whole.as_str()).to_owned(),
    });
    *rest = replaced.into_owned();
}

fn take_dates(rest: &mut String, facts: &mut Vec<Fact>) {
    let group = |found: &regex::Captures<'_>, at: usize| found.get(at).map(|part| part.as_str().to_owned());
    take(rest, &DATE_BY_NUMBERS, facts, |found| {
        date(group(found, 1)?.parse().ok()?, group(found, 2)?.parse().ok()?, group(found, 3)?.parse().ok()?)
    });
    take(rest, &DATE_DAY_FIRST, facts, |found| {
        date(group(found, 3)?.parse().ok()?, month_of(&group(found, 2)?)?, group(found, 1)?.parse().ok()?)
    });
    take(rest, &DATE_MONTH_FIRST, facts, |found| {
        date(group(found, 3)?.parse().ok()?, month_of(&group(found, 1)?)?, group(found, 2)?.parse().ok()?)
    });
}

fn month_of(name: &str) -> Option<u32> {
    MONTHS.iter().position(|month| *month == name).map(|at| at as u32 + 1)
}

/// A date, or its three numbers each by itself ("in 2026, on 5 January").
fn date(year: u32, month: u32, day: u32) -> Option<Fact> {
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day);
    plausible.then(|| Fact {
        spellings: vec![
            vec![format!("{year}-{month}-{day}")],
            vec![year.to_string(), month.to_string(), day.to_string()],
        ],
    })
}

fn take_codes(rest: &mut String, facts: &mut Vec<Fact>) {
    take(rest, &CODE, facts, |found| {
        let code = found.get(0)?.as_str();
        let unit = code.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if unit.len() < code.len() && UNITS.binary_search(&unit).is_ok() {
            return None;
        }
        Some(Fact { spellings: vec![vec![code.to_owned()]] })
    });
}

fn take_numbers(text: &str, facts: &mut Vec<Fact>) {
    let Some(pattern) = NUMBER.as_ref() else { return };
    for found in pattern.captures_iter(text) {
        let whole = found.get(1).map_or("", |part| part.as_str()).replace(',', "");
        let fraction = found.get(2).map_or("", |part| part.as_str());
        let plain = canonical_number(&format!("{whole}{fraction}"));
        let mut spellings = vec![vec![plain.clone()]];
        let factor = found.get(3).map_or(1.0, |unit| factor_of(unit.as_str()));
        if factor > 1.0 {
            // "3 万" is also "30000"; the plain 3 alone would be borne out by any 3.
            if let Ok(value) = plain.parse::<f64>() {
                spellings = vec![
                    vec![canonical_number(&format!("{}", value * factor))],
                    vec![format!("{plain}×{factor}")],
                ];
            }
        }
        facts.push(Fact { spellings });
    }
}

fn factor_of(unit: &str) -> f64 {
    match unit {
        "百" => 1e2,
        "千" | "thousand" => 1e3,
        "万" => 1e4,
        "million" => 1e6,
        "亿" => 1e8,
        "billion" => 1e9,
        _ => 1.0,
    }
}

/// One spelling of a number: no leading zeros, no zeros at the end of a fraction.
fn canonical_number(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// Numbers in Chinese words, in digits, with the character that follows each.
fn han_numbers(text: &str) -> Vec<(String, Option<char>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_han_numeral) {
        let tail = &rest[start..];
        let end = tail.find(|c| !is_han_numeral(c)).unwrap_or(tail.len());
        // In "3 万" the character is the unit of a number in digits, which is read as such.
        let is_unit = rest[..start].trim_end().ends_with(|c: char| c.is_ascii_digit());
        if let Some(value) = han_value(&tail[..end]).filter(|_| !is_unit) {
            found.push((value.to_string(), tail[end..].chars().next()));
        }
        rest = &tail[end..];
    }
    found
}

fn is_han_numeral(c: char) -> bool {
    "零〇一二两三四五六七八九十百千万".contains(c)
}

/// The value of a Chinese numeral below a hundred million; `None` when it is not one.
fn han_value(text: &str) -> Option<u64> {
    let (mut total, mut section, mut digit) = (0u64, 0u64, None::<u64>);
    for c in text.chars() {
        let unit = match c {
            '十' => 10,
            '百' => 100,
            '千' => 1_000,
            '万' => {
                total += (section + digit.take().unwrap_or(0)).checked_mul(10_000)?;
                section = 0;
                continue;
            }
            _ => {
                let value = "零一二三四五六七八九".chars().position(|known| known == c);
                digit = Some(match c {
                    '〇' => 0,
                    '两' => 2,
                    _ => value? as u64,
                });
                continue;
            }
        };
        section = section.checked_add(digit.take().unwrap_or(1) * unit)?;
    }
    total.checked_add(section + digit.unwrap_or(0))
}

const ENGLISH_NUMBERS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

fn english_numbers(text: &str) -> Vec<String> {
    let number =
        |word: &str| ENGLISH_NUMBERS.iter().position(|known| *known == word).map(|value| value.to_string());
    text.split(|c: char| !c.is_ascii_alphabetic()).filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn borne_out(sentence: &str, passage: &str) -> bool {
        let known = KnownFacts::of(passage);
        facts_of(sentence).iter().all(|fact| known.bear_out(fact))
    }

    #[test]
    fn units_are_sorted_for_binary_search() {
        assert!(UNITS.is_sorted());
    }

    #[test]
    fn exact_things_must_match_in_any_spelling() {
        for (sentence, passage, expected) in [
            ("年假 15 天", "员工享有15天年假。", true),
            ("年假 15 天", "员工享有十五天年假。", true),
            ("年假十五天", "员工享有15天年假。", true),
            ("年假十六天", "员工享有15天年假。", false),
            ("年假 10 天", "员工享有15天年假。", false),
            ("It takes 12 days", "It takes twelve days.", true),
            ("It costs 3,000 dollars", "The price is 3000 USD", true),
            ("It costs 3000.50", "The price is 3,000.5", true),
            ("费用为3万元", "费用为30000元", true),
            ("费用为3万元", "费用为3元", false),
            ("On 5 January 2026", "生效日期：2026年1月5日", true),
            ("On January 5, 2026", "Effective 2026-01-05.", true),
            ("On January 6, 2026", "Effective 2026-01-05.", false),
            ("Fault code P0300 means misfire", "P0300: random misfire", true),
            ("Fault code P0301 means misfire", "P0300: random misfire", false),
            ("GB/T 19001-2016 applies", "依据 GB/T 19001-2016 标准", true),
            ("Use v1.2.4", "Use v1.2.3", false),
            ("Torque 5kg", "torque: 5 kg", true),
            ("第3章", "第三章 总则", true),
            ("没有数字", "什么都没有", true),
        ] {
            assert_eq!(borne_out(sentence, passage), expected, "{sentence} | {passage}");
        }
    }

    #[test]
    fn chinese_numerals_have_values() {
        for (text, value) in [
            ("十", 10),
            ("十五", 15),
            ("二十", 20),
            ("一百零五", 105),
            ("两千", 2000),
            ("三万五千", 35000),
            ("〇", 0),
        ] {
            assert_eq!(han_value(text), Some(value), "{text}");
        }
    }
}
