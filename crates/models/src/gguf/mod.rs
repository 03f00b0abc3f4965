//! What a GGUF file says about itself, from its header alone.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Everything in the file is untrusted: counts and
//! lengths are bounded before they are believed.

mod computable;
mod layout;
mod read;
mod types;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use serde_json::{Map, json};

pub use computable::obstacle as obstacle_to_computing;
use layout::read_tensor_info;
pub(crate) use layout::{Layout, TensorInfo};
use read::{MAX_KEY_BYTES, Value, invalid, read_string, read_u32, read_u64, read_value};
use types::file_type_name;
pub(crate) use types::tensor_kind;

const MAGIC: [u8; 4] = *b"GGUF";
const MAX_ENTRIES: u64 = 4096;
/// Tensors of one file; the largest mixtures of experts have some thousands.
const MAX_TENSORS: u64 = 65_536;
const MAX_TENSOR_DIMENSIONS: u32 = 4;

/// How an embedding is made of the vectors of a text's tokens (llama.cpp's `llama_pooling_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    None,
    Mean,
    /// The first token's vector.
    Cls,
    /// The last token's vector.
    Last,
    /// The score of a cross-encoder.
    Rank,
}

/// The metadata that listings, checks and estimates use. Zero or `None` where the file does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GgufHeader {
    /// `llama`, `qwen3`, …
    pub architecture: String,
    /// The name that the maker gave.
    pub name: Option<String>,
    /// As in `apache-2.0`.
    pub license: Option<String>,
    pub context_tokens: Option<u64>,
    /// Quantisation of most tensors, as in `Q4_K_M`.
    pub quantization: Option<String>,
    /// As stated, or else counted over the tensors.
    pub parameters: Option<u64>,
    pub has_chat_template: bool,
    pub chat_template: Option<String>,
    /// Transformer layers.
    pub block_count: u64,
    pub embedding_length: u64,
    pub feed_forward_length: u64,
    pub head_count: u64,
    /// Key and value heads of each layer; one number stands for all.
    pub kv_head_counts: Vec<u64>,
    /// Numbers in a key of one head.
    pub key_length: u64,
    /// Numbers in a value of one head.
    pub value_length: u64,
    /// Tokens that a local layer looks back.
    pub sliding_window: u64,
    /// For each layer 1 where it is local, or one number: that every n-th layer is global.
    pub sliding_window_pattern: Vec<u64>,
    pub expert_count: u64,
    pub expert_used_count: u64,
    pub vocabulary_size: u64,
    /// `llama`, `gpt2`, `bert`, `t5`, …
    pub tokenizer: Option<String>,
    pub pooling: Option<Pooling>,
    /// A picture or sound encoder that belongs to another file.
    pub is_projector: bool,
    /// Of a model in several files: how many.
    pub split_count: u64,
    /// Bytes of this file's tensors; `None` when one is of a kind that is not known here.
    pub tensor_bytes: Option<u64>,
}

impl GgufHeader {
    /// Reads the header of the file at `path`.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::parse(&mut BufReader::new(File::open(path)?))
    }

    /// Every entry of the metadata of the file at `path`, as JSON; of arrays that are not one number a layer, `null`.
    pub fn metadata(path: &Path) -> io::Result<Map<String, serde_json::Value>> {
        let (_, values) = parse_values(&mut BufReader::new(File::open(path)?))?;
        let json_of = |value: Value| match value {
            Value::Text(text) => json!(text),
            Value::Number(number) => json!(number),
            Value::Negative(number) => json!(number),
            Value::Float(number) => json!(number),
            Value::Bool(set) => json!(set),
            Value::Numbers(numbers) => json!(numbers),
            Value::Passed(_) => serde_json::Value::Null,
        };
        Ok(values.into_iter().map(|(key, value)| (key, json_of(value))).collect())
    }

    fn parse(reader: &mut (impl Read + Seek)) -> io::Result<Self> {
        let (tensor_count, values) = parse_values(reader)?;
        let mut header = Self::from_values(&values);
        let tensors = read_tensors(reader, tensor_count)?;
        header.tensor_bytes = tensors.bytes;
        header.parameters = header.parameters.or((tensors.values > 0).then_some(tensors.values));
        header.quantization = header.quantization.or(tensors.most_of.map(str::to_owned));
        Ok(header)
    }

    fn from_values(values: &BTreeMap<String, Value>) -> Self {
        let text = |key: &str| match values.get(key) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let numbers = |key: &str| match values.get(key) {
            Some(Value::Number(number)) => vec![*number],
            Some(Value::Numbers(numbers)) => numbers.clone(),
            _ => Vec::new(),
        };
        let number = |key: &str| numbers(key).into_iter().max();
        let architecture = text("general.architecture").unwrap_or_default();
        let own = |key: &str| number(&format!("{architecture}.{key}"));
        let items = |key: &str| match values.get(key) {
            Some(Value::Passed(items)) => *items,
            _ => 0,
        };
        let head_count = own("attention.head_count").unwrap_or_default();
        let embedding_length = own("embedding_length").unwrap_or_default();
        let head_length = embedding_length.checked_div(head_count).unwrap_or_default();
        let kv_head_counts = numbers(&format!("{architecture}.attention.head_count_kv"));
        let chat_template = text("tokenizer.chat_template");
        Self {
            name: text("general.name"),
            license: text("general.license"),
            context_tokens: own("context_length"),
            quantization: number("general.file_type").and_then(file_type_name).map(str::to_owned),
            parameters: number("general.parameter_count"),
            has_chat_template: chat_template.is_some(),
            chat_template,
            block_count: own("block_count").unwrap_or_default(),
            embedding_length,
            feed_forward_length: own("feed_forward_length").unwrap_or_default(),
            head_count,
            kv_head_counts: if kv_head_counts.is_empty() { vec![head_count] } else { kv_head_counts },
            key_length: own("attention.key_length").unwrap_or(head_length),
            value_length: own("attention.value_length").unwrap_or(head_length),
            sliding_window: own("attention.sliding_window").unwrap_or_default(),
            sliding_window_pattern: numbers(&format!("{architecture}.attention.sliding_window_pattern")),
            expert_count: own("expert_count").unwrap_or_default(),
            expert_used_count: own("expert_used_count").unwrap_or_default(),
            vocabulary_size: own("vocab_size").unwrap_or_else(|| items("tokenizer.ggml.tokens")),
            tokenizer: text("tokenizer.ggml.model"),
            pooling: own("pooling_type").and_then(pooling),
            is_projector: text("general.type").as_deref() == Some("mmproj") || architecture == "clip",
            split_count: number("split.count").unwrap_or_default(),
            tensor_bytes: None,
            architecture,
        }
    }
}

fn pooling(number: u64) -> Option<Pooling> {
    [Pooling::None, Pooling::Mean, Pooling::Cls, Pooling::Last, Pooling::Rank]
        .get(usize::try_from(number).ok()?)
        .copied()
}

/// What a file begins with.
struct Counts {
    version: u32,
    tensors: u64,
    entries: u64,
}

fn read_counts(reader: &mut impl Read) -> io::Result<Counts> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(invalid("it is not a GGUF file"));
    }
    let version = read_u32(reader)?;
    if !(2..=3).contains(&version) {
        return Err(invalid("its GGUF version is not 2 or 3"));
    }
    let counts = Counts { version, tensors: read_u64(reader)?, entries: read_u64(reader)? };
    if counts.entries > MAX_ENTRIES {
        return Err(invalid("it has too many metadata entries"));
    }
    if counts.tensors > MAX_TENSORS {
        return Err(invalid("it has too many tensors"));
    }
    Ok(counts)
}

/// How many tensors follow, and the metadata before them.
fn parse_values(reader: &mut (impl Read + Seek)) -> io::Result<(u64, BTreeMap<String, Value>)> {
    let counts = read_counts(reader)?;
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for _ in 0..counts.entries {
        let key = read_string(reader, MAX_KEY_BYTES)?;
        let kind = read_u32(reader)?;
        values.insert(key, read_value(reader, kind)?);
    }
    Ok((counts.tensors, values))
}

/// What the list of tensors adds up to.
#[derive(Default)]
struct Tensors {
    bytes: Option<u64>,
    values: u64,
    /// The kind that most bytes are in.
    most_of: Option<&'static str>,
}

fn read_tensors(reader: &mut (impl Read + Seek), count: u64) -> io::Result<Tensors> {
    let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut values: u64 = 0;
    let mut bytes = Some(0_u64);
    for _ in 0..count {
        let tensor = read_tensor_info(reader)?;
        let tensor_values = tensor.values().ok_or_else(|| invalid("a tensor in it is impossibly large"))?;
        let kind = tensor_kind(tensor.kind);
        values = values.saturating_add(tensor_values);
        let tensor_bytes = kind.and_then(|kind| kind.bytes_of(tensor_values));
        bytes = bytes.zip(tensor_bytes).and_then(|(sum, bytes)| sum.checked_add(bytes));
        if let (Some(kind), Some(tensor_bytes)) = (kind, tensor_bytes) {
            let sum = sums.entry(kind.name).or_default();
            *sum = sum.saturating_add(tensor_bytes);
        }
    }
    let most_of = sums.into_iter().max_by_key(|(_, bytes)| *bytes).map(|(name, _)| name);
    Ok(Tensors { bytes, values, most_of })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::read::{ARRAY, STRING};
    use super::*;
    use std::io::Cursor;

    fn string(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
        [string(key), kind.to_le_bytes().to_vec(), value.to_vec()].concat()
    }

    fn file(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &3u32.to_le_bytes(), &0u64.to_le_bytes()].concat();
        bytes.extend((entries.len() as u64).to_le_bytes());
        bytes.extend(entries.concat());
        bytes
    }

    fn parse(bytes: Vec<u8>) -> io::Result<GgufHeader> {
        GgufHeader::parse(&mut Cursor::new(bytes))
    }

    #[test]
    fn the_header_says_what_the_model_is() {
        let tokens = [&STRING.to_le_bytes()[..], &2u64.to_le_bytes(), &string("a"), &string("b")].concat();
        let header = parse(file(&[
            entry("general.architecture", STRING, &string("llama")),
            entry("general.name", STRING, &string("Tiny")),
            entry("general.file_type", 4, &15u32.to_le_bytes()),
            entry("tokenizer.ggml.tokens", ARRAY, &tokens),
            entry("llama.rope.freq_base", 6, &1.0f32.to_le_bytes()),
            entry("llama.context_length", 4, &4096u32.to_le_bytes()),
            entry("tokenizer.chat_template", STRING, &string("{{ x }}")),
        ]))
        .unwrap();
        assert_eq!(
            header,
            GgufHeader {
                architecture: "llama".into(),
                name: Some("Tiny".into()),
                context_tokens: Some(4096),
                quantization: Some("Q4_K_M".into()),
                parameters: None,
                has_chat_template: true,
                chat_template: Some("{{ x }}".into()),
                kv_head_counts: vec![0],
                vocabulary_size: 2,
                tensor_bytes: Some(0),
                ..GgufHeader::default()
            }
        );
    }

    fn tensor(name: &str, dimensions: &[u64], kind: u32) -> Vec<u8> {
        let mut bytes = [string(name), (dimensions.len() as u32).to_le_bytes().to_vec()].concat();
        bytes.extend(dimensions.iter().flat_map(|length| length.to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes
    }

    #[test]
    fn tensors_are_counted_in_bytes_and_values() {
        let mut bytes = file(&[entry("general.architecture", STRING, &string("llama"))]);
        bytes[8..16].copy_from_slice(&2u64.to_le_bytes());
        bytes.extend(tensor("token_embd.weight", &[64, 10], 8));
        bytes.extend(tensor("norm.weight", &[64], 0));
        let header = parse(bytes.clone()).unwrap();
        assert_eq!(header.tensor_bytes, Some(640 / 32 * 34 + 64 * 4));
        assert_eq!((header.parameters, header.quantization.as_deref()), (Some(704), Some("Q8_0")));
        let kind_at = bytes.len() - 12;
        bytes[kind_at] = 99;
        assert_eq!(parse(bytes.clone()).unwrap().tensor_bytes, None);
        bytes.pop();
        assert!(parse(bytes).is_err(), "a header that is cut off");
    }

    #[test]
    fn the_shape_of_the_attention_is_read_with_one_number_a_layer_where_layers_differ() {
        let number = |key: &str, number: u32| entry(key, 4, &number.to_le_bytes());
        let heads = [&5u32.to_le_bytes()[..], &2u64.to_le_bytes(), &4i32.to_le_bytes(), &0i32.to_le_bytes()];
        let header = parse(file(&[
            entry("general.architecture", STRING, &string("x")),
            number("x.block_count", 2),
            number("x.embedding_length", 512),
            number("x.attention.head_count", 8),
            entry("x.attention.head_count_kv", ARRAY, &heads.concat()),
            number("x.pooling_type", 3),
        ]))
        .unwrap();
        assert_eq!((header.key_length, header.value_length), (64, 64));
        assert_eq!((header.kv_head_counts, header.pooling), (vec![4, 0], Some(Pooling::Last)));
    }

    #[test]
    fn lies_about_lengths_are_refused_before_memory_is_taken() {
        let huge = u64::MAX.to_le_bytes();
        let array = |kind: u32| [&kind.to_le_bytes()[..], &huge].concat();
        for bytes in [
            file(&[entry("k", STRING, &huge)]),
            file(&[entry("k", ARRAY, &array(STRING))]),
            file(&[entry("k", ARRAY, &array(4))]),
            file(&[entry("k", 77, &[])]),
            [&MAGIC[..], &3u32.to_le_bytes(), &0u64.to_le_bytes(), &huge].concat(),
            b"GGML".to_vec(),
            b"GG".to_vec(),
        ] {
            assert!(parse(bytes).is_err());
        }
    }
}
