//! Changes to a PDF that know its syntax: references, offsets, lengths, names, and what stands inside the compressed
//! streams.

use std::io::Cursor;

use lopdf::{Document, Object};

use super::change_bytes;
use crate::random::Random;

/// Larger files are not taken apart and written again.
const MAX_REWRITTEN_BYTES: usize = 300 * 1024;

pub fn change(random: &mut Random, bytes: Vec<u8>, is_whole: bool) -> Vec<u8> {
    if is_whole
        && bytes.len() <= MAX_REWRITTEN_BYTES
        && random.one_in(3)
        && let Some(changed) = rewrite(random, &bytes)
    {
        return changed;
    }
    let marks: [&[u8]; 12] = [
        b" R",
        b"/Length",
        b"/Kids",
        b"/Parent",
        b"/Contents",
        b"/Font",
        b"/Filter",
        b"/Type",
        b"startxref",
        b" n",
        b"/ToUnicode",
        b"/Count",
    ];
    change_after(random, bytes, marks)
}

/// Finds one of the marks and changes the number or the name that stands beside it.
fn change_after(random: &mut Random, mut bytes: Vec<u8>, marks: [&[u8]; 12]) -> Vec<u8> {
    let mark = *random.pick(&marks);
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, mark).take(4096).collect();
    if places.is_empty() {
        return bytes;
    }
    let at = *random.pick(&places);
    if !mark.starts_with(b"/") && mark != b"startxref" {
        // `12 0 R`, `0000001234 00000 n`: the number before the mark.
        let start = at.saturating_sub(18);
        let digits: Vec<usize> = (start..at).filter(|&index| bytes[index].is_ascii_digit()).collect();
        if let Some(&digit) = (!digits.is_empty()).then(|| random.pick(&digits)) {
            bytes[digit] = b'0' + random.below(10) as u8;
        }
        return bytes;
    }
    let after = at + mark.len();
    let end = (after + 24).min(bytes.len());
    match random.below(3) {
        // The name goes, its value stays.
        0 => bytes[at..after].fill(b' '),
        1 => {
            let digits: Vec<usize> = (after..end).filter(|&index| bytes[index].is_ascii_digit()).collect();
            if let Some(&digit) = (!digits.is_empty()).then(|| random.pick(&digits)) {
                bytes[digit] = b'0' + random.below(10) as u8;
            }
        }
        _ => {
            let names: [&[u8]; 8] = [
                b" 1 0 R ",
                b" [1 0 R] ",
                b" -5 ",
                b" 9999999999 ",
                b" /FlateDecode ",
                b" << >> ",
                b" null ",
                b" [[[[ ",
            ];
            let value = *random.pick(&names);
            let upto = (after + value.len()).min(bytes.len());
            bytes[after..upto].copy_from_slice(&value[..upto - after]);
        }
    }
    bytes
}

/// Changes the inside of a stream, or makes one reference point elsewhere, and writes the file anew with right offsets.
fn rewrite(random: &mut Random, bytes: &[u8]) -> Option<Vec<u8>> {
    let load = || Document::load_mem(bytes).ok();
    let mut document = std::panic::catch_unwind(load).ok()??;
    let ids: Vec<_> = document.objects.keys().copied().collect();
    if ids.is_empty() {
        return None;
    }
    let (chosen, other) = (*random.pick(&ids), *random.pick(&ids));
    match document.objects.get_mut(&chosen)? {
        Object::Stream(stream) => {
            let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
            let changed = change_bytes(random, content.clone(), |_| content.as_slice());
            stream.dict.remove(b"Filter");
            stream.dict.remove(b"DecodeParms");
            stream.set_content(changed);
        }
        Object::Dictionary(dictionary) => {
            let keys: Vec<Vec<u8>> = dictionary.iter().map(|(key, _)| key.clone()).collect();
            let key = (!keys.is_empty()).then(|| random.pick(&keys).clone())?;
            dictionary.set(key, value(random, other));
        }
        object => *object = value(random, other),
    }
    let mut out = Cursor::new(Vec::with_capacity(bytes.len()));
    document.save_to(&mut out).ok()?;
    Some(out.into_inner())
}

fn value(random: &mut Random, other: lopdf::ObjectId) -> Object {
    match random.below(6) {
        0..=2 => Object::Reference(other),
        3 => Object::Integer(random.next() as i64),
        4 => Object::Array(vec![Object::Reference(other); random.between(1, 50)]),
        _ => Object::Null,
    }
}
