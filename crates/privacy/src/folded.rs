//! A text as detectors read it: one character for all that look like it, and the way back to the bytes.

use std::ops::Range;

/// The characters of a text, folded, with the place of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folded {
    pub chars: Vec<char>,
    /// The byte offset of each character, and its length in bytes.
    places: Vec<(usize, usize)>,
}

impl Folded {
    pub fn new(text: &str) -> Self {
        let mut folded =
            Self { chars: Vec::with_capacity(text.len()), places: Vec::with_capacity(text.len()) };
        for (offset, character) in text.char_indices() {
            if let Some(one) = fold(character) {
                folded.chars.push(one);
                folded.places.push((offset, character.len_utf8()));
            }
        }
        folded
    }

    pub fn len(&self) -> usize {
        self.chars.len()
    }

    pub fn at(&self, index: usize) -> Option<char> {
        self.chars.get(index).copied()
    }

    /// The character before an index.
    pub fn before(&self, index: usize) -> Option<char> {
        self.at(index.checked_sub(1)?)
    }

    /// The bytes of a range of characters.
    pub fn bytes(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.places.get(range.start).map_or(0, |(offset, _)| *offset);
        let last = range.end.checked_sub(1).and_then(|last| self.places.get(last));
        start..last.map_or(start, |(offset, length)| offset + length)
    }

    pub fn text(&self, range: Range<usize>) -> String {
        self.chars.get(range).unwrap_or_default().iter().collect()
    }

    /// Whether these characters stand at the index.
    pub fn starts_with(&self, index: usize, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, character)| self.at(index + offset) == Some(character))
    }

    /// The end of the longest run from `start` of characters that `belongs` takes, at most `max_chars` long.
    pub fn run(&self, start: usize, max_chars: usize, belongs: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(start..).unwrap_or_default();
        start + rest.iter().take(max_chars).take_while(|character| belongs(**character)).count()
    }

    /// The beginning of the longest run up to `end` of characters that `belongs` takes, at most `max_chars` long.
    pub fn run_back(&self, end: usize, max_chars: usize, belongs: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(..end).unwrap_or_default();
        end - rest.iter().rev().take(max_chars).take_while(|character| belongs(**character)).count()
    }
}

/// The character that stands for this one; `None` for what nobody sees.
pub(crate) fn fold(character: char) -> Option<char> {
    Some(match character {
        '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' => return None,
        '\u{FF01}'..='\u{FF5E}' => {
            // The full-width forms stand in the order of ASCII.
            char::from_u32(u32::from(character) - 0xFF01 + 0x21).unwrap_or(character)
        }
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' | '\t' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => '-',
        '•' | '・' | '‧' | '∙' | '⋅' | '●' => '·',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '【' => '[',
        '】' => ']',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_meet_and_keep_their_places() {
        let text = "电话：１３８—12\u{200B}34";
        let folded = Folded::new(text);
        assert_eq!(folded.text(0..folded.len()), "电话:138-1234");
        assert_eq!(&text[folded.bytes(&(3..11))], "１３８—12\u{200B}34");
        assert_eq!(&text[folded.bytes(&(2..3))], "：");
        assert_eq!(folded.bytes(&(0..0)), 0..0);
    }
}
