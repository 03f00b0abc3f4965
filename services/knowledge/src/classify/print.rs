//! What a document says as a whole, in a form that can be compared.

use crate::documents::chunks::NewChunk;
use anwen_text::TextSignature;

/// From which estimated similarity on two documents say nearly the same.
pub const NEAR_FROM: f64 = 0.8;

/// What a document says as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Print {
    /// `None` where there is too little text to be compared.
    pub signature: Option<TextSignature>,
    /// The mean of the passages' directions.
    pub centroid: Vec<f32>,
}

impl Print {
    pub fn new(chunks: &[NewChunk]) -> Self {
        let signature = TextSignature::new(chunks.iter().map(|chunk| chunk.text.as_str()));
        let dimension = chunks.first().map_or(0, |chunk| chunk.vector.len());
        let mut centroid = vec![0.0f32; dimension];
        for chunk in chunks {
            let length = chunk.vector.iter().map(|value| value * value).sum::<f32>().sqrt();
            if length > 0.0 {
                centroid.iter_mut().zip(&chunk.vector).for_each(|(sum, value)| *sum += value / length);
            }
        }
        let count = chunks.len().max(1) as f32;
        centroid.iter_mut().for_each(|sum| *sum /= count);
        Self { signature, centroid }
    }
}
