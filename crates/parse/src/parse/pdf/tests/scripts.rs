//! Scripts that are not written from left to right, and fonts that do not say what they write.

use super::*;

/// A page set in a composite font whose codes are two bytes: `to_unicode` maps codes to text.
fn composite(content: &str, encoding: &str, to_unicode: Option<&[(u16, &str)]>) -> Vec<u8> {
    let mut document = make(vec![page("")]);
    let descendant = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "CIDFontType2", "BaseFont" => "ABCDEF+Unknown",
        "CIDSystemInfo" => dictionary! {
            "Registry" => Object::string_literal("Adobe"),
            "Ordering" => Object::string_literal("Identity"),
            "Supplement" => 0,
        },
        "DW" => 1000,
    });
    let mut font = dictionary! {
        "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "ABCDEF+Unknown",
        "Encoding" => encoding, "DescendantFonts" => vec![descendant.into()],
    };
    if let Some(pairs) = to_unicode {
        let lines: String = pairs
            .iter()
            .map(|(code, text)| {
                let units: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
                format!("<{code:04x}> <{units}>\n")
            })
            .collect();
        let map = format!(
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n\
             1 begincodespacerange <0000> <ffff> endcodespacerange\n\
             {} beginbfchar\n{lines}endbfchar endcmap end end",
            pairs.len()
        );
        font.set("ToUnicode", document.add_object(Stream::new(dictionary! {}, map.into_bytes())));
    }
    let font = document.add_object(font);
    let content = document.add_object(Stream::new(dictionary! {}, content.as_bytes().to_vec()));
    let id = document.page_iter().next().unwrap();
    let page = document.get_dictionary_mut(id).unwrap();
    page.set("Contents", content);
    page.set("Resources", dictionary! { "Font" => dictionary! { "F9" => font } });
    bytes(document)
}

/// Codes from 1 on for the characters of a text, and the pairs of its map.
fn coded(text: &str) -> (String, Vec<(u16, String)>) {
    let pairs: Vec<(u16, String)> = text
        .chars()
        .enumerate()
        .map(|(index, character)| (index as u16 + 1, character.to_string()))
        .collect();
    (pairs.iter().map(|(code, _)| format!("{code:04x}")).collect(), pairs)
}

fn borrowed(pairs: &[(u16, String)]) -> Vec<(u16, &str)> {
    pairs.iter().map(|(code, text)| (*code, text.as_str())).collect()
}

#[test]
fn vertical_chinese_is_read_from_top_to_bottom_and_from_right_to_left() {
    let (codes, pairs) = coded("公司员工手册适用于全体");
    // Two columns, the right one first: six characters, then five.
    let content = format!(
        "BT /F9 20 Tf 1 0 0 1 400 700 Tm <{}> Tj ET BT /F9 20 Tf 1 0 0 1 370 700 Tm <{}> Tj ET",
        &codes[..24],
        &codes[24..]
    );
    let parsed =
        parse_with(composite(&content, "Identity-V", Some(&borrowed(&pairs))), Engine::First).unwrap();
    assert_eq!(texts(&parsed).concat(), "公司员工手册适用于全体");
    let line = parsed.blocks[0].lines[0];
    assert!(line.y1 - line.y0 > 100.0 && line.x1 - line.x0 < 25.0, "{line:?}");
    assert!(line.x0 > 385.0 && line.x1 < 415.0 && line.y0 > 95.0, "{line:?}");
}

#[test]
fn right_to_left_text_is_in_the_order_of_reading() {
    // As a page stores it: the first character drawn stands furthest left and is the last that is read.
    let (codes, pairs) = coded("םלוע םולש");
    let content = format!("BT /F9 12 Tf 1 0 0 1 100 700 Tm <{codes}> Tj ET");
    let parsed =
        parse_with(composite(&content, "Identity-H", Some(&borrowed(&pairs))), Engine::First).unwrap();
    assert_eq!(texts(&parsed), ["שלום עולם"]);
}

#[test]
fn a_ligature_of_a_right_to_left_script_keeps_its_order() {
    // The page shows, from left to right: meem, then one glyph for lam and alef.
    let pairs = [(1u16, "م"), (2u16, "لا")];
    let content = "BT /F9 12 Tf 1 0 0 1 100 700 Tm <00010002> Tj ET";
    let parsed = parse_with(composite(content, "Identity-H", Some(&pairs)), Engine::First).unwrap();
    assert_eq!(texts(&parsed), ["لام"]);
}

#[test]
fn a_font_without_a_meaning_in_unicode_is_reported_and_not_guessed() {
    let codes: String = (0xe100..0xe150).map(|code| format!("{code:04x}")).collect();
    let content = format!("BT /F9 6 Tf 1 0 0 1 40 700 Tm <{codes}> Tj ET");
    let failure = parse_with(composite(&content, "Identity-H", None), Engine::First).unwrap_err();
    assert_eq!(failure.code, FailureCode::NoText, "{}", failure.message);
}
