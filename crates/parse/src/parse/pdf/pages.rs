//! All pages of a file, each by the engine that reads it best.

use std::sync::Arc;

use hayro_interpret::hayro_syntax::Pdf;

use super::annotations::{self, Annotations, Comment, Placed};
use super::engine_hayro::{self, HayroReader};
use super::engine_oxide::{OpenError, OxideSource};
use super::geometry::PageFrame;
use super::glyphs::PageGlyphs;
use super::layout::{self, Line};
use super::recognised;
use super::scanned::{self, Drawing, Usable};
use super::structure::Attachments;
use crate::document::{Link, PageSize, warning};
use crate::parse::failure::{FailureCode, ParseFailure};
use crate::parse::ocr::{self, Recognition};
use crate::parse::{Engine, ParseOptions, caught};

/// A page with more glyphs without a meaning than this share is shown to the second engine.
const SOME_UNMAPPED: f32 = 0.015;
/// So few do not matter.
const FEW_UNMAPPED: usize = 3;
/// A recognised page is taken instead of the little text that it has when it has so many times more characters.
const CLEARLY_MORE: f32 = 1.3;
/// Characters of the whole document beyond the text limit are not laid out (pages that follow stay empty).
const LAYOUT_MARGIN: usize = 2;
/// Comments and links of a document that are kept, each.
const MAX_ANNOTATIONS: usize = 20_000;

/// A file that at least one engine has opened.
pub(super) struct Opened {
    /// Also tells the structure of the file.
    pub(super) first: Option<Pdf>,
    second: Second,
    data: Arc<Vec<u8>>,
    password: Option<String>,
}

enum Second {
    NotOpened,
    Opened(Box<OxideSource>),
    Failed,
}

impl Opened {
    /// # Errors
    /// `encrypted` or `wrong_password` when a password is needed, `no_pages`, `damaged_file`.
    pub(super) fn open(data: &Arc<Vec<u8>>, options: &ParseOptions) -> Result<Self, ParseFailure> {
        let mut opened = Self {
            first: None,
            second: Second::NotOpened,
            data: Arc::clone(data),
            password: options.password.clone(),
        };
        let mut errors = Vec::new();
        if options.engine == Engine::First {
            let passwords = passwords(&opened.password);
            match caught(|| engine_hayro::open(Arc::clone(data), &passwords)) {
                Some(Ok(pdf)) if !pdf.pages().is_empty() => {
                    opened.first = Some(pdf);
                    return Ok(opened);
                }
                Some(Ok(_)) => errors.push(OpenError::NoPages),
                Some(Err(error)) => errors.push(error),
                None => errors.push(OpenError::Damaged("the first engine panicked".to_owned())),
            }
        }
        match caught(|| OxideSource::open(data.to_vec(), &passwords(&opened.password))) {
            Some(Ok(source)) if source.page_count() > 0 => {
                opened.second = Second::Opened(Box::new(source));
                return Ok(opened);
            }
            Some(Ok(_)) => errors.push(OpenError::NoPages),
            Some(Err(error)) => errors.push(error),
            None => errors.push(OpenError::Damaged("the second engine panicked".to_owned())),
        }
        Err(cannot_open(&errors, opened.password.is_some()))
    }

    fn second(&mut self) -> Option<&OxideSource> {
        if matches!(self.second, Second::NotOpened) {
            let passwords = passwords(&self.password);
            self.second = match caught(|| OxideSource::open(self.data.to_vec(), &passwords)) {
                Some(Ok(source)) => Second::Opened(Box::new(source)),
                _ => Second::Failed,
            };
        }
        match &self.second {
            Second::Opened(source) => Some(source),
            _ => None,
        }
    }
}

/// The empty password opens files that are only protected against changes.
fn passwords(given: &Option<String>) -> Vec<&str> {
    std::iter::once("").chain(given.as_deref()).collect()
}

fn cannot_open(errors: &[OpenError], tried_password: bool) -> ParseFailure {
    if errors.iter().any(|error| matches!(error, OpenError::Locked)) {
        return if tried_password {
            ParseFailure::new(
                FailureCode::WrongPassword,
                "the password does not open the file; try another one",
            )
        } else {
            ParseFailure::new(
                FailureCode::Encrypted,
                "the file is protected by a password; give it to have it read",
            )
        };
    }
    if errors.iter().any(|error| matches!(error, OpenError::NoPages)) {
        return ParseFailure::new(FailureCode::NoPages, "the file has no pages");
    }
    for error in errors {
        if let OpenError::Damaged(detail) = error {
            tracing::debug!(%detail, "an engine does not open the file");
        }
    }
    ParseFailure::damaged("the file is damaged and cannot be opened; it may have been cut off")
}

/// Lines of all pages, and how reading went.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) lines: Vec<Line>,
    /// One a page that was read.
    pub(super) sizes: Vec<PageSize>,
    pub(super) page_count: usize,
    /// Page numbers from 1, ascending.
    pub(super) failed: Vec<u32>,
    pub(super) without_text: Vec<u32>,
    /// With the page of each, ascending.
    pub(super) comments: Vec<(u32, Comment)>,
    pub(super) links: Vec<Link>,
    pub(super) unmapped: usize,
    /// The whole file was read by the second engine, because the first could not open it.
    pub(super) second_engine: bool,
    /// What became of the pages that are pictures.
    pub(super) recognition: Recognition,
}

/// A page as it was read, its groups numbered from 0.
struct ReadPage {
    lines: Vec<Line>,
    characters: usize,
    unmapped: usize,
    usable: Usable,
}

impl Pages {
    pub(super) fn read(
        data: &Arc<Vec<u8>>,
        mut opened: Opened,
        options: &ParseOptions,
        attachments: &mut Attachments,
    ) -> Result<Self, ParseFailure> {
        let first = opened.first.take();
        let mut reader = Reader { first: first.as_ref().map(HayroReader::new), opened };
        let page_count = reader.page_count();
        let mut pages = Self { page_count, second_engine: reader.first.is_none(), ..Self::default() };
        let to_read = page_count.min(options.limits.max_pages as usize);
        let mut characters_left = options.limits.max_characters.saturating_mul(LAYOUT_MARGIN);
        let mut read: Vec<ReadPage> = Vec::new();
        for index in 0..to_read {
            let number = page_number(index);
            match reader.page(index) {
                Ok(page) if characters_left > 0 => {
                    let annotations = first
                        .as_ref()
                        .and_then(|pdf| pdf.pages().get(index))
                        .and_then(|page| {
                            caught(|| annotations::read(page, &engine_hayro::frame(page), attachments))
                        })
                        .unwrap_or_default();
                    let page_read = ReadPage::new(&page, &annotations.values, number);
                    characters_left = characters_left.saturating_sub(page_read.characters);
                    pages.sizes.push(page.size);
                    pages.note(annotations, number);
                    read.push(page_read);
                }
                Ok(_) => break,
                Err(error) => {
                    tracing::debug!(page = number, %error, code = warning::PAGES_FAILED, "page not read");
                    pages.failed.push(number);
                    pages.sizes.push(PageFrame::new(None, None, 0, 1.0).size());
                    read.push(ReadPage::failed());
                }
            }
        }
        drop(reader);
        drop(first);
        pages.recognise(data, &mut read, options);
        if pages.failed.len() == to_read {
            return Err(ParseFailure::damaged("none of the file's pages can be read"));
        }
        pages.gather(read);
        Ok(pages)
    }

    fn note(&mut self, annotations: Annotations, number: u32) {
        let room = MAX_ANNOTATIONS.saturating_sub(self.comments.len());
        self.comments.extend(annotations.comments.into_iter().take(room).map(|comment| (number, comment)));
        let room = MAX_ANNOTATIONS.saturating_sub(self.links.len());
        self.links.extend(annotations.links.into_iter().take(room).map(|link| {
            let [x0, y0, x1, y1] = link.bounds;
            Link { address: link.text, page: number, x0, y0, x1, y1 }
        }));
    }

    /// Replaces what the pages that are pictures say by what can be recognised in them.
    fn recognise(&mut self, data: &Arc<Vec<u8>>, read: &mut [ReadPage], options: &ParseOptions) {
        let Some(settings) = &options.ocr else { return };
        let numbers: Vec<u32> = read
            .iter()
            .enumerate()
            .filter(|(_, page)| page.usable != Usable::All)
            .map(|(index, _)| page_number(index))
            .collect();
        if numbers.is_empty() {
            return;
        }
        let Some(drawing) = Drawing::open(data, &passwords(&options.password), settings.dpi) else { return };
        let drawing = drawing.with_sizes(&self.sizes);
        let started = || options.recognition_starts();
        let mut recognition = ocr::recognise(settings, &numbers, &drawing, started);
        // A picture with its own caption on it is better read from the caption, unless there is clearly more in it.
        recognition.pages.retain(|page| {
            let glyphs = recognised::glyphs(page);
            let digital = &mut read[page.number as usize - 1];
            let needed = digital.characters as f32 * CLEARLY_MORE;
            let better = digital.usable == Usable::Nothing || glyphs.visible_characters() as f32 > needed;
            if better {
                *digital = ReadPage::new(&glyphs, &[], page.number);
            }
            better
        });
        self.failed.retain(|page| recognition.placement(*page).is_none());
        self.recognition = recognition;
    }

    fn gather(&mut self, read: Vec<ReadPage>) {
        let mut first_group = 0;
        for (index, page) in read.into_iter().enumerate() {
            let number = page_number(index);
            self.unmapped += page.unmapped;
            if page.characters == 0 && !self.failed.contains(&number) {
                self.without_text.push(number);
            }
            let groups = page.lines.iter().map(|line| line.group + 1).max().unwrap_or(0);
            self.lines.extend(page.lines.into_iter().map(|mut line| {
                line.group += first_group;
                line
            }));
            first_group += groups;
        }
    }
}

fn page_number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

impl ReadPage {
    fn new(page: &PageGlyphs, values: &[Placed], number: u32) -> Self {
        Self {
            lines: layout::lines(page, values, number, &mut 0),
            characters: page.visible_characters(),
            unmapped: page.unmapped,
            usable: scanned::usable(page),
        }
    }

    fn failed() -> Self {
        Self { lines: Vec::new(), characters: 0, unmapped: 0, usable: Usable::Nothing }
    }
}

/// Reads page by page with the engines that could open the file. The second is opened when it is first needed.
struct Reader<'a> {
    first: Option<HayroReader<'a>>,
    opened: Opened,
}

impl Reader<'_> {
    fn page_count(&self) -> usize {
        match (&self.first, &self.opened.second) {
            (Some(first), _) => first.page_count(),
            (None, Second::Opened(second)) => second.page_count(),
            (None, _) => 0,
        }
    }

    fn page(&mut self, index: usize) -> Result<PageGlyphs, String> {
        let panicked = || Err("the engine panicked".to_owned());
        let first = self.first.as_mut().map(|first| caught(|| first.page(index)).unwrap_or_else(panicked));
        if first.as_ref().is_some_and(|page| page.as_ref().is_ok_and(|page| !needs_second_opinion(page))) {
            return first.unwrap_or_else(panicked);
        }
        let second = self.opened.second().and_then(|source| caught(|| source.page(index)));
        match (first, second) {
            (Some(Ok(first)), Some(Ok(second))) => Ok(better(first, second)),
            (Some(Ok(first)), _) => Ok(first),
            (_, Some(second)) => second,
            (Some(Err(error)), None) => Err(error),
            (None, None) => panicked(),
        }
    }
}

/// Whether the other engine may know more of the page.
fn needs_second_opinion(page: &PageGlyphs) -> bool {
    let visible = page.visible_characters();
    visible == 0
        || page.unmapped > FEW_UNMAPPED
            && page.unmapped as f32 > (visible + page.unmapped) as f32 * SOME_UNMAPPED
}

/// The reading with more characters; the second engine's with the lines and annotations that only the first tells.
fn better(first: PageGlyphs, second: PageGlyphs) -> PageGlyphs {
    let of_page = first.annotations_from.min(first.glyphs.len());
    let visible = first.glyphs[..of_page].iter().filter(|glyph| !glyph.character.is_whitespace()).count();
    if second.visible_characters() <= visible {
        return first;
    }
    let mut glyphs = second.glyphs;
    let annotations_from = glyphs.len();
    glyphs.extend_from_slice(&first.glyphs[of_page..]);
    PageGlyphs { glyphs, annotations_from, unmapped: second.unmapped, ..first }
}
