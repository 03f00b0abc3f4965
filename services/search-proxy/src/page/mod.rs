//! Reading one page of the web.
//!
//! The address comes from outside (a search result, a question), so it is not trusted: only what is on the public
//! internet is connected to, checked on the addresses that a name really resolves to, on every hop. Time, redirects and
//! bytes are bounded.

pub mod address;
mod decode;
mod depth;
mod fetch;
mod readable;

use std::sync::Arc;
use std::time::Duration;

use anwen_contract::search::ReadAnswer;
use anwen_contract::{ApiError, ErrorCode};
use tokio::sync::Semaphore;
use url::Url;

use crate::config::Config;
use address::AddressPolicy;
use fetch::Fetcher;

/// Why a page was not read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("the address may not be read: {0}")]
    Refused(String),
    #[error("the page did not come in time")]
    Timeout,
    #[error("the page cannot be reached: {0}")]
    Unreachable(String),
    #[error("the site answered with status {0}")]
    Status(u16),
    #[error("the page redirects more than {0} times")]
    TooManyRedirects(usize),
    #[error("the page is larger than {0} bytes")]
    TooLarge(usize),
    #[error("`{0}` is not a kind of page that can be read")]
    MediaType(String),
    #[error("the page holds no readable text")]
    NoText,
    #[error("the page could not be taken apart: {0}")]
    Broken(String),
}

impl From<PageError> for ApiError {
    fn from(error: PageError) -> Self {
        let code = match error {
            PageError::Refused(_) => ErrorCode::AddressRefused,
            PageError::Timeout => ErrorCode::DeadlineExceeded,
            _ => ErrorCode::PageUnreadable,
        };
        match error {
            // What the operating system or the parser said is for the log.
            PageError::Unreachable(cause) => Self::new(code, "the page cannot be reached").because(cause),
            PageError::Broken(cause) => Self::new(code, "the page could not be taken apart").because(cause),
            error => Self::new(code, error.to_string()),
        }
    }
}

/// Reads pages, a bounded number at a time.
pub struct PageReader {
    fetcher: Fetcher,
    slots: Arc<Semaphore>,
    timeout: Duration,
    max_text_chars: usize,
}

impl PageReader {
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let policy = AddressPolicy::new(config.allowed_networks.clone());
        Ok(Self {
            fetcher: Fetcher::new(policy, config)?,
            slots: Arc::new(Semaphore::new(config.concurrent_reads)),
            timeout: config.read_timeout(),
            max_text_chars: config.max_text_chars,
        })
    }

    /// The readable text of the page at `address`. The time limit covers waiting, redirects and taking apart.
    pub async fn read(&self, address: &str) -> Result<ReadAnswer, PageError> {
        let url = Url::parse(address).map_err(|cause| PageError::Refused(cause.to_string()))?;
        tokio::time::timeout(self.timeout, self.read_page(url)).await.unwrap_or(Err(PageError::Timeout))
    }

    async fn read_page(&self, url: Url) -> Result<ReadAnswer, PageError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| PageError::Timeout)?;
        let page = self.fetcher.fetch(url).await?;
        let max_text_chars = self.max_text_chars;
        readable::on_own_thread(move || {
            // Held until the text is there: a time-out must not let more threads start.
            let _slot = slot;
            readable::read(&page, max_text_chars)
        })
        .await
    }
}
