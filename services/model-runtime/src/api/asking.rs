//! What a request says about itself beside its body: who asks, how urgent it is, and whether a kept answer will do.

use std::sync::Arc;
use std::time::Duration;

use anwen_contract::Asker;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::admission::{Ask, Priority};
use crate::cache::CacheUse;
use crate::config::Config;
use crate::registry::Wish;

/// `interactive` or `batch`.
pub const PRIORITY_HEADER: &str = "x-anwen-priority";
/// Milliseconds that the request may wait in the queue; the setting is the upper bound.
pub const DEADLINE_HEADER: &str = "x-anwen-deadline-ms";
/// `off`: neither look a kept answer up nor keep this one. `on`: a kept answer will do although the request leaves room
/// for another one.
pub const CACHE_HEADER: &str = "x-anwen-cache";

/// The circumstances of a request.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Users take turns by this key.
    pub user: Arc<str>,
    /// Ids of the asker's groups.
    pub groups: Vec<String>,
    /// `None` leaves it to the kind of work.
    pub priority: Option<Priority>,
    pub deadline: Option<Duration>,
    pub cache: CacheUse,
    /// How the model is to be loaded and kept; the interfaces fill it in from the body (`keep_alive`, `num_ctx`).
    pub wish: Wish,
}

impl Asking {
    /// By the signed token's asker, or by the address of a program on this machine. What a header says wrongly is an error
    /// for the caller.
    pub fn read(asker: Option<&Asker>, peer: &str, headers: &HeaderMap) -> Result<Self, String> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let priority = match text(PRIORITY_HEADER) {
            None => None,
            Some(name) => Some(
                Priority::parse(name)
                    .ok_or_else(|| format!("{PRIORITY_HEADER} is {name:?}; use interactive or batch"))?,
            ),
        };
        let deadline = match text(DEADLINE_HEADER) {
            None => None,
            Some(ms) => {
                let ms = ms.parse().map_err(|_| format!("{DEADLINE_HEADER} is {ms:?}; use milliseconds"))?;
                Some(Duration::from_millis(ms))
            }
        };
        let cache = match text(CACHE_HEADER) {
            None => CacheUse::WhereDeterministic,
            Some("on") => CacheUse::Always,
            Some("off") => CacheUse::Never,
            Some(other) => return Err(format!("{CACHE_HEADER} is {other:?}; use on or off")),
        };
        Ok(Self {
            user: asker.map_or_else(|| peer.into(), |asker| asker.user_id.to_string().into()),
            groups: asker
                .map_or_else(Vec::new, |asker| asker.groups.iter().map(ToString::to_string).collect()),
            priority,
            deadline,
            cache,
            wish: Wish::default(),
        })
    }

    /// The question to the queue. `usual` is the priority of such work when the request says none.
    pub(super) fn ask(&self, config: &Config, usual: Priority) -> Ask {
        let longest = config.queue_timeout();
        Ask {
            user: Arc::clone(&self.user),
            priority: self.priority.unwrap_or(usual),
            timeout: self.deadline.map_or(longest, |deadline| deadline.min(longest)),
        }
    }
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            user: "".into(),
            groups: Vec::new(),
            priority: None,
            deadline: None,
            cache: CacheUse::default(),
            wish: Wish::default(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asking {
    type Rejection = std::convert::Infallible;

    /// The check at the door has put it there.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn read(headers: &[(&'static str, &'static str)]) -> Result<Asking, String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Asking::read(None, "127.0.0.1", &headers)
    }

    #[test]
    fn headers_say_how_urgent_a_request_is() {
        let asking =
            read(&[(PRIORITY_HEADER, "batch"), (DEADLINE_HEADER, "250"), (CACHE_HEADER, "off")]).unwrap();
        assert_eq!(asking.cache, CacheUse::Never);
        let ask = asking.ask(&Config::default(), Priority::Interactive);
        assert_eq!((ask.priority, ask.timeout), (Priority::Batch, Duration::from_millis(250)));
    }

    #[test]
    fn what_the_settings_allow_is_the_longest_wait() {
        let asking = read(&[(DEADLINE_HEADER, "999999999")]).unwrap();
        let config = Config { queue_timeout_seconds: 7, ..Config::default() };
        assert_eq!(asking.ask(&config, Priority::Interactive).timeout, Duration::from_secs(7));
    }

    #[test]
    fn a_wrong_header_is_named() {
        for (name, value) in [(PRIORITY_HEADER, "high"), (DEADLINE_HEADER, "soon"), (CACHE_HEADER, "maybe")] {
            assert!(read(&[(name, value)]).unwrap_err().contains(name));
        }
    }
}
