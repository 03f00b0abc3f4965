//! Holds back the beginning of a model's answer until it is clear that it is not the sign for "not found".

use super::prompt::NOT_FOUND_MARKER;

/// What has come out of a model so far, with its beginning held back.
#[derive(Debug, Default)]
pub struct MarkerFilter {
    held: String,
    passed: bool,
}

impl MarkerFilter {
    /// Takes the next piece and gives what may be shown.
    pub fn push(&mut self, piece: &str) -> String {
        if self.passed {
            return piece.to_owned();
        }
        self.held.push_str(piece);
        if could_become_marker(&self.held) {
            return String::new();
        }
        self.passed = true;
        std::mem::take(&mut self.held)
    }

    /// At the end: `None` when the answer was the sign, else what was still held back.
    pub fn finish(self) -> Option<String> {
        if !self.passed && bare(&self.held).starts_with(NOT_FOUND_MARKER) {
            return None;
        }
        Some(self.held)
    }
}

/// The text without what models put around a sign.
fn bare(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || "*`\"'“[".contains(c))
}

fn could_become_marker(text: &str) -> bool {
    let bare = bare(text);
    NOT_FOUND_MARKER.starts_with(bare) || bare.starts_with(NOT_FOUND_MARKER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pieces: &[&str]) -> (String, Option<String>) {
        let mut filter = MarkerFilter::default();
        let shown: String = pieces.iter().map(|piece| filter.push(piece)).collect();
        (shown, filter.finish())
    }

    #[test]
    fn the_sign_is_held_back_however_it_arrives() {
        for pieces in
            [&["NOT_FOUND"][..], &["NOT", "_FO", "UND", "."], &[" **NOT_FOUND**\n", "The passages…"]]
        {
            assert_eq!(run(pieces), (String::new(), None), "{pieces:?}");
        }
    }

    #[test]
    fn any_other_answer_comes_through_whole() {
        for pieces in
            [&["Five", " days [1]."][..], &["N", "othing is said."], &["NOT", " on Sundays."], &["年假"], &[]]
        {
            let (shown, rest) = run(pieces);
            assert_eq!(format!("{shown}{}", rest.unwrap_or_default()), pieces.concat(), "{pieces:?}");
        }
    }
}
