//! The lines of a server-sent event stream, wherever its bytes are cut.
//!
//! The format is the WHATWG HTML standard's, section 9.2; of it only `data` matters here.

/// The most bytes of one line.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// Collects bytes into `data` lines.
#[derive(Default)]
pub struct DataLines {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that hold no line end.
    searched: usize,
}

/// A line is longer than a server may send.
#[derive(Debug, thiserror::Error)]
#[error("a line of the stream has more than {MAX_LINE_BYTES} bytes")]
pub struct LineTooLong;

impl DataLines {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), LineTooLong> {
        self.buffer.extend_from_slice(bytes);
        let last_line = self.buffer.iter().rev().position(|byte| *byte == b'\n').unwrap_or(self.buffer.len());
        if last_line > MAX_LINE_BYTES { Err(LineTooLong) } else { Ok(()) }
    }

    /// The next line's data, if a whole one has come.
    pub fn next(&mut self) -> Option<String> {
        loop {
            let Some(offset) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return None;
            };
            let line: Vec<u8> = self.buffer.drain(..=self.searched + offset).collect();
            self.searched = 0;
            let line = String::from_utf8_lossy(&line);
            if let Some(data) = line.trim_end_matches(['\r', '\n']).strip_prefix("data:") {
                return Some(data.strip_prefix(' ').unwrap_or(data).to_owned());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_wherever_the_bytes_are_cut() {
        let text = "data: {\"a\":1}\r\n\r\n: note\nevent: x\ndata:你好\n\ndata: [DONE]\n";
        for size in 1..text.len() {
            let mut lines = DataLines::default();
            let mut found = Vec::new();
            for part in text.as_bytes().chunks(size) {
                lines.push(part).unwrap();
                found.extend(std::iter::from_fn(|| lines.next()));
            }
            assert_eq!(found, ["{\"a\":1}", "你好", "[DONE]"], "parts of {size}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut lines = DataLines::default();
        assert!(lines.push(&vec![b'x'; MAX_LINE_BYTES]).is_ok());
        assert!(lines.push(b"x").is_err());
    }
}
