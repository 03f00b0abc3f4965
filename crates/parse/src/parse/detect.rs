//! What a file is, by what stands in it. The name decides only between kinds of text that look alike.

mod containers;
mod texts;

use super::encoding;
use super::failure::{FailureCode, ParseFailure};
use super::format::Format;

/// A PDF's header may stand behind other bytes; readers look for it in so many.
const PDF_HEADER_WINDOW: usize = 1024;

/// The format of a file's content.
///
/// # Errors
/// [`FailureCode::EmptyFile`], [`FailureCode::UnsupportedMediaType`] for content that is none of our formats,
/// [`FailureCode::DamagedFile`] for an archive that cannot be opened, [`FailureCode::Encrypted`] for an office document
/// under a password.
pub fn detect(data: &[u8], file_name: &str) -> Result<Format, ParseFailure> {
    if data.is_empty() {
        return Err(ParseFailure::new(FailureCode::EmptyFile, "the file is empty"));
    }
    let head = &data[..data.len().min(PDF_HEADER_WINDOW)];
    // A message or an archive may hold a PDF near its beginning, but then something else stands before it.
    if head.trim_ascii_start().starts_with(b"%PDF-") {
        return Ok(Format::Pdf);
    }
    if data.starts_with(b"PK\x03\x04") || data.starts_with(b"PK\x05\x06") {
        return containers::zip_format(data);
    }
    if data.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return containers::compound_format(data);
    }
    if data.starts_with(b"{\\rtf") {
        return Ok(Format::Rtf);
    }
    if let Some(format) = packed_format(data) {
        return Ok(format);
    }
    let is_text = encoding::looks_like_text(data);
    if !is_text && let Some(format) = picture_format(data) {
        return Ok(format);
    }
    let format = is_text.then(|| texts::text_format(data, file_name));
    if !format.is_some_and(|format| matches!(format, Format::Eml | Format::Mbox | Format::Mhtml))
        && memchr::memmem::find(head, b"%PDF-").is_some()
    {
        return Ok(Format::Pdf);
    }
    let unknown = || infer::get(data).map_or("application/octet-stream", |kind| kind.mime_type());
    format.ok_or_else(|| unsupported(unknown()))
}

/// The refusal of a file that is known and that no parser is for.
pub(super) fn unsupported(what: &str) -> ParseFailure {
    ParseFailure::new(
        FailureCode::UnsupportedMediaType,
        format!(
            "the content is {what}, which cannot be read; save it as PDF, as an office document or as text"
        ),
    )
}

/// Archives and compressed streams that are not ZIP.
fn packed_format(data: &[u8]) -> Option<Format> {
    if data.starts_with(&[0x1f, 0x8b, 8]) {
        Some(Format::Gzip)
    } else if data.len() > 4
        && data.starts_with(b"BZh")
        && data[3].is_ascii_digit()
        && !data[4].is_ascii() | (data[4] == b'1')
    {
        Some(Format::Bzip2)
    } else if data.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        Some(Format::Xz)
    } else if is_tar(data) {
        Some(Format::Tar)
    } else {
        None
    }
}

/// A tar file's first header carries a sum of its own bytes, the field of the sum itself counted as spaces.
pub(super) fn is_tar(data: &[u8]) -> bool {
    const HEADER_BYTES: usize = 512;
    const SUM: std::ops::Range<usize> = 148..156;
    let Some(header) = data.get(..HEADER_BYTES) else { return false };
    let stated = std::str::from_utf8(&header[SUM]).ok().map(|text| text.trim_matches([' ', '\0']));
    let Some(stated) = stated.and_then(|octal| u64::from_str_radix(octal, 8).ok()) else { return false };
    let sum = |(index, &byte): (usize, &u8)| u64::from(if SUM.contains(&index) { b' ' } else { byte });
    stated > 0 && header.iter().enumerate().map(sum).sum::<u64>() == stated
}

fn picture_format(data: &[u8]) -> Option<Format> {
    Format::by_media_type(infer::get(data)?.mime_type())
        .filter(|format| format.family() == super::format::Family::Picture)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
