//! Joining the two rankings.
//!
//! `fused = bm25 / best_bm25 + 0.5 * minmax(cosine)` over the union of both lists, where
//! `minmax(x) = (x - worst) / (best - worst)` over the dense list. A chunk that one list lacks gets 0 from it: its
//! score there is at most the list's worst, which min-max maps to 0 and which is a small part of the best BM25.
//!
//! Measured with the bundled embedding on nine sets in two languages (see `models/training/RESULTS.md`): on a par
//! with the better ranking or above it everywhere, where equal-weight reciprocal-rank fusion loses points whenever
//! words match well.

use std::collections::HashMap;

use anwen_contract::ChunkId;
use anwen_contract::knowledge::{HitScores, RetrieveMode};

use crate::index::ChunkScore;

/// Weight of the dense part.
pub const DENSE_WEIGHT: f32 = 0.5;

/// A chunk with its scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    pub chunk_id: ChunkId,
    pub scores: HitScores,
    /// What the list is ordered by, descending.
    pub score: f32,
}

/// Orders the chunks of the lists as `mode` says. Each list is in descending order of score.
///
/// There is a dense list for each embedding space that was searched: cosines of different models are not on one
/// scale, so each is mapped on its own.
pub fn rank(mode: RetrieveMode, dense: &[Vec<ChunkScore>], lexical: &[ChunkScore]) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = Vec::with_capacity(lexical.len() + dense.iter().map(Vec::len).sum::<usize>());
    let mut positions: HashMap<ChunkId, usize> = HashMap::with_capacity(ranked.capacity());
    let mut entry = |ranked: &mut Vec<Ranked>, chunk_id: ChunkId| {
        *positions.entry(chunk_id).or_insert_with(|| {
            ranked.push(Ranked { chunk_id, scores: HitScores::default(), score: 0.0 });
            ranked.len() - 1
        })
    };
    let best_bm25 = lexical.first().map_or(0.0, |best| best.score);
    for found in lexical {
        let at = entry(&mut ranked, found.chunk_id);
        ranked[at].scores.lexical = Some(found.score);
        ranked[at].score += match mode {
            RetrieveMode::Hybrid => share_of_best(found.score, best_bm25),
            RetrieveMode::Dense | RetrieveMode::Lexical => found.score,
        };
    }
    for list in dense {
        let scale = MinMax::of(list);
        for found in list {
            let at = entry(&mut ranked, found.chunk_id);
            ranked[at].scores.dense = Some(found.score);
            ranked[at].score += match mode {
                RetrieveMode::Hybrid => DENSE_WEIGHT * scale.map(found.score),
                // With one space the cosine itself is the score; with more, each list is mapped.
                RetrieveMode::Dense | RetrieveMode::Lexical if dense.len() == 1 => found.score,
                RetrieveMode::Dense | RetrieveMode::Lexical => scale.map(found.score),
            };
        }
    }
    if mode == RetrieveMode::Hybrid {
        for one in &mut ranked {
            one.scores.fused = Some(one.score);
        }
    }
    // Stable, so that equal scores keep the order of the lists.
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranked
}

fn share_of_best(score: f32, best: f32) -> f32 {
    if best > 0.0 { score / best } else { 0.0 }
}

struct MinMax {
    worst: f32,
    best: f32,
}

impl MinMax {
    fn of(list: &[ChunkScore]) -> Self {
        Self {
            worst: list.last().map_or(0.0, |last| last.score),
            best: list.first().map_or(0.0, |first| first.score),
        }
    }

    /// 1 for everything when all are equal: nothing is known against any of them.
    fn map(&self, score: f32) -> f32 {
        let range = self.best - self.worst;
        if range > f32::EPSILON { (score - self.worst) / range } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::{DocumentId, VersionId};
    use uuid::Uuid;

    fn list(scores: &[(u128, f32)]) -> Vec<ChunkScore> {
        scores
            .iter()
            .map(|&(id, score)| ChunkScore {
                chunk_id: ChunkId(Uuid::from_u128(id)),
                document_id: DocumentId(Uuid::nil()),
                version_id: VersionId(Uuid::nil()),
                score,
            })
            .collect()
    }

    fn ids_and_scores(ranked: &[Ranked]) -> Vec<(u128, f32)> {
        ranked.iter().map(|one| (one.chunk_id.0.as_u128(), one.score)).collect()
    }

    #[test]
    fn hybrid_adds_the_share_of_the_best_and_half_of_minmax() {
        let lexical = list(&[(1, 8.0), (2, 4.0)]);
        let dense = list(&[(2, 0.9), (3, 0.7), (1, 0.5)]);
        let ranked = rank(RetrieveMode::Hybrid, &[dense], &lexical);
        // 1: 8/8 + 0.5*0; 2: 4/8 + 0.5*1; 3: 0 + 0.5*0.5. The first two are equal: the lexical order stays.
        assert_eq!(ids_and_scores(&ranked), [(1, 1.0), (2, 1.0), (3, 0.25)]);
        let scores = &ranked[2].scores;
        assert_eq!((scores.lexical, scores.dense, scores.fused), (None, Some(0.7), Some(0.25)));
    }

    #[test]
    fn one_list_alone_keeps_its_order_and_scores() {
        let lexical = list(&[(1, 8.0), (2, 4.0)]);
        let dense = list(&[(3, 0.9), (4, -0.1)]);
        assert_eq!(ids_and_scores(&rank(RetrieveMode::Lexical, &[], &lexical)), [(1, 8.0), (2, 4.0)]);
        assert_eq!(ids_and_scores(&rank(RetrieveMode::Dense, &[dense], &[])), [(3, 0.9), (4, -0.1)]);
    }

    #[test]
    fn spaces_are_mapped_on_their_own() {
        let (high, low) = (list(&[(1, 0.99), (2, 0.97)]), list(&[(3, 0.3), (4, 0.1)]));
        let ranked = rank(RetrieveMode::Hybrid, &[high, low], &[]);
        assert_eq!(ids_and_scores(&ranked), [(1, 0.5), (3, 0.5), (2, 0.0), (4, 0.0)]);
    }

    #[test]
    fn nothing_and_equal_scores_do_not_divide_by_zero() {
        assert!(rank(RetrieveMode::Hybrid, &[], &[]).is_empty());
        assert!(rank(RetrieveMode::Hybrid, &[vec![]], &[]).is_empty());
        let ranked = rank(RetrieveMode::Hybrid, &[list(&[(1, 0.4), (2, 0.4)])], &list(&[(1, 0.0)]));
        assert_eq!(ids_and_scores(&ranked), [(1, 0.5), (2, 0.5)]);
    }
}
