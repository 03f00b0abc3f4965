//! Names of embedding spaces.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::IndexError;

/// Longest name of a space, in bytes.
const MAX_NAME_BYTES: usize = 80;
/// How much of a model's name is kept readable in the space's name.
const MAX_READABLE_BYTES: usize = 48;

/// The name of an embedding space: everything that one embedding model made, at one dimension.
///
/// It names a directory (edge) or a collection (server), so only `a-z 0-9 _ -` are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceName(String);

impl SpaceName {
    /// The space of `model` at `dimension` numbers a vector. Two models never share a space: the name ends in a
    /// hash of the model's full name.
    pub fn for_model(model: &str, dimension: usize) -> Self {
        let readable: String = model
            .chars()
            .map(
                |character| {
                    if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
                },
            )
            .take(MAX_READABLE_BYTES)
            .collect();
        let digest = hex::encode(Sha256::digest(model.as_bytes()));
        Self(format!("{readable}-{dimension}-{}", &digest[..8]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SpaceName {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(allowed) {
            return Err(IndexError::Invalid(format!(
                "name of an embedding space: use 1 to {MAX_NAME_BYTES} of a-z, 0-9, - and _"
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for SpaceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_space_is_a_valid_name_and_its_own() {
        let slash = SpaceName::for_model("BAAI/bge-m3:latest", 1024);
        let dash = SpaceName::for_model("BAAI-bge-m3:latest", 1024);
        assert!(slash.as_str().starts_with("baai-bge-m3-latest-1024-"), "{slash}");
        assert!(slash.as_str().parse::<SpaceName>().is_ok());
        assert_ne!(slash, dash);
    }

    #[test]
    fn a_name_cannot_leave_its_directory() {
        for bad in ["", "../x", "A", "a/b", "a b", &"a".repeat(MAX_NAME_BYTES + 1)] {
            assert!(bad.parse::<SpaceName>().is_err(), "{bad:?} was accepted");
        }
    }
}
