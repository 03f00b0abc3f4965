//! What a model on disk is made of.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// What kind of weights a model has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weights {
    /// A Model2Vec folder.
    StaticEmbedding { folder: PathBuf },
    /// One GGUF file, or the first of several.
    Gguf { file: PathBuf },
    /// A folder in Hugging Face's layout with a causal language model, also one that sees pictures or that embeds.
    Safetensors { folder: PathBuf },
    /// A folder in Hugging Face's layout with an encoder: embeddings, or a cross-encoder that reranks.
    Encoder { folder: PathBuf },
}

impl Weights {
    /// The file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Gguf { file } => file,
            Self::StaticEmbedding { folder } | Self::Safetensors { folder } | Self::Encoder { folder } => {
                folder
            }
        }
    }
}

/// What a model was trained for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Chat,
    Embed,
    Rerank,
}

/// A model on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFiles {
    pub name: String,
    pub weights: Weights,
    pub size_bytes: u64,
    pub modified_at: SystemTime,
    /// `llama`, `qwen3`, …; empty when the files do not say.
    pub family: String,
    /// As in `Q4_K_M`; empty when the files do not say.
    pub quantization: String,
    pub parameters: Option<u64>,
    pub context_tokens: Option<u64>,
    /// What a manifest adds to the files.
    pub settings: ModelSettings,
}

/// What a manifest says about how a model is to be run; what it leaves open the model's files decide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelSettings {
    /// A chat template in Jinja, instead of the one in the files.
    pub template: Option<String>,
    /// What every conversation without a system turn begins with.
    pub system: Option<String>,
    /// Options as Ollama names them (`temperature`, `num_ctx`, `stop`, …), for requests that leave them open.
    pub parameters: Map<String, Value>,
    /// Low-rank adapters to be applied, in order.
    pub adapters: Vec<PathBuf>,
    /// The picture encoder that belongs to a GGUF file.
    pub projector: Option<PathBuf>,
    /// The engine to take instead of the usual one: `llamacpp`, `mistralrs`, `candle`.
    pub engine: Option<String>,
    /// Quantise the weights to this while loading (`q4_k`, `q8_0`, …), where the engine can.
    pub quantize_on_load: Option<String>,
    /// What the model is for, where its files or its manifest say so.
    pub purpose: Option<Purpose>,
    /// Of the manifest, in hexadecimal: changes with every file and every setting. `None` without a manifest.
    pub digest: Option<String>,
}

impl ModelFiles {
    /// `gguf` or `safetensors`.
    pub fn format(&self) -> &'static str {
        match self.weights {
            Weights::Gguf { .. } => "gguf",
            Weights::Safetensors { .. } | Weights::StaticEmbedding { .. } | Weights::Encoder { .. } => {
                "safetensors"
            }
        }
    }

    /// A fingerprint that changes when the files do: the manifest's digest, or else one of name, size and time, because
    /// hashing the contents would take minutes.
    pub fn fingerprint(&self) -> String {
        if let Some(digest) = &self.settings.digest {
            return digest.clone();
        }
        let modified = self.modified_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update(self.size_bytes.to_le_bytes());
        hasher.update(modified.to_le_bytes());
        hex::encode(hasher.finalize())
    }
}
