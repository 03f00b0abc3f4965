//! Requests to a source whose base address an administrator has set.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_RANGE, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use url::Url;

use super::PullSettings;
use super::address::{PublicResolver, check_redirect};
use super::source::{ByteStream, FetchError};
use crate::error::StoreError;

const MAX_REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a listing or of a small text.
pub(super) const MAX_LISTING_BYTES: usize = 16 * 1024 * 1024;

/// Asks one source.
#[derive(Clone)]
pub(super) struct Http {
    base: Url,
    token: Option<String>,
    /// For the base address, which may be in this network.
    trusted: Client,
    /// For wherever redirects lead.
    public: Client,
    attempts: u32,
    backoff: Duration,
}

impl Http {
    /// `base` is one of the addresses in the settings; an empty `token` is none.
    pub(super) fn new(base: &str, token: &str, settings: &PullSettings) -> Result<Self, StoreError> {
        let builder = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(Duration::from_millis(settings.stall_timeout_ms))
                // A range is one of the bytes as they are.
                .no_gzip()
                .user_agent(concat!("anwen/", env!("CARGO_PKG_VERSION")))
        };
        let failed = |cause: reqwest::Error| StoreError::Source(cause.to_string());
        Ok(Self {
            base: Url::parse(base).map_err(|cause| {
                StoreError::Invalid(format!("{base:?} in the settings is no address: {cause}"))
            })?,
            token: Some(token).filter(|token| !token.is_empty()).map(str::to_owned),
            trusted: builder().build().map_err(failed)?,
            public: builder().dns_resolver(Arc::new(PublicResolver)).build().map_err(failed)?,
            attempts: settings.attempts.max(1),
            backoff: Duration::from_millis(settings.backoff_ms),
        })
    }

    /// `path` below the base address.
    pub(super) fn url(&self, path: &str) -> Result<Url, StoreError> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{path}")).map_err(|cause| StoreError::Invalid(cause.to_string()))
    }

    /// A JSON document, tried several times.
    pub(super) async fn json<T: DeserializeOwned>(&self, url: &Url, accept: &str) -> Result<T, StoreError> {
        let bytes = self.small(url, accept).await?;
        serde_json::from_slice(&bytes)
            .map_err(|cause| StoreError::Source(format!("{url} is not what was expected: {cause}")))
    }

    /// A small document, tried several times.
    pub(super) async fn small(&self, url: &Url, accept: &str) -> Result<Vec<u8>, StoreError> {
        let mut wait = self.backoff;
        let mut left = self.attempts;
        loop {
            left -= 1;
            match self.small_once(url, accept).await {
                Ok(bytes) => return Ok(bytes),
                Err(FetchError::Fatal(error)) => return Err(error),
                Err(FetchError::Retry(cause)) if left == 0 => return Err(StoreError::Source(cause)),
                Err(FetchError::RangesIgnored) => {
                    return Err(StoreError::Source("no range was asked".to_owned()));
                }
                Err(FetchError::Retry(_)) => tokio::time::sleep(wait).await,
            }
            wait = wait.saturating_mul(2);
        }
    }

    async fn small_once(&self, url: &Url, accept: &str) -> Result<Vec<u8>, FetchError> {
        let response = self.get(url, accept, None).await?;
        let mut stream = response.bytes_stream();
        let mut bytes = Vec::new();
        while let Some(part) = stream.try_next().await.map_err(retry)? {
            if bytes.len() + part.len() > MAX_LISTING_BYTES {
                return Err(StoreError::Source(format!("{url} is larger than a listing may be")).into());
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }

    /// The bytes of a range, or of the whole.
    pub(super) async fn bytes(&self, url: &Url, range: Option<Range<u64>>) -> Result<ByteStream, FetchError> {
        let response = self.get(url, "*/*", range.as_ref()).await?;
        if let Some(range) = range {
            if response.status() != StatusCode::PARTIAL_CONTENT {
                return Err(FetchError::RangesIgnored);
            }
            let expected = format!("bytes {}-{}", range.start, range.end.saturating_sub(1));
            let given = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
            if !given.is_some_and(|given| given.starts_with(&expected)) {
                return Err(FetchError::Retry(format!(
                    "{url} answered with other bytes than were asked for"
                )));
            }
        }
        Ok(response.bytes_stream().map_err(retry).boxed())
    }

    /// Sends, and follows redirects: within the base's origin with the token, elsewhere without it and to public addresses
    /// only.
    async fn get(&self, url: &Url, accept: &str, range: Option<&Range<u64>>) -> Result<Response, FetchError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let is_base = url.origin() == self.base.origin();
            let client = if is_base { &self.trusted } else { &self.public };
            let mut request = client.get(url.clone()).header(ACCEPT, accept);
            if let Some(token) = self.token.as_ref().filter(|_| is_base) {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            if let Some(range) = range {
                request =
                    request.header(RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
            }
            let response = request.send().await.map_err(retry)?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            if !status.is_redirection() {
                return Err(refusal(status, &url));
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = location
                .and_then(|location| url.join(location).ok())
                .ok_or_else(|| StoreError::Source(format!("{url} redirects to nowhere")))?;
            if next.origin() != self.base.origin() {
                check_redirect(&url, &next)?;
            }
            url = next;
        }
        Err(StoreError::Source(format!("{url} redirects too often")).into())
    }
}

/// With the causes below it, which say more than the outermost.
fn retry(cause: reqwest::Error) -> FetchError {
    let mut text = cause.to_string();
    let mut inner = std::error::Error::source(&cause);
    while let Some(error) = inner {
        text = format!("{text}: {error}");
        inner = error.source();
    }
    FetchError::Retry(text)
}

fn refusal(status: StatusCode, url: &Url) -> FetchError {
    let path = url.path();
    match status {
        StatusCode::NOT_FOUND => StoreError::NotAtSource(path.to_owned()).into(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            StoreError::Source(format!("{path} needs a token that may read it (status {status})")).into()
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            FetchError::Retry(format!("{path} answered with status {status}"))
        }
        status if status.is_server_error() => {
            FetchError::Retry(format!("{path} answered with status {status}"))
        }
        status => StoreError::Source(format!("{path} answered with status {status}")).into(),
    }
}
