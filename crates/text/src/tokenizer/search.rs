//! The best segmentation of a word: Viterbi over the pieces of the vocabulary.
//!
//! Candidates are visited by start and then by length, and replace a path only when they score strictly more, in
//! `f64`, as in `tokenizers`: ties and rounding fall the same way, and so the ids are the same.

use super::TokenizerError;
use super::alphabet::Codes;
use super::file::Piece;
use super::trie::Trie;
use super::words::{RememberedWords, WholeWords, Word, Words};
use crate::is_han;

/// A character without a piece scores this much below the worst piece.
const UNKNOWN_PENALTY: f64 = 10.0;

/// Longest piece, in characters, that a vocabulary may hold.
const PIECE_MAX_CHARS: usize = 255;

#[derive(Debug)]
pub(super) struct Pieces {
    trie: Trie,
    whole_words: WholeWords,
    /// By id.
    scores: Vec<f64>,
    /// In characters, by id; 1 for the unknown piece, which is taken a character at a time.
    lengths: Vec<u8>,
    unknown_id: u32,
    unknown_score: f64,
    max_length: usize,
}

/// Buffers of [`Pieces::best_path`]. They belong to the vocabulary that they were first used with.
#[derive(Debug, Default)]
pub(super) struct SearchScratch {
    remembered: RememberedWords,
    /// Id of the last piece of the best path that ends at each position.
    best_id: Vec<u32>,
    /// Scores of the best paths that end at the current position and at those within reach of it: a ring, so that
    /// the memory of a long word is four bytes a character.
    scores: Vec<f64>,
    ids: Vec<u32>,
}

impl Pieces {
    pub(super) fn build(
        pieces: &[Piece<'_>],
        unknown_id: u32,
        codes: &Codes,
    ) -> Result<Self, TokenizerError> {
        let worst = pieces.iter().map(|piece| piece.score).fold(f64::INFINITY, f64::min);
        let unknown_score = worst - UNKNOWN_PENALTY;
        if !worst.is_finite() || unknown_score >= 0.0 {
            // Then a run of unknown characters could outscore the piece that spells it.
            return Err(TokenizerError::Unsupported(
                "piece scores that are not log probabilities".to_owned(),
            ));
        }
        let mut symbols = Vec::new();
        let mut ends = Vec::with_capacity(pieces.len());
        let mut lengths = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let start = symbols.len();
            symbols.extend(piece.text.chars().map(|c| codes.of(c)));
            let length = symbols.len() - start;
            if length > PIECE_MAX_CHARS {
                return Err(TokenizerError::Invalid("a piece is too long"));
            }
            ends.push(symbols.len());
            lengths.push(length as u8);
        }
        let mut keys: Vec<(&[u16], u32)> = Vec::with_capacity(pieces.len());
        let mut start = 0;
        for (&end, id) in ends.iter().zip(0..) {
            if end > start {
                keys.push((&symbols[start..end], id));
            }
            start = end;
        }
        // Of pieces that are spelled alike the last one counts.
        keys.sort_unstable_by(|a, b| a.0.cmp(b.0).then(b.1.cmp(&a.1)));
        keys.dedup_by(|later, first| later.0 == first.0);
        let trie = Trie::build(&keys);
        let max_length = lengths.iter().copied().max().map_or(1, usize::from).max(1);
        lengths[unknown_id as usize] = 1;
        let mut built = Self {
            trie,
            whole_words: WholeWords::default(),
            scores: pieces.iter().map(|piece| piece.score).collect(),
            lengths,
            unknown_id,
            unknown_score,
            max_length,
        };
        let mut scratch = SearchScratch::default();
        keys.retain(|&(word, id)| {
            !pieces[id as usize].text.contains(is_han) && built.searched_path(word, &mut scratch) == [id]
        });
        built.whole_words = WholeWords::build(&keys);
        Ok(built)
    }

    pub(super) fn len(&self) -> usize {
        self.scores.len()
    }

    pub(super) fn unknown_id(&self) -> u32 {
        self.unknown_id
    }

    /// Reads what [`Self::best_path`] will look at first for each of `words`.
    pub(super) fn fetch(&self, words: &Words) {
        self.whole_words.fetch(words);
    }

    /// Ids of the best segmentation of `word`; neighbouring unknown characters give one id.
    pub(super) fn best_path<'s>(&'s self, word: Word<'_>, scratch: &'s mut SearchScratch) -> &'s [u32] {
        if let Some(id) = self.whole_words.find(&word) {
            return std::slice::from_ref(id);
        }
        let Some(slot) = scratch.remembered.slot(&word) else {
            return self.searched_path(word.symbols, scratch);
        };
        if !scratch.remembered.holds(slot, word.symbols) {
            self.searched_path(word.symbols, scratch);
            scratch.remembered.remember(slot, word.symbols, &scratch.ids);
            return &scratch.ids;
        }
        scratch.remembered.ids(slot)
    }

    /// The same by searching.
    fn searched_path<'s>(&self, word: &[u16], scratch: &'s mut SearchScratch) -> &'s [u32] {
        let SearchScratch { best_id, scores, ids, .. } = scratch;
        self.search(word, best_id, scores);
        ids.clear();
        let mut end = word.len();
        while end > 0 {
            let id = best_id[end];
            if id != self.unknown_id || ids.last() != Some(&id) {
                ids.push(id);
            }
            end -= usize::from(self.lengths[id as usize]);
        }
        ids.reverse();
        ids
    }

    fn search(&self, word: &[u16], best_id: &mut Vec<u32>, scores: &mut Vec<f64>) {
        let ring = (self.max_length + 1).next_power_of_two();
        let mask = ring - 1;
        scores.clear();
        scores.resize(ring, f64::NEG_INFINITY);
        scores[0] = 0.0;
        best_id.clear();
        best_id.resize(word.len() + 1, self.unknown_id);
        for start in 0..word.len() {
            let score_here = scores[start & mask];
            // From here on its slot stands for the position one turn of the ring ahead.
            scores[start & mask] = f64::NEG_INFINITY;
            let mut has_single = false;
            let mut at = Trie::ROOT;
            let mut end = start;
            while let Some(next) = word.get(end).and_then(|&symbol| self.trie.child(at, symbol)) {
                at = next;
                end += 1;
                if let Some(id) = self.trie.id(at) {
                    let candidate = self.scores[id as usize] + score_here;
                    if candidate > scores[end & mask] {
                        scores[end & mask] = candidate;
                        best_id[end] = id;
                    }
                    has_single |= end == start + 1;
                }
            }
            if !has_single {
                let candidate = self.unknown_score + score_here;
                let slot = (start + 1) & mask;
                if candidate > scores[slot] {
                    scores[slot] = candidate;
                    best_id[start + 1] = self.unknown_id;
                }
            }
        }
    }
}
