//! Presentations (PPTX): ECMA-376-1, 19. Slides are pages; each has its title as a heading, its shapes in reading
//! order, its tables and charts as tables, and its notes apart. Slides that are hidden in the show are left out, with
//! a warning.

pub(super) mod order;
mod paragraphs;
mod shapes;

use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::package::{Package, Relations};
use super::tree::{Element, Tree};
use super::{Engine, ParseOptions, legacy};
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument, warning};

/// # Errors
/// [`ParseFailure`] when the archive cannot be opened, or no slide holds text.
pub(super) fn parse(
    data: Vec<u8>,
    media_type: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    if options.engine == Engine::Second {
        Package::open(&data, &options.limits)?;
        return legacy::parse(data, media_type, options);
    }
    let mut package = Package::open(&data, &options.limits)?;
    let mut builder = DocumentBuilder::new(media_type, &options.limits);
    package.read_properties(builder.document());
    let main = package.main_part("ppt/presentation.xml");
    let relations = package.relations(&main);
    let tree = package.tree(&main).unwrap_or_default();
    let slides = slides_of(&tree, &relations);
    let mut hidden = 0;
    let mut is_damaged = tree.is_damaged() || slides.is_empty();
    builder.document().page_count = u32::try_from(slides.len()).ok();
    for (number, part) in (1u32..).zip(&slides) {
        if builder.is_full() || number > options.limits.max_pages {
            builder.document().warn(warning::PAGES_TRUNCATED, "not all slides were read");
            break;
        }
        let Some(slide) = part.as_deref().and_then(|part| package.tree(part)) else {
            is_damaged = true;
            continue;
        };
        is_damaged |= slide.is_damaged();
        if slide.root().is_some_and(|root| matches!(root.attribute("show"), Some("0" | "false"))) {
            hidden += 1;
            continue;
        }
        let relations = package.relations(part.as_deref().unwrap_or_default());
        let mut blocks = shapes::blocks(&slide, &relations, &mut package);
        blocks.extend(notes(&relations, &mut package));
        for mut block in blocks {
            block.page = Some(number);
            builder.push(block);
        }
    }
    if hidden > 0 {
        builder.document().warn(warning::HIDDEN_LEFT_OUT, format!("{hidden} hidden slides were not read"));
    }
    if is_damaged {
        builder.document().warn(warning::PARTLY_DAMAGED, "some slides are damaged and were not read");
    }
    let mut document = builder.finish();
    if document.is_blank() {
        if is_damaged && let Ok(document) = legacy::parse(data, media_type, options) {
            return Ok(document);
        }
        return Err(ParseFailure::new(
            FailureCode::NoText,
            "the slides hold no text; text in their pictures cannot be recognised yet",
        ));
    }
    let usual_titles = ["PowerPoint Presentation", "PowerPoint 演示文稿", "幻灯片 1"];
    document.title =
        document.title.take().filter(|title| !usual_titles.contains(&title.as_str())).or_else(|| {
            let is_heading = |block: &&Block| matches!(block.kind, BlockKind::Heading { .. });
            document.blocks.iter().find(is_heading).map(|block| block.text.clone())
        });
    Ok(document)
}

/// The parts of the slides in the order of the show; `None` where one is missing.
fn slides_of(tree: &Tree, relations: &Relations) -> Vec<Option<String>> {
    let list = tree.root().and_then(|root| root.child("sldIdLst"));
    let part = |slide: Element<'_>| {
        slide.prefixed_attribute("id").and_then(|id| relations.target(id)).map(str::to_owned)
    };
    list.into_iter().flat_map(|list| list.children_named("sldId")).map(part).collect()
}

/// What the speaker wrote below the slide.
fn notes(relations: &Relations, package: &mut Package<'_>) -> Option<Block> {
    let part = &relations.of_kind("notesSlide").next()?.target;
    let tree = package.tree(part)?;
    let mut lines = Vec::new();
    for shape in tree.root()?.descendants().filter(|element| element.name() == "sp") {
        let placeholder = shapes::placeholder(shape);
        if placeholder.is_some_and(|placeholder| placeholder.attribute("type") == Some("body"))
            && let Some(body) = shape.child("txBody")
        {
            lines.extend(body.children_named("p").map(paragraphs::text));
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    let text = clean::normalise(lines.join("\n").trim());
    (!text.is_empty()).then(|| Block::new(BlockKind::Footnote, text, None))
}

#[cfg(test)]
mod tests;
