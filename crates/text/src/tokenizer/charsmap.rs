//! SentencePiece's `precompiled_charsmap`: a double-array trie from byte strings to their replacements.
//!
//! Layout: `u32` size of the trie in bytes, the trie as little-endian `u32` units, then the replacements, each ended
//! by a zero byte. The units are those of the Darts-clone library.

use super::TokenizerError;

#[derive(Debug)]
pub(super) struct Charsmap {
    units: Vec<u32>,
    replacements: String,
}

fn has_leaf(unit: u32) -> bool {
    (unit >> 8) & 1 == 1
}

fn value(unit: u32) -> usize {
    (unit & ((1 << 31) - 1)) as usize
}

fn label(unit: u32) -> u32 {
    unit & ((1 << 31) | 0xFF)
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize
}

impl Charsmap {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TokenizerError> {
        let invalid = || TokenizerError::Invalid("the precompiled map is damaged");
        let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(invalid)?;
        let size = u32::from_le_bytes(*size) as usize;
        let (trie, replacements) = rest.split_at_checked(size).ok_or_else(invalid)?;
        let (units, []) = trie.as_chunks::<4>() else { return Err(invalid()) };
        let replacements = str::from_utf8(replacements).map_err(|_| invalid())?;
        Ok(Self {
            units: units.iter().map(|unit| u32::from_le_bytes(*unit)).collect(),
            replacements: replacements.to_owned(),
        })
    }

    /// The replacement of the shortest mapped prefix of `text`. As in SentencePiece's port it stands for the whole
    /// of `text`, however much longer that is than the prefix.
    pub(super) fn transform(&self, text: &str) -> Option<&str> {
        let mut node = offset(*self.units.first()?);
        for &byte in text.as_bytes() {
            if byte == 0 {
                return None;
            }
            node ^= usize::from(byte);
            let unit = *self.units.get(node)?;
            if label(unit) != u32::from(byte) {
                return None;
            }
            node ^= offset(unit);
            if has_leaf(unit) {
                let start = value(*self.units.get(node)?);
                let tail = self.replacements.get(start..)?;
                return Some(tail.split('\0').next().unwrap_or(tail));
            }
        }
        None
    }
}
