//! Documents cut into passages: structure first, size second.
//!
//! A chunk holds text of one kind (prose, table, code) from one section. Blocks are put together up to the target size;
//! only a block that is larger than the limit is cut, at the best place that its text offers: between paragraphs,
//! sentences, words, characters, in this order. Headings open the first chunk below them, so that their words can be
//! found and marked, and stand in every chunk's heading path. A table is Markdown, cut between rows, and each part has
//! the header. What else belongs together the profile says: articles, questions with their answers, slides, pages. Pure
//! functions.

mod assemble;
mod boxes;
mod law;
mod pages;
#[cfg(test)]
mod profile_tests;
mod qa;
mod split;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use boxes::boxes;

use super::document::{Block, BlockKind, LineSpan, ParsedDocument};
use anwen_contract::chunking::ChunkProfile;
use assemble::Assembler;

/// A table that is larger than the target is cut into parts of this share of it: a row is found better among few.
const TABLE_PART_SHARE: f32 = 0.6;
/// With one row to a chunk, short rows go together up to this size, the header counted in.
const ROW_TOKENS: usize = 48;
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

/// Cuts a document into chunks by the general profile. `count_tokens` is called for each block once, and for pieces of
/// large blocks a few times more.
pub fn chunk_document(
    document: &ParsedDocument,
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Chunks {
    chunk_document_as(document, ChunkProfile::General, settings, count_tokens)
}

/// Cuts a document into chunks as a profile says.
pub fn chunk_document_as(
    document: &ParsedDocument,
    profile: ChunkProfile,
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Chunks {
    let settings = settings.sane();
    let rules = Rules::of(profile, &settings);
    let settings = match profile {
        // A section is read as one, so only the limit cuts it.
        ChunkProfile::Manual => ChunkSettings { target_tokens: settings.max_tokens, ..settings },
        _ => settings,
    };
    let mut assembler = Assembler::new(settings, rules, count_tokens);
    let blocks = document.blocks.iter().filter(|block| !block.text.trim().is_empty());
    match profile {
        ChunkProfile::General | ChunkProfile::Manual | ChunkProfile::Table => {
            for block in blocks {
                assembler.block(block);
                if assembler.is_full() {
                    break;
                }
            }
        }
        ChunkProfile::Law => law::feed(&mut assembler, blocks),
        ChunkProfile::Qa => qa::feed(&mut assembler, blocks),
        ChunkProfile::Presentation => pages::feed(&mut assembler, blocks, pages::Kind::Slides),
        ChunkProfile::Page => pages::feed(&mut assembler, blocks, pages::Kind::Pages),
    }
    assembler.finish()
}

/// What profiles differ in beside the units that they know.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// A section smaller than the least size goes together with the one beside it.
    joins_small_sections: bool,
    /// The items of a list stay together, with the line that announces them, as long as a chunk may be.
    keeps_lists: bool,
    /// A table up to the first size is one chunk; a larger one is cut into parts of about the second.
    table_tokens: (usize, usize),
}

impl Rules {
    fn of(profile: ChunkProfile, settings: &ChunkSettings) -> Self {
        let part = (settings.target_tokens as f32 * TABLE_PART_SHARE) as usize;
        let table_tokens = match profile {
            ChunkProfile::Table => (ROW_TOKENS, ROW_TOKENS),
            _ => (settings.target_tokens, part.max(1)),
        };
        Self {
            joins_small_sections: profile != ChunkProfile::Manual,
            keeps_lists: profile == ChunkProfile::Manual,
            table_tokens,
        }
    }
}

/// What a piece looks like, which decides what may stand beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Heading,
    Text,
    ListItem,
    Table,
}

/// A piece of text that goes into a chunk as a whole.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    lines: Vec<LineSpan>,
    page: Option<u32>,
    tokens: usize,
    shape: Shape,
}

impl Piece {
    fn of(block: &Block, count_tokens: &dyn Fn(&str) -> usize) -> Self {
        let is_item = matches!(block.kind, BlockKind::ListItem { .. });
        Self {
            text: block.text.clone(),
            lines: block.lines.clone(),
            page: block.page,
            tokens: count_tokens(&block.text),
            shape: if is_item { Shape::ListItem } else { Shape::Text },
        }
    }
}

/// The block cut in front of each line that `begins` something new. A file without empty lines is one block.
fn cut_at_lines(block: &Block, begins: &dyn Fn(&str) -> bool) -> Vec<Block> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in block.text.split_inclusive('\n') {
        if at > 0 && begins(line.trim()) {
            starts.push(at);
        }
        at += line.len();
    }
    if starts.len() == 1 {
        return vec![block.clone()];
    }
    starts.push(block.text.len());
    let piece = |range: &[usize]| {
        let text = block.text[range[0]..range[1]].trim_end();
        let lines = lines_within(&block.lines, range[0], range[0] + text.len());
        let page = lines.first().map(|line| line.page).or(block.page);
        Block { kind: block.kind.clone(), text: text.to_owned(), page, lines }
    };
    starts.windows(2).map(piece).filter(|block| !block.text.trim().is_empty()).collect()
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
