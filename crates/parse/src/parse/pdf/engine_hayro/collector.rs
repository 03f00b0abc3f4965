//! Takes what a page draws and keeps what matters for its text.

use hayro_interpret::font::{Glyph as DrawnGlyph, GlyphRun, PositionedGlyph};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::hayro_syntax::page::Resources;
use hayro_interpret::kurbo::{Affine, BezPath, PathEl, Point, Vec2};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};

use super::super::geometry::PageFrame;
use super::super::glyphs::{
    Drawn, MAX_GLYPHS_PER_PAGE, MAX_RULES_PER_PAGE, PageGlyphs, RawGlyph, Rule, characters_of, is_unmapped,
};
use super::fonts::{Fonts, Style};

/// Glyph outlines and widths are in thousandths of the font size.
const UNITS_PER_EM: f64 = 1000.0;
/// Share of a vertical cell's width, from the left, where the line stands on which its characters are set, and of the
/// size, from the baseline, where the cell begins: a square cell with the usual descent.
const VERTICAL_LINE_SHARE: f64 = 0.2;
const VERTICAL_TOP: f64 = 880.0;
/// A filled rectangle that is thinner is a line (points).
const MAX_RULE_THICKNESS: f64 = 3.0;
/// Shorter lines are parts of drawings or letters (points).
const MIN_RULE_LENGTH: f64 = 4.0;
/// What strays less from an axis runs along it (points).
const AXIS_TOLERANCE: f64 = 0.7;
/// A path with more elements is a drawing.
const MAX_PATH_ELEMENTS: usize = 2_000;

pub(super) struct Collector<'r, 'p> {
    pub(super) page: PageGlyphs,
    frame: PageFrame,
    resources: &'r Resources<'p>,
    fonts: Fonts,
    normal: Vec<char>,
    scratch: String,
    /// Where the last run began and how many glyphs it had: text that is filled and then stroked comes twice.
    last_run: Option<(usize, [f64; 6])>,
    picture_area: f64,
    paths: usize,
}

impl<'r, 'p> Collector<'r, 'p> {
    pub(super) fn new(frame: PageFrame, resources: &'r Resources<'p>, fonts: Fonts) -> Self {
        Self {
            page: PageGlyphs::new(frame.size()),
            frame,
            resources,
            fonts,
            normal: Vec::new(),
            scratch: String::new(),
            last_run: None,
            picture_area: 0.0,
            paths: 0,
        }
    }

    pub(super) fn finish(mut self) -> (PageGlyphs, Fonts) {
        let size = self.page.size;
        let area = f64::from(size.width) * f64::from(size.height);
        let picture_share = (self.picture_area / area.max(1.0)).min(1.0) as f32;
        self.page.drawn = Some(Drawn { picture_share, paths: self.paths });
        (self.page, self.fonts)
    }

    fn push(&mut self, text: &str, glyph: &Cell, style: Style) {
        characters_of(text, &mut self.normal, &mut self.scratch);
        let count = self.normal.len().max(1) as f64;
        for (position, &character) in self.normal.iter().enumerate() {
            if is_unmapped(character) {
                self.page.unmapped += 1;
                continue;
            }
            let origin = glyph.origin + glyph.direction * (glyph.advance / count * position as f64);
            let raw = RawGlyph {
                character,
                origin: (origin.x as f32, origin.y as f32),
                direction: (glyph.direction.x as f32, glyph.direction.y as f32),
                advance: (glyph.advance / count) as f32,
                size: glyph.size as f32,
                ascent: 0.0,
                descent: 0.0,
                bold: style.bold,
                monospaced: style.monospaced,
            };
            self.page.glyphs.extend(raw.displayed(&self.frame));
        }
    }

    /// A line between two points of the page's own space, if it runs along an axis.
    fn rule(&mut self, from: Point, to: Point) {
        if self.page.rules.len() >= MAX_RULES_PER_PAGE {
            return;
        }
        let (x0, y0) = self.frame.point(from.x as f32, from.y as f32);
        let (x1, y1) = self.frame.point(to.x as f32, to.y as f32);
        if ![x0, y0, x1, y1].iter().all(|value| value.is_finite()) {
            return;
        }
        let (dx, dy) = ((x1 - x0).abs(), (y1 - y0).abs());
        let (tolerance, shortest) = (AXIS_TOLERANCE as f32, MIN_RULE_LENGTH as f32);
        let rule = if dy <= tolerance && dx >= shortest {
            Rule { at: (y0 + y1) / 2.0, start: x0.min(x1), end: x0.max(x1), horizontal: true }
        } else if dx <= tolerance && dy >= shortest {
            Rule { at: (x0 + x1) / 2.0, start: y0.min(y1), end: y0.max(y1), horizontal: false }
        } else {
            return;
        };
        self.page.rules.push(rule);
    }

    fn strokes(&mut self, path: &BezPath, transform: Affine) {
        let (mut begin, mut last) = (Point::ZERO, Point::ZERO);
        for element in path.elements() {
            match *element {
                PathEl::MoveTo(to) => {
                    begin = transform * to;
                    last = begin;
                }
                PathEl::LineTo(to) => {
                    let to = transform * to;
                    self.rule(last, to);
                    last = to;
                }
                PathEl::ClosePath => {
                    self.rule(last, begin);
                    last = begin;
                }
                PathEl::QuadTo(_, to) | PathEl::CurveTo(_, _, to) => last = transform * to,
            }
        }
    }

    /// Thin filled rectangles are lines.
    fn fills(&mut self, path: &BezPath, transform: Affine) {
        let mut corners: Vec<Point> = Vec::with_capacity(5);
        let mut straight = true;
        for element in path.elements() {
            match *element {
                PathEl::MoveTo(to) => {
                    self.filled(&corners, straight);
                    corners.clear();
                    corners.push(transform * to);
                    straight = true;
                }
                PathEl::LineTo(to) => corners.push(transform * to),
                PathEl::ClosePath => {}
                PathEl::QuadTo(..) | PathEl::CurveTo(..) => straight = false,
            }
        }
        self.filled(&corners, straight);
    }

    fn filled(&mut self, corners: &[Point], straight: bool) {
        if !straight || !(4..=5).contains(&corners.len()) {
            return;
        }
        let fold = |value: fn(&Point) -> f64, pick: fn(f64, f64) -> f64| {
            corners.iter().map(value).reduce(pick).unwrap_or_default()
        };
        let (x0, x1) = (fold(|p| p.x, f64::min), fold(|p| p.x, f64::max));
        let (y0, y1) = (fold(|p| p.y, f64::min), fold(|p| p.y, f64::max));
        let on_edge = |p: &Point| {
            ((p.x - x0).abs() < AXIS_TOLERANCE || (p.x - x1).abs() < AXIS_TOLERANCE)
                && ((p.y - y0).abs() < AXIS_TOLERANCE || (p.y - y1).abs() < AXIS_TOLERANCE)
        };
        if !corners.iter().all(on_edge) {
            return;
        }
        let (middle_x, middle_y) = ((x0 + x1) / 2.0, (y0 + y1) / 2.0);
        if y1 - y0 <= MAX_RULE_THICKNESS && x1 - x0 >= MIN_RULE_LENGTH {
            self.rule(Point::new(x0, middle_y), Point::new(x1, middle_y));
        } else if x1 - x0 <= MAX_RULE_THICKNESS && y1 - y0 >= MIN_RULE_LENGTH {
            self.rule(Point::new(middle_x, y0), Point::new(middle_x, y1));
        }
    }
}

/// Where a glyph stands and how far it reaches, in the page's own space.
struct Cell {
    origin: Point,
    /// Of length one.
    direction: Vec2,
    advance: f64,
    size: f64,
}

impl Cell {
    fn of(glyph: &PositionedGlyph<'_>, transform: Affine, vertical: bool) -> Self {
        let width = f64::from(
            match &**glyph {
                DrawnGlyph::Outline(outline) => outline.advance_width(),
                DrawnGlyph::Type3(type3) => type3.advance_width(),
            }
            .unwrap_or(0.0),
        );
        let place = transform * glyph.transform();
        let [a, b, c, d, ..] = place.as_coeffs();
        let (along, up) = (Vec2::new(a, b), Vec2::new(c, d));
        let size = up.hypot() * UNITS_PER_EM;
        let unit = |vector: Vec2| {
            let length = vector.hypot();
            if length > 0.0 { vector / length } else { Vec2::new(1.0, 0.0) }
        };
        if vertical {
            let origin = place * Point::new(VERTICAL_LINE_SHARE * UNITS_PER_EM, VERTICAL_TOP);
            return Self { origin, direction: -unit(up), advance: size, size };
        }
        let origin = place * Point::ORIGIN;
        Self { origin, direction: unit(along), advance: width * along.hypot(), size }
    }
}

impl<'p> Device<'p> for Collector<'_, 'p> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'p>, props: DrawProps<'p>, mode: &DrawMode) {
        let Some(first) = run.glyphs().first() else { return };
        let begin = (run.glyphs().len(), (props.transform * first.transform()).as_coeffs());
        if matches!(mode, DrawMode::Stroke(_)) && self.last_run == Some(begin) {
            return;
        }
        self.last_run = Some(begin);
        let style = match &**first {
            DrawnGlyph::Outline(outline) => self.fonts.style(outline, self.resources),
            DrawnGlyph::Type3(_) => Style::default(),
        };
        let vertical = run.writing_mode() == WritingMode::Vertical;
        for glyph in run.glyphs() {
            if self.page.glyphs.len() >= MAX_GLYPHS_PER_PAGE {
                return;
            }
            let cell = Cell::of(glyph, props.transform, vertical);
            match glyph.as_unicode() {
                Some(BfString::Char(character)) => {
                    self.push(character.encode_utf8(&mut [0; 4]), &cell, style)
                }
                Some(BfString::String(text)) => self.push(&text, &cell, style),
                None => self.page.unmapped += 1,
            }
        }
    }

    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'p>, mode: &DrawMode) {
        self.paths += 1;
        if path.elements().len() > MAX_PATH_ELEMENTS {
            return;
        }
        match mode {
            DrawMode::Fill(_) => self.fills(path, props.transform),
            DrawMode::Stroke(_) => self.strokes(path, props.transform),
            DrawMode::FillAndStroke(..) => {
                self.strokes(path, props.transform);
            }
            DrawMode::Invisible => {}
        }
    }

    fn draw_image(&mut self, image: Image<'p, '_>, props: ImageDrawProps<'p>) {
        let [a, b, c, d, ..] = props.transform.as_coeffs();
        let pixels = f64::from(image.width()) * f64::from(image.height());
        let area = (a * d - b * c).abs() * pixels;
        if area.is_finite() {
            self.picture_area += area;
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'p>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
