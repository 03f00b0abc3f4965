//! Names of members, in whatever encoding the archive's maker had.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030};

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
    let is_east_asian = |encoding: &'static Encoding| {
        [
            encoding_rs::GBK,
            encoding_rs::BIG5,
            encoding_rs::SHIFT_JIS,
            encoding_rs::EUC_KR,
            encoding_rs::EUC_JP,
        ]
        .contains(&encoding)
    };
    if guess == encoding_rs::GBK || !is_east_asian(guess) && names.iter().all(|name| reads_as_chinese(name)) {
        return GB18030;
    }
    guess
}

/// Whether everything that is not ASCII is common Chinese characters when the name is read as GB18030.
fn reads_as_chinese(name: &[u8]) -> bool {
    let (text, damaged) = GB18030.decode_without_bom_handling(name);
    let common =
        |c: char| matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff5e}');
    !damaged && text.chars().filter(|c| !c.is_ascii()).all(common)
}
