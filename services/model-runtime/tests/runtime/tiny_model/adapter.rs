//! Low-rank adapters for made models of Llama's shape: strong enough that the answer changes.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::decoder::{HEAD, HIDDEN, LAYERS};
use super::folder;
use super::gguf::{self, Fields};
use super::quantize::Precision;
use super::tensor::{Random, Tensor};

const RANK: usize = 4;
const ALPHA: f32 = 16.0;
const KV_ROWS: usize = 2 * HEAD;

/// For each layer the two tables of values and of the attention's output.
fn tables() -> Vec<(usize, &'static str, &'static str, Tensor, Tensor)> {
    let mut random = Random(99);
    let mut pair = |rows: usize| (random.table(RANK, HIDDEN, 0.3), random.table(rows, RANK, 0.3));
    (0..LAYERS)
        .flat_map(|layer| {
            let (value_a, value_b) = pair(KV_ROWS);
            let (output_a, output_b) = pair(HIDDEN);
            [
                (layer, "attn_v", "v_proj", value_a, value_b),
                (layer, "attn_output", "o_proj", output_a, output_b.without_row(0)),
            ]
        })
        .collect()
}

/// Writes an adapter in PEFT's layout.
pub fn write_folder(at: &Path) {
    fs::create_dir_all(at).unwrap();
    let tensors: Vec<(String, Tensor)> = tables()
        .into_iter()
        .flat_map(|(layer, _, part, a, b)| {
            let prefix = format!("base_model.model.model.layers.{layer}.self_attn.{part}");
            [(format!("{prefix}.lora_A.weight"), a), (format!("{prefix}.lora_B.weight"), b)]
        })
        .collect();
    folder::write_tensors(&at.join("adapter_model.safetensors"), &tensors);
    let config = json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": ALPHA, "lora_dropout": 0.0,
        "target_modules": ["v_proj", "o_proj"], "bias": "none", "base_model_name_or_path": "tiny",
    });
    fs::write(at.join("adapter_config.json"), config.to_string()).unwrap();
}

/// Writes the same adapter as a GGUF file.
pub fn write_gguf(file: &Path) {
    let mut fields = Fields::default();
    fields.text("general.architecture", "llama");
    fields.text("general.type", "adapter");
    fields.text("adapter.type", "lora");
    fields.real("adapter.lora.alpha", ALPHA);
    let tensors: Vec<(String, Tensor)> = tables()
        .into_iter()
        .flat_map(|(layer, part, _, a, b)| {
            let name = format!("blk.{layer}.{part}.weight");
            [(format!("{name}.lora_a"), a), (format!("{name}.lora_b"), b)]
        })
        .collect();
    gguf::write(file, &fields, &tensors, Precision::F32);
}
