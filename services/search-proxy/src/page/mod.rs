//! Reading one page of the web.
//!
//! The address comes from outside (a search result, a question), so it is not trusted: only what is on the public
//! internet is connected to, checked on the addresses that a name really resolves to, on every hop. Time, redirects and
//! bytes are bounded.

pub mod address;
pub(crate) mod decode;
pub(crate) mod depth;
mod fetch;
mod passages;
mod readable;
mod robots;
#[cfg(test)]
mod tricks;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anwen_contract::client::{Audience, CallContext, ServiceClient};
use anwen_contract::search::{ReadAnswer, ReadRequest};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::InternalTokens;
use moka::future::Cache;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tokio::sync::Semaphore;
use url::Url;

use crate::config::Config;
use crate::incoming::sites;
use crate::incoming::words::Verdict;
use crate::merge::canonical::unwrapped;
use crate::merge::is_invisible;
use crate::rules::Compiled;
use address::AddressPolicy;
use fetch::{Fetcher, Hop, Lookup, PDF, Page, Validators, system_lookup};
use robots::{Robots, RobotsCache};

/// Characters of an address.
const MAX_ADDRESS_CHARS: usize = 4_096;
/// Redirects that are followed for a `robots.txt` (the RFC's least bound).
const MAX_ROBOTS_REDIRECTS: usize = 5;

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
    #[error("the site asks programs not to read this page (robots.txt)")]
    Robots,
    #[error("the rules of this server do not let this page in")]
    Blocked,
}

impl From<PageError> for ApiError {
    fn from(error: PageError) -> Self {
        let code = match error {
            PageError::Refused(_) => ErrorCode::AddressRefused,
            PageError::Timeout => ErrorCode::DeadlineExceeded,
            PageError::Blocked => ErrorCode::SearchBlocked,
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
    robots: Option<RobotsCache>,
    kept: Cache<Url, Arc<KeptPage>>,
    /// The parser of documents, for pages that are PDF.
    parser: Option<ServiceClient>,
    slots: Arc<Semaphore>,
    config: Config,
}

/// A page that was read before.
struct KeptPage {
    answer: ReadAnswer,
    validators: Validators,
    fresh_until: Instant,
}

impl PageReader {
    pub fn new(config: &Config, tokens: &InternalTokens) -> Result<Self, reqwest::Error> {
        Self::with_lookup(config, tokens, system_lookup())
    }

    fn with_lookup(config: &Config, tokens: &InternalTokens, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let policy = AddressPolicy::new(config.allowed_networks.clone());
        let parser = match &config.knowledge_url {
            Some(url) => {
                let http = reqwest::Client::builder().no_proxy().build()?;
                Some(ServiceClient::new(url.clone(), http, Arc::new(tokens.clone()), Audience::Knowledge))
            }
            None => None,
        };
        let weigher =
            |_: &Url, kept: &Arc<KeptPage>| u32::try_from(kept.answer.text.len() + 512).unwrap_or(u32::MAX);
        Ok(Self {
            fetcher: Fetcher::new(policy, config, lookup)?,
            robots: config.respect_robots.then(RobotsCache::default),
            kept: Cache::builder().max_capacity(config.page_cache_bytes).weigher(weigher).build(),
            parser,
            slots: Arc::new(Semaphore::new(config.concurrent_reads)),
            config: config.clone(),
        })
    }

    /// The readable text of a page, as the rules let it in, with its best passages where there is a question. The time limit
    /// covers waiting, redirects and taking apart.
    pub async fn read(
        &self,
        request: &ReadRequest,
        rules: &Compiled,
        context: &CallContext,
    ) -> Result<ReadAnswer, PageError> {
        if request.url.chars().count() > MAX_ADDRESS_CHARS {
            return Err(PageError::Refused(format!("it has more than {MAX_ADDRESS_CHARS} characters")));
        }
        let mut url =
            Url::parse(request.url.trim()).map_err(|cause| PageError::Refused(cause.to_string()))?;
        url.set_fragment(None);
        let url = unwrapped(url);
        let reading = self.page(url, rules, context);
        let answer = tokio::time::timeout(self.config.read_timeout(), reading)
            .await
            .unwrap_or(Err(PageError::Timeout))?;
        let mut answer = filtered(answer, rules)?;
        if let Some(question) = &request.question {
            answer.passages = passages::best(&answer.text, &answer.title, question);
        }
        Ok(answer)
    }

    /// From what is kept while it is fresh; after that the site is asked whether it has changed.
    async fn page(&self, url: Url, rules: &Compiled, context: &CallContext) -> Result<ReadAnswer, PageError> {
        let known = self.kept.get(&url).await;
        if let Some(kept) = known.as_ref().filter(|kept| Instant::now() < kept.fresh_until) {
            // Rules may have changed since.
            self.check_site(&url, rules)?;
            self.check_site_text(&kept.answer.url, rules)?;
            return Ok(kept.answer.clone());
        }
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| PageError::Timeout)?;
        let validators = known.as_ref().map(|kept| &kept.validators);
        let Some(page) = self.fetch(url.clone(), validators, rules).await? else {
            let Some(kept) = known else { return Err(PageError::Broken("nothing was kept".to_owned())) };
            let answer = kept.answer.clone();
            self.keep(url, answer.clone(), kept.validators.clone()).await;
            return Ok(answer);
        };
        let validators = page.validators.clone();
        let answer = if page.media_type == PDF {
            self.document(page, context).await?
        } else {
            let max_text_chars = self.config.max_text_chars;
            readable::on_own_thread(move || {
                // Held until the text is there: a time-out must not let more threads start.
                let _slot = slot;
                readable::read(&page, max_text_chars)
            })
            .await?
        };
        self.keep(url, answer.clone(), validators).await;
        Ok(answer)
    }

    async fn keep(&self, url: Url, answer: ReadAnswer, validators: Validators) {
        let longest = Duration::from_secs(self.config.page_cache_s);
        let fresh = validators.max_age.unwrap_or(longest).min(longest);
        let kept = KeptPage { answer, validators, fresh_until: Instant::now() + fresh };
        self.kept.insert(url, Arc::new(kept)).await;
    }

    /// Follows redirects; each address on the way has to be one that may be read. `None`: not modified.
    async fn fetch(
        &self,
        mut url: Url,
        known: Option<&Validators>,
        rules: &Compiled,
    ) -> Result<Option<Page>, PageError> {
        for _ in 0..=self.config.max_redirects {
            self.check_site(&url, rules)?;
            if !self.robots_permit(&url).await? {
                return Err(PageError::Robots);
            }
            match self.fetcher.hop(url, known).await? {
                Hop::Page(page) => return Ok(Some(page)),
                Hop::NotModified => return Ok(None),
                Hop::Redirect(target) => url = target,
            }
        }
        Err(PageError::TooManyRedirects(self.config.max_redirects))
    }

    fn check_site(&self, url: &Url, rules: &Compiled) -> Result<(), PageError> {
        self.check_site_text(url.as_str(), rules)
    }

    fn check_site_text(&self, url: &str, rules: &Compiled) -> Result<(), PageError> {
        if sites::permits(&rules.rules.sites, url) { Ok(()) } else { Err(PageError::Blocked) }
    }

    async fn robots_permit(&self, url: &Url) -> Result<bool, PageError> {
        let Some(robots) = &self.robots else { return Ok(true) };
        if !matches!(url.scheme(), "http" | "https") {
            // The fetcher says what is wrong with it.
            return Ok(true);
        }
        Ok(robots.of(url, self.robots_of(url)).await.permits(url))
    }

    /// No file, or one that may not be read by its address, says nothing against reading; an error of the site does.
    async fn robots_of(&self, url: &Url) -> Robots {
        let mut place = url.clone();
        place.set_path("/robots.txt");
        place.set_query(None);
        for _ in 0..=MAX_ROBOTS_REDIRECTS {
            match self.fetcher.hop(place, None).await {
                Ok(Hop::Redirect(target)) => place = target,
                Ok(Hop::Page(page)) => {
                    let text = String::from_utf8_lossy(&page.body[..page.body.len().min(robots::MAX_BYTES)]);
                    return Robots::parse(&text, &self.config.user_agent);
                }
                Err(PageError::Status(500..)) => return Robots::closed(),
                _ => return Robots::default(),
            }
        }
        Robots::default()
    }

    /// The text of a PDF, by the knowledge service's parser in its sandbox.
    async fn document(&self, page: Page, context: &CallContext) -> Result<ReadAnswer, PageError> {
        let Some(parser) = &self.parser else { return Err(PageError::MediaType(page.media_type)) };
        let broken =
            |cause: ApiError| PageError::Broken(format!("{}: {}", cause.code.as_str(), cause.message));
        let request = parser.request(context, reqwest::Method::PUT, "/tika").map_err(broken)?;
        let request = request.header(ACCEPT, "text/plain").header(CONTENT_TYPE, PDF).body(page.body);
        let answer = parser.send(request).await.map_err(broken)?;
        let body = crate::transport::bounded_body(answer, self.config.max_page_bytes)
            .await
            .map_err(|_| PageError::TooLarge(self.config.max_page_bytes))?;
        let text = String::from_utf8_lossy(&body);
        readable::document(&page.url, &text, self.config.max_text_chars)
    }
}

/// The page without what its reader does not see, and as the word lists let it in.
fn filtered(mut answer: ReadAnswer, rules: &Compiled) -> Result<ReadAnswer, PageError> {
    for text in [&mut answer.title, &mut answer.text] {
        text.retain(|c| !is_invisible(c));
        match rules.incoming.judge(text) {
            Verdict::Keep { text: kept, .. } => *text = kept,
            Verdict::Drop { .. } | Verdict::Block { .. } => return Err(PageError::Blocked),
        }
    }
    Ok(answer)
}
