//! The second engine: `pdf_oxide`. It knows the characters of more fonts (without Unicode tables, of Chinese
//! collections) than the first and takes owner passwords of old encryption, but it is several times slower and tells
//! nothing of lines and pictures.

use std::collections::HashMap;

use pdf_oxide::PdfDocument;
use pdf_oxide::layout::TextChar;
use pdf_oxide::object::Object;

use super::engine_hayro::{is_bold_name, is_monospaced_name};
use super::geometry::PageFrame;
use super::glyphs::{MAX_GLYPHS_PER_PAGE, PageGlyphs, RawGlyph, characters_of, is_unmapped};

pub(super) struct OxideSource {
    document: PdfDocument,
    pages: usize,
}

/// Why a document could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// A password is needed, or another one.
    Locked,
    NoPages,
    Damaged(String),
}

impl OxideSource {
    /// `passwords` are tried one after the other on an encrypted file.
    pub(super) fn open(data: Vec<u8>, passwords: &[&str]) -> Result<Self, OpenError> {
        let damaged = |error: pdf_oxide::Error| OpenError::Damaged(error.to_string());
        let document = PdfDocument::from_bytes(data).map_err(damaged)?;
        if document.is_encrypted()
            && !document.is_authenticated()
            && !passwords.iter().any(|password| document.authenticate(password.as_bytes()).unwrap_or(false))
        {
            return Err(OpenError::Locked);
        }
        let pages = document.page_count().map_err(damaged)?;
        Ok(Self { document, pages })
    }

    pub(super) fn page_count(&self) -> usize {
        self.pages
    }

    /// The characters of a page, index from 0. The message of an error is for the log.
    pub(super) fn page(&self, index: usize) -> Result<PageGlyphs, String> {
        let frame = self.frame(index);
        // The variant with filters does not keep the characters of every page in memory.
        let characters = self
            .document
            .extract_chars_filtered(index, Default::default(), Default::default())
            .map_err(|error| error.to_string())?;
        let mut page = PageGlyphs::new(frame.size());
        page.glyphs.reserve(characters.len().min(MAX_GLYPHS_PER_PAGE));
        let (mut normal, mut scratch) = (Vec::new(), String::new());
        for raw in characters.iter().take(MAX_GLYPHS_PER_PAGE) {
            characters_of(raw.char.encode_utf8(&mut [0; 4]), &mut normal, &mut scratch);
            for (position, &character) in normal.iter().enumerate() {
                if is_unmapped(character) {
                    page.unmapped += 1;
                    continue;
                }
                page.glyphs.extend(part(raw, character, position, normal.len()).displayed(&frame));
            }
        }
        Ok(page)
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
        bold: raw.font_weight.is_bold() || is_bold_name(&raw.font_name),
        monospaced: raw.is_monospace || is_monospaced_name(&raw.font_name),
    }
}
