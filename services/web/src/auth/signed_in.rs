//! The extractors by which a handler says who may call it.

use super::address::ClientAddress;
use super::cookies::SESSION_COOKIE;
use super::proof::{csrf_token_of, same_secret, sha256_hex};
use super::store::FoundSession;
use crate::app::AppState;
use crate::audit::Actor;
use anwen_contract::client::CallContext;
use anwen_contract::users::{KeyScope, User, UserRole};
use anwen_contract::{ApiError, ApiKeyId, Asker, ErrorCode, SessionId, Timestamp};
use anwen_platform::http::RequestId;
use axum::extract::FromRequestParts;
use axum_extra::extract::cookie::CookieJar;
use http::header::AUTHORIZATION;
use http::request::Parts;
use std::ops::Deref;

/// The header in which a page repeats the CSRF token.
pub const CSRF_HEADER: &str = "x-csrf-token";
/// Every API key begins so.
pub const KEY_PREFIX: &str = "ak_";

/// How the caller showed who they are.
#[derive(Debug, Clone)]
pub enum Proof {
    Session(SessionId),
    Key { id: ApiKeyId, scope: KeyScope },
}

/// Whoever calls, signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: User,
    pub asker: Asker,
    pub proof: Proof,
    pub request_id: String,
    pub address: ClientAddress,
}

impl SignedIn {
    /// For calling other services on this caller's behalf.
    pub fn context(&self, app: &AppState) -> CallContext {
        CallContext::new(self.asker.clone(), self.request_id.clone()).within(app.config.limits.service_call())
    }

    /// As the audit log names the caller.
    pub fn actor(&self) -> Actor {
        Actor { id: self.user.id.to_string(), name: self.user.username.clone(), address: self.address.text() }
    }

    /// The key that the caller is confined by, if it is confined to some knowledge bases.
    pub fn confining_key(&self) -> Option<ApiKeyId> {
        match self.proof {
            Proof::Key { id, .. } if self.asker.only_knowledge_bases.is_some() => Some(id),
            _ => None,
        }
    }

    /// The key that was used, if one was.
    pub fn key(&self) -> Option<ApiKeyId> {
        match self.proof {
            Proof::Key { id, .. } => Some(id),
            Proof::Session(_) => None,
        }
    }

    pub fn session(&self) -> Option<SessionId> {
        match self.proof {
            Proof::Session(id) => Some(id),
            Proof::Key { .. } => None,
        }
    }

    fn allows(&self, needed: KeyScope) -> bool {
        match self.proof {
            Proof::Session(_) => true,
            Proof::Key { scope, .. } => rank(scope) >= rank(needed),
        }
    }
}

/// Each scope includes the ones before it.
pub fn rank(scope: KeyScope) -> u8 {
    match scope {
        KeyScope::Read => 0,
        KeyScope::Write => 1,
        KeyScope::Admin => 2,
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let address = app.trusted_proxies.client_of(&parts.extensions, &parts.headers);
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, app).await;
        let frame = Frame { address, request_id };
        if let Some(header) = parts.headers.get(AUTHORIZATION) {
            let secret = header.to_str().ok().and_then(bearer).unwrap_or_default();
            return by_key(app, secret, frame).await;
        }
        let jar = CookieJar::from_headers(&parts.headers);
        let Some(cookie) = jar.get(SESSION_COOKIE) else {
            return Err(unauthenticated("sign in first, or send an API key"));
        };
        let signed_in = by_session(app, cookie.value(), frame).await?;
        if !parts.method.is_safe() {
            check_csrf(parts, cookie.value())?;
        }
        Ok(signed_in)
    }
}

/// What every kind of caller has.
struct Frame {
    address: ClientAddress,
    request_id: String,
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

fn unauthenticated(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Unauthenticated, message)
}

fn check_enabled(user: &User) -> Result<(), ApiError> {
    if user.disabled {
        return Err(ApiError::new(
            ErrorCode::AccountDisabled,
            "this account is switched off; ask your administrator",
        ));
    }
    Ok(())
}

async fn by_key(app: &AppState, secret: &str, frame: Frame) -> Result<SignedIn, ApiError> {
    if !secret.starts_with(KEY_PREFIX) {
        return Err(unauthenticated("send an API key as `Authorization: Bearer ak_…`"));
    }
    let found = app.keys.find(&sha256_hex(secret), Timestamp::now()).await?;
    let found = found.ok_or_else(|| unauthenticated("this API key is unknown, expired or withdrawn"))?;
    check_enabled(&found.user)?;
    let scope = found.scopes.iter().copied().max_by_key(|scope| rank(*scope)).unwrap_or(KeyScope::Read);
    let asker = Asker {
        user_id: found.user.id,
        groups: found.user.groups.clone(),
        is_admin: found.user.role == UserRole::Admin && scope == KeyScope::Admin,
        only_knowledge_bases: found.knowledge_base_ids,
    };
    let proof = Proof::Key { id: found.id, scope };
    Ok(SignedIn { user: found.user, asker, proof, request_id: frame.request_id, address: frame.address })
}

async fn by_session(app: &AppState, token: &str, frame: Frame) -> Result<SignedIn, ApiError> {
    let (id, user) = match app.sessions.find(&sha256_hex(token), Timestamp::now()).await? {
        Some(FoundSession::Live { id, user }) => (id, user),
        Some(FoundSession::Over) | None => {
            return Err(ApiError::new(ErrorCode::SessionExpired, "the session has ended; sign in again"));
        }
    };
    check_enabled(&user)?;
    let asker = Asker {
        user_id: user.id,
        groups: user.groups.clone(),
        is_admin: user.role == UserRole::Admin,
        only_knowledge_bases: None,
    };
    Ok(SignedIn {
        user,
        asker,
        proof: Proof::Session(id),
        request_id: frame.request_id,
        address: frame.address,
    })
}

/// A write that relies on the cookie shows that it comes from our own page, which alone can read the CSRF cookie.
fn check_csrf(parts: &Parts, session_token: &str) -> Result<(), ApiError> {
    let sent = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if same_secret(sent, &csrf_token_of(session_token)) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::CsrfTokenMissing,
        "send the value of the cookie `anwen_csrf` in the header `X-CSRF-Token`",
    ))
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident, $admit:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub SignedIn);

        impl Deref for $name {
            type Target = SignedIn;

            fn deref(&self) -> &SignedIn {
                &self.0
            }
        }

        impl FromRequestParts<AppState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
                let signed_in = SignedIn::from_request_parts(parts, app).await?;
                let admit: fn(&SignedIn) -> Result<(), ApiError> = $admit;
                admit(&signed_in)?;
                Ok(Self(signed_in))
            }
        }
    )+};
}

callers! {
    /// Someone who may read and ask.
    Reader, |caller| scope(caller, KeyScope::Read);

    /// Someone who may also change documents and knowledge bases.
    Writer, |caller| scope(caller, KeyScope::Write);

    /// An administrator; with a key, one of the scope `admin`.
    Administrator, |caller| {
        if caller.user.role != UserRole::Admin {
            return Err(ApiError::forbidden("this is for administrators"));
        }
        scope(caller, KeyScope::Admin)
    };

    /// Someone signed in by session: a key cannot make further keys or change the account.
    InPerson, |caller| match caller.proof {
        Proof::Session(_) => Ok(()),
        Proof::Key { .. } => Err(ApiError::forbidden("sign in for this: an API key is not enough")),
    };
}

fn scope(caller: &SignedIn, needed: KeyScope) -> Result<(), ApiError> {
    if caller.allows(needed) {
        return Ok(());
    }
    let needed = crate::rows::word_of(&needed);
    Err(ApiError::forbidden(format!("this API key lacks the scope `{needed}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bearer_scheme_is_read_in_any_case() {
        assert_eq!(bearer("Bearer ak_1"), Some("ak_1"));
        assert_eq!(bearer("bearer  ak_1 "), Some("ak_1"));
        assert_eq!(bearer("Basic ak_1"), None);
        assert_eq!(bearer("ak_1"), None);
    }

    #[test]
    fn scopes_include_the_ones_before() {
        assert!(
            rank(KeyScope::Admin) > rank(KeyScope::Write) && rank(KeyScope::Write) > rank(KeyScope::Read)
        );
    }
}
