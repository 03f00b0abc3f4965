//! Bytes to characters, whatever encoding they are in.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::document::{ParsedDocument, warning};

/// How much of a file is looked at to guess its encoding, and to tell text from other data.
const SAMPLE_BYTES: usize = 256 * 1024;
/// A file is text when no more than one in so many of its bytes is a control character that text does not hold.
const TEXT_PER_CONTROL_BYTE: usize = 200;

/// Text made of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// IANA name.
    pub(super) encoding: &'static str,
    /// Some bytes have no meaning in the encoding and became U+FFFD.
    pub(super) replaced: bool,
    /// The file does not say its encoding, and it is not UTF-8.
    pub(super) guessed: bool,
}

impl Decoded {
    /// Notes on the document what the decoding did.
    pub(super) fn report(&self, document: &mut ParsedDocument) {
        document.metadata.encoding = Some(self.encoding.to_owned());
        if self.replaced {
            document.warn(
                warning::INVALID_ENCODING,
                format!("some bytes are not valid {} and were replaced", self.encoding),
            );
        }
        if self.guessed {
            document.warn(
                warning::ENCODING_GUESSED,
                format!("the text is not in UTF-8; it was read as {}", self.encoding),
            );
        }
    }
}

/// Decodes by byte order mark, as UTF-8, as UTF-16 without a mark, as UTF-8 with a few bad bytes, or by a guess from
/// the statistics of legacy encodings (GB18030, Big5, Shift_JIS, EUC-KR, Windows-125x and so on), in this order.
pub(super) fn decode(data: &[u8]) -> Decoded {
    if let Some((encoding, mark_length)) = Encoding::for_bom(data) {
        return decode_as(encoding, &data[mark_length..], false);
    }
    if let Some(encoding) = utf16_without_mark(data) {
        return decode_as(encoding, data, true);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        return Decoded { text: text.to_owned(), encoding: UTF_8.name(), replaced: false, guessed: false };
    }
    if mostly_utf8(data) {
        return decode_as(UTF_8, data, false);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&data[..data.len().min(SAMPLE_BYTES)], true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    // GB18030 contains GBK and is what files that claim GBK are in.
    let encoding = if encoding == encoding_rs::GBK { encoding_rs::GB18030 } else { encoding };
    decode_as(encoding, data, true)
}

/// Decodes as the file says of itself, unless its bytes say otherwise: a byte order mark, or UTF-8 that is valid.
pub(super) fn decode_declared(data: &[u8], declared: Option<&'static Encoding>) -> Decoded {
    let Some(declared) = declared else { return decode(data) };
    if declared == UTF_8 || Encoding::for_bom(data).is_some() || std::str::from_utf8(data).is_ok() {
        return decode(data);
    }
    // GB18030 contains GBK and is what files that claim GBK are in.
    let declared = if declared == encoding_rs::GBK { encoding_rs::GB18030 } else { declared };
    decode_as(declared, data, false)
}

fn decode_as(encoding: &'static Encoding, data: &[u8], guessed: bool) -> Decoded {
    let (text, replaced) = encoding.decode_without_bom_handling(data);
    Decoded { text: text.into_owned(), encoding: encoding.name(), replaced, guessed }
}

/// Text in UTF-16 has its zero bytes in every second place, as far as it holds Latin letters, digits or line breaks.
fn utf16_without_mark(data: &[u8]) -> Option<&'static Encoding> {
    let sample = &data[..data.len().min(SAMPLE_BYTES) & !1];
    if sample.len() < 8 {
        return None;
    }
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let enough = sample.len() / 20;
    if odd > enough && even * 20 < odd {
        Some(UTF_16LE)
    } else if even > enough && odd * 20 < even {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Whether the data is UTF-8 with a few mistakes: at least four good multi-byte characters for each bad sequence.
fn mostly_utf8(data: &[u8]) -> bool {
    let mut good = 0usize;
    let mut bad = 0usize;
    for chunk in data.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good >= bad * 4
}

/// Whether the data is text in some encoding, and not a picture, a program or an archive.
pub(super) fn looks_like_text(data: &[u8]) -> bool {
    if Encoding::for_bom(data).is_some() || utf16_without_mark(data).is_some() {
        return true;
    }
    let sample = &data[..data.len().min(SAMPLE_BYTES)];
    let odd = sample
        .iter()
        .filter(|&&byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x08))
        .count();
    odd * TEXT_PER_CONTROL_BYTE <= sample.len()
        && (odd == 0 || !sample.contains(&0) || sample.len() > TEXT_PER_CONTROL_BYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHINESE: &str = "员工手册规定，每年享有带薪年假五天。公司的安全制度要求所有访客在前台登记，并由接待人员陪同进入办公区域。";

    #[test]
    fn reads_the_encodings_that_files_come_in() {
        let latin = "Le café est près de la forêt, où l'été dure déjà depuis bien longtemps à Orléans.";
        let japanese = "これは日本語の文書です。会社の規則について説明します。休暇は年に二十日です。";
        let traditional = "員工手冊規定，每年享有帶薪年假五天。公司的安全制度要求所有訪客在前台登記，並由接待人員陪同進入辦公區域。";
        let utf16le: Vec<u8> = "plain text in UTF-16".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut utf16be_with_mark = vec![0xfe, 0xff];
        utf16be_with_mark.extend(CHINESE.encode_utf16().flat_map(u16::to_be_bytes));
        for (data, text, encoding, guessed) in [
            (CHINESE.as_bytes().to_vec(), CHINESE, "UTF-8", false),
            ([b"\xef\xbb\xbf", CHINESE.as_bytes()].concat(), CHINESE, "UTF-8", false),
            (encoding_rs::GB18030.encode(CHINESE).0.into_owned(), CHINESE, "gb18030", true),
            (encoding_rs::BIG5.encode(traditional).0.into_owned(), traditional, "Big5", true),
            (encoding_rs::SHIFT_JIS.encode(japanese).0.into_owned(), japanese, "Shift_JIS", true),
            (encoding_rs::WINDOWS_1252.encode(latin).0.into_owned(), latin, "windows-1252", true),
            (utf16le, "plain text in UTF-16", "UTF-16LE", true),
            (utf16be_with_mark, CHINESE, "UTF-16BE", false),
        ] {
            let decoded = decode(&data);
            assert_eq!((decoded.text.as_str(), decoded.encoding, decoded.guessed), (text, encoding, guessed));
            assert!(!decoded.replaced, "{encoding}");
        }
    }

    #[test]
    fn a_few_bad_bytes_in_utf8_are_replaced_and_reported() {
        let mut data = CHINESE.as_bytes().to_vec();
        data.extend(b"\xff\xfe tail");
        let decoded = decode(&data);
        assert_eq!(decoded.encoding, "UTF-8");
        assert!(decoded.replaced);
        assert!(decoded.text.starts_with(CHINESE) && decoded.text.ends_with(" tail"));
    }
}
