//! The shape of a model's layers, from a GGUF header or a `config.json`.

use std::path::Path;

use serde_json::Value;

use crate::files::{ModelFiles, Weights};
use crate::gguf::GgufHeader;
use crate::hugging_face::read_config;

/// Layers that a shape may have; more are a lie.
const MAX_LAYERS: u64 = 4096;

/// Where a layer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// Over the whole context.
    Global,
    /// Back over this many tokens.
    Local { window: u64 },
}

/// What memory depends on. Zero where the files do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelShape {
    pub layers: u64,
    pub embedding_length: u64,
    pub feed_forward: u64,
    /// Heads that ask, in each layer.
    pub query_heads: u64,
    /// Key and value heads by layer; the last number stands for the layers after it.
    pub kv_head_counts: Vec<u64>,
    pub key_length: u64,
    pub value_length: u64,
    pub vocabulary: u64,
    /// Tokens that local layers look back.
    pub sliding_window: u64,
    /// Every n-th layer is global; 0 where all are, 1 where none is.
    pub global_every: u64,
    /// For each layer whether it is local; empty where `global_every` says it.
    pub local_layers: Vec<bool>,
    /// Bits of a stored weight, where all are stored alike.
    pub stored_bits: Option<u64>,
}

impl ModelShape {
    /// The shape of `files`, from their header; `None` when it says too little.
    pub fn of_files(files: &ModelFiles) -> Option<Self> {
        match &files.weights {
            Weights::Gguf { file } => Self::of_gguf(&GgufHeader::read(file).ok()?),
            Weights::Safetensors { folder } => Self::of_config(&read_folder_config(folder)?),
            // An encoder keeps no keys and values.
            Weights::Encoder { folder } | Weights::StaticEmbedding { folder } => {
                let shape = Self::of_config(&read_folder_config(folder)?)?;
                Some(Self { kv_head_counts: vec![0], vocabulary: 0, ..shape })
            }
        }
    }

    pub fn of_gguf(header: &GgufHeader) -> Option<Self> {
        if header.block_count == 0 {
            return None;
        }
        let keeps_nothing = header.pooling.is_some() && header.architecture.contains("bert");
        let every = header.sliding_window_pattern.as_slice();
        Some(Self {
            layers: header.block_count.min(MAX_LAYERS),
            embedding_length: header.embedding_length,
            feed_forward: header.feed_forward_length,
            query_heads: header.head_count,
            kv_head_counts: if keeps_nothing { vec![0] } else { header.kv_head_counts.clone() },
            key_length: header.key_length,
            value_length: header.value_length,
            vocabulary: if keeps_nothing { 0 } else { header.vocabulary_size },
            sliding_window: header.sliding_window,
            global_every: match every {
                [every] => *every,
                _ => global_every(&header.architecture),
            },
            local_layers: if every.len() > 1 {
                every.iter().map(|local| *local != 0).collect()
            } else {
                vec![]
            },
            stored_bits: None,
        })
    }

    pub fn of_config(config: &Value) -> Option<Self> {
        let text = config.get("text_config").unwrap_or(config);
        let number = |key: &str| text[key].as_u64().unwrap_or_default();
        let layers = number("num_hidden_layers");
        if layers == 0 {
            return None;
        }
        let embedding_length = number("hidden_size");
        let heads = number("num_attention_heads");
        let head_length =
            text["head_dim"].as_u64().or(embedding_length.checked_div(heads)).unwrap_or_default();
        let family = text["model_type"].as_str().unwrap_or_default();
        let uses_window = text["use_sliding_window"].as_bool().unwrap_or(true);
        let layer_types = text["layer_types"].as_array().map(Vec::as_slice).unwrap_or_default();
        Some(Self {
            layers: layers.min(MAX_LAYERS),
            embedding_length,
            feed_forward: number("intermediate_size"),
            query_heads: heads,
            kv_head_counts: vec![text["num_key_value_heads"].as_u64().unwrap_or(heads)],
            key_length: head_length,
            value_length: head_length,
            vocabulary: number("vocab_size"),
            sliding_window: if uses_window { number("sliding_window") } else { 0 },
            global_every: text["sliding_window_pattern"].as_u64().unwrap_or_else(|| global_every(family)),
            local_layers: layer_types.iter().map(|kind| kind == "sliding_attention").collect(),
            stored_bits: stored_bits(config),
        })
    }

    pub(crate) fn kv_heads(&self, layer: u64) -> u64 {
        let index = usize::try_from(layer).unwrap_or(usize::MAX);
        self.kv_head_counts.get(index).or(self.kv_head_counts.last()).copied().unwrap_or_default()
    }

    pub(crate) fn layer_kind(&self, layer: u64) -> LayerKind {
        let index = usize::try_from(layer).unwrap_or(usize::MAX);
        let is_local = match self.local_layers.get(index) {
            Some(is_local) => *is_local,
            None => {
                self.global_every > 0
                    && (self.global_every == 1 || !(layer + 1).is_multiple_of(self.global_every))
            }
        };
        if is_local && self.sliding_window > 0 {
            LayerKind::Local { window: self.sliding_window }
        } else {
            LayerKind::Global
        }
    }
}

/// How many layers there are for one that sees the whole context, in families whose headers leave it open. Families that
/// are not named here are taken to see it in all: too much rather than too little.
fn global_every(family: &str) -> u64 {
    match family {
        "gemma3" | "gemma3_text" | "gemma-embedding" => 6,
        "gemma2" | "gpt-oss" | "gpt_oss" => 2,
        "cohere2" => 4,
        _ => 0,
    }
}

fn stored_bits(config: &Value) -> Option<u64> {
    if config.get("quantization_config").is_some() {
        return None;
    }
    let named = |config: &Value| {
        config["torch_dtype"].as_str().or(config["dtype"].as_str()).map(|kind| match kind {
            "float32" => 32,
            _ => 16,
        })
    };
    named(config).or_else(|| named(&config["text_config"]))
}

fn read_folder_config(folder: &Path) -> Option<Value> {
    read_config(&folder.join("config.json"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_configuration_tells_the_shape_also_inside_a_text_part() {
        let inner = json!({
            "num_hidden_layers": 6, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
            "intermediate_size": 128, "vocab_size": 300, "sliding_window": 16, "model_type": "gemma3_text",
        });
        let shape = ModelShape::of_config(&json!({"text_config": inner, "torch_dtype": "bfloat16"})).unwrap();
        assert_eq!((shape.layers, shape.key_length, shape.kv_heads(5)), (6, 16, 2));
        assert_eq!(shape.layer_kind(0), LayerKind::Local { window: 16 });
        assert_eq!(shape.layer_kind(5), LayerKind::Global);
        assert_eq!(shape.stored_bits, Some(16));
    }

    #[test]
    fn layer_types_win_over_what_a_family_usually_does() {
        let config = json!({
            "num_hidden_layers": 2, "sliding_window": 8, "model_type": "gemma3_text",
            "layer_types": ["full_attention", "sliding_attention"],
        });
        let shape = ModelShape::of_config(&config).unwrap();
        assert_eq!(shape.layer_kind(0), LayerKind::Global);
        assert_eq!(shape.layer_kind(1), LayerKind::Local { window: 8 });
    }

    #[test]
    fn a_window_that_is_switched_off_is_none() {
        let config = json!({
            "num_hidden_layers": 1, "sliding_window": 8, "use_sliding_window": false, "sliding_window_pattern": 1,
        });
        assert_eq!(ModelShape::of_config(&config).unwrap().layer_kind(0), LayerKind::Global);
    }

    #[test]
    fn without_layers_there_is_no_shape() {
        assert_eq!(ModelShape::of_config(&json!({"hidden_size": 4})), None);
        assert_eq!(ModelShape::of_gguf(&GgufHeader::default()), None);
    }
}
