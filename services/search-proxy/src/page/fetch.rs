//! Fetching a page, hop by hop, under its limits.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION,
};
use reqwest::redirect::Policy;
use url::Url;

use super::PageError;
use super::address::{AddressPolicy, not_public};
use crate::config::Config;
use crate::transport::{BodyError, bounded_body, causes, root_cause};

/// What is asked for, and taken.
const ACCEPTED: &str = "text/html, application/xhtml+xml, text/plain;q=0.8, application/pdf;q=0.7";
pub const PDF: &str = "application/pdf";

/// A page as it came.
pub struct Page {
    /// Where it was found after redirects.
    pub url: Url,
    /// Without parameters, in lower case.
    pub media_type: String,
    /// The encoding that the server named.
    pub charset: Option<String>,
    pub body: Vec<u8>,
    pub validators: Validators,
}

/// By what a site can tell that a page is still the same, and how long it need not be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// Of `Cache-Control`; zero for `no-cache` and `no-store`.
    pub max_age: Option<Duration>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let text =
            |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let control = text(CACHE_CONTROL).unwrap_or_default().to_ascii_lowercase();
        let seconds = control.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse().ok());
        let forbids = control.contains("no-cache") || control.contains("no-store");
        let max_age = if forbids { Some(0) } else { seconds };
        Self {
            etag: text(ETAG),
            last_modified: text(LAST_MODIFIED),
            max_age: max_age.map(Duration::from_secs),
        }
    }
}

/// What one request led to.
pub enum Hop {
    Page(Page),
    /// The page is as it was when these validators came.
    NotModified,
    Redirect(Url),
}

pub struct Fetcher {
    http: reqwest::Client,
    policy: AddressPolicy,
    max_page_bytes: usize,
    takes_pdf: bool,
}

impl Fetcher {
    pub fn new(policy: AddressPolicy, config: &Config, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(&config.user_agent)
            .dns_resolver(Arc::new(PolicyResolver { policy: policy.clone(), lookup }))
            // Redirects are followed one by one, so that each address is checked.
            .redirect(Policy::none())
            // A proxy would resolve names out of the policy's sight.
            .no_proxy()
            .build()?;
        let takes_pdf = config.knowledge_url.is_some();
        Ok(Self { http, policy, max_page_bytes: config.max_page_bytes, takes_pdf })
    }

    /// One request, to an address that the policy permits. `known` are the validators of the page as it is kept.
    pub async fn hop(&self, url: Url, known: Option<&Validators>) -> Result<Hop, PageError> {
        self.policy.check(&url)?;
        let mut request = self.http.get(url.clone()).header(ACCEPT, ACCEPTED);
        if let Some(etag) = known.and_then(|known| known.etag.as_ref()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(modified) = known.and_then(|known| known.last_modified.as_ref()) {
            request = request.header(IF_MODIFIED_SINCE, modified);
        }
        let answer = request.send().await.map_err(failure)?;
        match answer.status().as_u16() {
            304 if known.is_some() => Ok(Hop::NotModified),
            300..=399 => Ok(Hop::Redirect(redirect_target(&url, answer.headers())?)),
            200..=299 => Ok(Hop::Page(self.take(url, answer).await?)),
            status => Err(PageError::Status(status)),
        }
    }

    async fn take(&self, url: Url, answer: reqwest::Response) -> Result<Page, PageError> {
        let (media_type, charset) = content_type(answer.headers());
        let is_text = matches!(media_type.as_str(), "text/html" | "application/xhtml+xml" | "text/plain");
        if !(is_text || media_type == PDF && self.takes_pdf) {
            return Err(PageError::MediaType(media_type));
        }
        let validators = Validators::of(answer.headers());
        let body = bounded_body(answer, self.max_page_bytes).await.map_err(|error| match error {
            BodyError::TooLarge => PageError::TooLarge(self.max_page_bytes),
            BodyError::Transport(cause) => failure(cause),
        })?;
        Ok(Page { url, media_type, charset, body, validators })
    }
}

fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, PageError> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| PageError::Broken("a redirect to nowhere".to_owned()))?;
    from.join(location).map_err(|cause| PageError::Broken(cause.to_string()))
}

/// The media type in lower case, and the charset. A page without a type is taken for HTML, as browsers do.
fn content_type(headers: &HeaderMap) -> (String, Option<String>) {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return ("text/html".to_owned(), None);
    };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    (media_type, charset)
}

/// Resolves names to the addresses that the policy permits. A name with any other address is refused whole: such
/// mixtures are how a page reaches past a check.
struct PolicyResolver {
    policy: AddressPolicy,
    lookup: Lookup,
}

/// How names become addresses; another than the system's in tests of what names can be made to say.
pub type Lookup = Arc<dyn Fn(String) -> LookedUp + Send + Sync>;
pub type LookedUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

pub fn system_lookup() -> Lookup {
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) }))
}

/// A name resolved to an address that may not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct AddressRefused(String);

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        let looked_up = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = looked_up.await?;
            if let Some(refused) = addresses.iter().find(|address| !policy.permits(address.ip())) {
                return Err(AddressRefused(not_public(refused.ip())).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Tells a refusal of the resolver, deep inside the client's error, from an ordinary failure.
fn failure(error: reqwest::Error) -> PageError {
    if error.is_timeout() {
        return PageError::Timeout;
    }
    match causes(&error).find_map(|cause| cause.downcast_ref::<AddressRefused>()) {
        Some(AddressRefused(reason)) => PageError::Refused(reason.clone()),
        None => PageError::Unreachable(root_cause(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_is_read_with_its_charset() {
        let cases = [
            (Some("text/html"), "text/html", None),
            (Some("Text/HTML; Charset=\"GBK\""), "text/html", Some("GBK")),
            (Some("text/plain;boundary=x; charset=utf-8"), "text/plain", Some("utf-8")),
            (None, "text/html", None),
        ];
        for (value, media_type, charset) in cases {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(CONTENT_TYPE, value.parse().unwrap());
            }
            assert_eq!(
                content_type(&headers),
                (media_type.to_owned(), charset.map(str::to_owned)),
                "{value:?}"
            );
        }
    }
}
