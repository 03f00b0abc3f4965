//! Recognised words made text: the widths of punctuation and the sizes of letters are guesses of the recognition, and
//! are brought into line with what stands around them.

use crate::clean::{self, is_wide};

/// Sizes of lines that differ from the body's by no more than this factor are the body's.
const BODY_FACTOR: f32 = 1.2;
/// Sizes further away are one size when neighbours in order differ by no more than this factor.
const SAME_SIZE_FACTOR: f32 = 1.1;

/// The words of one line as they are to be read: ligatures and full-width letters normalised, punctuation beside
/// Chinese characters full-width, punctuation between Latin ones half-width.
pub(super) fn tidy_words(words: &[&str]) -> Vec<String> {
    let mut tidy: Vec<Vec<char>> = words
        .iter()
        .map(|word| clean::normalise(word).chars().filter(|c| !c.is_whitespace()).collect())
        .collect();
    let all: Vec<char> = tidy.iter().flatten().copied().collect();
    let mut place = 0;
    for word in &mut tidy {
        for character in word {
            let before = all[..place].last().copied();
            let after = all.get(place + 1).copied();
            *character = fitting(before, *character, after);
            place += 1;
        }
    }
    tidy.into_iter().map(|word| word.into_iter().collect()).collect()
}

/// Whether a space separates two words of a line.
pub(super) fn is_spaced(before: &str, after: &str) -> bool {
    let wide = |character: Option<char>| character.is_none_or(is_wide);
    !(wide(before.chars().next_back()) || wide(after.chars().next()))
}

fn is_ideograph(character: Option<char>) -> bool {
    character.is_some_and(|c| is_wide(c) && c.is_alphabetic())
}

fn is_latin(character: Option<char>) -> bool {
    character.is_some_and(|c| c.is_alphanumeric() && !is_wide(c))
}

fn fitting(before: Option<char>, character: char, after: Option<char>) -> char {
    let chinese = is_ideograph(before) && !is_latin(after) || is_ideograph(after) && !is_latin(before);
    let latin = is_latin(before) && is_latin(after);
    match character {
        ',' if chinese => '，',
        ';' if chinese => '；',
        ':' if is_ideograph(before) => '：',
        '?' if is_ideograph(before) => '？',
        '!' if is_ideograph(before) => '！',
        '(' if is_ideograph(before) || is_ideograph(after) => '（',
        ')' if is_ideograph(before) || is_ideograph(after) => '）',
        '.' if is_ideograph(before) && after.is_none() => '。',
        '，' if latin => ',',
        '：' if latin => ':',
        '。' if latin => '.',
        _ => character,
    }
}

/// Brings sizes together that are one: `sizes` holds a size and its weight for each line of the document.
pub(super) fn steady_sizes(sizes: &[(f32, usize)]) -> Vec<f32> {
    let Some(body) = weighted_median(sizes.to_vec()) else { return Vec::new() };
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[a].0.total_cmp(&sizes[b].0));
    let is_body = |size: f32| size <= body * BODY_FACTOR && size * BODY_FACTOR >= body;
    let one_size = |&a: &usize, &b: &usize| {
        is_body(sizes[a].0) == is_body(sizes[b].0) && sizes[b].0 <= sizes[a].0 * SAME_SIZE_FACTOR
            || is_body(sizes[a].0) && is_body(sizes[b].0)
    };
    let mut steady = vec![body; sizes.len()];
    for group in order.chunk_by(one_size) {
        if is_body(sizes[group[0]].0) {
            continue;
        }
        let members: Vec<(f32, usize)> = group.iter().map(|&index| sizes[index]).collect();
        let size = weighted_median(members).unwrap_or(body);
        group.iter().for_each(|&index| steady[index] = size);
    }
    steady
}

fn weighted_median(mut sizes: Vec<(f32, usize)>) -> Option<f32> {
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = sizes.iter().map(|(_, weight)| weight).sum::<usize>() / 2;
    let mut seen = 0;
    sizes
        .iter()
        .find(|(_, weight)| {
            seen += weight;
            seen > half
        })
        .or(sizes.last())
        .map(|(size, _)| *size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_takes_the_width_of_its_neighbours() {
        for (words, expected) in [
            (vec!["第", "一", "条", ",", "员工", "应当"], "第一条，员工应当"),
            (vec!["价格", ":", "3,500", "元", "(", "含税", ")", "."], "价格：3,500元（含税）."),
            (vec!["完", "成", "."], "完成。"),
            (vec!["ＡＢＣ", "１２３，４５６"], "ABC123,456"),
            (vec!["Hello,", "world."], "Hello,world."),
            (vec!["见", "3.2", "节"], "见3.2节"),
        ] {
            assert_eq!(tidy_words(&words).concat(), expected, "{words:?}");
        }
    }

    #[test]
    fn spaces_stand_between_latin_words_only() {
        assert!(is_spaced("Annual", "Report"));
        assert!(!is_spaced("员工", "手册"));
        assert!(!is_spaced("员工", "2024"));
        assert!(!is_spaced("", "x"));
    }

    #[test]
    fn sizes_that_waver_become_one_and_headings_stay_larger() {
        let sizes = [(10.2, 40), (9.4, 60), (11.0, 50), (16.4, 10), (17.0, 12), (10.4, 45), (24.0, 6)];
        let steady = steady_sizes(&sizes);
        assert_eq!(steady, [10.4, 10.4, 10.4, 17.0, 17.0, 10.4, 24.0]);
        assert!(steady_sizes(&[]).is_empty());
    }
}
