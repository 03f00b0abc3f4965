//! Records of the binary stream, and the strings in them.

const CONTINUE: u16 = 0x3c;
/// Strings of a workbook beyond are not read.
const MAX_STRINGS: usize = 2_000_000;

#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) data: &'a [u8],
}

impl Record<'_> {
    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.data.get(at..at + 2)?.try_into().ok()?))
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.data.get(at..at + 4)?.try_into().ok()?))
    }

    pub(super) fn f64(&self, at: usize) -> Option<f64> {
        Some(f64::from_le_bytes(self.data.get(at..at + 8)?.try_into().ok()?))
    }
}

/// The records from an offset to the end of the stream, or to its damage.
#[derive(Clone)]
pub(super) struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    pub(super) fn new(stream: &'a [u8], offset: usize) -> Self {
        Self { rest: stream.get(offset..).unwrap_or_default() }
    }

    fn next_continuation(&mut self) -> Option<&'a [u8]> {
        let mut ahead = self.clone();
        let record = ahead.next().filter(|record| record.kind == CONTINUE)?;
        *self = ahead;
        Some(record.data)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (head, rest) = self.rest.split_at_checked(4)?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (data, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Record { kind: u16::from_le_bytes([head[0], head[1]]), data })
    }
}

/// A string behind a length of one byte.
pub(super) fn string8(data: &[u8], at: usize) -> Option<String> {
    let length = usize::from(*data.get(at)?);
    characters(data, at + 1, length)
}

/// A string behind a length of two bytes.
pub(super) fn string16(data: &[u8], at: usize) -> Option<String> {
    let length = usize::from(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?));
    characters(data, at + 2, length)
}

/// So many characters behind their flags.
fn characters(data: &[u8], at: usize, length: usize) -> Option<String> {
    let flags = *data.get(at)?;
    let bytes = data.get(at + 1..)?;
    let mut out = String::new();
    if flags & 1 == 1 {
        push_wide(&mut out, bytes.get(..length * 2)?);
    } else {
        push_narrow(&mut out, bytes.get(..length)?);
    }
    Some(out)
}

fn push_wide(out: &mut String, bytes: &[u8]) {
    out.push_str(&encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0);
}

/// Upper bytes of zero are left out in the file.
fn push_narrow(out: &mut String, bytes: &[u8]) {
    out.extend(bytes.iter().map(|&byte| char::from(byte)));
}

/// The table of shared strings, which goes on over several records; a string may too.
pub(super) fn shared_strings<'a>(first: &'a [u8], records: &mut Records<'a>) -> Vec<String> {
    let mut reader = Pieces { piece: first.get(8..).unwrap_or_default(), records };
    let mut strings = Vec::new();
    while strings.len() < MAX_STRINGS {
        let Some(text) = reader.string() else { break };
        strings.push(text);
    }
    strings
}

struct Pieces<'a, 'r> {
    piece: &'a [u8],
    records: &'r mut Records<'a>,
}

impl Pieces<'_, '_> {
    fn refill(&mut self) -> Option<()> {
        while self.piece.is_empty() {
            self.piece = self.records.next_continuation()?;
        }
        Some(())
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        let mut number = 0;
        for place in 0..bytes {
            self.refill()?;
            let (&byte, rest) = self.piece.split_first()?;
            self.piece = rest;
            number |= usize::from(byte) << (8 * place);
        }
        Some(number)
    }

    fn string(&mut self) -> Option<String> {
        let mut left = self.number(2)?;
        let mut flags = self.number(1)?;
        let runs = if flags & 8 != 0 { self.number(2)? } else { 0 };
        let extension = if flags & 4 != 0 { self.number(4)? } else { 0 };
        let mut out = String::new();
        while left > 0 {
            if self.piece.is_empty() {
                self.refill()?;
                // Characters that go on in a further record stand behind new flags.
                flags = self.number(1)?;
            }
            let width = 1 + (flags & 1);
            let here = (self.piece.len() / width).min(left);
            if here == 0 {
                return None;
            }
            let (bytes, rest) = self.piece.split_at(here * width);
            if width == 2 {
                push_wide(&mut out, bytes)
            } else {
                push_narrow(&mut out, bytes)
            }
            self.piece = rest;
            left -= here;
        }
        self.skip(runs * 4 + extension)?;
        Some(out)
    }

    fn skip(&mut self, mut bytes: usize) -> Option<()> {
        while bytes > 0 {
            self.refill()?;
            let here = self.piece.len().min(bytes);
            self.piece = &self.piece[here..];
            bytes -= here;
        }
        Some(())
    }
}
