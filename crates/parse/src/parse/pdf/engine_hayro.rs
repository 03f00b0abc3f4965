//! The first engine: the interpreter of the renderer `hayro`. One pass over a page gives its characters, its lines and
//! how much of it is pictures. It is quick and exact, but does not know the characters of every font (those without a
//! Unicode table whose codes mean something in a Chinese, Japanese or Korean collection).

mod collector;
mod fonts;

use hayro_interpret::hayro_syntax::page::{Page, Rotation};
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf, PdfData};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, RenderContent, interpret_page};

use super::engine_oxide::OpenError;
use super::geometry::PageFrame;
use super::glyphs::PageGlyphs;
use collector::Collector;
use fonts::Fonts;
pub(super) use fonts::{is_bold_name, is_monospaced_name};

/// Fonts and pictures that were read are forgotten after so many pages, to bound the memory.
const PAGES_PER_CACHE: usize = 64;

/// Opens a file, trying the passwords one after the other on an encrypted one.
pub(super) fn open(data: impl Into<PdfData>, passwords: &[&str]) -> Result<Pdf, OpenError> {
    let data = data.into();
    let mut result = Err(OpenError::Locked);
    for password in passwords {
        result = match Pdf::new_with_password(data.clone(), password) {
            Ok(pdf) => return Ok(pdf),
            Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => Err(OpenError::Locked),
            Err(LoadPdfError::Decryption(error)) => {
                return Err(OpenError::Damaged(format!("cannot be decrypted: {error:?}")));
            }
            Err(LoadPdfError::Invalid) => {
                return Err(OpenError::Damaged("no document structure was found".to_owned()));
            }
        };
    }
    result
}

/// How a page of the file is displayed.
pub(super) fn frame(page: &Page<'_>) -> PageFrame {
    type PdfRect = hayro_interpret::hayro_syntax::object::Rect;
    let corners = |rect: PdfRect| Some([rect.x0 as f32, rect.y0 as f32, rect.x1 as f32, rect.y1 as f32]);
    let degrees = match page.rotation() {
        Rotation::None => 0,
        Rotation::Horizontal => 90,
        Rotation::Flipped => 180,
        Rotation::FlippedHorizontal => 270,
    };
    let user_unit = page.raw().get::<f32>(b"UserUnit".as_slice()).unwrap_or(1.0);
    PageFrame::new(corners(page.media_box()), corners(page.crop_box()), degrees, user_unit)
}

/// Reads the pages of an open file, one after the other.
pub(super) struct HayroReader<'a> {
    pdf: &'a Pdf,
    cache: InterpreterCache<'a>,
    pages_in_cache: usize,
    fonts: Fonts,
}

impl<'a> HayroReader<'a> {
    pub(super) fn new(pdf: &'a Pdf) -> Self {
        Self { pdf, cache: InterpreterCache::new(), pages_in_cache: 0, fonts: Fonts::default() }
    }

    pub(super) fn page_count(&self) -> usize {
        self.pdf.pages().len()
    }

    /// A page, index from 0. The message of an error is for the log.
    pub(super) fn page(&mut self, index: usize) -> Result<PageGlyphs, String> {
        let page = self.pdf.pages().get(index).ok_or("no such page")?;
        if self.pages_in_cache >= PAGES_PER_CACHE {
            self.cache = InterpreterCache::new();
            self.pages_in_cache = 0;
        }
        self.pages_in_cache += 1;
        let mut collector = Collector::new(frame(page), page.resources(), std::mem::take(&mut self.fonts));
        self.interpret(page, RenderContent::PAGE, &mut collector);
        collector.page.annotations_from = collector.page.glyphs.len();
        self.interpret(page, RenderContent::ANNOTATIONS, &mut collector);
        let (glyphs, fonts) = collector.finish();
        self.fonts = fonts;
        Ok(glyphs)
    }

    fn interpret(&self, page: &Page<'a>, content: RenderContent, collector: &mut Collector<'_, 'a>) {
        let settings = InterpreterSettings { render_content: content, ..InterpreterSettings::default() };
        let bounds = Rect::new(-1e6, -1e6, 1e6, 1e6);
        let mut context = Context::new(Affine::IDENTITY, bounds, &self.cache, self.pdf.xref(), settings);
        interpret_page(page, &mut context, collector);
    }
}
