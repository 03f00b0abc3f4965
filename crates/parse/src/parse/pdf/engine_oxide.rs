//! The first engine: `pdf_oxide`, whose characters are the most complete (fonts without Unicode tables, Chinese).

use std::collections::HashMap;

use pdf_oxide::PdfDocument;
use pdf_oxide::layout::TextChar;
use pdf_oxide::object::Object;

use super::geometry::PageFrame;
use super::glyphs::{GlyphSource, MAX_GLYPHS_PER_PAGE, PageGlyphs, RawGlyph, is_unmapped};
use crate::clean;

pub(super) struct OxideSource {
    document: PdfDocument,
    pages: usize,
}

/// Why a document could not be opened.
pub(super) enum OpenError {
    /// A password is needed.
    Locked,
    Damaged(String),
}

impl OxideSource {
    pub(super) fn open(data: Vec<u8>) -> Result<Self, OpenError> {
        let damaged = |error: pdf_oxide::Error| OpenError::Damaged(error.to_string());
        let document = PdfDocument::from_bytes(data).map_err(damaged)?;
        if document.is_encrypted()
            && !document.is_authenticated()
            && !document.authenticate(b"").unwrap_or(false)
        {
            return Err(OpenError::Locked);
        }
        let pages = document.page_count().map_err(damaged)?;
        Ok(Self { document, pages })
    }

    /// Number of visible characters in the engine's own running text of a page, to check the characters against.
    pub(super) fn running_text_characters(&self, index: usize) -> usize {
        let text = self.document.extract_text(index).unwrap_or_default();
        text.chars().filter(|c| !c.is_whitespace() && !is_unmapped(*c)).count()
    }

    fn frame(&self, index: usize) -> PageFrame {
        let page = self.document.get_page(index).ok();
        let dictionary = page.as_ref().and_then(Object::as_dict);
        let rotation = self.document.get_page_rotation(index).unwrap_or(0);
        let user_unit = dictionary
            .and_then(|page| page.get("UserUnit"))
            .and_then(|unit| self.number(unit))
            .unwrap_or(1.0);
        let corners = |key: &str| dictionary.and_then(|page| self.corners(page, key));
        PageFrame::new(corners("MediaBox"), corners("CropBox"), i64::from(rotation), user_unit)
    }

    fn corners(&self, page: &HashMap<String, Object>, key: &str) -> Option<[f32; 4]> {
        let value = self.document.resolve_object(page.get(key)?).ok()?;
        let numbers: Vec<f32> = value.as_array()?.iter().map_while(|number| self.number(number)).collect();
        numbers.get(..4)?.try_into().ok()
    }

    fn number(&self, value: &Object) -> Option<f32> {
        let value = self.document.resolve_object(value).ok()?;
        value.as_real().map(|real| real as f32).or_else(|| value.as_integer().map(|integer| integer as f32))
    }
}

impl GlyphSource for OxideSource {
    fn page_count(&self) -> usize {
        self.pages
    }

    fn page(&self, index: usize) -> Result<PageGlyphs, String> {
        let frame = self.frame(index);
        // The variant with filters does not keep the characters of every page in memory.
        let characters = self
            .document
            .extract_chars_filtered(index, Default::default(), Default::default())
            .map_err(|error| error.to_string())?;
        let mut page =
            PageGlyphs { size: frame.size(), glyphs: Vec::with_capacity(characters.len()), unmapped: 0 };
        let mut text = String::new();
        for raw in characters.iter().take(MAX_GLYPHS_PER_PAGE) {
            text.clear();
            clean::push_normalised(&mut text, raw.char);
            let count = text.chars().count();
            for (position, character) in text.chars().enumerate() {
                if is_unmapped(character) {
                    page.unmapped += 1;
                    continue;
                }
                page.glyphs.extend(part(raw, character, position, count).displayed(&frame));
            }
        }
        Ok(page)
    }
}

/// One of the characters that a glyph stands for, on its share of the glyph's width.
fn part(raw: &TextChar, character: char, position: usize, count: usize) -> RawGlyph {
    let [a, b, ..] = raw.matrix.unwrap_or([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let length = a.hypot(b);
    // The engine scales widths by the matrix's first entry alone, which is the width of text that is not turned.
    let known = length > 0.0 && a.abs() > length * 0.1;
    let advance = if known { raw.advance_width * length / a.abs() } else { 0.0 } / count as f32;
    let direction = if length > 0.0 { (a / length, b / length) } else { (1.0, 0.0) };
    let shift = advance * position as f32;
    RawGlyph {
        character,
        origin: (raw.origin_x + direction.0 * shift, raw.origin_y + direction.1 * shift),
        direction,
        advance,
        size: raw.font_size,
        ascent: raw.ascent / raw.font_size,
        descent: -raw.descent / raw.font_size,
        bold: raw.font_weight.is_bold(),
        monospaced: raw.is_monospace || is_monospaced_name(&raw.font_name),
    }
}

fn is_monospaced_name(font: &str) -> bool {
    ["Courier", "Mono", "Consol", "Menlo", "CMTT", "Typewriter", "LucidaSansTyp"]
        .iter()
        .any(|name| font.contains(name))
}
