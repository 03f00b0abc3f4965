//! One score from the ranks of several engines: weighted reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009),
//! `Σ weight / (K + rank)`. Scores of engines are not comparable, ranks are.

use super::Candidate;

/// The constant of the method. 60 is its authors'; theirs were lists of a thousand, these are of ten, where 60 would make
/// the first rank worth hardly more than the tenth.
const K: f32 = 12.0;

/// What the `rank`-th place (from 0) of an engine's list is worth.
pub fn vote(weight: f32, rank: usize) -> f32 {
    weight / (K + 1.0 + rank as f32)
}

/// Brings scores to 0..=1: 1 is the first place with every engine.
pub fn normalise(candidates: &mut [Candidate], total_weight: f32) {
    let best = vote(total_weight, 0);
    if best > 0.0 {
        for candidate in candidates {
            candidate.score /= best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::vote;

    #[test]
    fn two_middling_places_are_worth_more_than_one_first_place() {
        assert!(vote(1.0, 4) + vote(1.0, 4) > vote(1.0, 0));
        assert!(vote(1.0, 0) > vote(1.0, 1));
        assert!(vote(2.0, 3) > vote(1.0, 3));
    }
}
