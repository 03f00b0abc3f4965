//! The tokens of rich text.

/// Longer control words are damage.
const MAX_WORD_BYTES: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// `\par`, `\u8364`.
    Word(&'a str, Option<i32>),
    /// `\~`, `\*`.
    Symbol(u8),
    /// A byte of text, in the encoding of its font: as it is, or as `\'xx`.
    Byte(u8),
}

pub(super) struct Tokens<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let rest = &self.data[self.at..];
        let letters = rest.iter().take(MAX_WORD_BYTES).take_while(|byte| byte.is_ascii_alphabetic()).count();
        if letters == 0 {
            let &symbol = rest.first()?;
            self.at += 1;
            if symbol != b'\'' {
                return Some(match symbol {
                    b'\n' | b'\r' => Token::Word("par", None),
                    b'\t' => Token::Word("tab", None),
                    _ => Token::Symbol(symbol),
                });
            }
            let digits = rest.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            self.at += if byte.is_some() { 2 } else { 0 };
            return Some(Token::Byte(byte.unwrap_or(b'?')));
        }
        let word = std::str::from_utf8(&rest[..letters]).ok()?;
        let behind = &rest[letters..];
        let sign = usize::from(behind.first() == Some(&b'-'));
        let digits = behind[sign..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = letters;
        let mut number = None;
        if digits > 0 {
            length += sign + digits;
            number = std::str::from_utf8(&behind[..sign + digits]).ok().and_then(|text| text.parse().ok());
        }
        // One space behind a control word belongs to it.
        length += usize::from(rest.get(length) == Some(&b' '));
        self.at += length;
        if word == "bin" {
            let bytes = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
            self.at = self.at.saturating_add(bytes).min(self.data.len());
        }
        Some(Token::Word(word, number))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let &byte = self.data.get(self.at)?;
            self.at += 1;
            return Some(match byte {
                b'{' => Token::Open,
                b'}' => Token::Close,
                b'\\' => return self.control(),
                b'\r' | b'\n' | 0 => continue,
                byte => Token::Byte(byte),
            });
        }
    }
}
