//! A page's characters made lines in reading order.

use super::fragments::{self, Fragment};
use super::geometry::Reading;
use super::glyphs::PageGlyphs;
use super::xycut::{self, Item};
use crate::clean;
use crate::document::PageSize;

/// A line is bold, or set in a monospaced font, when this share of its characters is.
const STYLE_SHARE: f32 = 0.8;

/// A part of a line that a wide gap separates from the next.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) x0: f32,
    pub(super) x1: f32,
}

/// A line of text. Coordinates are upright (the line runs from left to right) except for `shown`.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// From 1.
    pub(super) page: u32,
    pub(super) page_size: PageSize,
    /// Lines of one column or region of a page share it; it rises in reading order.
    pub(super) group: u32,
    pub(super) text: String,
    /// At least one.
    pub(super) cells: Vec<Cell>,
    /// Left, top, right, bottom.
    pub(super) bounds: [f32; 4],
    /// Left, top, right, bottom on the displayed page.
    pub(super) shown: [f32; 4],
    pub(super) baseline: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) monospaced: bool,
}

impl Line {
    pub(super) fn x0(&self) -> f32 {
        self.bounds[0]
    }

    pub(super) fn x1(&self) -> f32 {
        self.bounds[2]
    }
}

/// The lines of a page in reading order: first those in the direction that most of its text has, then the others.
/// `next_group` numbers the groups through the document.
pub(super) fn lines(page: &PageGlyphs, number: u32, next_group: &mut u32) -> Vec<Line> {
    let mut lines = Vec::new();
    for reading in readings_by_frequency(page) {
        let fragments = fragments::fragments(&page.glyphs, reading, page.size);
        let items: Vec<Item> = fragments.iter().map(item).collect();
        for group in xycut::reading_order(&items) {
            for row in xycut::rows(&items, &group) {
                let row: Vec<&Fragment> = row.into_iter().map(|index| &fragments[index]).collect();
                lines.extend(line(&row, reading, page.size, number, *next_group));
            }
            *next_group += 1;
        }
    }
    lines
}

fn readings_by_frequency(page: &PageGlyphs) -> Vec<Reading> {
    let count = |reading: Reading| page.glyphs.iter().filter(|glyph| glyph.reading == reading).count();
    let mut readings: Vec<(usize, Reading)> =
        Reading::ALL.into_iter().map(|reading| (count(reading), reading)).filter(|(n, _)| *n > 0).collect();
    readings.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    readings.into_iter().map(|(_, reading)| reading).collect()
}

/// For the order only text lines matter, not how high the letters of a font claim to be.
fn item(fragment: &Fragment) -> Item {
    Item {
        x0: fragment.bounds[0],
        y0: fragment.baseline - fragment.size * 0.75,
        x1: fragment.bounds[2],
        y1: fragment.baseline + fragment.size * 0.2,
        size: fragment.size,
        columns: clean::columns(&fragment.text),
    }
}

fn line(row: &[&Fragment], reading: Reading, page_size: PageSize, page: u32, group: u32) -> Option<Line> {
    let characters: usize = row.iter().map(|fragment| fragment.characters).sum();
    let largest = row.iter().max_by_key(|fragment| fragment.characters)?;
    let cells: Vec<Cell> = row
        .iter()
        .map(|fragment| Cell {
            text: clean::tidy_line(&fragment.text),
            x0: fragment.bounds[0],
            x1: fragment.bounds[2],
        })
        .filter(|cell| !cell.text.is_empty())
        .collect();
    if cells.is_empty() {
        return None;
    }
    let fold = |side: usize, pick: fn(f32, f32) -> f32| {
        row.iter().map(|fragment| fragment.bounds[side]).reduce(pick).unwrap_or_default()
    };
    let bounds = [fold(0, f32::min), fold(1, f32::min), fold(2, f32::max), fold(3, f32::max)];
    let share = |count: usize| count as f32 >= characters as f32 * STYLE_SHARE;
    let text = clean::tidy_line(&cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" "));
    Some(Line {
        page,
        page_size,
        group,
        text,
        cells,
        bounds,
        shown: within(reading.displayed(bounds, page_size), page_size),
        baseline: largest.baseline,
        size: largest.size,
        bold: share(row.iter().map(|fragment| fragment.bold).sum()),
        monospaced: share(row.iter().map(|fragment| fragment.monospaced).sum()),
    })
}

/// A box does not leave its page.
fn within(shown: [f32; 4], page: PageSize) -> [f32; 4] {
    [
        shown[0].clamp(0.0, page.width),
        shown[1].clamp(0.0, page.height),
        shown[2].clamp(0.0, page.width),
        shown[3].clamp(0.0, page.height),
    ]
}
