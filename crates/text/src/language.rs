//! Which language a text is in, from its letters alone.

/// The language of a text, as far as the platform treats languages differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    Chinese,
    /// Latin script. Other languages written in it are treated as English is.
    English,
    /// Neither of the two, or too few letters to say.
    Other,
}

impl Language {
    /// ISO 639-1 code; `und` for [`Language::Other`].
    pub fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
            Self::Other => "und",
        }
    }
}

/// A Han character carries about as much as this many Latin letters, so that a Chinese sentence with English
/// product names in it stays Chinese.
const LATIN_LETTERS_PER_HAN: usize = 3;

/// Japanese mixes at least one kana into this many Han characters; Chinese names one at most now and then.
const HAN_PER_KANA: usize = 10;

/// True for ideographs of the main Unicode blocks (radicals and strokes are not words).
pub fn is_han(c: char) -> bool {
    matches!(c,
        '\u{4E00}'..='\u{9FFF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{3005}'..='\u{3007}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' if c.is_alphabetic())
}

/// The language that most of `text`'s letters belong to.
pub fn language(text: &str) -> Language {
    let (mut han, mut kana, mut latin, mut other) = (0usize, 0usize, 0usize, 0usize);
    for c in text.chars() {
        if is_latin(c) {
            latin += 1;
        } else if is_han(c) {
            han += 1;
        } else if matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}') {
            kana += 1;
        } else if c.is_alphabetic() {
            other += 1;
        }
    }
    other += kana;
    if kana > 0 && han < kana.saturating_mul(HAN_PER_KANA) && latin < other {
        return Language::Other;
    }
    let chinese = han * LATIN_LETTERS_PER_HAN;
    if chinese > 0 && chinese >= latin && chinese >= other {
        Language::Chinese
    } else if latin > 0 && latin >= other {
        Language::English
    } else {
        Language::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_decide() {
        for (text, expected) in [
            ("年假有多少天？", Language::Chinese),
            ("如何配置 Kubernetes 集群", Language::Chinese),
            ("How many days of leave?", Language::English),
            ("The word 安问 means ask safely", Language::English),
            ("これは日本語の文章です", Language::Other),
            ("Сколько стоит?", Language::Other),
            ("42 %", Language::Other),
            ("", Language::Other),
        ] {
            assert_eq!(language(text), expected, "{text:?}");
        }
    }
}
