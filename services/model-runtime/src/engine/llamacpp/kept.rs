//! Conversations that were moved out of llama.cpp's memory, to be put back when they go on or another begins alike.
//!
//! A conversation in llama.cpp's memory has a stream of the full context's size to itself. Here it takes what it really
//! has, so that more of them are remembered than can run.

use std::collections::VecDeque;
use std::rc::Rc;

use super::sequences::{Token, usable_prefix};

/// What a conversation's keys and values are kept as.
pub trait Size {
    fn byte_len(&self) -> usize;
}

impl Size for llama_cpp_2::context::session::SeqState {
    fn byte_len(&self) -> usize {
        self.byte_len()
    }
}

struct Entry<S> {
    tokens: Vec<Token>,
    state: Rc<S>,
}

/// Kept conversations, the one unused for longest first.
pub struct Kept<S> {
    entries: VecDeque<Entry<S>>,
    max_entries: usize,
    max_bytes: usize,
}

/// A kept conversation that a prompt begins like.
pub struct Found<S> {
    pub state: Rc<S>,
    /// Tokens that the state holds.
    pub held: usize,
    /// Leading tokens that both have.
    pub shared: usize,
}

impl<S: Size> Kept<S> {
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self { entries: VecDeque::new(), max_entries, max_bytes }
    }

    /// Leading tokens that `prompt` shares with the kept conversation that has most of them. A conversation that cannot be
    /// divided counts only when the prompt goes on where it ends.
    pub fn shared(&self, prompt: &[Token], divisible: bool) -> usize {
        self.best(prompt, divisible).map_or(0, |(_, shared)| shared)
    }

    /// The conversation that [`Kept::shared`] speaks of. One that the prompt continues is no longer kept.
    pub fn find(&mut self, prompt: &[Token], divisible: bool) -> Option<Found<S>> {
        let (index, shared) = self.best(prompt, divisible).filter(|(_, shared)| *shared > 0)?;
        let entry = self.entries.remove(index)?;
        let found = Found { state: Rc::clone(&entry.state), held: entry.tokens.len(), shared };
        if shared < entry.tokens.len() {
            self.entries.push_back(entry);
        }
        Some(found)
    }

    fn best(&self, prompt: &[Token], divisible: bool) -> Option<(usize, usize)> {
        let shared_with = |entry: &Entry<S>| usable_prefix(&entry.tokens, prompt, divisible);
        let all = self.entries.iter().enumerate();
        all.map(|(index, entry)| (index, shared_with(entry))).max_by_key(|(_, shared)| *shared)
    }

    /// Whether a conversation of so many bytes could be kept at all.
    pub fn takes(&self, bytes: usize) -> bool {
        self.max_entries > 0 && bytes <= self.max_bytes
    }

    /// Keeps a conversation, in the place of those that it contains and, where room is short, of the oldest.
    pub fn put(&mut self, tokens: Vec<Token>, state: S) {
        if !self.takes(state.byte_len()) {
            return;
        }
        self.entries.retain(|entry| !tokens.starts_with(&entry.tokens));
        self.entries.push_back(Entry { tokens, state: Rc::new(state) });
        while self.entries.len() > self.max_entries || self.bytes() > self.max_bytes {
            self.entries.pop_front();
        }
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.state.byte_len()).sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    impl Size for Vec<u8> {
        fn byte_len(&self) -> usize {
            self.len()
        }
    }

    fn kept(max_entries: usize, max_bytes: usize, all: &[&[Token]]) -> Kept<Vec<u8>> {
        let mut kept = Kept::new(max_entries, max_bytes);
        for tokens in all {
            kept.put(tokens.to_vec(), vec![0; tokens.len()]);
        }
        kept
    }

    #[test]
    fn the_conversation_with_most_in_common_is_found_and_stays_unless_it_goes_on() {
        let mut kept = kept(8, 100, &[&[1, 2], &[1, 2, 3, 4], &[9]]);
        // The third contains the first two tokens, so that the shorter one went.
        assert_eq!(kept.entries.len(), 2);
        let found = kept.find(&[1, 2, 3, 7], true).unwrap();
        assert_eq!((found.held, found.shared), (4, 3));
        assert_eq!(kept.shared(&[1, 2, 3, 4, 5], true), 4);
        assert_eq!(kept.find(&[1, 2, 3, 4, 5], true).unwrap().shared, 4);
        assert_eq!(kept.shared(&[1, 2, 3, 4, 5], true), 0);
        assert!(kept.find(&[5], true).is_none());
    }

    #[test]
    fn the_last_token_of_a_prompt_is_never_taken_from_memory() {
        assert_eq!(kept(8, 100, &[&[1, 2, 3]]).shared(&[1, 2, 3], true), 2);
    }

    #[test]
    fn what_cannot_be_divided_is_continued_whole_or_not_at_all() {
        let kept = kept(8, 100, &[&[1, 2, 3]]);
        assert_eq!(kept.shared(&[1, 2, 9], false), 0);
        assert_eq!(kept.shared(&[1, 2, 3, 4], false), 3);
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many_or_too_many_bytes() {
        let by_count = kept(2, 100, &[&[1], &[2], &[3]]);
        assert_eq!((by_count.shared(&[1, 0], true), by_count.shared(&[3, 0], true)), (0, 1));
        let by_bytes = kept(8, 5, &[&[1, 1], &[2, 2], &[3, 3]]);
        assert_eq!((by_bytes.shared(&[1, 1, 0], true), by_bytes.shared(&[2, 2, 0], true)), (0, 2));
    }

    #[test]
    fn nothing_is_kept_that_is_larger_than_all_may_be() {
        let kept = kept(8, 2, &[&[1, 2, 3]]);
        assert_eq!(kept.shared(&[1, 2, 3, 4], true), 0);
        assert!(!kept.takes(3) && kept.takes(2));
        assert!(!Kept::<Vec<u8>>::new(0, 10).takes(1));
    }
}
