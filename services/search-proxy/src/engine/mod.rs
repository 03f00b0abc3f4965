//! Whom a query is sent to.

pub mod searxng;

use async_trait::async_trait;

use crate::results::Found;

/// A search, as an engine is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub text: String,
    /// Names of the engines behind a metasearch engine; empty for its own choice.
    pub engines: Vec<String>,
    /// A language tag such as `zh-CN`; `None` for any.
    pub language: Option<String>,
    pub time_range: Option<TimeRange>,
    /// The page of results, from 1.
    pub page: u32,
}

impl Query {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), engines: Vec::new(), language: None, time_range: None, page: 1 }
    }
}

/// How old a result may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeRange {
    Day,
    Week,
    Month,
    Year,
}

impl TimeRange {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Day, Self::Week, Self::Month, Self::Year].into_iter().find(|range| range.as_str() == text)
    }
}

/// Why an engine gave no results.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("no answer in time")]
    Timeout,
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("answered with status {0}")]
    Status(u16),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the answer is not in the expected shape: {0}")]
    Shape(String),
}

/// A search engine.
#[async_trait]
pub trait Engine: Send + Sync {
    /// How it is called in reports and metrics.
    fn name(&self) -> &'static str;

    /// Asks it. Bounded in time and in the bytes that are taken.
    async fn search(&self, query: &Query) -> Result<Found, EngineError>;

    /// Whether it answers at all.
    async fn reachable(&self) -> Result<(), EngineError>;
}
