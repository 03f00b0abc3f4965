//! Pages that are pictures of text: which they are, and how they are drawn for recognition.

use std::sync::Arc;

use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use hayro_interpret::hayro_syntax::Pdf;

use super::engine_hayro;
use super::glyphs::{PageGlyphs, is_plausible};
use crate::document::PageSize;
use crate::parse::ocr::{DrawPage, Grey, PagePicture};

const POINTS_PER_INCH: f32 = 72.0;
/// A page on which more than this share of the glyphs has no meaning in Unicode is read from its picture,
const MANY_UNMAPPED: f32 = 0.3;
/// and one with more than this share of characters that no text is made of,
const MANY_IMPLAUSIBLE: f32 = 0.35;
/// when it has enough characters to judge.
const MIN_CHARACTERS_TO_JUDGE: usize = 40;
/// A page with fewer characters may be a picture with a stamp or a page number on it.
const FEW_CHARACTERS: usize = 100;
/// It is, when pictures cover this share of it.
const COVERED: f32 = 0.6;
/// Pictures that cover less of a page without characters are ornaments.
const MIN_PICTURE_SHARE: f32 = 0.02;
/// A page without characters that draws so many paths may have its letters drawn.
const MIN_PATHS: usize = 40;
/// Larger pages are drawn with fewer dots per inch.
const MAX_PIXELS: f32 = 36_000_000.0;
const MAX_SIDE_PIXELS: f32 = 12_000.0;

/// What of a page's text can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usable {
    /// All of it, or there is nothing on the page.
    All,
    /// Little, beside a picture of the page.
    Little,
    /// None, or glyphs that mean nothing.
    Nothing,
}

pub(super) fn usable(page: &PageGlyphs) -> Usable {
    let characters = page.visible_characters();
    let glyphs = characters + page.unmapped;
    if page.unmapped as f32 > glyphs as f32 * MANY_UNMAPPED {
        return Usable::Nothing;
    }
    if characters >= MIN_CHARACTERS_TO_JUDGE {
        let implausible = page.glyphs.iter().filter(|glyph| !is_plausible(glyph.character)).count();
        if implausible as f32 > glyphs as f32 * MANY_IMPLAUSIBLE {
            return Usable::Nothing;
        }
    }
    match (characters, page.drawn) {
        (0, None) => Usable::Nothing,
        (0, Some(drawn)) if drawn.picture_share >= MIN_PICTURE_SHARE || drawn.paths >= MIN_PATHS => {
            Usable::Nothing
        }
        (1..FEW_CHARACTERS, Some(drawn)) if drawn.picture_share >= COVERED => Usable::Little,
        _ => Usable::All,
    }
}

/// Part of a pixel by which a drawn page is larger than the whole ones.
const PIXEL_MARGIN: f32 = 0.02;

/// A file whose pages can be drawn.
pub(super) struct Drawing {
    pdf: Pdf,
    dpi: f32,
    /// As the text's engine knows them, by page.
    sizes: Vec<PageSize>,
}

impl Drawing {
    pub(super) fn open(data: &Arc<Vec<u8>>, passwords: &[&str], dpi: u32) -> Option<Self> {
        let pdf = super::super::caught(|| engine_hayro::open(Arc::clone(data), passwords))?.ok()?;
        Some(Self { pdf, dpi: dpi.clamp(72, 600) as f32, sizes: Vec::new() })
    }

    pub(super) fn with_sizes(mut self, sizes: &[PageSize]) -> Self {
        self.sizes = sizes.to_vec();
        self
    }
}

impl DrawPage for Drawing {
    fn draw(&self, number: u32) -> Result<PagePicture, String> {
        let index = number as usize - 1;
        let page = self.pdf.pages().get(index).ok_or("no such page")?;
        let (width, height) = page.render_dimensions();
        if !(width >= 1.0 && height >= 1.0) {
            return Err(format!("a page of {width} by {height} points cannot be drawn"));
        }
        let scale = (self.dpi / POINTS_PER_INCH)
            .min((MAX_PIXELS / (width * height)).sqrt())
            .min(MAX_SIDE_PIXELS / width.max(height));
        if width.min(height) * scale < 1.0 {
            return Err(format!("a page of {width} by {height} points cannot be drawn"));
        }
        // Whole pixels and a little more: a scan of as many pixels is drawn pixel by pixel then. A hair less, and each of
        // them would be mixed with its neighbours, which costs recognition more than it sounds.
        let whole = |length: f32| ((length * scale).round().max(1.0) + PIXEL_MARGIN) / length;
        let settings = PixmapSettings { x_scale: whole(width), y_scale: whole(height), bg_color: WHITE };
        let pixmap = hayro::render(
            page,
            &RenderCache::new(),
            &InterpreterSettings::default(),
            &RenderSettings::default(),
            &settings,
        );
        let grey = Grey::from_rgb(
            usize::from(pixmap.width()),
            usize::from(pixmap.height()),
            pixmap.data_as_u8_slice(),
            4,
        );
        let size = self.sizes.get(index).copied().unwrap_or(PageSize { width, height });
        let points_per_pixel = (size.width / grey.width as f32, size.height / grey.height as f32);
        Ok(PagePicture { grey, points_per_pixel, size })
    }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Reading;
    use super::super::glyphs::{Drawn, Glyph};
    use super::*;

    fn page(text: &str, unmapped: usize, picture_share: f32) -> PageGlyphs {
        let glyph = |character| Glyph {
            character,
            x: 1.0,
            y: 1.0,
            reading: Reading::LeftToRight,
            advance: 5.0,
            size: 10.0,
            ascent: 0.8,
            descent: 0.2,
            bold: false,
            monospaced: false,
        };
        PageGlyphs {
            glyphs: text.chars().map(glyph).collect(),
            unmapped,
            drawn: Some(Drawn { picture_share, paths: 0 }),
            ..PageGlyphs::new(PageSize { width: 600.0, height: 800.0 })
        }
    }

    #[test]
    fn pages_that_need_recognition_are_told_from_text_and_from_empty_pages() {
        let long = "An ordinary sentence of the page, long enough to count as text of its own right, with a \
                    second half that makes it longer still.";
        for (page, expected) in [
            (page(long, 0, 0.0), Usable::All),
            (page(long, 0, 1.0), Usable::All),
            (page("", 0, 0.0), Usable::All),
            (page("", 0, 0.9), Usable::Nothing),
            (page("COPY 12", 0, 0.9), Usable::Little),
            (page("COPY 12", 0, 0.1), Usable::All),
            (page(long, 10, 0.0), Usable::All),
            (page(long, 90, 0.0), Usable::Nothing),
            (page("", 60, 0.0), Usable::Nothing),
            (page(&"\u{2c0}\u{1d2}\u{337}".repeat(30), 0, 0.0), Usable::Nothing),
        ] {
            assert_eq!(usable(&page), expected, "{} {:?}", page.unmapped, page.drawn);
        }
    }
}
