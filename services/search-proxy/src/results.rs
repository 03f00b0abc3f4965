//! What engines answer, before it is merged.

use anwen_contract::Timestamp;

/// An engine's answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    pub suggestions: Vec<String>,
    /// Engines behind this one that did not answer.
    pub silent: Vec<SilentEngine>,
}

/// One result as an engine gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub title: String,
    pub url: String,
    pub snippet: String,
    /// The engines behind a metasearch engine that found it; empty for those that search themselves.
    pub engines: Vec<String>,
    /// The engine's own score; higher is better. Only its order is used: scores of two engines say nothing together.
    pub score: Option<f32>,
    pub published_at: Option<Timestamp>,
}

impl Hit {
    pub fn new(title: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            url: url.into(),
            snippet: String::new(),
            engines: Vec::new(),
            score: None,
            published_at: None,
        }
    }
}

/// An engine that did not answer, and its excuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentEngine {
    pub name: String,
    pub reason: String,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a date as search engines and pages write it: RFC 3339, the same without an offset (taken as UTC), a day in
/// figures (`2024-3-5`, `2024/03/05`, `2024年3月5日`), or in English (`Mar 5, 2024`, `Tue, 05 Mar 2024 …`).
pub fn published_at(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    Timestamp::parse(text)
        .or_else(|| Timestamp::parse(&format!("{}Z", text.replacen(' ', "T", 1))))
        .or_else(|| day(in_figures(text).or_else(|| in_english(text))?))
}

fn day((year, month, day): (u16, u8, u8)) -> Option<Timestamp> {
    (1990..=2100).contains(&year).then_some(())?;
    Timestamp::parse(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z"))
}

/// The first three numbers, where they are year, month and day and stand together.
fn in_figures(text: &str) -> Option<(u16, u8, u8)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let (year, month, day) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let is_date = year.len() == 4 && month.len() <= 2 && day.len() <= 2 && text.starts_with(year);
    let joined = text.contains(['-', '/', '年', '.']);
    (is_date && joined).then_some(())?;
    Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
}

/// A month's name with a day and a year around it.
fn in_english(text: &str) -> Option<(u16, u8, u8)> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|word| month_of(word).is_some())?;
    let month = month_of(words[at])?;
    let number = |word: Option<&&str>, digits: std::ops::RangeInclusive<usize>| {
        word.filter(|word| digits.contains(&word.len()))?.parse::<u16>().ok()
    };
    let before = at.checked_sub(1).and_then(|before| number(words.get(before), 1..=2));
    let (day, year) = match before {
        Some(day) => (day, number(words.get(at + 1), 4..=4)?),
        None => (number(words.get(at + 1), 1..=2)?, number(words.get(at + 2), 4..=4)?),
    };
    Some((year, month, u8::try_from(day).ok()?))
}

fn month_of(word: &str) -> Option<u8> {
    let word = word.to_ascii_lowercase();
    let index = MONTHS.iter().position(|month| word.starts_with(month) && word.len() <= 9)?;
    u8::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_engines_write_them() {
        let cases = [
            ("2026-01-02T03:04:05+08:00", Some("2026-01-01T19:04:05.000Z")),
            ("2026-01-02T03:04:05", Some("2026-01-02T03:04:05.000Z")),
            ("2026-01-02 03:04:05", Some("2026-01-02T03:04:05.000Z")),
            ("2026-01-02", Some("2026-01-02T00:00:00.000Z")),
            ("2024年3月5日 -", Some("2024-03-05T00:00:00.000Z")),
            ("2024/3/5", Some("2024-03-05T00:00:00.000Z")),
            ("Sep 12, 2024", Some("2024-09-12T00:00:00.000Z")),
            ("12 September 2024", Some("2024-09-12T00:00:00.000Z")),
            ("Fri, 08 Nov 2024 00:00:00 GMT", Some("2024-11-08T00:00:00.000Z")),
            ("2024-13-45", None),
            ("3 days ago", None),
            ("maybe 2024", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(published_at(text).map(Timestamp::to_rfc3339).as_deref(), expected, "{text}");
        }
    }
}
