//! The weights of an encoder, and running batches of tokens through them.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, safetensors};
use candle_nn::{Linear, Module as _, VarBuilder};
use candle_transformers::models::bert::{self, BertModel};
use candle_transformers::models::xlm_roberta::{self, XLMRobertaForSequenceClassification, XLMRobertaModel};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::settings::{EncoderSettings, Pooling, Purpose, Shape};

/// Files that the weights of one encoder may be split into.
const MAX_WEIGHT_FILES: usize = 64;

/// A text as the tokenizer reads it.
pub(super) struct Tokens {
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
}

enum Network {
    Bert(BertModel),
    BertRelevance { trunk: BertModel, pooler: Linear, classifier: Linear },
    Roberta(XLMRobertaModel),
    RobertaRelevance(XLMRobertaForSequenceClassification),
}

/// An encoder with its weights.
pub(super) struct EncoderModel {
    network: Network,
    device: Device,
    padding_id: u32,
    pub hidden: usize,
    /// Bytes of the weights as they lie in memory.
    pub bytes: u64,
}

impl EncoderModel {
    pub fn load(folder: &Path, settings: &EncoderSettings) -> Result<Self, String> {
        Self::read(folder, settings).map_err(|cause| cause.to_string())
    }

    fn read(folder: &Path, settings: &EncoderSettings) -> candle_core::Result<Self> {
        let device = Device::cuda_if_available(0)?;
        // Read and not mapped: a map could change under the process, and encoders are small.
        let weights = weights(folder)?;
        let bytes =
            weights.values().map(|tensor| (tensor.elem_count() * DType::F32.size_in_bytes()) as u64).sum();
        let prefixed = |prefix: &str| weights.keys().any(|name| name.starts_with(prefix));
        let in_roberta = prefixed("roberta.");
        let builder = VarBuilder::from_tensors(weights, DType::F32, &device);
        let reranks = matches!(settings.purpose, Purpose::Rerank { .. });
        let (network, hidden) = match settings.shape {
            Shape::Bert => {
                let config: bert::Config = config(&settings.config)?;
                let hidden = config.hidden_size;
                let trunk = BertModel::load(builder.clone(), &config)?;
                let network = if reranks {
                    let pooler = candle_nn::linear(hidden, hidden, builder.pp("bert.pooler.dense"))?;
                    let classifier = candle_nn::linear(hidden, 1, builder.pp("classifier"))?;
                    Network::BertRelevance { trunk, pooler, classifier }
                } else {
                    Network::Bert(trunk)
                };
                (network, hidden)
            }
            Shape::Roberta => {
                let config: xlm_roberta::Config = config(&settings.config)?;
                let network = if reranks {
                    Network::RobertaRelevance(XLMRobertaForSequenceClassification::new(1, &config, builder)?)
                } else {
                    let builder = if in_roberta { builder.pp("roberta") } else { builder };
                    Network::Roberta(XLMRobertaModel::new(&config, builder)?)
                };
                (network, config.hidden_size)
            }
        };
        Ok(Self { network, device, padding_id: settings.padding_id, hidden, bytes })
    }

    /// One vector for each text, row after row.
    pub fn embed(&self, batch: &[&Tokens], pooling: Pooling) -> candle_core::Result<Vec<f32>> {
        let padded = self.padded(batch)?;
        let states = match &self.network {
            Network::Bert(trunk) | Network::BertRelevance { trunk, .. } => {
                trunk.forward(&padded.ids, &padded.type_ids, Some(&padded.mask))?
            }
            Network::Roberta(trunk) => {
                trunk.forward(&padded.ids, &padded.mask, &padded.type_ids, None, None, None)?
            }
            Network::RobertaRelevance(_) => candle_core::bail!("a model that reranks makes no vectors"),
        };
        let states: Vec<f32> = states.flatten_all()?.to_vec1()?;
        let lengths = batch.iter().map(|tokens| tokens.ids.len());
        let texts = states.chunks_exact(padded.longest * self.hidden);
        Ok(texts.zip(lengths).flat_map(|(text, length)| pooled(text, length, self.hidden, pooling)).collect())
    }

    /// The raw score of each pair of texts.
    pub fn score(&self, batch: &[&Tokens]) -> candle_core::Result<Vec<f32>> {
        let padded = self.padded(batch)?;
        let scores = match &self.network {
            Network::BertRelevance { trunk, pooler, classifier } => {
                let states = trunk.forward(&padded.ids, &padded.type_ids, Some(&padded.mask))?;
                let first = states.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?;
                classifier.forward(&pooler.forward(&first)?.tanh()?)?
            }
            Network::RobertaRelevance(model) => model.forward(&padded.ids, &padded.mask, &padded.type_ids)?,
            Network::Bert(_) | Network::Roberta(_) => {
                candle_core::bail!("a model of embeddings does not rerank")
            }
        };
        scores.flatten_all()?.to_vec1()
    }

    fn padded(&self, batch: &[&Tokens]) -> candle_core::Result<Padded> {
        let longest = batch.iter().map(|tokens| tokens.ids.len()).max().unwrap_or(0);
        let shape = (batch.len(), longest);
        let fill = |row: &mut dyn FnMut(&Tokens) -> Vec<u32>, padding: u32| -> Vec<u32> {
            batch
                .iter()
                .flat_map(|tokens| {
                    let mut row = row(tokens);
                    row.resize(longest, padding);
                    row
                })
                .collect()
        };
        let ids = fill(&mut |tokens| tokens.ids.clone(), self.padding_id);
        let type_ids = fill(&mut |tokens| tokens.type_ids.clone(), 0);
        let mask = fill(&mut |tokens| vec![1; tokens.ids.len()], 0);
        Ok(Padded {
            ids: Tensor::from_vec(ids, shape, &self.device)?,
            type_ids: Tensor::from_vec(type_ids, shape, &self.device)?,
            mask: Tensor::from_vec(mask, shape, &self.device)?,
            longest,
        })
    }
}

/// A batch as tables of one row for each text.
struct Padded {
    ids: Tensor,
    type_ids: Tensor,
    /// 1 at tokens and 0 at padding.
    mask: Tensor,
    longest: usize,
}

/// One vector of `length` tokens' vectors; what lies behind them is padding.
fn pooled(states: &[f32], length: usize, hidden: usize, pooling: Pooling) -> Vec<f32> {
    let mut rows = states.chunks_exact(hidden).take(length);
    let folded =
        |rows: std::iter::Take<std::slice::ChunksExact<'_, f32>>, start: f32, fold: fn(f32, f32) -> f32| {
            rows.fold(vec![start; hidden], |mut sum, row| {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum = fold(*sum, *value));
                sum
            })
        };
    match pooling {
        Pooling::Cls => rows.next().unwrap_or_default().to_vec(),
        Pooling::Last => rows.next_back().unwrap_or_default().to_vec(),
        Pooling::Max => folded(rows, f32::MIN, f32::max),
        Pooling::Mean => {
            let mut mean = folded(rows, 0.0, |sum, value| sum + value);
            mean.iter_mut().for_each(|value| *value /= length.max(1) as f32);
            mean
        }
    }
}

/// Every tensor of the folder's safetensors files.
fn weights(folder: &Path) -> candle_core::Result<HashMap<String, Tensor>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "safetensors"))
        .take(MAX_WEIGHT_FILES)
        .collect();
    files.sort_unstable();
    let mut weights = HashMap::new();
    for file in files {
        weights.extend(safetensors::load(file, &Device::Cpu)?);
    }
    Ok(weights)
}

/// The model's configuration with what some files leave out.
fn config<T: DeserializeOwned>(config: &Value) -> candle_core::Result<T> {
    let mut complete = json!({
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.02,
        "layer_norm_eps": 1e-12, "pad_token_id": 0, "type_vocab_size": 2, "position_embedding_type": "absolute",
        "classifier_dropout": null,
    });
    if let (Some(complete), Some(given)) = (complete.as_object_mut(), config.as_object()) {
        let given = given.iter().filter(|(_, value)| !value.is_null());
        complete.extend(given.map(|(key, value)| (key.clone(), value.clone())));
    }
    serde_json::from_value(complete).map_err(|cause| {
        candle_core::Error::Msg(format!("config.json is not that of such an encoder: {cause}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_in_no_pooled_vector() {
        let states = [1.0, 2.0, 3.0, 6.0, 100.0, -100.0];
        for (pooling, expected) in [
            (Pooling::Mean, [2.0, 4.0]),
            (Pooling::Cls, [1.0, 2.0]),
            (Pooling::Last, [3.0, 6.0]),
            (Pooling::Max, [3.0, 6.0]),
        ] {
            assert_eq!(pooled(&states, 2, 2, pooling), expected, "{pooling:?}");
        }
    }
}
