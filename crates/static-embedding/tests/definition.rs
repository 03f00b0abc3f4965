//! The bundled embedding against its definition.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use anwen_static_embedding::{StaticModel, StaticScratch};
use safetensors::SafeTensors;
use tokenizers::Tokenizer;

fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/embedding")
}

/// Model2Vec's definition with the `tokenizers` crate and plain loops.
struct Definition {
    tokenizer: Tokenizer,
    rows: Vec<i8>,
    scales: Vec<f32>,
    dimensions: usize,
    median_piece_bytes: usize,
}

const SEQUENCE_LENGTH: usize = 512;

impl Definition {
    fn load(directory: &Path) -> Self {
        let tokenizer = Tokenizer::from_file(directory.join("tokenizer.json")).unwrap();
        let bytes = std::fs::read(directory.join("model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let embeddings = tensors.tensor("embeddings").unwrap();
        let scales = tensors.tensor("weights").unwrap();
        let mut lengths: Vec<usize> = tokenizer.get_vocab(false).keys().map(String::len).collect();
        lengths.sort_unstable();
        Self {
            rows: embeddings.data().iter().map(|byte| *byte as i8).collect(),
            scales: scales
                .data()
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
                .collect(),
            dimensions: embeddings.shape()[1],
            median_piece_bytes: lengths[lengths.len() / 2],
            tokenizer,
        }
    }

    fn embed(&self, text: &str) -> Vec<f64> {
        let text: String = text.chars().take(SEQUENCE_LENGTH * self.median_piece_bytes).collect();
        let encoding = self.tokenizer.encode(text, false).unwrap();
        let mut sum = vec![0.0f64; self.dimensions];
        for &id in encoding.get_ids().iter().take(SEQUENCE_LENGTH).filter(|id| **id != 0) {
            let row = &self.rows[id as usize * self.dimensions..][..self.dimensions];
            for (sum, value) in sum.iter_mut().zip(row) {
                *sum += f64::from(*value) * f64::from(self.scales[id as usize]);
            }
        }
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
        sum.iter().map(|value| value / length).collect()
    }
}

#[test]
fn vectors_are_those_of_the_definition() {
    let directory = bundled();
    let (model, definition) = (StaticModel::load(&directory).unwrap(), Definition::load(&directory));
    let mut scratch = StaticScratch::default();
    let long = "长文本 long text 🙂 ".repeat(500);
    for text in [
        "年假有多少天？",
        "How many days of leave?",
        "繁體 ＦＵＬＬ é",
        "🙂",
        "",
        "the the the",
        long.as_str(),
    ] {
        let ours = model.embed(text, &mut scratch);
        for (ours, expected) in ours.iter().zip(definition.embed(text)) {
            assert!((f64::from(*ours) - expected).abs() < 1e-5, "{text:.20}: {ours} {expected}");
        }
    }
}

#[test]
fn a_damaged_model_is_an_error_and_not_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let bundled = bundled();
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(bundled.join(file), directory.path().join(file)).unwrap();
    }
    assert!(StaticModel::load(directory.path()).is_err());
    for bytes in [&b""[..], b"12345678", &[0xFF; 64]] {
        std::fs::write(directory.path().join("model.safetensors"), bytes).unwrap();
        assert!(StaticModel::load(directory.path()).is_err());
    }
}
