//! Choosing tokens: mistral.rs hands over the logits of every token, and takes the token that is chosen here.
//!
//! Its own sampler has one seed for all requests, no bias, and probabilities after its own cuts. What is chosen here
//! depends on the request's seed and the token's place alone.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use mistralrs::{CustomLogitsProcessor, Tensor};

use super::super::Sampling;

/// Below this temperature the most likely token is taken, and a seed changes nothing.
const GREEDY_TEMPERATURE: f64 = 1e-7;
/// What a request that does not say gets.
const DEFAULT_TEMPERATURE: f64 = 1.0;
/// Tokens whose probabilities wait to be sent; older ones are dropped.
const MAX_WAITING: usize = 65_536;

/// A token that was chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub token: u32,
    /// Natural logarithm of its probability before any cut.
    pub logprob: f32,
    /// The likeliest tokens at its place.
    pub top: Vec<(u32, f32)>,
}

/// Chooses the tokens of one request.
pub(super) struct Chooser {
    sampling: Sampling,
    seed: u64,
    /// Likeliest tokens that are kept beside the chosen one; `None` when no probabilities are asked for.
    logprobs: Option<usize>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Tokens in front of the one that is being chosen.
    place: usize,
    /// How often it was chosen: a grammar that refuses a token has it chosen again.
    attempt: u64,
    chosen_tokens: usize,
    waiting: VecDeque<Chosen>,
}

impl Chooser {
    pub fn new(sampling: &Sampling, logprobs: Option<u8>, random_seed: u64) -> Self {
        Self {
            seed: sampling.seed.unwrap_or(random_seed),
            sampling: sampling.clone(),
            logprobs: logprobs.map(usize::from),
            state: Mutex::default(),
        }
    }

    /// Tokens chosen so far.
    pub fn chosen_tokens(&self) -> usize {
        self.lock().chosen_tokens
    }

    /// The earliest chosen token that was not asked for yet.
    pub fn next(&self) -> Option<Chosen> {
        self.lock().waiting.pop_front()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token for `logits`, which stand behind `context`.
    fn choose(&self, mut logits: Vec<f32>, context: &[u32]) -> u32 {
        penalise(&mut logits, context, &self.sampling);
        for (token, bias) in &self.sampling.logit_bias {
            if let Some(logit) = logits.get_mut(*token as usize) {
                *logit += bias;
            }
        }
        let mut state = self.lock();
        let again = state.chosen_tokens > 0 && state.place == context.len();
        if again {
            state.attempt += 1;
            if self.logprobs.is_some() {
                state.waiting.pop_back();
            }
        } else {
            *state = State {
                place: context.len(),
                attempt: 0,
                chosen_tokens: state.chosen_tokens + 1,
                waiting: std::mem::take(&mut state.waiting),
            };
        }
        let draw = uniform(self.seed, context.len() as u64, state.attempt);
        let token = drawn(&logits, &self.sampling, draw);
        if let Some(top) = self.logprobs {
            if state.waiting.len() == MAX_WAITING {
                state.waiting.pop_front();
            }
            state.waiting.push_back(with_probability(&logits, token, top));
        }
        token
    }
}

impl CustomLogitsProcessor for Chooser {
    /// Logits of which only the chosen token's is finite.
    fn apply(&self, logits: &Tensor, context: &[u32]) -> mistralrs::Result<Tensor> {
        let values: Vec<f32> = logits.to_vec1()?;
        let mut only = vec![f32::NEG_INFINITY; values.len()];
        let token = self.choose(values, context);
        if let Some(logit) = only.get_mut(token as usize) {
            *logit = 0.0;
        }
        Tensor::from_vec(only, logits.shape(), logits.device())
    }
}

/// Lowers the logits of tokens that came already, as OpenAI (frequency, presence) and CTRL (repetition) define it.
fn penalise(logits: &mut [f32], context: &[u32], sampling: &Sampling) {
    let (frequency, presence) =
        (sampling.frequency_penalty.unwrap_or(0.0), sampling.presence_penalty.unwrap_or(0.0));
    let repetition = sampling.repetition_penalty.filter(|penalty| *penalty > 0.0).unwrap_or(1.0);
    if frequency == 0.0 && presence == 0.0 && repetition == 1.0 {
        return;
    }
    let back = sampling.repeat_last_n.map_or(context.len(), |back| back as usize);
    let mut counts: HashMap<u32, f32> = HashMap::new();
    for token in &context[context.len().saturating_sub(back)..] {
        *counts.entry(*token).or_default() += 1.0;
    }
    for (token, count) in counts {
        if let Some(logit) = logits.get_mut(token as usize) {
            *logit = if *logit > 0.0 { *logit / repetition } else { *logit * repetition };
            *logit -= count * frequency + presence;
        }
    }
}

/// The likeliest token, or one drawn by `draw` (0 to 1) from those that the cuts leave.
fn drawn(logits: &[f32], sampling: &Sampling, draw: f64) -> u32 {
    let temperature = sampling.temperature.unwrap_or(DEFAULT_TEMPERATURE);
    let mut candidates: Vec<(u32, f64)> = logits
        .iter()
        .enumerate()
        .filter(|(_, logit)| logit.is_finite())
        .map(|(token, logit)| (token as u32, f64::from(*logit)))
        .collect();
    let likeliest = candidates.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best });
    let Some((likeliest, highest)) = likeliest else { return 0 };
    if temperature < GREEDY_TEMPERATURE || sampling.top_k == Some(1) {
        return likeliest;
    }
    candidates.iter_mut().for_each(|(_, value)| *value = ((*value - highest) / temperature).exp());
    cut(&mut candidates, sampling);
    let mut rest = draw * candidates.iter().map(|(_, weight)| weight).sum::<f64>();
    for (token, weight) in &candidates {
        rest -= weight;
        if rest < 0.0 {
            return *token;
        }
    }
    candidates.last().map_or(likeliest, |(token, _)| *token)
}

/// Leaves the candidates that top-k, min-p, typical-p and top-p leave, the likeliest first.
fn cut(candidates: &mut Vec<(u32, f64)>, sampling: &Sampling) {
    let by_weight = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if let Some(min_p) = sampling.min_p.filter(|min_p| *min_p > 0.0) {
        // The likeliest has the weight 1.
        candidates.retain(|(_, weight)| *weight >= min_p);
    }
    if let Some(top_k) = sampling.top_k.map(|top_k| top_k as usize)
        && top_k > 0
        && top_k < candidates.len()
    {
        candidates.select_nth_unstable_by(top_k - 1, by_weight);
        candidates.truncate(top_k);
    }
    if let Some(mass) = sampling.typical_p.filter(|mass| *mass > 0.0 && *mass < 1.0) {
        let sum: f64 = candidates.iter().map(|(_, weight)| weight).sum();
        let entropy: f64 =
            candidates.iter().map(|(_, weight)| weight / sum).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
        let surprise = |weight: f64| (-(weight / sum).ln() - entropy).abs();
        candidates.sort_unstable_by(|a, b| surprise(a.1).total_cmp(&surprise(b.1)).then(a.0.cmp(&b.0)));
        keep_mass(candidates, mass);
    }
    if let Some(mass) = sampling.top_p.filter(|mass| *mass > 0.0 && *mass < 1.0) {
        candidates.sort_unstable_by(by_weight);
        keep_mass(candidates, mass);
    } else {
        candidates.sort_unstable_by_key(|(token, _)| *token);
    }
}

/// Keeps candidates from the front until they hold this share of all weights; one at least.
fn keep_mass(candidates: &mut Vec<(u32, f64)>, share: f64) {
    let sum: f64 = candidates.iter().map(|(_, weight)| weight).sum();
    let mut held = 0.0;
    let kept = candidates
        .iter()
        .position(|(_, weight)| {
            held += weight / sum;
            held >= share
        })
        .map_or(candidates.len(), |last| last + 1);
    candidates.truncate(kept);
}

fn with_probability(logits: &[f32], token: u32, top: usize) -> Chosen {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - highest).exp()).sum();
    let log_sum = sum.ln() as f32;
    let logprob = |logit: f32| logit - highest - log_sum;
    let mut all: Vec<(u32, f32)> =
        logits.iter().enumerate().map(|(token, logit)| (token as u32, *logit)).collect();
    let by_logit = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if top > 0 && top < all.len() {
        all.select_nth_unstable_by(top - 1, by_logit);
    }
    all.truncate(top);
    all.sort_unstable_by(by_logit);
    Chosen {
        token,
        logprob: logits.get(token as usize).copied().map_or(f32::NEG_INFINITY, logprob),
        top: all.into_iter().map(|(token, logit)| (token, logprob(logit))).collect(),
    }
}

/// A number between 0 and 1 that follows from the three: splitmix64 of their mixture.
fn uniform(seed: u64, place: u64, attempt: u64) -> f64 {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let step = 0x9E37_79B9_7F4A_7C15_u64;
    let mixed =
        mix(mix(seed.wrapping_add(step)).wrapping_add(place.wrapping_mul(step)) ^ attempt.wrapping_mul(step));
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 4] = [1.0, 3.0, 2.0, -1.0];

    fn chooser(change: impl FnOnce(&mut Sampling)) -> Chooser {
        let mut sampling = Sampling { temperature: Some(1.0), seed: Some(7), ..Sampling::default() };
        change(&mut sampling);
        Chooser::new(&sampling, Some(2), 0)
    }

    fn answer(chooser: &Chooser) -> Vec<u32> {
        let mut context = vec![0];
        for _ in 0..40 {
            let token = chooser.choose(LOGITS.to_vec(), &context);
            context.push(token);
        }
        context
    }

    #[test]
    fn one_seed_gives_one_answer_and_another_gives_another() {
        assert_eq!(answer(&chooser(|_| {})), answer(&chooser(|_| {})));
        assert_ne!(answer(&chooser(|_| {})), answer(&chooser(|sampling| sampling.seed = Some(8))));
    }

    #[test]
    fn tokens_come_as_often_as_their_probability_says() {
        let drawn = (0..20_000).map(|place| drawn(&LOGITS, &Sampling::default(), uniform(3, place, 0)));
        let share = drawn.filter(|token| *token == 1).count() as f64 / 20_000.0;
        let weights: f64 = LOGITS.iter().map(|logit| f64::from(*logit).exp()).sum();
        assert!((share - 3.0_f64.exp() / weights).abs() < 0.01, "{share}");
    }

    #[test]
    fn each_cut_leaves_the_tokens_that_it_names() {
        for (change, expected) in [
            ((|sampling: &mut Sampling| sampling.top_k = Some(2)) as fn(&mut Sampling), vec![1, 2]),
            (|sampling| sampling.top_p = Some(0.8), vec![1, 2]),
            (|sampling| sampling.min_p = Some(0.3), vec![1, 2]),
            (|sampling| sampling.typical_p = Some(0.2), vec![1]),
        ] {
            let chooser = chooser(change);
            let mut tokens = answer(&chooser)[1..].to_vec();
            tokens.sort_unstable();
            tokens.dedup();
            assert_eq!(tokens, expected);
        }
    }

    #[test]
    fn a_bias_makes_a_token_certain_or_impossible() {
        let certain = chooser(|sampling| sampling.logit_bias = vec![(3, 100.0)]);
        assert!(answer(&certain)[1..].iter().all(|token| *token == 3));
        let impossible = chooser(|sampling| sampling.logit_bias = vec![(1, -100.0)]);
        assert!(answer(&impossible)[1..].iter().all(|token| *token != 1));
    }

    #[test]
    fn penalties_look_back_as_far_as_they_are_told() {
        let sampling = Sampling {
            repetition_penalty: Some(2.0),
            presence_penalty: Some(0.5),
            repeat_last_n: Some(1),
            ..Sampling::default()
        };
        let mut logits = LOGITS.to_vec();
        penalise(&mut logits, &[1, 1, 2], &sampling);
        assert_eq!(logits, [1.0, 3.0, 0.5, -1.0]);
    }

    #[test]
    fn probabilities_are_those_before_the_cuts() {
        let chooser = chooser(|sampling| sampling.top_k = Some(1));
        chooser.choose(LOGITS.to_vec(), &[0]);
        let chosen = chooser.next().unwrap_or(Chosen { token: 9, logprob: 0.0, top: Vec::new() });
        assert_eq!(chosen.token, 1);
        let all: f32 = LOGITS.iter().map(|logit| logit.exp()).sum();
        let expected = LOGITS[1] - all.ln();
        assert!((chosen.logprob - expected).abs() < 1e-5, "{} {expected}", chosen.logprob);
        assert_eq!(chosen.top.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_token_that_a_grammar_refuses_counts_once() {
        let chooser = chooser(|_| {});
        chooser.choose(LOGITS.to_vec(), &[0]);
        chooser.choose(vec![f32::NEG_INFINITY, f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY], &[0]);
        assert_eq!(chooser.chosen_tokens(), 1);
        assert_eq!(chooser.next().map(|chosen| chosen.token), Some(2));
        assert_eq!(chooser.next(), None);
    }
}
