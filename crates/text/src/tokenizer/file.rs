//! Reading `tokenizer.json`.

use std::borrow::Cow;

use base64::Engine as _;
use serde::Deserialize;

use super::TokenizerError;
use super::charsmap::Charsmap;

/// The pre-tokenizer that this reader implements: Han runs apart, then runs of letters and marks or of numbers.
const HAN_RUNS: &str = r"\p{Han}+";
const LETTER_OR_NUMBER_RUNS: &str = r"[\p{L}\p{M}]+|\p{N}+";

pub(super) struct Piece<'a> {
    pub text: Cow<'a, str>,
    pub score: f64,
}

/// What a `tokenizer.json` of the supported shape defines.
pub(super) struct Definition<'a> {
    pub charsmap: Charsmap,
    pub unknown_id: u32,
    /// Indexed by token id.
    pub pieces: Vec<Piece<'a>>,
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(default)]
    added_tokens: Vec<serde::de::IgnoredAny>,
    #[serde(borrow)]
    normalizer: Normalizer<'a>,
    #[serde(borrow)]
    pre_tokenizer: PreTokenizer<'a>,
    post_processor: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    model: Model<'a>,
}

#[derive(Deserialize)]
struct Normalizer<'a> {
    #[serde(borrow)]
    normalizers: Vec<NormalizerStep<'a>>,
}

#[derive(Deserialize)]
struct NormalizerStep<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    precompiled_charsmap: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct PreTokenizer<'a> {
    #[serde(borrow)]
    pretokenizers: Vec<SplitStep<'a>>,
}

#[derive(Deserialize)]
struct SplitStep<'a> {
    #[serde(borrow)]
    pattern: SplitPattern<'a>,
    behavior: &'a str,
    invert: bool,
}

#[derive(Deserialize)]
struct SplitPattern<'a> {
    #[serde(borrow, rename = "Regex")]
    regex: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Model<'a> {
    r#type: &'a str,
    unk_id: Option<u32>,
    #[serde(borrow)]
    vocab: Vec<VocabularyEntry<'a>>,
    #[serde(default)]
    byte_fallback: bool,
}

#[derive(Deserialize)]
struct VocabularyEntry<'a>(#[serde(borrow)] Cow<'a, str>, f64);

fn unsupported<T>(what: impl Into<String>) -> Result<T, TokenizerError> {
    Err(TokenizerError::Unsupported(what.into()))
}

impl<'a> Definition<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, TokenizerError> {
        let file: File<'a> = serde_json::from_slice(bytes)?;
        if !file.added_tokens.is_empty() {
            return unsupported("added tokens");
        }
        if file.post_processor.is_some() {
            return unsupported("a post-processor");
        }
        check_pre_tokenizer(&file.pre_tokenizer)?;
        let charsmap = read_normalizer(&file.normalizer)?;
        let Model { r#type, unk_id, vocab, byte_fallback } = file.model;
        if r#type != "Unigram" {
            return unsupported(format!("a {type} model", type = r#type));
        }
        if byte_fallback {
            return unsupported("byte fallback");
        }
        let unknown_id = unk_id.ok_or(TokenizerError::Invalid("it has no unknown token"))?;
        if unknown_id as usize >= vocab.len() {
            return Err(TokenizerError::Invalid("the unknown token is not in the vocabulary"));
        }
        let pieces = vocab.into_iter().map(|VocabularyEntry(text, score)| Piece { text, score }).collect();
        Ok(Self { charsmap, unknown_id, pieces })
    }
}

fn check_pre_tokenizer(pre_tokenizer: &PreTokenizer<'_>) -> Result<(), TokenizerError> {
    let steps: Vec<(&str, &str, bool)> = pre_tokenizer
        .pretokenizers
        .iter()
        .map(|step| (step.pattern.regex.as_ref(), step.behavior, step.invert))
        .collect();
    if steps != [(HAN_RUNS, "Isolated", false), (LETTER_OR_NUMBER_RUNS, "Removed", true)] {
        return unsupported("another pre-tokenizer than runs of Han, letters and numbers");
    }
    Ok(())
}

fn read_normalizer(normalizer: &Normalizer<'_>) -> Result<Charsmap, TokenizerError> {
    let kinds: Vec<&str> = normalizer.normalizers.iter().map(|step| step.r#type).collect();
    if kinds != ["NFKC", "Lowercase", "Precompiled"] {
        return unsupported(format!("the normalizers {kinds:?}"));
    }
    let encoded = normalizer.normalizers[2]
        .precompiled_charsmap
        .as_deref()
        .ok_or(TokenizerError::Invalid("the precompiled normalizer has no map"))?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .map_err(|_| TokenizerError::Invalid("the precompiled map is not base64"))?;
    Charsmap::parse(&bytes)
}
