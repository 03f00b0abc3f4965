//! The second engine: the interpreter of the renderer `hayro`. It reads damaged files that the first does not, but
//! knows the characters of fewer fonts.

use std::collections::HashMap;
use std::sync::Arc;

use hayro_interpret::font::{Glyph as DrawnGlyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::page::Rotation;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, RenderContent, SoftMask, interpret_page,
};

use super::engine_oxide::OpenError;
use super::geometry::PageFrame;
use super::glyphs::{GlyphSource, MAX_GLYPHS_PER_PAGE, PageGlyphs, RawGlyph, is_unmapped};
use crate::clean;

/// Glyph outlines and widths are in thousandths of the font size.
const UNITS_PER_EM: f64 = 1000.0;

pub(super) struct HayroSource {
    pdf: Pdf,
}

impl HayroSource {
    pub(super) fn open(data: Arc<Vec<u8>>) -> Result<Self, OpenError> {
        match Pdf::new(data) {
            Ok(pdf) => Ok(Self { pdf }),
            Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => Err(OpenError::Locked),
            Err(LoadPdfError::Decryption(error)) => {
                Err(OpenError::Damaged(format!("cannot be decrypted: {error:?}")))
            }
            Err(LoadPdfError::Invalid) => {
                Err(OpenError::Damaged("no document structure was found".to_owned()))
            }
        }
    }
}

impl GlyphSource for HayroSource {
    fn page_count(&self) -> usize {
        self.pdf.pages().len()
    }

    fn page(&self, index: usize) -> Result<PageGlyphs, String> {
        let page = self.pdf.pages().get(index).ok_or("no such page")?;
        let corners = |rect: Rect| Some([rect.x0 as f32, rect.y0 as f32, rect.x1 as f32, rect.y1 as f32]);
        let degrees = match page.rotation() {
            Rotation::None => 0,
            Rotation::Horizontal => 90,
            Rotation::Flipped => 180,
            Rotation::FlippedHorizontal => 270,
        };
        let user_unit = page.raw().get::<f32>(b"UserUnit".as_slice()).unwrap_or(1.0);
        let to_rect =
            |rect: hayro_interpret::hayro_syntax::object::Rect| Rect::new(rect.x0, rect.y0, rect.x1, rect.y1);
        let frame = PageFrame::new(
            corners(to_rect(page.media_box())),
            corners(to_rect(page.crop_box())),
            degrees,
            user_unit,
        );

        let settings =
            InterpreterSettings { render_content: RenderContent::PAGE, ..InterpreterSettings::default() };
        let cache = InterpreterCache::new();
        let mut context =
            Context::new(Affine::IDENTITY, Rect::new(0.0, 0.0, 1.0, 1.0), &cache, self.pdf.xref(), settings);
        let mut collector = Collector {
            page: PageGlyphs { size: frame.size(), glyphs: Vec::new(), unmapped: 0 },
            frame,
            styles: HashMap::new(),
        };
        interpret_page(page, &mut context, &mut collector);
        Ok(collector.page)
    }
}

#[derive(Clone, Copy, Default)]
struct Style {
    bold: bool,
    monospaced: bool,
}

struct Collector {
    frame: PageFrame,
    page: PageGlyphs,
    /// By font; looking a font's properties up is slow.
    styles: HashMap<u128, Style>,
}

impl Collector {
    fn style(&mut self, run: &GlyphRun<'_, '_>) -> Style {
        let Some(DrawnGlyph::Outline(outline)) = run.glyphs().first().map(std::ops::Deref::deref) else {
            return Style::default();
        };
        let Some(font) = outline.font_data() else { return Style::default() };
        *self.styles.entry(font.cache_key).or_insert_with(|| {
            let name = font.postscript_name.unwrap_or_default();
            Style {
                bold: font.weight.is_some_and(|weight| weight >= 600) || name.contains("Bold"),
                monospaced: font.is_monospace,
            }
        })
    }

    fn push(&mut self, text: &str, place: Affine, advance: f64, style: Style) {
        let mut normal = String::new();
        text.chars().for_each(|character| clean::push_normalised(&mut normal, character));
        let count = normal.chars().count().max(1) as f64;
        let [a, b, c, d, ..] = place.as_coeffs();
        let length = a.hypot(b);
        for (position, character) in normal.chars().enumerate() {
            if is_unmapped(character) {
                self.page.unmapped += 1;
                continue;
            }
            let origin = place * Point::new(advance / count * position as f64, 0.0);
            let raw = RawGlyph {
                character,
                origin: (origin.x as f32, origin.y as f32),
                direction: if length > 0.0 { ((a / length) as f32, (b / length) as f32) } else { (1.0, 0.0) },
                advance: (advance / count * length) as f32,
                size: (c.hypot(d) * UNITS_PER_EM) as f32,
                ascent: 0.0,
                descent: 0.0,
                bold: style.bold,
                monospaced: style.monospaced,
            };
            self.page.glyphs.extend(raw.displayed(&self.frame));
        }
    }
}

impl<'a> Device<'a> for Collector {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let style = self.style(run);
        for glyph in run.glyphs() {
            if self.page.glyphs.len() >= MAX_GLYPHS_PER_PAGE {
                return;
            }
            let advance = match &**glyph {
                DrawnGlyph::Outline(outline) => outline.advance_width(),
                DrawnGlyph::Type3(type3) => type3.advance_width(),
            };
            let advance = f64::from(advance.unwrap_or(0.0));
            let place = props.transform * glyph.transform();
            match glyph.as_unicode() {
                Some(BfString::Char(character)) => {
                    self.push(character.encode_utf8(&mut [0; 4]), place, advance, style)
                }
                Some(BfString::String(text)) => self.push(&text, place, advance, style),
                None => self.page.unmapped += 1,
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
