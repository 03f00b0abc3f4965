use crate::document::warning;
use crate::parse::fixtures::{archive, assert_outline, parsed, relations};

fn shape(placeholder: &str, place: &str, paragraphs: &str) -> String {
    format!(
        "<p:sp><p:nvSpPr><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr><p:spPr>{place}</p:spPr><p:txBody>{paragraphs}</p:txBody></p:sp>"
    )
}

fn at(x: i32, y: i32, width: i32, height: i32) -> String {
    format!(r#"<a:xfrm><a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>"#)
}

fn line(text: &str) -> String {
    format!("<a:p><a:r><a:t>{text}</a:t></a:r></a:p>")
}

/// A presentation whose list of slides names the given ones in this order.
fn pptx(order: &[usize], slides: &[String], more: &[(&str, &str)]) -> Vec<u8> {
    let list: String =
        order.iter().map(|slide| format!(r#"<p:sldId id="25{slide}" r:id="r{slide}"/>"#)).collect();
    let mut parts = vec![
        ("[Content_Types].xml".to_owned(), "<Types/>".to_owned()),
        (
            "ppt/presentation.xml".to_owned(),
            format!("<p:presentation><p:sldIdLst>{list}</p:sldIdLst></p:presentation>"),
        ),
    ];
    let names: Vec<(String, String)> =
        (0..slides.len()).map(|slide| (format!("r{slide}"), format!("slides/slide{slide}.xml"))).collect();
    let links: Vec<(&str, &str, &str)> =
        names.iter().map(|(id, part)| (id.as_str(), "slide", part.as_str())).collect();
    parts.push(("ppt/_rels/presentation.xml.rels".to_owned(), relations(&links)));
    for (slide, content) in slides.iter().enumerate() {
        parts.push((format!("ppt/slides/slide{slide}.xml"), content.clone()));
    }
    parts.extend(more.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    archive(&parts)
}

fn slide(shapes: &str) -> String {
    format!("<p:sld><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>")
}

const TITLE: &str = r#"<p:ph type="title"/>"#;

#[test]
fn slides_come_in_the_order_of_the_show_with_their_number_as_page() {
    let slides = [slide(&shape(TITLE, "", &line("second"))), slide(&shape(TITLE, "", &line("first")))];
    let document = parsed(pptx(&[1, 0], &slides, &[]), "a.pptx");
    assert_outline(&document, &[("h2", "first"), ("h2", "second")]);
    assert_eq!(document.blocks.iter().map(|block| block.page).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert_eq!(document.page_count, Some(2));
}

#[test]
fn the_title_is_first_and_columns_are_read_one_after_the_other() {
    let right = shape("", &at(500, 200, 400, 300), &line("right"));
    let left = shape("", &at(0, 200, 400, 300), &line("left"));
    let number = shape(r#"<p:ph type="sldNum"/>"#, "", &line("7"));
    let body = [right, left, number, shape(TITLE, &at(0, 0, 900, 100), &line("标题"))].concat();
    assert_outline(
        &parsed(pptx(&[0], &[slide(&body)], &[]), "a.pptx"),
        &[("h2", "标题"), ("p", "left"), ("p", "right")],
    );
}

#[test]
fn lists_have_marks_numbers_and_levels() {
    let item = |properties: &str, text: &str| format!("<a:p>{properties}<a:r><a:t>{text}</a:t></a:r></a:p>");
    let numbered = r#"<a:pPr><a:buAutoNum type="arabicParenR"/></a:pPr>"#;
    let body = [
        item("", "one"),
        item(r#"<a:pPr lvl="1"/>"#, "deeper"),
        item("<a:pPr><a:buNone/></a:pPr>", "plain"),
        item(numbered, "a"),
        item(numbered, "b"),
    ]
    .concat();
    let document = parsed(pptx(&[0], &[slide(&shape(r#"<p:ph idx="1"/>"#, "", &body))], &[]), "a.pptx");
    assert_outline(
        &document,
        &[("li0", "• one"), ("li1", "• deeper"), ("p", "plain"), ("li0", "1) a"), ("li0", "2) b")],
    );
}

#[test]
fn tables_groups_and_notes_are_read() {
    let cell = |attributes: &str, text: &str| {
        format!("<a:tc {attributes}><a:txBody>{}</a:txBody></a:tc>", line(text))
    };
    let rows = [
        cell(r#"gridSpan="2""#, "head") + &cell(r#"hMerge="1""#, "") + &cell("", "n"),
        cell(r#"rowSpan="2""#, "x") + &cell("", "y") + &cell("", "1"),
        cell(r#"vMerge="1""#, "") + &cell("", "z") + &cell("", "2"),
    ];
    let rows: String = rows.iter().map(|row| format!("<a:tr>{row}</a:tr>")).collect();
    let table = format!(
        "<p:graphicFrame><a:graphic><a:graphicData><a:tbl>{rows}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    );
    let group = format!("<p:grpSp><p:grpSpPr/>{}</p:grpSp>", shape("", "", &line("in a group")));
    let notes = format!(
        "<p:notes><p:cSld><p:spTree>{}</p:spTree></p:cSld></p:notes>",
        shape(r#"<p:ph type="body"/>"#, "", &line("say this"))
    );
    let links = relations(&[("n", "notesSlide", "../notesSlides/n.xml")]);
    let more =
        [("ppt/slides/_rels/slide0.xml.rels", links.as_str()), ("ppt/notesSlides/n.xml", notes.as_str())];
    assert_outline(
        &parsed(pptx(&[0], &[slide(&(table + &group))], &more), "a.pptx"),
        &[("table1", "head |  | n\nx | y | 1\nx | z | 2"), ("p", "in a group"), ("note", "say this")],
    );
}

#[test]
fn hidden_slides_are_left_out_with_a_warning() {
    let hidden = slide(&shape("", "", &line("secret"))).replace("<p:sld>", r#"<p:sld show="0">"#);
    let document = parsed(pptx(&[0, 1], &[hidden, slide(&shape("", "", &line("shown")))], &[]), "a.pptx");
    assert_outline(&document, &[("p", "shown")]);
    assert_eq!(document.blocks[0].page, Some(2));
    assert_eq!(document.warnings[0].code, warning::HIDDEN_LEFT_OUT);
}
