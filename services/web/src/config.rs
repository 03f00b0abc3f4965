//! What an operator can set in the section `[web]`.

use crate::answer::Thresholds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[web]`: what people and their software reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port on which people and API clients are served. Beyond loopback, making the first
    /// administrator needs the set-up token.
    pub listen: String,
    /// The set-up token; `ANWEN_SETUP_TOKEN` sets it too. Empty: a random one is made and printed in the log
    /// when it is needed.
    pub setup_token: String,
    /// Addresses or networks (`10.0.0.0/8`) of the reverse proxies whose `X-Forwarded-For` and
    /// `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<String>,
    /// Names this process among its replicas: at start it ends the answers that its predecessor of the same name
    /// left unfinished.
    pub instance: String,
    pub auth: AuthConfig,
    pub limits: LimitsConfig,
    pub answer: AnswerConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            setup_token: String::new(),
            trusted_proxies: Vec::new(),
            instance: "web".to_owned(),
            auth: AuthConfig::default(),
            limits: LimitsConfig::default(),
            answer: AnswerConfig::default(),
        }
    }
}

/// Sessions, passwords and throttling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// A session that was not used for so long has ended.
    pub session_idle_hours: u32,
    /// A session ends after so long, used or not.
    pub session_max_days: u32,
    /// The window in which failed sign-ins are counted.
    pub login_window_seconds: u32,
    /// Failed sign-ins for one name within the window, after which it must wait.
    pub login_failures_per_name: u32,
    /// Failed sign-ins from one address within the window, after which it must wait.
    pub login_failures_per_address: u32,
    /// Names and addresses whose failures are remembered at most.
    pub login_tracked_max: usize,
    /// Passwords that are hashed at the same time.
    pub password_hash_concurrency: usize,
    /// Passwords that wait to be hashed at most; more are refused.
    pub password_hash_queue: usize,
    /// API keys that one user may hold.
    pub api_keys_per_user: u32,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            session_idle_hours: 24 * 7,
            session_max_days: 30,
            login_window_seconds: 15 * 60,
            login_failures_per_name: 10,
            login_failures_per_address: 100,
            login_tracked_max: 10_000,
            password_hash_concurrency: 2,
            password_hash_queue: 64,
            api_keys_per_user: 100,
        }
    }
}

/// Bounds on what a request may carry and how long it may last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Bytes of a JSON body.
    pub json_body_max_bytes: usize,
    /// Bytes of one upload request, all its files together.
    pub upload_max_bytes: u64,
    /// Bytes of one file of a model that an administrator sends.
    pub model_upload_max_bytes: u64,
    /// A stream of document events ends after so long; browsers reconnect, and are authorised again.
    pub event_stream_max_seconds: u64,
    /// The deadline of a call to another service.
    pub service_call_ms: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            json_body_max_bytes: 1024 * 1024,
            upload_max_bytes: 4 * 1024 * 1024 * 1024,
            model_upload_max_bytes: 64 * 1024 * 1024 * 1024,
            event_stream_max_seconds: 15 * 60,
            service_call_ms: 30_000,
        }
    }
}

impl LimitsConfig {
    pub fn service_call(&self) -> Duration {
        Duration::from_millis(self.service_call_ms)
    }
}

/// How answers are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerConfig {
    /// Passages that are retrieved for an answer.
    pub top_k: u32,
    /// Below this relevance (0 to 1, from retrieval) the answer is that the documents do not say.
    pub min_relevance: f32,
    /// The same for a question that names a code (`E-999`) which stands in no passage that was found.
    pub min_relevance_unknown_code: f32,
    /// Tokens of a prompt at most, also for models with a longer context: what a prompt costs grows with it.
    pub prompt_max_tokens: u32,
    /// Tokens of an answer at most.
    pub answer_max_tokens: u32,
    /// Characters of an answer, and of its reasoning, at most; the rest is cut, and reported as cut.
    pub answer_max_chars: usize,
    /// Earlier turns of the chat that a prompt carries at most.
    pub history_max_turns: usize,
    /// A generation ends after so long.
    pub deadline_seconds: u64,
    /// A process of its own that is told to end lets answers that are being written go on for so long, while others take
    /// its place.
    pub finish_seconds: u64,
    /// The deadline of rewriting a follow-up; after it the question is used as it stands.
    pub condense_ms: u64,
    /// The deadline of a web search with its pages.
    pub web_search_ms: u64,
    /// Generations at the same time.
    pub running_max: usize,
    /// Generations of one user at the same time.
    pub running_per_user_max: usize,
    /// A finished generation is kept in memory for so long, for those who still follow it.
    pub replay_seconds: u64,
    /// Browsers that follow one generation at most.
    pub followers_max: usize,
}

impl Default for AnswerConfig {
    fn default() -> Self {
        Self {
            top_k: 8,
            min_relevance: 0.2,
            min_relevance_unknown_code: 0.8,
            prompt_max_tokens: 6_000,
            answer_max_tokens: 1_024,
            answer_max_chars: 64_000,
            history_max_turns: 6,
            deadline_seconds: 600,
            finish_seconds: 90,
            condense_ms: 8_000,
            web_search_ms: 12_000,
            running_max: 64,
            running_per_user_max: 4,
            replay_seconds: 30,
            followers_max: 16,
        }
    }
}

impl AnswerConfig {
    pub fn thresholds(&self) -> Thresholds {
        Thresholds { any_question: self.min_relevance, unknown_code: self.min_relevance_unknown_code }
    }

    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }
}
