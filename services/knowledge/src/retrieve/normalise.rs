//! A question as it goes into the indexes.

use unicode_normalization::UnicodeNormalization;

/// `query` in NFKC, without control characters, with single spaces and no space at the ends.
///
/// Case and script stay as they are: the analysis of the lexical index and the embedding model's tokenizer each fold
/// them in their own way, and capitals tell a code (`ISO 9001`) from a word.
pub fn normalise(query: &str) -> String {
    let mut result = String::with_capacity(query.len());
    for character in query.nfkc() {
        if character.is_whitespace() || character.is_control() {
            if !result.is_empty() && !result.ends_with(' ') {
                result.push(' ');
            }
        } else if !is_invisible(character) {
            result.push(character);
        }
    }
    result.truncate(result.trim_end().len());
    result
}

/// Marks of direction and joining that come with copied text and part words that look whole.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{AD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_question_reads_as_it_looks() {
        for (query, expected) in [
            ("  what\tis\r\n ISO 9001?\u{0}", "what is ISO 9001?"),
            ("Ｐ０３００　是什么？", "P0300 是什么?"),
            ("an\u{200B}nual leave", "annual leave"),
            ("電腦", "電腦"),
            (" \n ", ""),
        ] {
            assert_eq!(normalise(query), expected, "{query:?}");
        }
    }
}
