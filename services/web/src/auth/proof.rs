//! Random secrets, and what is kept of them.

use rand::TryRngCore as _;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

/// Bytes of randomness in a session token, an API key or a set-up token.
const TOKEN_BYTES: usize = 32;

/// A random secret. Only its hash is stored, so that a copy of the database signs nobody in.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A new secret from the operating system's generator.
    pub fn random() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = [0u8; TOKEN_BYTES];
        OsRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of a text, in lower-case hexadecimal. Enough for secrets of 256 random bits, which cannot be guessed;
/// passwords go through Argon2.
pub fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The CSRF token of a session: derived from the session's own secret, so that it needs no storage and one
/// planted from another origin fits no session.
pub fn csrf_token_of(session_token: &str) -> String {
    sha256_hex(&format!("anwen-csrf:{session_token}"))
}

/// Compares two secrets in a time that does not depend on where they differ.
pub fn same_secret(left: &str, right: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ() {
        let (first, second) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(first.as_str().len(), TOKEN_BYTES * 2);
        assert_ne!(first.as_str(), second.as_str());
    }

    #[test]
    fn the_csrf_token_gives_away_neither_the_session_nor_its_stored_hash() {
        let csrf = csrf_token_of("secret");
        assert_ne!(csrf, "secret");
        assert_ne!(csrf, sha256_hex("secret"));
        assert!(same_secret(&csrf, &csrf_token_of("secret")));
        assert!(!same_secret(&csrf, &csrf_token_of("other")));
    }
}
