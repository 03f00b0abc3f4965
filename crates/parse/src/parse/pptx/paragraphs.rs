//! The text of shapes: paragraphs, bullets and numbers (DrawingML, ECMA-376-1, 21.1.2).

use crate::clean;
use crate::document::{Block, BlockKind};
use crate::parse::omml;
use crate::parse::ordinals::{letters, roman};
use crate::parse::tree::Element;

/// Levels of a list.
const LEVELS: usize = 9;

/// A paragraph's text; formulas between dollar signs.
pub(super) fn text(paragraph: Element<'_>) -> String {
    let mut out = String::new();
    push_text(&mut out, paragraph);
    out
}

fn push_text(out: &mut String, element: Element<'_>) {
    for child in element.children() {
        match child.name() {
            "r" | "fld" => out.push_str(&child.child("t").map(|t| t.text()).unwrap_or_default()),
            "br" => out.push('\n'),
            "oMath" | "oMathPara" => out.push_str(&format!("${}$", omml::latex(child))),
            "m" => push_text(out, child),
            "AlternateContent" => child.child("Choice").into_iter().for_each(|choice| push_text(out, choice)),
            _ => {}
        }
    }
}

/// What stands before a paragraph.
enum Mark {
    None,
    Bullet,
    Number(String),
    /// The paragraph says nothing: it is as its placeholder is.
    Inherited,
}

/// The blocks of a text body. In a placeholder for a list (`is_list`) paragraphs are items unless they say otherwise.
pub(super) fn blocks(body: Element<'_>, is_list: bool) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut counts = [0usize; LEVELS];
    let filled = body.children_named("p").filter(|paragraph| !text(*paragraph).trim().is_empty()).count();
    for paragraph in body.children_named("p") {
        let text = clean::normalise(text(paragraph).trim());
        if text.is_empty() {
            continue;
        }
        let properties = paragraph.child("pPr");
        let level = properties.and_then(|own| own.number::<usize>("lvl")).unwrap_or(0).min(LEVELS - 1);
        let (kind, text) = match mark(properties, level, &mut counts) {
            Mark::Number(number) => (BlockKind::ListItem { depth: level as u8 }, format!("{number} {text}")),
            Mark::Bullet => (BlockKind::ListItem { depth: level as u8 }, format!("• {text}")),
            Mark::Inherited if is_list && (filled > 1 || level > 0) => {
                (BlockKind::ListItem { depth: level as u8 }, format!("• {text}"))
            }
            Mark::Inherited | Mark::None => (BlockKind::Paragraph, text),
        };
        blocks.push(Block::new(kind, text, None));
    }
    blocks
}

fn mark(properties: Option<Element<'_>>, level: usize, counts: &mut [usize; LEVELS]) -> Mark {
    let Some(properties) = properties else {
        counts[level..].fill(0);
        return Mark::Inherited;
    };
    if let Some(auto) = properties.child("buAutoNum") {
        counts[level + 1..].fill(0);
        let start = auto.number::<usize>("startAt").unwrap_or(1).min(10_000);
        counts[level] = if counts[level] == 0 { start } else { counts[level] + 1 };
        return Mark::Number(number(auto.attribute("type").unwrap_or_default(), counts[level]));
    }
    counts[level..].fill(0);
    if properties.child("buNone").is_some() {
        Mark::None
    } else if properties.child("buChar").is_some() || properties.child("buBlip").is_some() {
        Mark::Bullet
    } else {
        Mark::Inherited
    }
}

/// `alphaLcParenR`: the kind of number, and what stands around it.
fn number(kind: &str, count: usize) -> String {
    let plain = match kind {
        _ if kind.starts_with("alphaLc") => letters(count, b'a'),
        _ if kind.starts_with("alphaUc") => letters(count, b'A'),
        _ if kind.starts_with("romanLc") => roman(count),
        _ if kind.starts_with("romanUc") => roman(count).to_uppercase(),
        _ => count.to_string(),
    };
    if kind.ends_with("ParenBoth") {
        format!("({plain})")
    } else if kind.ends_with("ParenR") {
        format!("{plain})")
    } else if kind.ends_with("Plain") {
        plain
    } else {
        format!("{plain}.")
    }
}
