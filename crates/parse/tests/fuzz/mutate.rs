//! Files made wrong: bytes flipped, ends cut off, parts doubled, two files of a family spliced, and changes that know
//! the outside of a format (members of an archive, references and offsets of a PDF, nesting of a markup), since bytes
//! changed at random inside compressed parts get no further than the checksum.

mod archive;
mod pdf;

use crate::random::Random;
use crate::seeds::{Seed, Seeds};

/// Larger inputs are cut: what a mutation adds must not be what costs the time.
const MAX_INPUT_BYTES: usize = 8 * 1024 * 1024;
/// How often a mutation may repeat a part.
const MAX_REPEATS: usize = 20_000;
/// What repeating may add in all.
const MAX_REPEATED_BYTES: usize = 512 * 1024;

/// One input of a campaign.
pub struct Input {
    /// Which seed it was made from.
    pub seed: usize,
    /// The name that the parser is told.
    pub file_name: String,
    pub bytes: Vec<u8>,
}

/// Makes the input; the same one for the same stream of numbers and the same seeds.
pub fn make(random: &mut Random, seeds: &Seeds) -> Input {
    let index = seeds.choose(random);
    let seed = &seeds.all[index];
    let mut bytes = seed.bytes.clone();
    // Now and then the file as it is: the harness must see good files too.
    let steps = if random.one_in(100) { 0 } else { random.between(1, 4) };
    // Bytes changed at random break an archive for good: what is to get inside must be changed inside only.
    let is_inside = !random.one_in(3);
    for number in 0..steps {
        bytes = if is_inside {
            change_inside(random, bytes, seed, seeds, number == 0)
        } else {
            change_bytes(random, bytes, |random| seeds.relative(random, seed).bytes.as_slice())
        };
        bytes.truncate(MAX_INPUT_BYTES);
    }
    Input { seed: index, file_name: file_name(random, seed, seeds), bytes }
}

/// Mostly the seed's own; else that of any other file, so that the name promises another format.
fn file_name(random: &mut Random, seed: &Seed, seeds: &Seeds) -> String {
    let named_by = if random.one_in(25) { random.pick(&seeds.all) } else { seed };
    named_by.file_name.clone()
}

/// A change that leaves an archive an archive; of other formats any change. `is_whole`: nothing was changed yet; what is
/// damaged already is taken apart by no library here, as the harness must live.
fn change_inside(random: &mut Random, bytes: Vec<u8>, seed: &Seed, seeds: &Seeds, is_whole: bool) -> Vec<u8> {
    if bytes.starts_with(b"PK\x03\x04")
        && let Some(changed) = archive::change(random, &bytes, seed, seeds)
    {
        return changed;
    }
    if bytes.starts_with(b"%PDF-") && !random.one_in(4) {
        return pdf::change(random, bytes, is_whole);
    }
    change_bytes(random, bytes, |random| seeds.relative(random, seed).bytes.as_slice())
}

/// A change that knows no format. `relative` gives another file of the same family.
fn change_bytes<'a>(
    random: &mut Random,
    mut bytes: Vec<u8>,
    relative: impl FnOnce(&mut Random) -> &'a [u8],
) -> Vec<u8> {
    if bytes.is_empty() {
        return token(random).to_vec();
    }
    let length = bytes.len();
    match random.below(12) {
        0 => flip_bits(random, &mut bytes),
        1 | 2 => overwrite(random, &mut bytes),
        3 => bytes.truncate(random.below(length)),
        // Near the end stand the tables of archives and PDFs.
        4 => bytes.truncate(length - random.below(length.min(2048))),
        5 => drop(bytes.drain(random.range(length, 4096))),
        6 => fill(random, &mut bytes),
        7 => repeat(random, &mut bytes),
        8 => insert_token(random, &mut bytes),
        9 => change_number(random, &mut bytes),
        10 => move_part(random, &mut bytes),
        _ => return splice(random, &bytes, relative),
    }
    bytes
}

fn flip_bits(random: &mut Random, bytes: &mut [u8]) {
    for _ in 0..random.between(1, 32) {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
}

fn overwrite(random: &mut Random, bytes: &mut [u8]) {
    for _ in 0..random.between(1, 64) {
        let at = random.below(bytes.len());
        bytes[at] = random.byte();
    }
}

fn fill(random: &mut Random, bytes: &mut [u8]) {
    let range = random.range(bytes.len(), 1024);
    let with = *random.pick(&[0, 0xff, b' ', b'(', b'<', b'\n', b'"', b'9']);
    bytes[range].fill(with);
}

/// Many times the same part: deep nesting where the part opens something, long lists elsewhere.
fn repeat(random: &mut Random, bytes: &mut Vec<u8>) {
    let range = random.range(bytes.len(), 256);
    if range.is_empty() {
        return;
    }
    let most = (MAX_REPEATED_BYTES / range.len()).min(MAX_REPEATS);
    let times = if random.one_in(4) { most } else { random.between(1, most.min(64)) };
    let at = range.end;
    let part = bytes[range].repeat(times);
    bytes.splice(at..at, part);
}

fn insert_token(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let token = token(random);
    let most = (MAX_REPEATED_BYTES / token.len()).min(MAX_REPEATS);
    let times = if random.one_in(3) { random.between(1, most) } else { 1 };
    bytes.splice(at..at, token.repeat(times));
}

/// What opens, nests, counts or ends something in some format.
fn token(random: &mut Random) -> &'static [u8] {
    const TOKENS: [&[u8]; 36] = [
        b"<div>",
        b"<table><tr><td>",
        b"<ul><li>",
        b"<b><i>",
        b"</",
        b"<!--",
        b"<![CDATA[",
        b"&#x1F600;",
        b"&amp;",
        b"[",
        b"{",
        b"[[",
        b"](",
        b"> ",
        b"- ",
        b"  - ",
        b"* * ",
        b"`",
        b"```\n",
        b"|a|b|\n|-|-|\n",
        b"$$",
        b"\\",
        b"{\\rtf1 ",
        b"{\\pict ",
        b"\\u-10179?",
        b"<<",
        b"[ ",
        b"q ",
        b"BT ",
        b"(",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r\n\r\n--x\r\n",
        b"=?utf-8?B?",
        b"\"\"",
        b"\xe6\x9d\xa1",
    ];
    random.pick::<&[u8]>(&TOKENS)
}

/// A number in the text becomes another: sizes, counts, offsets, references.
fn change_number(random: &mut Random, bytes: &mut Vec<u8>) {
    let from = random.below(bytes.len());
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let end =
        bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |at| start + at);
    let number = match random.below(6) {
        0 => "0".to_owned(),
        1 => "-1".to_owned(),
        2 => "4294967296".to_owned(),
        3 => "99999999999999999999".to_owned(),
        4 => "65535".to_owned(),
        _ => random.below(1000).to_string(),
    };
    bytes.splice(start..end, number.into_bytes());
}

fn move_part(random: &mut Random, bytes: &mut Vec<u8>) {
    let part: Vec<u8> = bytes.drain(random.range(bytes.len(), 2048)).collect();
    let at = random.below(bytes.len() + 1);
    bytes.splice(at..at, part);
}

/// The head of one file and the tail of another one of its family.
fn splice<'a>(random: &mut Random, bytes: &[u8], relative: impl FnOnce(&mut Random) -> &'a [u8]) -> Vec<u8> {
    let other = relative(random);
    let head = random.below(bytes.len() + 1);
    let tail = random.below(other.len() + 1);
    [&bytes[..head], &other[tail..]].concat()
}
