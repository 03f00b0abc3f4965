//! What moves a result besides the engines' ranks: the words of the query in what is shown of it, its age, its site.

use std::collections::HashMap;

use anwen_text::terms;

use super::{Candidate, Preferences};
use crate::incoming::sites::is_site;

/// Okapi's constants, the usual ones.
const K1: f32 = 1.2;
const B: f32 = 0.75;
/// A word in the title counts as this many in the snippet.
const TITLE_WEIGHT: f32 = 2.0;
/// How much the words may add to a fused score (0..=1). The engines have read the whole page, this sees its snippet.
const WORDS_SHARE: f32 = 0.5;
const NEW_SHARE: f32 = 0.25;
/// How much nearness in meaning may add: less than the words, since a mean over words knows no order and no rare names.
const MEANING_SHARE: f32 = 0.25;
/// Days after which a result is worth half as new.
const HALF_LIFE_DAYS: f32 = 30.0;
const MILLIS_OF_A_DAY: f32 = 86_400_000.0;

/// BM25 over a small set of texts that is gone after the query. An index would be built, committed and thrown away for
/// each search: for fifty snippets that costs more than counting their words.
pub struct Bm25 {
    documents: Vec<HashMap<String, f32>>,
    lengths: Vec<f32>,
    mean_length: f32,
}

impl Bm25 {
    /// Each document is its fields with their weights.
    pub fn of<'a>(documents: impl Iterator<Item = Vec<(&'a str, f32)>>) -> Self {
        let counted: Vec<HashMap<String, f32>> = documents
            .map(|fields| {
                let mut counts = HashMap::new();
                for (text, weight) in fields {
                    for term in terms(text) {
                        *counts.entry(term).or_insert(0.0) += weight;
                    }
                }
                counts
            })
            .collect();
        let lengths: Vec<f32> = counted.iter().map(|counts| counts.values().sum()).collect();
        let mean_length = lengths.iter().sum::<f32>() / (lengths.len().max(1) as f32);
        Self { documents: counted, lengths, mean_length: mean_length.max(1.0) }
    }

    /// The score of each document for `query`, in their order.
    pub fn scores(&self, query: &str) -> Vec<f32> {
        let mut scores = vec![0.0; self.documents.len()];
        let mut words = terms(query);
        words.sort_unstable();
        words.dedup();
        for word in words {
            let holding = self.documents.iter().filter(|counts| counts.contains_key(&word)).count() as f32;
            let count = self.documents.len() as f32;
            let rarity = (1.0 + (count - holding + 0.5) / (holding + 0.5)).ln();
            for ((score, counts), length) in scores.iter_mut().zip(&self.documents).zip(&self.lengths) {
                let Some(times) = counts.get(&word) else { continue };
                let norm = K1 * (1.0 - B + B * length / self.mean_length);
                *score += rarity * times * (K1 + 1.0) / (times + norm);
            }
        }
        scores
    }
}

/// Moves the fused scores. `nearness` has a cosine for each candidate.
pub fn rerank(candidates: &mut [Candidate], preferences: &Preferences<'_>, nearness: Option<&[f32]>) {
    if let Some(nearness) = nearness {
        for (candidate, share) in candidates.iter_mut().zip(spread_out(nearness)) {
            candidate.score += MEANING_SHARE * share;
        }
    }
    let fields = candidates
        .iter()
        .map(|candidate| vec![(candidate.title.as_str(), TITLE_WEIGHT), (candidate.snippet.as_str(), 1.0)]);
    let words = Bm25::of(fields).scores(preferences.query);
    let best = words.iter().copied().fold(0.0, f32::max);
    for (candidate, words) in candidates.iter_mut().zip(words) {
        if best > 0.0 {
            candidate.score += WORDS_SHARE * words / best;
        }
        if preferences.prefers_new {
            candidate.score += NEW_SHARE * newness(candidate, preferences);
        }
        let host = candidate.url.host_str().unwrap_or_default();
        if let Some(site) = preferences.sites.iter().find(|preference| is_site(host, &preference.site)) {
            candidate.score *= site.weight.clamp(0.0, MAX_SITE_WEIGHT);
        }
    }
}

/// A preference may raise a result by this factor at most.
const MAX_SITE_WEIGHT: f32 = 10.0;

/// Brings values to 0..=1, the smallest to 0; cosines of one result set lie close together.
fn spread_out(values: &[f32]) -> impl Iterator<Item = f32> {
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let width = most - least;
    values.iter().map(move |value| if width > 0.0 { (value - least) / width } else { 0.0 })
}

/// 1 for today, a half after [`HALF_LIFE_DAYS`], 0 without a date.
fn newness(candidate: &Candidate, preferences: &Preferences<'_>) -> f32 {
    let Some(published) = candidate.published_at else { return 0.0 };
    let age = (preferences.now.as_millis() - published.as_millis()).max(0) as f32 / MILLIS_OF_A_DAY;
    0.5_f32.powf(age / HALF_LIFE_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_count_for_more_and_titles_twice() {
        let texts = ["pump seal", "pump bearing", "pump valve", "a seal in the snippet of another pump"];
        let scores = Bm25::of(texts.iter().map(|text| vec![(*text, 1.0)])).scores("pump seal");
        assert!(scores[0] > scores[3] && scores[3] > scores[1], "{scores:?}");
        let in_title =
            Bm25::of([vec![("seal", 2.0), ("x y", 1.0)], vec![("x", 2.0), ("seal y", 1.0)]].into_iter());
        let scores = in_title.scores("seal");
        assert!(scores[0] > scores[1]);
    }

    #[test]
    fn values_are_spread_over_the_whole_range() {
        assert_eq!(spread_out(&[0.5, 0.75, 1.0]).collect::<Vec<_>>(), [0.0, 0.5, 1.0]);
        assert_eq!(spread_out(&[0.5, 0.5]).collect::<Vec<_>>(), [0.0, 0.0]);
        assert_eq!(spread_out(&[]).count(), 0);
    }

    #[test]
    fn no_words_in_common_are_no_score() {
        assert_eq!(Bm25::of([vec![("机械密封", 1.0)]].into_iter()).scores("轴承温度"), [0.0]);
        assert!(Bm25::of(std::iter::empty()).scores("x").is_empty());
    }
}
