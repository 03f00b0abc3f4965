//! Words with their pieces, found by one look instead of a search: those of the vocabulary, and the others met most.

use std::hint::black_box;

use super::alphabet::Kind;

/// Longest word, in characters, that is in the vocabulary's table.
const WHOLE_MAX_CHARS: usize = 13;

/// Words that are gathered before they are looked up: where they lie in memory is then asked for at once, and not for each
/// when its turn comes.
const GATHERED_WORDS: usize = 64;

/// FNV-1a, over symbols.
const HASH_OF_NOTHING: u64 = 0xCBF2_9CE4_8422_2325;
const HASH_FACTOR: u64 = 0x0000_0100_0000_01B3;

/// A word of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub symbols: &'a [u16],
    pub kind: Kind,
    /// Where it begins to be looked for.
    pub hash: u64,
}

fn hash_of(word: &[u16]) -> u64 {
    let mut words = Words::default();
    word.iter().for_each(|&symbol| words.push(symbol));
    words.end(Kind::Letter);
    words.words[0].1
}

/// Words of a text, one after the other.
#[derive(Debug)]
pub(super) struct Words {
    symbols: Vec<u16>,
    /// Kind, hash and end of each.
    words: Vec<(Kind, u64, usize)>,
    /// Of the symbols behind the last word.
    hash: u64,
}

impl Default for Words {
    fn default() -> Self {
        Self { symbols: Vec::new(), words: Vec::with_capacity(GATHERED_WORDS), hash: HASH_OF_NOTHING }
    }
}

impl Words {
    pub(super) fn clear(&mut self) {
        self.symbols.clear();
        self.words.clear();
        self.hash = HASH_OF_NOTHING;
    }

    /// One more symbol of a word that has not ended.
    #[inline]
    pub(super) fn push(&mut self, symbol: u16) {
        self.symbols.push(symbol);
        self.hash = (self.hash ^ u64::from(symbol)).wrapping_mul(HASH_FACTOR);
    }

    /// The word that has not ended does so, if there is one.
    #[inline]
    pub(super) fn end(&mut self, kind: Kind) {
        if kind != Kind::Separator {
            // Folded once, because the low bits alone are weak.
            self.words.push((kind, self.hash ^ (self.hash >> 32), self.symbols.len()));
            self.hash = HASH_OF_NOTHING;
        }
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.words.len() >= GATHERED_WORDS
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Word<'_>> {
        let mut start = 0;
        self.words.iter().map(move |&(kind, hash, end)| {
            let symbols = &self.symbols[start..end];
            start = end;
            Word { symbols, kind, hash }
        })
    }
}

/// The words that are one piece and have no better segmentation, which is most words of a text in letters. Runs of Han
/// are not among them: they are whole clauses and hardly ever one piece.
#[derive(Debug, Default)]
pub(super) struct WholeWords {
    /// Open addressing; at most half of the slots are taken, and their number is a power of two.
    slots: Vec<WholeWord>,
}

/// Half a cache line, and never on two.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct WholeWord {
    id: u32,
    /// 0 for a free slot.
    length: u8,
    symbols: [u16; WHOLE_MAX_CHARS],
}

impl WholeWord {
    fn spells(&self, word: &[u16]) -> bool {
        usize::from(self.length) == word.len() && self.symbols[..word.len()] == *word
    }
}

impl WholeWords {
    /// `words` are different from each other and not empty; longer ones than fit are left out.
    pub(super) fn build(words: &[(&[u16], u32)]) -> Self {
        let mut table = Self { slots: vec![WholeWord::default(); (words.len() * 2).next_power_of_two()] };
        for &(word, id) in words.iter().filter(|(word, _)| word.len() <= WHOLE_MAX_CHARS) {
            let slot = table.slot(word);
            let entry = &mut table.slots[slot];
            entry.id = id;
            entry.length = word.len() as u8;
            entry.symbols[..word.len()].copy_from_slice(word);
        }
        table
    }

    /// Whether `word` can be in the table.
    #[inline]
    fn may_hold(word: &Word<'_>) -> bool {
        word.symbols.len() <= WHOLE_MAX_CHARS && !matches!(word.kind, Kind::HanLetter | Kind::HanNumber)
    }

    /// Reads where each of `words` begins to be looked for. None of the reads waits for another one.
    pub(super) fn fetch(&self, words: &Words) {
        let Some(mask) = self.slots.len().checked_sub(1) else { return };
        let held = words.iter().filter(Self::may_hold);
        black_box(held.fold(0, |read, word| read ^ self.slots[word.hash as usize & mask].length));
    }

    /// The piece that is the whole of `word`.
    #[inline]
    pub(super) fn find(&self, word: &Word<'_>) -> Option<&u32> {
        if !Self::may_hold(word) {
            return None;
        }
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = word.hash as usize;
        loop {
            slot &= mask;
            let entry = self.slots.get(slot)?;
            if entry.length == 0 {
                return None;
            }
            if entry.spells(word.symbols) {
                return Some(&entry.id);
            }
            slot += 1;
        }
    }

    /// Where `word` is or would be.
    fn slot(&self, word: &[u16]) -> usize {
        let mut slot = hash_of(word) as usize;
        loop {
            slot &= self.slots.len() - 1;
            let entry = &self.slots[slot];
            if entry.length == 0 || entry.spells(word) {
                return slot;
            }
            slot += 1;
        }
    }
}

/// Longest word, in characters, that is remembered.
const REMEMBERED_MAX_CHARS: usize = 12;
/// Most pieces of a word that is remembered.
const REMEMBERED_MAX_PIECES: usize = 3;
/// Words that are remembered at a time; a power of two.
const REMEMBERED_WORDS: usize = 4096;
/// Words after which remembering pays: a single question never gets there.
const REMEMBER_AFTER_WORDS: usize = 512;

/// Short words with their pieces, so that the few words that make up most of a text are looked up and not searched.
#[derive(Debug, Default)]
pub(super) struct RememberedWords {
    seen: usize,
    words: Vec<RememberedWord>,
}

#[derive(Clone, Copy, Debug, Default)]
struct RememberedWord {
    /// 0 for a free slot.
    length: u8,
    count: u8,
    symbols: [u16; REMEMBERED_MAX_CHARS],
    ids: [u32; REMEMBERED_MAX_PIECES],
}

impl RememberedWords {
    /// Where `word` is or would be remembered.
    pub(super) fn slot(&mut self, word: &Word<'_>) -> Option<usize> {
        if word.symbols.len() > REMEMBERED_MAX_CHARS {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        if self.seen < REMEMBER_AFTER_WORDS {
            return None;
        }
        if self.words.is_empty() {
            self.words = vec![RememberedWord::default(); REMEMBERED_WORDS];
        }
        Some(word.hash as usize % REMEMBERED_WORDS)
    }

    pub(super) fn holds(&self, slot: usize, word: &[u16]) -> bool {
        let remembered = &self.words[slot];
        usize::from(remembered.length) == word.len() && remembered.symbols[..word.len()] == *word
    }

    pub(super) fn ids(&self, slot: usize) -> &[u32] {
        let remembered = &self.words[slot];
        &remembered.ids[..usize::from(remembered.count)]
    }

    pub(super) fn remember(&mut self, slot: usize, word: &[u16], ids: &[u32]) {
        if ids.len() > REMEMBERED_MAX_PIECES {
            return;
        }
        let remembered = &mut self.words[slot];
        remembered.length = word.len() as u8;
        remembered.count = ids.len() as u8;
        remembered.symbols[..word.len()].copy_from_slice(word);
        remembered.ids[..ids.len()].copy_from_slice(ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_word(symbols: &[u16]) -> Word<'_> {
        Word { symbols, kind: Kind::Letter, hash: hash_of(symbols) }
    }

    #[test]
    fn whole_words_are_found_and_nothing_else() {
        let words: Vec<Vec<u16>> =
            (1..=400u16).map(|n| (1..=n % 13 + 1).map(|at| n / at).collect()).collect();
        let mut unique: Vec<&[u16]> = words.iter().map(Vec::as_slice).collect();
        unique.sort_unstable();
        unique.dedup();
        let entries: Vec<(&[u16], u32)> = unique.iter().copied().zip(7..).collect();
        let table = WholeWords::build(&entries);
        for &(word, id) in &entries {
            assert_eq!(table.find(&as_word(word)), Some(&id), "{word:?}");
            let longer: Vec<u16> = word.iter().copied().chain([9999]).collect();
            assert_eq!(table.find(&as_word(&longer)), None, "{longer:?}");
        }
        assert_eq!(WholeWords::default().find(&as_word(&[1])), None);
    }
}
