//! Joining hits that stand next to each other in their document, and reading on around them: a small passage is found
//! better, a larger one is understood better.

use super::LiveChunk;
use crate::index::markdown::{head_length, is_row};
use anwen_contract::ChunkId;
use anwen_contract::knowledge::LineBox;
use std::collections::HashSet;

/// Fewer common bytes at a seam are coincidence, not overlap.
const MIN_OVERLAP_BYTES: usize = 12;

/// One passage of a document: a hit, or several neighbouring ones as one text.
#[derive(Debug, Clone)]
pub struct Passage {
    /// In reading order. The best of them gives the passage its score.
    pub chunks: Vec<LiveChunk>,
    /// The chunks' texts in reading order, what overlaps said once.
    pub text: String,
    /// The chunks' lines, with offsets into `text`.
    pub lines: Vec<LineBox>,
    /// Sum of the chunks' tokens: what the text takes at most.
    pub tokens: u32,
}

impl Passage {
    fn of(chunk: LiveChunk) -> Self {
        Self {
            text: chunk.hit.text.clone(),
            lines: chunk.hit.lines.clone(),
            tokens: chunk.tokens,
            chunks: vec![chunk],
        }
    }

    /// The highest score among the chunks.
    pub fn score(&self) -> f32 {
        self.chunks.iter().map(|chunk| chunk.hit.score).fold(f32::NEG_INFINITY, f32::max)
    }

    /// The best of the chunks; the first of equals.
    pub fn best(&self) -> Option<&LiveChunk> {
        self.chunks.iter().rev().max_by(|one, other| one.hit.score.total_cmp(&other.hit.score))
    }

    fn first(&self) -> Option<&LiveChunk> {
        self.chunks.first()
    }

    fn last(&self) -> Option<&LiveChunk> {
        self.chunks.last()
    }
}

/// Joins hits of one section that follow one another, as long as a passage stays within `max_tokens`. Passages come
/// in the order of their best hit.
pub fn join(hits: Vec<LiveChunk>, max_tokens: u32) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::with_capacity(hits.len());
    for hit in hits {
        let fits = |passage: &Passage| passage.tokens.saturating_add(hit.tokens) <= max_tokens;
        let before = passages
            .iter()
            .position(|passage| passage.last().is_some_and(|last| follows(last, &hit)) && fits(passage));
        let after = passages
            .iter()
            .position(|passage| passage.first().is_some_and(|first| follows(&hit, first)) && fits(passage));
        let joined = Passage::of(hit);
        match (before, after) {
            (Some(before), Some(after)) => close_gap(&mut passages, before, joined, after, max_tokens),
            (Some(before), None) => append(&mut passages[before], joined),
            (None, Some(after)) => prepend(&mut passages[after], joined),
            (None, None) => passages.push(joined),
        }
    }
    passages
}

/// True when `next` is the chunk after `chunk` in the same section of the same version.
fn follows(chunk: &LiveChunk, next: &LiveChunk) -> bool {
    chunk.version_id == next.version_id
        && chunk.hit.ordinal + 1 == next.hit.ordinal
        && chunk.hit.heading_path == next.hit.heading_path
}

fn append(passage: &mut Passage, next: Passage) {
    let head = repeated_head(&passage.text, &next.text);
    let overlap = if head == 0 { overlap(&passage.text, &next.text) } else { head };
    if head > 0 {
        passage.text.push('\n');
    } else if overlap == 0 {
        let is_row = |line: Option<&str>| line.is_some_and(is_row);
        let beside_table = is_row(passage.text.lines().next_back()) || is_row(next.text.lines().next());
        passage.text.push_str(if beside_table { "\n\n" } else { "\n" });
    }
    let start = passage.text.len();
    passage.text.push_str(&next.text[overlap..]);
    passage.lines.extend(next.lines.iter().filter(|line| line.end as usize > overlap).map(|line| LineBox {
        start: ((line.start as usize).max(overlap) - overlap + start) as u32,
        end: (line.end as usize - overlap + start) as u32,
        ..*line
    }));
    passage.tokens = passage.tokens.saturating_add(next.tokens);
    passage.chunks.extend(next.chunks);
}

fn prepend(passage: &mut Passage, mut previous: Passage) {
    std::mem::swap(passage, &mut previous);
    append(passage, previous);
}

/// `middle` stands between two passages: all three become one where the budget allows, at the place of the better.
fn close_gap(passages: &mut Vec<Passage>, before: usize, middle: Passage, after: usize, max_tokens: u32) {
    append(&mut passages[before], middle);
    if passages[before].tokens.saturating_add(passages[after].tokens) > max_tokens {
        return;
    }
    let tail = passages.remove(after);
    let before = if after < before { before - 1 } else { before };
    append(&mut passages[before], tail);
    // The passage that came first in the ranking may have been the removed one.
    let place = after.min(before);
    let joined = passages.remove(before);
    passages.insert(place, joined);
}

/// Bytes of the table's head that `next` begins with, if the table at the end of `text` has the same.
fn repeated_head(text: &str, next: &str) -> usize {
    let Some(length) = head_length(next) else { return 0 };
    let in_same_table = text.rfind(&next[..length]).is_some_and(|at| {
        let begins_a_line = at == 0 || text[..at].ends_with('\n');
        begins_a_line && text[at..].lines().all(is_row)
    });
    if in_same_table { length } else { 0 }
}

/// Reads on around a passage: adds chunks from `around` (of the same version) that stand before and after it, as long
/// as it stays within `max_tokens`; first those of the section of its best chunk, then those of the sections beside it
/// under the same heading. A chunk in `taken` stands in another passage and is left there.
pub fn widen(
    mut passage: Passage,
    around: &[LiveChunk],
    max_tokens: u32,
    taken: &HashSet<ChunkId>,
) -> Passage {
    let Some(path) = passage.best().map(|best| best.hit.heading_path.clone()) else { return passage };
    let same_section = |chunk: &LiveChunk| chunk.hit.heading_path == path;
    let beside = |chunk: &LiveChunk| {
        let other = &chunk.hit.heading_path;
        path.len() > 1 && other.len() == path.len() && other[..path.len() - 1] == path[..path.len() - 1]
    };
    let rules: [&dyn Fn(&LiveChunk) -> bool; 2] = [&same_section, &beside];
    for belongs in rules {
        let (mut before, mut after) = (true, true);
        while before || after {
            if after {
                let next = passage.last().map(|last| last.hit.ordinal + 1);
                let next = neighbour(around, next, belongs, taken, max_tokens.saturating_sub(passage.tokens));
                after = next.is_some();
                next.into_iter().for_each(|next| append(&mut passage, Passage::of(next.clone())));
            }
            if before {
                let previous = passage.first().map(|first| first.hit.ordinal - 1);
                let room = max_tokens.saturating_sub(passage.tokens);
                let previous = neighbour(around, previous, belongs, taken, room);
                before = previous.is_some();
                previous
                    .into_iter()
                    .for_each(|previous| prepend(&mut passage, Passage::of(previous.clone())));
            }
        }
    }
    passage
}

fn neighbour<'a>(
    around: &'a [LiveChunk],
    ordinal: Option<i64>,
    belongs: &dyn Fn(&LiveChunk) -> bool,
    taken: &HashSet<ChunkId>,
    room: u32,
) -> Option<&'a LiveChunk> {
    let found = around.iter().find(|chunk| Some(chunk.hit.ordinal) == ordinal)?;
    let fits = found.tokens <= room && belongs(found) && !taken.contains(&found.hit.chunk_id);
    fits.then_some(found)
}

/// Bytes of the longest end of `text` that `next` begins with, if it is long enough to be meant.
fn overlap(text: &str, next: &str) -> usize {
    let longest = text.len().min(next.len());
    (MIN_OVERLAP_BYTES..=longest)
        .rev()
        .find(|&length| {
            next.is_char_boundary(length) && text.as_bytes().ends_with(&next.as_bytes()[..length])
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieve::testing::live;

    /// `(document, ordinal, section)` of each hit, best first; each takes 10 tokens.
    fn joined(hits: &[(u128, i64, &str)], max_tokens: u32) -> Vec<Vec<i64>> {
        let count = hits.len() as f32;
        let hits = hits
            .iter()
            .enumerate()
            .map(|(rank, (document, ordinal, section))| {
                let mut chunk = live(*document, *ordinal, &format!("text {ordinal}"));
                chunk.hit.heading_path = vec![(*section).to_owned()];
                chunk.hit.score = count - rank as f32;
                chunk
            })
            .collect();
        let passages = join(hits, max_tokens);
        passages
            .iter()
            .map(|passage| passage.chunks.iter().map(|chunk| chunk.hit.ordinal).collect())
            .collect()
    }

    #[test]
    fn neighbours_of_one_section_become_one_passage_in_the_place_of_the_best() {
        for (name, hits, max_tokens, expected) in [
            ("after", vec![(1, 4, "a"), (1, 9, "a"), (1, 5, "a")], 100, vec![vec![4, 5], vec![9]]),
            ("before", vec![(1, 5, "a"), (1, 4, "a")], 100, vec![vec![4, 5]]),
            (
                "gap closed",
                vec![(1, 6, "a"), (2, 0, "a"), (1, 4, "a"), (1, 5, "a")],
                100,
                vec![vec![4, 5, 6], vec![0]],
            ),
            (
                "gap closed, other order",
                vec![(2, 0, "a"), (1, 4, "a"), (1, 6, "a"), (1, 5, "a")],
                100,
                vec![vec![0], vec![4, 5, 6]],
            ),
            ("other section", vec![(1, 4, "a"), (1, 5, "b")], 100, vec![vec![4], vec![5]]),
            ("other document", vec![(1, 4, "a"), (2, 5, "a")], 100, vec![vec![4], vec![5]]),
            ("too long", vec![(1, 4, "a"), (1, 5, "a"), (1, 6, "a")], 20, vec![vec![4, 5], vec![6]]),
            ("gap too long", vec![(1, 4, "a"), (1, 6, "a"), (1, 5, "a")], 20, vec![vec![4, 5], vec![6]]),
            ("none", vec![], 20, vec![]),
        ] {
            assert_eq!(joined(&hits, max_tokens), expected, "{name}");
        }
    }

    /// Chunks 0 to 9 of one document, in sections as given.
    fn document(sections: [&[&str]; 10]) -> Vec<LiveChunk> {
        (0..)
            .zip(sections)
            .map(|(ordinal, path)| {
                let mut chunk = live(1, ordinal, &format!("text {ordinal}"));
                chunk.hit.heading_path = path.iter().map(|&title| title.to_owned()).collect();
                chunk
            })
            .collect()
    }

    #[test]
    fn a_passage_grows_in_its_section_first_and_then_into_those_beside_it() {
        let (a, b, c): (&[&str], &[&str], &[&str]) = (&["law", "a"], &["law", "b"], &["other"]);
        let around = document([c, a, a, b, b, b, a, a, c, c]);
        let none = HashSet::new();
        let taken = HashSet::from([around[3].hit.chunk_id]);
        for (name, hit, max_tokens, taken, expected) in [
            ("section", 4, 30, &none, vec![3, 4, 5]),
            ("after comes first", 4, 20, &none, vec![4, 5]),
            ("beside", 4, 50, &none, vec![2, 3, 4, 5, 6]),
            ("never another heading", 4, 1_000, &none, vec![1, 2, 3, 4, 5, 6, 7]),
            ("taken", 4, 1_000, &taken, vec![4, 5, 6, 7]),
            ("no room", 4, 5, &none, vec![4]),
            ("no common heading", 9, 1_000, &none, vec![8, 9]),
        ] {
            let widened = widen(Passage::of(around[hit].clone()), &around, max_tokens, taken);
            let found: Vec<i64> = widened.chunks.iter().map(|chunk| chunk.hit.ordinal).collect();
            assert_eq!(found, expected, "{name}");
            assert_eq!(
                widened.text,
                expected.iter().map(|n| format!("text {n}")).collect::<Vec<_>>().join("\n")
            );
        }
    }

    #[test]
    fn parts_of_a_table_are_one_table_and_their_lines_move_along() {
        let head = "| code | what |\n|---|---|";
        let line = |start: u32, end: u32| LineBox {
            start,
            end,
            bounds: anwen_contract::knowledge::BoundingBox { page: 1, x0: 0.0, y0: 0.0, x1: 1.0, y1: 1.0 },
        };
        let mut parts: Vec<LiveChunk> = [
            format!("Prices\n\n{head}\n| A1 | pump |"),
            format!("{head}\n| B2 | seal |\n| C3 | belt |"),
            "They hold for a year.".to_owned(),
        ]
        .iter()
        .zip(0..)
        .map(|(text, ordinal)| live(1, ordinal, text))
        .collect();
        let row = parts[1].hit.text.find("| B2").unwrap_or_default() as u32;
        parts[1].hit.lines = vec![line(0, 15), line(row + 2, row + 11)];
        let passage = widen(Passage::of(parts[1].clone()), &parts, 100, &HashSet::new());
        assert_eq!(
            passage.text,
            format!("Prices\n\n{head}\n| A1 | pump |\n| B2 | seal |\n| C3 | belt |\n\nThey hold for a year.")
        );
        let marked: Vec<&str> =
            passage.lines.iter().map(|line| &passage.text[line.start as usize..line.end as usize]).collect();
        assert_eq!(marked, ["B2 | seal"]);
    }

    #[test]
    fn what_overlaps_is_said_once() {
        let hits = vec![
            live(1, 0, "The pump runs. Check the seal every week."),
            live(1, 1, "Check the seal every week. Replace it yearly."),
            live(1, 2, "已经检查。"),
        ];
        let passages = join(hits, 100);
        assert_eq!(
            passages[0].text,
            "The pump runs. Check the seal every week. Replace it yearly.\n已经检查。"
        );
        assert_eq!(passages[0].tokens, 30);
    }
}
