//! The section `[model_runtime.pull]` of the settings.

use serde::{Deserialize, Serialize};

/// `[model_runtime.pull]`: nothing leaves the server unless `enabled`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PullSettings {
    /// Whether models may be pulled.
    pub enabled: bool,
    /// Hugging Face, or a mirror that answers as it does.
    pub hugging_face_url: String,
    /// For repositories that ask who reads them.
    pub hugging_face_token: String,
    /// ModelScope, or a mirror that answers as it does.
    pub modelscope_url: String,
    pub modelscope_token: String,
    /// Ollama's registry, or a mirror of it.
    pub ollama_registry_url: String,
    /// An S3 service of one's own; empty for Amazon's.
    pub s3_endpoint: String,
    pub s3_region: String,
    /// Empty: the keys in the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).
    pub s3_access_key_id: String,
    pub s3_secret_access_key: String,
    /// Ranges of one file that are fetched at the same time.
    pub connections: usize,
    /// Bytes of one range; so much is fetched again at most after a restart.
    pub chunk_bytes: u64,
    /// Attempts without progress before a pull is given up.
    pub attempts: u32,
    /// Milliseconds before the second attempt, doubled for each further one.
    pub backoff_ms: u64,
    /// Milliseconds in which some byte must come.
    pub stall_timeout_ms: u64,
    /// Bytes of one model, or of one upload.
    pub max_bytes: u64,
    /// Models that are pulled at the same time.
    pub max_pulls: usize,
}

impl Default for PullSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            hugging_face_url: "https://huggingface.co/".to_owned(),
            hugging_face_token: String::new(),
            modelscope_url: "https://modelscope.cn/".to_owned(),
            modelscope_token: String::new(),
            ollama_registry_url: "https://registry.ollama.ai/".to_owned(),
            s3_endpoint: String::new(),
            s3_region: String::new(),
            s3_access_key_id: String::new(),
            s3_secret_access_key: String::new(),
            connections: 4,
            chunk_bytes: 64 * 1024 * 1024,
            attempts: 6,
            backoff_ms: 500,
            stall_timeout_ms: 30_000,
            max_bytes: 512 * 1024 * 1024 * 1024,
            max_pulls: 2,
        }
    }
}
