//! A page's characters made lines in reading order, tables with borders among them.

use super::annotations::Placed;
use super::fragments::{self, Fragment};
use super::geometry::Reading;
use super::glyphs::{Glyph, PageGlyphs, Rule};
use super::ruled;
use super::ruled_table::{self, RuledTable};
use super::xycut::{self, Item};
use crate::clean::{self, Join, Vocabulary};
use crate::document::PageSize;

/// A line is bold, or set in a monospaced font, when this share of its characters is.
const STYLE_SHARE: f32 = 0.8;
/// Size of the text that stands for a form field's value is this share of the field's height, at most
/// [`MAX_VALUE_SIZE`] points.
const VALUE_SIZE_SHARE: f32 = 0.7;
const MAX_VALUE_SIZE: f32 = 10.0;

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
    /// Lines of one column or region of a page share it.
    pub(super) group: u32,
    pub(super) text: String,
    /// At least one, unless the line stands for a table.
    pub(super) cells: Vec<Cell>,
    /// Left, top, right, bottom.
    pub(super) bounds: [f32; 4],
    /// Left, top, right, bottom on the displayed page.
    pub(super) shown: [f32; 4],
    pub(super) baseline: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) monospaced: bool,
    /// Length of a line that is drawn across, between this line and the one above it in its group or above the group's
    /// first line; zero when there is none.
    pub(super) rule_above: f32,
    /// A table with borders that stands in the place of a line; `text` and `cells` are empty.
    pub(super) table: Option<Box<RuledTable>>,
}

impl Line {
    pub(super) fn x0(&self) -> f32 {
        self.bounds[0]
    }

    pub(super) fn x1(&self) -> f32 {
        self.bounds[2]
    }

    /// Whether there is nothing to read in it.
    pub(super) fn is_blank(&self) -> bool {
        self.table.is_none() && self.text.trim().is_empty()
    }
}

/// The lines of a page in reading order: first those in the direction that most of its text has, then the others.
/// `values` are what form fields hold: those that the page does not draw itself are set into the fields.
/// `next_group` numbers the groups through the document.
pub(super) fn lines(page: &PageGlyphs, values: &[Placed], number: u32, next_group: &mut u32) -> Vec<Line> {
    let grids = ruled::grids(&page.rules);
    let mut annotations_from = page.annotations_from.min(page.glyphs.len());
    let (tables, free) = if grids.is_empty() {
        (Vec::new(), None)
    } else {
        let taken = ruled_table::take(&page.glyphs, annotations_from, &grids, page.size);
        annotations_from = taken.annotations_from;
        (taken.tables, Some(taken.free))
    };
    let rules = free_rules(&page.rules, &tables);
    let glyphs = free.as_deref().unwrap_or(&page.glyphs);
    // What annotations write may stand over the page's own text, and is not to be mixed with it.
    let (own, added) = glyphs.split_at(annotations_from);
    let undrawn = undrawn_values(page, values);
    let mut maker = LineMaker { page_size: page.size, number, next_group, rules, lines: Vec::new() };
    let mut tables = Some(tables);
    let mut readings = readings_by_frequency(glyphs);
    if readings.is_empty() {
        readings.push(Reading::LeftToRight);
    }
    for reading in readings {
        let mut fragments = fragments::fragments(own, reading, page.size);
        if !added.is_empty() {
            fragments.extend(fragments::fragments(added, reading, page.size));
        }
        // What stands upright goes with the first direction that is upright.
        let upright = reading == Reading::LeftToRight;
        if upright {
            fragments.extend(undrawn.iter().cloned());
        }
        let tables = if upright { tables.take().unwrap_or_default() } else { Vec::new() };
        maker.add(fragments, tables, reading);
    }
    if let Some(tables) = tables.filter(|tables| !tables.is_empty()) {
        maker.add(undrawn, tables, Reading::LeftToRight);
    }
    maker.lines
}

/// Lines across the page that are not borders of tables, from top to bottom.
fn free_rules(rules: &[Rule], tables: &[RuledTable]) -> Vec<Rule> {
    let in_table = |rule: &Rule| {
        tables.iter().any(|table| {
            let [x0, y0, x1, y1] = table.bounds;
            rule.at >= y0 - 2.0 && rule.at <= y1 + 2.0 && rule.start >= x0 - 4.0 && rule.end <= x1 + 4.0
        })
    };
    let mut free: Vec<Rule> =
        rules.iter().filter(|rule| rule.horizontal && !in_table(rule)).copied().collect();
    free.sort_by(|a, b| a.at.total_cmp(&b.at));
    free
}

/// Values of form fields in whose place the page draws nothing.
fn undrawn_values(page: &PageGlyphs, values: &[Placed]) -> Vec<Fragment> {
    let drawn = &page.glyphs[page.annotations_from.min(page.glyphs.len())..];
    let is_drawn = |value: &Placed| {
        let [x0, y0, x1, y1] = value.bounds;
        drawn.iter().any(|glyph| {
            !glyph.character.is_whitespace()
                && (x0..=x1).contains(&(glyph.x + glyph.advance / 2.0))
                && (y0..=y1).contains(&(glyph.y - glyph.size * 0.3))
        })
    };
    values
        .iter()
        .filter(|value| value.bounds[3] > value.bounds[1] && !is_drawn(value))
        .map(|value| {
            let [_, y0, _, y1] = value.bounds;
            let size = ((y1 - y0) * VALUE_SIZE_SHARE).min(MAX_VALUE_SIZE);
            let text = value.text.split_whitespace().collect::<Vec<_>>().join(" ");
            Fragment {
                characters: text.chars().filter(|character| !character.is_whitespace()).count(),
                text,
                bounds: value.bounds,
                baseline: y1 - (y1 - y0 - size).max(0.0) / 2.0 - size * 0.2,
                size,
                bold: 0,
                monospaced: 0,
            }
        })
        .filter(|fragment| fragment.characters > 0)
        .collect()
}

fn readings_by_frequency(glyphs: &[Glyph]) -> Vec<Reading> {
    let mut counts = [0usize; 4];
    for glyph in glyphs {
        counts[glyph.reading as usize] += 1;
    }
    let mut readings: Vec<Reading> =
        Reading::ALL.into_iter().filter(|&reading| counts[reading as usize] > 0).collect();
    readings.sort_by_key(|&reading| std::cmp::Reverse(counts[reading as usize]));
    readings
}

/// For the order only text lines matter, not how high the letters of a font claim to be.
pub(super) fn fragment_item(fragment: &Fragment) -> Item {
    Item {
        x0: fragment.bounds[0],
        y0: fragment.baseline - fragment.size * 0.75,
        x1: fragment.bounds[2],
        y1: fragment.baseline + fragment.size * 0.2,
        size: fragment.size,
        columns: clean::columns(&fragment.text),
        lines: 1,
    }
}

fn table_item(table: &RuledTable) -> Item {
    let [x0, y0, x1, y1] = table.bounds;
    let columns = table.rows.iter().flatten().map(|cell| clean::columns(cell)).sum();
    Item { x0, y0, x1, y1, size: table.size, columns, lines: table.rows.len().max(1) }
}

/// Lines of one paragraph or cell as running text.
pub(super) fn join_lines<'t>(lines: impl Iterator<Item = &'t str>) -> String {
    let vocabulary = Vocabulary::default();
    let mut text = String::new();
    for line in lines {
        if !text.is_empty() {
            match clean::join_between(&text, line, &vocabulary) {
                Join::Space => text.push(' '),
                Join::Nothing => {}
                Join::DropHyphen => {
                    text.pop();
                }
            }
        }
        text.push_str(line);
    }
    text
}

/// Makes lines of fragments.
struct LineMaker<'g> {
    page_size: PageSize,
    number: u32,
    next_group: &'g mut u32,
    /// Horizontal ones, from top to bottom.
    rules: Vec<Rule>,
    lines: Vec<Line>,
}

impl LineMaker<'_> {
    fn add(&mut self, fragments: Vec<Fragment>, tables: Vec<RuledTable>, reading: Reading) {
        let mut items: Vec<Item> = fragments.iter().map(fragment_item).collect();
        items.extend(tables.iter().map(table_item));
        let mut tables: Vec<Option<RuledTable>> = tables.into_iter().map(Some).collect();
        for group in xycut::reading_order(&items) {
            let begin = self.lines.len();
            for row in xycut::rows(&items, &group) {
                let (texts, others): (Vec<usize>, Vec<usize>) =
                    row.into_iter().partition(|&index| index < fragments.len());
                let texts: Vec<&Fragment> = texts.into_iter().map(|index| &fragments[index]).collect();
                let above_table = others.first().is_none_or(|&index| {
                    texts.first().is_some_and(|text| text.baseline < items[index].y0 + text.size)
                });
                let line = self.line(&texts, reading);
                if above_table {
                    self.lines.extend(line.clone());
                }
                for index in others {
                    let table = tables[index - fragments.len()].take();
                    let line = table.map(|table| self.table_line(table));
                    self.lines.extend(line);
                }
                if !above_table {
                    self.lines.extend(line);
                }
            }
            if reading == Reading::LeftToRight {
                self.note_rules(begin);
            }
            *self.next_group += 1;
        }
    }

    /// Which lines of a group, from `begin` on, have a drawn line above them.
    fn note_rules(&mut self, begin: usize) {
        if self.rules.is_empty() {
            return;
        }
        let mut above = f32::NEG_INFINITY;
        for line in &mut self.lines[begin..] {
            // Lines drawn under letters or through them are not between two lines.
            let from = if above.is_finite() { above } else { line.baseline - line.size * 3.0 };
            let to = line.baseline - line.size * 0.5;
            let first = self.rules.partition_point(|rule| rule.at < from);
            line.rule_above = self.rules[first..]
                .iter()
                .take_while(|rule| rule.at <= to)
                .filter(|rule| rule.start < line.bounds[2] && rule.end > line.bounds[0])
                .map(|rule| rule.end - rule.start)
                .fold(0.0, f32::max);
            above = line.baseline + line.size * 0.1;
        }
    }

    fn table_line(&self, table: RuledTable) -> Line {
        let bounds = table.bounds;
        Line {
            page: self.number,
            page_size: self.page_size,
            group: *self.next_group,
            text: String::new(),
            cells: Vec::new(),
            bounds,
            shown: within(bounds, self.page_size),
            baseline: bounds[3],
            size: table.size,
            bold: false,
            monospaced: false,
            rule_above: 0.0,
            table: Some(Box::new(table)),
        }
    }

    fn line(&self, row: &[&Fragment], reading: Reading) -> Option<Line> {
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
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        Some(Line {
            page: self.number,
            page_size: self.page_size,
            group: *self.next_group,
            text: clean::tidy_line(&super::bidi::join_cells(&texts)),
            cells,
            bounds,
            shown: within(reading.displayed(bounds, self.page_size), self.page_size),
            baseline: largest.baseline,
            size: largest.size,
            bold: share(row.iter().map(|fragment| fragment.bold).sum()),
            monospaced: share(row.iter().map(|fragment| fragment.monospaced).sum()),
            rule_above: 0.0,
            table: None,
        })
    }
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
