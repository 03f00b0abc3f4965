//! Compound files, the file systems that office formats were before they were archives, and the properties in them.

use std::io::{Cursor, Read};

use cfb::CompoundFile;

use super::failure::ParseFailure;
use crate::document::ParsedDocument;

/// Longer streams are cut.
const MAX_STREAM_BYTES: u64 = 512 * 1024 * 1024;
/// Properties of a set beyond are not read.
const MAX_PROPERTIES: usize = 200;
/// Longer property values are not read.
const MAX_PROPERTY_BYTES: usize = 64 * 1024;

pub(super) type File<'a> = CompoundFile<Cursor<&'a [u8]>>;

/// # Errors
/// `damaged_file` when the file's own tables do not fit together.
pub(super) fn open(data: &[u8]) -> Result<File<'_>, ParseFailure> {
    super::caught(|| CompoundFile::open(Cursor::new(data)))
        .and_then(Result::ok)
        .ok_or_else(|| ParseFailure::damaged("the file is damaged: its directory cannot be read"))
}

/// A stream's bytes, as far as they can be read; `None` when it is missing.
pub(super) fn stream(file: &mut File<'_>, path: &str) -> Option<Vec<u8>> {
    let stream = file.open_stream(path).ok()?;
    let mut bytes = Vec::new();
    let _ = stream.take(MAX_STREAM_BYTES).read_to_end(&mut bytes);
    Some(bytes)
}

/// Title, author and dates from the summary information ([MS-OLEPS]).
pub(super) fn read_properties(file: &mut File<'_>, document: &mut ParsedDocument) {
    let Some(data) = stream(file, "\u{5}SummaryInformation") else { return };
    let _ = read_summary(&data, document);
}

fn read_summary(data: &[u8], document: &mut ParsedDocument) -> Option<()> {
    let set = u32_at(data, 44)? as usize;
    let set = data.get(set..)?;
    let count = (u32_at(set, 4)? as usize).min(MAX_PROPERTIES);
    let place = |index: usize| Some((u32_at(set, 8 + index * 8)?, u32_at(set, 12 + index * 8)? as usize));
    let properties: Vec<(u32, usize)> = (0..count).filter_map(place).collect();
    let code_page = properties.iter().find(|(id, _)| *id == 1).and_then(|&(_, at)| u16_at(set, at + 4));
    for (id, at) in properties {
        let text = || property_text(set, at, code_page.unwrap_or(1252));
        let metadata = &mut document.metadata;
        match id {
            2 => document.title = text(),
            3 => metadata.subject = text(),
            4 => metadata.author = text(),
            5 => {
                let words = text().unwrap_or_default();
                let words =
                    words.split([',', ';', '，', '；']).map(str::trim).filter(|word| !word.is_empty());
                metadata.keywords.extend(words.map(str::to_owned));
            }
            12 => metadata.created = property_time(set, at),
            13 => metadata.modified = property_time(set, at),
            18 => metadata.producer = text(),
            _ => {}
        }
    }
    Some(())
}

fn property_text(set: &[u8], at: usize, code_page: u16) -> Option<String> {
    const NARROW: u32 = 0x1e;
    const WIDE: u32 = 0x1f;
    let length = u32_at(set, at + 4)? as usize;
    if length > MAX_PROPERTY_BYTES {
        return None;
    }
    let text = match u32_at(set, at)? {
        NARROW if code_page == 1200 => {
            encoding_rs::UTF_16LE.decode_without_bom_handling(set.get(at + 8..at + 8 + length)?).0
        }
        NARROW => encoding(code_page).decode_without_bom_handling(set.get(at + 8..at + 8 + length)?).0,
        WIDE => encoding_rs::UTF_16LE.decode_without_bom_handling(set.get(at + 8..at + 8 + length * 2)?).0,
        _ => return None,
    };
    let text = text.trim_end_matches('\0').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A time in tenths of microseconds since 1601.
fn property_time(set: &[u8], at: usize) -> Option<String> {
    const TIME: u32 = 0x40;
    const SECONDS_TO_1970: i64 = 11_644_473_600;
    if u32_at(set, at)? != TIME {
        return None;
    }
    let ticks = u64::from(u32_at(set, at + 4)?) | u64::from(u32_at(set, at + 8)?) << 32;
    let seconds = i64::try_from(ticks / 10_000_000).ok()? - SECONDS_TO_1970;
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).ok().filter(|_| seconds > 0)?;
    time.format(&time::format_description::well_known::Rfc3339).ok()
}

/// The encoding of a Windows code page; the western one for those that are not known.
pub(super) fn encoding(code_page: u16) -> &'static encoding_rs::Encoding {
    match code_page {
        874 => encoding_rs::WINDOWS_874,
        932 => encoding_rs::SHIFT_JIS,
        936 | 54936 => encoding_rs::GB18030,
        949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        1250 => encoding_rs::WINDOWS_1250,
        1251 => encoding_rs::WINDOWS_1251,
        1253 => encoding_rs::WINDOWS_1253,
        1254 => encoding_rs::WINDOWS_1254,
        1255 => encoding_rs::WINDOWS_1255,
        1256 => encoding_rs::WINDOWS_1256,
        1257 => encoding_rs::WINDOWS_1257,
        1258 => encoding_rs::WINDOWS_1258,
        866 => encoding_rs::IBM866,
        10000 => encoding_rs::MACINTOSH,
        20866 => encoding_rs::KOI8_R,
        65001 => encoding_rs::UTF_8,
        _ => encoding_rs::WINDOWS_1252,
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}
