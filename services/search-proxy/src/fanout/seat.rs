//! One engine with everything that stands between it and the outside: its connections, limits and record.

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anwen_contract::Timestamp;
use anwen_contract::search::EngineHealth;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use super::breaker::{Admission, Breaker};
use super::budget::RetryBudget;
use super::health::Health;
use crate::BuildError;
use crate::config::Config;
use crate::engine::settings::TlsVersion;
use crate::engine::{self, Answer, Ask, Body, Engine, EngineError, EngineSettings, Query};
use crate::results::Found;
use crate::transport::{BodyError, bounded_body, root_cause};

/// Connections to an engine that are kept open.
const MAX_IDLE_CONNECTIONS: usize = 4;
/// The longest pause that an engine may ask for.
const MAX_RETRY_AFTER_S: u64 = 86_400;
/// Parts of addresses that engines send programs to.
const CAPTCHA_PLACES: [&str; 7] =
    ["captcha", "antispider", "/sorry/", "wappass", "verify", "challenge", "unusual"];

pub struct Seat {
    pub settings: EngineSettings,
    engine: Box<dyn Engine>,
    http: reqwest::Client,
    limiter: DefaultDirectRateLimiter,
    slots: Semaphore,
    budget: RetryBudget,
    record: Mutex<Record>,
    timeout: Duration,
    max_answer_bytes: usize,
}

#[derive(Default)]
struct Record {
    breaker: Breaker,
    health: Health,
}

/// Why an engine was not asked, or what came of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Outcome {
    #[error("{0}")]
    Failed(EngineError),
    #[error("our own limit of requests is reached")]
    Limited,
    #[error("paused after failures")]
    Paused,
}

impl Outcome {
    /// The word of reports and metrics.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Failed(EngineError::Timeout) => "timeout",
            Self::Failed(_) => "error",
            Self::Limited => "limited",
            Self::Paused => "paused",
        }
    }
}

impl Seat {
    pub fn new(settings: EngineSettings, config: &Config) -> Result<Self, BuildError> {
        let wrong = |reason: String| BuildError::Engine { name: settings.name.clone(), reason };
        settings.check().map_err(wrong)?;
        let engine = engine::build(&settings).map_err(wrong)?;
        let http = client(&settings, config).map_err(|cause| wrong(cause.to_string()))?;
        let burst = NonZeroU32::new(settings.burst()).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(Duration::from_secs_f64(1.0 / settings.per_second()))
            .ok_or_else(|| wrong("per_second: out of range".to_owned()))?
            .allow_burst(burst);
        Ok(Self {
            timeout: settings.timeout().unwrap_or(config.engines_timeout()).min(config.engines_timeout()),
            max_answer_bytes: config.max_search_answer_bytes,
            limiter: RateLimiter::direct(quota),
            slots: Semaphore::new(settings.concurrent()),
            budget: RetryBudget::default(),
            record: Mutex::default(),
            engine,
            http,
            settings,
        })
    }

    /// Asks the engine, under all its limits, until `deadline` at most.
    pub async fn search(&self, query: &Query, deadline: Instant) -> Result<Found, Outcome> {
        // Of its own statement: the guard must be gone before the record is locked again.
        let admission = self.record().breaker.admit(Instant::now());
        if let Admission::Paused { .. } = admission {
            self.record().health.skipped += 1;
            return Err(Outcome::Paused);
        }
        if self.limiter.check().is_err() {
            self.record().health.skipped += 1;
            return Err(Outcome::Limited);
        }
        self.budget.deposit();
        let started = Instant::now();
        let deadline = deadline.min(started + self.timeout);
        let result = match timeout_at(deadline, self.slots.acquire()).await {
            Ok(Ok(_slot)) => {
                timeout_at(deadline, self.attempts(query)).await.unwrap_or(Err(EngineError::Timeout))
            }
            _ => {
                // Its slots were taken by others: nothing is known about the engine.
                self.record().health.skipped += 1;
                return Err(Outcome::Limited);
            }
        };
        metrics::histogram!("anwen_search_engine_duration_seconds", "engine" => self.settings.name.clone())
            .record(started.elapsed().as_secs_f64());
        let mut record = self.record();
        match &result {
            Ok(found) => {
                record.breaker.succeeded();
                record.health.succeeded(started.elapsed(), found.hits.len(), Timestamp::now());
            }
            Err(cause) => {
                record.breaker.failed(Instant::now(), cause);
                record.health.failed(cause.to_string());
            }
        }
        result.map_err(Outcome::Failed)
    }

    /// Once; again when the first attempt met a passing failure, or hedged when it is late. Each second request has to be
    /// within the budget.
    async fn attempts(&self, query: &Query) -> Result<Found, EngineError> {
        let first = self.attempt(query);
        tokio::pin!(first);
        if let Some(hedge_after) = self.settings.hedge_after() {
            match timeout(hedge_after, &mut first).await {
                Ok(Err(cause)) if is_passing(&cause) && self.budget.withdraw() => {
                    return self.attempt(query).await;
                }
                Ok(result) => return result,
                Err(_) if self.budget.withdraw() => return self.hedged(query, first).await,
                Err(_) => {}
            }
        }
        match first.await {
            Err(cause) if is_passing(&cause) && self.budget.withdraw() => self.attempt(query).await,
            result => result,
        }
    }

    /// The first answer of the two that is a success; else the later failure.
    async fn hedged(
        &self,
        query: &Query,
        first: impl Future<Output = Result<Found, EngineError>> + Unpin,
    ) -> Result<Found, EngineError> {
        metrics::counter!("anwen_search_hedged_total", "engine" => self.settings.name.clone()).increment(1);
        let second = std::pin::pin!(self.attempt(query));
        match futures::future::select(first, second).await {
            futures::future::Either::Left((Ok(found), _))
            | futures::future::Either::Right((Ok(found), _)) => Ok(found),
            futures::future::Either::Left((Err(_), second)) => second.await,
            futures::future::Either::Right((Err(_), first)) => first.await,
        }
    }

    async fn attempt(&self, query: &Query) -> Result<Found, EngineError> {
        let response = self.send(self.engine.ask(query)).await?;
        let status = response.status();
        if status.is_redirection() {
            let target =
                response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let wants_person = CAPTCHA_PLACES.iter().any(|place| target.to_ascii_lowercase().contains(place));
            return Err(if wants_person {
                EngineError::Captcha
            } else {
                EngineError::Status(status.as_u16())
            });
        }
        match status.as_u16() {
            401 | 402 => return Err(EngineError::Unauthorized),
            429 => return Err(EngineError::TooManyRequests(retry_after(&response))),
            code if !status.is_success() => return Err(EngineError::Status(code)),
            _ => {}
        }
        let charset = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.to_ascii_lowercase().split("charset=").nth(1).map(str::to_owned))
            .map(|charset| charset.trim_matches(['"', ' ', ';']).to_owned());
        let body = bounded_body(response, self.max_answer_bytes).await.map_err(|error| match error {
            BodyError::TooLarge => EngineError::TooLarge(self.max_answer_bytes),
            BodyError::Transport(cause) => failure(&cause),
        })?;
        self.engine.read(&Answer { status: status.as_u16(), charset, body })
    }

    async fn send(&self, ask: Ask) -> Result<reqwest::Response, EngineError> {
        let mut request = match &ask.body {
            Body::None => self.http.get(ask.url),
            Body::Json(body) => self.http.post(ask.url).json(body),
            Body::Form(fields) => self.http.post(ask.url).form(fields),
        };
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        request.send().await.map_err(|cause| failure(&cause))
    }

    pub fn health(&self) -> EngineHealth {
        let now = Instant::now();
        let record = self.record();
        let paused_until = record.breaker.paused_until(now);
        let health = &record.health;
        let state = match paused_until {
            Some(_) => "paused",
            None if health.requests == 0 => "unknown",
            None => "ok",
        };
        EngineHealth {
            name: self.settings.name.clone(),
            kind: format!("{:?}", self.settings.kind).to_ascii_lowercase(),
            state: state.to_owned(),
            paused_until: paused_until.map(|until| {
                let millis = i64::try_from((until - now).as_millis()).unwrap_or(i64::MAX);
                Timestamp::now().plus_millis(millis)
            }),
            last_error: health.last_error.clone(),
            last_success_at: health.last_success_at,
            requests: health.requests,
            failures: health.failures,
            skipped: health.skipped,
            p50_ms: health.quantile_ms(0.5),
            p95_ms: health.quantile_ms(0.95),
            mean_results: health.mean_results(),
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failures that a second attempt may not meet.
fn is_passing(cause: &EngineError) -> bool {
    matches!(cause, EngineError::Unreachable(_) | EngineError::Status(500 | 502 | 503 | 504))
}

fn failure(cause: &reqwest::Error) -> EngineError {
    if cause.is_timeout() { EngineError::Timeout } else { EngineError::Unreachable(root_cause(cause)) }
}

/// Seconds only: a date needs the engine's clock.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER_S)))
}

#[derive(Debug, thiserror::Error)]
enum ClientError {
    #[error("ca_file: {0}")]
    CaFile(std::io::Error),
    #[error("{0}")]
    Http(#[from] reqwest::Error),
}

fn client(settings: &EngineSettings, config: &Config) -> Result<reqwest::Client, ClientError> {
    let agent = settings.user_agent.as_ref().unwrap_or(&config.user_agent);
    let mut builder = reqwest::Client::builder()
        .user_agent(agent)
        .redirect(Policy::none())
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS);
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.clone())?);
    }
    if let Some(file) = &settings.ca_file {
        let pem = std::fs::read(file).map_err(ClientError::CaFile)?;
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem)?);
    }
    if let Some(version) = settings.tls_min {
        builder = builder.tls_version_min(match version {
            TlsVersion::V1_2 => reqwest::tls::Version::TLS_1_2,
            TlsVersion::V1_3 => reqwest::tls::Version::TLS_1_3,
        });
    }
    Ok(builder.build()?)
}
