//! Citation markers in an answer: `[1]`, the lists that models like to write (`[1, 2]`), and `【3】`.

use anwen_text::sentences;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

static MARKER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\[(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\]|【(\d{1,3})】").ok());

/// A marker and the sources that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Marker {
    range: Range<usize>,
    numbers: Vec<u32>,
}

/// A sentence of an answer, without its markers, and the sources that they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitedSentence {
    pub sentence: String,
    pub numbers: Vec<u32>,
}

/// The markers of `text` whose numbers all name a source (1 to `sources`). `[2024]` in an answer about years names
/// none and stays text.
fn markers(text: &str, sources: u32) -> Vec<Marker> {
    let Some(pattern) = MARKER.as_ref() else { return Vec::new() };
    let marker = |found: regex::Captures<'_>| {
        let whole = found.get(0)?;
        let list = found.get(1).or_else(|| found.get(2))?.as_str();
        let numbers: Vec<u32> =
            list.split([',', '，', '、']).filter_map(|part| part.trim().parse().ok()).collect();
        let known = !numbers.is_empty() && numbers.iter().all(|n| (1..=sources).contains(n));
        known.then(|| Marker { range: whole.range(), numbers })
    };
    pattern.captures_iter(text).filter_map(marker).collect()
}

/// `text` without its markers.
pub fn without_markers(text: &str, sources: u32) -> String {
    cut_markers(text, sources).0
}

/// `text` without its markers, and where in it each of them stood.
fn cut_markers(text: &str, sources: u32) -> (String, Vec<(usize, Vec<u32>)>) {
    let mut plain = String::with_capacity(text.len());
    let mut places = Vec::new();
    let mut from = 0;
    for marker in markers(text, sources) {
        plain.push_str(&text[from..marker.range.start]);
        // The space before a marker belongs to no word: "five days [1]." reads "five days."
        plain.truncate(plain.trim_end_matches(' ').len());
        places.push((plain.len(), marker.numbers));
        from = marker.range.end;
    }
    plain.push_str(&text[from..]);
    (plain, places)
}

/// The sentences of an answer that cite something, in order. A marker belongs to the sentence that ends before it
/// or around it: both "days [1]." and "days.[1]" cite for the same sentence.
pub fn cited_sentences(text: &str, sources: u32) -> Vec<CitedSentence> {
    let (plain, places) = cut_markers(text, sources);
    let ranges = sentences(&plain);
    let mut cited: Vec<(usize, Vec<u32>)> = Vec::new();
    for (place, numbers) in places {
        let place = plain[..place].trim_end().len();
        let Some(index) = ranges.iter().rposition(|range| range.start < place) else { continue };
        match cited.iter_mut().find(|(at, _)| *at == index) {
            Some((_, known)) => {
                known.extend(numbers.iter().filter(|n| !known.contains(n)).copied().collect::<Vec<_>>())
            }
            None => cited.push((index, numbers)),
        }
    }
    cited.sort_by_key(|(index, _)| *index);
    let sentence = |(index, numbers): (usize, Vec<u32>)| {
        Some(CitedSentence { sentence: plain.get(ranges.get(index)?.clone())?.to_owned(), numbers })
    };
    cited.into_iter().filter_map(sentence).collect()
}

/// The quotes of an answer that only quotes: each runs from the marker before it to its own, however many sentences
/// or rows of a table that is.
pub fn quoted_passages(text: &str, sources: u32) -> Vec<CitedSentence> {
    let (plain, places) = cut_markers(text, sources);
    let mut quotes: Vec<CitedSentence> = Vec::new();
    let mut from = 0;
    for (place, numbers) in places {
        let quote = plain[from..place].trim();
        match quotes.last_mut() {
            // Two markers in a row are of one quote.
            Some(last) if quote.is_empty() => last.numbers.extend(numbers),
            _ if quote.is_empty() => {}
            _ => quotes.push(CitedSentence { sentence: quote.to_owned(), numbers }),
        }
        from = place;
    }
    quotes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cited(text: &str) -> Vec<(String, Vec<u32>)> {
        cited_sentences(text, 9).into_iter().map(|cited| (cited.sentence, cited.numbers)).collect()
    }

    #[test]
    fn a_marker_belongs_to_the_sentence_before_it() {
        for (text, expected) in [
            ("Five days [1]. Ten more.", vec![("Five days.", vec![1])]),
            ("Five days.[1] Ten more. [2]", vec![("Five days.", vec![1]), ("Ten more.", vec![2])]),
            ("年假五天[1]。病假十天。【2】", vec![("年假五天。", vec![1]), ("病假十天。", vec![2])]),
            ("Both hold [1][3].", vec![("Both hold.", vec![1, 3])]),
            ("Both hold [1, 3].", vec![("Both hold.", vec![1, 3])]),
            ("Said [1] twice [1].", vec![("Said twice.", vec![1])]),
            ("In the year [2024] nothing.", vec![]),
            ("Unknown source [12].", vec![]),
            ("- One [1]\n- Two [2]", vec![("- One", vec![1]), ("- Two", vec![2])]),
            ("[1] begins", vec![]),
            ("", vec![]),
        ] {
            let expected: Vec<(String, Vec<u32>)> =
                expected.into_iter().map(|(sentence, numbers)| (sentence.to_owned(), numbers)).collect();
            assert_eq!(cited(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quote_of_many_lines_is_one() {
        let quotes = quoted_passages("| A | 1 |\n| B | 2 |[1]\n\nFive days.[2][3]\n", 3);
        let quotes: Vec<_> =
            quotes.iter().map(|quote| (quote.sentence.as_str(), quote.numbers.as_slice())).collect();
        assert_eq!(quotes, [("| A | 1 |\n| B | 2 |", &[1][..]), ("Five days.", &[2, 3])]);
        assert!(quoted_passages("[1] nothing before", 1).is_empty());
    }

    #[test]
    fn text_without_markers_reads_on() {
        assert_eq!(without_markers("Five days [1]. 五天【2】。", 2), "Five days. 五天。");
    }
}
