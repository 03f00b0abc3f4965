//! GGUF files with fewer bits a weight: from F32, F16 and BF16 to Q8_0, Q4_0 and F16.
//!
//! The blocks are those of ggml (`block_q8_0`, `block_q4_0` in ggml-common.h): 32 values and one 16-bit scale. Q8_0: the
//! scale is the largest magnitude / 127, values are rounded to it. Q4_0: the scale is the value of largest magnitude / -8,
//! values are `x / scale + 8.5` cut to whole numbers of 4 bits, the first half of a block in the low half-bytes. Vectors
//! (norms, biases), routers of experts and position tables stay as they are; with Q4_0 the embedding and the output, which
//! suffer most, become Q8_0.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use half::{bf16, f16};

use crate::gguf::{Layout, TensorInfo, tensor_kind};

const F32: u32 = 0;
const F16: u32 = 1;
const Q4_0: u32 = 2;
const Q8_0: u32 = 8;
const BF16: u32 = 30;
const BLOCK_VALUES: usize = 32;
/// Values that are converted at once; whole blocks.
const CHUNK_VALUES: usize = 1024 * BLOCK_VALUES;
/// The metadata's kind of a 32-bit number.
const UINT32: u32 = 4;

/// What weights are brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    F16,
    Q4_0,
    Q8_0,
}

impl Target {
    /// The target of this name in small or large letters.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "f16" | "fp16" => Some(Self::F16),
            "q4_0" => Some(Self::Q4_0),
            "q8_0" => Some(Self::Q8_0),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::F16 => "F16",
            Self::Q4_0 => "Q4_0",
            Self::Q8_0 => "Q8_0",
        }
    }

    /// llama.cpp's number of a file of this kind.
    fn file_type(self) -> u32 {
        match self {
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
        }
    }

    fn kind_for(self, tensor: &TensorInfo) -> u32 {
        let is_float = matches!(tensor.kind, F32 | F16 | BF16);
        let is_matrix =
            tensor.dimensions.len() > 1 && tensor.dimensions[0].is_multiple_of(BLOCK_VALUES as u64);
        let stays = ["ffn_gate_inp", "position_embd", "token_types", "norm"]
            .iter()
            .any(|part| tensor.name.contains(part));
        if !is_float || !is_matrix || stays || !tensor.name.ends_with(".weight") {
            return tensor.kind;
        }
        let is_outer = tensor.name.starts_with("token_embd") || tensor.name.starts_with("output.");
        match self {
            Self::F16 => F16,
            Self::Q4_0 if is_outer => Q8_0,
            Self::Q4_0 => Q4_0,
            Self::Q8_0 => Q8_0,
        }
    }
}

/// Writes the file at `source` with its weights brought to `target`. An error when nothing in it can be.
pub fn quantize(source: &Path, target: Target, writer: &mut impl Write) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(source)?);
    let layout = Layout::read(&mut reader)?;
    let kinds: Vec<u32> = layout.tensors.iter().map(|tensor| target.kind_for(tensor)).collect();
    if layout.tensors.iter().zip(&kinds).all(|(tensor, kind)| tensor.kind == *kind) {
        return Err(invalid("nothing in it has 16 or 32 bits a weight that could be brought to fewer"));
    }
    let mut writer = Counted { inner: BufWriter::new(writer), written: 0 };
    write_header(&mut reader, &layout, &kinds, target, &mut writer)?;
    for (tensor, kind) in layout.tensors.iter().zip(&kinds) {
        writer.pad(layout.alignment)?;
        reader.seek(SeekFrom::Start(
            layout
                .data_start
                .checked_add(tensor.offset)
                .ok_or_else(|| invalid("a tensor in it lies beyond any file"))?,
        ))?;
        write_tensor(&mut reader, tensor, *kind, &mut writer)?;
    }
    writer.pad(layout.alignment)?;
    writer.inner.flush()
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Knows how far it has come.
struct Counted<W> {
    inner: W,
    written: u64,
}

impl<W: Write> Counted<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.inner.write_all(bytes)
    }

    fn pad(&mut self, alignment: u64) -> io::Result<()> {
        let missing = self.written.next_multiple_of(alignment) - self.written;
        self.put(&vec![0; usize::try_from(missing).unwrap_or_default()])
    }
}

fn text_bytes(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn write_header(
    reader: &mut (impl Read + Seek),
    layout: &Layout,
    kinds: &[u32],
    target: Target,
    writer: &mut Counted<impl Write>,
) -> io::Result<()> {
    const FILE_TYPE: &str = "general.file_type";
    let kept: Vec<_> = layout.entries.iter().filter(|entry| entry.key != FILE_TYPE).collect();
    writer.put(b"GGUF")?;
    writer.put(&layout.version.to_le_bytes())?;
    writer.put(&(layout.tensors.len() as u64).to_le_bytes())?;
    writer.put(&(kept.len() as u64 + 1).to_le_bytes())?;
    for entry in kept {
        reader.seek(SeekFrom::Start(entry.start))?;
        let mut bytes = Vec::new();
        reader.take(entry.end - entry.start).read_to_end(&mut bytes)?;
        writer.put(&bytes)?;
    }
    writer.put(&text_bytes(FILE_TYPE))?;
    writer.put(&UINT32.to_le_bytes())?;
    writer.put(&target.file_type().to_le_bytes())?;
    let mut offset: u64 = 0;
    for (tensor, kind) in layout.tensors.iter().zip(kinds) {
        writer.put(&text_bytes(&tensor.name))?;
        writer.put(&(tensor.dimensions.len() as u32).to_le_bytes())?;
        for length in &tensor.dimensions {
            writer.put(&length.to_le_bytes())?;
        }
        writer.put(&kind.to_le_bytes())?;
        writer.put(&offset.to_le_bytes())?;
        let bytes = tensor_kind(*kind)
            .zip(tensor.values())
            .and_then(|(kind, values)| kind.bytes_of(values))
            .ok_or_else(|| invalid("a tensor in it is of a kind that is not known"))?;
        offset = offset
            .checked_add(bytes)
            .and_then(|end| end.checked_next_multiple_of(layout.alignment))
            .ok_or_else(|| invalid("a tensor in it is impossibly large"))?;
    }
    Ok(())
}

fn write_tensor(
    reader: &mut impl Read,
    tensor: &TensorInfo,
    kind: u32,
    writer: &mut Counted<impl Write>,
) -> io::Result<()> {
    let too_large = || invalid("a tensor in it is impossibly large");
    let values = tensor.values().ok_or_else(too_large)?;
    let source = tensor_kind(tensor.kind).ok_or_else(|| invalid("a tensor in it is of an unknown kind"))?;
    if tensor.kind == kind {
        let bytes = source.bytes_of(values).ok_or_else(too_large)?;
        let copied = io::copy(&mut reader.take(bytes), &mut writer.inner)?;
        writer.written += copied;
        return if copied == bytes { Ok(()) } else { Err(invalid("it is cut off")) };
    }
    let mut left = values;
    let mut raw = Vec::new();
    while left > 0 {
        let now = left.min(CHUNK_VALUES as u64);
        left -= now;
        let bytes = source.bytes_of(now).ok_or_else(too_large)?;
        raw.resize(usize::try_from(bytes).unwrap_or_default(), 0);
        reader.read_exact(&mut raw)?;
        let floats = decode(&raw, tensor.kind);
        writer.put(&encode(&floats, kind))?;
    }
    Ok(())
}

fn decode(raw: &[u8], kind: u32) -> Vec<f32> {
    match kind {
        F32 => raw.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        BF16 => raw.as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect(),
        _ => raw.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
    }
}

fn encode(values: &[f32], kind: u32) -> Vec<u8> {
    match kind {
        Q8_0 => values.chunks(BLOCK_VALUES).flat_map(q8_block).collect(),
        Q4_0 => values.chunks(BLOCK_VALUES).flat_map(q4_block).collect(),
        _ => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
    }
}

fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

fn q8_block(values: &[f32]) -> Vec<u8> {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let factor = inverse(scale);
    let mut block = f16::from_f32(scale).to_le_bytes().to_vec();
    block.extend(values.iter().map(|value| ((value * factor).round() as i8).to_le_bytes()[0]));
    block
}

fn q4_block(values: &[f32]) -> Vec<u8> {
    let extreme = values
        .iter()
        .fold(0.0_f32, |extreme, value| if value.abs() > extreme.abs() { *value } else { extreme });
    let scale = extreme / -8.0;
    let factor = inverse(scale);
    // Casting cuts, and saturates at 0.
    let code = |value: f32| ((value * factor + 8.5) as u8).min(15);
    let mut block = f16::from_f32(scale).to_le_bytes().to_vec();
    let (low, high) = values.split_at(values.len() / 2);
    block.extend(low.iter().zip(high).map(|(low, high)| code(*low) | (code(*high) << 4)));
    block
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::gguf::GgufHeader;

    fn unpack_q8(block: &[u8]) -> Vec<f32> {
        let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
        block[2..].iter().map(|byte| f32::from(i8::from_le_bytes([*byte])) * scale).collect()
    }

    fn unpack_q4(block: &[u8]) -> Vec<f32> {
        let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
        let value = |code: u8| (f32::from(code) - 8.0) * scale;
        let low = block[2..].iter().map(|byte| value(byte & 15));
        low.chain(block[2..].iter().map(|byte| value(byte >> 4))).collect()
    }

    fn waves() -> Vec<f32> {
        (0..32).map(|index| (index as f32 * 0.7).sin() * 3.0).collect()
    }

    #[test]
    fn blocks_read_back_within_half_a_step() {
        let values = waves();
        let largest = values.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (unpacked, steps) in
            [(unpack_q8(&q8_block(&values)), 127.0), (unpack_q4(&q4_block(&values)), 8.0)]
        {
            for (value, read) in values.iter().zip(&unpacked) {
                // The last step of Q4_0 on the far side is one step wide, and scales have 11 bits.
                assert!((value - read).abs() <= largest / steps * 1.01, "{value} became {read}");
            }
        }
    }

    #[test]
    fn a_block_of_zeros_stays_zero() {
        assert!(unpack_q4(&q4_block(&[0.0; 32])).iter().all(|value| *value == 0.0));
        assert!(unpack_q8(&q8_block(&[0.0; 32])).iter().all(|value| *value == 0.0));
    }

    /// A file with one matrix and one vector of 32-bit numbers.
    fn small_file(matrix: &[f32]) -> Vec<u8> {
        let mut bytes =
            [&b"GGUF"[..], &3u32.to_le_bytes(), &2u64.to_le_bytes(), &1u64.to_le_bytes()].concat();
        bytes.extend(
            [text_bytes("general.architecture"), 8u32.to_le_bytes().to_vec(), text_bytes("x")].concat(),
        );
        let info = |name: &str, dimensions: &[u64], offset: u64| {
            let mut info = [text_bytes(name), (dimensions.len() as u32).to_le_bytes().to_vec()].concat();
            info.extend(dimensions.iter().flat_map(|length| length.to_le_bytes()));
            info.extend(F32.to_le_bytes());
            info.extend(offset.to_le_bytes());
            info
        };
        bytes.extend(info("blk.0.attn_q.weight", &[32, 2], 0));
        bytes.extend(info("blk.0.attn_norm.weight", &[32], 256));
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(matrix.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend([1.0_f32; 32].iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    #[test]
    fn a_file_is_written_anew_with_its_matrices_quantised_and_its_vectors_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.gguf");
        let matrix = [waves(), waves()].concat();
        std::fs::write(&path, small_file(&matrix)).unwrap();
        let mut written = Vec::new();
        quantize(&path, Target::Q8_0, &mut written).unwrap();
        let small = directory.path().join("q.gguf");
        std::fs::write(&small, &written).unwrap();
        let header = GgufHeader::read(&small).unwrap();
        assert_eq!((header.quantization.as_deref(), header.tensor_bytes), (Some("Q8_0"), Some(2 * 34 + 128)));
        let layout = Layout::read(&mut BufReader::new(File::open(&small).unwrap())).unwrap();
        let data = usize::try_from(layout.data_start).unwrap();
        assert_eq!(written[data..data + 34], q8_block(&matrix[..32])[..]);
        let norm = data + usize::try_from(layout.tensors[1].offset).unwrap();
        assert_eq!(written[norm..norm + 4], 1.0_f32.to_le_bytes());
        let again = quantize(&small, Target::Q8_0, &mut Vec::new());
        assert!(again.is_err(), "what is quantised already is not quantised again");
    }
}
