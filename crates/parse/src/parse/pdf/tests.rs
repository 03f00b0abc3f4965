//! Whole files, made here, through the whole of the PDF parser.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod beside;
mod scripts;
mod tables;

use lopdf::{
    Dictionary, Document, EncryptionState, EncryptionVersion, Object, Permissions, Stream, StringFormat,
    dictionary,
};

use super::super::{ContentLimits, Engine, FailureCode, ParseFailure, ParseOptions, parse_bytes};
use crate::document::{Block, BlockKind, LineSpan, ParsedDocument, warning};

/// A page: its content stream, and entries for its dictionary beside the usual ones.
struct PageMaker {
    content: String,
    entries: Dictionary,
}

fn page(content: &str) -> PageMaker {
    PageMaker { content: content.to_owned(), entries: Dictionary::new() }
}

/// Shows text in Helvetica (F1) or Helvetica-Bold (F2) at a place in the page's own space.
fn show(font: &str, size: u32, x: i32, y: i32, text: &str) -> String {
    let text = text.replace('(', "\\(").replace(')', "\\)");
    format!("BT /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n")
}

fn make(pages: Vec<PageMaker>) -> Document {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let font = |name: &str| dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => name, "Encoding" => "WinAnsiEncoding" };
    let (plain, bold) = (document.add_object(font("Helvetica")), document.add_object(font("Helvetica-Bold")));
    let resources =
        document.add_object(dictionary! { "Font" => dictionary! { "F1" => plain, "F2" => bold } });
    let mut kids = Vec::new();
    for PageMaker { content, entries } in pages {
        let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
        let mut page = dictionary! { "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources };
        for (key, value) in &entries {
            page.set(key.clone(), value.clone());
        }
        kids.push(Object::Reference(document.add_object(page)));
    }
    let count = kids.len() as i64;
    let media_box: Vec<Object> = [0, 0, 600, 800].map(Object::Integer).to_vec();
    document.objects.insert(
        tree,
        dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count, "MediaBox" => media_box }.into(),
    );
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    document.trailer.set(
        "ID",
        Object::Array(vec![Object::String(b"0123456789abcdef".to_vec(), StringFormat::Literal); 2]),
    );
    document
}

fn bytes(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

fn parse_with(data: Vec<u8>, engine: Engine) -> Result<ParsedDocument, ParseFailure> {
    parse_bytes(data, "test.pdf", &ParseOptions { engine, ..ParseOptions::default() })
}

fn parse(pages: Vec<PageMaker>) -> ParsedDocument {
    parse_with(bytes(make(pages)), Engine::First).unwrap()
}

fn texts(document: &ParsedDocument) -> Vec<&str> {
    document.blocks.iter().map(|block| block.text.as_str()).collect()
}

fn line_of<'b>(document: &'b ParsedDocument, text: &str) -> (&'b Block, LineSpan) {
    let block = document.blocks.iter().find(|block| block.text.contains(text)).expect(text);
    let at = block.text.find(text).unwrap();
    (block, *block.lines.iter().find(|line| line.start <= at && at < line.end).unwrap())
}

/// The box lies around the baseline point, not far from it: left edge exact, height about the font's.
fn assert_stands_at(line: &LineSpan, x: f32, baseline: f32, size: f32) {
    assert!((line.x0 - x).abs() < 1.0, "left edge {} should be {x}", line.x0);
    assert!(line.y0 < baseline && line.y0 > baseline - size * 1.1, "top {} for baseline {baseline}", line.y0);
    assert!(
        line.y1 > baseline && line.y1 < baseline + size * 0.5,
        "bottom {} for baseline {baseline}",
        line.y1
    );
    assert!(line.x1 > line.x0 + size, "right edge {}", line.x1);
}

#[test]
fn both_engines_place_text_on_the_displayed_page() {
    let entries = |rotation: i64| {
        dictionary! {
            "MediaBox" => [-50, -20, 700, 900].map(Object::Integer).to_vec(),
            "CropBox" => [100, 80, 500, 680].map(Object::Integer).to_vec(),
            "Rotate" => rotation,
        }
    };
    // The text begins at (150, 600) in the page's own space: 50 right of the visible part's left edge, 80 below its
    // top. On a page that is turned, it is drawn turned the other way and so reads upright.
    let upright = "BT /F1 12 Tf 1 0 0 1 150 600 Tm (Marked passage here) Tj ET";
    let turned = "BT /F1 12 Tf 0 1 -1 0 150 600 Tm (Marked) Tj ET";
    for engine in [Engine::First, Engine::Second] {
        for (rotation, content, width, (x, baseline)) in
            [(0, upright, 400.0, (50.0, 80.0)), (90, turned, 600.0, (520.0, 50.0))]
        {
            let maker = PageMaker { content: content.to_owned(), entries: entries(rotation) };
            let document = parse_with(bytes(make(vec![maker])), engine).unwrap();
            assert_eq!(document.pages[0].width, width, "{engine:?} {rotation}");
            let (block, line) = line_of(&document, "Marked");
            assert_eq!(block.page, Some(1));
            assert_stands_at(&line, x, baseline, 12.0);
        }
    }
}

#[test]
fn text_that_is_turned_on_the_page_has_its_box_there() {
    let upright: String =
        (0..4).map(|row| show("F1", 12, 100, 700 - 14 * row, "an ordinary line of text")).collect();
    let stamp = "BT /F1 10 Tf 0 1 -1 0 30 200 Tm (Margin stamp) Tj ET";
    let document = parse(vec![page(&(upright + stamp))]);
    let (_, line) = line_of(&document, "Margin stamp");
    // It runs upwards from (30, 200), which is 600 below the top.
    assert!(line.x0 < 30.0 && line.x1 > 30.0 && line.x1 - line.x0 < 15.0, "{line:?}");
    assert!((line.y1 - 600.0).abs() < 1.0 && line.y0 < 560.0, "{line:?}");
    assert_eq!(texts(&document).last().copied(), Some("Margin stamp"));
}

#[test]
fn columns_are_read_one_after_the_other() {
    let mut content = show("F2", 18, 100, 740, "A heading across both columns of it");
    for row in 0..5 {
        let y = 700 - 14 * row;
        content += &show("F1", 10, 50, y, &format!("left column text that fills its line {row}"));
        content += &show("F1", 10, 310, y, &format!("right column text that fills a line {row}"));
    }
    let document = parse(vec![page(&content)]);
    assert_eq!(document.blocks[0].kind, BlockKind::Heading { level: 1 });
    let text = texts(&document).join("\n");
    assert!(
        text.find("left column text that fills its line 4").unwrap()
            < text.find("right column text that fills a line 0").unwrap()
    );
}

#[test]
fn hyphens_at_line_ends_go_and_lines_keep_their_places() {
    let content = show("F1", 10, 50, 700, "the documents of an organi-")
        + &show("F1", 10, 50, 688, "sation stay inside its wall");
    let document = parse(vec![page(&content)]);
    assert_eq!(texts(&document), ["the documents of an organisation stay inside its wall"]);
    let block = &document.blocks[0];
    let pieces: Vec<&str> = block.lines.iter().map(|line| &block.text[line.start..line.end]).collect();
    assert_eq!(pieces, ["the documents of an organi", "sation stay inside its wall"]);
}

#[test]
fn running_headers_and_page_numbers_go() {
    let pages = (1..=4)
        .map(|number| {
            page(
                &(show("F1", 9, 50, 770, "Acme handbook")
                    + &show("F1", 10, 50, 600, &format!("Body of page number {number} only."))
                    + &show("F1", 9, 295, 30, &number.to_string())),
            )
        })
        .collect();
    let document = parse(pages);
    assert_eq!(document.pages.len(), 4);
    assert_eq!(
        texts(&document),
        [
            "Acme handbook",
            "Body of page number 1 only.",
            "Body of page number 2 only.",
            "Body of page number 3 only.",
            "Body of page number 4 only."
        ]
    );
    assert_eq!(document.blocks.last().unwrap().page, Some(4));
}

#[test]
fn rows_become_a_table() {
    let mut content = String::new();
    for (row, (code, meaning, hours)) in [
        ("Code", "Meaning", "Hours"),
        ("P0300", "random misfire", "2"),
        ("P0301", "misfire cylinder 1", "3"),
        ("P0420", "catalyst", "5"),
    ]
    .iter()
    .enumerate()
    {
        let y = 700 - 16 * row as i32;
        content += &(show("F1", 10, 50, y, code)
            + &show("F1", 10, 150, y, meaning)
            + &show("F1", 10, 350, y, hours));
    }
    let document = parse(vec![page(&content)]);
    assert_eq!(
        document.blocks[0].text,
        "Code | Meaning | Hours\nP0300 | random misfire | 2\nP0301 | misfire cylinder 1 | 3\nP0420 | catalyst | 5"
    );
    assert!(matches!(document.blocks[0].kind, BlockKind::Table { header_rows: 1, .. }));
    assert_eq!(document.blocks[0].lines.len(), 4);
}

#[test]
fn headings_get_levels_by_their_size() {
    let mut content = show("F2", 20, 50, 750, "Employee Handbook") + &show("F2", 14, 50, 700, "1 Leave");
    content += &show("F1", 10, 50, 680, "Every employee has five days of paid leave in each year.");
    content += &show("F2", 14, 50, 640, "2 Travel");
    content += &show("F1", 10, 50, 620, "Tickets are booked by the office, and paid by the company.");
    let document = parse(vec![page(&content)]);
    let headings: Vec<(&str, &BlockKind)> = document
        .blocks
        .iter()
        .filter(|block| block.kind != BlockKind::Paragraph)
        .map(|block| (block.text.as_str(), &block.kind))
        .collect();
    assert_eq!(
        headings,
        [
            ("Employee Handbook", &BlockKind::Heading { level: 1 }),
            ("1 Leave", &BlockKind::Heading { level: 2 }),
            ("2 Travel", &BlockKind::Heading { level: 2 })
        ]
    );
    assert_eq!(document.title.as_deref(), Some("Employee Handbook"));
}

/// Chinese in a font that is not in the file, as office programs in China write it.
#[test]
fn chinese_lines_join_without_spaces_and_full_width_codes_become_plain() {
    let mut document = make(vec![page("")]);
    let descendant = document.add_object(dictionary! {
        "Type" => "Font",
        "Subtype" => "CIDFontType0",
        "BaseFont" => "STSong-Light",
        "CIDSystemInfo" => dictionary! {
            "Registry" => Object::string_literal("Adobe"),
            "Ordering" => Object::string_literal("GB1"),
            "Supplement" => 2,
        },
        "DW" => 1000,
    });
    let font = document.add_object(dictionary! {
        "Type" => "Font",
        "Subtype" => "Type0",
        "BaseFont" => "STSong-Light",
        "Encoding" => "UniGB-UCS2-H",
        "DescendantFonts" => vec![descendant.into()],
    });
    let set = |y: i32, text: &str| {
        let codes: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
        format!("BT /F9 12 Tf 1 0 0 1 60 {y} Tm <{codes}> Tj ET\n")
    };
    let content = set(700, "本手册适用于公司全体员工，依据标准ＧＢ／Ｔ１９００１制")
        + &set(684, "定，每年享有带薪年假五天。");
    let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
    let pages: Vec<_> = document.page_iter().collect();
    let page = document.get_dictionary_mut(pages[0]).unwrap();
    page.set("Contents", content);
    page.set("Resources", dictionary! { "Font" => dictionary! { "F9" => font } });
    let parsed = parse_with(bytes(document), Engine::First).unwrap();
    assert_eq!(texts(&parsed), ["本手册适用于公司全体员工，依据标准GB/T19001制定，每年享有带薪年假五天。"]);
    assert_stands_at(&parsed.blocks[0].lines[0], 60.0, 100.0, 12.0);
    assert!((parsed.blocks[0].lines[0].x1 - (60.0 + 27.0 * 12.0)).abs() < 13.0);
}

#[test]
fn a_file_without_pages_says_so() {
    for engine in [Engine::First, Engine::Second] {
        let failure = parse_with(bytes(make(Vec::new())), engine).unwrap_err();
        assert_eq!(failure.code, FailureCode::NoPages, "{engine:?}: {}", failure.message);
    }
}

#[test]
fn a_page_without_text_says_so() {
    let failure = parse_with(bytes(make(vec![page("0 0 100 100 re f")])), Engine::First).unwrap_err();
    assert_eq!(failure.code, FailureCode::NoText);
    assert!(failure.message.contains("switched off"));
}

#[test]
fn pages_without_text_are_named() {
    let document =
        parse(vec![page(&show("F1", 12, 50, 700, "Some words on the first page")), page("0 0 100 100 re f")]);
    let warned = document.warnings.iter().find(|warned| warned.code == warning::PAGES_WITHOUT_TEXT).unwrap();
    assert!(warned.message.ends_with(": 2"), "{}", warned.message);
}

#[test]
fn a_truncated_file_is_repaired_or_reported() {
    let text = show("F1", 12, 50, 700, "Some words on the first page");
    let whole = bytes(make(vec![page(&text), page(&text)]));
    // Without its cross-reference table a file can be repaired; its first bytes alone cannot.
    let repaired = parse_with(whole[..whole.len() * 9 / 10].to_vec(), Engine::First);
    assert!(
        repaired.is_ok() || repaired.as_ref().is_err_and(|failure| failure.code == FailureCode::DamagedFile),
        "{repaired:?}"
    );
    let failure = parse_with(whole[..200].to_vec(), Engine::First).unwrap_err();
    assert_eq!(failure.code, FailureCode::DamagedFile, "{}", failure.message);
}

#[test]
fn a_password_is_asked_for_only_when_one_is_needed() {
    let encrypted = |user_password: &str| {
        let mut document = make(vec![page(&show("F1", 12, 50, 700, "Secret words on a page"))]);
        let version = EncryptionVersion::V2 {
            document: &document,
            owner_password: "owner",
            user_password,
            key_length: 128,
            permissions: Permissions::all(),
        };
        let state = EncryptionState::try_from(version).unwrap();
        document.encrypt(&state).unwrap();
        bytes(document)
    };
    for engine in [Engine::First, Engine::Second] {
        let failure = parse_with(encrypted("secret"), engine).unwrap_err();
        assert_eq!(failure.code, FailureCode::Encrypted, "{engine:?}: {}", failure.message);
        let document = parse_with(encrypted(""), engine).unwrap();
        assert_eq!(texts(&document), ["Secret words on a page"], "{engine:?}");
    }
}

#[test]
fn pages_beyond_the_limit_are_left_out_with_a_warning() {
    let pages =
        (0..5).map(|number| page(&show("F1", 12, 50, 700, &format!("Words on page {number}")))).collect();
    let limits = ContentLimits { max_pages: 2, ..ContentLimits::default() };
    let document =
        parse_bytes(bytes(make(pages)), "a.pdf", &ParseOptions { limits, ..ParseOptions::default() })
            .unwrap();
    assert_eq!((document.pages.len(), document.page_count), (2, Some(5)));
    assert!(document.warnings.iter().any(|warned| warned.code == warning::PAGES_TRUNCATED));
}
