#![allow(clippy::unwrap_used)]

use crate::document::warning;
use crate::parse::fixtures::{archive, assert_outline, parsed};
use crate::parse::{FailureCode, ParseOptions, parse_bytes};

fn odf(kind: &str, styles: &str, body: &str) -> Vec<u8> {
    let media_type = format!("application/vnd.oasis.opendocument.{kind}");
    let content = format!(
        "<office:document-content><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    );
    archive(&[("mimetype", media_type.as_bytes()), ("content.xml", content.as_bytes())])
}

#[test]
fn headings_lists_and_spaces_of_a_text_document() {
    let styles = r#"<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/><text:list-level-style-bullet text:level="2"/></text:list-style>"#;
    let body = r#"<text:h text:outline-level="2">总则</text:h><text:p>a<text:s text:c="2"/>b
        c<text:line-break/>d</text:p><text:list text:style-name="L1"><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>inner</text:p></text:list-item></text:list></text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>"#;
    assert_outline(
        &parsed(odf("text", styles, body), "a.odt"),
        &[("h2", "总则"), ("p", "a  b c\nd"), ("li0", "1. one"), ("li1", "• inner"), ("li0", "2. two")],
    );
}

#[test]
fn tables_keep_spans_and_header_rows() {
    let cell = |attributes: &str, text: &str| {
        format!("<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>")
    };
    let body = format!(
        "<table:table><table:table-header-rows><table:table-row>{}</table:table-row></table:table-header-rows><table:table-row>{}</table:table-row><table:table-row>{}</table:table-row></table:table>",
        cell("", "k") + &cell("", "v"),
        cell(r#"table:number-rows-spanned="2""#, "pump") + &cell("", "1"),
        "<table:covered-table-cell/>".to_owned() + &cell("", "2"),
    );
    assert_outline(&parsed(odf("text", "", &body), "a.odt"), &[("table1", "k | v\npump | 1\npump | 2")]);
}

#[test]
fn notes_stand_apart_and_deleted_text_and_comments_are_dropped() {
    let body = "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion></text:changed-region></text:tracked-changes><text:p>text<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>a note</text:p></text:note-body></text:note><office:annotation><text:p>comment</text:p></office:annotation> end</text:p>";
    assert_outline(
        &parsed(odf("text", "", body), "a.odt"),
        &[("p", "text[^1] end"), ("note", "[^1] a note")],
    );
}

#[test]
fn slides_have_titles_pages_and_notes() {
    let frame = |class: &str, text: &str| {
        format!(
            r#"<draw:frame presentation:class="{class}"><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>"#
        )
    };
    let page = |title: &str| {
        format!(
            "<draw:page>{}{}<presentation:notes>{}</presentation:notes></draw:page>",
            frame("subtitle", "body"),
            frame("title", title),
            frame("notes", "say this")
        )
    };
    let document = parsed(odf("presentation", "", &(page("A") + &page("B"))), "a.odp");
    let slide = |title| [("h2", title), ("p", "body"), ("p", "say this")];
    let expected: Vec<(&str, &str)> = [slide("A"), slide("B")].concat();
    let expected: Vec<(&str, &str)> = expected
        .into_iter()
        .map(|(kind, text)| if text == "say this" { ("note", text) } else { (kind, text) })
        .collect();
    assert_outline(&document, &expected);
    assert_eq!(document.blocks[3].page, Some(2));
}

#[test]
fn spreadsheets_show_what_the_cells_show() {
    let styles =
        r#"<style:style style:name="hid"><style:table-properties table:display="false"/></style:style>"#;
    let text = |text: &str| {
        format!(r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#)
    };
    let body = format!(
        r#"<table:table table:name="S"><table:table-row>{}</table:table-row><table:table-row table:number-rows-repeated="2">{}<table:table-cell office:value-type="percentage" office:value="0.125"><text:p>12.50%</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16000"/></table:table-row><table:table-row table:number-rows-repeated="1000000"><table:table-cell/></table:table-row></table:table><table:table table:name="H" table:style-name="hid"><table:table-row>{}</table:table-row></table:table>"#,
        text("k") + &text("v"),
        text("x"),
        text("secret"),
    );
    let document = parsed(odf("spreadsheet", styles, &body), "a.ods");
    assert_outline(&document, &[("h1", "S"), ("table1", "k | v\nx | 12.50%\nx | 12.50%")]);
    assert_eq!(document.warnings[0].code, warning::HIDDEN_LEFT_OUT);
}

#[test]
fn a_document_under_a_password_says_so() {
    let data = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text".as_slice()),
        ("content.xml", b"\x01\x02"),
        ("META-INF/manifest.xml", b"<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"),
    ]);
    let failure = parse_bytes(data, "a.odt", &ParseOptions::default()).unwrap_err();
    assert_eq!(failure.code, FailureCode::Encrypted);
}
