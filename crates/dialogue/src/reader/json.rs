//! Where a JSON value ends in streamed text.

/// Follows brackets and strings; it does not check the value.
#[derive(Debug, Default)]
pub(super) struct JsonScanner {
    depth: usize,
    /// A name stands before the value: then only an object is one, since brackets may be marks.
    named: Option<bool>,
    in_string: bool,
    escaped: bool,
    /// Bytes looked at.
    position: usize,
}

impl JsonScanner {
    /// For a value behind anything but brackets.
    pub(super) fn behind_words() -> Self {
        Self { named: Some(false), ..Self::default() }
    }

    /// The end of the first object or array of `text`, which begins with what was seen before.
    pub(super) fn end(&mut self, text: &str) -> Option<usize> {
        for &byte in &text.as_bytes()[self.position..] {
            self.position += 1;
            if self.named.is_none() && !byte.is_ascii_whitespace() {
                self.named = Some(!matches!(byte, b'{' | b'['));
            }
            match byte {
                b'[' | b']' if self.depth == 0 && self.named == Some(true) => {}
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' if self.depth > 0 => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(self.position);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether `text` has an object or array that is not over.
pub(super) fn is_open(text: &str) -> bool {
    let mut scanner = JsonScanner::default();
    scanner.end(text).is_none() && scanner.depth > 0
}
