//! Joining hits that stand next to each other in their document.

use super::LiveChunk;

/// Fewer common bytes at a seam are coincidence, not overlap.
const MIN_OVERLAP_BYTES: usize = 12;

/// One passage of a document: a hit, or several neighbouring ones as one text.
#[derive(Debug, Clone)]
pub struct Passage {
    /// In reading order. The best of them gives the passage its score.
    pub chunks: Vec<LiveChunk>,
    /// The chunks' texts in reading order, what overlaps said once.
    pub text: String,
    /// Sum of the chunks' tokens: what the text takes at most.
    pub tokens: u32,
}

impl Passage {
    fn of(chunk: LiveChunk) -> Self {
        Self { text: chunk.hit.text.clone(), tokens: chunk.tokens, chunks: vec![chunk] }
    }

    /// The highest score among the chunks.
    pub fn score(&self) -> f32 {
        self.chunks.iter().map(|chunk| chunk.hit.score).fold(f32::NEG_INFINITY, f32::max)
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
    let overlap = overlap(&passage.text, &next.text);
    if overlap == 0 {
        passage.text.push('\n');
    }
    passage.text.push_str(&next.text[overlap..]);
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
