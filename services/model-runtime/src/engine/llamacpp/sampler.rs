//! Choosing a token from a model's logits. Pure functions of numbers: no llama.cpp here.
//!
//! The order is that of most servers: biases and penalties, then the constraint's mask, then the `top_k` likeliest, then
//! temperature, then `typical_p` (Meister et al., "Locally Typical Sampling", 2022), `top_p`, `min_p`, then one of what is
//! left by its probability. Nothing sorts the whole vocabulary unless a bound needs it.

use std::hash::{BuildHasher as _, Hasher as _};

use toktrie::SimpleVob;

use super::sequences::Token;
use crate::engine::Sampling;

/// Below this temperature the likeliest token is taken.
const GREEDY_TEMPERATURE: f32 = 1e-5;
/// Candidates that are sorted at first when no `top_k` bounds them; all are when these don't reach `top_p`.
const FIRST_CANDIDATES: usize = 1024;

/// What holds when neither the request nor the model's manifest says.
const DEFAULT_TEMPERATURE: f32 = 0.8;
const DEFAULT_TOP_K: usize = 40;
const DEFAULT_TOP_P: f32 = 0.95;
const DEFAULT_REPEAT_LAST_N: usize = 64;

/// Chooses the tokens of one generation.
#[derive(Debug)]
pub struct Sampler {
    temperature: f32,
    /// 0: no bound.
    top_k: usize,
    top_p: f32,
    min_p: f32,
    typical_p: f32,
    frequency_penalty: f32,
    presence_penalty: f32,
    repetition_penalty: f32,
    repeat_last_n: usize,
    logit_bias: Vec<(usize, f32)>,
    random: Random,
    logits: Vec<f32>,
}

/// A token and how likely it is, in whatever unit the step works with.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    token: usize,
    value: f32,
}

impl Sampler {
    pub fn new(sampling: &Sampling) -> Self {
        Self {
            temperature: sampling.temperature.map_or(DEFAULT_TEMPERATURE, |value| value as f32),
            top_k: sampling.top_k.map_or(DEFAULT_TOP_K, |value| value as usize),
            top_p: sampling.top_p.map_or(DEFAULT_TOP_P, |value| value as f32),
            min_p: sampling.min_p.map_or(0.0, |value| value as f32),
            typical_p: sampling.typical_p.map_or(1.0, |value| value as f32),
            frequency_penalty: sampling.frequency_penalty.unwrap_or(0.0),
            presence_penalty: sampling.presence_penalty.unwrap_or(0.0),
            repetition_penalty: sampling.repetition_penalty.filter(|value| *value > 0.0).unwrap_or(1.0),
            repeat_last_n: sampling.repeat_last_n.map_or(DEFAULT_REPEAT_LAST_N, |value| value as usize),
            logit_bias: sampling.logit_bias.iter().map(|(token, bias)| (*token as usize, *bias)).collect(),
            random: Random(sampling.seed.unwrap_or_else(unpredictable)),
            logits: Vec::new(),
        }
    }

    /// A token after `history`, of those that `mask` allows. `None` when none has a usable probability.
    pub fn choose(&mut self, logits: &[f32], history: &[Token], mask: Option<&SimpleVob>) -> Option<Token> {
        let greedy = self.temperature <= GREEDY_TEMPERATURE;
        if greedy && mask.is_none() && !self.changes_logits() {
            return likeliest(logits).map(|token| token as Token);
        }
        let mut own = std::mem::take(&mut self.logits);
        own.clear();
        own.extend_from_slice(logits);
        self.adjust(&mut own, history);
        if let Some(mask) = mask {
            own.iter_mut().enumerate().filter(|(token, _)| !mask.is_allowed(*token as u32)).for_each(
                |(_, logit)| {
                    *logit = f32::NEG_INFINITY;
                },
            );
        }
        let chosen = if greedy { likeliest(&own) } else { self.draw(&own) };
        self.logits = own;
        chosen.map(|token| token as Token)
    }

    fn changes_logits(&self) -> bool {
        !self.logit_bias.is_empty()
            || self.frequency_penalty != 0.0
            || self.presence_penalty != 0.0
            || self.repetition_penalty != 1.0
    }

    /// Biases, then penalties for the tokens of the last `repeat_last_n`.
    fn adjust(&self, logits: &mut [f32], history: &[Token]) {
        for (token, bias) in &self.logit_bias {
            if let Some(logit) = logits.get_mut(*token) {
                *logit += bias;
            }
        }
        if self.frequency_penalty == 0.0 && self.presence_penalty == 0.0 && self.repetition_penalty == 1.0 {
            return;
        }
        let mut recent = history[history.len().saturating_sub(self.repeat_last_n)..].to_vec();
        recent.sort_unstable();
        for same in recent.chunk_by(|a, b| a == b) {
            let Some(logit) = usize::try_from(same[0]).ok().and_then(|token| logits.get_mut(token)) else {
                continue;
            };
            *logit = if *logit > 0.0 {
                *logit / self.repetition_penalty
            } else {
                *logit * self.repetition_penalty
            };
            *logit -= same.len() as f32 * self.frequency_penalty + self.presence_penalty;
        }
    }

    fn draw(&mut self, logits: &[f32]) -> Option<usize> {
        let bounded = self.top_k > 0 && self.top_k < logits.len();
        let mut candidates = if bounded {
            likeliest_of(logits, self.top_k)
        } else if self.top_p < 1.0 && self.typical_p >= 1.0 {
            self.nucleus(logits)
        } else {
            everything(logits)
        };
        let total = self.to_probabilities(&mut candidates, logits, bounded)?;
        if self.typical_p < 1.0 {
            keep_typical(&mut candidates, self.typical_p, total);
        }
        let kept =
            if self.top_p < 1.0 { keep_until(&candidates, self.top_p * total) } else { candidates.len() };
        candidates.truncate(kept);
        if self.min_p > 0.0 {
            let least = candidates.iter().map(|candidate| candidate.value).fold(0.0, f32::max) * self.min_p;
            candidates.retain(|candidate| candidate.value >= least);
        }
        self.one_of(&candidates)
    }

    /// Turns logits of the candidates into weights, the likeliest of which is 1; gives the weight of all that could be
    /// chosen. `None` when nothing can be.
    fn to_probabilities(&self, candidates: &mut [Candidate], logits: &[f32], bounded: bool) -> Option<f32> {
        let most = candidates.iter().map(|candidate| candidate.value).fold(f32::NEG_INFINITY, f32::max);
        if !most.is_finite() {
            return None;
        }
        let weight = |logit: f32| ((logit - most) / self.temperature).exp();
        let total = if bounded || candidates.len() == logits.len() {
            candidates.iter().map(|candidate| weight(candidate.value)).sum()
        } else {
            logits.iter().map(|logit| weight(*logit)).sum()
        };
        candidates.iter_mut().for_each(|candidate| candidate.value = weight(candidate.value));
        Some(total)
    }

    /// The likeliest tokens, enough of them for `top_p`.
    fn nucleus(&self, logits: &[f32]) -> Vec<Candidate> {
        let some = likeliest_of(logits, FIRST_CANDIDATES);
        let Some(most) = some.first().map(|candidate| candidate.value) else { return some };
        let weight = |logit: f32| ((logit - most) / self.temperature).exp();
        let total: f32 = logits.iter().map(|logit| weight(*logit)).sum();
        let reached: f32 = some.iter().map(|candidate| weight(candidate.value)).sum();
        if reached >= self.top_p * total { some } else { likeliest_of(logits, logits.len()) }
    }

    fn one_of(&mut self, candidates: &[Candidate]) -> Option<usize> {
        let total: f32 = candidates.iter().map(|candidate| candidate.value).sum();
        let mut left = self.random.unit() * total;
        for candidate in candidates {
            left -= candidate.value;
            if left < 0.0 {
                return Some(candidate.token);
            }
        }
        candidates.first().map(|candidate| candidate.token)
    }
}

/// The index of the largest number; the first of equal ones. `None` when none is finite.
fn likeliest(logits: &[f32]) -> Option<usize> {
    // Blocks without branches, which become vector instructions; then a look into the best block.
    const BLOCK: usize = 256;
    let mut best = f32::NEG_INFINITY;
    let mut best_block = None;
    for (index, block) in logits.chunks(BLOCK).enumerate() {
        let most =
            block.iter().fold(f32::NEG_INFINITY, |most, &logit| if logit > most { logit } else { most });
        if most > best {
            best = most;
            best_block = Some(index);
        }
    }
    let start = best_block? * BLOCK;
    logits[start..].iter().position(|&logit| logit == best).map(|offset| start + offset)
}

fn everything(logits: &[f32]) -> Vec<Candidate> {
    likeliest_of(logits, logits.len())
}

/// The `count` largest finite logits, the largest first, the first of equal ones first.
fn likeliest_of(logits: &[f32], count: usize) -> Vec<Candidate> {
    let order = |a: &Candidate, b: &Candidate| b.value.total_cmp(&a.value).then(a.token.cmp(&b.token));
    let count = count.max(1);
    let room = count.saturating_mul(4).min(logits.len());
    let mut found: Vec<Candidate> = Vec::with_capacity(room);
    let mut least = f32::NEG_INFINITY;
    for (token, &value) in logits.iter().enumerate() {
        if value > least {
            found.push(Candidate { token, value });
            if found.len() == room && room > count {
                found.select_nth_unstable_by(count - 1, order);
                found.truncate(count);
                least = found[count - 1].value;
            }
        }
    }
    found.sort_unstable_by(order);
    found.truncate(count);
    found
}

/// How many of the sorted candidates reach `wanted` together; one at least.
fn keep_until(candidates: &[Candidate], wanted: f32) -> usize {
    let mut reached = 0.0;
    let short = candidates.iter().take_while(|candidate| {
        let more = reached < wanted;
        reached += candidate.value;
        more
    });
    short.count().max(1)
}

/// Keeps the candidates whose surprise is nearest to the expected one, until they hold `share` of `total`; the likeliest
/// first again.
fn keep_typical(candidates: &mut Vec<Candidate>, share: f32, total: f32) {
    let probability = |candidate: &Candidate| (candidate.value / total).max(f32::MIN_POSITIVE);
    let entropy: f32 =
        candidates.iter().map(|candidate| -probability(candidate) * probability(candidate).ln()).sum();
    let distance = |candidate: &Candidate| (-probability(candidate).ln() - entropy).abs();
    candidates.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    let kept = keep_until(candidates, share * total);
    candidates.truncate(kept);
    candidates.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.token.cmp(&b.token)));
}

/// Natural logarithms of the probabilities of `token` and of the `count` likeliest, the likeliest first; of the model's
/// own probabilities, before anything was changed.
pub fn logprobs(logits: &[f32], token: Token, count: usize) -> (f32, Vec<(Token, f32)>) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - most).exp()).sum();
    let total = most + sum.ln() as f32;
    let own = usize::try_from(token)
        .ok()
        .and_then(|token| logits.get(token))
        .map_or(f32::NEG_INFINITY, |logit| logit - total);
    let top = if count == 0 { Vec::new() } else { likeliest_of(logits, count) };
    (own, top.into_iter().map(|candidate| (candidate.token as Token, candidate.value - total)).collect())
}

/// Sebastiano Vigna's SplitMix64: small, and the same everywhere.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// A number in [0, 1).
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// A number that nobody can foresee: the standard library seeds its hash tables with such.
fn unpredictable() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sampling() -> Sampling {
        Sampling {
            temperature: Some(1.0),
            top_k: Some(0),
            top_p: Some(1.0),
            seed: Some(3),
            ..Sampling::default()
        }
    }

    /// How often each token comes in `draws` draws.
    fn counts(sampling: &Sampling, logits: &[f32], draws: usize) -> Vec<usize> {
        let mut sampler = Sampler::new(sampling);
        let mut counts = vec![0; logits.len()];
        for _ in 0..draws {
            counts[sampler.choose(logits, &[], None).unwrap() as usize] += 1;
        }
        counts
    }

    fn logits_of(probabilities: &[f32]) -> Vec<f32> {
        probabilities.iter().map(|probability| probability.ln()).collect()
    }

    #[test]
    fn tokens_come_as_often_as_they_are_likely() {
        let counts = counts(&sampling(), &logits_of(&[0.5, 0.3, 0.2]), 20_000);
        for (count, expected) in counts.iter().zip([10_000.0, 6_000.0, 4_000.0]) {
            assert!((*count as f64 - expected).abs() < 300.0, "{counts:?}");
        }
    }

    #[test]
    fn bounds_leave_the_tokens_that_they_should() {
        let logits = logits_of(&[0.1, 0.4, 0.05, 0.25, 0.2]);
        for (name, changed, left) in [
            ("top_k", Sampling { top_k: Some(2), ..sampling() }, vec![1, 3]),
            ("top_p", Sampling { top_p: Some(0.6), ..sampling() }, vec![1, 3]),
            ("top_p over top_k", Sampling { top_k: Some(3), top_p: Some(0.3), ..sampling() }, vec![1]),
            ("min_p", Sampling { min_p: Some(0.45), ..sampling() }, vec![1, 3, 4]),
            ("greedy", Sampling { temperature: Some(0.0), ..sampling() }, vec![1]),
            // The surprise of 0.25 (1.39) and of 0.2 (1.61) is nearest to the expected one (1.42).
            ("typical_p", Sampling { typical_p: Some(0.4), ..sampling() }, vec![3, 4]),
        ] {
            let counts = counts(&changed, &logits, 2_000);
            let found: Vec<usize> = (0..5).filter(|&token| counts[token] > 0).collect();
            assert_eq!(found, left, "{name}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_tokens_again_and_another_gives_others() {
        let logits: Vec<f32> = (0..500).map(|token| (token % 17) as f32 / 5.0).collect();
        let run = |seed| {
            let mut sampler = Sampler::new(&Sampling { seed: Some(seed), ..sampling() });
            (0..20).map(|_| sampler.choose(&logits, &[], None).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn biases_penalties_and_masks_change_the_greedy_choice() {
        let logits = [1.0, 3.0, 2.9, 0.0];
        let greedy = Sampling { temperature: Some(0.0), ..sampling() };
        let mut mask = SimpleVob::alloc(4);
        mask.allow_token(0);
        mask.allow_token(3);
        for (name, changed, history, mask, expected) in [
            ("plain", greedy.clone(), vec![], None, 1),
            ("bias", Sampling { logit_bias: vec![(3, 5.0), (99, 9.0)], ..greedy.clone() }, vec![], None, 3),
            ("presence", Sampling { presence_penalty: Some(1.0), ..greedy.clone() }, vec![1], None, 2),
            (
                "frequency",
                Sampling { frequency_penalty: Some(0.6), ..greedy.clone() },
                vec![1, 2, 1, 2, 2, 1, 1],
                None,
                2,
            ),
            ("repetition", Sampling { repetition_penalty: Some(2.0), ..greedy.clone() }, vec![1], None, 2),
            (
                "window",
                Sampling { presence_penalty: Some(1.0), repeat_last_n: Some(1), ..greedy.clone() },
                vec![1, 0],
                None,
                1,
            ),
            ("mask", greedy.clone(), vec![], Some(&mask), 0),
        ] {
            let chosen = Sampler::new(&changed).choose(&logits, &history, mask);
            assert_eq!(chosen, Some(expected), "{name}");
        }
    }

    #[test]
    fn nothing_is_chosen_where_nothing_is_allowed() {
        let none = SimpleVob::alloc(2);
        for temperature in [0.0, 1.0] {
            let changed = Sampling { temperature: Some(temperature), ..sampling() };
            assert_eq!(Sampler::new(&changed).choose(&[1.0, 2.0], &[], Some(&none)), None);
        }
        assert_eq!(Sampler::new(&sampling()).choose(&[f32::NAN, f32::NAN], &[], None), None);
    }

    #[test]
    fn partial_selection_finds_what_sorting_finds() {
        let mut random = Random(9);
        let logits: Vec<f32> = (0..5_000).map(|_| (random.unit() * 300.0).floor()).collect();
        let mut sorted: Vec<usize> = (0..logits.len()).collect();
        sorted.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        for count in [1, 2, 40, 1024, 5_000] {
            let values: Vec<f32> = likeliest_of(&logits, count).iter().map(|found| found.value).collect();
            let expected: Vec<f32> = sorted[..count].iter().map(|&token| logits[token]).collect();
            assert_eq!(values, expected, "{count}");
        }
        assert_eq!(likeliest(&logits), Some(sorted[0]));
    }

    #[test]
    fn logprobs_are_those_of_the_model() {
        let logits = logits_of(&[0.5, 0.3, 0.2]);
        let (own, top) = logprobs(&logits, 2, 2);
        assert!((own - 0.2f32.ln()).abs() < 1e-5);
        assert_eq!(top.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [0, 1]);
        let (_, all) = logprobs(&logits, 0, 3);
        let sum: f32 = all.iter().map(|(_, logprob)| logprob.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
}
