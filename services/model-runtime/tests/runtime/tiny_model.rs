//! Small language models with random weights, written by the tests themselves: the shapes and files of real ones in a
//! few hundred kilobytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Map, Value, json};

const HIDDEN: usize = 64;
const FEED_FORWARD: usize = 128;
const LAYERS: usize = 2;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const HEAD: usize = HIDDEN / HEADS;
pub const CONTEXT: usize = 256;

const BEGIN: u32 = 256;
const END: u32 = 257;
const VOCABULARY: usize = 258;

const CHAT_TEMPLATE: &str = "{% for message in messages %}<s>{{ message['role'] }}: {{ message['content'] }}</s>\
                             {% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}";

/// GPT-2's way of writing each byte as a visible character.
fn byte_characters() -> Vec<char> {
    let visible =
        |byte: u32| (33..=126).contains(&byte) || (161..=172).contains(&byte) || (174..=255).contains(&byte);
    let mut next = 256;
    (0..256u32)
        .map(|byte| {
            let code = if visible(byte) {
                byte
            } else {
                next += 1;
                next - 1
            };
            char::from_u32(code).unwrap()
        })
        .collect()
}

fn tokens() -> Vec<String> {
    let bytes = byte_characters().into_iter().map(String::from);
    bytes.chain(["<s>".to_owned(), "</s>".to_owned()]).collect()
}

fn tokenizer() -> Value {
    let vocabulary: Map<String, Value> =
        tokens().into_iter().enumerate().map(|(id, token)| (token, json!(id))).collect();
    let special = |id: u32, content: &str| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let byte_level =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true});
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [special(BEGIN, "<s>"), special(END, "</s>")],
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": null,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": []},
    })
}

/// Reproducible numbers between -1 and 1: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn table(&mut self, rows: usize, columns: usize, scale: f32) -> Tensor {
        Tensor {
            shape: vec![rows, columns],
            values: (0..rows * columns).map(|_| self.next() * scale).collect(),
        }
    }
}

struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    fn ones(length: usize) -> Self {
        Self { shape: vec![length], values: vec![1.0; length] }
    }

    fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// The tensors of a Llama by their GGUF names.
fn tensors() -> BTreeMap<String, Tensor> {
    let mut random = Random(7);
    let mut tensors = BTreeMap::new();
    let mut output = random.table(VOCABULARY, HIDDEN, 1.0);
    // Only letters are ever likely: the text of the tests is readable, and no answer ends by itself.
    for (token, row) in output.values.chunks_exact_mut(HIDDEN).enumerate() {
        if !(97..=122).contains(&token) {
            row.fill(0.0);
        }
    }
    tensors.insert("token_embd.weight".to_owned(), random.table(VOCABULARY, HIDDEN, 0.5));
    tensors.insert("output.weight".to_owned(), output);
    tensors.insert("output_norm.weight".to_owned(), Tensor::ones(HIDDEN));
    for layer in 0..LAYERS {
        let mut add =
            |name: &str, tensor: Tensor| tensors.insert(format!("blk.{layer}.{name}.weight"), tensor);
        add("attn_norm", Tensor::ones(HIDDEN));
        add("ffn_norm", Tensor::ones(HIDDEN));
        add("attn_q", random.table(HIDDEN, HIDDEN, 0.3));
        add("attn_k", random.table(KV_HEADS * HEAD, HIDDEN, 0.3));
        add("attn_v", random.table(KV_HEADS * HEAD, HIDDEN, 0.3));
        add("attn_output", random.table(HIDDEN, HIDDEN, 0.3));
        add("ffn_gate", random.table(FEED_FORWARD, HIDDEN, 0.3));
        add("ffn_up", random.table(FEED_FORWARD, HIDDEN, 0.3));
        add("ffn_down", random.table(HIDDEN, FEED_FORWARD, 0.3));
    }
    tensors
}

/// The name that Hugging Face's Llama gives a tensor.
fn hugging_face_name(name: &str) -> String {
    let name = name.trim_end_matches(".weight");
    let inner = match name {
        "token_embd" => return "model.embed_tokens.weight".to_owned(),
        "output" => return "lm_head.weight".to_owned(),
        "output_norm" => return "model.norm.weight".to_owned(),
        _ => name.strip_prefix("blk.").unwrap(),
    };
    let (layer, part) = inner.split_once('.').unwrap();
    let part = match part {
        "attn_norm" => "input_layernorm",
        "ffn_norm" => "post_attention_layernorm",
        "attn_q" => "self_attn.q_proj",
        "attn_k" => "self_attn.k_proj",
        "attn_v" => "self_attn.v_proj",
        "attn_output" => "self_attn.o_proj",
        "ffn_gate" => "mlp.gate_proj",
        "ffn_up" => "mlp.up_proj",
        "ffn_down" => "mlp.down_proj",
        other => panic!("{other}"),
    };
    format!("model.layers.{layer}.{part}.weight")
}

/// Writes a Llama in Hugging Face's layout into `folder`.
pub fn write_safetensors(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors()
        .into_iter()
        .map(|(name, tensor)| (hugging_face_name(&name), tensor.shape.clone(), tensor.bytes()))
        .collect();
    let views: Vec<(&str, TensorView<'_>)> = data
        .iter()
        .map(|(name, shape, bytes)| {
            (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        })
        .collect();
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
    let config = json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": HIDDEN, "intermediate_size": FEED_FORWARD, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "vocab_size": VOCABULARY,
        "max_position_embeddings": CONTEXT, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "bos_token_id": BEGIN, "eos_token_id": END, "tie_word_embeddings": false, "torch_dtype": "float32",
    });
    let tokenizer_config = json!({"bos_token": "<s>", "eos_token": "</s>", "chat_template": CHAT_TEMPLATE});
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("tokenizer.json"), tokenizer().to_string()).unwrap();
    fs::write(folder.join("tokenizer_config.json"), tokenizer_config.to_string()).unwrap();
}

/// A GGUF metadata value.
enum Field {
    U32(u32),
    F32(f32),
    Text(String),
    Texts(Vec<String>),
    Integers(Vec<i32>),
}

const TYPE_U32: u32 = 4;
const TYPE_I32: u32 = 5;
const TYPE_F32: u32 = 6;
const TYPE_STRING: u32 = 8;
const TYPE_ARRAY: u32 = 9;
const ALIGNMENT: usize = 32;

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn put_field(out: &mut Vec<u8>, field: &Field) {
    let array = |out: &mut Vec<u8>, kind: u32, items: usize| {
        out.extend(TYPE_ARRAY.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend((items as u64).to_le_bytes());
    };
    match field {
        Field::U32(number) => {
            out.extend(TYPE_U32.to_le_bytes());
            out.extend(number.to_le_bytes());
        }
        Field::F32(number) => {
            out.extend(TYPE_F32.to_le_bytes());
            out.extend(number.to_le_bytes());
        }
        Field::Text(text) => {
            out.extend(TYPE_STRING.to_le_bytes());
            put_text(out, text);
        }
        Field::Texts(texts) => {
            array(out, TYPE_STRING, texts.len());
            texts.iter().for_each(|text| put_text(out, text));
        }
        Field::Integers(numbers) => {
            array(out, TYPE_I32, numbers.len());
            numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
        }
    }
}

fn gguf_fields() -> Vec<(&'static str, Field)> {
    let token_types = (0..VOCABULARY).map(|id| if id >= BEGIN as usize { 3 } else { 1 }).collect();
    vec![
        ("general.architecture", Field::Text("llama".into())),
        ("general.name", Field::Text("tiny".into())),
        ("general.file_type", Field::U32(0)),
        ("general.alignment", Field::U32(ALIGNMENT as u32)),
        ("llama.block_count", Field::U32(LAYERS as u32)),
        ("llama.context_length", Field::U32(CONTEXT as u32)),
        ("llama.embedding_length", Field::U32(HIDDEN as u32)),
        ("llama.feed_forward_length", Field::U32(FEED_FORWARD as u32)),
        ("llama.attention.head_count", Field::U32(HEADS as u32)),
        ("llama.attention.head_count_kv", Field::U32(KV_HEADS as u32)),
        ("llama.attention.layer_norm_rms_epsilon", Field::F32(1e-5)),
        ("llama.rope.dimension_count", Field::U32(HEAD as u32)),
        ("llama.rope.freq_base", Field::F32(10000.0)),
        ("llama.vocab_size", Field::U32(VOCABULARY as u32)),
        ("tokenizer.ggml.model", Field::Text("gpt2".into())),
        ("tokenizer.ggml.tokens", Field::Texts(tokens())),
        ("tokenizer.ggml.token_type", Field::Integers(token_types)),
        ("tokenizer.ggml.merges", Field::Texts(Vec::new())),
        ("tokenizer.ggml.bos_token_id", Field::U32(BEGIN)),
        ("tokenizer.ggml.eos_token_id", Field::U32(END)),
        ("tokenizer.chat_template", Field::Text(CHAT_TEMPLATE.into())),
    ]
}

/// Writes a Llama as a GGUF file with `f32` weights.
pub fn write_gguf(file: &Path) {
    let (fields, tensors) = (gguf_fields(), tensors());
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((fields.len() as u64).to_le_bytes());
    for (key, field) in &fields {
        put_text(&mut out, key);
        put_field(&mut out, field);
    }
    let mut data = Vec::new();
    for (name, tensor) in &tensors {
        data.resize(data.len().next_multiple_of(ALIGNMENT), 0);
        put_text(&mut out, name);
        out.extend((tensor.shape.len() as u32).to_le_bytes());
        // The fastest dimension comes first.
        tensor.shape.iter().rev().for_each(|size| out.extend((*size as u64).to_le_bytes()));
        out.extend(0u32.to_le_bytes());
        out.extend((data.len() as u64).to_le_bytes());
        data.extend(tensor.bytes());
    }
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
    out.extend(data);
    fs::write(file, out).unwrap();
}
