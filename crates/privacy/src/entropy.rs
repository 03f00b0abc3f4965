//! Tokens that look random.

/// Lengths of what people keep secret; longer runs are data (pictures, certificates).
const MIN_CHARS: usize = 32;
const MAX_CHARS: usize = 128;
/// Bits a character; base64 of random bytes of 32 characters has about 4.5 on average.
const MIN_BITS: f64 = 4.0;
/// A run of letters of one case longer than this is a word of a name and not chance.
const MAX_WORD_RUN: usize = 7;

/// Whether a run of base64 characters looks like a random key: letters of both cases and digits mixed throughout.
/// Digests (hexadecimal) and UUIDs do not.
pub(crate) fn is_random(characters: &[char]) -> bool {
    if !(MIN_CHARS..=MAX_CHARS).contains(&characters.len()) {
        return false;
    }
    let count = |belongs: fn(&char) -> bool| characters.iter().filter(|one| belongs(one)).count();
    let (upper, lower, digits) =
        (count(char::is_ascii_uppercase), count(char::is_ascii_lowercase), count(char::is_ascii_digit));
    let mixed = upper >= 4 && lower >= 4 && digits >= 3;
    mixed && longest_word(characters) <= MAX_WORD_RUN && bits_per_character(characters) >= MIN_BITS
}

/// The longest run of lower-case letters.
fn longest_word(characters: &[char]) -> usize {
    let (mut longest, mut run) = (0, 0);
    for one in characters {
        run = if one.is_ascii_lowercase() { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Shannon's entropy of the distribution of characters.
fn bits_per_character(characters: &[char]) -> f64 {
    let mut counts = [0u32; 128];
    for one in characters {
        if let Some(count) = counts.get_mut(u32::from(*one) as usize) {
            *count += 1;
        }
    }
    let total = characters.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_keys_are_told_from_names_and_digests() {
        let is = |text: &str| is_random(&text.chars().collect::<Vec<_>>());
        assert!(is("q7Rk2LxV9pZt4WmB8nYc3HsD6fGj1KuA"));
        assert!(is("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ9tLm4p2o"));
        for name in [
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "getUserByIdentifierAndOrganisation2024",
            "ThisIsAVeryLongClassNameForATestCase1",
            "123e4567-e89b-12d3-a456-426614174000",
            "aaaaaaaaaaaaaaaaAAAAAAAAAAAAAAAA1111",
            "q7Rk2LxV9pZt",
        ] {
            assert!(!is(name), "{name}");
        }
    }
}
