//! The fields that chat and completions share: how tokens are chosen.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::logprobs::MAX_TOP_LOGPROBS;
use crate::engine::Sampling;
use crate::error::RuntimeError;

/// Stop sequences of one request.
const MAX_STOP_SEQUENCES: usize = 16;
/// Entries of `logit_bias`.
const MAX_LOGIT_BIASES: usize = 1024;

#[derive(Deserialize)]
pub(super) struct SamplingFields {
    temperature: Option<f64>,
    top_p: Option<f64>,
    /// Extension, as are the next four; 0 and below: all of them.
    top_k: Option<i64>,
    min_p: Option<f64>,
    typical_p: Option<f64>,
    repetition_penalty: Option<f32>,
    repeat_last_n: Option<u32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    seed: Option<i64>,
    stop: Option<OneOrMany>,
    logit_bias: Option<BTreeMap<String, f32>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

pub(super) fn invalid<T>(message: impl Into<String>) -> Result<T, RuntimeError> {
    Err(RuntimeError::Invalid(message.into()))
}

impl SamplingFields {
    /// Checked against the bounds that OpenAI documents.
    pub(super) fn into_sampling(self, max_tokens: Option<u32>) -> Result<Sampling, RuntimeError> {
        if max_tokens == Some(0) {
            return invalid("max_tokens must be at least 1");
        }
        let bounded = [
            ("temperature", self.temperature, 0.0, 2.0),
            ("top_p", self.top_p, 0.0, 1.0),
            ("min_p", self.min_p, 0.0, 1.0),
            ("frequency_penalty", self.frequency_penalty.map(f64::from), -2.0, 2.0),
            ("presence_penalty", self.presence_penalty.map(f64::from), -2.0, 2.0),
        ];
        for (name, value, least, most) in bounded {
            if value.is_some_and(|value| value < least || value > most) {
                return invalid(format!("{name} must be between {least} and {most}"));
            }
        }
        let stop = self.stop.map(OneOrMany::into_vec).unwrap_or_default();
        if stop.len() > MAX_STOP_SEQUENCES {
            return invalid(format!("at most {MAX_STOP_SEQUENCES} stop sequences"));
        }
        Ok(Sampling {
            max_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k.map(|count| u32::try_from(count).unwrap_or(0)),
            min_p: self.min_p,
            typical_p: self.typical_p,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            repetition_penalty: self.repetition_penalty,
            repeat_last_n: self.repeat_last_n,
            seed: self.seed.map(i64::cast_unsigned),
            stop,
            logit_bias: logit_bias(self.logit_bias.unwrap_or_default())?,
        })
    }
}

fn logit_bias(biases: BTreeMap<String, f32>) -> Result<Vec<(u32, f32)>, RuntimeError> {
    if biases.len() > MAX_LOGIT_BIASES {
        return invalid(format!("logit_bias takes at most {MAX_LOGIT_BIASES} tokens"));
    }
    let bias = |(token, bias): (String, f32)| match token.parse() {
        Ok(token) if (-100.0..=100.0).contains(&bias) => Ok((token, bias)),
        Ok(_) => invalid("a bias in logit_bias must be between -100 and 100"),
        Err(_) => invalid(format!("{token:?} in logit_bias is no token id")),
    };
    biases.into_iter().map(bias).collect()
}

/// How many alternatives beside each token; `None` when no probabilities are wanted.
pub(super) fn logprobs(wanted: bool, top: Option<u8>) -> Result<Option<u8>, RuntimeError> {
    match top {
        Some(top) if top > MAX_TOP_LOGPROBS => invalid(format!("top_logprobs is at most {MAX_TOP_LOGPROBS}")),
        Some(top) if top > 0 && !wanted => invalid("top_logprobs needs logprobs to be true"),
        top => Ok(wanted.then_some(top.unwrap_or(0))),
    }
}

/// `n`, within the bound of the settings.
pub(super) fn choices(n: Option<u32>, most: u32) -> Result<u32, RuntimeError> {
    match n.unwrap_or(1) {
        0 => invalid("n must be at least 1"),
        n if n > most => invalid(format!("n is at most {most} here")),
        n => Ok(n),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(fields: Value) -> Result<Sampling, RuntimeError> {
        serde_json::from_value::<SamplingFields>(fields).unwrap().into_sampling(None)
    }

    #[test]
    fn biases_are_by_token_id() {
        let sampling = read(json!({"logit_bias": {"5": -100, "7": 1.5}})).unwrap();
        assert_eq!(sampling.logit_bias, [(5, -100.0), (7, 1.5)]);
    }

    #[test]
    fn values_out_of_their_bounds_are_refused() {
        for fields in [
            json!({"temperature": 2.1}),
            json!({"top_p": -0.1}),
            json!({"presence_penalty": 3}),
            json!({"logit_bias": {"5": 101}}),
            json!({"logit_bias": {"hello": 1}}),
            json!({"stop": vec!["x"; MAX_STOP_SEQUENCES + 1]}),
        ] {
            assert!(read(fields.clone()).is_err(), "{fields}");
        }
        assert!(choices(Some(0), 8).is_err() && choices(Some(9), 8).is_err());
        assert!(logprobs(false, Some(3)).is_err() && logprobs(true, Some(21)).is_err());
    }

    #[test]
    fn a_negative_seed_is_a_seed() {
        assert_eq!(read(json!({"seed": -1})).unwrap().seed, Some(u64::MAX));
    }
}
