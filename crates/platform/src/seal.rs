//! Small secrets at rest: sealed with a key that is derived from the internal secret, bound to what they belong to.
//!
//! AES-256-GCM with a random nonce; the key by HKDF-SHA-256 of the internal secret and the purpose. As text: base64 of
//! the nonce followed by the ciphertext and its tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

const SALT: &[u8] = b"anwen sealed secrets 1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// A secret could not be sealed, or was not sealed here, for this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret cannot be sealed or opened with this server's key")]
pub struct NotSealed;

/// What keys are derived from.
#[derive(Clone)]
pub(crate) struct SealingRoot(Arc<Prk>);

impl SealingRoot {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(Arc::new(Salt::new(HKDF_SHA256, SALT).extract(secret)))
    }
}

/// Seals secrets for one purpose.
#[derive(Clone)]
pub struct Sealer {
    root: SealingRoot,
    purpose: &'static str,
}

impl Sealer {
    pub(crate) fn new(root: SealingRoot, purpose: &'static str) -> Self {
        Self { root, purpose }
    }

    fn key(&self) -> Result<RandomizedNonceKey, NotSealed> {
        let mut key = [0; KEY_BYTES];
        let info = [self.purpose.as_bytes()];
        self.root
            .0
            .expand(&info, HKDF_SHA256)
            .and_then(|material| material.fill(&mut key))
            .map_err(|_| NotSealed)?;
        RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| NotSealed)
    }

    /// The secret, readable again only for the same `owner`.
    ///
    /// # Errors
    /// [`NotSealed`] when the cryptographic library fails.
    pub fn seal(&self, secret: &str, owner: &str) -> Result<String, NotSealed> {
        let mut sealed = secret.as_bytes().to_vec();
        let nonce = self
            .key()?
            .seal_in_place_append_tag(Aad::from(owner.as_bytes()), &mut sealed)
            .map_err(|_| NotSealed)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(STANDARD.encode(bytes))
    }

    /// What [`seal`](Self::seal) was given.
    ///
    /// # Errors
    /// [`NotSealed`] when it was changed, sealed for something else or with another secret.
    pub fn open(&self, sealed: &str, owner: &str) -> Result<String, NotSealed> {
        let mut bytes = STANDARD.decode(sealed).map_err(|_| NotSealed)?;
        if bytes.len() < NONCE_BYTES {
            return Err(NotSealed);
        }
        let mut body = bytes.split_off(NONCE_BYTES);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| NotSealed)?;
        let secret = self
            .key()?
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut body)
            .map_err(|_| NotSealed)?;
        String::from_utf8(secret.to_vec()).map_err(|_| NotSealed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sealer(secret: &[u8], purpose: &'static str) -> Sealer {
        Sealer::new(SealingRoot::new(secret), purpose)
    }

    #[test]
    fn a_secret_comes_back_for_its_owner_and_purpose_only() {
        let ours = sealer(&[7; 32], "passwords");
        let sealed = ours.seal("pässword", "document-1").unwrap();
        assert!(!sealed.contains("ssword"));
        assert_eq!(ours.open(&sealed, "document-1").unwrap(), "pässword");
        assert_eq!(ours.open(&sealed, "document-2"), Err(NotSealed));
        assert_eq!(sealer(&[7; 32], "other").open(&sealed, "document-1"), Err(NotSealed));
        assert_eq!(sealer(&[8; 32], "passwords").open(&sealed, "document-1"), Err(NotSealed));
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let ours = sealer(&[7; 32], "passwords");
        assert_ne!(ours.seal("a", "x").unwrap(), ours.seal("a", "x").unwrap());
    }

    #[test]
    fn what_was_not_sealed_is_refused() {
        let ours = sealer(&[7; 32], "passwords");
        for damaged in ["", "not base64!", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(ours.open(damaged, "x"), Err(NotSealed), "{damaged}");
        }
    }
}
