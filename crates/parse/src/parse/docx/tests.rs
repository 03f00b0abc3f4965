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

/// A document with further parts: kind of the relation, name, content.
fn docx_with(body: &str, parts: &[(&str, &str, &str)]) -> Vec<u8> {
    let links: Vec<(String, &str, &str)> =
        parts.iter().map(|(kind, name, _)| (format!("x{name}"), *kind, *name)).collect();
    let links: Vec<(&str, &str, &str)> =
        links.iter().map(|(id, kind, name)| (id.as_str(), *kind, *name)).collect();
    let links = crate::parse::fixtures::relations(&links);
    let document = format!("<w:document><w:body>{body}</w:body></w:document>");
    let names: Vec<String> = parts.iter().map(|(_, name, _)| format!("word/{name}")).collect();
    let mut all: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", links.as_bytes()),
    ];
    all.extend(names.iter().zip(parts).map(|(name, (_, _, content))| (name.as_str(), content.as_bytes())));
    archive(&all)
}

fn run(text: &str) -> String {
    format!("<w:r><w:t>{text}</w:t></w:r>")
}

#[track_caller]
fn assert_document(data: Vec<u8>, expected: &[(&str, &str)]) {
    crate::parse::fixtures::assert_outline(&crate::parse::fixtures::parsed(data, "a.docx"), expected);
}

#[test]
fn changes_are_accepted_and_hidden_text_and_field_codes_dropped() {
    let body = format!(
        "<w:p>{}<w:ins>{}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:moveFrom>{}</w:moveFrom><w:moveTo>{}</w:moveTo><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:instrText>PAGE</w:instrText></w:r><w:hyperlink>{}</w:hyperlink></w:p>",
        run("a "),
        run("new "),
        run("away"),
        run("here "),
        run("link"),
    );
    assert_document(docx_with(&body, &[]), &[("p", "a new here link")]);
}

#[test]
fn notes_follow_their_paragraph_with_labels() {
    let note = |kind: &str| {
        format!(
            r#"<w:{kind}s><w:{kind} w:type="separator" w:id="0"><w:p/></w:{kind}><w:{kind} w:id="2"><w:p>{}</w:p></w:{kind}></w:{kind}s>"#,
            run(kind)
        )
    };
    let body = format!(
        r#"<w:p>{}<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:endnoteReference w:id="2"/></w:r></w:p><w:p>{}</w:p>"#,
        run("text"),
        run("next")
    );
    let (footnotes, endnotes) = (note("footnote"), note("endnote"));
    let data = docx_with(
        &body,
        &[("footnotes", "footnotes.xml", &footnotes), ("endnotes", "endnotes.xml", &endnotes)],
    );
    assert_document(
        data,
        &[("p", "text[^1][^e1]"), ("note", "[^1] footnote"), ("note", "[^e1] endnote"), ("p", "next")],
    );
}

#[test]
fn text_boxes_are_read_once_and_pictures_by_their_description() {
    let text_box = format!("<w:txbxContent><w:p>{}</w:p></w:txbxContent>", run("boxed"));
    let body = format!(
        r#"<w:p>{}<w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>{text_box}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict>{text_box}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p><w:p><w:r><w:drawing><wp:inline><wp:docPr id="1" name="Picture 1" descr="组织结构图"/></wp:inline></w:drawing></w:r></w:p>"#,
        run("beside")
    );
    assert_document(docx_with(&body, &[]), &[("p", "beside"), ("p", "boxed"), ("figure", "组织结构图")]);
}

#[test]
fn heads_and_feet_are_told_once_without_page_numbers() {
    let head = |text: &str| format!("<w:hdr><w:p>{}</w:p></w:hdr>", run(text));
    let (company, again, number) = (head("文件编号 QP-01"), head("文件编号 QP-01"), head("Page 1 of 2"));
    let data = docx_with(
        &format!("<w:p>{}</w:p>", run("body")),
        &[("header", "h1.xml", &company), ("header", "h2.xml", &again), ("footer", "f1.xml", &number)],
    );
    assert_document(data, &[("p", "body"), ("note", "文件编号 QP-01")]);
}

#[test]
fn formulas_stand_in_their_sentence() {
    let body = format!(
        "<w:p>{}<m:oMath><m:sSup><m:e><m:r><m:t>c</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath></w:p>",
        run("E = m ")
    );
    assert_document(docx_with(&body, &[]), &[("p", "E = m $c^{2}$")]);
}

#[test]
fn tables_in_cells_follow_and_frames_of_one_cell_are_no_tables() {
    let cell = |inner: &str| format!("<w:tc>{inner}</w:tc>");
    let line = |text: &str| format!("<w:p>{}</w:p>", run(text));
    let table = |rows: &[String]| {
        format!("<w:tbl>{}</w:tbl>", rows.iter().map(|row| format!("<w:tr>{row}</w:tr>")).collect::<String>())
    };
    let inner = table(&[cell(&line("k")) + &cell(&line("v")), cell(&line("x")) + &cell(&line("1"))]);
    let outer =
        table(&[cell(&line("a")) + &cell(&(line("b") + &inner)), cell(&line("c")) + &cell(&line("d"))]);
    let body = table(&[cell(&outer)]);
    assert_document(docx_with(&body, &[]), &[("table1", "a | b\nc | d"), ("table1", "k | v\nx | 1")]);
}

#[test]
fn rows_marked_as_header_head_the_table() {
    let row = |header: bool, text: &str| {
        let mark = if header { "<w:trPr><w:tblHeader/></w:trPr>" } else { "" };
        format!(
            "<w:tr>{mark}<w:tc><w:p>{}</w:p></w:tc><w:tc><w:p>{}</w:p></w:tc></w:tr>",
            run(text),
            run("y")
        )
    };
    let body = format!("<w:tbl>{}{}{}</w:tbl>", row(true, "a"), row(true, "b"), row(false, "c"));
    assert_document(docx_with(&body, &[]), &[("table2", "a | y\nb | y\nc | y")]);
}

#[test]
fn styles_named_as_headings_are_headings_without_an_outline_level() {
    let styles = r#"<w:styles><w:style w:type="paragraph" w:styleId="h2"><w:name w:val="heading 2"/></w:style><w:style w:type="paragraph" w:styleId="own"><w:name w:val="Own"/><w:basedOn w:val="h2"/></w:style></w:styles>"#;
    let body = paragraph(r#"<w:pStyle w:val="own"/>"#, "Scope");
    assert_document(docx_with(&body, &[("styles", "styles.xml", styles)]), &[("h2", "Scope")]);
}
