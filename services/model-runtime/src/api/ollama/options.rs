//! Ollama's `options`: how tokens are chosen, and hints about resources.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::fields::{self, Field, is_false, is_one, is_true, is_zero};
use crate::engine::Sampling;
use crate::error::RuntimeError;

// What Ollama takes when neither a request nor the model says.
const DEFAULT_TEMPERATURE: f64 = 0.8;
const DEFAULT_TOP_P: f64 = 0.9;
const DEFAULT_TOP_K: u32 = 40;

/// Stop sequences of one request.
const MAX_STOP_SEQUENCES: usize = 16;

/// Every option that Ollama documents or once did.
const FIELDS: &fields::Fields = &[
    ("num_predict", Field::Honoured),
    ("temperature", Field::Honoured),
    ("top_p", Field::Honoured),
    ("top_k", Field::Honoured),
    ("min_p", Field::Honoured),
    ("typical_p", Field::Honoured),
    ("repeat_penalty", Field::Honoured),
    ("repeat_last_n", Field::Honoured),
    ("frequency_penalty", Field::Honoured),
    ("presence_penalty", Field::Honoured),
    ("seed", Field::Honoured),
    ("stop", Field::Honoured),
    // The registry's: a model that is loaded with a smaller context is loaded again.
    ("num_ctx", Field::Honoured),
    ("num_keep", Field::Neutral),
    ("num_batch", Field::Neutral),
    ("num_gpu", Field::Neutral),
    ("main_gpu", Field::Neutral),
    ("num_gqa", Field::Neutral),
    ("num_thread", Field::Neutral),
    ("draft_num_predict", Field::Neutral),
    ("use_mmap", Field::Neutral),
    ("use_mlock", Field::Neutral),
    ("numa", Field::Neutral),
    ("low_vram", Field::Neutral),
    ("f16_kv", Field::Neutral),
    ("logits_all", Field::Neutral),
    // Without mirostat these two say nothing.
    ("mirostat_tau", Field::Neutral),
    ("mirostat_eta", Field::Neutral),
    ("mirostat", Field::OnlyAt(is_zero)),
    ("tfs_z", Field::OnlyAt(is_one)),
    ("penalize_newline", Field::OnlyAt(is_true)),
    ("vocab_only", Field::OnlyAt(is_false)),
    ("embedding_only", Field::OnlyAt(is_false)),
    ("rope_frequency_base", Field::OnlyAt(is_zero)),
    ("rope_frequency_scale", Field::OnlyAt(is_one)),
];

/// The options that change an answer. Unknown names are passed over: `read` refuses those of a request.
#[derive(Debug, Default, Deserialize)]
pub(in crate::api) struct Options {
    num_predict: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
    typical_p: Option<f64>,
    repeat_penalty: Option<f32>,
    repeat_last_n: Option<i64>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    seed: Option<i64>,
    stop: Option<Stop>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Many(Vec<String>),
}

impl Options {
    /// The options of a request, and the names of the hints among them.
    pub(super) fn read(given: Map<String, Value>) -> Result<(Self, Vec<&'static str>), RuntimeError> {
        let (options, hints): (Self, _) = fields::read(FIELDS, given)?;
        let stops = match &options.stop {
            Some(Stop::Many(sequences)) => sequences.len(),
            _ => 0,
        };
        if stops > MAX_STOP_SEQUENCES {
            return Err(RuntimeError::Invalid(format!("at most {MAX_STOP_SEQUENCES} stop sequences")));
        }
        for (name, value) in [("temperature", options.temperature), ("top_p", options.top_p)] {
            if value.is_some_and(|value| value < 0.0) {
                return Err(RuntimeError::Invalid(format!("{name} must not be below 0")));
            }
        }
        Ok((options, hints))
    }

    pub(in crate::api) fn into_sampling(self) -> Sampling {
        Sampling {
            // -1 and -2 ask for as much as fits.
            max_tokens: self.num_predict.map(|tokens| u32::try_from(tokens).unwrap_or(u32::MAX)),
            temperature: self.temperature,
            top_p: self.top_p,
            // 0 and below: all of them.
            top_k: self.top_k.map(|count| u32::try_from(count).unwrap_or(0)),
            min_p: self.min_p,
            typical_p: self.typical_p,
            repetition_penalty: self.repeat_penalty,
            // -1: the whole context.
            repeat_last_n: self.repeat_last_n.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            // -1 asks for a new one each time.
            seed: self.seed.and_then(|seed| u64::try_from(seed).ok()),
            stop: match self.stop {
                None => Vec::new(),
                Some(Stop::One(sequence)) => vec![sequence],
                Some(Stop::Many(sequences)) => sequences,
            },
            logit_bias: Vec::new(),
        }
    }
}

/// What Ollama takes when neither the request nor the model says.
pub(super) fn fallback(max_tokens: u32) -> Sampling {
    Sampling {
        max_tokens: Some(max_tokens),
        temperature: Some(DEFAULT_TEMPERATURE),
        top_p: Some(DEFAULT_TOP_P),
        top_k: Some(DEFAULT_TOP_K),
        ..Sampling::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(options: Value) -> Result<(Options, Vec<&'static str>), RuntimeError> {
        let Value::Object(options) = options else { panic!("an object") };
        Options::read(options)
    }

    #[test]
    fn numbers_below_zero_mean_what_ollama_means() {
        let options = json!({"num_predict": -1, "seed": -1, "top_k": 0, "repeat_last_n": -1, "stop": "x"});
        let sampling = read(options).unwrap().0.into_sampling();
        assert_eq!((sampling.max_tokens, sampling.seed), (Some(u32::MAX), None));
        assert_eq!((sampling.top_k, sampling.repeat_last_n), (Some(0), Some(u32::MAX)));
        assert_eq!(sampling.stop, ["x"]);
    }

    #[test]
    fn hints_are_named() {
        assert_eq!(
            read(json!({"num_thread": 4, "temperature": 0, "mirostat": 0})).unwrap().1,
            ["mirostat", "num_thread"]
        );
    }

    #[test]
    fn what_would_change_the_answer_and_is_not_offered_is_refused() {
        for (option, value) in [
            ("mirostat", json!(2)),
            ("tfs_z", json!(0.5)),
            ("penalize_newline", json!(false)),
            ("rope_frequency_base", json!(10000)),
            ("new_sampler", json!(1)),
            ("temperature", json!(-1)),
            ("temperature", json!("hot")),
        ] {
            let refusal = read(json!({option: value})).unwrap_err().to_string();
            assert!(refusal.contains(option) || refusal.contains("invalid type"), "{refusal}");
        }
    }
}
