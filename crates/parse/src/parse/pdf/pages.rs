//! All pages of a file, each by the engine that reads it best.

use std::sync::Arc;

use super::engine_hayro::HayroSource;
use super::engine_oxide::{OpenError, OxideSource};
use super::glyphs::{GlyphSource, PageGlyphs};
use super::layout::{self, Line};
use super::recognised;
use super::scanned::{self, Drawing, Usable};
use super::structure::Structure;
use crate::document::{PageSize, warning};
use crate::parse::failure::{FailureCode, ParseFailure};
use crate::parse::ocr::{self, Recognition};
use crate::parse::{Engine, ParseOptions, caught};

/// A page on which the first engine finds fewer characters is shown to the second one as well.
const FEW_CHARACTERS: usize = 12;
/// The second engine's page is taken when it has so many times more characters.
const CLEARLY_MORE: f32 = 1.3;
/// Of a page whose places the first engine does not know exactly, the second engine's reading is taken when it has this
/// share of the characters.
const AS_GOOD: f32 = 0.95;
/// A page whose glyphs have no meaning in Unicode for more than this share is shown to the second engine.
const MANY_UNMAPPED: f32 = 0.3;
/// When the first engine's own running text has so many times more characters than its glyphs, the second is asked.
const RUNNING_TEXT_FACTOR: f32 = 1.25;
/// Characters of the whole document beyond the text limit are not laid out (pages that follow stay empty).
const LAYOUT_MARGIN: usize = 2;

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
        structure: &Structure,
        options: &ParseOptions,
    ) -> Result<Self, ParseFailure> {
        let mut sources = Sources::open(data, options.engine, structure)?;
        let page_count = sources.page_count();
        if page_count == 0 {
            return Err(ParseFailure::new(FailureCode::NoPages, "the file has no pages"));
        }
        let mut pages = Self { page_count, second_engine: sources.first.is_none(), ..Self::default() };
        let to_read = page_count.min(options.limits.max_pages as usize);
        let mut characters_left = options.limits.max_characters.saturating_mul(LAYOUT_MARGIN);
        let mut read: Vec<ReadPage> = Vec::new();
        for index in 0..to_read {
            let number = page_number(index);
            match sources.page(index) {
                Ok(page) if characters_left > 0 => {
                    let page_read = ReadPage::new(&page, number);
                    characters_left = characters_left.saturating_sub(page_read.characters);
                    pages.sizes.push(page.size);
                    read.push(page_read);
                }
                Ok(_) => break,
                Err(error) => {
                    tracing::debug!(page = number, %error, code = warning::PAGES_FAILED, "page not read");
                    pages.failed.push(number);
                    pages.sizes.push(super::geometry::PageFrame::new(None, None, 0, 1.0).size());
                    read.push(ReadPage::failed());
                }
            }
        }
        drop(sources);
        pages.recognise(data, &mut read, options);
        if pages.failed.len() == to_read {
            return Err(ParseFailure::damaged("none of the file's pages can be read"));
        }
        pages.gather(read);
        Ok(pages)
    }

    /// Replaces what the pages that are pictures say by what can be recognised in them.
    fn recognise(&mut self, data: &Arc<Vec<u8>>, read: &mut [ReadPage], options: &ParseOptions) {
        let Some(settings) = &options.ocr else { return };
        if read.iter().all(|page| page.usable == Usable::All) {
            return;
        }
        let Some(drawing) = Drawing::open(data, settings.dpi) else { return };
        let drawing = drawing.with_sizes(&self.sizes);
        let numbers: Vec<u32> = read
            .iter()
            .enumerate()
            .filter(|(index, page)| match page.usable {
                Usable::All => false,
                Usable::Little => drawing.is_covered(*index),
                Usable::Nothing => true,
            })
            .map(|(index, _)| page_number(index))
            .collect();
        if numbers.is_empty() {
            return;
        }
        let started = || options.recognition_starts();
        let mut recognition = ocr::recognise(settings, &numbers, &drawing, started);
        // A picture with its own caption on it is better read from the caption, unless there is clearly more in it.
        recognition.pages.retain(|page| {
            let glyphs = recognised::glyphs(page);
            let digital = &mut read[page.number as usize - 1];
            let needed = digital.characters as f32 * CLEARLY_MORE;
            let better = digital.usable == Usable::Nothing || glyphs.visible_characters() as f32 > needed;
            if better {
                *digital = ReadPage::new(&glyphs, page.number);
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
    fn new(page: &PageGlyphs, number: u32) -> Self {
        Self {
            lines: layout::lines(page, number, &mut 0),
            characters: page.visible_characters(),
            unmapped: page.unmapped,
            usable: scanned::usable(page),
        }
    }

    fn failed() -> Self {
        Self { lines: Vec::new(), characters: 0, unmapped: 0, usable: Usable::Nothing }
    }
}

/// The engines that could open the file. The second is opened when it is first needed.
struct Sources {
    first: Option<OxideSource>,
    second: Second,
    data: Arc<Vec<u8>>,
}

enum Second {
    NotOpened,
    Opened(HayroSource),
    Failed,
}

impl Sources {
    fn open(data: &Arc<Vec<u8>>, engine: Engine, structure: &Structure) -> Result<Self, ParseFailure> {
        let mut errors = Vec::new();
        if engine == Engine::First {
            match caught(|| OxideSource::open(data.to_vec())) {
                Some(Ok(source)) if source.page_count() > 0 => {
                    return Ok(Self {
                        first: Some(source),
                        second: Second::NotOpened,
                        data: Arc::clone(data),
                    });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => errors.push(error),
                None => errors.push(OpenError::Damaged("the first parser panicked".to_owned())),
            }
        }
        match caught(|| HayroSource::open(Arc::clone(data))) {
            Some(Ok(source)) => {
                Ok(Self { first: None, second: Second::Opened(source), data: Arc::clone(data) })
            }
            Some(Err(error)) => {
                errors.push(error);
                Err(cannot_open(&errors, structure))
            }
            None => Err(cannot_open(&errors, structure)),
        }
    }

    fn page_count(&self) -> usize {
        match (&self.first, &self.second) {
            (Some(first), _) => first.page_count(),
            (None, Second::Opened(second)) => second.page_count(),
            (None, _) => 0,
        }
    }

    fn page(&mut self, index: usize) -> Result<PageGlyphs, String> {
        let first = match &self.first {
            Some(source) => {
                caught(|| source.page(index)).unwrap_or_else(|| Err("the parser panicked".to_owned()))
            }
            None => return self.second_page(index).unwrap_or_else(|| Err("the parser panicked".to_owned())),
        };
        let lacks_widths = first.as_ref().is_ok_and(PageGlyphs::lacks_widths);
        if !lacks_widths && first.as_ref().is_ok_and(|page| !self.is_suspicious(page, index)) {
            return first;
        }
        match (first, self.second_page(index)) {
            (Ok(first), Some(Ok(second))) => {
                let needed = if lacks_widths { AS_GOOD } else { CLEARLY_MORE };
                let more = second.visible_characters() as f32 > first.visible_characters() as f32 * needed;
                Ok(if more { second } else { first })
            }
            (Err(_), Some(Ok(second))) => Ok(second),
            (first, _) => first,
        }
    }

    fn is_suspicious(&self, page: &PageGlyphs, index: usize) -> bool {
        let characters = page.visible_characters();
        if characters < FEW_CHARACTERS
            || page.unmapped as f32 > (characters + page.unmapped) as f32 * MANY_UNMAPPED
        {
            return true;
        }
        let running = self
            .first
            .as_ref()
            .and_then(|source| caught(|| source.running_text_characters(index)))
            .unwrap_or(0);
        running as f32 > characters as f32 * RUNNING_TEXT_FACTOR
    }

    fn second_page(&mut self, index: usize) -> Option<Result<PageGlyphs, String>> {
        if matches!(self.second, Second::NotOpened) {
            self.second = match caught(|| HayroSource::open(Arc::clone(&self.data))) {
                Some(Ok(source)) => Second::Opened(source),
                _ => Second::Failed,
            };
        }
        match &self.second {
            Second::Opened(source) => caught(|| source.page(index)),
            _ => None,
        }
    }
}

fn cannot_open(errors: &[OpenError], structure: &Structure) -> ParseFailure {
    let locked = structure.locked || errors.iter().any(|error| matches!(error, OpenError::Locked));
    if locked {
        return ParseFailure::new(
            FailureCode::Encrypted,
            "the file is protected by a password; save it without one and upload it again",
        );
    }
    if structure.page_count == Some(0) {
        return ParseFailure::new(FailureCode::NoPages, "the file has no pages");
    }
    let detail = errors.iter().find_map(|error| match error {
        OpenError::Damaged(detail) => Some(detail.as_str()),
        OpenError::Locked => None,
    });
    tracing::debug!(detail, "no engine opens the file");
    ParseFailure::damaged("the file is damaged and cannot be opened; it may have been cut off")
}
