//! Which conversations lie in the memory of keys and values, and which of them a new prompt continues.
//!
//! Each sequence has a stream of cells to itself. So a prompt takes over what it continues, and copies what it merely
//! shares with another, which costs far less than computing it.

/// A token of the model's vocabulary.
pub type Token = i32;

/// Copying moves all that the source holds, however little of it is shared: computing a token costs as much as moving
/// some hundreds.
const MOVED_FOR_ONE_COMPUTED: usize = 64;

/// One sequence of llama.cpp's memory.
#[derive(Clone, Debug, Default)]
struct Sequence {
    /// Tokens whose keys and values are there, by position.
    tokens: Vec<Token>,
    busy: bool,
    /// Larger is later.
    used_at: u64,
}

/// The sequences of a context.
#[derive(Debug)]
pub struct Sequences {
    all: Vec<Sequence>,
    clock: u64,
    /// Whether part of a sequence can be kept or copied; recurrent models have one state for all of it.
    divisible: bool,
}

/// How a prompt starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The sequence that it takes.
    pub sequence: usize,
    /// Where its beginning lies: in the sequence itself or another one.
    pub source: usize,
    /// Leading tokens that are there.
    pub shared: usize,
}

impl Sequences {
    pub fn new(count: usize, divisible: bool) -> Self {
        Self { all: vec![Sequence::default(); count], clock: 0, divisible }
    }

    /// The tokens of `sequence` whose keys and values are there.
    pub fn tokens(&self, sequence: usize) -> &[Token] {
        &self.all[sequence].tokens
    }

    /// How `prompt` starts best; `None` while every sequence is busy. The last token is never counted as shared, since
    /// its probabilities are needed.
    pub fn best_start(&self, prompt: &[Token]) -> Option<Start> {
        let shared_with = |index: usize| usable_prefix(&self.all[index].tokens, prompt, self.divisible);
        let idle = || (0..self.all.len()).filter(|&index| !self.all[index].busy);
        // Ties go to the sequence unused for longest.
        let continued =
            idle().max_by_key(|&index| (shared_with(index), std::cmp::Reverse(self.all[index].used_at)))?;
        let longest = (0..self.all.len()).max_by_key(|&index| shared_with(index))?;
        let shared = shared_with(longest);
        if shared == 0 {
            return self.emptiest().map(|sequence| Start { sequence, source: sequence, shared });
        }
        let held = self.all[continued].tokens.len();
        // Taking over a conversation that goes on quite differently would throw its rest away.
        let continues = shared_with(continued) == shared && (shared * 2 >= held || !self.divisible);
        if continues || !self.divisible {
            return Some(Start { sequence: continued, source: continued, shared: shared_with(continued) });
        }
        let source = if shared_with(continued) == shared { continued } else { longest };
        if shared * MOVED_FOR_ONE_COMPUTED < self.all[source].tokens.len() {
            let sequence = self.emptiest()?;
            return Some(Start { sequence, source: sequence, shared: shared_with(sequence) });
        }
        let others = idle().filter(|&index| index != source);
        let sequence = others.min_by_key(|&index| self.cost(index)).unwrap_or(continued);
        if sequence == continued {
            // No other is free: its own beginning, or what another one has.
            let source = if self.all[source].busy { source } else { sequence };
            return Some(Start { sequence, source, shared: shared_with(source) });
        }
        Some(Start { sequence, source, shared })
    }

    /// Whether part of a sequence can be kept or copied.
    pub fn is_divisible(&self) -> bool {
        self.divisible
    }

    /// The idle sequence whose place costs least: an empty one, or the one unused for longest.
    pub fn emptiest(&self) -> Option<usize> {
        (0..self.all.len()).filter(|&index| !self.all[index].busy).min_by_key(|&index| self.cost(index))
    }

    /// By this, smaller first, sequences give up their places.
    fn cost(&self, index: usize) -> (bool, u64) {
        (!self.all[index].tokens.is_empty(), self.all[index].used_at)
    }

    /// Notes that an idle `sequence` holds just `tokens`.
    pub fn set(&mut self, sequence: usize, tokens: &[Token]) {
        self.all[sequence].tokens = tokens.to_vec();
    }

    /// Notes that `start` was done.
    pub fn begin(&mut self, start: Start) {
        let tokens = self.all[start.source].tokens[..start.shared].to_vec();
        self.clock += 1;
        self.all[start.sequence] = Sequence { tokens, busy: true, used_at: self.clock };
    }

    /// Notes that the keys and values of `tokens` were added to `sequence`.
    pub fn extend(&mut self, sequence: usize, tokens: &[Token]) {
        self.all[sequence].tokens.extend_from_slice(tokens);
    }

    /// `sequence` is idle from now on; what it holds stays.
    pub fn release(&mut self, sequence: usize) {
        self.clock += 1;
        self.all[sequence].busy = false;
        self.all[sequence].used_at = self.clock;
    }

    /// Notes that `sequence` holds nothing any more, and is idle.
    pub fn clear(&mut self, sequence: usize) {
        self.all[sequence] = Sequence::default();
    }

    /// Number of sequences.
    pub fn count(&self) -> usize {
        self.all.len()
    }
}

/// Leading tokens of `prompt` that need not be computed where `held` lies in memory; never its last one, whose
/// probabilities are needed. What is not `divisible` is continued whole or not at all.
pub fn usable_prefix(held: &[Token], prompt: &[Token], divisible: bool) -> usize {
    let shared = common_prefix(held, prompt).min(prompt.len().saturating_sub(1));
    if divisible || shared == held.len() { shared } else { 0 }
}

/// Leading tokens that both have.
pub fn common_prefix(a: &[Token], b: &[Token]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Sequences that hold `held` and are idle, but for those in `busy`.
    fn sequences(held: &[&[Token]], busy: &[usize], divisible: bool) -> Sequences {
        let mut sequences = Sequences::new(held.len(), divisible);
        for (index, tokens) in held.iter().enumerate() {
            sequences.begin(Start { sequence: index, source: index, shared: 0 });
            sequences.extend(index, tokens);
            if !busy.contains(&index) {
                sequences.release(index);
            }
        }
        sequences
    }

    #[test]
    fn a_prompt_starts_where_most_of_it_lies() {
        for (held, busy, divisible, prompt, expected) in [
            // The next turn of a conversation takes it over.
            (vec![&[1, 2, 3][..], &[7, 8][..]], vec![], true, vec![1, 2, 3, 4], (0, 0, 3)),
            // The same prompt again: all but its last token.
            (vec![&[1, 2, 3], &[]], vec![], true, vec![1, 2, 3], (0, 0, 2)),
            // Only the beginning in common: copied into an empty one, the other stays whole.
            (vec![&[1, 2, 3, 4, 5, 6], &[]], vec![], true, vec![1, 2, 9], (1, 0, 2)),
            // A busy one is copied from.
            (vec![&[1, 2, 3], &[]], vec![0], true, vec![1, 2, 3, 4], (1, 0, 3)),
            // Nothing in common: an empty one, before one that holds something.
            (vec![&[5, 6], &[]], vec![], true, vec![1, 2], (1, 1, 0)),
            // Nothing in common and none empty: the one unused for longest.
            (vec![&[5, 6], &[7, 8]], vec![], true, vec![1, 2], (0, 0, 0)),
            // The only idle one is taken, whatever it holds.
            (vec![&[1, 2, 3, 4, 5, 6], &[9]], vec![1], true, vec![1, 2, 8], (0, 0, 2)),
            // A state that cannot be divided is continued whole or not at all.
            (vec![&[1, 2, 3], &[]], vec![], false, vec![1, 2, 3, 4], (0, 0, 3)),
            (vec![&[1, 2, 3], &[]], vec![], false, vec![1, 2, 9], (1, 1, 0)),
        ] {
            let start = sequences(&held, &busy, divisible).best_start(&prompt).unwrap();
            let found = (start.sequence, start.source, start.shared);
            // Where nothing is shared, the source means nothing.
            let same = found == expected || (found.0 == expected.0 && found.2 == 0 && expected.2 == 0);
            assert!(same, "{held:?} busy {busy:?} prompt {prompt:?}: {found:?} and not {expected:?}");
        }
    }

    #[test]
    fn nothing_starts_while_all_are_busy() {
        assert_eq!(sequences(&[&[1], &[2]], &[0, 1], true).best_start(&[1, 2]), None);
    }

    #[test]
    fn a_little_in_common_with_much_is_computed_and_not_copied() {
        let long: Vec<Token> = (0..500).collect();
        let start = sequences(&[&long, &[]], &[], true).best_start(&[0, 1, 2, 900]).unwrap();
        assert_eq!(start, Start { sequence: 1, source: 1, shared: 0 });
        let start =
            sequences(&[&long, &[]], &[], true).best_start(&[long[..100].to_vec(), vec![900]].concat());
        assert_eq!(start, Some(Start { sequence: 1, source: 0, shared: 100 }));
    }

    #[test]
    fn an_empty_place_goes_first_then_the_one_unused_for_longest() {
        let mut sequences = sequences(&[&[1], &[2], &[3]], &[0], true);
        assert_eq!(sequences.emptiest(), Some(1));
        sequences.clear(2);
        assert_eq!(sequences.emptiest(), Some(2));
        sequences.set(2, &[7]);
        assert_eq!(sequences.tokens(2), [7]);
    }
}
