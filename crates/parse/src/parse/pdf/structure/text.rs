//! Text strings of a PDF (ISO 32000-1, 7.9.2.2), and what some programs write in their place.

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};
use hayro_interpret::hayro_syntax::object::{self, Dict};

use crate::clean;

/// Longer titles and names are cut (characters).
const MAX_VALUE_CHARACTERS: usize = 500;

/// A value on one line, normalised and cut; `None` when there is none or it is empty.
pub(super) fn line(dictionary: &Dict<'_>, key: &[u8]) -> Option<String> {
    one_line(&dictionary.get::<object::String<'_>>(key)?)
}

pub(super) fn one_line(bytes: &[u8]) -> Option<String> {
    let text = clean::normalise(&decode(bytes));
    let text: String =
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_VALUE_CHARACTERS).collect();
    (!text.is_empty()).then_some(text)
}

/// UTF-16 and UTF-8 by their marks; else PDFDocEncoding, unless the bytes are plainly UTF-8 or GB18030, which the
/// standard does not allow and programs write.
pub(in crate::parse::pdf) fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        [0xff, 0xfe, rest @ ..] => UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ if bytes.is_ascii() => bytes.iter().map(|&byte| from_document_encoding(byte)).collect(),
        _ => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                return text.to_owned();
            }
            let (text, has_errors) = GB18030.decode_without_bom_handling(bytes);
            let is_chinese =
                |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c) || c.is_ascii() || clean::is_wide(c);
            if !has_errors && text.chars().all(is_chinese) {
                return text.into_owned();
            }
            bytes.iter().map(|&byte| from_document_encoding(byte)).collect()
        }
    }
}

/// PDFDocEncoding (ISO 32000-1, annex D.3): Latin-1 but for two ranges.
fn from_document_encoding(byte: u8) -> char {
    const LOW: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    const HIGH: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ',
        'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x18..=0x1f => LOW[usize::from(byte - 0x18)],
        0x80..=0xa0 => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_in_the_encodings_that_programs_write() {
        for (bytes, text) in [
            (b"plain \x8dquoted\x8e".as_slice(), "plain “quoted”"),
            (b"caf\xe9".as_slice(), "café"),
            (b"\xfe\xff\x54\x58\x5d\xe5".as_slice(), "员工"),
            (b"\xff\xfe\x58\x54\xe5\x5d".as_slice(), "员工"),
            ("\u{feff}手册".as_bytes(), "手册"),
            ("手册".as_bytes(), "手册"),
            (b"\xca\xd6\xb2\xe1".as_slice(), "手册"),
        ] {
            assert_eq!(decode(bytes), text, "{bytes:x?}");
        }
    }
}
