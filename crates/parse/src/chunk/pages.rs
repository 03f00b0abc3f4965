//! Slides and whole pages: what stands on one is one passage.

use super::assemble::{Assembler, Unit};
use crate::document::{Block, BlockKind};

/// A page or slide larger than this many chunks is cut. The bundled embedding is a mean over words: a page blurs, which
/// is the price of this profile, but a sheet with a novel on it would match everything.
const CHUNKS_PER_PAGE: usize = 4;
/// In a presentation without pages (Markdown, HTML), headings down to this level begin a slide.
const SLIDE_HEADING_LEVEL: u8 = 2;

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Slides,
    Pages,
}

/// Gives the blocks to the assembler, a page after the other. A document without pages is taken by its sections.
pub(super) fn feed<'b>(
    assembler: &mut Assembler<'_>,
    blocks: impl Iterator<Item = &'b Block> + Clone,
    kind: Kind,
) {
    let has_pages = blocks.clone().any(|block| block.page.is_some());
    let section_level = blocks.clone().filter_map(heading_level).min().map(|top| match kind {
        Kind::Slides => top.max(SLIDE_HEADING_LEVEL),
        Kind::Pages => top,
    });
    let max_tokens = assembler.settings().max_tokens * CHUNKS_PER_PAGE;
    let mut page = None;
    for block in blocks {
        let is_new = if has_pages {
            // What has no page of its own (a note) stands on the one before.
            block.page.is_some() && block.page != page
        } else {
            heading_level(block).is_some_and(|level| Some(level) <= section_level)
        };
        if is_new {
            page = block.page;
            assembler.begin_unit(Unit {
                title: None,
                max_tokens,
                repeated: None,
                keeps_headings: true,
                begun: false,
            });
        }
        assembler.block(block);
        if assembler.is_full() {
            return;
        }
    }
}

fn heading_level(block: &Block) -> Option<u8> {
    match block.kind {
        BlockKind::Heading { level } => Some(level),
        _ => None,
    }
}
