//! A count of tokens that errs on the high side, for models whose tokenizer is elsewhere.

use anwen_text::is_han;

/// Other characters than Han that make a token: current tokenizers take 3.5 to 4.5 of English text.
const CHARS_PER_TOKEN: usize = 3;

/// About how many tokens a text takes: a Han character one, three other characters one.
pub fn estimate(text: &str) -> u32 {
    let (mut han, mut other) = (0usize, 0usize);
    for c in text.chars() {
        if is_han(c) { han += 1 } else { other += 1 }
    }
    u32::try_from(han + other.div_ceil(CHARS_PER_TOKEN)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scripts_are_counted() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("年假天数"), 4);
        assert_eq!(estimate("leave policy"), 4);
    }
}
