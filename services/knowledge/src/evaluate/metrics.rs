//! How well a ranking found what is relevant. Every function takes positions of documents, best first, without
//! repetitions.

use std::collections::HashSet;

use serde::Serialize;

/// Length of ranking that is looked at.
pub const DEPTH: usize = 10;

/// Measures of one ranking, or their means over a set: shares from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Metrics {
    #[serde(rename = "recall@5")]
    pub recall_at_5: f64,
    #[serde(rename = "recall@10")]
    pub recall_at_10: f64,
    #[serde(rename = "mrr@10")]
    pub mrr_at_10: f64,
    #[serde(rename = "ndcg@10")]
    pub ndcg_at_10: f64,
}

impl Metrics {
    /// All measures of one ranking.
    pub fn of(ranking: &[usize], relevant: &HashSet<usize>) -> Self {
        Self {
            recall_at_5: recall(ranking, relevant, 5),
            recall_at_10: recall(ranking, relevant, DEPTH),
            mrr_at_10: reciprocal_rank(ranking, relevant, DEPTH),
            ndcg_at_10: ndcg(ranking, relevant, DEPTH),
        }
    }

    /// The mean of each measure; all 0 for no rankings.
    pub fn mean(all: &[Self]) -> Self {
        let mean = |value: fn(&Self) -> f64| {
            if all.is_empty() { 0.0 } else { all.iter().map(value).sum::<f64>() / all.len() as f64 }
        };
        Self {
            recall_at_5: mean(|one| one.recall_at_5),
            recall_at_10: mean(|one| one.recall_at_10),
            mrr_at_10: mean(|one| one.mrr_at_10),
            ndcg_at_10: mean(|one| one.ndcg_at_10),
        }
    }
}

/// Capped recall: relevant documents among the first `k`, of as many as could be there (`min(relevant, k)`).
pub fn recall(ranking: &[usize], relevant: &HashSet<usize>, k: usize) -> f64 {
    let possible = relevant.len().min(k);
    if possible == 0 {
        return 0.0;
    }
    let found = ranking.iter().take(k).filter(|document| relevant.contains(document)).count();
    found as f64 / possible as f64
}

/// 1 / rank of the first relevant document among the first `k`; 0 when there is none.
pub fn reciprocal_rank(ranking: &[usize], relevant: &HashSet<usize>, k: usize) -> f64 {
    ranking
        .iter()
        .take(k)
        .position(|document| relevant.contains(document))
        .map_or(0.0, |position| 1.0 / (position + 1) as f64)
}

/// Normalised discounted cumulative gain with gains of 0 and 1 and the discount `1 / log2(rank + 1)`
/// (Järvelin and Kekäläinen 2002).
pub fn ndcg(ranking: &[usize], relevant: &HashSet<usize>, k: usize) -> f64 {
    let discount = |position: usize| 1.0 / ((position + 2) as f64).log2();
    let best: f64 = (0..relevant.len().min(k)).map(discount).sum();
    if best == 0.0 {
        return 0.0;
    }
    let gained: f64 = ranking
        .iter()
        .take(k)
        .enumerate()
        .filter(|(_, document)| relevant.contains(document))
        .map(|(position, _)| discount(position))
        .sum();
    gained / best
}

/// Mean of the differences and the half width of its 95 % interval (normal, from the differences' own spread).
pub fn paired_difference(differences: &[f64]) -> (f64, f64) {
    /// The 97.5 % point of the normal distribution.
    const Z: f64 = 1.959_964;
    let count = differences.len() as f64;
    if differences.len() < 2 {
        return (differences.first().copied().unwrap_or(0.0), 0.0);
    }
    let mean = differences.iter().sum::<f64>() / count;
    let variance =
        differences.iter().map(|difference| (difference - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, Z * (variance / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranking, relevant documents, then recall@5, recall@10, MRR@10 and nDCG@10 by hand.
    #[test]
    fn measures_are_those_computed_by_hand() {
        let log2 = |rank: f64| (rank + 1.0).log2();
        let eleven: Vec<usize> = (0..11).collect();
        type Case<'a> = (&'a str, &'a [usize], Vec<usize>, [f64; 4]);
        let table: [Case<'_>; 7] = [
            ("first", &[7, 1, 2], vec![7], [1.0, 1.0, 1.0, 1.0]),
            ("third", &[1, 2, 7], vec![7], [1.0, 1.0, 1.0 / 3.0, 1.0 / log2(3.0)]),
            ("seventh", &[0, 1, 2, 3, 4, 5, 7], vec![7], [0.0, 1.0, 1.0 / 7.0, 1.0 / log2(7.0)]),
            ("missing", &[1, 2, 3], vec![7], [0.0, 0.0, 0.0, 0.0]),
            ("beyond", &eleven, vec![10], [0.0, 0.0, 0.0, 0.0]),
            (
                "one of two",
                &[1, 7, 3],
                vec![7, 8],
                [0.5, 0.5, 0.5, (1.0 / log2(2.0)) / (1.0 + 1.0 / log2(2.0))],
            ),
            (
                "capped",
                &[0, 1, 2, 3, 4, 20, 21, 22, 23, 24],
                (0..6).collect(),
                [1.0, 5.0 / 6.0, 1.0, {
                    let first_five: f64 = (1..=5).map(|rank| 1.0 / log2(f64::from(rank))).sum();
                    first_five / (first_five + 1.0 / log2(6.0))
                }],
            ),
        ];
        for (name, ranking, relevant, [recall_5, recall_10, mrr, ndcg]) in table {
            let found = Metrics::of(ranking, &relevant.into_iter().collect());
            for (measure, value, expected) in [
                ("recall@5", found.recall_at_5, recall_5),
                ("recall@10", found.recall_at_10, recall_10),
                ("mrr@10", found.mrr_at_10, mrr),
                ("ndcg@10", found.ndcg_at_10, ndcg),
            ] {
                assert!((value - expected).abs() < 1e-12, "{name}, {measure}: {value} instead of {expected}");
            }
        }
    }

    #[test]
    fn nothing_relevant_counts_as_nothing_found() {
        assert_eq!(Metrics::of(&[1, 2], &HashSet::new()), Metrics::default());
        assert_eq!(Metrics::mean(&[]), Metrics::default());
    }

    #[test]
    fn the_interval_is_that_of_the_normal_distribution() {
        // Mean 0.5, standard deviation sqrt(1/3), of four.
        let (mean, half) = paired_difference(&[0.0, 1.0, 0.0, 1.0]);
        assert!((mean - 0.5).abs() < 1e-12);
        assert!((half - 1.959_964 * (1.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-9);
        assert_eq!(paired_difference(&[]), (0.0, 0.0));
        assert_eq!(paired_difference(&[0.2, 0.2]).1, 0.0);
    }
}
