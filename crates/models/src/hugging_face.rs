//! Folders in Hugging Face's layout: `config.json`, a tokenizer and safetensors.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::{ModelFiles, ModelSettings, Purpose, Weights};
use crate::scan::entries;

/// `config.json` files larger than this are none.
const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;
/// Written by sentence-transformers: the folder holds a model of embeddings, or a cross-encoder.
const SENTENCE_TRANSFORMERS: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";

/// Architectures whose classes are named after these, with `Model`, `ForMaskedLM` or `ForSequenceClassification` added.
const ENCODERS: [&str; 11] = [
    "Bert",
    "Camembert",
    "DistilBert",
    "Electra",
    "MPNet",
    "ModernBert",
    "New",
    "NomicBert",
    "Roberta",
    "XLMRoberta",
    "XLMRobertaXL",
];
/// Decoders of which sentence-transformers makes embeddings.
const DECODERS: [&str; 8] = ["Gemma2", "Gemma3Text", "Llama", "Mistral", "Phi3", "Qwen2", "Qwen3", "Gemma3"];

/// Reads a JSON file of a size that a configuration may have.
pub(crate) fn read_config(path: &Path) -> Option<Value> {
    fs::metadata(path).ok().filter(|metadata| metadata.len() <= MAX_CONFIG_BYTES)?;
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The model in `folder`, if it holds one that an engine may know.
pub(crate) fn hugging_face_model(folder: &Path) -> Option<ModelFiles> {
    let config_path = folder.join("config.json");
    let config = read_config(&config_path)?;
    let safetensors: Vec<PathBuf> = entries(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "safetensors"))
        .collect();
    if safetensors.is_empty() || !folder.join("tokenizer.json").is_file() {
        return None;
    }
    let (weights, purpose) = kind_of(folder, &config)?;
    let context = ["/max_position_embeddings", "/text_config/max_position_embeddings", "/seq_length"];
    let kind_of_numbers = ["torch_dtype", "dtype"].iter().find_map(|key| config[*key].as_str());
    Some(ModelFiles {
        name: folder.file_name()?.to_str()?.to_owned(),
        weights,
        size_bytes: safetensors
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|file| file.len())
            .sum(),
        modified_at: fs::metadata(&config_path).ok()?.modified().ok()?,
        family: config["model_type"].as_str().unwrap_or_default().to_owned(),
        quantization: kind_of_numbers.unwrap_or_default().to_owned(),
        parameters: None,
        context_tokens: context.iter().find_map(|path| config.pointer(path)).and_then(Value::as_u64),
        settings: ModelSettings { purpose, ..ModelSettings::default() },
    })
}

fn kind_of(folder: &Path, config: &Value) -> Option<(Weights, Option<Purpose>)> {
    let folder_path = folder.to_owned();
    if config["model_type"] == "model2vec" {
        return Some((Weights::StaticEmbedding { folder: folder_path }, Some(Purpose::Embed)));
    }
    let architecture = config["architectures"][0].as_str().unwrap_or_default();
    let embeds = folder.join(SENTENCE_TRANSFORMERS).is_file() || folder.join(POOLING).is_file();
    if let Some(purpose) = encoder_purpose(architecture, embeds) {
        return Some((Weights::Encoder { folder: folder_path }, Some(purpose)));
    }
    let is_decoder = architecture.ends_with("ForCausalLM")
        || (architecture.ends_with("ForConditionalGeneration") && config.get("vision_config").is_some());
    let is_bare_decoder =
        architecture.strip_suffix("Model").is_some_and(|family| DECODERS.contains(&family)) && embeds;
    if is_decoder || is_bare_decoder {
        let purpose = if embeds { Purpose::Embed } else { Purpose::Chat };
        return Some((Weights::Safetensors { folder: folder_path }, Some(purpose)));
    }
    tracing::debug!(folder = %folder.display(), architecture, "no engine runs this architecture");
    None
}

fn encoder_purpose(architecture: &str, embeds: bool) -> Option<Purpose> {
    let is_of =
        |suffix: &str| architecture.strip_suffix(suffix).is_some_and(|family| ENCODERS.contains(&family));
    if is_of("ForSequenceClassification") {
        Some(Purpose::Rerank)
    } else if is_of("Model") || (is_of("ForMaskedLM") && embeds) {
        Some(Purpose::Embed)
    } else {
        None
    }
}
