//! Recognised words as the characters of a page, so that scanned pages pass the same analysis as digital ones.

use super::geometry::Reading;
use super::glyphs::{Glyph, PageGlyphs};
use crate::clean;
use crate::parse::ocr::{RecognisedLine, RecognisedPage, RecognisedWord};

/// Height above and below the baseline as shares of the font size.
const ASCENT: f32 = 0.75;
const DESCENT: f32 = 0.2;
/// Points that a word takes whose place another one has.
const LEAST_WIDTH: f32 = 0.1;

/// The characters of the upright page. A word's characters share its width by their columns.
pub(super) fn glyphs(page: &RecognisedPage) -> PageGlyphs {
    let mut glyphs = Vec::new();
    for line in &page.lines {
        let mut end = f32::NEG_INFINITY;
        for (word, (from, to)) in line.words.iter().zip(apart(&line.words)) {
            if word.spaced && end.is_finite() {
                glyphs.push(glyph(line, ' ', end, from - end));
            }
            end = to;
            push_word(&mut glyphs, line, &word.text, from, to);
        }
    }
    PageGlyphs { glyphs, ..PageGlyphs::new(page.upright) }
}

/// Where each word begins and ends, one behind the other. The boxes of recognised words overlap at times and may even stand in
/// another order than the words, which are in the order of reading; the analysis goes by places alone.
fn apart(words: &[RecognisedWord]) -> Vec<(f32, f32)> {
    let mut places: Vec<(f32, f32)> = Vec::with_capacity(words.len());
    for word in words {
        let mut from = word.start;
        if let Some(last) = places.last_mut() {
            if from <= last.0 {
                from = last.1;
            }
            last.1 = last.1.min(from);
        }
        places.push((from, word.end.max(from + LEAST_WIDTH)));
    }
    places
}

fn push_word(glyphs: &mut Vec<Glyph>, line: &RecognisedLine, text: &str, from: f32, to: f32) {
    let columns = clean::columns(text).max(1) as f32;
    let mut at = from;
    for character in text.chars() {
        let width = clean::columns(character.encode_utf8(&mut [0; 4])) as f32;
        let advance = (to - from) * width / columns;
        glyphs.push(glyph(line, character, at, advance));
        at += advance;
    }
}

fn glyph(line: &RecognisedLine, character: char, at: f32, advance: f32) -> Glyph {
    let (x, y, reading) = if line.downwards {
        (line.baseline, at, Reading::Downwards)
    } else {
        (at, line.baseline, Reading::LeftToRight)
    };
    Glyph {
        character,
        x,
        y,
        reading,
        advance: advance.max(0.0),
        size: line.font_size,
        ascent: ASCENT,
        descent: DESCENT,
        bold: false,
        monospaced: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(start: f32, end: f32) -> RecognisedWord {
        RecognisedWord { text: "x".to_owned(), start, end, spaced: true }
    }

    #[test]
    fn words_whose_boxes_overlap_keep_their_order() {
        let places = apart(&[word(0.0, 10.0), word(8.0, 12.0), word(7.0, 9.0), word(20.0, 30.0)]);
        assert_eq!(places, [(0.0, 8.0), (8.0, 12.0), (12.0, 12.1), (20.0, 30.0)]);
        assert!(places.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].0));
    }
}
