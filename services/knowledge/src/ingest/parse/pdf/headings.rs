//! Which blocks are headings, and of which level: by the outline where the file has one, by size and weight, by numbers.

use std::collections::HashMap;

use super::paragraphs::Draft;
use super::structure::OutlineEntry;
use crate::ingest::clean;
use crate::ingest::document::BlockKind;
use crate::ingest::parse::ordinals;

/// Text that is larger than the body by this factor is a heading.
const LARGER: f32 = 1.15;
/// Longer blocks are not headings (text columns).
const MAX_HEADING_COLUMNS: usize = 160;
/// Bold blocks of the body's size are headings up to this length (text columns).
const MAX_BOLD_HEADING_COLUMNS: usize = 90;
/// Blocks with more lines are not headings.
const MAX_HEADING_LINES: usize = 4;
const LOWEST_LEVEL: u8 = 6;

/// Makes headings of the blocks that are.
pub(super) fn mark(drafts: &mut [Draft], outline: &[OutlineEntry]) {
    let Some(body) = Body::measure(drafts) else { return };
    let outline: HashMap<String, u8> =
        outline.iter().rev().map(|entry| (key(&entry.title), entry.level)).collect();
    let ranks: Vec<Option<Rank>> = drafts.iter().map(|draft| rank(draft, &body, &outline)).collect();
    let levels = levels(&ranks);
    let mut above: u8 = 0;
    for (draft, rank) in drafts.iter_mut().zip(&ranks) {
        let level = match rank {
            None => continue,
            Some(Rank::Outline(level)) => {
                above = *level;
                *level
            }
            // Below what the outline names, when it names anything.
            Some(Rank::Looks(looks)) => levels
                .get(looks)
                .copied()
                .unwrap_or(LOWEST_LEVEL)
                .max(if outline.is_empty() { 1 } else { above + 1 }),
        };
        draft.block.kind = BlockKind::Heading { level: level.clamp(1, LOWEST_LEVEL) };
    }
}

/// What most of the text looks like.
struct Body {
    size: f32,
    bold: bool,
}

impl Body {
    fn measure(drafts: &[Draft]) -> Option<Self> {
        let mut by_size: HashMap<i32, usize> = HashMap::new();
        let mut bold = 0;
        let mut all = 0;
        for draft in drafts {
            let characters = draft.block.text.chars().count();
            *by_size.entry(half_points(draft.size)).or_default() += characters;
            all += characters;
            bold += if draft.bold { characters } else { 0 };
        }
        let (size, _) = by_size.into_iter().max_by_key(|&(size, characters)| (characters, size))?;
        Some(Self { size: size as f32 / 2.0, bold: bold * 2 > all })
    }
}

fn half_points(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

/// How a heading looks, the highest first: larger before smaller, fewer numbers before more.
type Looks = (std::cmp::Reverse<i32>, u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    Outline(u8),
    Looks(Looks),
}

fn rank(draft: &Draft, body: &Body, outline: &HashMap<String, u8>) -> Option<Rank> {
    let text = draft.block.text.trim();
    let columns = clean::columns(text);
    let plain = matches!(draft.block.kind, BlockKind::Paragraph | BlockKind::ListItem { .. });
    if !plain || draft.line_count > MAX_HEADING_LINES || !(2..=MAX_HEADING_COLUMNS).contains(&columns) {
        return None;
    }
    let larger = draft.size >= body.size * LARGER;
    let bold = draft.bold && !body.bold;
    let chapter = ordinals::chapter_level(text);
    let in_outline = outline.get(&key(text)).copied();
    if let Some(level) = in_outline
        && (larger || bold || chapter.is_some() || draft.line_count == 1)
    {
        return Some(Rank::Outline(level));
    }
    let says_something = text.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    let ends_as_text =
        text.ends_with(['.', ',', ';', '。', '，', '；', '、']) && ordinals::section_depth(text).is_none();
    if !says_something || ends_as_text || is_caption(text) {
        return None;
    }
    let bullet = matches!(draft.block.kind, BlockKind::ListItem { .. })
        && ordinals::section_depth(text).is_none()
        && !begins_with_chinese_number(text);
    let by_looks = larger || (bold && columns <= MAX_BOLD_HEADING_COLUMNS && draft.size >= body.size * 0.95);
    let by_number = chapter.is_some() && columns <= MAX_BOLD_HEADING_COLUMNS && draft.line_count == 1;
    if bullet || !(by_looks || by_number) {
        return None;
    }
    let numbers = chapter.or_else(|| ordinals::section_depth(text)).unwrap_or(1);
    Some(Rank::Looks((std::cmp::Reverse(half_points(draft.size)), numbers)))
}

fn begins_with_chinese_number(text: &str) -> bool {
    text.chars().next().is_some_and(|first| "一二三四五六七八九十（".contains(first))
}

fn is_caption(text: &str) -> bool {
    let lower: String = text.chars().take(8).collect::<String>().to_lowercase();
    let named = ["figure ", "fig. ", "table ", "图", "表"].iter().find_map(|name| lower.strip_prefix(name));
    named.is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// Levels by rank among all looks of the document.
fn levels(ranks: &[Option<Rank>]) -> HashMap<Looks, u8> {
    let mut looks: Vec<Looks> = ranks
        .iter()
        .filter_map(|rank| if let Some(Rank::Looks(looks)) = rank { Some(*looks) } else { None })
        .collect();
    looks.sort_unstable();
    looks.dedup();
    looks
        .into_iter()
        .enumerate()
        .map(|(index, looks)| (looks, u8::try_from(index + 1).unwrap_or(LOWEST_LEVEL).min(LOWEST_LEVEL)))
        .collect()
}

/// Titles compare by their letters and digits.
fn key(title: &str) -> String {
    clean::normalise(title).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
