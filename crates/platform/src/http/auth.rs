//! Who calls an inner service: read from the signed internal token, never from anything else.

use super::extract::RequestId;
use crate::token::InternalTokens;
use anwen_contract::client::{Audience, CallContext};
use anwen_contract::{ApiError, Asker, ErrorCode};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;

/// Checks internal tokens in front of a router: `router.layer(from_fn_with_state(auth, InternalAuth::check))`.
#[derive(Clone)]
pub struct InternalAuth {
    tokens: InternalTokens,
    audience: Audience,
}

impl InternalAuth {
    pub fn new(tokens: InternalTokens, audience: Audience) -> Self {
        Self { tokens, audience }
    }

    /// The middleware. Without a valid token the answer is `unauthenticated`.
    pub async fn check(State(auth): State<Self>, mut request: Request, next: Next) -> Response {
        match auth.asker_of(request.headers()) {
            Ok(asker) => {
                request.extensions_mut().insert(asker);
                next.run(request).await
            }
            Err(error) => error.into_response(),
        }
    }

    /// Who asks, by the request's bearer token.
    pub fn asker_of(&self, headers: &http::HeaderMap) -> Result<Asker, ApiError> {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| {
                ApiError::new(ErrorCode::Unauthenticated, "this service needs an internal token")
            })?;
        self.tokens.verify(token, self.audience)
    }
}

/// The asker of this request, and the id by which the logs know it.
#[derive(Debug, Clone)]
pub struct Caller {
    pub asker: Asker,
    pub request_id: String,
}

impl Caller {
    /// For calling other services on the same asker's behalf, under the same request id.
    pub fn context(&self) -> CallContext {
        CallContext::new(self.asker.clone(), self.request_id.clone())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, state).await;
        let asker =
            parts.extensions.get::<Asker>().cloned().ok_or_else(|| {
                ApiError::new(ErrorCode::Unauthenticated, "sign in first, or send an API key")
            })?;
        Ok(Self { asker, request_id })
    }
}
