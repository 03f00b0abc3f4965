//! The Unigram tokenizer of the bundled embedding: token ids identical to those of Hugging Face `tokenizers`,
//! in a fraction of its time and memory.
//!
//! It reads the one shape of `tokenizer.json` that this family of models uses and refuses every other: NFKC,
//! lower case and a precompiled character map; runs of Han, of letters and of numbers as words; a Unigram
//! vocabulary. `tokenizers` builds the normalised text with alignments, a string per word and a string per piece.
//! Here a table says for each character of the *original* text which symbols it becomes, and the search for the
//! best path runs over those symbols; only around characters that interact with their neighbours (combining marks,
//! emoji, rare scripts) is the text normalised as such.

mod alphabet;
mod charsmap;
mod file;
mod search;
mod trie;
mod words;

use std::path::Path;

use alphabet::{Alphabet, Kind};
use search::Pieces;
use words::Words;

/// Why a tokenizer file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    #[error("cannot read the tokenizer file: {0}")]
    Io(#[from] std::io::Error),
    #[error("the tokenizer file is not valid: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the tokenizer file is not valid: {0}")]
    Invalid(&'static str),
    #[error("the tokenizer file asks for what this reader does not do: {0}")]
    Unsupported(String),
}

/// Buffers that calls share so that none allocates once they have grown, and the words met most. One per thread and
/// tokenizer: what it remembers belongs to the tokenizer that it is used with.
#[derive(Debug, Default)]
pub struct TokenizerScratch {
    words: Words,
    search: search::SearchScratch,
}

/// A Unigram tokenizer; immutable and shared freely between threads.
#[derive(Debug)]
pub struct UnigramTokenizer {
    alphabet: Alphabet,
    pieces: Pieces,
    median_piece_bytes: usize,
}

impl UnigramTokenizer {
    /// Reads a `tokenizer.json`.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        Self::from_bytes(&std::fs::read(path)?)
    }

    /// Reads the bytes of a `tokenizer.json`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let definition = file::Definition::parse(bytes)?;
        let codes = alphabet::Codes::of_pieces(&definition.pieces)?;
        let pieces = Pieces::build(&definition.pieces, definition.unknown_id, &codes)?;
        let mut lengths: Vec<usize> = definition.pieces.iter().map(|piece| piece.text.len()).collect();
        lengths.sort_unstable();
        let median_piece_bytes = lengths.get(lengths.len() / 2).copied().unwrap_or(1);
        Ok(Self { alphabet: Alphabet::build(codes, definition.charsmap), pieces, median_piece_bytes })
    }

    /// Number of pieces, the unknown one included.
    pub fn vocabulary_size(&self) -> usize {
        self.pieces.len()
    }

    /// The id that stands for a run of characters without a piece.
    pub fn unknown_id(&self) -> u32 {
        self.pieces.unknown_id()
    }

    /// Median length of a piece in bytes; Model2Vec estimates from it how much text can matter.
    pub fn median_piece_bytes(&self) -> usize {
        self.median_piece_bytes
    }

    /// Token ids of `text`, without special tokens.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.encode_into(text, &mut TokenizerScratch::default(), &mut ids);
        ids
    }

    /// Appends the token ids of `text` to `ids`.
    pub fn encode_into(&self, text: &str, scratch: &mut TokenizerScratch, ids: &mut Vec<u32>) {
        self.for_each_word(text, scratch, |word_ids| ids.extend_from_slice(word_ids));
    }

    /// Number of tokens in `text`.
    pub fn count_tokens(&self, text: &str) -> usize {
        self.count_tokens_with(text, &mut TokenizerScratch::default())
    }

    /// [`Self::count_tokens`] with buffers that the caller keeps.
    pub fn count_tokens_with(&self, text: &str, scratch: &mut TokenizerScratch) -> usize {
        let mut count = 0;
        self.for_each_word(text, scratch, |word_ids| count += word_ids.len());
        count
    }
    /// Calls `emit` with the ids of each word of `text` in turn.
    fn for_each_word(&self, text: &str, scratch: &mut TokenizerScratch, mut emit: impl FnMut(&[u32])) {
        let TokenizerScratch { words, search } = scratch;
        words.clear();
        let mut run_kind = Kind::Separator;
        self.alphabet.for_each_symbol(text, |kind, symbol| {
            if kind != run_kind {
                words.end(run_kind);
                if words.is_full() {
                    self.look_up(words, search, &mut emit);
                }
                run_kind = kind;
            }
            if kind != Kind::Separator {
                words.push(symbol);
            }
        });
        words.end(run_kind);
        self.look_up(words, search, &mut emit);
    }

    /// Calls `emit` with the ids of each of `words`, and empties it.
    #[inline(never)]
    fn look_up(&self, words: &mut Words, search: &mut search::SearchScratch, emit: &mut impl FnMut(&[u32])) {
        self.pieces.fetch(words);
        for word in words.iter() {
            emit(self.pieces.best_path(word, search));
        }
        words.clear();
    }
}
