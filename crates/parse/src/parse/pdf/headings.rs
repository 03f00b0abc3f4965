//! Which blocks are headings, and of which level: by the outline where the file has one, by size and weight, by numbers.

use std::collections::{BTreeMap, HashMap};

use super::captions;
use super::paragraphs::{self, Draft};
use super::structure::OutlineEntry;
use crate::clean::{self, Vocabulary};
use crate::document::BlockKind;
use crate::parse::ordinals;

/// Text that is larger than the body by this factor is a heading.
const LARGER: f32 = 1.15;
/// Longer blocks are not headings (text columns).
const MAX_HEADING_COLUMNS: usize = 160;
/// Bold blocks of the body's size are headings up to this length (text columns).
const MAX_BOLD_HEADING_COLUMNS: usize = 90;
/// Blocks with more lines are not headings.
const MAX_HEADING_LINES: usize = 4;
/// Lines of one heading stand no further apart (font sizes).
const MAX_HEADING_GAP_EM: f32 = 0.45;
const LOWEST_LEVEL: u8 = 6;

/// Makes headings of the blocks that are.
pub(super) fn mark(drafts: &mut Vec<Draft>, outline: &[OutlineEntry], vocabulary: &Vocabulary) {
    let Some(body) = Body::measure(drafts) else { return };
    join_split_headings(drafts, &body, vocabulary);
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

/// The second line of a heading may be set in from the first, like the first line of a paragraph: put together what
/// stands closely below each other and looks like one heading.
fn join_split_headings(drafts: &mut Vec<Draft>, body: &Body, vocabulary: &Vocabulary) {
    let mut joined: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts.drain(..) {
        match joined.last_mut() {
            Some(last) if is_rest_of_heading(last, &draft, body) => {
                paragraphs::absorb(last, draft, vocabulary)
            }
            _ => joined.push(draft),
        }
    }
    *drafts = joined;
}

fn is_rest_of_heading(first: &Draft, rest: &Draft, body: &Body) -> bool {
    let (Some(above), Some(below)) = (first.block.lines.last(), rest.block.lines.first()) else {
        return false;
    };
    let gap = below.y0 - above.y1;
    let plain = first.block.kind == rest.block.kind && rest.block.kind == BlockKind::Paragraph;
    let numbered = |draft: &Draft| {
        ordinals::section_depth(&draft.block.text).is_some()
            || ordinals::chapter_level(&draft.block.text).is_some()
    };
    plain
        && first.size >= body.size * LARGER
        && half_points(first.size) == half_points(rest.size)
        && first.bold == rest.bold
        && above.page == below.page
        && gap > -first.size * 0.5
        && gap < first.size * MAX_HEADING_GAP_EM
        && !numbered(rest)
        && first.line_count + rest.line_count <= MAX_HEADING_LINES
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
    if !says_something || ends_as_text || captions::after_label(text).is_some() || is_contents_entry(text) {
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

/// `3.1 Scope … 12`: a line of a table of contents.
fn is_contents_entry(text: &str) -> bool {
    text.rsplit_once('…').is_some_and(|(_, page)| {
        let page = page.trim();
        !page.is_empty() && page.len() <= 6 && page.chars().all(char::is_alphanumeric)
    })
}

/// Levels by rank among all looks of the document. Looks that occur once (lines of a title page) make no level of
/// their own below the first that returns: above it they are the title's, level 1, further down they take the level of
/// the next look that returns.
fn levels(ranks: &[Option<Rank>]) -> HashMap<Looks, u8> {
    let mut counts: BTreeMap<Looks, usize> = BTreeMap::new();
    for rank in ranks.iter().flatten() {
        if let Rank::Looks(looks) = rank {
            *counts.entry(*looks).or_default() += 1;
        }
    }
    let any_returns = counts.values().any(|&count| count > 1);
    let mut levels = HashMap::new();
    let mut next: u8 = 1;
    let mut returned = false;
    for (looks, count) in counts {
        let makes_level = count > 1 || !any_returns;
        if makes_level && !returned && next == 1 && !levels.is_empty() {
            next = 2;
        }
        levels.insert(looks, next.min(LOWEST_LEVEL));
        if makes_level {
            returned = true;
            next = next.saturating_add(1);
        }
    }
    levels
}

/// Titles compare by their letters and digits.
fn key(title: &str) -> String {
    clean::normalise(title).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use super::*;

    fn found(sizes: &[i32]) -> Vec<u8> {
        let ranks: Vec<Option<Rank>> =
            sizes.iter().map(|&size| Some(Rank::Looks((Reverse(size), 1)))).collect();
        let levels = levels(&ranks);
        sizes.iter().map(|&size| levels[&(Reverse(size), 1)]).collect()
    }

    #[test]
    fn title_pages_do_not_use_up_the_levels() {
        assert_eq!(found(&[40, 28, 24, 24]), [1, 1, 2, 2]);
        assert_eq!(found(&[60, 50, 45, 40, 35, 30, 28, 28, 24, 24]), [1, 1, 1, 1, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn looks_that_occur_once_rank_by_size_when_none_returns() {
        assert_eq!(found(&[40, 30, 20]), [1, 2, 3]);
    }

    #[test]
    fn looks_that_all_return_rank_by_size() {
        assert_eq!(found(&[30, 24, 24, 30, 20, 20]), [1, 2, 2, 1, 3, 3]);
    }

    #[test]
    fn entries_of_a_table_of_contents_are_no_headings() {
        assert!(is_contents_entry("1. Scope … 12") && is_contents_entry("前言 … iv"));
        assert!(!is_contents_entry("And so on …") && !is_contents_entry("Scope"));
    }
}
