//! Where a JSON value ends in streamed text.

/// Follows brackets and strings; it does not check the value.
#[derive(Debug, Default)]
pub(super) struct JsonScanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Bytes looked at.
    position: usize,
}

impl JsonScanner {
    /// The end of the first object or array of `text`, which begins with what was seen before.
    pub(super) fn end(&mut self, text: &str) -> Option<usize> {
        for &byte in &text.as_bytes()[self.position..] {
            self.position += 1;
            match byte {
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
