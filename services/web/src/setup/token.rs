//! The set-up token: beyond loopback, not whoever comes first becomes the administrator, but whoever can read the
//! server's log or environment.

use crate::auth::{Token, same_secret};
use std::net::{IpAddr, SocketAddr};

/// What making the first administrator needs.
pub enum SetupToken {
    /// Only this machine reaches the server.
    NotNeeded,
    Needed(String),
}

impl SetupToken {
    /// The rule for a server that listens on `listen`: the configured token, or else a random one.
    pub fn for_listener(listen: &str, configured: &str) -> Result<Self, rand::rand_core::OsError> {
        if !listens_beyond_loopback(listen) {
            return Ok(Self::NotNeeded);
        }
        if !configured.is_empty() {
            return Ok(Self::Needed(configured.to_owned()));
        }
        Ok(Self::Needed(Token::random()?.as_str().to_owned()))
    }

    pub fn is_required(&self) -> bool {
        matches!(self, Self::Needed(_))
    }

    /// Whether a set-up that sent this may go on.
    pub fn admits(&self, sent: Option<&str>) -> bool {
        match self {
            Self::NotNeeded => true,
            Self::Needed(token) => same_secret(sent.unwrap_or_default().trim(), token),
        }
    }
}

/// Whether others than this machine reach a server on this address. What is not an address is taken for a name
/// that others may reach.
pub fn listens_beyond_loopback(listen: &str) -> bool {
    if let Ok(address) = listen.parse::<SocketAddr>() {
        return !address.ip().is_loopback();
    }
    let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => !ip.is_loopback(),
        Err(_) => host != "localhost",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_needs_no_token() {
        for (listen, beyond) in [
            ("127.0.0.1:8080", false),
            ("[::1]:8080", false),
            ("localhost:8080", false),
            ("0.0.0.0:8080", true),
            ("[::]:8080", true),
            ("192.168.1.5:80", true),
            ("anwen.example:80", true),
            ("", true),
        ] {
            assert_eq!(listens_beyond_loopback(listen), beyond, "{listen}");
        }
    }

    #[test]
    fn the_configured_token_or_else_a_random_one_admits() {
        let token = SetupToken::for_listener("0.0.0.0:80", "let-me-in").unwrap();
        assert!(token.admits(Some("let-me-in")) && !token.admits(Some("other")) && !token.admits(None));
        let SetupToken::Needed(random) = SetupToken::for_listener("0.0.0.0:80", "").unwrap() else {
            panic!("a token is needed");
        };
        assert!(random.len() >= 32);
        assert!(SetupToken::for_listener("127.0.0.1:80", "x").unwrap().admits(None));
    }
}
