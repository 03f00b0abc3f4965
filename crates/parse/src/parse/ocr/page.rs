//! One page: levelled, recognised, and turned upright where what was read makes no sense.

use std::time::Instant;

use super::hocr::{self, Line};
use super::picture::{Grey, Map, Turn};
use super::skew;
use super::tesseract::{PageError, Tesseract};

/// Words below are not text but dirt and edges of pictures.
const MIN_WORD_CONFIDENCE: f32 = 20.0;
/// The same for words without a letter or digit.
const MIN_MARK_CONFIDENCE: f32 = 60.0;
/// A page that was read with less confidence may lie on its side or upside down.
const DOUBTFUL_CONFIDENCE: f32 = 65.0;
/// What was read from a page on its side is worth less than the same read upright: its order is lost.
const SIDEWAYS_WORTH: f32 = 0.7;
/// A page that was read with less confidence holds no text but a picture.
const NO_TEXT_CONFIDENCE: f32 = 35.0;

/// What was read, in pixels of the picture after turning.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) lines: Vec<Line>,
    /// From 0 to 100, each character counting the same.
    pub(super) confidence: f32,
    pub(super) width: usize,
    pub(super) height: usize,
    /// From places in the turned picture to places in the one that was given.
    pub(super) map: Map,
}

/// `None` for a page without text.
pub(super) fn read(
    tesseract: &Tesseract,
    picture: &Grey,
    dpi: u32,
    deadline: Instant,
) -> Result<Option<Reading>, PageError> {
    if picture.is_empty() {
        return Ok(None);
    }
    let first = recognise(tesseract, picture, None, dpi, deadline)?;
    let mut best = first;
    if best.is_doubtful()
        && let Some(turn) =
            tesseract.turn_needed(picture, dpi, deadline).or_else(|| best.runs_downwards().then_some(Turn::ThreeQuarters))
        // What was read stands if time runs out over the second try.
        && let Ok(turned) = recognise(tesseract, picture, Some(turn), dpi, deadline)
        && turned.worth() > best.worth() * if best.runs_downwards() { SIDEWAYS_WORTH } else { 1.0 }
    {
        best = turned;
    }
    best.lines.iter_mut().for_each(|line| line.words.retain(is_text));
    best.lines.retain(|line| !line.words.is_empty());
    let has_text = !best.lines.is_empty() && best.confidence >= NO_TEXT_CONFIDENCE;
    Ok(has_text.then_some(best))
}

fn is_text(word: &hocr::Word) -> bool {
    let needed =
        if word.text.chars().any(char::is_alphanumeric) { MIN_WORD_CONFIDENCE } else { MIN_MARK_CONFIDENCE };
    word.confidence >= needed
}

fn recognise(
    tesseract: &Tesseract,
    picture: &Grey,
    turn: Option<Turn>,
    dpi: u32,
    deadline: Instant,
) -> Result<Reading, PageError> {
    let turned = turn.map(|turn| picture.turned(turn));
    let (upright, map) = turned.as_ref().map_or((picture, Map::IDENTITY), |(upright, map)| (upright, *map));
    let angle = skew::angle(upright);
    let levelled = (angle != 0.0).then(|| upright.levelled(angle));
    let (level, map) = match &levelled {
        Some((level, level_map)) => (level, level_map.then(&map)),
        None => (upright, map),
    };
    let lines = hocr::lines(&tesseract.words(level, dpi, deadline)?);
    let confidence = mean_confidence(&lines);
    Ok(Reading { lines, confidence, width: level.width, height: level.height, map })
}

impl Reading {
    fn characters(&self) -> usize {
        words(&self.lines).map(|word| word.text.chars().count()).sum()
    }

    /// Characters that are probably right.
    fn worth(&self) -> f32 {
        self.characters() as f32 * self.confidence.max(0.0).powi(2)
    }

    fn is_doubtful(&self) -> bool {
        self.confidence < DOUBTFUL_CONFIDENCE || self.runs_downwards()
    }

    /// Whether most of the text stands on its side, which Tesseract may read well but puts in no good order.
    fn runs_downwards(&self) -> bool {
        let downwards = self.lines.iter().filter(|line| line.baseline.is_none());
        let characters: usize =
            downwards.flat_map(|line| &line.words).map(|word| word.text.chars().count()).sum();
        characters * 2 > self.characters()
    }
}

fn words(lines: &[Line]) -> impl Iterator<Item = &hocr::Word> {
    lines.iter().flat_map(|line| &line.words)
}

fn mean_confidence(lines: &[Line]) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for word in words(lines) {
        let characters = word.text.chars().filter(|c| c.is_alphanumeric()).count() as f32;
        sum += word.confidence * characters;
        count += characters;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}
