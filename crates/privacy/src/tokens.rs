//! Keys and tokens that say by their beginning what they are.

/// A published shape of a token.
pub(crate) struct Shape {
    pub prefix: &'static str,
    /// How many characters follow the prefix.
    pub min: usize,
    pub max: usize,
    pub alphabet: Alphabet,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Letters and digits.
    Plain,
    Upper,
    Hex,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Those and dots.
    Dotted,
}

impl Alphabet {
    pub fn has(self, character: char) -> bool {
        match self {
            Self::Plain => character.is_ascii_alphanumeric(),
            Self::Upper => character.is_ascii_uppercase() || character.is_ascii_digit(),
            Self::Hex => character.is_ascii_hexdigit(),
            Self::Url => character.is_ascii_alphanumeric() || "-_".contains(character),
            Self::Dotted => character.is_ascii_alphanumeric() || "-_.".contains(character),
        }
    }
}

const fn shape(prefix: &'static str, min: usize, max: usize, alphabet: Alphabet) -> Shape {
    Shape { prefix, min, max, alphabet }
}

/// From the documentation of the services that give them out.
pub(crate) const SHAPES: [Shape; 38] = [
    shape("AKIA", 16, 16, Alphabet::Upper),
    shape("ASIA", 16, 16, Alphabet::Upper),
    shape("LTAI", 12, 26, Alphabet::Plain),
    shape("AKID", 13, 40, Alphabet::Plain),
    shape("AIza", 35, 35, Alphabet::Url),
    shape("GOCSPX-", 20, 40, Alphabet::Url),
    shape("ya29.", 20, 512, Alphabet::Url),
    shape("ghp_", 36, 255, Alphabet::Plain),
    shape("gho_", 36, 255, Alphabet::Plain),
    shape("ghu_", 36, 255, Alphabet::Plain),
    shape("ghs_", 36, 255, Alphabet::Plain),
    shape("ghr_", 36, 255, Alphabet::Plain),
    shape("github_pat_", 22, 255, Alphabet::Url),
    shape("glpat-", 20, 64, Alphabet::Url),
    shape("xoxb-", 20, 255, Alphabet::Url),
    shape("xoxp-", 20, 255, Alphabet::Url),
    shape("xoxa-", 20, 255, Alphabet::Url),
    shape("xoxs-", 20, 255, Alphabet::Url),
    shape("xapp-", 20, 255, Alphabet::Url),
    shape("sk_live_", 16, 255, Alphabet::Plain),
    shape("sk_test_", 16, 255, Alphabet::Plain),
    shape("rk_live_", 16, 255, Alphabet::Plain),
    shape("whsec_", 24, 255, Alphabet::Plain),
    shape("sk-ant-", 20, 255, Alphabet::Url),
    shape("sk-proj-", 20, 255, Alphabet::Url),
    shape("sk-", 32, 255, Alphabet::Url),
    shape("hf_", 30, 64, Alphabet::Plain),
    shape("npm_", 36, 36, Alphabet::Plain),
    shape("pypi-", 40, 255, Alphabet::Url),
    shape("dop_v1_", 64, 64, Alphabet::Hex),
    shape("shpat_", 32, 32, Alphabet::Hex),
    shape("SG.", 40, 80, Alphabet::Dotted),
    shape("EAACEdEose0cBA", 10, 255, Alphabet::Plain),
    shape("ATATT3", 40, 255, Alphabet::Url),
    shape("dckr_pat_", 20, 64, Alphabet::Url),
    shape("hvs.", 24, 255, Alphabet::Url),
    // Our own API keys.
    shape("ak_", 24, 128, Alphabet::Url),
    shape("AGE-SECRET-KEY-1", 58, 58, Alphabet::Upper),
];
