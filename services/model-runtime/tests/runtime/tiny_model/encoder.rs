//! Made encoders of BERT's and XLM-R's shape, for embeddings and as cross-encoders.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::folder;
use super::gguf::{self, Field, Fields};
use super::quantize::Precision;
use super::tensor::{Random, Tensor};

pub const HIDDEN: usize = 64;
const FEED_FORWARD: usize = 128;
const LAYERS: usize = 2;
const HEADS: usize = 4;
/// Positions; XLM-R counts them from 2.
pub const POSITIONS: usize = 130;
/// Tokens that are read, those in front and behind included.
pub const SEQUENCE: usize = 128;
const EPSILON: f32 = 1e-5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncoderFamily {
    Bert,
    XlmRoberta,
}

/// What an encoder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Vectors, made by `mean`, `cls` or `lasttoken` and scaled to length 1 where `normalize` says so.
    Embedding { pooling: &'static str, normalize: bool },
    /// One number for a pair of texts.
    Relevance,
}

/// Words of the made vocabularies beside single letters.
const WORDS: [&str; 12] =
    ["the", "cat", "sat", "mat", "dog", "runs", "tax", "law", "rain", "falls", "sea", "wind"];

fn word_pieces() -> Vec<String> {
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let letters = ('!'..='~').filter(|character| !character.is_ascii_uppercase());
    let inner = letters.clone().map(|letter| format!("##{letter}"));
    specials
        .into_iter()
        .chain(WORDS.map(str::to_owned))
        .chain(letters.map(String::from))
        .chain(inner)
        .collect()
}

fn word_piece_tokenizer() -> Value {
    let vocabulary: Map<String, Value> =
        word_pieces().into_iter().enumerate().map(|(id, piece)| (piece, json!(id))).collect();
    let special = |id: u32, content: &str| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let token = |id: &str, type_id: u32| json!({"SpecialToken": {"id": id, "type_id": type_id}});
    let text = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]"), special(4, "[MASK]")],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [token("[CLS]", 0), text("A", 0), token("[SEP]", 0)],
            "pair": [token("[CLS]", 0), text("A", 0), token("[SEP]", 0), text("B", 1), token("[SEP]", 1)],
            "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]},
            }},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
}

fn unigram_pieces() -> Vec<(String, f32)> {
    let specials = ["<s>", "<pad>", "</s>", "<unk>"].map(|text| (text.to_owned(), 0.0));
    let words = WORDS.map(|word| (format!("▁{word}"), -3.0));
    let letters = ('!'..='~').map(|letter| (letter.to_string(), -6.0));
    let mut pieces: Vec<(String, f32)> = specials.into_iter().chain(words).collect();
    pieces.push(("▁".to_owned(), -4.0));
    pieces.extend(letters);
    pieces.push(("<mask>".to_owned(), 0.0));
    pieces
}

fn unigram_tokenizer() -> Value {
    let pieces = unigram_pieces();
    let special = |id: usize, content: &str| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let token = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let text = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    let prefix = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(0, "<s>"), special(1, "<pad>"), special(2, "</s>"), special(3, "<unk>"), special(pieces.len() - 1, "<mask>")],
        "normalizer": {"type": "NFKC"},
        "pre_tokenizer": prefix.clone(),
        "post_processor": {"type": "TemplateProcessing",
            "single": [token("<s>"), text("A"), token("</s>")],
            "pair": [token("<s>"), text("A"), token("</s>"), token("</s>"), text("B"), token("</s>")],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
            }},
        "decoder": prefix,
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": false, "vocab": pieces},
    })
}

/// A part's name in GGUF files of BERT, in folders, and the tensor.
type Part = (String, String, Tensor);

fn layer(random: &mut Random, index: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut add = |gguf: &str, hugging_face: &str, weight: Tensor, bias: Tensor| {
        for (kind, tensor) in [("weight", weight), ("bias", bias)] {
            parts.push((
                format!("blk.{index}.{gguf}.{kind}"),
                format!("encoder.layer.{index}.{hugging_face}.{kind}"),
                tensor,
            ));
        }
    };
    for (gguf, part) in [
        ("attn_q", "attention.self.query"),
        ("attn_k", "attention.self.key"),
        ("attn_v", "attention.self.value"),
        ("attn_output", "attention.output.dense"),
    ] {
        add(gguf, part, random.table(HIDDEN, HIDDEN, 0.3), random.tensor(&[HIDDEN], 0.1));
    }
    add(
        "ffn_up",
        "intermediate.dense",
        random.table(FEED_FORWARD, HIDDEN, 0.3),
        random.tensor(&[FEED_FORWARD], 0.1),
    );
    add("ffn_down", "output.dense", random.table(HIDDEN, FEED_FORWARD, 0.3), random.tensor(&[HIDDEN], 0.1));
    for (gguf, part) in
        [("attn_output_norm", "attention.output.LayerNorm"), ("layer_output_norm", "output.LayerNorm")]
    {
        add(gguf, part, Tensor::filled(HIDDEN, 1.0), random.tensor(&[HIDDEN], 0.1));
    }
    parts
}

fn trunk(random: &mut Random, tokens: usize, positions: usize, types: usize) -> Vec<Part> {
    let named = |gguf: &str, hugging_face: &str, tensor: Tensor| {
        (gguf.to_owned(), format!("embeddings.{hugging_face}"), tensor)
    };
    let mut parts = vec![
        named("token_embd.weight", "word_embeddings.weight", random.table(tokens, HIDDEN, 0.5)),
        named("position_embd.weight", "position_embeddings.weight", random.table(positions, HIDDEN, 0.2)),
        named("token_types.weight", "token_type_embeddings.weight", random.table(types, HIDDEN, 0.2)),
        named("token_embd_norm.weight", "LayerNorm.weight", Tensor::filled(HIDDEN, 1.0)),
        named("token_embd_norm.bias", "LayerNorm.bias", random.tensor(&[HIDDEN], 0.1)),
    ];
    (0..LAYERS).for_each(|index| parts.extend(layer(random, index)));
    parts
}

/// The classifier's tensors: their GGUF names and those of both families in folders.
fn relevance_head(random: &mut Random) -> Vec<(&'static str, [&'static str; 2], Tensor)> {
    vec![
        (
            "cls.weight",
            ["bert.pooler.dense.weight", "classifier.dense.weight"],
            random.table(HIDDEN, HIDDEN, 0.3),
        ),
        ("cls.bias", ["bert.pooler.dense.bias", "classifier.dense.bias"], random.tensor(&[HIDDEN], 0.1)),
        (
            "cls.output.weight",
            ["classifier.weight", "classifier.out_proj.weight"],
            random.table(1, HIDDEN, 0.5),
        ),
        ("cls.output.bias", ["classifier.bias", "classifier.out_proj.bias"], random.tensor(&[1], 0.1)),
    ]
}

fn config(family: EncoderFamily, head: Head, tokens: usize) -> Value {
    let (prefix, model_type, types, padding) = match family {
        EncoderFamily::Bert => ("Bert", "bert", 2, 0),
        EncoderFamily::XlmRoberta => ("XLMRoberta", "xlm-roberta", 1, 1),
    };
    let (suffix, labels) = match head {
        Head::Embedding { .. } => ("Model", json!({})),
        Head::Relevance => {
            ("ForSequenceClassification", json!({"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}))
        }
    };
    let mut config = json!({
        "architectures": [format!("{prefix}{suffix}")], "model_type": model_type, "hidden_act": "gelu",
        "hidden_size": HIDDEN, "intermediate_size": FEED_FORWARD, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "vocab_size": tokens, "max_position_embeddings": POSITIONS,
        "type_vocab_size": types, "layer_norm_eps": EPSILON, "pad_token_id": padding,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.02,
        "position_embedding_type": "absolute", "torch_dtype": "float32",
        "bos_token_id": 0, "eos_token_id": 2, "classifier_dropout": null, "use_cache": false,
    });
    config.as_object_mut().unwrap().extend(labels.as_object().unwrap().clone());
    config
}

/// Writes an encoder in Hugging Face's and sentence-transformers' layout.
pub fn write_folder(at: &Path, family: EncoderFamily, head: Head) {
    let (tokenizer, tokens, types) = match family {
        EncoderFamily::Bert => (word_piece_tokenizer(), word_pieces().len(), 2),
        EncoderFamily::XlmRoberta => (unigram_tokenizer(), unigram_pieces().len(), 1),
    };
    let mut random = Random(31 + family as u64);
    let prefix = match (head, family) {
        (Head::Embedding { .. }, _) => "",
        (Head::Relevance, EncoderFamily::Bert) => "bert.",
        (Head::Relevance, EncoderFamily::XlmRoberta) => "roberta.",
    };
    let parts = trunk(&mut random, tokens, POSITIONS, types);
    let mut tensors: Vec<(String, Tensor)> =
        parts.into_iter().map(|(_, name, tensor)| (format!("{prefix}{name}"), tensor)).collect();
    let mut files = vec![("config.json", config(family, head, tokens)), ("tokenizer.json", tokenizer)];
    match head {
        Head::Relevance => {
            let named = relevance_head(&mut random).into_iter();
            tensors.extend(named.map(|(_, names, tensor)| (names[family as usize].to_owned(), tensor)));
        }
        Head::Embedding { pooling, normalize } => {
            let module = |index: usize, path: &str, kind: &str| json!({"idx": index, "name": index.to_string(), "path": path, "type": format!("sentence_transformers.models.{kind}")});
            let mut modules = vec![module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")];
            if normalize {
                modules.push(module(2, "2_Normalize", "Normalize"));
            }
            files.push(("modules.json", json!(modules)));
            files.push((
                "sentence_bert_config.json",
                json!({"max_seq_length": SEQUENCE, "do_lower_case": false}),
            ));
            files.push((
                "1_Pooling/config.json",
                json!({
                    "word_embedding_dimension": HIDDEN,
                    "pooling_mode_cls_token": pooling == "cls",
                    "pooling_mode_mean_tokens": pooling == "mean",
                    "pooling_mode_lasttoken": pooling == "lasttoken",
                }),
            ));
        }
    }
    folder::write(at, &tensors, &files);
}

/// Writes a BERT as one GGUF file in half precision.
pub fn write_gguf(file: &Path, head: Head) {
    const MEAN: usize = 1;
    const CLS: usize = 2;
    const LAST: usize = 3;
    const RANK: usize = 4;
    let pieces = word_pieces();
    let mut fields = Fields::default();
    fields.text("general.architecture", "bert");
    fields.text("general.name", "bert");
    fields.number("general.file_type", Precision::F16.file_type() as usize);
    fields.number("bert.block_count", LAYERS);
    fields.number("bert.context_length", SEQUENCE);
    fields.number("bert.embedding_length", HIDDEN);
    fields.number("bert.feed_forward_length", FEED_FORWARD);
    fields.number("bert.attention.head_count", HEADS);
    fields.real("bert.attention.layer_norm_epsilon", EPSILON);
    fields.flag("bert.attention.causal", false);
    let pooling = match head {
        Head::Relevance => RANK,
        Head::Embedding { pooling: "cls", .. } => CLS,
        Head::Embedding { pooling: "lasttoken", .. } => LAST,
        Head::Embedding { .. } => MEAN,
    };
    fields.number("bert.pooling_type", pooling);
    if head == Head::Relevance {
        fields.add("bert.classifier.output_labels", Field::Texts(vec!["LABEL_0".to_owned()]));
    }
    // Pieces that begin a word carry the mark, and not those that go on.
    let marked = |piece: &String| match piece.strip_prefix("##") {
        Some(inner) => inner.to_owned(),
        None if piece.starts_with('[') && piece.len() > 1 => piece.clone(),
        None => format!("▁{piece}"),
    };
    let kinds = pieces.iter().map(|piece| if piece.starts_with('[') && piece.len() > 1 { 3 } else { 1 });
    fields.text("tokenizer.ggml.model", "bert");
    fields.text("tokenizer.ggml.pre", "jina-v2-en");
    fields.number("tokenizer.ggml.token_type_count", 2);
    fields.add("tokenizer.ggml.tokens", Field::Texts(pieces.iter().map(marked).collect()));
    fields.add("tokenizer.ggml.token_type", Field::Integers(kinds.collect()));
    for (key, id) in
        [("padding", 0), ("unknown", 1), ("bos", 2), ("cls", 2), ("seperator", 3), ("eos", 3), ("mask", 4)]
    {
        fields.number(format!("tokenizer.ggml.{key}_token_id"), id);
    }
    let mut random = Random(31);
    let mut tensors: Vec<(String, Tensor)> = trunk(&mut random, pieces.len(), POSITIONS, 2)
        .into_iter()
        .map(|(name, _, mut tensor)| {
            if name == "position_embd.weight" {
                tensor.shape[0] = SEQUENCE;
                tensor.values.truncate(SEQUENCE * HIDDEN);
            }
            // Norms' and tables of few rows are kept whole, as converters do.
            (name, tensor)
        })
        .collect();
    if head == Head::Relevance {
        tensors.extend(
            relevance_head(&mut random).into_iter().map(|(name, _, tensor)| (name.to_owned(), tensor)),
        );
    }
    gguf::write(file, &fields, &tensors, Precision::F16);
}
