//! Pages that say the same under different addresses: reprints, mirrors, copies on a second host. Told from what engines
//! show of them, the title and the snippet.
//!
//! A SimHash (Charikar, 2002) of each text screens pairs that have nothing in common; for those that pass, the shingles
//! themselves are compared. With a few dozen results the exact comparison is affordable, and a sketch alone would either
//! miss rewritten snippets or join pages that differ by a number.

use anwen_text::normalize;

/// Characters of a shingle.
const SHINGLE_CHARS: usize = 3;
/// Bits of two sketches that may differ; unrelated texts differ in about 32.
const MAX_SKETCH_DISTANCE: u32 = 30;
/// Shares of the smaller text's shingles that the other has.
const SAME_TITLE: f32 = 0.72;
const SAME_SNIPPET: f32 = 0.62;
const EQUAL_TITLE: f32 = 0.97;
const EQUAL_SNIPPET: f32 = 0.9;
/// A snippet this long that all but equals another is the same text, whatever a site has called it.
const LONG_SNIPPET_SHINGLES: usize = 30;
/// Of a snippet this short nothing can be said.
const MIN_SNIPPET_SHINGLES: usize = 12;
const MIN_TITLE_SHINGLES: usize = 5;
const MAX_SITE_NAME_CHARS: usize = 24;
/// Titles as long as this, all but equal, speak for one text where the snippets have so much in common.
const LONG_TITLE_SHINGLES: usize = 10;
const RELATED_SNIPPET: f32 = 0.45;
/// On one host, where pages are made from templates.
const SAME_HOST_TITLE: f32 = 0.85;
/// What stands between a title and the name of its site.
const TITLE_SEPARATORS: [&str; 8] = [" - ", " – ", " — ", " | ", "_", " · ", "｜", " :: "];

/// What is compared of a result.
#[derive(Debug, Clone)]
pub struct Sketch {
    bits: u64,
    title: Vec<u64>,
    snippet: Vec<u64>,
    /// Numbers and codes of the title, which tell versions, years and models apart.
    numbers: Vec<String>,
    /// Those of the snippet. The last word is left out: where a snippet is cut, it may be half a number.
    snippet_numbers: Vec<String>,
}

impl Sketch {
    pub fn of(title: &str, snippet: &str) -> Self {
        let title = normalize(&without_site(title));
        let snippet = normalize(snippet);
        let (title_shingles, snippet_shingles) = (shingles(&title), shingles(&snippet));
        Self {
            bits: simhash(title_shingles.iter().chain(&snippet_shingles)),
            title: title_shingles,
            snippet: snippet_shingles,
            numbers: numbers(&title),
            snippet_numbers: numbers(without_last_word(&snippet)),
        }
    }
}

/// Whether two results show the same text. A host rarely has one text at two addresses, but often two pages from one
/// template: there only what is all but equal counts.
pub fn near(one: &Sketch, other: &Sketch, is_same_host: bool) -> bool {
    if !(agree(&one.numbers, &other.numbers) && agree(&one.snippet_numbers, &other.snippet_numbers))
        || (one.bits ^ other.bits).count_ones() > MAX_SKETCH_DISTANCE
    {
        return false;
    }
    let shorter = one.snippet.len().min(other.snippet.len());
    if shorter < MIN_SNIPPET_SHINGLES {
        return false;
    }
    let is_long = shorter >= LONG_SNIPPET_SHINGLES;
    let snippet = overlap(&one.snippet, &other.snippet);
    if !is_same_host && is_long && snippet >= EQUAL_SNIPPET {
        return true;
    }
    if one.title.len().min(other.title.len()) < MIN_TITLE_SHINGLES {
        return false;
    }
    let title = overlap(&one.title, &other.title);
    if is_same_host {
        return snippet >= EQUAL_SNIPPET && (title >= EQUAL_TITLE || (title >= SAME_HOST_TITLE && is_long));
    }
    let is_long_title = one.title.len().min(other.title.len()) >= LONG_TITLE_SHINGLES;
    (title >= SAME_TITLE && snippet >= SAME_SNIPPET)
        || (snippet >= EQUAL_SNIPPET && title >= SAME_TITLE * 0.6)
        || (is_long_title && title >= EQUAL_TITLE && snippet >= RELATED_SNIPPET)
}

/// Whether the numbers of two texts may be those of one: either has all of the other's. Sorted.
fn agree(one: &[String], other: &[String]) -> bool {
    let within = |small: &[String], large: &[String]| small.iter().all(|number| large.contains(number));
    within(one, other) || within(other, one)
}

fn without_last_word(text: &str) -> &str {
    let end = text.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    if end.len() < text.len() {
        // It ends with something that is no part of a number.
        return text;
    }
    end.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ',' | '-'))
}

/// The title without the name of the site at its end.
fn without_site(title: &str) -> String {
    let mut kept = title.trim();
    for separator in TITLE_SEPARATORS {
        if let Some((before, after)) = kept.rsplit_once(separator)
            && after.chars().count() <= MAX_SITE_NAME_CHARS
            && before.chars().count() >= 6
            && !after.chars().any(|c| c.is_ascii_digit())
        {
            kept = before.trim_end();
        }
    }
    kept.to_owned()
}

/// Hashes of all runs of [`SHINGLE_CHARS`] letters and digits, sorted, each once.
fn shingles(text: &str) -> Vec<u64> {
    let characters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut hashes: Vec<u64> = characters.windows(SHINGLE_CHARS).map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// FNV-1a over code points, finished by a mixer so that every bit of a sketch depends on every character.
fn hash(characters: &[char]) -> u64 {
    let mut hash = characters.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, c| {
        (hash ^ u64::from(u32::from(*c))).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

fn simhash<'a>(hashes: impl Iterator<Item = &'a u64>) -> u64 {
    let mut weights = [0_i32; 64];
    for hash in hashes {
        for (bit, weight) in weights.iter_mut().enumerate() {
            *weight += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    weights.iter().enumerate().fold(0, |bits, (bit, weight)| bits | (u64::from(*weight > 0) << bit))
}

/// The share of the smaller set that both have; both are sorted.
fn overlap(one: &[u64], other: &[u64]) -> f32 {
    let smaller = one.len().min(other.len());
    if smaller == 0 {
        return 0.0;
    }
    let (mut at, mut common) = (0, 0);
    for hash in one {
        while other.get(at).is_some_and(|candidate| candidate < hash) {
            at += 1;
        }
        if other.get(at) == Some(hash) {
            common += 1;
        }
    }
    common as f32 / smaller as f32
}

/// Runs of digits, Chinese numerals after 第, and roman numerals, sorted. Letters beside digits are left out, since one site
/// writes `MySQL 8` and another `MySQL8`.
fn numbers(title: &str) -> Vec<String> {
    let mut found: Vec<String> = title
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .chain(title.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| is_roman(word)))
        .map(str::to_owned)
        .collect();
    let characters: Vec<char> = title.chars().collect();
    for (at, c) in characters.iter().enumerate() {
        let is_numeral = "一二三四五六七八九十上中下".contains(*c);
        let after_ordinal = at > 0 && matches!(characters[at - 1], '第' | '(' | '（');
        let before_unit = characters.get(at + 1).is_some_and(|next| "章节条篇部册卷期批季".contains(*next));
        if is_numeral && (after_ordinal || before_unit) {
            found.push(c.to_string());
        }
    }
    found.sort();
    found
}

fn is_roman(word: &str) -> bool {
    matches!(word, "ii" | "iii" | "iv" | "vi" | "vii" | "viii")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(one: (&str, &str), other: (&str, &str)) -> bool {
        near(&Sketch::of(one.0, one.1), &Sketch::of(other.0, other.1), false)
    }

    const SNIPPET: &str = "Before the mechanical seal is changed, isolate the pump and drain the casing; then loosen the gland.";

    #[test]
    fn a_reprint_is_found_though_the_site_puts_its_name_into_the_title() {
        assert!(is_near(
            ("How to change a mechanical seal - PumpNews", SNIPPET),
            ("How to change a mechanical seal | Daily", SNIPPET)
        ));
        let shorter = "Before the mechanical seal is changed, isolate the pump and drain the casing";
        assert!(is_near(
            ("How to change a mechanical seal", SNIPPET),
            ("How To Change a Mechanical Seal", shorter)
        ));
    }

    #[test]
    fn a_number_in_the_title_tells_two_pages_apart() {
        assert!(!is_near(
            ("How to change seal LT-07 of a pump", SNIPPET),
            ("How to change seal LT-08 of a pump", SNIPPET)
        ));
        assert!(!is_near(
            ("离心泵维护手册（上）机械密封", SNIPPET),
            ("离心泵维护手册（下）机械密封", SNIPPET)
        ));
    }

    #[test]
    fn two_pages_of_one_site_from_one_template_stay_two() {
        let one = Sketch::of(
            "How to correct an error in VLOOKUP",
            "The value is not in the first column of the table array.",
        );
        let other = Sketch::of(
            "How to correct an error in HLOOKUP",
            "The value is not in the first row of the table array.",
        );
        assert!(!near(&one, &other, true));
        assert!(near(&one, &one.clone(), true));
    }

    #[test]
    fn a_title_alone_or_a_short_snippet_proves_nothing() {
        assert!(!is_near(("About us and contact", "x"), ("About us and contact", "x")));
        assert!(!is_near(
            ("How to change a seal", SNIPPET),
            ("How to change a seal", "A completely different page about flower pots in the garden")
        ));
    }
}
