//! `context` of `/api/generate`: what a client sends back to go on with a conversation.
//!
//! To a client it is a list of numbers without meaning. Ollama puts token ids into it, which only the process that made
//! them understands; here it is the conversation's text, packed into numbers, so that any replica and any engine can go
//! on with it.

use serde_json::{Value, json};

use crate::engine::{Role, Turn};
use crate::error::RuntimeError;

/// Begins every context, so that numbers from elsewhere are told apart.
const MARK: u64 = 0x0061_6e77_656e;
/// Six bytes to a number: JSON's numbers are exact up to 53 bits.
const BYTES_PER_NUMBER: usize = 6;
/// A conversation with more text gets no context: it would be longer than the answer by far.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// The numbers for `turns`; `None` when they are too long.
pub(super) fn pack(turns: &[Turn]) -> Option<Vec<u64>> {
    let texts: Vec<Value> = turns.iter().map(|turn| json!([turn.role.as_str(), turn.content])).collect();
    let text = Value::Array(texts).to_string();
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let numbers = text
        .as_bytes()
        .chunks(BYTES_PER_NUMBER)
        .map(|bytes| bytes.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte)));
    Some([MARK, text.len() as u64].into_iter().chain(numbers).collect())
}

/// The turns behind `numbers`.
pub(super) fn unpack(numbers: &[u64]) -> Result<Vec<Turn>, RuntimeError> {
    let foreign = || {
        RuntimeError::Invalid(
            "context is not one that this server gave; send [] or the one of its last answer".to_owned(),
        )
    };
    let [MARK, length, packed @ ..] = numbers else { return Err(foreign()) };
    let length = usize::try_from(*length).unwrap_or(usize::MAX);
    if length > MAX_TEXT_BYTES || packed.len() != length.div_ceil(BYTES_PER_NUMBER) {
        return Err(foreign());
    }
    let mut bytes = Vec::with_capacity(length);
    for number in packed {
        let count = BYTES_PER_NUMBER.min(length - bytes.len());
        bytes.extend(&number.to_be_bytes()[8 - count..]);
    }
    let turns: Vec<(String, String)> = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
    turns
        .into_iter()
        .map(|(role, content)| Role::parse(&role).map(|role| Turn::text(role, content)).ok_or_else(foreign))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_comes_back_as_it_went() {
        for text in ["", "a", "abcdef", "grüße, 你好 \u{0}"] {
            let turns = vec![Turn::text(Role::System, "s"), Turn::text(Role::User, text)];
            assert_eq!(unpack(&pack(&turns).unwrap()).unwrap(), turns);
        }
    }

    #[test]
    fn numbers_from_elsewhere_are_refused() {
        for numbers in [vec![1, 2, 3], vec![MARK, 12, 1], vec![MARK, u64::MAX], vec![MARK, 1, 65]] {
            assert!(unpack(&numbers).is_err(), "{numbers:?}");
        }
    }

    #[test]
    fn a_long_conversation_has_no_context() {
        assert!(pack(&[Turn::text(Role::User, "x".repeat(MAX_TEXT_BYTES))]).is_none());
    }
}
