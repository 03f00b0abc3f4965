//! What the files of a model say that mistral.rs does not tell: the template, its tokens, what kind of model it is.

use std::path::Path;

use anwen_dialogue::{ChatTemplate, SpecialTokens};
use anwen_models::{ModelFiles, Purpose, Weights};
use candle_core::quantized::gguf_file;
use serde_json::Value;
use tokenizers::Tokenizer;

/// JSON files larger than this are no settings.
const MAX_SETTINGS_BYTES: u64 = 4 * 1024 * 1024;

const TEXT_ENDS: [&str; 9] = [
    "</s>",
    "<eos>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
];

/// What kind of model mistral.rs loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Loaded by the builder of models of several kinds of input; whether it takes pictures.
    Multimodal {
        pictures: bool,
    },
    Embedding,
}

/// What is known of a model beside its weights.
pub(super) struct Facts {
    pub kind: Kind,
    pub template: Option<ChatTemplate>,
    pub vocabulary: Vocabulary,
    /// Positions that the files name.
    pub context_tokens: Option<usize>,
    /// Numbers in a vector.
    pub hidden: Option<usize>,
}

impl Facts {
    /// Reads the files. Blocks.
    pub fn read(files: &ModelFiles) -> Result<Self, String> {
        match &files.weights {
            Weights::Gguf { file } => Self::of_gguf(file, files),
            Weights::Safetensors { folder }
            | Weights::StaticEmbedding { folder }
            | Weights::Encoder { folder } => Self::of_folder(folder, files),
        }
    }

    fn of_folder(folder: &Path, files: &ModelFiles) -> Result<Self, String> {
        let config = json(&folder.join("config.json"))?.ok_or("config.json is missing")?;
        let settings = json(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
        let source = match &files.settings.template {
            Some(template) => Some(template.clone()),
            None => template_of_folder(folder, &settings)?,
        };
        let special = SpecialTokens {
            bos: token_text(&settings["bos_token"]),
            eos: token_text(&settings["eos_token"]),
        };
        let tokenizer = Tokenizer::from_file(folder.join("tokenizer.json"))
            .map_err(|cause| format!("tokenizer.json is not valid: {cause}"))?;
        let number = |key: &str| {
            config
                .get(key)
                .or_else(|| config["text_config"].get(key))
                .and_then(Value::as_u64)
                .map(|n| n as usize)
        };
        Ok(Self {
            kind: kind_of(&config, files),
            template: parsed(source, special)?,
            vocabulary: Vocabulary::of_tokenizer(&tokenizer),
            context_tokens: number("max_position_embeddings"),
            hidden: number("hidden_size"),
        })
    }

    fn of_gguf(file: &Path, files: &ModelFiles) -> Result<Self, String> {
        let mut reader =
            std::fs::File::open(file).map(std::io::BufReader::new).map_err(|cause| cause.to_string())?;
        let content = gguf_file::Content::read(&mut reader).map_err(|cause| cause.to_string())?;
        let text = |key: &str| content.metadata.get(key).and_then(|value| value.to_string().ok()).cloned();
        let tokens: Vec<String> = content
            .metadata
            .get("tokenizer.ggml.tokens")
            .and_then(|value| value.to_vec().ok())
            .map(|tokens| tokens.iter().map(|token| token.to_string().cloned().unwrap_or_default()).collect())
            .unwrap_or_default();
        let special = |key: &str| {
            let id = content.metadata.get(key).and_then(|value| value.to_u32().ok());
            id.and_then(|id| tokens.get(id as usize).cloned()).unwrap_or_default()
        };
        let special = SpecialTokens {
            bos: special("tokenizer.ggml.bos_token_id"),
            eos: special("tokenizer.ggml.eos_token_id"),
        };
        let source = files.settings.template.clone().or_else(|| text("tokenizer.chat_template"));
        let byte_level = text("tokenizer.ggml.model").as_deref() == Some("gpt2");
        Ok(Self {
            kind: Kind::Text,
            template: parsed(source, special)?,
            vocabulary: Vocabulary { control: bracketed(&tokens), tokens, byte_level },
            context_tokens: files.context_tokens.and_then(|tokens| usize::try_from(tokens).ok()),
            hidden: None,
        })
    }
}

fn parsed(source: Option<String>, special: SpecialTokens) -> Result<Option<ChatTemplate>, String> {
    source.map(|source| ChatTemplate::parse(&source, special)).transpose().map_err(|cause| cause.to_string())
}

fn kind_of(config: &Value, files: &ModelFiles) -> Kind {
    let architecture = config["architectures"][0].as_str().unwrap_or_default();
    let embeds = files.settings.purpose == Some(Purpose::Embed);
    match architecture {
        "Gemma3TextModel" => Kind::Embedding,
        "Qwen3ForCausalLM" if embeds => Kind::Embedding,
        "Phi3VForCausalLM" | "Phi4MMForCausalLM" | "MiniCPMO" => Kind::Multimodal { pictures: true },
        "Gemma3ForCausalLM" => Kind::Multimodal { pictures: false },
        _ if architecture.ends_with("ForConditionalGeneration") => {
            Kind::Multimodal { pictures: config.get("vision_config").is_some() }
        }
        _ => Kind::Text,
    }
}

/// A JSON file; `None` when it is not there.
fn json(path: &Path) -> Result<Option<Value>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(None) };
    if metadata.len() > MAX_SETTINGS_BYTES {
        return Err(format!("{name} is larger than {MAX_SETTINGS_BYTES} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|cause| format!("cannot read {name}: {cause}"))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|cause| format!("{name} is not valid: {cause}"))
}

/// `chat_template.jinja`, or the field of `tokenizer_config.json` or `chat_template.json`: a text, or several by name, of
/// which `default` is the one for chats.
fn template_of_folder(folder: &Path, settings: &Value) -> Result<Option<String>, String> {
    let file = folder.join("chat_template.jinja");
    if std::fs::metadata(&file).is_ok_and(|metadata| metadata.len() <= MAX_SETTINGS_BYTES) {
        let read = std::fs::read_to_string(&file);
        return read.map(Some).map_err(|cause| format!("cannot read chat_template.jinja: {cause}"));
    }
    let beside = json(&folder.join("chat_template.json"))?.unwrap_or_default();
    let field =
        [&settings["chat_template"], &beside["chat_template"]].into_iter().find(|field| !field.is_null());
    Ok(field.and_then(|field| match field {
        Value::String(source) => Some(source.clone()),
        Value::Array(named) => {
            let default = named.iter().find(|one| one["name"] == "default").or_else(|| named.first());
            default.and_then(|one| one["template"].as_str()).map(str::to_owned)
        }
        _ => None,
    }))
}

/// A special token is a text, or an object with its `content`.
fn token_text(token: &Value) -> String {
    token.as_str().or_else(|| token["content"].as_str()).unwrap_or_default().to_owned()
}

/// The bytes that tokens stand for.
#[derive(Debug)]
pub(super) struct Vocabulary {
    tokens: Vec<String>,
    /// Tokens write each byte as a character, as GPT-2 does; else as SentencePiece: `▁` for a space, `<0x0A>` for a byte.
    byte_level: bool,
    /// Ids of added tokens that constraints take for control tokens and that yet stand in an answer's text.
    control: Vec<u32>,
}

impl Vocabulary {
    fn of_tokenizer(tokenizer: &Tokenizer) -> Self {
        let size = tokenizer.get_vocab_size(true) as u32;
        let tokens = (0..size).map(|id| tokenizer.id_to_token(id).unwrap_or_default()).collect();
        let byte_level = tokenizer
            .get_decoder()
            .and_then(|decoder| serde_json::to_string(decoder).ok())
            .is_some_and(|decoder| decoder.contains("ByteLevel"));
        let mut control: Vec<u32> = tokenizer
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| !token.special && is_bracketed(&token.content))
            .map(|(id, _)| id)
            .collect();
        control.sort_unstable();
        Self { tokens, byte_level, control }
    }

    pub fn bytes(&self, token: u32) -> Vec<u8> {
        let Some(text) = self.tokens.get(token as usize) else { return Vec::new() };
        if self.byte_level {
            let bytes: Option<Vec<u8>> = text.chars().map(byte_of).collect();
            return bytes.unwrap_or_else(|| text.clone().into_bytes());
        }
        let byte = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => vec![byte],
            None => text.replace('▁', " ").into_bytes(),
        }
    }

    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The control token with this text: a grammar has to name it by its id, for its text alone matches ordinary tokens.
    pub fn control_token(&self, text: &str) -> Option<u32> {
        let is_it = |id: &u32| self.tokens.get(*id as usize).is_some_and(|token| token == text);
        self.control.iter().copied().find(is_it)
    }

    /// Tokens that end an answer in any family: a grammar that is complete leaves one of them only, and not always the
    /// one that the model's files name.
    pub fn ends(&self) -> Vec<u32> {
        let ends = |text: &String| TEXT_ENDS.contains(&text.as_str());
        (0u32..).zip(&self.tokens).filter(|(_, text)| ends(text)).map(|(id, _)| id).collect()
    }
}

/// Constraints take every added token of this form for a control token, whatever its file says. Those with SentencePiece's
/// mark of a space come out of mistral.rs with a space in its place, where nobody would know them.
fn is_bracketed(token: &str) -> bool {
    token.starts_with('<') && token.ends_with('>') && !token.contains('▁')
}

fn bracketed(tokens: &[String]) -> Vec<u32> {
    (0u32..).zip(tokens).filter(|(_, token)| is_bracketed(token)).map(|(id, _)| id).collect()
}

/// The byte that GPT-2's vocabulary writes as this character: printable ones as themselves, the others from U+0100 on in
/// their order.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    let visible = |byte: u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    match u8::try_from(code) {
        Ok(byte) => visible(byte).then_some(byte),
        Err(_) => (0..=255u8).filter(|byte| !visible(*byte)).nth(code.checked_sub(256)? as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_both_schemes_are_the_bytes_that_they_write() {
        let tokens = |texts: &[&str], byte_level| Vocabulary {
            control: Vec::new(),
            tokens: texts.iter().map(|text| (*text).to_owned()).collect(),
            byte_level,
        };
        let bytes = tokens(&["Ġa", "Ċ", "Ã¼", "<|im_end|>"], true);
        assert_eq!(bytes.bytes(0), b" a");
        assert_eq!(bytes.bytes(1), b"\n");
        assert_eq!(bytes.bytes(2), "ü".as_bytes());
        assert_eq!(bytes.bytes(3), b"<|im_end|>");
        let pieces = tokens(&["▁the", "<0x0A>"], false);
        assert_eq!(pieces.bytes(0), b" the");
        assert_eq!(pieces.bytes(1), b"\n");
        assert_eq!(pieces.bytes(2), b"");
    }
}
