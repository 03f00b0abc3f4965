//! Where everything in a GGUF file lies, for writing it anew.

use std::io::{self, Read, Seek};

use super::read::{MAX_KEY_BYTES, Value, invalid, read_string, read_u32, read_u64, read_value};
use super::{MAX_TENSOR_DIMENSIONS, read_counts};

/// Where the file does not say.
const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_ALIGNMENT: u64 = 65_536;

/// An entry of the metadata: its bytes, key and kind included.
pub(crate) struct Entry {
    pub key: String,
    pub start: u64,
    pub end: u64,
}

/// A tensor as the header lists it.
pub(crate) struct TensorInfo {
    pub name: String,
    pub dimensions: Vec<u64>,
    pub kind: u32,
    /// From the beginning of the data.
    pub offset: u64,
}

impl TensorInfo {
    /// `None` when there are more than any file holds.
    pub(crate) fn values(&self) -> Option<u64> {
        self.dimensions.iter().try_fold(1_u64, |product, length| product.checked_mul(*length))
    }
}

/// The parts of a file.
pub(crate) struct Layout {
    pub version: u32,
    pub entries: Vec<Entry>,
    pub tensors: Vec<TensorInfo>,
    pub alignment: u64,
    pub data_start: u64,
}

impl Layout {
    pub(crate) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Self> {
        let counts = read_counts(reader)?;
        let mut alignment = DEFAULT_ALIGNMENT;
        let mut entries = Vec::new();
        for _ in 0..counts.entries {
            let start = reader.stream_position()?;
            let key = read_string(reader, MAX_KEY_BYTES)?;
            let kind = read_u32(reader)?;
            let value = read_value(reader, kind)?;
            if let ("general.alignment", Value::Number(number)) = (key.as_str(), value) {
                alignment = number;
            }
            entries.push(Entry { key, start, end: reader.stream_position()? });
        }
        if !(1..=MAX_ALIGNMENT).contains(&alignment) {
            return Err(invalid("its alignment is impossible"));
        }
        let mut tensors = Vec::new();
        for _ in 0..counts.tensors {
            tensors.push(read_tensor_info(reader)?);
        }
        let data_start = reader.stream_position()?.next_multiple_of(alignment);
        Ok(Self { version: counts.version, entries, tensors, alignment, data_start })
    }
}

pub(super) fn read_tensor_info(reader: &mut (impl Read + Seek)) -> io::Result<TensorInfo> {
    let name = read_string(reader, MAX_KEY_BYTES)?;
    let count = read_u32(reader)?;
    if count > MAX_TENSOR_DIMENSIONS {
        return Err(invalid("a tensor in it has too many dimensions"));
    }
    let dimensions = (0..count).map(|_| read_u64(reader)).collect::<io::Result<Vec<u64>>>()?;
    let kind = read_u32(reader)?;
    Ok(TensorInfo { name, dimensions, kind, offset: read_u64(reader)? })
}
