//! Pages that are pictures of text: which they are, and how they are drawn for recognition.

use std::sync::Arc;

use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::font::GlyphRun;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::kurbo::{Affine, BezPath, Rect};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, interpret_page,
};

use super::glyphs::PageGlyphs;
use crate::document::PageSize;
use crate::parse::ocr::{DrawPage, Grey, PagePicture};

const POINTS_PER_INCH: f32 = 72.0;
/// A page on which more than this share of the glyphs has no meaning in Unicode is read from its picture.
const MANY_UNMAPPED: f32 = 0.3;
/// A page with fewer characters may be a picture with a stamp or a page number on it.
const FEW_CHARACTERS: usize = 100;
/// It is, when pictures cover this share of it.
const COVERED: f32 = 0.6;
/// Larger pages are drawn with fewer dots per inch.
const MAX_PIXELS: f32 = 36_000_000.0;
const MAX_SIDE_PIXELS: f32 = 12_000.0;

/// What of a page's text can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usable {
    All,
    /// Little; the page may be a picture.
    Little,
    /// None, or glyphs that mean nothing.
    Nothing,
}

pub(super) fn usable(page: &PageGlyphs) -> Usable {
    let characters = page.visible_characters();
    let unmapped = page.unmapped as f32 > (characters + page.unmapped) as f32 * MANY_UNMAPPED;
    match characters {
        0 => Usable::Nothing,
        _ if unmapped => Usable::Nothing,
        1..FEW_CHARACTERS => Usable::Little,
        _ => Usable::All,
    }
}

/// A file whose pages can be drawn.
pub(super) struct Drawing {
    pdf: Pdf,
    dpi: f32,
    /// As the text's engine knows them, by page.
    sizes: Vec<PageSize>,
}

impl Drawing {
    pub(super) fn open(data: &Arc<Vec<u8>>, dpi: u32) -> Option<Self> {
        let pdf = super::super::caught(|| Pdf::new(Arc::clone(data)))?.ok()?;
        Some(Self { pdf, dpi: dpi.clamp(72, 600) as f32, sizes: Vec::new() })
    }

    pub(super) fn with_sizes(mut self, sizes: &[PageSize]) -> Self {
        self.sizes = sizes.to_vec();
        self
    }

    /// Whether pictures cover most of a page.
    pub(super) fn is_covered(&self, index: usize) -> bool {
        super::super::caught(|| self.covered_share(index)).flatten().is_some_and(|share| share >= COVERED)
    }

    fn covered_share(&self, index: usize) -> Option<f32> {
        let page = self.pdf.pages().get(index)?;
        let (width, height) = page.render_dimensions();
        let cache = InterpreterCache::new();
        let everything = Rect::new(0.0, 0.0, 1.0, 1.0);
        let mut context = Context::new(
            Affine::IDENTITY,
            everything,
            &cache,
            self.pdf.xref(),
            InterpreterSettings::default(),
        );
        let mut pictures = PictureArea { points: 0.0 };
        interpret_page(page, &mut context, &mut pictures);
        Some(pictures.points as f32 / (width * height).max(1.0))
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
        let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
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

/// Adds up the area of the pictures on a page.
struct PictureArea {
    points: f64,
}

impl<'a> Device<'a> for PictureArea {
    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        // A picture's own space is one unit a pixel.
        let pixels = f64::from(image.width()) * f64::from(image.height());
        let area = props.transform.determinant().abs() * pixels;
        if area.is_finite() {
            self.points += area;
        }
    }

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, _: DrawProps<'a>, _: &DrawMode) {}
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
