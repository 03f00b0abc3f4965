//! Internal tokens: who asks, signed by the service that knows it and checked by the one that holds the data.
//!
//! HS256 JSON Web Tokens with a shared secret, an audience and a life of a minute. They never leave the
//! internal network.

use crate::seal::{Sealer, SealingRoot};
use anwen_contract::client::{Audience, TokenSource};
use anwen_contract::{ApiError, Asker, ErrorCode, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How long a token is good for.
const LIFETIME_SECONDS: i64 = 60;
/// Clocks of two machines may differ by this much.
const CLOCK_LEEWAY_SECONDS: u64 = 30;
/// The fewest bytes of a shared secret.
pub const MIN_SECRET_BYTES: usize = 32;
const ISSUER: &str = "anwen";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    asker: Asker,
}

/// The shared secret is too short.
#[derive(Debug, thiserror::Error)]
#[error("the internal secret needs at least {MIN_SECRET_BYTES} bytes; make one with `openssl rand -hex 32`")]
pub struct SecretTooShort;

/// Signs and checks internal tokens.
#[derive(Clone)]
pub struct InternalTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    sealing: SealingRoot,
}

impl InternalTokens {
    pub fn new(secret: &[u8]) -> Result<Self, SecretTooShort> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(SecretTooShort);
        }
        Ok(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            sealing: SealingRoot::new(secret),
        })
    }

    /// Seals small secrets at rest with a key of its own for each purpose, derived from the same secret.
    pub fn sealer(&self, purpose: &'static str) -> Sealer {
        Sealer::new(self.sealing.clone(), purpose)
    }

    /// Who asks, if the token is ours, fresh and meant for `audience`.
    pub fn verify(&self, token: &str, audience: Audience) -> Result<Asker, ApiError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience.as_str()]);
        validation.set_issuer(&[ISSUER]);
        validation.leeway = CLOCK_LEEWAY_SECONDS;
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map(|data| data.claims.asker)
            .map_err(|cause| {
                ApiError::new(ErrorCode::Unauthenticated, "the internal token is missing or not valid")
                    .because(cause)
            })
    }
}

impl TokenSource for InternalTokens {
    fn bearer(&self, asker: &Asker, audience: Audience) -> Result<String, ApiError> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: audience.as_str().to_owned(),
            exp: Timestamp::now().as_millis() / 1000 + LIFETIME_SECONDS,
            asker: asker.clone(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(ApiError::internal)
    }

    fn trace_parent(&self) -> Option<String> {
        crate::trace::current_parent()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use anwen_contract::{GroupId, UserId};

    fn asker() -> Asker {
        Asker {
            user_id: UserId::new(),
            groups: vec![GroupId::new()],
            is_admin: false,
            only_knowledge_bases: None,
        }
    }

    #[test]
    fn a_token_carries_the_asker_to_its_audience_only() {
        let tokens = InternalTokens::new(&[7; 32]).unwrap();
        let asker = asker();
        let token = tokens.bearer(&asker, Audience::Knowledge).unwrap();
        assert_eq!(tokens.verify(&token, Audience::Knowledge).unwrap(), asker);
        assert!(tokens.verify(&token, Audience::ModelRuntime).is_err());
    }

    #[test]
    fn a_token_of_another_secret_or_a_changed_one_is_refused() {
        let ours = InternalTokens::new(&[7; 32]).unwrap();
        let theirs = InternalTokens::new(&[8; 32]).unwrap();
        let token = theirs.bearer(&asker(), Audience::Knowledge).unwrap();
        assert!(ours.verify(&token, Audience::Knowledge).is_err());
        let mut token = ours.bearer(&asker(), Audience::Knowledge).unwrap();
        token.truncate(token.len() - 2);
        assert!(ours.verify(&token, Audience::Knowledge).is_err());
        assert!(InternalTokens::new(b"short").is_err());
    }
}
