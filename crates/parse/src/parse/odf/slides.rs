//! The slides of a presentation.

use super::text::Reader;
use crate::clean;
use crate::document::BlockKind;
use crate::parse::builder::DocumentBuilder;
use crate::parse::pptx::order::{Place, reading_order};
use crate::parse::tree::{Element, Tree};

pub(super) fn read(content: &Tree, styles: &Tree, builder: &mut DocumentBuilder) {
    let body = content.root().and_then(|root| root.at(&["body", "presentation"]));
    let slides: Vec<Element<'_>> = body.into_iter().flat_map(|body| body.children_named("page")).collect();
    builder.document().page_count = u32::try_from(slides.len()).ok();
    let mut reader = Reader::new(content, styles, builder);
    for (number, slide) in (1u32..).zip(slides) {
        reader.page = Some(number);
        self::slide(&mut reader, slide);
        if reader.builder.is_full() {
            break;
        }
    }
}

fn slide(reader: &mut Reader<'_>, slide: Element<'_>) {
    let shapes: Vec<Element<'_>> = slide.children().filter(|shape| shape.name() != "notes").collect();
    for title in shapes.iter().filter(|shape| class(shape) == "title") {
        let lines: Vec<String> = paragraphs(*title).map(|paragraph| reader.inline(paragraph)).collect();
        reader.push(BlockKind::Heading { level: 2 }, &lines.join(" "));
    }
    let hidden = ["title", "date-time", "footer", "page-number", "header"];
    let body: Vec<Element<'_>> = shapes.into_iter().filter(|shape| !hidden.contains(&class(shape))).collect();
    let places: Vec<Option<Place>> = body.iter().map(|shape| place(*shape)).collect();
    for index in reading_order(&places) {
        reader.frame(body[index], 0);
    }
    reader.flush_notes();
    let notes = slide.child("notes").into_iter().flat_map(|notes| notes.children());
    let notes = notes.filter(|shape| class(shape) == "notes").flat_map(paragraphs);
    let lines: Vec<String> = notes.map(|paragraph| reader.inline(paragraph)).collect();
    let text = clean::normalise(lines.join("\n").trim());
    reader.push(BlockKind::Footnote, &text);
}

fn class<'t>(shape: &Element<'t>) -> &'t str {
    shape.attribute("class").unwrap_or_default()
}

fn paragraphs<'t>(shape: Element<'t>) -> impl Iterator<Item = Element<'t>> {
    shape.descendants().filter(|element| matches!(element.name(), "p" | "h"))
}

fn place(shape: Element<'_>) -> Option<Place> {
    let (left, top) = (length(shape.attribute("x")?)?, length(shape.attribute("y")?)?);
    let (width, height) = (length(shape.attribute("width")?)?, length(shape.attribute("height")?)?);
    Some(Place { left, top, right: left + width, bottom: top + height })
}

/// In centimetres.
fn length(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "in" => 2.54,
        "mm" => 0.1,
        "pt" => 2.54 / 72.0,
        _ => 1.0,
    };
    Some(text[..digits].parse::<f64>().ok()? * unit)
}
