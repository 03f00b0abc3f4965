//! Text in pictures: pages are drawn or decoded, levelled, recognised by the program Tesseract, and given back as words
//! with places, which then pass the same analysis of the layout as the words of a digital page.
//!
//! ```text
//! picture of a page (from a PDF: hayro; from a picture file: image)
//!     -> levelled (skew) -> Tesseract -> nonsense? turned upright, once more -> hOCR (hocr)
//!     -> words in points of the upright page (text) -> layout … blocks -> boxes put back on the displayed page (place)
//! ```
//!
//! Everything runs inside the limited process that parses; Tesseract inherits its limits and gets lower ones.

mod hocr;
mod page;
mod picture;
mod place;
mod settings;
mod skew;
mod tesseract;
#[cfg(test)]
pub(crate) mod tests;
mod text;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub(in crate::parse) use picture::Grey;
pub(in crate::parse) use place::{Placement, place_back};
pub use settings::OcrSettings;
pub(in crate::parse) use tesseract::Unavailable;
pub use tesseract::find_program;

use crate::document::{PageSize, ParsedDocument, warning};
use page::Reading;
use picture::Map;
use tesseract::{PageError, Tesseract};

/// No more pages are recognised at the same time: each has pipes, and the process may open few files.
const MAX_PARALLEL_PAGES: usize = 8;
/// Drawing a page recurses into the page's own forms.
const THREAD_STACK_BYTES: usize = 64 * 1024 * 1024;
/// Font size as a multiple of the distance between ascenders and descenders.
const EM_PER_LINE_HEIGHT: f32 = 1.1;
/// Share of the font size that stands below the baseline.
const DESCENT_EM: f32 = 0.2;
const POINTS_PER_INCH: f32 = 72.0;

/// A page as it is displayed, drawn.
pub(in crate::parse) struct PagePicture {
    pub(in crate::parse) grey: Grey,
    /// Size of a pixel in points of the displayed page.
    pub(in crate::parse) points_per_pixel: (f32, f32),
    pub(in crate::parse) size: PageSize,
}

/// Where the pictures come from.
pub(in crate::parse) trait DrawPage: Sync {
    /// The page of this number, from 1. The message of an error is for the log.
    fn draw(&self, page: u32) -> Result<PagePicture, String>;
}

/// A page whose text was recognised. Lengths in points of the upright page.
#[derive(Clone, Debug)]
pub(in crate::parse) struct RecognisedPage {
    /// From 1.
    pub(in crate::parse) number: u32,
    pub(in crate::parse) upright: PageSize,
    pub(in crate::parse) lines: Vec<RecognisedLine>,
    /// From 0 to 100.
    pub(in crate::parse) confidence: f32,
    pub(in crate::parse) placement: Placement,
}

#[derive(Clone, Debug)]
pub(in crate::parse) struct RecognisedLine {
    /// The line runs from top to bottom; `baseline` is then its distance from the left edge.
    pub(in crate::parse) downwards: bool,
    pub(in crate::parse) baseline: f32,
    pub(in crate::parse) font_size: f32,
    pub(in crate::parse) words: Vec<RecognisedWord>,
}

#[derive(Clone, Debug)]
pub(in crate::parse) struct RecognisedWord {
    pub(in crate::parse) text: String,
    /// Along the direction of reading, from the left edge or the top.
    pub(in crate::parse) start: f32,
    pub(in crate::parse) end: f32,
    /// A space separates it from the word before.
    pub(in crate::parse) spaced: bool,
}

/// What became of the pages that needed recognition. Page numbers from 1, ascending.
#[derive(Debug, Default)]
pub(in crate::parse) struct Recognition {
    pub(in crate::parse) pages: Vec<RecognisedPage>,
    /// Pages that took too long or on which the program failed.
    pub(in crate::parse) failed: Vec<u32>,
    /// Of the failed, those that took too long.
    pub(in crate::parse) too_long: usize,
    /// Pages beyond the limit on their number.
    pub(in crate::parse) left_out: Vec<u32>,
    pub(in crate::parse) unavailable: Option<Unavailable>,
}

/// Recognises the pages of these numbers, several at a time.
pub(in crate::parse) fn recognise(
    settings: &OcrSettings,
    numbers: &[u32],
    source: &impl DrawPage,
    on_start: impl FnOnce(),
) -> Recognition {
    let tesseract = match Tesseract::find(settings) {
        Ok(tesseract) => tesseract,
        Err(unavailable) => {
            // Empty pages are no reason to complain.
            let is_missed = numbers.iter().any(|&number| has_ink(source, number));
            return Recognition { unavailable: is_missed.then_some(unavailable), ..Recognition::default() };
        }
    };
    on_start();
    let (numbers, beyond) = numbers.split_at(numbers.len().min(settings.max_pages as usize));
    let work = Work {
        tesseract,
        source,
        numbers,
        dpi: settings.dpi,
        deadline: Instant::now() + Duration::from_millis(settings.document_timeout_ms),
        next: AtomicUsize::new(0),
        done: Mutex::default(),
    };
    let threads = settings.parallel_pages.clamp(1, MAX_PARALLEL_PAGES).min(numbers.len().max(1));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Without a further thread this one does all.
            let _ = std::thread::Builder::new()
                .stack_size(THREAD_STACK_BYTES)
                .spawn_scoped(scope, || work.pages());
        }
        work.pages();
    });
    let mut recognition = work.done.into_inner().unwrap_or_default();
    recognition.left_out = beyond.to_vec();
    recognition.failed.sort_unstable();
    recognition.pages.sort_by_key(|page| page.number);
    steady(&mut recognition.pages);
    recognition
}

fn has_ink(source: &impl DrawPage, number: u32) -> bool {
    let drawn = super::caught(|| source.draw(number));
    !matches!(drawn, Some(Ok(picture)) if picture.grey.is_empty())
}

/// What the threads share.
struct Work<'w, S> {
    tesseract: Tesseract,
    source: &'w S,
    numbers: &'w [u32],
    dpi: u32,
    deadline: Instant,
    next: AtomicUsize,
    done: Mutex<Recognition>,
}

impl<S: DrawPage> Work<'_, S> {
    /// Takes one page after the other until none is left.
    fn pages(&self) {
        while let Some(&number) = self.numbers.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let result = super::caught(|| self.page(number))
                .unwrap_or_else(|| Err(PageError::Failed("drawing the page panicked".to_owned())));
            let Ok(mut done) = self.done.lock() else { return };
            match result {
                Ok(Some(page)) => done.pages.push(page),
                Ok(None) => {}
                Err(PageError::NoLanguage(missing)) => {
                    done.unavailable = Some(Unavailable(format!(
                        "Tesseract has no data for the languages to recognise ({missing})"
                    )));
                    return;
                }
                Err(error) => {
                    tracing::debug!(page = number, ?error, code = warning::OCR_FAILED, "page not recognised");
                    done.too_long += usize::from(error == PageError::TookTooLong);
                    done.failed.push(number);
                }
            }
        }
    }

    fn page(&self, number: u32) -> Result<Option<RecognisedPage>, PageError> {
        if Instant::now() >= self.deadline {
            return Err(PageError::TookTooLong);
        }
        let picture = self.source.draw(number).map_err(PageError::Failed)?;
        let (x, y) = picture.points_per_pixel;
        let dpi = (POINTS_PER_INCH * 2.0 / (x + y)).round().clamp(70.0, 600.0) as u32;
        // What a page says of its size need not be so; letters of usual size are then better taken for such.
        let dpi = if dpi < 100 { self.dpi } else { dpi };
        let reading = page::read(&self.tesseract, &picture.grey, dpi, self.deadline)?;
        Ok(reading.map(|reading| recognised(number, &picture, &reading)))
    }
}

fn recognised(number: u32, picture: &PagePicture, reading: &Reading) -> RecognisedPage {
    let (x, y) = picture.points_per_pixel;
    // One scale for both directions of the upright page, which may lie on its side on the displayed page.
    let scale = (x + y) / 2.0;
    let straight = reading.map == Map::IDENTITY;
    let (across, down) = if straight { (x, y) } else { (scale, scale) };
    let upright = PageSize { width: reading.width as f32 * across, height: reading.height as f32 * down };
    let map = if straight {
        Map::IDENTITY
    } else {
        Map::scale(1.0 / scale, 1.0 / scale).then(&reading.map).then(&Map::scale(x, y))
    };
    RecognisedPage {
        number,
        upright,
        lines: reading.lines.iter().map(|line| recognised_line(line, across, down)).collect(),
        confidence: reading.confidence,
        placement: Placement { map, displayed: picture.size },
    }
}

fn recognised_line(line: &hocr::Line, across: f32, down: f32) -> RecognisedLine {
    let texts: Vec<&str> = line.words.iter().map(|word| word.text.as_str()).collect();
    let tidy = text::tidy_words(&texts);
    let downwards = line.baseline.is_none();
    let font_size = line.size * if downwards { across } else { down } * EM_PER_LINE_HEIGHT;
    let words = line.words.iter().zip(&tidy).enumerate().map(|(index, (word, text))| {
        let [x0, y0, x1, y1] = word.bounds;
        let (start, end) = if downwards { (y0 * down, y1 * down) } else { (x0 * across, x1 * across) };
        let spaced = index > 0 && text::is_spaced(&tidy[index - 1], text);
        RecognisedWord { text: text.clone(), start, end, spaced }
    });
    RecognisedLine {
        downwards,
        baseline: line.baseline.map_or(line.bounds[0] * across + font_size * DESCENT_EM, |y| y * down),
        font_size,
        words: words.collect(),
    }
}

fn steady(pages: &mut [RecognisedPage]) {
    let lines = || pages.iter().flat_map(|page| &page.lines);
    let sizes: Vec<(f32, usize)> = lines()
        .map(|line| (line.font_size, line.words.iter().map(|word| word.text.chars().count()).sum()))
        .collect();
    let steady = text::steady_sizes(&sizes);
    let lines = pages.iter_mut().flat_map(|page| &mut page.lines);
    for (line, size) in lines.zip(steady) {
        line.font_size = size;
    }
}

impl Recognition {
    pub(in crate::parse) fn placement(&self, page: u32) -> Option<Placement> {
        let at = self.pages.binary_search_by_key(&page, |recognised| recognised.number).ok()?;
        Some(self.pages[at].placement)
    }

    /// Says what was recognised and what was not.
    pub(in crate::parse) fn describe(&self, document: &mut ParsedDocument, low_confidence: u8) {
        let numbers = |pick: &dyn Fn(&RecognisedPage) -> bool| -> Vec<u32> {
            self.pages.iter().filter(|page| pick(page)).map(|page| page.number).collect()
        };
        let used = numbers(&|_| true);
        if !used.is_empty() {
            document.warn(
                warning::OCR_USED,
                format!("text that was recognised in pictures: pages {}", page_list(&used)),
            );
        }
        let low = numbers(&|page| page.confidence < f32::from(low_confidence));
        if !low.is_empty() {
            document.warn(
                warning::OCR_LOW_CONFIDENCE,
                format!("text that was hard to recognise and may be wrong: pages {}", page_list(&low)),
            );
        }
        if !self.failed.is_empty() {
            document.warn(
                warning::OCR_FAILED,
                format!("pages whose text could not be recognised: {}", page_list(&self.failed)),
            );
        }
        if !self.left_out.is_empty() {
            document.warn(
                warning::OCR_TRUNCATED,
                format!("pages beyond the limit, not recognised: {}", page_list(&self.left_out)),
            );
        }
        if let Some(Unavailable(reason)) = &self.unavailable {
            document
                .warn(warning::OCR_UNAVAILABLE, format!("pages that are pictures were left out: {reason}"));
        }
    }
}

/// `1-3, 7`, at most twenty ranges.
pub(in crate::parse) fn page_list(pages: &[u32]) -> String {
    let ranges: Vec<String> =
        pages
            .chunk_by(|a, b| *b == *a + 1)
            .map(|run| {
                if run.len() == 1 { run[0].to_string() } else { format!("{}-{}", run[0], run[run.len() - 1]) }
            })
            .collect();
    let more = if ranges.len() > 20 { " and more" } else { "" };
    format!("{}{more}", ranges[..ranges.len().min(20)].join(", "))
}
