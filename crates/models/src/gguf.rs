//! What a GGUF file says about itself, from its header alone.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Everything in the file is untrusted: counts and
//! lengths are bounded before they are believed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

const MAGIC: [u8; 4] = *b"GGUF";
const MAX_ENTRIES: u64 = 4096;
const MAX_KEY_BYTES: u64 = 4096;
const MAX_STRING_BYTES: u64 = 1024 * 1024;
const MAX_ARRAY_ITEMS: u64 = 4_000_000;

/// The metadata that listings and checks use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GgufHeader {
    /// `llama`, `qwen3`, …
    pub architecture: String,
    /// The name that the maker gave.
    pub name: Option<String>,
    pub context_tokens: Option<u64>,
    /// Quantisation of most tensors, as in `Q4_K_M`.
    pub quantization: Option<String>,
    pub parameters: Option<u64>,
    pub has_chat_template: bool,
}

impl GgufHeader {
    /// Reads the header of the file at `path`.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::parse(&mut BufReader::new(File::open(path)?))
    }

    fn parse(reader: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut magic = [0; 4];
        reader.read_exact(&mut magic)?;
        if magic != MAGIC {
            return Err(invalid("it is not a GGUF file"));
        }
        let version = read_u32(reader)?;
        if !(2..=3).contains(&version) {
            return Err(invalid("its GGUF version is not 2 or 3"));
        }
        let _tensor_count = read_u64(reader)?;
        let entries = read_u64(reader)?;
        if entries > MAX_ENTRIES {
            return Err(invalid("it has too many metadata entries"));
        }
        let mut values: BTreeMap<String, Value> = BTreeMap::new();
        for _ in 0..entries {
            let key = read_string(reader, MAX_KEY_BYTES)?;
            let kind = read_u32(reader)?;
            if let Some(value) = read_value(reader, kind)? {
                values.insert(key, value);
            }
        }
        Ok(Self::from_values(&values))
    }

    fn from_values(values: &BTreeMap<String, Value>) -> Self {
        let text = |key: &str| match values.get(key) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let number = |key: &str| match values.get(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        let architecture = text("general.architecture").unwrap_or_default();
        Self {
            name: text("general.name"),
            context_tokens: number(&format!("{architecture}.context_length")),
            quantization: number("general.file_type").and_then(file_type_name).map(str::to_owned),
            parameters: number("general.parameter_count"),
            has_chat_template: values.contains_key("tokenizer.chat_template"),
            architecture,
        }
    }
}

enum Value {
    Text(String),
    Number(u64),
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn read_u32(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn read_u64(reader: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_string(reader: &mut impl Read, max_bytes: u64) -> io::Result<String> {
    let length = read_u64(reader)?;
    if length > max_bytes {
        return Err(invalid("a string in its header is too long"));
    }
    let mut bytes = vec![0; length as usize];
    reader.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| invalid("a string in its header is not UTF-8"))
}

const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// Bytes of a value of a fixed-size kind.
fn scalar_bytes(kind: u32) -> io::Result<u64> {
    match kind {
        0 | 1 | 7 => Ok(1),
        2 | 3 => Ok(2),
        4..=6 => Ok(4),
        10..=12 => Ok(8),
        _ => Err(invalid("its header holds a value of an unknown kind")),
    }
}

/// The value, or `None` for one that nothing here needs.
fn read_value(reader: &mut (impl Read + Seek), kind: u32) -> io::Result<Option<Value>> {
    match kind {
        STRING => read_string(reader, MAX_STRING_BYTES).map(|text| Some(Value::Text(text))),
        ARRAY => skip_array(reader).map(|()| None),
        4 | 5 => read_u32(reader).map(|number| Some(Value::Number(u64::from(number)))),
        10 | 11 => read_u64(reader).map(|number| Some(Value::Number(number))),
        _ => skip(reader, scalar_bytes(kind)?).map(|()| None),
    }
}

fn skip_array(reader: &mut (impl Read + Seek)) -> io::Result<()> {
    let kind = read_u32(reader)?;
    let items = read_u64(reader)?;
    if items > MAX_ARRAY_ITEMS {
        return Err(invalid("an array in its header is too long"));
    }
    if kind != STRING {
        return skip(reader, items * scalar_bytes(kind)?);
    }
    for _ in 0..items {
        let length = read_u64(reader)?;
        if length > MAX_STRING_BYTES {
            return Err(invalid("a string in its header is too long"));
        }
        skip(reader, length)?;
    }
    Ok(())
}

fn skip(reader: &mut (impl Read + Seek), bytes: u64) -> io::Result<()> {
    // Short skips stay inside the buffer, where a seek would throw it away.
    const READ_UP_TO_BYTES: u64 = 4096;
    if bytes <= READ_UP_TO_BYTES {
        io::copy(&mut reader.take(bytes), &mut io::sink())?;
        return Ok(());
    }
    let offset = i64::try_from(bytes).map_err(|_| invalid("a length in its header is impossible"))?;
    reader.seek(SeekFrom::Current(offset))?;
    Ok(())
}

/// llama.cpp's `llama_ftype`.
fn file_type_name(file_type: u64) -> Option<&'static str> {
    Some(match file_type {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        32 => "BF16",
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
            }
        );
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
