//! What both engines deliver: characters with their place on the displayed page.

use super::bidi;
use super::geometry::{PageFrame, Reading};
use crate::clean;
use crate::document::PageSize;

/// More glyphs on one page are not read: it is a bomb or a map, not text.
pub(super) const MAX_GLYPHS_PER_PAGE: usize = 400_000;
/// Further lines of one page are not taken: they are a drawing.
pub(super) const MAX_RULES_PER_PAGE: usize = 20_000;

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

/// A straight line along an axis of the displayed page: a border of a table, or what parts footnotes from the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    /// Where the line stands on the other axis: its y when it is horizontal, its x when it is vertical.
    pub(super) at: f32,
    /// From, to; `start <= end`.
    pub(super) start: f32,
    pub(super) end: f32,
    pub(super) horizontal: bool,
}

/// What a page draws beside its characters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Drawn {
    /// Share of the page that pictures cover, from 0 to 1; overlaps count twice.
    pub(super) picture_share: f32,
    /// Paths: letters are outlines in files that some programs make.
    pub(super) paths: usize,
}

/// The characters of one page, in no particular order, and what is drawn beside them as far as it tells the layout.
#[derive(Clone, Debug)]
pub(super) struct PageGlyphs {
    pub(super) size: PageSize,
    pub(super) glyphs: Vec<Glyph>,
    /// Glyphs from here on belong to annotations and form fields, not to the page's own content.
    pub(super) annotations_from: usize,
    /// Glyphs without a meaning in Unicode, which were left out.
    pub(super) unmapped: usize,
    /// At most [`MAX_RULES_PER_PAGE`]; none where the engine does not tell.
    pub(super) rules: Vec<Rule>,
    /// `None` where the engine does not tell.
    pub(super) drawn: Option<Drawn>,
}

impl PageGlyphs {
    pub(super) fn new(size: PageSize) -> Self {
        Self {
            size,
            glyphs: Vec::new(),
            annotations_from: usize::MAX,
            unmapped: 0,
            rules: Vec::new(),
            drawn: None,
        }
    }
}

impl PageGlyphs {
    /// Characters that are not white space.
    pub(super) fn visible_characters(&self) -> usize {
        self.glyphs.iter().filter(|glyph| !glyph.character.is_whitespace()).count()
    }
}

/// Text of one glyph as characters to place: normalised, and from left to right also where it is read the other way.
pub(super) fn characters_of(text: &str, normal: &mut Vec<char>, scratch: &mut String) {
    normal.clear();
    scratch.clear();
    text.chars().for_each(|character| clean::push_normalised(scratch, character));
    normal.extend(scratch.chars());
    if normal.len() > 1 && normal.iter().all(|&character| bidi::is_right_to_left(character)) {
        normal.reverse();
    }
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

/// Whether text is made of such characters: letters of living scripts, digits, punctuation, common signs. What a wrong
/// table of characters makes of text is mostly something else.
pub(super) fn is_plausible(character: char) -> bool {
    matches!(u32::from(character),
        0x20..=0x7e | 0xa0..=0x17f | 0x218..=0x21b | 0x300..=0x304 | 0x370..=0x52f | 0x530..=0x1fff
        | 0x2000..=0x2bff | 0x2e80..=0xd7a3 | 0xf900..=0xfffc | 0x1d400..=0x1d7ff | 0x1f000..=0x1faff
        | 0x20000..=0x3ffff)
        || character.is_whitespace()
}
