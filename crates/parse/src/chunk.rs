//! Documents cut into passages: structure first, size second.
//!
//! A chunk holds text of one kind (prose, table, code) from one section. Blocks are put together up to the target size;
//! only a block that is larger than the limit is cut, at the best place that its text offers: between paragraphs,
//! sentences, words, characters, in this order. Headings open the first chunk below them, so that their words can be
//! found and marked, and stand in every chunk's heading path. Pure functions.

mod assemble;
mod boxes;
mod split;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use boxes::boxes;

use super::document::{Block, BlockKind, LineSpan, ParsedDocument};
use assemble::Assembler;

/// Longer headings are cut in the heading path (characters).
const MAX_HEADING_CHARACTERS: usize = 160;

/// Sizes in tokens of the embedding model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChunkSettings {
    /// Blocks are put together up to this size. The bundled embedding is an average over words: it blurs on long text.
    pub target_tokens: usize,
    /// No chunk is larger (but for a heading above it).
    pub max_tokens: usize,
    /// A chunk smaller than this goes together with its neighbour under the same parent heading.
    pub min_tokens: usize,
    /// Whole sentences up to this size from the end of a chunk open the next one of the same section.
    pub overlap_tokens: usize,
    /// Chunks beyond are not made; the caller learns of it by [`Chunks::truncated`].
    pub max_chunks: usize,
}

impl Default for ChunkSettings {
    fn default() -> Self {
        Self { target_tokens: 200, max_tokens: 320, min_tokens: 48, overlap_tokens: 0, max_chunks: 200_000 }
    }
}

impl ChunkSettings {
    /// Sizes that make sense together: at least one token, the target not above the limit.
    fn sane(&self) -> Self {
        let max_tokens = self.max_tokens.max(1);
        let target_tokens = self.target_tokens.clamp(1, max_tokens);
        Self {
            target_tokens,
            max_tokens,
            min_tokens: self.min_tokens.min(target_tokens),
            overlap_tokens: self.overlap_tokens.min(target_tokens / 2),
            max_chunks: self.max_chunks,
        }
    }
}

/// What a chunk's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChunkKind {
    Prose,
    Table,
    Code,
}

/// A passage that is to be embedded and indexed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkDraft {
    /// From 0, in reading order.
    pub ordinal: u32,
    pub text: String,
    /// From 1; `None` where the format has no pages.
    pub page_start: Option<u32>,
    pub page_end: Option<u32>,
    /// From the highest heading to the nearest.
    pub heading_path: Vec<String>,
    /// Byte offsets into the chunk's text. Empty where the format has no geometry.
    pub lines: Vec<LineSpan>,
    pub tokens: usize,
    pub kind: ChunkKind,
}

/// The chunks of a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunks {
    pub drafts: Vec<ChunkDraft>,
    /// There were more than [`ChunkSettings::max_chunks`]; the rest is not there.
    pub truncated: bool,
}

/// Cuts a document into chunks. `count_tokens` is called for each block once, and for pieces of large blocks a few
/// times more.
pub fn chunk_document(
    document: &ParsedDocument,
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Chunks {
    let mut assembler = Assembler::new(settings.sane(), count_tokens);
    for block in &document.blocks {
        if block.text.trim().is_empty() {
            continue;
        }
        match &block.kind {
            BlockKind::Heading { level } => assembler.heading(*level, block),
            BlockKind::Table { rows, header_rows } => assembler.table(block, rows, *header_rows),
            BlockKind::Code { .. } => assembler.text(ChunkKind::Code, block),
            BlockKind::Paragraph | BlockKind::ListItem { .. } | BlockKind::Figure | BlockKind::Footnote => {
                assembler.text(ChunkKind::Prose, block)
            }
        }
        if assembler.is_full() {
            break;
        }
    }
    assembler.finish()
}

/// A piece of text that goes into a chunk as a whole.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    lines: Vec<LineSpan>,
    page: Option<u32>,
    tokens: usize,
}

impl Piece {
    fn of(block: &Block, count_tokens: &dyn Fn(&str) -> usize) -> Self {
        Self {
            text: block.text.clone(),
            lines: block.lines.clone(),
            page: block.page,
            tokens: count_tokens(&block.text),
        }
    }
}

/// The lines that have a part in the range, with offsets from the range's beginning.
fn lines_within(lines: &[LineSpan], start: usize, end: usize) -> Vec<LineSpan> {
    lines
        .iter()
        .filter(|line| line.start < end && line.end > start)
        .map(|line| LineSpan {
            start: line.start.max(start) - start,
            end: line.end.min(end) - start,
            ..*line
        })
        .collect()
}
