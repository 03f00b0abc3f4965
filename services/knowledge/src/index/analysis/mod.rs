//! From text to index terms: one chain for documents and for questions.
//!
//! NFKC, lower case, diacritics off Latin letters and traditional Chinese as simplified ([`folding`]); then runs of
//! Han characters are cut into words by jieba, with the shorter words inside a long one as further terms; Latin
//! words are stemmed (Snowball English) and stop words left out; codes are kept whole and also taken apart
//! ([`codes`]); the label of an article is one term in every spelling (第十二条, 第12条, Article 12). The stop words are Lucene's English ones; Chinese has none, since BM25's term weights already
//! make its function words count for little (measured: no list was better).
//!
//! The chain's result is written into the index, so a change to it needs a new [`ANALYSIS_VERSION`].

mod codes;
mod folding;

use std::ops::Range;

use anwen_text::is_han;
use frostem::{Algorithm, Stemmer};
use jieba_rs::Jieba;

use folding::Folded;

/// Part of the lexical index's directory name: an index made by another analysis is not read but rebuilt.
pub const ANALYSIS_VERSION: u32 = 2;

/// Longer terms are cut here, in bytes: nothing that anybody types, and the index refuses terms beyond 64 KiB.
const MAX_TERM_BYTES: usize = 80;

/// What a term is, which decides its weight in a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermKind {
    /// A word, stemmed if it is an English one.
    Word,
    /// A code as a whole, in one spelling: `gbt19001-2016` for `GB/T 19001-2016`.
    Code,
    /// A piece of a longer term that is in the index too.
    Part,
}

/// A term and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub text: String,
    pub kind: TermKind,
    /// Bytes of the analysed text.
    pub source: Range<usize>,
}

/// The analysis chain. Holds jieba's dictionary, so a process makes one and shares it.
pub struct Analyzer {
    jieba: Jieba,
    stemmer: Stemmer,
}

impl Default for Analyzer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Analyzer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Analyzer")
    }
}

impl Analyzer {
    /// Loads the dictionary: some 100 ms of one core.
    pub fn new() -> Self {
        Self { jieba: Jieba::new(), stemmer: Stemmer::new(Algorithm::English) }
    }

    /// The terms of `text` in reading order; pieces stand beside the whole that they belong to.
    pub fn terms(&self, text: &str) -> Vec<Term> {
        let folded = Folded::new(text);
        let mut sink = TermSink { analyzer: self, source: text, folded: &folded, terms: Vec::new() };
        let mut at = 0;
        while let Some(first) = folded.text[at..].chars().next() {
            at = if is_han(first) {
                sink.push_han_run(at)
            } else if first.is_alphanumeric() {
                sink.push_compound(at)
            } else {
                at + first.len_utf8()
            };
        }
        sink.push_articles();
        sink.terms
    }
}

/// Collects the terms of one text.
struct TermSink<'a> {
    analyzer: &'a Analyzer,
    source: &'a str,
    folded: &'a Folded,
    terms: Vec<Term>,
}

impl TermSink<'_> {
    fn push(&mut self, text: &str, kind: TermKind, folded_range: Range<usize>) {
        let end = floor_char_boundary(text, MAX_TERM_BYTES);
        if end > 0 {
            let source = self.folded.source_range(folded_range, self.source.len());
            self.terms.push(Term { text: text[..end].to_owned(), kind, source });
        }
    }

    /// Pushes a term for each article that the text names, the same for all its spellings.
    fn push_articles(&mut self) {
        let labels = anwen_text::article_references(&self.folded.text);
        if labels.is_empty() {
            return;
        }
        for (range, label) in labels {
            let inserted = label.inserted.map_or(String::new(), |inserted| format!("-{inserted}"));
            self.push(&format!("§{}{inserted}", label.number), TermKind::Code, range);
        }
        self.terms.sort_by_key(|term| term.source.start);
    }

    /// Pushes the words of the Han run that begins at `start`; returns its end.
    fn push_han_run(&mut self, start: usize) -> usize {
        let end = start + codes::prefix_length(&self.folded.text[start..], is_han);
        let tokens = self.analyzer.jieba.cut_for_search(&self.folded.text[start..end], true);
        // A word comes after the shorter words inside it, so from the back each token is either a new whole word
        // or a piece of the last one.
        let mut whole: Range<usize> = 0..0;
        let first_new = self.terms.len();
        for token in tokens.iter().rev() {
            let is_part = token.byte_start >= whole.start && token.byte_end <= whole.end;
            if !is_part {
                whole = token.byte_start..token.byte_end;
            }
            let kind = if is_part { TermKind::Part } else { TermKind::Word };
            self.push(token.word, kind, start + token.byte_start..start + token.byte_end);
        }
        self.terms[first_new..].reverse();
        for pair in tokens.windows(2) {
            if is_lone_character(pair[0].word) && is_lone_character(pair[1].word) {
                let range = start + pair[0].byte_start..start + pair[1].byte_end;
                self.push(&self.folded.text[range.clone()], TermKind::Word, range);
            }
        }
        end
    }

    /// Pushes the words or the codes of the run of letters, digits and joiners at `start`; returns its end.
    fn push_compound(&mut self, start: usize) -> usize {
        let end = start + codes::compound_length(&self.folded.text[start..]);
        for piece in codes::split_lists(&self.folded.text[start..end]) {
            let at = start + piece.start;
            let text = &self.folded.text[at..start + piece.end];
            if codes::is_code(text) {
                self.push_code(text, at);
            } else {
                self.push_words(text, at);
            }
        }
        if let Some(number_end) = self.spaced_code_end(start, end) {
            self.push_spaced_code(start..number_end);
        }
        end
    }

    fn push_words(&mut self, text: &str, at: usize) {
        for word in codes::letter_pieces(text) {
            let range = at + word.start..at + word.end;
            self.push_word(&text[word], TermKind::Word, range);
        }
    }

    fn push_word(&mut self, word: &str, kind: TermKind, range: Range<usize>) {
        if is_stop_word(word) {
            return;
        }
        let stem = self.analyzer.stemmer.stem(word);
        self.push(&stem, kind, range);
    }

    fn push_code(&mut self, text: &str, at: usize) {
        let whole = codes::canonical(text);
        let range = at..at + text.len();
        self.push(&whole, TermKind::Code, range.clone());
        if let Some(stem) = codes::before_year(&whole) {
            self.push(stem, TermKind::Part, range);
        }
        for part in codes::parts(text) {
            let piece = &text[part.clone()];
            if piece == whole {
                continue;
            }
            let range = at + part.start..at + part.end;
            if piece.starts_with(|c: char| c.is_alphabetic()) {
                self.push_word(piece, TermKind::Part, range);
            } else {
                self.push(piece, TermKind::Part, range);
            }
        }
    }

    /// Where the number of a code that is written with a space ends (`GB/T 19001-2016`), when the letters in
    /// `start..end` and what follows them are one.
    fn spaced_code_end(&self, start: usize, end: usize) -> Option<usize> {
        let letters = &self.folded.text[start..end];
        let source = &self.source[self.folded.source_range(start..end, self.source.len())];
        if !codes::is_code_prefix(letters, source) {
            return None;
        }
        let number_start = end + self.folded.text[end..].strip_prefix(' ').map(|_| 1)?;
        let number = &self.folded.text[number_start..];
        let length = codes::compound_length(number);
        let first = codes::split_lists(&number[..length]).into_iter().next()?;
        codes::is_code_number(&number[first.clone()]).then_some(number_start + first.end)
    }

    fn push_spaced_code(&mut self, range: Range<usize>) {
        let whole = codes::canonical(&self.folded.text[range.clone()]);
        self.push(&whole, TermKind::Code, range.clone());
        if let Some(stem) = codes::before_year(&whole) {
            self.push(stem, TermKind::Part, range);
        }
    }
}

/// True for a character that stands alone and is not a function word. Two of them side by side are a word that the
/// dictionary does not know (`年假` comes out as `年` and `假`), so the pair becomes a term as well.
fn is_lone_character(word: &str) -> bool {
    /// Characters that stand between words far more often than they make one.
    const FUNCTION_CHARACTERS: &str =
        "的了是在和与及或也都就而着过把被对从向到于以为之其这那有不没我你他她它们吗呢吧啊由将并等";
    let mut characters = word.chars();
    matches!((characters.next(), characters.next()), (Some(one), None) if !FUNCTION_CHARACTERS.contains(one))
}

fn floor_char_boundary(text: &str, at_most: usize) -> usize {
    let mut end = at_most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// Lucene's English stop words: few, so that a question made of common words still finds something.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];

fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests;
