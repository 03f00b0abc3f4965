//! Footnotes: small text at the foot of a column that begins with a mark, or that a short line parts from the text.

use std::collections::HashMap;

use super::paragraphs::Draft;
use crate::document::BlockKind;

/// Footnotes are set smaller than the text, by this factor at least.
const SMALLER: f32 = 0.93;
/// They stand below this share of the page's height.
const TOP_SHARE: f32 = 0.35;
/// Those that are set as large as the text, and parted by a line, stand below this one.
const TOP_SHARE_OF_LARGE: f32 = 0.6;
/// The line that parts footnotes from text is no longer than this share of the page's width.
const MAX_SEPARATOR_SHARE: f32 = 0.55;
/// and no shorter than this many points.
const MIN_SEPARATOR_POINTS: f32 = 20.0;

/// Makes footnotes of the blocks that are; those without a mark of their own continue the one above.
pub(super) fn mark(drafts: &mut [Draft]) {
    let Some(body) = body_size(drafts) else { return };
    for page in drafts.chunk_by_mut(|a, b| a.page() == b.page()) {
        mark_page(page, body);
    }
}

fn mark_page(page: &mut [Draft], body: f32) {
    let is_text =
        |draft: &Draft| matches!(draft.block.kind, BlockKind::Paragraph | BlockKind::ListItem { .. });
    let small = |draft: &Draft| draft.size <= body * SMALLER;
    let mut notes = vec![false; page.len()];
    for index in 0..page.len() {
        let draft = &page[index];
        let Some([x0, y0, x1, y1]) = draft.bounds() else { continue };
        let (width, height) = (draft.page_size.width, draft.page_size.height);
        let parted = (MIN_SEPARATOR_POINTS..=width * MAX_SEPARATOR_SHARE).contains(&draft.rule_above);
        let marked = has_mark(&draft.block.text);
        let begins = small(draft) && y0 > height * TOP_SHARE && (marked || parted)
            || parted && marked && y0 > height * TOP_SHARE_OF_LARGE;
        if !is_text(draft) || !begins {
            continue;
        }
        let below: Vec<usize> = (0..page.len())
            .filter(|&other| {
                other != index
                    && page[other]
                        .bounds()
                        .is_some_and(|[a0, b0, a1, _]| b0 >= y1 - draft.size && a0 < x1 && a1 > x0)
            })
            .collect();
        let size = draft.size;
        let fits = |other: &usize| {
            is_text(&page[*other]) && (page[*other].size <= size * 1.05 || small(&page[*other]))
        };
        if below.iter().all(fits) {
            notes[index] = true;
            below.into_iter().for_each(|other| notes[other] = true);
        }
    }
    for (draft, is_note) in page.iter_mut().zip(notes) {
        if is_note {
            draft.block.kind = BlockKind::Footnote;
        }
    }
}

/// Size of most of the text.
fn body_size(drafts: &[Draft]) -> Option<f32> {
    let mut by_size: HashMap<i32, usize> = HashMap::new();
    for draft in drafts.iter().filter(|draft| !matches!(draft.block.kind, BlockKind::Table { .. })) {
        *by_size.entry((draft.size * 2.0).round() as i32).or_default() += draft.block.text.len();
    }
    by_size.into_iter().max_by_key(|&(size, length)| (length, size)).map(|(size, _)| size as f32 / 2.0)
}

/// `1 See`, `1) See`, `[1] See`, `* Not`, `① 见`, `注：`. A number like `1.5` is not a mark.
pub(super) fn has_mark(text: &str) -> bool {
    let text = text.trim_start();
    let Some(first) = text.chars().next() else { return false };
    if matches!(first, '*' | '†' | '‡' | '§' | '¶' | '※' | '＊') || ('①'..='⑳').contains(&first)
    {
        return true;
    }
    if let Some(rest) = text.strip_prefix("注") {
        return rest.starts_with(['：', ':', '1', '2', '3', '①', ' ']);
    }
    let (open, body) = match first {
        '[' | '(' | '（' | '［' => (true, &text[first.len_utf8()..]),
        _ => (false, text),
    };
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    let mut after = body[digits..].chars();
    let closed = matches!(after.clone().next(), Some(']' | ')' | '）' | '］'));
    if !(1..=3).contains(&digits) || open && !closed {
        return false;
    }
    if matches!(after.clone().next(), Some('.' | ']' | ')' | '）' | '］' | '、')) {
        after.next();
    }
    after
        .clone()
        .next()
        .is_some_and(|next| next.is_alphabetic() || next.is_whitespace() || matches!(next, '“' | '"' | '《'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_footnotes() {
        for (text, marked) in [
            ("1 See the appendix", true),
            ("12See the appendix", true),
            ("1) See", true),
            ("[3] Smith", true),
            ("* Not in all regions", true),
            ("① 见附件", true),
            ("注：以上数据", true),
            ("1见附件", true),
            ("1.5 percent of", false),
            ("2019-01-01", false),
            ("See 1", false),
            ("(see below)", false),
        ] {
            assert_eq!(has_mark(text), marked, "{text}");
        }
    }
}
