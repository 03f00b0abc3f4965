//! Passages as they are stored and shown.

pub mod store;

use crate::ingest::chunk::boxes;
use crate::ingest::document::LineSpan;
use anwen_contract::knowledge::{BoundingBox, LineBox};
use half::f16;

/// A passage on its way into SQL; its id follows from version, generation and position.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChunk {
    pub text: String,
    pub page_start: Option<i64>,
    pub page_end: Option<i64>,
    pub heading_path: Vec<String>,
    pub lines: Vec<LineBox>,
    pub tokens: i64,
    pub vector: Vec<f32>,
}

/// One line as it stands in SQL: start, end, page, x0, y0, x1, y1. An array is a third of the size of an object.
type CompactLine = (u32, u32, u32, f32, f32, f32, f32);

/// Lines as compact JSON, coordinates to a tenth of a point.
pub fn lines_to_json(lines: &[LineBox]) -> String {
    let tenth = |value: f32| (value * 10.0).round() / 10.0;
    let compact: Vec<CompactLine> = lines
        .iter()
        .map(|line| {
            let BoundingBox { page, x0, y0, x1, y1 } = line.bounds;
            (line.start, line.end, page, tenth(x0), tenth(y0), tenth(x1), tenth(y1))
        })
        .collect();
    crate::store::json_text(&compact)
}

/// Reads what [`lines_to_json`] wrote.
pub fn lines_from_json(text: &str) -> Result<Vec<LineBox>, serde_json::Error> {
    let compact: Vec<CompactLine> = serde_json::from_str(text)?;
    Ok(compact
        .into_iter()
        .map(|(start, end, page, x0, y0, x1, y1)| LineBox {
            start,
            end,
            bounds: BoundingBox { page, x0, y0, x1, y1 },
        })
        .collect())
}

/// Where a passage stands: a box for each paragraph on each page.
pub fn boxes_of(lines: &[LineBox]) -> Vec<BoundingBox> {
    let spans: Vec<LineSpan> = lines
        .iter()
        .map(|line| {
            let BoundingBox { page, x0, y0, x1, y1 } = line.bounds;
            LineSpan { start: line.start as usize, end: line.end as usize, page, x0, y0, x1, y1 }
        })
        .collect();
    boxes(&spans)
}

/// A vector as half-precision numbers, little-endian. Half the size of single precision; a cosine changes in the
/// fourth digit. Both indexes are always fed from this form, so that a rebuilt index ranks as the first one did.
pub fn vector_to_bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect()
}

/// Reads what [`vector_to_bytes`] wrote; `None` for an odd number of bytes.
pub fn vector_from_bytes(bytes: &[u8]) -> Option<Vec<f32>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| f16::from_le_bytes(*pair).to_f32()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back_to_a_tenth_of_a_point() {
        let bounds = BoundingBox { page: 3, x0: 72.04, y0: 100.06, x1: 300.0, y1: 112.5 };
        let text = lines_to_json(&[LineBox { start: 0, end: 9, bounds }]);
        assert_eq!(text, "[[0,9,3,72.0,100.1,300.0,112.5]]");
        let lines = lines_from_json(&text).unwrap();
        assert_eq!(lines[0].bounds, BoundingBox { page: 3, x0: 72.0, y0: 100.1, x1: 300.0, y1: 112.5 });
        assert_eq!(lines_from_json("[]").unwrap(), []);
    }

    #[test]
    fn a_vector_keeps_three_digits() {
        let vector = [0.123_456, -0.5, 0.0, 1.0];
        let read = vector_from_bytes(&vector_to_bytes(&vector)).unwrap();
        assert!(vector.iter().zip(&read).all(|(before, after)| (before - after).abs() < 5e-4), "{read:?}");
        assert_eq!(vector_from_bytes(&[0]), None);
    }
}
