//! Stop sequences in streamed text.

/// Passes text on up to the first stop sequence, holding back what may be the beginning of one.
#[derive(Debug)]
pub struct StopFilter {
    sequences: Vec<String>,
    held: String,
    stopped: bool,
}

impl StopFilter {
    pub fn new(sequences: Vec<String>) -> Self {
        let sequences = sequences.into_iter().filter(|sequence| !sequence.is_empty()).collect();
        Self { sequences, held: String::new(), stopped: false }
    }

    /// What can be passed on now that `text` has come.
    pub fn push(&mut self, text: &str) -> String {
        if self.stopped {
            return String::new();
        }
        if self.sequences.is_empty() {
            return text.to_owned();
        }
        self.held.push_str(text);
        let first = self.sequences.iter().filter_map(|sequence| self.held.find(sequence.as_str())).min();
        if let Some(at) = first {
            self.stopped = true;
            self.held.truncate(at);
            return std::mem::take(&mut self.held);
        }
        let keep = self.longest_beginning_at_end();
        let rest = self.held.split_off(self.held.len() - keep);
        std::mem::replace(&mut self.held, rest)
    }

    /// What was held back when no more text comes.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Whether a stop sequence has come.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Bytes at the end of the held text that a stop sequence begins with.
    fn longest_beginning_at_end(&self) -> usize {
        let beginning_of = |sequence: &String| {
            (1..sequence.len())
                .rev()
                .find(|&length| sequence.is_char_boundary(length) && self.held.ends_with(&sequence[..length]))
        };
        self.sequences.iter().filter_map(beginning_of).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(sequences: &[&str], parts: &[&str]) -> (Vec<String>, bool) {
        let mut filter = StopFilter::new(sequences.iter().map(|sequence| (*sequence).to_owned()).collect());
        let mut passed: Vec<String> = parts.iter().map(|part| filter.push(part)).collect();
        passed.push(filter.finish());
        (passed, filter.stopped())
    }

    #[test]
    fn text_ends_before_the_stop_sequence_however_it_is_cut() {
        for (sequences, parts, expected, stopped) in [
            (vec!["END"], vec!["a END b"], "a ", true),
            (vec!["END"], vec!["a E", "N", "D b", "c"], "a ", true),
            (vec!["END"], vec!["a E", "N", "X"], "a ENX", false),
            (vec!["END"], vec!["a EN"], "a EN", false),
            (vec!["。", "b"], vec!["好", "。", "坏"], "好", true),
            (vec!["aab"], vec!["aa", "ab"], "a", true),
            (vec![""], vec!["x"], "x", false),
            (vec![], vec!["x", "y"], "xy", false),
        ] {
            let (passed, did_stop) = filtered(&sequences, &parts);
            assert_eq!((passed.concat().as_str(), did_stop), (expected, stopped), "{sequences:?} {parts:?}");
        }
    }

    #[test]
    fn text_that_cannot_begin_a_stop_sequence_is_passed_on_at_once() {
        let (passed, _) = filtered(&["END"], &["abc", "E", "xyz"]);
        assert_eq!(passed, ["abc", "", "Exyz", ""]);
    }
}
