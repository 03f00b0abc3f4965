//! Which texts run through an encoder together.

use std::ops::Range;

/// The order in which texts of these lengths are run, longest first, so that texts of one batch need little padding and
/// the first batch is the one that needs most memory.
pub(super) fn by_length(lengths: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    order
}

/// Cuts texts, whose lengths come longest first, into batches of at most `budget` tokens with the padding. A text longer
/// than the budget is a batch of its own.
pub(super) fn within_budget(lengths: impl IntoIterator<Item = usize>, budget: usize) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut longest = 0;
    for (index, length) in lengths.into_iter().enumerate() {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * longest <= budget => batch.end = index + 1,
            _ => {
                longest = length;
                batches.push(index..index + 1);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_texts_come_first_and_equal_ones_keep_their_order() {
        assert_eq!(by_length(&[3, 9, 3, 12]), [3, 1, 0, 2]);
    }

    #[test]
    fn a_batch_with_its_padding_stays_within_the_budget() {
        assert_eq!(within_budget([10, 9, 4, 4, 1], 20), [0..2, 2..5]);
    }

    #[test]
    fn a_text_beyond_the_budget_runs_alone() {
        assert_eq!(within_budget([50, 2, 2], 10), [0..1, 1..3]);
    }

    #[test]
    fn no_texts_are_no_batches() {
        assert!(within_budget([], 10).is_empty());
    }
}
