//! Writing GGUF files (version 3).

use std::fs;
use std::path::Path;

use super::quantize::Precision;
use super::tensor::Tensor;

/// A GGUF metadata value.
pub enum Field {
    U32(u32),
    F32(f32),
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    Integers(Vec<i32>),
    Numbers(Vec<f32>),
}

const TYPE_U32: u32 = 4;
const TYPE_I32: u32 = 5;
const TYPE_F32: u32 = 6;
const TYPE_BOOL: u32 = 7;
const TYPE_STRING: u32 = 8;
const TYPE_ARRAY: u32 = 9;
const ALIGNMENT: usize = 32;

/// Metadata in order.
#[derive(Default)]
pub struct Fields(Vec<(String, Field)>);

impl Fields {
    pub fn add(&mut self, key: impl Into<String>, field: Field) {
        self.0.push((key.into(), field));
    }

    pub fn text(&mut self, key: impl Into<String>, text: &str) {
        self.add(key, Field::Text(text.to_owned()));
    }

    pub fn number(&mut self, key: impl Into<String>, number: usize) {
        self.add(key, Field::U32(number as u32));
    }

    pub fn real(&mut self, key: impl Into<String>, number: f32) {
        self.add(key, Field::F32(number));
    }

    pub fn flag(&mut self, key: impl Into<String>, flag: bool) {
        self.add(key, Field::Flag(flag));
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn put_field(out: &mut Vec<u8>, field: &Field) {
    let scalar = |out: &mut Vec<u8>, kind: u32, bytes: &[u8]| {
        out.extend(kind.to_le_bytes());
        out.extend(bytes);
    };
    let array = |out: &mut Vec<u8>, kind: u32, items: usize| {
        out.extend(TYPE_ARRAY.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend((items as u64).to_le_bytes());
    };
    match field {
        Field::U32(number) => scalar(out, TYPE_U32, &number.to_le_bytes()),
        Field::F32(number) => scalar(out, TYPE_F32, &number.to_le_bytes()),
        Field::Flag(flag) => scalar(out, TYPE_BOOL, &[u8::from(*flag)]),
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
        Field::Numbers(numbers) => {
            array(out, TYPE_F32, numbers.len());
            numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
        }
    }
}

/// Writes a GGUF file. Tables are kept in `precision`, vectors in single precision.
pub fn write(file: &Path, fields: &Fields, tensors: &[(String, Tensor)], precision: Precision) {
    write_with_vectors(file, fields, tensors, precision, Precision::F32);
}

/// The same with vectors in another precision, which no converter writes.
pub fn write_with_vectors(
    file: &Path,
    fields: &Fields,
    tensors: &[(String, Tensor)],
    precision: Precision,
    vectors: Precision,
) {
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((fields.0.len() as u64).to_le_bytes());
    for (key, field) in &fields.0 {
        put_text(&mut out, key);
        put_field(&mut out, field);
    }
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        data.resize(data.len().next_multiple_of(ALIGNMENT), 0);
        // As converters do: what is added to rows is kept whole, and ggml adds nothing else.
        let is_table =
            tensor.shape.len() > 1 && name != "token_types.weight" && name != "position_embd.weight";
        let precision = if is_table { precision } else { vectors };
        put_text(&mut out, name);
        out.extend((tensor.shape.len() as u32).to_le_bytes());
        // The fastest dimension comes first.
        tensor.shape.iter().rev().for_each(|size| out.extend((*size as u64).to_le_bytes()));
        out.extend(precision.tensor_type().to_le_bytes());
        out.extend((data.len() as u64).to_le_bytes());
        data.extend(precision.encode(tensor));
    }
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
    out.extend(data);
    fs::write(file, out).unwrap();
}
