//! Reading the parts of a GGUF header. Every count and length is bounded before memory is taken for it.

use std::io::{self, Read, Seek, SeekFrom};

pub(super) const MAX_KEY_BYTES: u64 = 4096;
const MAX_STRING_BYTES: u64 = 1024 * 1024;
const MAX_ARRAY_ITEMS: u64 = 4_000_000;
/// Arrays of numbers up to this length are kept (one number a layer); longer ones are passed over.
const MAX_KEPT_ITEMS: u64 = 4096;

pub(super) const STRING: u32 = 8;
pub(super) const ARRAY: u32 = 9;

/// A value of the metadata.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    Negative(i64),
    Float(f64),
    Bool(bool),
    /// Whole numbers or truth values, one a layer.
    Numbers(Vec<u64>),
    /// An array that is not kept: how many items it has.
    Passed(u64),
}

pub(super) fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

pub(super) fn read_u32(reader: &mut impl Read) -> io::Result<u32> {
    Ok(u32::from_le_bytes(read_bytes(reader)?))
}

pub(super) fn read_u64(reader: &mut impl Read) -> io::Result<u64> {
    Ok(u64::from_le_bytes(read_bytes(reader)?))
}

fn read_bytes<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn read_string(reader: &mut impl Read, max_bytes: u64) -> io::Result<String> {
    let length = read_u64(reader)?;
    if length > max_bytes {
        return Err(invalid("a string in its header is too long"));
    }
    let mut bytes = Vec::new();
    // Grows with what is there, so that a cut file with a long length costs nothing.
    if reader.take(length).read_to_end(&mut bytes)? as u64 != length {
        return Err(invalid("its header is cut off"));
    }
    String::from_utf8(bytes).map_err(|_| invalid("a string in its header is not UTF-8"))
}

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

pub(super) fn read_value(reader: &mut (impl Read + Seek), kind: u32) -> io::Result<Value> {
    let signed = |number: i64| u64::try_from(number).map_or(Value::Negative(number), Value::Number);
    Ok(match kind {
        0 => Value::Number(u64::from(u8::from_le_bytes(read_bytes(reader)?))),
        1 => signed(i64::from(i8::from_le_bytes(read_bytes(reader)?))),
        2 => Value::Number(u64::from(u16::from_le_bytes(read_bytes(reader)?))),
        3 => signed(i64::from(i16::from_le_bytes(read_bytes(reader)?))),
        4 => Value::Number(u64::from(read_u32(reader)?)),
        5 => signed(i64::from(i32::from_le_bytes(read_bytes(reader)?))),
        6 => Value::Float(f64::from(f32::from_le_bytes(read_bytes(reader)?))),
        7 => Value::Bool(read_bytes::<1>(reader)? != [0]),
        STRING => Value::Text(read_string(reader, MAX_STRING_BYTES)?),
        ARRAY => read_array(reader)?,
        10 => Value::Number(read_u64(reader)?),
        11 => signed(i64::from_le_bytes(read_bytes(reader)?)),
        12 => Value::Float(f64::from_le_bytes(read_bytes(reader)?)),
        _ => return Err(invalid("its header holds a value of an unknown kind")),
    })
}

fn read_array(reader: &mut (impl Read + Seek)) -> io::Result<Value> {
    let kind = read_u32(reader)?;
    let items = read_u64(reader)?;
    if items > MAX_ARRAY_ITEMS {
        return Err(invalid("an array in its header is too long"));
    }
    let is_whole = !matches!(kind, 6 | STRING | ARRAY | 12);
    if is_whole && items <= MAX_KEPT_ITEMS {
        let mut numbers = Vec::new();
        for _ in 0..items {
            numbers.push(match read_value(reader, kind)? {
                Value::Number(number) => number,
                Value::Bool(set) => u64::from(set),
                _ => 0,
            });
        }
        return Ok(Value::Numbers(numbers));
    }
    if kind != STRING {
        skip(reader, items * scalar_bytes(kind)?)?;
        return Ok(Value::Passed(items));
    }
    for _ in 0..items {
        let length = read_u64(reader)?;
        if length > MAX_STRING_BYTES {
            return Err(invalid("a string in its header is too long"));
        }
        skip(reader, length)?;
    }
    Ok(Value::Passed(items))
}

fn skip(reader: &mut (impl Read + Seek), bytes: u64) -> io::Result<()> {
    // Short skips stay inside the buffer, where a seek would throw it away.
    const READ_UP_TO_BYTES: u64 = 4096;
    if bytes <= READ_UP_TO_BYTES {
        if io::copy(&mut reader.take(bytes), &mut io::sink())? != bytes {
            return Err(invalid("its header is cut off"));
        }
        return Ok(());
    }
    let offset = i64::try_from(bytes).map_err(|_| invalid("a length in its header is impossible"))?;
    reader.seek(SeekFrom::Current(offset))?;
    Ok(())
}
