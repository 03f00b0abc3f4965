//! Recognised words as the characters of a page, so that scanned pages pass the same analysis as digital ones.

use super::geometry::Reading;
use super::glyphs::{Glyph, PageGlyphs};
use crate::clean;
use crate::parse::ocr::{RecognisedLine, RecognisedPage, RecognisedWord};

/// Height above and below the baseline as shares of the font size.
const ASCENT: f32 = 0.75;
const DESCENT: f32 = 0.2;

/// The characters of the upright page. A word's characters share its width by their columns.
pub(super) fn glyphs(page: &RecognisedPage) -> PageGlyphs {
    let mut glyphs = Vec::new();
    for line in &page.lines {
        let mut end = f32::NEG_INFINITY;
        for word in &line.words {
            if word.spaced && word.start > end {
                glyphs.push(glyph(line, ' ', end, word.start - end));
            }
            end = word.end;
            push_word(&mut glyphs, line, word);
        }
    }
    PageGlyphs { glyphs, ..PageGlyphs::new(page.upright) }
}

fn push_word(glyphs: &mut Vec<Glyph>, line: &RecognisedLine, word: &RecognisedWord) {
    let columns = clean::columns(&word.text).max(1) as f32;
    let mut at = word.start;
    for character in word.text.chars() {
        let width = clean::columns(character.encode_utf8(&mut [0; 4])) as f32;
        let advance = (word.end - word.start) * width / columns;
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
