//! Static embeddings in Model2Vec's format: a table of rows, one for each token; a text is the sum of its rows, scaled
//! to length 1.
//!
//! The table stays in the file and is mapped, so that it costs page cache and no memory of the process' own.

use std::hint::black_box;
use std::ops::Range;
use std::path::Path;

use anwen_text::{TokenizerScratch, UnigramTokenizer};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

/// Why a model of this kind cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum StaticModelError {
    #[error("cannot read {file}: {cause}")]
    Io { file: &'static str, cause: std::io::Error },
    #[error("config.json is not valid: {0}")]
    Config(#[from] serde_json::Error),
    #[error(transparent)]
    Tokenizer(#[from] anwen_text::TokenizerError),
    #[error("model.safetensors is not valid: {0}")]
    Weights(String),
}

/// The fields of `config.json` that change a vector.
#[derive(Deserialize)]
struct ModelConfig {
    normalize: bool,
    /// Tokens of a text that are read.
    #[serde(default = "default_sequence_length")]
    seq_length: usize,
}

/// What Model2Vec reads of a text when the model does not say.
fn default_sequence_length() -> usize {
    512
}

/// A table of int8 rows with a scale for each.
pub struct StaticModel {
    tokenizer: UnigramTokenizer,
    file: Mmap,
    /// Where the rows lie in the file: row-major, one byte a number.
    rows: Range<usize>,
    /// One scale for each row, the token's weight folded in.
    scales: Vec<f32>,
    dimensions: usize,
    normalize: bool,
    sequence_length: usize,
}

/// Buffers that calls share. One per thread.
#[derive(Default)]
pub struct StaticScratch {
    tokenizer: TokenizerScratch,
    ids: Vec<u32>,
}

/// What was read of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub tokens: usize,
    /// The text was longer than the model reads.
    pub truncated: bool,
}

impl StaticModel {
    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` of `directory`.
    pub fn load(directory: &Path) -> Result<Self, StaticModelError> {
        let config = std::fs::read(directory.join("config.json"))
            .map_err(|cause| StaticModelError::Io { file: "config.json", cause })?;
        let config: ModelConfig = serde_json::from_slice(&config)?;
        let tokenizer = UnigramTokenizer::from_file(directory.join("tokenizer.json"))?;
        let file = map(&directory.join("model.safetensors"))
            .map_err(|cause| StaticModelError::Io { file: "model.safetensors", cause })?;
        let (rows, dimensions, scales) = read_table(&file)?;
        if scales.len() != tokenizer.vocabulary_size() {
            return Err(StaticModelError::Weights(format!(
                "it has {} rows and the tokenizer {} pieces",
                scales.len(),
                tokenizer.vocabulary_size()
            )));
        }
        Ok(Self {
            tokenizer,
            file,
            rows,
            scales,
            dimensions,
            normalize: config.normalize,
            sequence_length: config.seq_length,
        })
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub fn sequence_length(&self) -> usize {
        self.sequence_length
    }

    pub fn tokenizer(&self) -> &UnigramTokenizer {
        &self.tokenizer
    }

    /// The vector of `text`. Zero when no token of it is known.
    pub fn embed(&self, text: &str, scratch: &mut StaticScratch) -> Vec<f32> {
        let mut vector = vec![0.0; self.dimensions];
        self.embed_into(text, scratch, &mut vector);
        vector
    }

    /// Writes the vector of `text` to `out`, which has [`Self::dimensions`] numbers.
    ///
    /// As Model2Vec does it: the text is cut at as many characters as the sequence length times the median length of
    /// a piece in bytes, its tokens at the sequence length, unknown tokens are left out.
    pub fn embed_into(&self, text: &str, scratch: &mut StaticScratch, out: &mut [f32]) -> Reading {
        let max_chars = self.sequence_length.saturating_mul(self.tokenizer.median_piece_bytes());
        // As many bytes are at most as many characters.
        let read = if text.len() <= max_chars {
            text
        } else {
            text.char_indices().nth(max_chars).map_or(text, |(end, _)| &text[..end])
        };
        scratch.ids.clear();
        self.tokenizer.encode_into(read, &mut scratch.tokenizer, &mut scratch.ids);
        let truncated = read.len() < text.len() || scratch.ids.len() > self.sequence_length;
        scratch.ids.truncate(self.sequence_length);
        let tokens = scratch.ids.len();
        let unknown = self.tokenizer.unknown_id();
        scratch.ids.retain(|&id| id != unknown);
        self.fetch_rows(&scratch.ids);
        self.sum_rows(&scratch.ids, out);
        if self.normalize {
            scale_to_length_one(out);
        } else {
            let count = scratch.ids.len().max(1) as f32;
            out.iter_mut().for_each(|value| *value /= count);
        }
        Reading { tokens, truncated }
    }

    /// Reads something of each cache line of the rows. None of these reads waits for another one, so that many lines are on
    /// their way from memory at a time; summed up at once, rows that are seldom used take longer to come than to add.
    fn fetch_rows(&self, ids: &[u32]) {
        const CACHE_LINE_BYTES: usize = 64;
        let table = &self.file[self.rows.clone()];
        let rows = ids.iter().map(|&id| &table[id as usize * self.dimensions..][..self.dimensions]);
        black_box(
            rows.flat_map(|row| row.iter().step_by(CACHE_LINE_BYTES)).fold(0, |read, byte| read ^ byte),
        );
    }

    fn sum_rows(&self, ids: &[u32], out: &mut [f32]) {
        /// Rows added in one pass over the sum: more of them share a load and a store of it, and are fetched together.
        const BLOCK: usize = 8;
        out.fill(0.0);
        let table = &self.file[self.rows.clone()];
        let row = |id: u32| &table[id as usize * self.dimensions..][..self.dimensions];
        let scale = |id: u32| self.scales[id as usize];
        let (blocks, rest) = ids.as_chunks::<BLOCK>();
        for block in blocks {
            let rows = block.map(row);
            let scales = block.map(scale);
            let columns = out.len();
            let rows = rows.map(|row| &row[..columns]);
            for (column, sum) in out.iter_mut().enumerate() {
                // Left to right, as one row after the other would be added.
                *sum = (0..BLOCK).fold(*sum, |sum, index| sum + number(rows[index][column]) * scales[index]);
            }
        }
        for &id in rest {
            let scale = scale(id);
            for (sum, value) in out.iter_mut().zip(row(id)) {
                *sum += number(*value) * scale;
            }
        }
    }
}

/// A byte of the table as the number it stands for.
#[inline]
fn number(byte: u8) -> f32 {
    f32::from(byte.cast_signed())
}

/// Scales `vector` to length 1; the zero vector stays.
pub fn scale_to_length_one(vector: &mut [f32]) {
    /// Keeps the zero vector finite.
    const LEAST_LENGTH: f32 = 1e-12;
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(LEAST_LENGTH);
    vector.iter_mut().for_each(|value| *value /= length);
}

#[allow(unsafe_code)]
fn map(path: &Path) -> std::io::Result<Mmap> {
    let file = std::fs::File::open(path)?;
    // SAFETY: the map is read as plain bytes only. Whoever truncates a model file in use ends the process with SIGBUS;
    // the models directory belongs to the operator, and updates replace files by renaming.
    unsafe { Mmap::map(&file) }
}

/// Where the rows lie, how long they are, and their scales.
fn read_table(file: &[u8]) -> Result<(Range<usize>, usize, Vec<f32>), StaticModelError> {
    let invalid = |message: String| StaticModelError::Weights(message);
    let tensors = SafeTensors::deserialize(file).map_err(|cause| invalid(format!("{cause:?}")))?;
    let embeddings = tensors.tensor("embeddings").map_err(|cause| invalid(format!("{cause:?}")))?;
    let &[row_count, dimensions] = embeddings.shape() else {
        return Err(invalid("the embeddings are not a table".to_owned()));
    };
    if embeddings.dtype() != Dtype::I8 || dimensions == 0 {
        return Err(invalid(format!("the embeddings are {:?} and not I8", embeddings.dtype())));
    }
    let weights = tensors.tensor("weights").map_err(|cause| invalid(format!("{cause:?}")))?;
    if weights.dtype() != Dtype::F32 || weights.shape() != [row_count] {
        return Err(invalid("the weights are not one F32 for each row".to_owned()));
    }
    let scales = weights.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let data = embeddings.data();
    let start = data.as_ptr() as usize - file.as_ptr() as usize;
    Ok((start..start + data.len(), dimensions, scales))
}
