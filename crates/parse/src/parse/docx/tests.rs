#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Cursor, Write};

use super::super::{ContentLimits, Engine, FailureCode, ParseOptions, parse_bytes};
use super::*;

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/numbering.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
const DOCUMENT_RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/numbering" Target="numbering.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const NUMBERING: &str = r#"<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="第%1条"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>"#;
const STYLES: &str = r#"<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="Chapter"><w:name w:val="Chapter"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style><w:style w:type="paragraph" w:styleId="Sub"><w:name w:val="Sub"/><w:basedOn w:val="Chapter"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style></w:styles>"#;

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn docx(body: &str) -> Vec<u8> {
    let document = format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>"#
    );
    archive(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/numbering.xml", NUMBERING.as_bytes()),
        ("word/styles.xml", STYLES.as_bytes()),
    ])
}

fn paragraph(properties: &str, text: &str) -> String {
    format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>")
}

fn shapes(data: Vec<u8>, engine: Engine) -> Vec<(BlockKind, String)> {
    let document = parse_bytes(data, "a.docx", &ParseOptions { engine, ..ParseOptions::default() }).unwrap();
    document.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
}

const NUMBERED: &str = r#"<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>"#;

#[test]
fn both_parsers_keep_labels_and_outline_levels() {
    let body = [
        paragraph(r#"<w:pStyle w:val="Chapter"/>"#, "总则"),
        paragraph(NUMBERED, "为了规范管理，制定本办法。"),
        paragraph(NUMBERED, "A &amp; B 适用本办法。"),
        paragraph(r#"<w:pStyle w:val="Sub"/>"#, "休假"),
        paragraph("", "每年五天。"),
    ]
    .concat();
    for engine in [Engine::First, Engine::Second] {
        assert_eq!(
            shapes(docx(&body), engine),
            [
                (BlockKind::Heading { level: 1 }, "总则".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "第一条 为了规范管理，制定本办法。".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "第二条 A & B 适用本办法。".to_owned()),
                (BlockKind::Heading { level: 2 }, "休假".to_owned()),
                (BlockKind::Paragraph, "每年五天。".to_owned()),
            ],
            "{engine:?}"
        );
    }
}

#[test]
fn tables_have_their_rows() {
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph("", text));
    let row = |a: &str, b: &str| format!("<w:tr>{}{}</w:tr>", cell(a), cell(b));
    let body = format!(
        "<w:tbl>{}{}</w:tbl>{}",
        row("Code", "Meaning"),
        row("P0300", "misfire"),
        paragraph("", "after")
    );
    for engine in [Engine::First, Engine::Second] {
        let shapes = shapes(docx(&body), engine);
        assert_eq!(shapes[0].1, "Code | Meaning\nP0300 | misfire", "{engine:?}");
        assert!(matches!(shapes[0].0, BlockKind::Table { header_rows: 1, .. }));
        assert_eq!(shapes[1].1, "after");
    }
}

#[test]
fn cells_that_span_keep_their_columns() {
    let cell = |properties: &str, text: &str| {
        format!("<w:tc><w:tcPr>{properties}</w:tcPr>{}</w:tc>", paragraph("", text))
    };
    let rows = [
        cell(r#"<w:vMerge w:val="restart"/>"#, "pump") + &cell("", "P1") + &cell("", "noise"),
        cell("<w:vMerge/>", "") + &cell("", "P2") + &cell("", "heat"),
        cell(r#"<w:gridSpan w:val="2"/>"#, "all") + &cell("", "stop"),
    ];
    let body: String = rows.iter().map(|row| format!("<w:tr>{row}</w:tr>")).collect();
    let shapes = shapes(docx(&format!("<w:tbl>{body}</w:tbl>")), Engine::First);
    assert_eq!(shapes[0].1, "pump | P1 | noise\npump | P2 | heat\nall |  | stop");
}

#[test]
fn pages_are_those_that_word_last_made() {
    let broken = "<w:p><w:r><w:lastRenderedPageBreak/><w:t>second page</w:t></w:r></w:p>";
    let body = paragraph("", "first page") + broken + &paragraph("", "also second");
    let document = parse_bytes(docx(&body), "a.docx", &ParseOptions::default()).unwrap();
    assert_eq!(
        document.blocks.iter().map(|block| block.page).collect::<Vec<_>>(),
        [Some(1), Some(2), Some(2)]
    );
    let document =
        parse_bytes(docx(&paragraph("", "no breaks known")), "a.docx", &ParseOptions::default()).unwrap();
    assert_eq!(document.blocks[0].page, None);
}

#[test]
fn a_bomb_is_refused() {
    let zeros = vec![b' '; 64 * 1024 * 1024];
    let bomb = archive(&[("[Content_Types].xml", TYPES.as_bytes()), ("word/document.xml", &zeros)]);
    assert!(bomb.len() < 100_000);
    let failure = parse_bytes(bomb, "a.docx", &ParseOptions::default()).unwrap_err();
    assert_eq!(failure.code, FailureCode::ArchiveBomb, "{}", failure.message);
    let many: Vec<(String, &[u8])> =
        (0..50).map(|index| (format!("word/{index}.xml"), b"x".as_slice())).collect();
    let mut parts: Vec<(&str, &[u8])> = vec![("[Content_Types].xml", TYPES.as_bytes())];
    parts.extend(many.iter().map(|(name, content)| (name.as_str(), *content)));
    let limits = ContentLimits { max_archive_entries: 40, ..ContentLimits::default() };
    let failure = parse_bytes(archive(&parts), "a.docx", &ParseOptions { limits, ..ParseOptions::default() })
        .unwrap_err();
    assert_eq!(failure.code, FailureCode::ArchiveBomb);
}

#[test]
fn an_archive_that_only_looks_like_a_document_is_damaged() {
    let empty = archive(&[("[Content_Types].xml", TYPES.as_bytes()), ("word/document.xml", b"<not-closed")]);
    let failure = parse_bytes(empty, "a.docx", &ParseOptions::default()).unwrap_err();
    assert!(matches!(failure.code, FailureCode::DamagedFile | FailureCode::NoText), "{failure}");
    let whole = docx(&paragraph("", "text"));
    let failure =
        parse_bytes(whole[..whole.len() / 2].to_vec(), "a.docx", &ParseOptions::default()).unwrap_err();
    assert_eq!(failure.code, FailureCode::DamagedFile);
}
