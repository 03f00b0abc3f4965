//! Names of members, in whatever encoding the archive's maker had.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030};

/// So many of so many characters of a Chinese name are common ones.
const MIN_COMMON_OF_TEN: (usize, usize) = (7, 10);

/// Decodes the names of one archive together: alone, most are too short to tell their encoding. Those that are UTF-8 are
/// taken as that. Chinese Windows writes GBK; that is what is tried first where statistics do not speak for another
/// encoding of East Asia.
pub(super) fn decode_all(names: &[Vec<u8>]) -> Vec<String> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut legacy = Vec::new();
    for name in names.iter().filter(|name| std::str::from_utf8(name).is_err()) {
        detector.feed(name, false);
        detector.feed(b"\n", false);
        legacy.push(name.as_slice());
    }
    detector.feed(b"", true);
    let encoding = choose(detector.guess(None, Utf8Detection::Deny), &legacy);
    names
        .iter()
        .map(|name| match std::str::from_utf8(name) {
            Ok(name) => name.to_owned(),
            Err(_) => encoding.decode_without_bom_handling(name).0.into_owned(),
        })
        .collect()
}

fn choose(guess: &'static Encoding, names: &[&[u8]]) -> &'static Encoding {
    if guess == encoding_rs::GBK || guess != encoding_rs::EUC_KR && names.iter().all(|name| is_chinese(name))
    {
        return GB18030;
    }
    guess
}

/// Whether the name reads without fault as GB18030, and nearly all that is not ASCII in it are of the 3,755 commonest
/// characters, which stand together in that encoding: names in the other encodings of East Asia are spread over it.
fn is_chinese(name: &[u8]) -> bool {
    if GB18030.decode_without_bom_handling(name).1 {
        return false;
    }
    let (mut common, mut all) = (0usize, 0usize);
    let mut rest = name;
    while let Some((&lead, after)) = rest.split_first() {
        rest = after;
        if lead.is_ascii() {
            continue;
        }
        let trail = rest.split_first().map_or(0, |(&trail, after)| {
            rest = after;
            trail
        });
        all += 1;
        common += usize::from((0xb0..=0xd7).contains(&lead) && trail >= 0xa1);
    }
    all > 0 && common * MIN_COMMON_OF_TEN.1 >= all * MIN_COMMON_OF_TEN.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_the_encoding_of_their_maker() {
        for (encoding, name) in [
            (encoding_rs::GBK, "年度安全报告.txt"),
            (encoding_rs::GBK, "合同.pdf"),
            (encoding_rs::BIG5, "員工手冊與安全規定說明書.doc"),
            (encoding_rs::SHIFT_JIS, "会社の規則について説明します.txt"),
            (encoding_rs::WINDOWS_1252, "Übersicht für Käufer.txt"),
        ] {
            let raw = encoding.encode(name).0.into_owned();
            assert_eq!(decode_all(&[b"plain.txt".to_vec(), raw]), ["plain.txt", name], "{}", encoding.name());
        }
    }
}
