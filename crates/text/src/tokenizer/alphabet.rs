//! From the characters of a text to the symbols that pieces are made of.

use std::collections::HashMap;

use regex_syntax::hir::{Class, HirKind};
use unicode_normalization_alignments::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::TokenizerError;
use super::charsmap::Charsmap;
use super::file::Piece;

/// What kind of run a normalised character belongs to. A word is a run of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Stands between words and belongs to none.
    Separator,
    Letter,
    Number,
    HanLetter,
    HanNumber,
}

const KINDS: [Kind; 5] = [Kind::Separator, Kind::Letter, Kind::Number, Kind::HanLetter, Kind::HanNumber];

/// The characters that pieces are spelled with, numbered from 1, the most frequent first; 0 is every other character.
#[derive(Debug)]
pub(super) struct Codes {
    /// Sorted by character.
    by_char: Vec<(char, u16)>,
}

impl Codes {
    pub(super) fn of_pieces(pieces: &[Piece<'_>]) -> Result<Self, TokenizerError> {
        let mut counts: HashMap<char, u32> = HashMap::new();
        for c in pieces.iter().flat_map(|piece| piece.text.chars()) {
            *counts.entry(c).or_default() += 1;
        }
        let mut by_count: Vec<(char, u32)> = counts.into_iter().collect();
        by_count.sort_unstable_by_key(|&(c, count)| (std::cmp::Reverse(count), c));
        if by_count.len() >= usize::from(u16::MAX) {
            return Err(TokenizerError::Unsupported("more than 65,534 different characters".to_owned()));
        }
        let mut by_char: Vec<(char, u16)> = by_count.into_iter().map(|(c, _)| c).zip(1..).collect();
        by_char.sort_unstable();
        Ok(Self { by_char })
    }

    pub(super) fn of(&self, c: char) -> u16 {
        self.by_char.binary_search_by_key(&c, |&(known, _)| known).map_or(0, |index| self.by_char[index].1)
    }
}

/// A table entry: what one character of the original text becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Symbol(Kind, u16),
    /// Several symbols: an index into [`Alphabet::expansions`].
    Expansion(u16),
    /// Depends on its neighbours.
    Complex,
}

const EXPANSION_TAG: u32 = 0x10;
const COMPLEX_TAG: u32 = 0x20;

impl Entry {
    /// The low half is the symbol or index, the byte above it the kind or tag.
    fn pack(self) -> u32 {
        match self {
            Self::Symbol(kind, symbol) => (kind as u32) << 16 | u32::from(symbol),
            Self::Expansion(index) => EXPANSION_TAG << 16 | u32::from(index),
            Self::Complex => COMPLEX_TAG << 16,
        }
    }

    #[inline]
    fn unpack(packed: u32) -> Self {
        let low = packed as u16;
        match packed >> 16 {
            EXPANSION_TAG => Self::Expansion(low),
            kind => KINDS.get(kind as usize).map_or(Self::Complex, |&kind| Self::Symbol(kind, low)),
        }
    }
}

#[derive(Debug)]
pub(super) struct Alphabet {
    codes: Codes,
    classes: Classes,
    charsmap: Charsmap,
    /// Packed entries of the basic multilingual plane.
    table: Vec<u32>,
    expansions: Vec<Vec<(Kind, u16)>>,
}

impl Alphabet {
    pub(super) fn build(codes: Codes, charsmap: Charsmap) -> Self {
        let mut alphabet =
            Self { codes, classes: Classes::load(), charsmap, table: Vec::new(), expansions: Vec::new() };
        let mut table = vec![Entry::Complex.pack(); 0x1_0000];
        for range in INDEPENDENT {
            for c in (range.0..=range.1).filter_map(char::from_u32) {
                table[c as usize] = alphabet.entry_of(c).pack();
            }
        }
        alphabet.table = table;
        alphabet
    }

    /// What `c`, one of [`INDEPENDENT`], becomes wherever it stands.
    fn entry_of(&mut self, c: char) -> Entry {
        let mut symbols = Vec::new();
        if is_normal_ideograph_or_syllable(c) {
            let mut buffer = [0; 4];
            match self.charsmap.transform(c.encode_utf8(&mut buffer)) {
                Some(mapped) => symbols.extend(mapped.chars().map(|mapped| self.symbol_of(mapped))),
                None => symbols.push(self.symbol_of(c)),
            }
        } else {
            self.normalize_and_emit(c.encode_utf8(&mut [0; 4]), &mut |kind, symbol| {
                symbols.push((kind, symbol))
            });
        }
        match (symbols.as_slice(), u16::try_from(self.expansions.len())) {
            (&[(kind, symbol)], _) => Entry::Symbol(kind, symbol),
            (_, Ok(index)) => {
                self.expansions.push(symbols);
                Entry::Expansion(index)
            }
            (_, Err(_)) => Entry::Complex,
        }
    }

    fn symbol_of(&self, normalized: char) -> (Kind, u16) {
        (self.classes.kind_of(normalized), self.codes.of(normalized))
    }

    #[inline]
    fn entry(&self, c: char) -> Entry {
        self.table.get(c as usize).map_or(Entry::Complex, |&packed| Entry::unpack(packed))
    }

    /// Calls `emit` with each symbol of the normalised form of `text`.
    pub(super) fn for_each_symbol(&self, text: &str, mut emit: impl FnMut(Kind, u16)) {
        let mut done = 0;
        while done < text.len() {
            done += self.emit_up_to_dependent_span(&text[done..], &mut emit);
        }
    }

    /// Emits `text` up to and including its first span of characters that depend on each other, and returns the
    /// length of what it has emitted.
    fn emit_up_to_dependent_span(&self, text: &str, emit: &mut impl FnMut(Kind, u16)) -> usize {
        let mut done = self.emit_ascii(text.as_bytes(), 0, emit);
        // An independent character is held back until it is known that what follows does not change it.
        let mut held: Option<(usize, Entry)> = None;
        let mut rest = text[done..].char_indices();
        while let Some((at, c)) = rest.next() {
            let at = done + at;
            let entry = self.entry(c);
            if entry == Entry::Complex {
                let start = held.map_or(at, |(start, _)| start);
                let end = self.end_of_dependent_span(text, at);
                self.normalize_and_emit(&text[start..end], emit);
                return end;
            }
            if let Some((_, entry)) = held.replace((at, entry)) {
                self.emit_entry(entry, emit);
                if c.is_ascii() {
                    held = None;
                    done = self.emit_ascii(text.as_bytes(), at, emit);
                    rest = text[done..].char_indices();
                }
            }
        }
        if let Some((_, entry)) = held {
            self.emit_entry(entry, emit);
        }
        text.len()
    }

    /// Emits ASCII from `at` on as long as ASCII follows, which changes nothing before it. Returns where it stopped.
    #[inline]
    fn emit_ascii(&self, text: &[u8], at: usize, emit: &mut impl FnMut(Kind, u16)) -> usize {
        let run =
            text[at..].iter().position(|byte| !byte.is_ascii()).map_or(text.len(), |length| at + length);
        let end = run.saturating_sub(1).max(at);
        for &byte in &text[at..end] {
            match Entry::unpack(self.table[usize::from(byte)]) {
                Entry::Symbol(kind, symbol) => emit(kind, symbol),
                entry => self.emit_entry(entry, emit),
            }
        }
        end
    }

    /// The span that holds the dependent character at `start` ends behind the first independent character that is
    /// followed by another one: between two of those nothing interacts.
    fn end_of_dependent_span(&self, text: &str, start: usize) -> usize {
        let mut after_independent = None;
        for (at, c) in text[start..].char_indices() {
            if self.entry(c) == Entry::Complex {
                after_independent = None;
            } else if let Some(end) = after_independent {
                return end;
            } else {
                after_independent = Some(start + at + c.len_utf8());
            }
        }
        text.len()
    }

    #[inline]
    fn emit_entry(&self, entry: Entry, emit: &mut impl FnMut(Kind, u16)) {
        match entry {
            Entry::Symbol(kind, symbol) => emit(kind, symbol),
            Entry::Expansion(index) => {
                for &(kind, symbol) in self.expansions.get(usize::from(index)).into_iter().flatten() {
                    emit(kind, symbol);
                }
            }
            Entry::Complex => {}
        }
    }

    /// The definition that the table abbreviates: NFKC, lower case character by character, then the map by grapheme
    /// clusters of less than six bytes and else by characters.
    fn normalize_and_emit(&self, text: &str, emit: &mut impl FnMut(Kind, u16)) {
        const MAPPED_CLUSTER_MAX_BYTES: usize = 5;
        let lower: String = text.nfkc().flat_map(|(c, _)| c.to_lowercase()).collect();
        for cluster in lower.graphemes(true) {
            if cluster.len() <= MAPPED_CLUSTER_MAX_BYTES
                && let Some(mapped) = self.charsmap.transform(cluster)
            {
                self.emit_normalized(mapped, emit);
                continue;
            }
            let mut buffer = [0; 4];
            for c in cluster.chars() {
                let character: &str = c.encode_utf8(&mut buffer);
                self.emit_normalized(self.charsmap.transform(character).unwrap_or(character), emit);
            }
        }
    }

    fn emit_normalized(&self, normalized: &str, emit: &mut impl FnMut(Kind, u16)) {
        for c in normalized.chars() {
            let (kind, symbol) = self.symbol_of(c);
            emit(kind, symbol);
        }
    }
}

/// Ideographs and Hangul syllables that NFKC and lower-casing leave alone: most of the table, done without both.
fn is_normal_ideograph_or_syllable(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Characters that normalise alone as they do beside each other: none of them, nor the first character that one
/// becomes, combines with a character before it. What is not listed is merely slower.
const INDEPENDENT: [(u32, u32); 39] = [
    (0x0000, 0x00AC), // ASCII, Latin-1 without the soft hyphen
    (0x00AE, 0x02FF), // Latin extended, IPA, modifier letters
    (0x0370, 0x0377),
    (0x037A, 0x037F),
    (0x0384, 0x03FF), // Greek
    (0x0400, 0x0482),
    (0x048A, 0x052F), // Cyrillic without its combining marks
    (0x05D0, 0x05EA), // Hebrew letters
    (0x1E00, 0x1EFF), // Latin extended additional
    (0x2010, 0x2027),
    (0x2030, 0x205E), // punctuation without joiners and direction marks
    (0x2070, 0x209C),
    (0x20A0, 0x20BF),
    (0x2100, 0x218B), // letter-like symbols, number forms
    (0x2190, 0x23FF), // arrows, operators, technical
    (0x2460, 0x24FF), // enclosed
    (0x2500, 0x27BF), // boxes, shapes, symbols, dingbats
    (0x2E80, 0x2EF3),
    (0x2F00, 0x2FD5), // radicals
    (0x3000, 0x3029), // CJK punctuation
    (0x3030, 0x303F),
    (0x3041, 0x3096), // hiragana
    (0x309B, 0x30FF), // katakana
    (0x3105, 0x312D), // bopomofo
    (0x3190, 0x319F),
    (0x31A0, 0x31BA),
    (0x31F0, 0x321E),
    (0x3220, 0x325F),
    (0x3280, 0x33FF), // enclosed and squared CJK
    (0x3400, 0x4DBF), // ideographs, extension A
    (0x4E00, 0x9FFF), // ideographs
    (0xAC00, 0xD7A3), // Hangul syllables
    (0xF900, 0xFAD9), // compatibility ideographs
    (0xFB00, 0xFB06), // ligatures
    (0xFE30, 0xFE4F),
    (0xFE50, 0xFE6B),
    (0xFF01, 0xFF9D), // full-width forms without the half-width voicing marks
    (0xFFE0, 0xFFE6),
    (0xFFFD, 0xFFFD),
];

/// The Unicode classes that the pre-tokenizer asks for, as sorted ranges of characters.
#[derive(Debug)]
struct Classes {
    han: Vec<(char, char)>,
    letters: Vec<(char, char)>,
    numbers: Vec<(char, char)>,
}

impl Classes {
    fn load() -> Self {
        Self { han: class(r"\p{Han}"), letters: class(r"[\p{L}\p{M}]"), numbers: class(r"\p{N}") }
    }

    fn kind_of(&self, c: char) -> Kind {
        let is_han = contains(&self.han, c);
        if contains(&self.letters, c) {
            if is_han { Kind::HanLetter } else { Kind::Letter }
        } else if contains(&self.numbers, c) {
            if is_han { Kind::HanNumber } else { Kind::Number }
        } else {
            Kind::Separator
        }
    }
}

fn class(pattern: &str) -> Vec<(char, char)> {
    match regex_syntax::parse(pattern).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => {
            class.ranges().iter().map(|range| (range.start(), range.end())).collect()
        }
        // The three patterns are constants, and a test reads them.
        _ => Vec::new(),
    }
}

fn contains(ranges: &[(char, char)], c: char) -> bool {
    let after = ranges.partition_point(|&(start, _)| start <= c);
    after > 0 && c <= ranges[after - 1].1
}
