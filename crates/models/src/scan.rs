//! Which models lie in the models directory.
//!
//! `NAME.gguf`, `FOLDER/NAME.gguf`, and folders with `config.json` and safetensors. A file dropped there is found by the
//! next listing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::gguf::GgufHeader;

/// Models that one directory may hold; further ones are not listed.
const MAX_MODELS: usize = 512;
/// Entries of one folder that are looked at.
const MAX_FOLDER_ENTRIES: usize = 4096;
/// `config.json` files larger than this are none.
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;

/// What kind of weights a model has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weights {
    /// A Model2Vec folder.
    StaticEmbedding { folder: PathBuf },
    /// One GGUF file.
    Gguf { file: PathBuf },
    /// A folder in Hugging Face's layout with a causal language model.
    Safetensors { folder: PathBuf },
    /// A folder in Hugging Face's layout with an encoder: embeddings, or a cross-encoder that reranks.
    Encoder { folder: PathBuf },
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

    /// A fingerprint that changes when the files do. Not a hash of their contents, which would take minutes.
    pub fn fingerprint(&self) -> String {
        let modified = self.modified_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update(self.size_bytes.to_le_bytes());
        hasher.update(modified.to_le_bytes());
        hex::encode(hasher.finalize())
    }
}

/// The models in `directory`, by name. Files that cannot be read are left out, with a line in the log.
pub fn scan(directory: &Path) -> Vec<ModelFiles> {
    let mut found: BTreeMap<String, ModelFiles> = BTreeMap::new();
    for entry in entries(directory) {
        let models =
            if entry.is_dir() { scan_folder(&entry) } else { gguf_model(&entry).into_iter().collect() };
        for model in models {
            if found.len() == MAX_MODELS {
                tracing::warn!(MAX_MODELS, "the models directory holds more models than are listed");
                return found.into_values().collect();
            }
            if let Some(first) = found.get(&model.name) {
                tracing::warn!(name = model.name, kept = ?first.weights, ignored = ?model.weights, "two models have one name");
            } else {
                found.insert(model.name.clone(), model);
            }
        }
    }
    found.into_values().collect()
}

/// Paths in `directory` in a stable order, without hidden ones (downloads in progress).
fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listing
        .take(MAX_FOLDER_ENTRIES)
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort_unstable();
    paths
}

fn scan_folder(folder: &Path) -> Vec<ModelFiles> {
    if let Some(model) = hugging_face_model(folder) {
        return vec![model];
    }
    entries(folder).iter().filter_map(|path| gguf_model(path)).collect()
}

fn gguf_model(file: &Path) -> Option<ModelFiles> {
    if file.extension()? != "gguf" || !file.is_file() {
        return None;
    }
    let header = GgufHeader::read(file)
        .inspect_err(|cause| tracing::warn!(file = %file.display(), %cause, "a GGUF file cannot be used"))
        .ok()?;
    let metadata = fs::metadata(file).ok()?;
    Some(ModelFiles {
        name: file.file_stem()?.to_str()?.to_owned(),
        weights: Weights::Gguf { file: file.to_owned() },
        size_bytes: metadata.len(),
        modified_at: metadata.modified().ok()?,
        family: header.architecture,
        quantization: header.quantization.unwrap_or_default(),
        parameters: header.parameters,
        context_tokens: header.context_tokens,
        settings: ModelSettings::default(),
    })
}

fn hugging_face_model(folder: &Path) -> Option<ModelFiles> {
    let config_path = folder.join("config.json");
    let config_metadata =
        fs::metadata(&config_path).ok().filter(|metadata| metadata.len() <= MAX_CONFIG_BYTES)?;
    let config: Value = serde_json::from_slice(&fs::read(&config_path).ok()?).ok()?;
    let safetensors: Vec<PathBuf> = entries(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "safetensors"))
        .collect();
    if safetensors.is_empty() || !folder.join("tokenizer.json").is_file() {
        return None;
    }
    let family = config["model_type"].as_str().unwrap_or_default().to_owned();
    let architecture = config["architectures"][0].as_str().unwrap_or_default();
    let weights = if family == "model2vec" {
        Weights::StaticEmbedding { folder: folder.to_owned() }
    } else if architecture.ends_with("ForCausalLM") {
        Weights::Safetensors { folder: folder.to_owned() }
    } else {
        tracing::debug!(folder = %folder.display(), architecture, "no engine runs this architecture");
        return None;
    };
    let context = ["/max_position_embeddings", "/text_config/max_position_embeddings", "/seq_length"];
    Some(ModelFiles {
        name: folder.file_name()?.to_str()?.to_owned(),
        weights,
        size_bytes: safetensors
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|file| file.len())
            .sum(),
        modified_at: config_metadata.modified().ok()?,
        quantization: config["torch_dtype"].as_str().unwrap_or_default().to_owned(),
        parameters: None,
        context_tokens: context.iter().find_map(|path| config.pointer(path)).and_then(Value::as_u64),
        settings: ModelSettings::default(),
        family,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn write(directory: &Path, path: &str, contents: &[u8]) {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    #[test]
    fn folders_of_known_architectures_are_models() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        for (name, config) in [
            (
                "chat",
                r#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "max_position_embeddings": 77}"#,
            ),
            ("vectors", r#"{"model_type": "model2vec", "seq_length": 512}"#),
            ("unknown", r#"{"model_type": "t5", "architectures": ["T5Model"]}"#),
            ("broken", "{"),
        ] {
            write(at, &format!("{name}/config.json"), config.as_bytes());
            write(at, &format!("{name}/tokenizer.json"), b"{}");
            write(at, &format!("{name}/model.safetensors"), b"12345");
        }
        write(at, "notes/README.md", b"not a model");
        write(at, ".partial/config.json", br#"{"model_type": "model2vec"}"#);
        let models = scan(at);
        let summary: Vec<_> = models
            .iter()
            .map(|model| (model.name.as_str(), model.context_tokens, model.size_bytes))
            .collect();
        assert_eq!(summary, [("chat", Some(77), 5), ("vectors", Some(512), 5)]);
    }

    #[test]
    fn a_missing_directory_holds_no_models() {
        assert!(scan(Path::new("/nonexistent")).is_empty());
    }

    #[test]
    fn damaged_gguf_files_are_left_out() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "bad.gguf", b"GGUFxxxx");
        assert!(scan(directory.path()).is_empty());
    }

    #[test]
    fn the_fingerprint_follows_the_files() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "m/config.json", br#"{"model_type": "model2vec"}"#);
        write(directory.path(), "m/tokenizer.json", b"{}");
        write(directory.path(), "m/model.safetensors", b"1");
        let before = scan(directory.path())[0].fingerprint();
        assert_eq!(scan(directory.path())[0].fingerprint(), before);
        write(directory.path(), "m/model.safetensors", b"22");
        assert_ne!(scan(directory.path())[0].fingerprint(), before);
    }
}
