//! Numbers of made models: reproducible, and small enough in their digits that half precision holds them exactly.

/// Steps between two whole numbers: eleven significant bits hold every value up to 2.
const STEPS: f32 = 1024.0;

/// Reproducible numbers between -1 and 1: splitmix64.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// A number between `-scale` and `scale`.
    pub fn number(&mut self, scale: f32) -> f32 {
        (self.next() * scale * STEPS).round() / STEPS
    }

    pub fn table(&mut self, rows: usize, columns: usize, scale: f32) -> Tensor {
        self.tensor(&[rows, columns], scale)
    }

    pub fn tensor(&mut self, shape: &[usize], scale: f32) -> Tensor {
        let length = shape.iter().product();
        Tensor { shape: shape.to_vec(), values: (0..length).map(|_| self.number(scale)).collect() }
    }

    /// As `table`, scaled so that what comes in with size 1 goes out with about size 1.
    pub fn matrix(&mut self, rows: usize, columns: usize) -> Tensor {
        self.table(rows, columns, (3.0 / columns as f32).sqrt())
    }
}

/// Numbers row after row, the slowest dimension first.
#[derive(Clone)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensor {
    pub fn filled(length: usize, value: f32) -> Self {
        Self { shape: vec![length], values: vec![value; length] }
    }

    pub fn columns(&self) -> usize {
        *self.shape.last().unwrap()
    }

    /// One table under the other.
    pub fn stacked(parts: &[&Self]) -> Self {
        let rows = parts.iter().map(|part| part.shape[0]).sum();
        Self {
            shape: vec![rows, parts[0].columns()],
            values: parts.iter().flat_map(|part| part.values.iter().copied()).collect(),
        }
    }

    /// With every number of one row set to 0.
    pub fn without_row(mut self, row: usize) -> Self {
        let columns = self.columns();
        self.values[row * columns..][..columns].fill(0.0);
        self
    }

    /// Halves of each head's rows interleaved, as GGUF files of Llama keep queries and keys.
    pub fn interleaved(&self, heads: usize) -> Self {
        let (rows, columns) = (self.shape[0], self.columns());
        let head = rows / heads;
        let source = |row: usize| {
            let (at, within) = (row / head, row % head);
            at * head + (within % 2) * (head / 2) + within / 2
        };
        let values =
            (0..rows).flat_map(|row| self.values[source(row) * columns..][..columns].to_vec()).collect();
        Self { shape: self.shape.clone(), values }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}
