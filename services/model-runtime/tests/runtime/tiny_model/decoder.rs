//! Made language models of every family, as GGUF files and as folders.

use std::path::Path;

use serde_json::{Value, json};

use super::family::{Family, GEMMA_WINDOW};
use super::folder;
use super::gguf::{self, Fields};
use super::quantize::Precision;
use super::tensor::{Random, Tensor};
use super::vocabulary::{Kind, Vocabulary};

/// Rows are whole blocks of every precision.
pub const HIDDEN: usize = 256;
const FEED_FORWARD: usize = 256;
pub const LAYERS: usize = 2;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
pub const HEAD: usize = HIDDEN / HEADS;
const EPSILON: f32 = 1e-5;
const ROPE_BASE: f32 = 10000.0;

/// Dimension 0 of every token's vector is this, and no layer writes to it: the output table's column 0 is a constant for
/// each token, by which some are likelier than others whatever the context.
const CONSTANT: f32 = 4.0;

/// A tensor by its names in both kinds of files.
struct Weight {
    gguf: String,
    hugging_face: String,
    tensor: Tensor,
}

/// Letters are likely, everything else is not and control tokens least: the text of tests is readable, and an answer
/// ends by itself only where a grammar lets it.
fn output_table(random: &mut Random, vocabulary: &Vocabulary) -> Tensor {
    let mut table = random.table(vocabulary.tokens.len(), HIDDEN, 0.05);
    for (row, token) in table.values.chunks_exact_mut(HIDDEN).zip(&vocabulary.tokens) {
        let space = matches!(
            token.text.as_str(),
            "▁" | "Ġ" | "Ċ" | "ĉ" | "č" | "<0x20>" | "<0x0A>" | "<0x09>" | "<0x0D>"
        );
        row[0] = match token.kind {
            Kind::Normal if token.text.chars().all(|character| character.is_ascii_lowercase()) => {
                row.iter_mut().for_each(|value| *value = random.number(0.3));
                0.5
            }
            Kind::Normal if !space => -2.0,
            Kind::Normal | Kind::Byte => -3.0,
            Kind::Unknown | Kind::Control | Kind::UserDefined => -6.0,
        };
    }
    table
}

fn token_table(random: &mut Random, family: Family, tokens: usize) -> Tensor {
    // Gemma multiplies token vectors by the root of their length.
    let unit = if family == Family::Gemma3 { (HIDDEN as f32).sqrt() } else { 1.0 };
    let mut table = random.table(tokens, HIDDEN, 0.5 / unit);
    table.values.chunks_exact_mut(HIDDEN).for_each(|row| row[0] = CONSTANT / unit);
    table
}

fn layer(random: &mut Random, family: Family, index: usize) -> Vec<Weight> {
    let mut weights = Vec::new();
    let mut add = |gguf: &str, hugging_face: &str, tensor: Tensor| {
        weights.push(Weight {
            gguf: format!("blk.{index}.{gguf}"),
            hugging_face: format!("model.layers.{index}.{hugging_face}"),
            tensor,
        });
    };
    let norm = || Tensor::filled(HIDDEN, 1.0);
    let query = random.matrix(HEADS * HEAD, HIDDEN);
    let key = random.matrix(KV_HEADS * HEAD, HIDDEN);
    let value = random.matrix(KV_HEADS * HEAD, HIDDEN);
    let output = random.matrix(HIDDEN, HEADS * HEAD).without_row(0);
    let (gate, up) = (random.matrix(FEED_FORWARD, HIDDEN), random.matrix(FEED_FORWARD, HIDDEN));
    let down = random.matrix(HIDDEN, FEED_FORWARD).without_row(0);
    add("attn_norm.weight", "input_layernorm.weight", norm());
    if family == Family::Phi3 {
        add("attn_qkv.weight", "self_attn.qkv_proj.weight", Tensor::stacked(&[&query, &key, &value]));
        add("ffn_up.weight", "mlp.gate_up_proj.weight", Tensor::stacked(&[&gate, &up]));
    } else {
        add("attn_q.weight", "self_attn.q_proj.weight", query);
        add("attn_k.weight", "self_attn.k_proj.weight", key);
        add("attn_v.weight", "self_attn.v_proj.weight", value);
        add("ffn_gate.weight", "mlp.gate_proj.weight", gate);
        add("ffn_up.weight", "mlp.up_proj.weight", up);
    }
    add("attn_output.weight", "self_attn.o_proj.weight", output);
    add("ffn_down.weight", "mlp.down_proj.weight", down);
    if family == Family::Gemma3 {
        add("post_attention_norm.weight", "post_attention_layernorm.weight", norm());
        add("ffn_norm.weight", "pre_feedforward_layernorm.weight", norm());
        add("post_ffw_norm.weight", "post_feedforward_layernorm.weight", norm());
    } else {
        add("ffn_norm.weight", "post_attention_layernorm.weight", norm());
    }
    if matches!(family, Family::Gemma3 | Family::Qwen3) {
        add("attn_q_norm.weight", "self_attn.q_norm.weight", Tensor::filled(HEAD, 1.0));
        add("attn_k_norm.weight", "self_attn.k_norm.weight", Tensor::filled(HEAD, 1.0));
    }
    if matches!(family, Family::Qwen2 | Family::DeepSeekR1) {
        for (gguf, part, heads) in [("q", "q", HEADS), ("k", "k", KV_HEADS), ("v", "v", KV_HEADS)] {
            let bias = random.tensor(&[heads * HEAD], 0.1);
            add(&format!("attn_{gguf}.bias"), &format!("self_attn.{part}_proj.bias"), bias);
        }
    }
    weights
}

fn weights(family: Family, vocabulary: &Vocabulary) -> Vec<Weight> {
    let mut random = Random(7 + family as u64);
    let named = |gguf: &str, hugging_face: &str, tensor: Tensor| Weight {
        gguf: gguf.to_owned(),
        hugging_face: hugging_face.to_owned(),
        tensor,
    };
    let mut all = vec![
        named(
            "token_embd.weight",
            "model.embed_tokens.weight",
            token_table(&mut random, family, vocabulary.tokens.len()),
        ),
        named("output.weight", "lm_head.weight", output_table(&mut random, vocabulary)),
        named("output_norm.weight", "model.norm.weight", Tensor::filled(HIDDEN, 1.0)),
    ];
    (0..LAYERS).for_each(|index| all.extend(layer(&mut random, family, index)));
    all
}

/// The tensors as Hugging Face's classes name and shape them.
pub fn hugging_face_tensors(family: Family, vocabulary: &Vocabulary) -> Vec<(String, Tensor)> {
    let stored = |mut weight: Weight| {
        // Gemma's norms are kept as the difference from 1.
        if family == Family::Gemma3 && weight.gguf.ends_with("norm.weight") {
            weight.tensor.values.iter_mut().for_each(|value| *value -= 1.0);
        }
        (weight.hugging_face, weight.tensor)
    };
    weights(family, vocabulary).into_iter().map(stored).collect()
}

fn gguf_tensors(family: Family, vocabulary: &Vocabulary) -> Vec<(String, Tensor)> {
    let interleaves = family.gguf_architecture() == "llama";
    let stored = |weight: Weight| {
        let tensor = match weight.gguf.rsplit('.').nth(1) {
            Some("attn_q") if interleaves => weight.tensor.interleaved(HEADS),
            Some("attn_k") if interleaves => weight.tensor.interleaved(KV_HEADS),
            _ => weight.tensor,
        };
        (weight.gguf, tensor)
    };
    weights(family, vocabulary).into_iter().map(stored).collect()
}

fn gguf_fields(family: Family, vocabulary: &Vocabulary, context: usize, precision: Precision) -> Fields {
    let architecture = family.gguf_architecture();
    let mut fields = Fields::default();
    fields.text("general.architecture", architecture);
    fields.text("general.name", family.name());
    fields.number("general.file_type", precision.file_type() as usize);
    fields.number("general.quantization_version", 2);
    let own = |key: &str| format!("{architecture}.{key}");
    fields.number(own("block_count"), LAYERS);
    fields.number(own("context_length"), context);
    fields.number(own("embedding_length"), HIDDEN);
    fields.number(own("feed_forward_length"), FEED_FORWARD);
    fields.number(own("attention.head_count"), HEADS);
    fields.number(own("attention.head_count_kv"), KV_HEADS);
    fields.number(own("attention.key_length"), HEAD);
    fields.number(own("attention.value_length"), HEAD);
    fields.real(own("attention.layer_norm_rms_epsilon"), EPSILON);
    fields.number(own("rope.dimension_count"), HEAD);
    fields.real(own("rope.freq_base"), ROPE_BASE);
    fields.number(own("vocab_size"), vocabulary.tokens.len());
    if family == Family::Gemma3 {
        fields.number(own("attention.sliding_window"), GEMMA_WINDOW);
    }
    vocabulary.add_to(&mut fields, family.template());
    fields
}

/// Writes a model of `family` as one GGUF file.
pub fn write_gguf(file: &Path, family: Family, precision: Precision, context: usize) {
    let vocabulary = Vocabulary::of(family);
    let fields = gguf_fields(family, &vocabulary, context, precision);
    gguf::write(file, &fields, &gguf_tensors(family, &vocabulary), precision);
}

/// The same with norms in half precision, which llama.cpp loads and cannot compute with.
pub fn write_gguf_with_half_norms(file: &Path, family: Family, context: usize) {
    let vocabulary = Vocabulary::of(family);
    let fields = gguf_fields(family, &vocabulary, context, Precision::F16);
    let tensors = gguf_tensors(family, &vocabulary);
    gguf::write_with_vectors(file, &fields, &tensors, Precision::F16, Precision::F16);
}

/// `config.json` of a language model of `family`.
pub fn config(family: Family, vocabulary: &Vocabulary, context: usize) -> Value {
    let (architecture, model_type) = family.hugging_face_architecture();
    let mut config = json!({
        "architectures": [architecture], "model_type": model_type, "hidden_act": "silu",
        "hidden_size": HIDDEN, "intermediate_size": FEED_FORWARD, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "vocab_size": vocabulary.tokens.len(),
        "max_position_embeddings": context, "rms_norm_eps": EPSILON, "rope_theta": ROPE_BASE,
        "bos_token_id": vocabulary.begin, "eos_token_id": vocabulary.end, "tie_word_embeddings": false,
        "attention_bias": false, "torch_dtype": "float32",
    });
    let own = family.own_config(HEAD, context);
    config.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    config
}

/// `tokenizer_config.json` with the chat template.
pub fn tokenizer_config(family: Family, vocabulary: &Vocabulary) -> Value {
    json!({
        "bos_token": vocabulary.text(vocabulary.begin), "eos_token": vocabulary.text(vocabulary.end),
        "chat_template": family.template(),
    })
}

/// Writes a model of `family` in Hugging Face's layout.
pub fn write_folder(at: &Path, family: Family, context: usize) {
    let vocabulary = Vocabulary::of(family);
    let files = [
        ("config.json", config(family, &vocabulary, context)),
        ("tokenizer.json", vocabulary.tokenizer()),
        ("tokenizer_config.json", tokenizer_config(family, &vocabulary)),
    ];
    folder::write(at, &hugging_face_tensors(family, &vocabulary), &files);
}
