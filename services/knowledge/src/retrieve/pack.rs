//! What fits into a prompt.

use super::LiveChunk;
use super::collapse::{Collapser, Scope};
use super::neighbours::{Passage, join};

/// Room for passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// All passages together.
    pub tokens: u32,
    /// One passage, joined from neighbours.
    pub passage_tokens: u32,
}

/// The passages that fit, best first, and how many hits did not make it.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    pub passages: Vec<Passage>,
    pub tokens: u32,
    /// Hits that repeat a better one.
    pub repeated: usize,
    /// Hits of passages that the budget had no room for.
    pub without_room: usize,
}

/// Chooses from `hits`, best first: repetitions go, neighbours join, and passages are taken in their order as long
/// as they fit. A passage that does not fit is left out whole, and a later, shorter one may still be taken.
pub fn pack(hits: Vec<LiveChunk>, budget: Budget) -> Packed {
    let mut packed = Packed::default();
    let mut collapser = Collapser::new(Scope::AcrossDocuments);
    let found = hits.len();
    let different: Vec<LiveChunk> =
        hits.into_iter().filter(|chunk| collapser.keep(chunk.hit.document_id, &chunk.hit.text)).collect();
    packed.repeated = found - different.len();
    for passage in join(different, budget.passage_tokens) {
        let tokens = packed.tokens.saturating_add(passage.tokens);
        if tokens <= budget.tokens {
            packed.tokens = tokens;
            packed.passages.push(passage);
        } else {
            packed.without_room += passage.chunks.len();
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieve::testing::live;

    #[test]
    fn what_does_not_fit_is_counted_and_never_cut() {
        // Each chunk takes 10 tokens.
        let hits = vec![
            live(1, 4, "the first passage is about pumps"),
            live(1, 5, "it goes on about their seals"),
            live(2, 0, "another document speaks of valves"),
            live(3, 7, "The first passage is about PUMPS!"),
        ];
        for (tokens, passage_tokens, sizes, repeated, without_room) in [
            (100, 100, vec![2, 1], 1, 0),
            (25, 100, vec![2], 1, 1),
            (15, 100, vec![1], 1, 2),
            (25, 10, vec![1, 1], 1, 1),
            (5, 100, vec![], 1, 3),
        ] {
            let packed = pack(hits.clone(), Budget { tokens, passage_tokens });
            let found: Vec<usize> = packed.passages.iter().map(|passage| passage.chunks.len()).collect();
            assert_eq!(found, sizes, "budget {tokens}/{passage_tokens}");
            assert_eq!(
                (packed.repeated, packed.without_room),
                (repeated, without_room),
                "budget {tokens}/{passage_tokens}"
            );
            assert!(packed.tokens <= tokens);
        }
    }
}
