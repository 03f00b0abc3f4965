//! Just enough of a Rust lexer to tell code from comments, strings and character literals.

/// A source text taken apart. Line numbers count from 1.
pub struct Lexed {
    /// The text with every character inside comments, strings and character literals replaced by a space. Quotes and
    /// line breaks stay, so that a line of `code` is the same line of the source.
    pub code: String,
    /// Every string literal: the line that it starts on, and what stands between its quotes.
    pub strings: Vec<(usize, String)>,
}

pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        characters: text.chars().collect(),
        at: 0,
        line: 1,
        code: String::new(),
        strings: Vec::new(),
    };
    lexer.run();
    Lexed { code: lexer.code, strings: lexer.strings }
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    line: usize,
    code: String,
    strings: Vec<(usize, String)>,
}

impl Lexer {
    fn run(&mut self) {
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(),
                ('\'', _) => self.quote(),
                ('r', Some('"' | '#')) if !self.after_word() => self.raw_string(),
                ('b' | 'c', Some('r')) if !self.after_word() => {
                    self.keep();
                    self.raw_string();
                }
                _ => self.keep(),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn after_word(&self) -> bool {
        self.at.checked_sub(1).is_some_and(|before| is_word(self.characters[before]))
    }

    /// Copies a character.
    fn keep(&mut self) {
        self.emit(|character| character);
    }

    /// Replaces a character by a space.
    fn blank(&mut self) {
        self.emit(|_| ' ');
    }

    fn emit(&mut self, shown: impl Fn(char) -> char) {
        let character = self.characters[self.at];
        self.at += 1;
        if character == '\n' {
            self.line += 1;
            self.code.push('\n');
        } else {
            self.code.push(shown(character));
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|character| character != '\n') {
            self.blank();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.peek(0).is_some() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                _ => {
                    self.blank();
                    continue;
                }
            }
            self.blank();
            self.blank();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        let (line, start) = (self.line, self.at + 1);
        self.keep();
        while let Some(character) = self.peek(0).filter(|character| *character != '"') {
            self.blank();
            if character == '\\' && self.peek(0).is_some() {
                self.blank();
            }
        }
        self.end_string(line, start);
    }

    /// `r"..."` or `r#"..."#`; also a raw identifier (`r#type`), which is code.
    fn raw_string(&mut self) {
        let line = self.line;
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        if self.peek(hashes + 1) != Some('"') {
            self.keep();
            return;
        }
        (0..hashes + 2).for_each(|_| self.keep());
        let start = self.at;
        while let Some(character) = self.peek(0) {
            if character == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                break;
            }
            self.blank();
        }
        self.end_string(line, start);
    }

    fn end_string(&mut self, line: usize, start: usize) {
        self.strings.push((line, self.characters[start..self.at].iter().collect()));
        if self.peek(0).is_some() {
            self.keep();
        }
    }

    /// A character literal, or the start of a lifetime or label.
    fn quote(&mut self) {
        let is_escape = self.peek(1) == Some('\\');
        let is_literal = is_escape || (self.peek(2) == Some('\'') && self.peek(1) != Some('\''));
        self.keep();
        if !is_literal {
            return;
        }
        if is_escape {
            self.blank();
        }
        self.blank();
        while self.peek(0).is_some_and(|character| character != '\'') {
            self.blank();
        }
        if self.peek(0).is_some() {
            self.keep();
        }
    }
}

pub fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The 1-based line of a byte offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// The offset just past the item that starts at `from`: its `;`, or the `}` that closes its first `{`. Parentheses and
/// brackets are stepped over, so that the `;` of `[u8; 4]` in a signature ends nothing.
pub fn end_of_item(code: &str, from: usize) -> usize {
    let (mut nested, mut braces) = (0_usize, 0_usize);
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested = nested.saturating_sub(1),
            b';' if nested == 0 && braces == 0 => return offset + 1,
            b'{' => braces += 1,
            b'}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return offset + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_blanked_and_lines_stay() {
        let cases = [
            ("a // .unwrap()\nb", "a             \nb"),
            ("a /* x /* y */ z\n */ b", "a               \n    b"),
            (r#"f("say \" {") }"#, r#"f("        ") }"#),
            (r##"r#"a " b"# c"##, r##"r#"     "# c"##),
            ("br\"x\" c\"y\"", "br\" \" c\" \""),
            ("let c = '\"'; '{' '\\'' '\\u{1F600}'", "let c = ' '; ' ' '  ' '         '"),
            ("fn f<'a>(x: &'a str) { 'outer: loop {} }", "fn f<'a>(x: &'a str) { 'outer: loop {} }"),
            ("r#type for\"x\"", "r#type for\" \""),
        ];
        for (source, code) in cases {
            assert_eq!(lex(source).code, code, "{source}");
        }
    }

    #[test]
    fn string_literals_are_listed_with_their_lines() {
        let lexed = lex("a(\"one\")\nb(r#\"two \"x\" \"#)\n// \"three\"");
        assert_eq!(lexed.strings, [(1, "one".to_owned()), (2, "two \"x\" ".to_owned())]);
    }

    #[test]
    fn an_item_ends_at_its_semicolon_or_closing_brace() {
        let cases = [
            ("mod tests; fn", "mod tests;"),
            (
                "fn f(x: [u8; 4]) -> u8 { if x { 1 } else { 2 } } fn g",
                "fn f(x: [u8; 4]) -> u8 { if x { 1 } else { 2 } }",
            ),
            ("fn open {", "fn open {"),
        ];
        for (code, item) in cases {
            assert_eq!(&code[..end_of_item(code, 0)], item);
        }
    }
}
