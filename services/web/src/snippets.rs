//! The part of a text where what was searched for stands.

use anwen_contract::knowledge::SnippetPart;
use anwen_text::normalize;

/// Characters before the first match, and after it, that a snippet shows.
const CONTEXT_CHARS: usize = 60;

/// The surroundings of the first place where `words` stand in `text`, in any spelling, with what matches marked. Without
/// such a place, the beginning of the text.
pub fn snippet(text: &str, words: &str) -> Vec<SnippetPart> {
    let characters: Vec<char> = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let found = find(&characters, &normalize(words));
    let (start, end) = found.unwrap_or((0, 0));
    let from = start.saturating_sub(CONTEXT_CHARS);
    let to = (end + CONTEXT_CHARS).min(characters.len());
    let part = |range: std::ops::Range<usize>, matched: bool| SnippetPart {
        text: characters[range].iter().collect(),
        matched,
    };
    let parts = [part(from..start, false), part(start..end, true), part(end..to, false)];
    parts.into_iter().filter(|part| !part.text.is_empty()).collect()
}

/// The first place, in characters, whose normal form is `wanted`.
fn find(characters: &[char], wanted: &str) -> Option<(usize, usize)> {
    if wanted.is_empty() {
        return None;
    }
    // Normal forms may be longer or shorter than what they are of: each byte of the normal text knows the character
    // that it comes from.
    let (mut normal, mut origin) = (String::new(), Vec::new());
    for (at, c) in characters.iter().enumerate() {
        normal.push_str(&normalize(c.encode_utf8(&mut [0; 4])));
        origin.resize(normal.len(), at);
    }
    let start = normal.find(wanted)?;
    Some((*origin.get(start)?, *origin.get(start + wanted.len() - 1)? + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, words: &str) -> String {
        let show = |part: SnippetPart| if part.matched { format!("[{}]", part.text) } else { part.text };
        snippet(text, words).into_iter().map(show).collect()
    }

    #[test]
    fn the_match_is_marked_in_the_spelling_of_the_text() {
        assert_eq!(shown("The Annual Leave policy", "annual leave"), "The [Annual Leave] policy");
        assert_eq!(shown("员工的電腦要登记", "电脑"), "员工的[電腦]要登记");
        assert_eq!(shown("no match here", "xyz"), "no match here");
        assert_eq!(shown("", "x"), "");
    }

    #[test]
    fn a_long_text_is_cut_around_the_match() {
        let text = format!("{}needle{}", "a".repeat(500), "b".repeat(500));
        let shown = shown(&text, "needle");
        assert!(shown.contains("a[needle]b") && shown.chars().count() <= 2 * CONTEXT_CHARS + 8, "{shown}");
    }
}
