//! What both engines deliver: characters with their place on the displayed page.

use super::geometry::{PageFrame, Reading};
use crate::document::PageSize;

/// More glyphs on one page are not read: it is a bomb or a map, not text.
pub(super) const MAX_GLYPHS_PER_PAGE: usize = 400_000;

/// One character. Lengths in points on the displayed page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyph {
    pub(super) character: char,
    /// Where its baseline begins.
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) reading: Reading,
    /// Along the direction of reading; zero when the engine does not know it.
    pub(super) advance: f32,
    pub(super) size: f32,
    /// Height above the baseline as a share of the size.
    pub(super) ascent: f32,
    /// Depth below the baseline as a share of the size.
    pub(super) descent: f32,
    pub(super) bold: bool,
    pub(super) monospaced: bool,
}

/// The characters of one page, in no particular order.
#[derive(Clone, Debug)]
pub(super) struct PageGlyphs {
    pub(super) size: PageSize,
    pub(super) glyphs: Vec<Glyph>,
    /// Glyphs without a meaning in Unicode, which were left out.
    pub(super) unmapped: usize,
}

/// When more than this share of a page's glyphs has no known width, the page is better read by another engine.
const MANY_WITHOUT_WIDTH: f32 = 0.3;

impl PageGlyphs {
    /// Whether most places are guesses: the width of too many glyphs is not known.
    pub(super) fn lacks_widths(&self) -> bool {
        let visible = || self.glyphs.iter().filter(|glyph| !glyph.character.is_whitespace());
        let without = visible().filter(|glyph| glyph.advance <= 0.0).count();
        without as f32 > visible().count() as f32 * MANY_WITHOUT_WIDTH
    }

    /// Characters that are not white space.
    pub(super) fn visible_characters(&self) -> usize {
        self.glyphs.iter().filter(|glyph| !glyph.character.is_whitespace()).count()
    }
}

/// An engine that has opened a document.
pub(super) trait GlyphSource {
    fn page_count(&self) -> usize;

    /// The characters of a page, index from 0. The message of an error is for the log.
    fn page(&self, index: usize) -> Result<PageGlyphs, String>;
}

/// A glyph in the page's own space, as engines know it.
pub(super) struct RawGlyph {
    pub(super) character: char,
    pub(super) origin: (f32, f32),
    /// Direction of the baseline; any length.
    pub(super) direction: (f32, f32),
    pub(super) advance: f32,
    pub(super) size: f32,
    pub(super) ascent: f32,
    pub(super) descent: f32,
    pub(super) bold: bool,
    pub(super) monospaced: bool,
}

impl RawGlyph {
    /// Onto the displayed page; `None` when numbers make no sense or the glyph stands outside of the visible part.
    pub(super) fn displayed(&self, frame: &PageFrame) -> Option<Glyph> {
        let (x, y) = frame.point(self.origin.0, self.origin.1);
        let (dx, dy) = frame.vector(self.direction.0, self.direction.1);
        let (ux, _) = frame.vector(1.0, 0.0);
        let (_, uy) = frame.vector(1.0, 0.0);
        let unit = ux.abs().max(uy.abs());
        let size = self.size * unit;
        let advance = self.advance * unit;
        let page = frame.size();
        let sane = x.is_finite()
            && y.is_finite()
            && size.is_finite()
            && size > 0.5
            && size < page.width.max(page.height);
        let margin = size;
        let visible = x >= -margin && y >= -margin && x <= page.width + margin && y <= page.height + margin;
        (sane && visible).then(|| Glyph {
            character: self.character,
            x,
            y,
            reading: Reading::of(dx, dy),
            advance: if advance.is_finite() { advance.max(0.0) } else { 0.0 },
            size,
            ascent: share(self.ascent, 0.6, 1.0, 0.8),
            descent: share(self.descent, 0.1, 0.35, 0.2),
            bold: self.bold,
            monospaced: self.monospaced,
        })
    }
}

/// Fonts state heights that no eye would agree with; outside of the plausible range the usual value stands in.
fn share(value: f32, low: f32, high: f32, usual: f32) -> f32 {
    if value.is_finite() && value > 0.0 { value.clamp(low, high) } else { usual }
}

/// Whether a character means nothing: what engines put where a font does not say what a glyph is.
pub(super) fn is_unmapped(character: char) -> bool {
    character == '\u{fffd}'
        || ('\u{e000}'..='\u{f8ff}').contains(&character)
        || (character.is_control() && !character.is_whitespace())
}
