//! Tesseract's answer: hOCR, an XHTML page whose `title` attributes hold boxes, baselines and confidences
//! (<https://kba.github.io/hocr-spec/1.2/>).

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Lines and words of one page beyond are not read.
const MAX_LINES: usize = 5_000;
const MAX_WORDS: usize = 50_000;
/// Height of a line of text that does not say its size.
const USUAL_HEIGHT_SHARE: f32 = 0.9;
/// Part of a line's height that stands below its baseline.
const USUAL_DESCENT_SHARE: f32 = 0.2;
/// A line that rises or falls more steeply is turned.
const MAX_SLOPE: f32 = 0.3;

/// A line of words. Lengths in pixels from the top left corner of the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Left, top, right, bottom.
    pub(super) bounds: [f32; 4],
    /// Height of the baseline at the middle of the line; `None` in lines that run downwards.
    pub(super) baseline: Option<f32>,
    /// From the top of the ascenders to the bottom of the descenders.
    pub(super) size: f32,
    pub(super) words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Left, top, right, bottom.
    pub(super) bounds: [f32; 4],
    /// From 0 to 100.
    pub(super) confidence: f32,
}

/// The lines of the page, in Tesseract's order. What is not well formed ends the reading.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut lines: Vec<Line> = Vec::new();
    let mut words = 0;
    let mut in_word = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => match class(&element).as_deref() {
                Some("ocr_line" | "ocr_header" | "ocr_caption" | "ocr_textfloat") => {
                    if lines.len() >= MAX_LINES {
                        break;
                    }
                    lines.extend(line(&title(&element)));
                    in_word = false;
                }
                Some("ocrx_word") => {
                    in_word = words < MAX_WORDS && add_word(&mut lines, &title(&element));
                    words += usize::from(in_word);
                }
                _ => {}
            },
            Ok(Event::Text(text)) if in_word => {
                if let Ok(text) = text.decode() {
                    append(&mut lines, &text);
                }
            }
            Ok(Event::GeneralRef(reference)) if in_word => {
                if let Some(character) = referred(&reference) {
                    append(&mut lines, character.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::End(element)) if element.name().as_ref() == b"span" => in_word = false,
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    for line in &mut lines {
        line.words.retain(|word| !word.text.trim().is_empty());
    }
    lines.retain(|line| !line.words.is_empty());
    lines
}

/// The character that `&…;` stands for.
fn referred(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match reference.decode().ok()?.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn append(lines: &mut [Line], text: &str) {
    if let Some(word) = lines.last_mut().and_then(|line| line.words.last_mut()) {
        word.text.push_str(text);
    }
}

fn class(element: &BytesStart<'_>) -> Option<String> {
    attribute(element, "class")
}

fn title(element: &BytesStart<'_>) -> String {
    attribute(element, "title").unwrap_or_default()
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    Some(String::from_utf8_lossy(&attribute.value).into_owned())
}

/// The numbers of one property of a `title`.
fn property(title: &str, name: &str) -> Option<Vec<f32>> {
    let entry = title.split(';').find_map(|entry| entry.trim().strip_prefix(name)?.strip_prefix(' '))?;
    let numbers: Vec<f32> = entry.split_whitespace().map_while(|number| number.parse().ok()).collect();
    numbers.iter().all(|number| number.is_finite()).then_some(numbers)
}

fn bounds(title: &str) -> Option<[f32; 4]> {
    let numbers: [f32; 4] = property(title, "bbox")?.try_into().ok()?;
    (numbers[2] > numbers[0] && numbers[3] > numbers[1]).then_some(numbers)
}

fn line(title: &str) -> Option<Line> {
    let bounds = bounds(title)?;
    let [x0, y0, x1, y1] = bounds;
    // Counted from the lower left corner of the line's box: slope and offset. Where the line is turned it is absent, or
    // falls as steeply as the line stands.
    let level = property(title, "baseline")
        .filter(|numbers| numbers.len() == 2 && numbers[0].abs() <= MAX_SLOPE)
        .map(|numbers| (y1 + numbers[1] + numbers[0] * (x1 - x0) / 2.0).clamp(y0, y1));
    let is_lying = x1 - x0 >= y1 - y0;
    let baseline = level.or_else(|| is_lying.then_some(y1 - (y1 - y0) * USUAL_DESCENT_SHARE));
    let thickness = if baseline.is_some() { y1 - y0 } else { x1 - x0 };
    let size = property(title, "x_size")
        .and_then(|numbers| numbers.first().copied())
        .filter(|size| (2.0..=thickness * 1.5).contains(size))
        .unwrap_or(thickness * USUAL_HEIGHT_SHARE);
    Some(Line { bounds, baseline, size, words: Vec::new() })
}

fn add_word(lines: &mut [Line], title: &str) -> bool {
    let (Some(line), Some(bounds)) = (lines.last_mut(), bounds(title)) else { return false };
    let confidence = property(title, "x_wconf").and_then(|numbers| numbers.first().copied()).unwrap_or(0.0);
    line.words.push(Word { text: String::new(), bounds, confidence: confidence.clamp(0.0, 100.0) });
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><meta name='ocr-system' content='tesseract 5.3.0' /></head><body>
<div class='ocr_page' id='page_1' title='image ""; bbox 0 0 1275 1650; ppageno 0; scan_res 70 70'>
 <span class='ocr_line' id='line_1_1' title="bbox 100 200 500 230; baseline 0.01 -8; x_size 28; x_descenders 5; x_ascenders 6">
  <span class='ocrx_word' id='word_1_1' title='bbox 100 200 180 230; x_wconf 91'>Tom&amp;Ann</span>
  <span class='ocrx_word' id='word_1_2' title='bbox 200 202 300 228; x_wconf 35' lang='chi_sim'>员工&#39;</span>
  <span class='ocrx_word' id='word_1_3' title='bbox 320 202 330 228; x_wconf 95'> </span>
 </span>
 <span class='ocr_line' id='line_1_2' title="bbox 10 20 30 400; x_size 17">
  <span class='ocrx_word' id='word_1_4' title='bbox 10 20 30 400; x_wconf 88'><strong>side</strong></span>
 </span>
 <span class='ocr_line' id='line_1_3' title="bbox 10 20 nan 400"></span>
</div></body></html>"#;

    #[test]
    fn words_come_with_box_confidence_and_the_lines_baseline() {
        let lines = lines(PAGE);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].baseline, Some(224.0));
        assert_eq!(lines[0].size, 28.0);
        let words: Vec<(&str, f32)> =
            lines[0].words.iter().map(|word| (word.text.as_str(), word.confidence)).collect();
        assert_eq!(words, [("Tom&Ann", 91.0), ("员工'", 35.0)]);
        assert_eq!(lines[0].words[1].bounds, [200.0, 202.0, 300.0, 228.0]);
    }

    #[test]
    fn a_standing_line_without_a_baseline_or_with_a_steep_one_runs_downwards() {
        for title in ["x_size 17", "baseline 1338 -14718; x_size 17", "baseline -447 0; x_size 17"] {
            let lines = lines(&PAGE.replace("x_size 17", title));
            assert_eq!((lines[1].baseline, lines[1].words[0].text.as_str()), (None, "side"), "{title}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_hocr_yields_what_could_be_read() {
        assert_eq!(lines(&PAGE[..PAGE.find("<span class='ocrx_word' id='word_1_2'").unwrap()]).len(), 1);
        assert!(lines("").is_empty());
        assert!(lines("no xml < & at all").is_empty());
    }
}
