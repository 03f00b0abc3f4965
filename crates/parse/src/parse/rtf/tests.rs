use crate::parse::fixtures::{assert_outline, parsed};

fn rtf(body: &str) -> crate::document::ParsedDocument {
    parsed(format!(r"{{\rtf1\ansi\ansicpg1252\deff0{{\fonttbl{{\f0\fswiss\fcharset0 Arial;}}{{\f1\fnil\fcharset134 SimSun;}}}}{body}}}").into_bytes(), "a.rtf")
}

#[test]
fn bytes_are_read_in_the_code_page_of_their_font_and_unicode_without_its_substitutes() {
    let document = rtf(
        r"\f1 \'b0\'b2\'c8\'ab\f0  caf\'e9 {\uc1\u23433?\u20840?}\uc2\u-27135 \'b0\'b2 \u8364\'80?end\par",
    );
    assert_outline(&document, &[("p", "安全 café 安全阁 €end")]);
}

#[test]
fn hidden_and_deleted_text_pictures_and_unknown_destinations_are_dropped() {
    let document = rtf(
        r"a{\v hidden}{\deleted gone}{\pict\wmetafile8 0102}{\*\unknown x}{\field{\*\fldinst HYPERLINK x}{\fldrslt link}} b\par",
    );
    assert_outline(&document, &[("p", "alink b")]);
}

#[test]
fn headings_come_from_styles_and_outline_levels_and_lists_from_their_marks() {
    let document = rtf(
        r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}}\pard\s1 Scope\par\pard\outlinelevel1 Part\par\pard{\listtext 1.\tab}\ls1\ilvl0 one\par\pard{\pntext\'b7\tab}\ilvl1 dot\par\pard text\par",
    );
    assert_outline(
        &document,
        &[("h1", "Scope"), ("h2", "Part"), ("li0", "1. one"), ("li1", "• dot"), ("p", "text")],
    );
}

#[test]
fn tables_keep_columns_where_cells_span() {
    let document = rtf(
        r"\trowd\trhdr\cellx1000\cellx2000\cellx3000\pard\intbl a\cell b\cell c\cell\row\trowd\cellx2000\clvmgf\cellx3000 \pard\intbl wide\cell x\par y\cell\row\trowd\cellx1000\cellx2000\clvmrg\cellx3000 1\cell 2\cell\cell\row\pard after\par",
    );
    assert_outline(&document, &[("table1", "a | b | c\nwide |  | x y\n1 | 2 | x y"), ("p", "after")]);
}

#[test]
fn notes_follow_their_paragraph_and_page_heads_are_told_once() {
    let document = rtf(
        r"{\header Company\par}{\info{\title Plan}}text{\footnote\pard a note}\par next\par\sect{\header Company\par}end\par",
    );
    assert_outline(
        &document,
        &[("p", "text[^1]"), ("note", "[^1] a note"), ("p", "next"), ("p", "end"), ("note", "Company")],
    );
    assert_eq!(document.title.as_deref(), Some("Plan"));
}

#[test]
fn groups_without_end_and_endless_groups_are_bounded() {
    assert_outline(&rtf(&(r"kept\par".to_owned() + &"{".repeat(100_000) + "deep")), &[("p", "kept")]);
}
