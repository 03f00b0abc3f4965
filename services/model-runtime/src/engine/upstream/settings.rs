//! The settings of a server behind models of the engine `upstream`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::breaker::BreakerSettings;

/// `[[model_runtime.upstreams]]`: an OpenAI-compatible server, or several that offer the same models.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamSettings {
    /// How it is called in the log and in metrics.
    pub name: String,
    /// Addresses of the replicas, up to and with `/v1/`.
    pub base_urls: Vec<String>,
    /// The environment variable that holds the key.
    pub api_key_env: String,
    /// The file that holds the key.
    pub api_key_file: Option<PathBuf>,
    /// Its models, by the name that they have here.
    pub models: BTreeMap<String, UpstreamModelSettings>,
    /// Requests of one model that run at the same time, over all replicas; more wait in its queue.
    pub concurrency: usize,
    /// Milliseconds in which a connection must stand.
    pub connect_timeout_ms: u64,
    /// Milliseconds to the first word of an answer.
    pub first_token_timeout_ms: u64,
    /// Milliseconds between two words of an answer.
    pub idle_timeout_ms: u64,
    /// Milliseconds that a request for embeddings or relevance may take.
    pub call_timeout_ms: u64,
    /// How often a request is sent in all before its first word has come.
    pub attempts: u32,
    /// Failures in a row after which a replica is left alone.
    pub breaker_failures: u32,
    /// Milliseconds for which it is left alone.
    pub breaker_open_ms: u64,
    /// Milliseconds between two probes of `models` on each replica; 0 switches them off.
    pub probe_interval_ms: u64,
}

/// A model of another server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamModelSettings {
    /// Its name there; the name here when empty.
    pub model: String,
    /// Whether it answers conversations.
    pub chat: bool,
    /// Whether it embeds.
    pub embed: bool,
    /// Whether it rates relevance.
    pub rerank: bool,
    /// Whether it takes pictures.
    pub vision: bool,
    /// Whether it calls tools.
    pub tools: bool,
    /// Whether it thinks before it answers when asked to.
    pub thinking: bool,
    /// Tokens of prompt and answer together; 0 where that is not known.
    pub context_tokens: usize,
    /// Numbers in an embedding; 0 where it does not embed or that is not known.
    pub dimensions: usize,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            base_urls: Vec::new(),
            api_key_env: String::new(),
            api_key_file: None,
            models: BTreeMap::new(),
            concurrency: 16,
            connect_timeout_ms: 2_000,
            first_token_timeout_ms: 120_000,
            idle_timeout_ms: 60_000,
            call_timeout_ms: 60_000,
            attempts: 3,
            breaker_failures: 3,
            breaker_open_ms: 10_000,
            probe_interval_ms: 15_000,
        }
    }
}

impl UpstreamSettings {
    pub(super) fn first_token_timeout(&self) -> Duration {
        Duration::from_millis(self.first_token_timeout_ms)
    }

    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }

    pub(super) fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }

    pub(super) fn breaker(&self) -> BreakerSettings {
        BreakerSettings {
            failures: self.breaker_failures,
            open_for: Duration::from_millis(self.breaker_open_ms),
        }
    }
}
