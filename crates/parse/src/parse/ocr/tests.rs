//! Whole scans, made here from the project's own sample documents, through Tesseract and the whole of the parser.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::io::Cursor;

use ::image::{DynamicImage, GrayImage, ImageFormat};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use hayro_interpret::hayro_syntax::Pdf;
use lopdf::{Document, Object, Stream, dictionary};

use super::super::{FailureCode, ParseOptions, parse_bytes};
use super::picture::Turn;
use super::*;
use crate::document::{LineSpan, to_text};

const HANDBOOK: &[u8] = include_bytes!("../../../../../samples/library/Employee Handbook.pdf");
const CHINESE_HANDBOOK: &[u8] = include_bytes!("../../../../../samples/library/员工手册.pdf");
const DPI: f32 = 200.0;

/// The settings with Tesseract; `None`, said aloud, where it is not installed.
pub(crate) fn installed() -> Option<OcrSettings> {
    let settings = OcrSettings::default();
    if find_program(&settings).is_none() {
        eprintln!("skipped: Tesseract is not installed (scripts/setup ocr)");
        return None;
    }
    Some(settings)
}

fn drawn(pdf: &[u8], index: usize, dpi: f32) -> Grey {
    let pdf = Pdf::new(pdf.to_vec()).unwrap();
    let scale = dpi / 72.0;
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let pixmap = hayro::render(
        &pdf.pages()[index],
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &settings,
    );
    Grey::from_rgb(pixmap.width().into(), pixmap.height().into(), pixmap.data_as_u8_slice(), 4)
}

/// A PDF whose pages are these pictures and nothing else, at the resolution of the tests.
fn scan(pictures: &[Grey]) -> Vec<u8> {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let kids: Vec<Object> = pictures.iter().map(|picture| page_of(&mut document, tree, picture)).collect();
    let count = kids.len() as i64;
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    document.compress();
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

fn page_of(document: &mut Document, tree: lopdf::ObjectId, picture: &Grey) -> Object {
    let (width, height) = (picture.width as f32 * 72.0 / DPI, picture.height as f32 * 72.0 / DPI);
    let image = document.add_object(Stream::new(
        dictionary! {
            "Type" => "XObject", "Subtype" => "Image", "ColorSpace" => "DeviceGray", "BitsPerComponent" => 8,
            "Width" => picture.width as i64, "Height" => picture.height as i64,
        },
        picture.pixels.clone(),
    ));
    let content = format!("q {width} 0 0 {height} 0 0 cm /Scan Do Q");
    let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
    let page = dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => content,
        "MediaBox" => vec![0.into(), 0.into(), width.into(), height.into()],
        "Resources" => dictionary! { "XObject" => dictionary! { "Scan" => image } },
    };
    Object::Reference(document.add_object(page))
}

/// The page of the handbooks that is scanned, index from 0.
const SCANNED: usize = 1;

/// A scan of one page of the English handbook.
pub(crate) fn scanned_handbook() -> Vec<u8> {
    scan(&[drawn(HANDBOOK, SCANNED, DPI)])
}

fn png(picture: &Grey) -> Vec<u8> {
    let image =
        GrayImage::from_raw(picture.width as u32, picture.height as u32, picture.pixels.clone()).unwrap();
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(image).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn digital(pdf: &[u8]) -> ParsedDocument {
    parse_bytes(pdf.to_vec(), "a.pdf", &ParseOptions::default()).unwrap()
}

fn recognised(
    data: Vec<u8>,
    name: &str,
    settings: &OcrSettings,
) -> Result<ParsedDocument, crate::parse::ParseFailure> {
    parse_bytes(data, name, &ParseOptions { ocr: Some(settings.clone()), ..ParseOptions::default() })
}

fn page_text(document: &ParsedDocument, index: usize) -> String {
    let mut page = document.clone();
    page.blocks.retain(|block| block.page == Some(index as u32 + 1));
    to_text(&page)
}

/// Words; each Chinese character is one.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for character in text.chars().chain([' ']) {
        let wide = crate::clean::is_wide(character);
        if character.is_alphanumeric() && !wide {
            word.extend(character.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            tokens.push(character.to_string());
        }
    }
    tokens
}

/// Harmonic mean of precision and recall of tokens.
fn f1(ours: &str, truth: &str) -> f32 {
    let (ours, truth) = (tokens(ours), tokens(truth));
    let mut left: HashMap<&String, usize> = HashMap::new();
    truth.iter().for_each(|token| *left.entry(token).or_default() += 1);
    let common = ours
        .iter()
        .filter(|token| {
            left.get_mut(token).is_some_and(|count| {
                let found = *count > 0;
                *count -= usize::from(found);
                found
            })
        })
        .count();
    2.0 * common as f32 / (ours.len() + truth.len()).max(1) as f32
}

/// The boxes of a phrase that stands within one block.
fn boxes_of(document: &ParsedDocument, phrase: &str) -> Vec<LineSpan> {
    let block = document.blocks.iter().find(|block| block.text.contains(phrase)).expect(phrase);
    let start = block.text.find(phrase).unwrap();
    let end = start + phrase.len();
    block.lines.iter().filter(|line| line.start < end && line.end > start).copied().collect()
}

fn codes(document: &ParsedDocument) -> Vec<&str> {
    document.warnings.iter().map(|warned| warned.code.as_str()).collect()
}

/// A phrase of one line on the scanned page of the handbook, with its box.
fn phrase() -> (String, LineSpan) {
    let document = digital(HANDBOOK);
    // Of words only: a middle dot or a dash is read as another one.
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphabetic() || c == ' ');
    let lines = document.blocks.iter().flat_map(|block| block.lines.iter().map(move |line| (block, line)));
    let on_page = lines.filter(|(_, line)| line.page == SCANNED as u32 + 1 && line.end - line.start > 40);
    let mut texts = on_page.map(|(block, line)| (block.text[line.start..line.end].trim(), *line));
    let (text, line) = texts.find(|(text, _)| is_plain(text)).unwrap();
    (text.to_owned(), line)
}

fn centre(line: &LineSpan) -> (f32, f32) {
    ((line.x0 + line.x1) / 2.0, (line.y0 + line.y1) / 2.0)
}

#[test]
fn a_scanned_page_is_read_like_the_digital_one_with_boxes_at_its_lines() {
    let Some(settings) = installed() else { return };
    let document = recognised(scanned_handbook(), "a.pdf", &settings).unwrap();
    let truth = digital(HANDBOOK);
    let agreement = f1(&to_text(&document), &page_text(&truth, SCANNED));
    assert!(agreement > 0.95, "{agreement}: {}", to_text(&document));
    assert_eq!(codes(&document), [warning::OCR_USED]);
    assert!((document.pages[0].width - truth.pages[SCANNED].width).abs() < 1.0);
    let (words, expected) = phrase();
    let found = boxes_of(&document, words.split_once(' ').unwrap().1);
    for (found, expected) in [
        (found[0].x0, expected.x0),
        (found[0].y0, expected.y0),
        (found[0].x1, expected.x1),
        (found[0].y1, expected.y1),
    ] {
        assert!((found - expected).abs() < 6.0, "{found} should be {expected}");
    }
}

#[test]
fn a_page_that_lies_on_its_side_or_upside_down_is_turned_and_marked_where_it_is() {
    let Some(settings) = installed() else { return };
    let truth = page_text(&digital(HANDBOOK), SCANNED);
    let (words, line) = phrase();
    let upright = drawn(HANDBOOK, SCANNED, DPI);
    for turn in [Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
        let (turned, back) = upright.turned(turn);
        let document = recognised(scan(&[turned]), "a.pdf", &settings).unwrap();
        let agreement = f1(&to_text(&document), &truth);
        assert!(agreement > 0.95, "{turn:?} {agreement}");
        let found = boxes_of(&document, words.split_once(' ').unwrap().1);
        let (x, y) = centre(&found[0]);
        let points = 72.0 / DPI;
        let (x, y) = back.apply(x / points, y / points);
        let (expected_x, expected_y) = centre(&line);
        assert!((x * points - expected_x).abs() < 8.0, "{turn:?}: {} for {expected_x}", x * points);
        assert!((y * points - expected_y).abs() < 8.0, "{turn:?}: {} for {expected_y}", y * points);
    }
}

#[test]
fn a_page_askew_is_read_and_marked_along_its_lines() {
    let Some(settings) = installed() else { return };
    let truth = page_text(&digital(HANDBOOK), SCANNED);
    let (words, line) = phrase();
    // What levels a page by an angle makes a level page fall by its opposite.
    let (askew, back) = drawn(HANDBOOK, SCANNED, DPI).levelled((-2f32).to_radians());
    let document = recognised(scan(&[askew]), "a.pdf", &settings).unwrap();
    let agreement = f1(&to_text(&document), &truth);
    assert!(agreement > 0.95, "{agreement}");
    let found = boxes_of(&document, words.split_once(' ').unwrap().1);
    assert!(found.len() > 1, "{found:?}");
    let points = 72.0 / DPI;
    for part in found {
        let (x, y) = centre(&part);
        let (_, y) = back.apply(x / points, y / points);
        let expected = centre(&line).1;
        assert!((y * points - expected).abs() < 6.0, "{} for {expected}", y * points);
    }
}

#[test]
fn chinese_text_is_read_without_spaces_between_characters() {
    let Some(settings) = installed() else { return };
    let picture = drawn(CHINESE_HANDBOOK, SCANNED, DPI);
    let document = recognised(png(&picture), "a.png", &settings).unwrap();
    let text = to_text(&document);
    let agreement = f1(&text, &page_text(&digital(CHINESE_HANDBOOK), SCANNED));
    assert!(agreement > 0.9, "{agreement}: {text}");
    let characters: Vec<char> = text.chars().collect();
    let ideograph = |c: char| crate::clean::is_wide(c) && c.is_alphabetic();
    let spaced = characters
        .windows(3)
        .filter(|three| ideograph(three[0]) && three[1] == ' ' && ideograph(three[2]))
        .count();
    assert!(spaced * 50 < characters.len(), "{spaced} of {}: {text}", characters.len());
    assert_eq!(document.media_type, "image/png");
}

/// The handbook's first page as it is, and behind it a scan of its second page.
fn mixed() -> Vec<u8> {
    let mut document = Document::load_mem(HANDBOOK).unwrap();
    let pages = document.get_pages();
    let (first, tree) =
        (pages[&1], document.get_dictionary(pages[&1]).unwrap().get(b"Parent").unwrap().clone());
    let tree = tree.as_reference().unwrap();
    let scanned = page_of(&mut document, tree, &drawn(HANDBOOK, SCANNED, DPI));
    let kids = vec![Object::Reference(first), scanned];
    let dictionary = document.get_object_mut(tree).unwrap().as_dict_mut().unwrap();
    dictionary.set("Kids", kids);
    dictionary.set("Count", 2);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn digital_pages_of_a_mixed_file_keep_their_own_text() {
    let Some(settings) = installed() else { return };
    let document = recognised(mixed(), "a.pdf", &settings).unwrap();
    assert_eq!(page_text(&document, 0), page_text(&digital(&mixed()), 0));
    assert!(document.blocks.iter().any(|block| block.page == Some(2)));
    let notice = document.warnings.iter().find(|warned| warned.code == warning::OCR_USED).unwrap();
    assert!(notice.message.ends_with("pages 2"), "{}", notice.message);
}

#[test]
fn without_tesseract_a_scan_has_a_clear_reason_and_a_mixed_file_its_digital_text() {
    let absent = OcrSettings { program: "/nonexistent/tesseract".into(), ..OcrSettings::default() };
    let failure = recognised(scanned_handbook(), "a.pdf", &absent).unwrap_err();
    assert_eq!(failure.code, FailureCode::OcrUnavailable);
    assert!(failure.message.contains("not installed"), "{}", failure.message);
    let document = recognised(mixed(), "a.pdf", &absent).unwrap();
    assert!(codes(&document).contains(&warning::OCR_UNAVAILABLE), "{:?}", document.warnings);
    assert!(document.blocks.iter().all(|block| block.page == Some(1)));
}

#[test]
fn an_empty_page_is_no_text_without_asking_tesseract() {
    let white = Grey { width: 800, height: 1000, pixels: vec![255; 800_000] };
    // A program that answers nothing but errors would make this page a failed one.
    let broken = OcrSettings { program: "/bin/false".into(), ..OcrSettings::default() };
    let failure = recognised(scan(&[white]), "a.pdf", &broken).unwrap_err();
    assert_eq!(failure.code, FailureCode::NoText);
    assert!(failure.message.contains("empty"), "{}", failure.message);
}

#[test]
fn a_page_that_fails_is_named_and_the_others_are_read() {
    let broken = OcrSettings { program: "/bin/false".into(), ..OcrSettings::default() };
    let document = recognised(mixed(), "a.pdf", &broken).unwrap();
    let notice = document.warnings.iter().find(|warned| warned.code == warning::OCR_FAILED).unwrap();
    assert!(notice.message.ends_with(": 2"), "{}", notice.message);
}

#[test]
fn pages_beyond_the_limit_are_left_out_with_a_warning() {
    let settings = OcrSettings { max_pages: 0, program: "/bin/false".into(), ..OcrSettings::default() };
    let document = recognised(mixed(), "a.pdf", &settings).unwrap();
    assert!(codes(&document).contains(&warning::OCR_TRUNCATED), "{:?}", document.warnings);
}
