//! One spelling for what readers take to be the same text.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Traditional Chinese characters to simplified ones; everything else stays as it is.
///
/// Character by character with a few words as exceptions, so the result has as many characters as `text`.
pub fn simplify(text: &str) -> String {
    fast2s::convert(text)
}

/// The form in which two texts are compared: NFKC (which folds full-width letters, digits and punctuation,
/// ligatures and circled numbers), lower case, traditional Chinese as simplified.
///
/// For matching only. Offsets into the result are not offsets into `text`.
pub fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed = match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => text.to_lowercase(),
        IsNormalized::No | IsNormalized::Maybe => text.nfkc().collect::<String>().to_lowercase(),
    };
    simplify(&composed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_text_meet() {
        for (spelled, expected) in [
            ("Hello World", "hello world"),
            ("ＧＢ／Ｔ　１９００１", "gb/t 19001"),
            ("（第３章）", "(第3章)"),
            ("電腦軟體", "电脑软体"),
            ("ﬁle №①", "file no1"),
            ("e\u{301}te\u{301}", "été"),
            ("", ""),
        ] {
            assert_eq!(normalize(spelled), expected, "{spelled:?}");
        }
    }

    #[test]
    fn normalizing_twice_changes_nothing() {
        for text in ["Ａ１ 漢字 ﬃ İstanbul", "ΣΊΣΥΦΟΣ", "…！？；"] {
            let once = normalize(text);
            assert_eq!(normalize(&once), once, "{text:?}");
        }
    }
}
