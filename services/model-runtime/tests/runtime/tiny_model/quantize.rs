//! Weights in the block formats of GGUF files.

use super::tensor::Tensor;

/// How a GGUF file holds its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    F32,
    F16,
    /// Blocks of 32 bytes with one scale.
    Q8_0,
    /// Blocks of 256 numbers of 4 bits, eight scales and eight offsets of 6 bits.
    Q4K,
}

impl Precision {
    /// `general.file_type`.
    pub fn file_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8_0 => 7,
            Self::Q4K => 15,
        }
    }

    /// The type of a tensor of this kind.
    pub fn tensor_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8_0 => 8,
            Self::Q4K => 12,
        }
    }

    /// The name as file names have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8_0 => "q8_0",
            Self::Q4K => "q4_k",
        }
    }

    /// The bytes of `tensor`. Rows of Q4_K must be multiples of 256 numbers, of Q8_0 of 32.
    pub fn encode(self, tensor: &Tensor) -> Vec<u8> {
        match self {
            Self::F32 => tensor.bytes(),
            Self::F16 => tensor.values.iter().flat_map(|&value| half(value).to_le_bytes()).collect(),
            Self::Q8_0 => blocks::<32>(tensor).flat_map(q8_0).collect(),
            Self::Q4K => blocks::<256>(tensor).flat_map(q4_k).collect(),
        }
    }
}

fn blocks<const SIZE: usize>(tensor: &Tensor) -> impl Iterator<Item = &[f32; SIZE]> {
    assert_eq!(tensor.columns() % SIZE, 0, "rows are not whole blocks");
    tensor.values.as_chunks::<SIZE>().0.iter()
}

/// The nearest number of half precision (IEEE 754 binary16), ties to even.
pub fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let exponent = (bits >> 23 & 0xFF) as i32 - 127 + 15;
    let mantissa = bits & 0x7F_FFFF;
    if exponent >= 31 {
        return sign | 0x7C00;
    }
    // Of a number below the normal ones the leading 1 is written out.
    let (mantissa, shift) =
        if exponent <= 0 { (mantissa | 0x80_0000, (14 - exponent) as u32) } else { (mantissa, 13) };
    if shift > 24 {
        return sign;
    }
    let kept = mantissa >> shift;
    let rest = mantissa & ((1 << shift) - 1);
    let middle = 1 << (shift - 1);
    let up = rest > middle || (rest == middle && kept & 1 == 1);
    let base = if exponent <= 0 { 0 } else { (exponent as u32) << 10 };
    // A carry out of the mantissa raises the exponent, as it should.
    sign | (base + kept + u32::from(up)) as u16
}

fn q8_0(block: &[f32; 32]) -> Vec<u8> {
    let largest = block.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let mut out = half(scale).to_le_bytes().to_vec();
    out.extend(block.iter().map(|value| (value * inverse).round() as i8).map(i8::cast_unsigned));
    out
}

/// `value = scale * d * q - offset * dmin`, with `q` of 4 bits and scale and offset of 6 for each 32 numbers.
fn q4_k(block: &[f32; 256]) -> Vec<u8> {
    let parts = block.as_chunks::<32>().0;
    let offsets = parts.iter().map(|part| -part.iter().fold(0.0_f32, |least, value| least.min(*value)));
    let offsets: Vec<f32> = offsets.collect();
    let scales: Vec<f32> = parts
        .iter()
        .zip(&offsets)
        .map(|(part, offset)| (part.iter().fold(0.0_f32, |most, value| most.max(*value)) + offset) / 15.0)
        .collect();
    let greatest = |values: &[f32]| values.iter().copied().fold(0.0_f32, f32::max);
    let (d, dmin) = (greatest(&scales) / 63.0, greatest(&offsets) / 63.0);
    let steps = |value: f32, unit: f32| if unit > 0.0 { (value / unit).round() as u8 } else { 0 };
    let scale_steps: Vec<u8> = scales.iter().map(|&scale| steps(scale, d)).collect();
    let offset_steps: Vec<u8> = offsets.iter().map(|&offset| steps(offset, dmin)).collect();
    let mut out = half(d).to_le_bytes().to_vec();
    out.extend(half(dmin).to_le_bytes());
    out.extend(packed_steps(&scale_steps, &offset_steps));
    let numbers: Vec<u8> = parts
        .iter()
        .enumerate()
        .flat_map(|(index, part)| {
            let unit = d * f32::from(scale_steps[index]);
            let offset = dmin * f32::from(offset_steps[index]);
            part.map(
                |value| if unit > 0.0 { ((value + offset) / unit).round().clamp(0.0, 15.0) as u8 } else { 0 },
            )
        })
        .collect();
    for pair in numbers.as_chunks::<64>().0 {
        out.extend((0..32).map(|at| pair[at] | pair[at + 32] << 4));
    }
    out
}

/// Eight scales and eight offsets of 6 bits in 12 bytes: the first four of each in the low bits of bytes 0 to 7, of the
/// others the low four bits in bytes 8 to 11 and the high two on top of bytes 0 to 7.
fn packed_steps(scales: &[u8], offsets: &[u8]) -> [u8; 12] {
    let mut out = [0; 12];
    for at in 0..4 {
        out[at] = scales[at] | (scales[at + 4] >> 4) << 6;
        out[at + 4] = offsets[at] | (offsets[at + 4] >> 4) << 6;
        out[at + 8] = (scales[at + 4] & 0xF) | (offsets[at + 4] & 0xF) << 4;
    }
    out
}
