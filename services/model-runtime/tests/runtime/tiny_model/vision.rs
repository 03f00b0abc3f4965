//! A made model that sees: Gemma 3 with a SigLIP tower of one layer, 28 x 28 points in 16 patches, 4 tokens a picture.

use std::path::Path;

use serde_json::json;

use super::decoder::{self, HIDDEN};
use super::family::Family;
use super::folder;
use super::tensor::{Random, Tensor};
use super::vocabulary::Vocabulary;

const TOWER_HIDDEN: usize = 32;
const TOWER_FEED_FORWARD: usize = 64;
const TOWER_HEADS: usize = 2;
const IMAGE_SIZE: usize = 28;
const PATCH: usize = 7;
const PATCHES: usize = (IMAGE_SIZE / PATCH) * (IMAGE_SIZE / PATCH);
const TOKENS_PER_IMAGE: usize = 4;

fn tower(random: &mut Random) -> Vec<(String, Tensor)> {
    let mut tensors = Vec::new();
    let mut add = |name: &str, tensor: Tensor| {
        tensors.push((format!("vision_tower.vision_model.{name}"), tensor));
    };
    let bias = |random: &mut Random, length: usize| random.tensor(&[length], 0.1);
    add("embeddings.patch_embedding.weight", random.tensor(&[TOWER_HIDDEN, 3, PATCH, PATCH], 0.2));
    add("embeddings.patch_embedding.bias", bias(random, TOWER_HIDDEN));
    add("embeddings.position_embedding.weight", random.table(PATCHES, TOWER_HIDDEN, 0.3));
    let layer = "encoder.layers.0";
    for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
        add(&format!("{layer}.self_attn.{part}.weight"), random.matrix(TOWER_HIDDEN, TOWER_HIDDEN));
        add(&format!("{layer}.self_attn.{part}.bias"), bias(random, TOWER_HIDDEN));
    }
    add(&format!("{layer}.mlp.fc1.weight"), random.matrix(TOWER_FEED_FORWARD, TOWER_HIDDEN));
    add(&format!("{layer}.mlp.fc1.bias"), bias(random, TOWER_FEED_FORWARD));
    add(&format!("{layer}.mlp.fc2.weight"), random.matrix(TOWER_HIDDEN, TOWER_FEED_FORWARD));
    add(&format!("{layer}.mlp.fc2.bias"), bias(random, TOWER_HIDDEN));
    for norm in [&format!("{layer}.layer_norm1"), &format!("{layer}.layer_norm2"), "post_layernorm"] {
        add(&format!("{norm}.weight"), Tensor::filled(TOWER_HIDDEN, 1.0));
        add(&format!("{norm}.bias"), Tensor::filled(TOWER_HIDDEN, 0.0));
    }
    tensors
}

/// Writes the model in Hugging Face's layout.
pub fn write_folder(at: &Path, context: usize) {
    let family = Family::Gemma3;
    let vocabulary = Vocabulary::of(family);
    let mut random = Random(77);
    let mut tensors: Vec<(String, Tensor)> = decoder::hugging_face_tensors(family, &vocabulary)
        .into_iter()
        .map(|(name, tensor)| (format!("language_model.{name}"), tensor))
        .collect();
    tensors.extend(tower(&mut random));
    // Columns of the projection but the first, which is the constant of every token's vector.
    let mut projection = random.table(TOWER_HIDDEN, HIDDEN, 0.5);
    projection.values.chunks_exact_mut(HIDDEN).for_each(|row| row[0] = 0.0);
    tensors.push(("multi_modal_projector.mm_input_projection_weight".to_owned(), projection));
    tensors.push((
        "multi_modal_projector.mm_soft_emb_norm.weight".to_owned(),
        Tensor::filled(TOWER_HIDDEN, 0.0),
    ));
    let image_token = vocabulary.tokens.iter().position(|token| token.text == "<image_soft_token>").unwrap();
    let config = json!({
        "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
        "text_config": decoder::config(family, &vocabulary, context),
        "vision_config": {
            "hidden_size": TOWER_HIDDEN, "intermediate_size": TOWER_FEED_FORWARD, "num_hidden_layers": 1,
            "num_attention_heads": TOWER_HEADS, "num_channels": 3, "image_size": IMAGE_SIZE, "patch_size": PATCH,
            "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6, "model_type": "siglip_vision_model",
        },
        "image_token_index": image_token, "mm_tokens_per_image": TOKENS_PER_IMAGE,
        "eos_token_id": vocabulary.end, "bos_token_id": vocabulary.begin, "torch_dtype": "float32",
    });
    let preprocessor = json!({
        "do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true, "do_pan_and_scan": false,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_seq_length": TOKENS_PER_IMAGE,
        "resample": 2, "rescale_factor": 1.0 / 255.0, "size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        "image_processor_type": "Gemma3ImageProcessor", "processor_class": "Gemma3Processor",
    });
    let files = [
        ("config.json", config),
        ("tokenizer.json", vocabulary.tokenizer()),
        ("tokenizer_config.json", decoder::tokenizer_config(family, &vocabulary)),
        ("preprocessor_config.json", preprocessor),
        (
            "processor_config.json",
            json!({"image_seq_length": TOKENS_PER_IMAGE, "processor_class": "Gemma3Processor"}),
        ),
    ];
    folder::write(at, &tensors, &files);
}
