//! Fetching a page, hop by hop, under its limits.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use url::Url;

use super::PageError;
use super::address::{AddressPolicy, not_public};
use crate::config::Config;
use crate::transport::{BodyError, bounded_body, causes, root_cause};

/// What is asked for, and taken.
const ACCEPTED: &str = "text/html, application/xhtml+xml, text/plain;q=0.8";

/// A page as it came.
pub struct Page {
    /// Where it was found after redirects.
    pub url: Url,
    /// Without parameters, in lower case.
    pub media_type: String,
    /// The encoding that the server named.
    pub charset: Option<String>,
    pub body: Vec<u8>,
}

pub struct Fetcher {
    http: reqwest::Client,
    policy: AddressPolicy,
    max_redirects: usize,
    max_page_bytes: usize,
}

impl Fetcher {
    pub fn new(policy: AddressPolicy, config: &Config) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(&config.user_agent)
            .dns_resolver(Arc::new(PolicyResolver { policy: policy.clone() }))
            // Redirects are followed here, one by one, so that each address is checked.
            .redirect(Policy::none())
            // A proxy would resolve names out of the policy's sight.
            .no_proxy()
            .build()?;
        Ok(Self { http, policy, max_redirects: config.max_redirects, max_page_bytes: config.max_page_bytes })
    }

    pub async fn fetch(&self, mut url: Url) -> Result<Page, PageError> {
        for _ in 0..=self.max_redirects {
            self.policy.check(&url)?;
            let request = self.http.get(url.clone()).header(ACCEPT, ACCEPTED);
            let answer = request.send().await.map_err(failure)?;
            if answer.status().is_redirection() {
                url = redirect_target(&url, answer.headers())?;
                continue;
            }
            if !answer.status().is_success() {
                return Err(PageError::Status(answer.status().as_u16()));
            }
            return self.take(url, answer).await;
        }
        Err(PageError::TooManyRedirects(self.max_redirects))
    }

    async fn take(&self, url: Url, answer: reqwest::Response) -> Result<Page, PageError> {
        let (media_type, charset) = content_type(answer.headers());
        if !matches!(media_type.as_str(), "text/html" | "application/xhtml+xml" | "text/plain") {
            return Err(PageError::MediaType(media_type));
        }
        let body = bounded_body(answer, self.max_page_bytes).await.map_err(|error| match error {
            BodyError::TooLarge => PageError::TooLarge(self.max_page_bytes),
            BodyError::Transport(cause) => failure(cause),
        })?;
        Ok(Page { url, media_type, charset, body })
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
}

/// A name resolved to an address that may not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct AddressRefused(String);

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
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
