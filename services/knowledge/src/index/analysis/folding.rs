//! One spelling for matching, with the way back to the source.

use std::ops::Range;

use anwen_text::{is_han, simplify};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// A text in the form in which terms are compared.
///
/// The same spellings meet as in [`anwen_text::normalize`], and `é` meets `e`; unlike there, every byte knows the
/// byte of the source that it came from, so that a match can be marked.
pub(super) struct Folded {
    pub text: String,
    /// `(offset in text, offset in source)` of every cluster (a character and the marks on it), ascending; empty
    /// when the two are the same everywhere.
    clusters: Vec<(usize, usize)>,
}

impl Folded {
    pub fn new(source: &str) -> Self {
        if source.is_ascii() {
            return Self { text: source.to_ascii_lowercase(), clusters: Vec::new() };
        }
        let mut folded = Self {
            text: String::with_capacity(source.len()),
            clusters: Vec::with_capacity(source.len() / 2),
        };
        let mut at = 0;
        while at < source.len() {
            let end = at + cluster_length(&source[at..]);
            folded.clusters.push((folded.text.len(), at));
            folded.push_cluster(&source[at..end]);
            at = end;
        }
        let simplified = simplify(&folded.text);
        // Traditional and simplified characters have the same number of bytes; were one ever to differ, marks in
        // the right place are worth more than the match.
        if simplified.len() == folded.text.len() {
            folded.text = simplified;
        }
        folded
    }

    fn push_cluster(&mut self, cluster: &str) {
        let mut characters = cluster.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) if one.is_ascii() => self.text.push(one.to_ascii_lowercase()),
            (Some(one), None) if is_han(one) => self.text.push(one),
            _ => cluster.nfkc().for_each(|composed| self.push_lower(composed)),
        }
    }

    fn push_lower(&mut self, composed: char) {
        for lower in composed.to_lowercase() {
            let base = std::iter::once(lower).nfd().next().unwrap_or(lower);
            if is_combining_mark(lower) && self.text.ends_with(|last: char| last.is_ascii_alphabetic()) {
                continue;
            }
            self.text.push(if base.is_ascii_alphabetic() { base } else { lower });
        }
    }

    /// The bytes of the source that `range` of the folded text came from: whole clusters.
    pub fn source_range(&self, range: Range<usize>, source_length: usize) -> Range<usize> {
        if self.clusters.is_empty() {
            return range;
        }
        let first = self.clusters.partition_point(|&(text, _)| text <= range.start).saturating_sub(1);
        let after = self.clusters.partition_point(|&(text, _)| text < range.end);
        let start = self.clusters[first].1;
        let end = self.clusters.get(after).map_or(source_length, |&(_, source)| source);
        start..end
    }
}

/// Bytes of a character and the combining marks after it, which compose as one.
fn cluster_length(text: &str) -> usize {
    let mut characters = text.char_indices();
    characters.next();
    characters
        .find(|&(_, character)| character.is_ascii() || canonical_combining_class(character) == 0)
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_text_meet() {
        for (source, expected) in [
            ("Hello World", "hello world"),
            ("ＧＢ／Ｔ　１９００１", "gb/t 19001"),
            ("（第３章）", "(第3章)"),
            ("電腦軟體", "电脑软体"),
            ("№①", "no1"),
            ("Cafe\u{301} café CAFÉ", "cafe cafe cafe"),
            ("İstanbul", "istanbul"),
            ("Москва й", "москва й"),
            ("", ""),
        ] {
            assert_eq!(Folded::new(source).text, expected, "{source:?}");
        }
    }

    #[test]
    fn a_range_leads_back_to_the_source() {
        for (source, needle, expected) in [
            ("plain words here", "words", "words"),
            ("，電腦，ＰＣ１２，ok", "电脑", "電腦"),
            ("，電腦，ＰＣ１２，ok", "pc12", "ＰＣ１２"),
            ("，電腦，ＰＣ１２，ok", "ok", "ok"),
            ("see № 7", "no", "№"),
            ("see № 7", "7", "7"),
            ("the cafe\u{301} is", "cafe", "cafe\u{301}"),
            ("the cafe\u{301} is", "is", "is"),
        ] {
            let folded = Folded::new(source);
            let start =
                folded.text.find(needle).unwrap_or_else(|| panic!("{needle:?} not in {:?}", folded.text));
            let range = folded.source_range(start..start + needle.len(), source.len());
            assert_eq!(&source[range], expected, "{needle:?} in {source:?}");
        }
    }

    #[test]
    fn every_range_is_on_character_boundaries() {
        let source = "ﬃ①ＡＢ，漢字№é e\u{301}\u{302}x ㌖ 〇 １２，３";
        let folded = Folded::new(source);
        let bounds: Vec<usize> =
            (0..=folded.text.len()).filter(|&at| folded.text.is_char_boundary(at)).collect();
        for &start in &bounds {
            for &end in bounds.iter().filter(|&&end| end > start) {
                let range = folded.source_range(start..end, source.len());
                assert!(source.get(range.clone()).is_some(), "{range:?} for {start}..{end}");
            }
        }
    }
}
