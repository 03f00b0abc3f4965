//! Web search, as web asks it of the search proxy.

use crate::ids::GroupId;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of `POST /v1/search`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SearchRequest {
    pub query: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engines: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_range: Option<String>,
    /// Whether the asker has seen the query as it leaves. Where the rules ask for that, a search without it is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub confirmed: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The answer of `POST /v1/search`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SearchAnswer {
    pub results: Vec<SearchResult>,
    pub engines: Vec<EngineReport>,
    /// Words taken out of the query before it left.
    pub redactions: u32,
    /// The query as it left; empty where none did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sent: String,
    /// Whether the answer was kept from an earlier search.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cached: bool,
}

/// What would leave for a query: the answer of `POST /v1/outgoing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outgoing {
    /// The query after rewriting, without personal data and the organisation's own words.
    pub query: String,
    pub redactions: u32,
    /// Whether a person has to agree before it is sent.
    pub needs_confirmation: bool,
    /// Whether nothing may be sent at all: the query is about something that is blocked, or nothing of it was left.
    pub blocked: bool,
}

/// One result.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SearchResult {
    pub title: String,
    pub url: String,
    pub snippet: String,
    pub engines: Vec<String>,
    pub score: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// Categories of the word lists that this result was flagged by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// How one engine did.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EngineReport {
    pub name: String,
    /// `ok`, `error`, `timeout`, `limited` (our own limit) or `paused` (after failures).
    pub state: String,
    pub took_ms: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The body of `POST /v1/read`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReadRequest {
    pub url: String,
    /// What the reader wants to know; the answer then holds the passages that say most about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// The readable text of a page.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReadAnswer {
    /// Where the page was found after redirects.
    pub url: String,
    pub title: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// The passages that say most about the question, best first; empty without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<PagePassage>,
}

/// A passage of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PagePassage {
    pub text: String,
    pub score: f32,
}

/// How strictly engines are asked to leave out what is not for the office.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SafeSearchLevel {
    Off,
    #[default]
    Moderate,
    Strict,
}

impl SafeSearchLevel {
    /// An engine's own words for the three levels.
    pub fn one_of<T>(self, words: [T; 3]) -> T {
        let [off, moderate, strict] = words;
        match self {
            Self::Off => off,
            Self::Moderate => moderate,
            Self::Strict => strict,
        }
    }
}

/// What may leave and what may come in: the rules of web search, which administrators change while the server runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchRules {
    /// Groups whose members may search; empty for everyone who may sign in.
    pub allowed_groups: Vec<GroupId>,
    /// Whether a person sees each query as it leaves, and agrees, before it is sent.
    pub confirm_before_sending: bool,
    /// Whether a question is sent as it was asked. Otherwise it is cut down to its keywords.
    pub send_whole_question: bool,
    /// Words that never leave: names, projects, customers.
    pub organisation_words: Vec<String>,
    pub lists: Vec<WordList>,
    pub sites: SiteRules,
    pub safe_search: SafeSearchLevel,
}

/// Words, and what happens where one stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WordList {
    /// A short name, by which results are flagged and events are logged.
    pub category: String,
    pub direction: Direction,
    pub action: FilterAction,
    pub words: Vec<String>,
    /// Whether pinyin and mixtures of pinyin and characters count too.
    #[serde(default)]
    pub pinyin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Outgoing,
    Incoming,
    Both,
}

/// What happens to a query or a result with a word of a list in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilterAction {
    /// Nothing is sent, or nothing is answered.
    Block,
    /// The word is replaced.
    Mask,
    /// The word does not leave; the result is left out.
    Drop,
    /// The result says so.
    Flag,
}

/// Which sites results may come from. A site covers its subdomains.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SiteRules {
    /// Where not empty, nothing else is answered or read.
    pub allow: Vec<String>,
    pub block: Vec<String>,
    pub prefer: Vec<SitePreference>,
}

/// How much a site's results count; 1 changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SitePreference {
    pub site: String,
    pub weight: f32,
}

/// How an engine has been doing: one row of `GET /v1/engines`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EngineHealth {
    pub name: String,
    pub kind: String,
    /// `ok`, `paused`, or `unknown` before the first request.
    pub state: String,
    /// Until when no request is sent, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Timestamp>,
    pub requests: u64,
    pub failures: u64,
    /// Requests that were not sent because of our own limit or a pause.
    pub skipped: u64,
    /// Of the last answers; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// Results of an answer on average.
    pub mean_results: f64,
}

/// The answer of `GET /v1/engines`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnginesAnswer {
    /// Whether web search is configured at all.
    pub enabled: bool,
    pub engines: Vec<EngineHealth>,
}

/// The OpenSearch description of a search at `base` (`https://host/searxng`), whose answers are SearXNG's JSON.
pub fn open_search_description(base: &str) -> String {
    let is_plain =
        |c: &char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-' | '_' | '[' | ']');
    // What comes from a request's headers is written into XML.
    let base: String = base.chars().filter(is_plain).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<OpenSearchDescription xmlns=\"http://a9.com/-/spec/opensearch/1.1/\">\n\
         \x20 <ShortName>Anwen</ShortName>\n  <Description>Anwen web search</Description>\n  <InputEncoding>UTF-8</InputEncoding>\n\
         \x20 <Url rel=\"results\" type=\"application/json\" method=\"get\" template=\"{base}/search?q={{searchTerms}}&amp;pageno={{startPage?}}&amp;language={{language?}}&amp;format=json\"/>\n\
         </OpenSearchDescription>\n"
    )
}
