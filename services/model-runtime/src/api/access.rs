//! Who may use the runtime: the other services with a signed token, and, where the settings say so, programs on this
//! machine over loopback.

use std::net::SocketAddr;

use anwen_contract::ApiError;
use anwen_platform::http::InternalAuth;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::asking::Asking;
use super::body::Surface;

/// The rules at the door.
#[derive(Clone)]
pub struct Access {
    auth: InternalAuth,
    allow_loopback_clients: bool,
}

impl Access {
    pub fn new(auth: InternalAuth, allow_loopback_clients: bool) -> Self {
        Self { auth, allow_loopback_clients }
    }
}

/// The middleware.
pub(super) async fn check(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let asker = match access.auth.asker_of(request.headers()) {
        Ok(asker) => Some(asker),
        Err(error) => {
            let is_local = peer.is_some_and(|peer| peer.is_loopback());
            if !(access.allow_loopback_clients && is_local && is_from_this_machine(request.headers())) {
                return refuse(&request, error);
            }
            None
        }
    };
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    match Asking::read(asker.as_ref(), &peer, request.headers()) {
        Ok(asking) => request.extensions_mut().insert(asking),
        Err(message) => return refuse(&request, ApiError::invalid(message)),
    };
    if let Some(asker) = asker {
        request.extensions_mut().insert(asker);
    }
    next.run(request).await
}

fn refuse(request: &Request, error: ApiError) -> Response {
    match Surface::of_path(request.uri().path()) {
        Some(surface) => surface.error(error.code, &error.message),
        None => error.into_response(),
    }
}

/// A web page in a browser on this machine also arrives over loopback. Its `Origin`, or the name by which it was made to
/// find us, gives it away.
fn is_from_this_machine(headers: &HeaderMap) -> bool {
    let origin_is_local = match headers.get(ORIGIN) {
        None => true,
        Some(origin) => origin
            .to_str()
            .ok()
            .and_then(|origin| Url::parse(origin).ok())
            .is_some_and(|origin| origin.host_str().is_some_and(is_local_name)),
    };
    let host_is_local = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| Url::parse(&format!("http://{host}")).ok())
        .is_some_and(|url| url.host_str().is_some_and(is_local_name));
    origin_is_local && host_is_local
}

fn is_local_name(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_that_name_this_machine_pass() {
        for (host, origin, expected) in [
            ("localhost:11434", None, true),
            ("127.0.0.1:11434", None, true),
            ("[::1]:11434", Some("http://localhost:3000"), true),
            ("127.0.0.1:11434", Some("https://evil.example"), false),
            ("127.0.0.1:11434", Some("null"), false),
            ("rebound.example:11434", None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_from_this_machine(&headers), expected, "{host} {origin:?}");
        }
        assert!(!is_from_this_machine(&HeaderMap::new()));
    }
}
