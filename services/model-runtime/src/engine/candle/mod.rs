//! Encoders through candle: embeddings of BERT's and XLM-R's shape (BGE, GTE, E5, MiniLM), and cross-encoders that rerank.
//!
//! Texts of a job are run longest first in batches of a bounded number of tokens. Tokenising and computing share one pool
//! of threads. A job whose caller has gone ends after the batch that runs.

mod batches;
mod model;
mod settings;

use std::path::Path;
use std::sync::Arc;

use anwen_contract::model::ModelCapabilities;
use anwen_models::{ModelFiles, Weights};
use async_trait::async_trait;
use tokenizers::{Encoding, Tokenizer, TruncationParams};
use tokio_util::sync::CancellationToken;

use super::{EmbedInput, EmbedJob, Embeddings, Engine};
use crate::config::Config;
use crate::error::RuntimeError;
use model::{EncoderModel, Tokens};
use settings::{EncoderSettings, Pooling, Purpose};

/// Jobs that run at the same time: a question need not wait for the end of a long one.
const CONCURRENT_JOBS: usize = 2;

/// An encoder in memory.
struct Encoder {
    model: EncoderModel,
    tokenizer: Tokenizer,
    purpose: Purpose,
    max_tokens: usize,
    /// Tokens of one batch, the padding included.
    batch_tokens: usize,
}

/// The engine of encoders.
pub struct CandleEngine {
    encoder: Arc<Encoder>,
}

impl CandleEngine {
    /// Loads the weights. Takes as long as reading them does.
    pub async fn load(files: &ModelFiles, config: &Config) -> Result<Self, RuntimeError> {
        let failed = |cause: String| RuntimeError::LoadFailed { model: files.name.clone(), cause };
        let Weights::Encoder { folder } = files.weights.clone() else {
            return Err(failed("an encoder in Hugging Face's layout was expected".to_owned()));
        };
        let batch_tokens = config.encoder_batch_tokens;
        let encoder = tokio::task::spawn_blocking(move || Encoder::load(&folder, batch_tokens))
            .await
            .map_err(|cause| failed(cause.to_string()))?
            .map_err(failed)?;
        Ok(Self { encoder: Arc::new(encoder) })
    }

    /// Runs `work` where blocking is allowed; it is told when the caller has gone.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Encoder, &CancellationToken) -> Result<T, RuntimeError> + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let cancelled = CancellationToken::new();
        let _when_dropped = cancelled.clone().drop_guard();
        let encoder = Arc::clone(&self.encoder);
        tokio::task::spawn_blocking(move || work(&encoder, &cancelled))
            .await
            .map_err(RuntimeError::internal)?
    }
}

impl Encoder {
    fn load(folder: &Path, batch_tokens: usize) -> Result<Self, String> {
        let settings = EncoderSettings::read(folder)?;
        let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json"))
            .map_err(|cause| format!("tokenizer.json is not valid: {cause}"))?;
        let truncation = TruncationParams { max_length: settings.max_tokens, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|cause| cause.to_string())?;
        tokenizer.with_padding(None);
        let model = EncoderModel::load(folder, &settings)?;
        let (purpose, max_tokens) = (settings.purpose, settings.max_tokens);
        Ok(Self { model, tokenizer, purpose, max_tokens, batch_tokens })
    }

    /// The tokens of each input, cut at what the model reads.
    fn encode(&self, inputs: Vec<EmbedInput>) -> Result<Vec<Encoding>, RuntimeError> {
        let vocabulary = self.tokenizer.get_vocab_size(true);
        let (mut texts, mut encodings, mut places) =
            (Vec::new(), Vec::with_capacity(inputs.len()), Vec::new());
        for input in inputs {
            match input {
                EmbedInput::Text(text) => {
                    places.push(encodings.len());
                    texts.push(text);
                    encodings.push(Encoding::default());
                }
                EmbedInput::Tokens(ids) => {
                    if let Some(unknown) = ids.iter().find(|id| **id as usize >= vocabulary) {
                        return Err(RuntimeError::Invalid(format!(
                            "the token {unknown} is not in the model's vocabulary of {vocabulary}"
                        )));
                    }
                    let bare = encoding_of(ids);
                    encodings
                        .push(self.tokenizer.post_process(bare, None, true).map_err(RuntimeError::internal)?);
                }
            }
        }
        let read = self.tokenizer.encode_batch_fast(texts, true).map_err(RuntimeError::internal)?;
        for (place, encoding) in places.into_iter().zip(read) {
            encodings[place] = encoding;
        }
        Ok(encodings)
    }

    /// Runs texts through the model in batches; `put` takes a batch's texts and what the model said of them.
    fn in_batches(
        &self,
        encodings: &[Encoding],
        cancelled: &CancellationToken,
        mut run: impl FnMut(&[usize], &[&Tokens]) -> Result<(), RuntimeError>,
    ) -> Result<(), RuntimeError> {
        let tokens: Vec<Tokens> = encodings
            .iter()
            .map(|encoding| Tokens {
                ids: encoding.get_ids().to_vec(),
                type_ids: encoding.get_type_ids().to_vec(),
            })
            .collect();
        let lengths: Vec<usize> = tokens.iter().map(|tokens| tokens.ids.len()).collect();
        let order = batches::by_length(&lengths);
        for batch in batches::within_budget(order.iter().map(|&text| lengths[text]), self.batch_tokens) {
            if cancelled.is_cancelled() {
                return Err(RuntimeError::internal("the caller has gone"));
            }
            let texts = &order[batch];
            let batch: Vec<&Tokens> = texts.iter().map(|&text| &tokens[text]).collect();
            run(texts, &batch)?;
        }
        Ok(())
    }

    fn embed(&self, job: EmbedJob, cancelled: &CancellationToken) -> Result<Embeddings, RuntimeError> {
        let Purpose::Embed { pooling, normalize } = self.purpose else {
            return Err(RuntimeError::Invalid("this model reranks and does not embed".to_owned()));
        };
        let full = self.model.hidden;
        let dimensions = job.dimensions.unwrap_or(full);
        if dimensions == 0 || dimensions > full {
            return Err(RuntimeError::Invalid(format!("dimensions must be between 1 and {full}")));
        }
        let encodings = self.encode(job.inputs)?;
        let mut values = vec![0.0; encodings.len() * dimensions];
        self.in_batches(&encodings, cancelled, |texts, batch| {
            let vectors = self.vectors(batch, pooling)?;
            for (text, vector) in texts.iter().zip(vectors.chunks_exact(full)) {
                let out = &mut values[text * dimensions..][..dimensions];
                out.copy_from_slice(&vector[..dimensions]);
                if normalize || dimensions < full {
                    scale_to_length_one(out);
                }
            }
            Ok(())
        })?;
        let truncated =
            encodings.iter().enumerate().filter(|(_, encoding)| !encoding.get_overflowing().is_empty());
        Ok(Embeddings {
            dimensions,
            values,
            tokens: encodings.iter().map(Encoding::len).sum(),
            truncated: truncated.map(|(text, _)| text).collect(),
        })
    }

    fn vectors(&self, batch: &[&Tokens], pooling: Pooling) -> Result<Vec<f32>, RuntimeError> {
        // A text without a token, of a tokenizer that adds none, has the vector of nothing.
        if batch.iter().all(|tokens| tokens.ids.is_empty()) {
            return Ok(vec![0.0; batch.len() * self.model.hidden]);
        }
        self.model.embed(batch, pooling).map_err(failed)
    }

    fn rerank(
        &self,
        query: &str,
        documents: Vec<String>,
        cancelled: &CancellationToken,
    ) -> Result<Vec<f32>, RuntimeError> {
        let Purpose::Rerank { sigmoid } = self.purpose else {
            return Err(RuntimeError::Invalid("this model embeds and does not rerank".to_owned()));
        };
        let pairs: Vec<(String, String)> =
            documents.into_iter().map(|document| (query.to_owned(), document)).collect();
        let encodings = self.tokenizer.encode_batch_fast(pairs, true).map_err(RuntimeError::internal)?;
        let mut scores = vec![0.0; encodings.len()];
        self.in_batches(&encodings, cancelled, |texts, batch| {
            for (text, score) in texts.iter().zip(self.model.score(batch).map_err(failed)?) {
                scores[*text] = if sigmoid { 1.0 / (1.0 + (-score).exp()) } else { score };
            }
            Ok(())
        })?;
        Ok(scores)
    }
}

fn failed(cause: candle_core::Error) -> RuntimeError {
    RuntimeError::GenerationFailed { cause: cause.to_string() }
}

/// Tokens as the tokenizer's own, before it adds those in front and behind.
fn encoding_of(ids: Vec<u32>) -> Encoding {
    let tokens = ids.into_iter().map(|id| tokenizers::Token { id, value: String::new(), offsets: (0, 0) });
    Encoding::from_tokens(tokens.collect(), 0)
}

fn scale_to_length_one(vector: &mut [f32]) {
    /// Keeps the zero vector finite.
    const LEAST_LENGTH: f32 = 1e-12;
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(LEAST_LENGTH);
    vector.iter_mut().for_each(|value| *value /= length);
}

#[async_trait]
impl Engine for CandleEngine {
    fn name(&self) -> &'static str {
        "candle"
    }

    fn capabilities(&self) -> ModelCapabilities {
        let embed = matches!(self.encoder.purpose, Purpose::Embed { .. });
        ModelCapabilities { embed, rerank: !embed, ..ModelCapabilities::default() }
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.encoder.max_tokens)
    }

    fn dimensions(&self) -> Option<usize> {
        matches!(self.encoder.purpose, Purpose::Embed { .. }).then_some(self.encoder.model.hidden)
    }

    fn concurrency(&self) -> usize {
        CONCURRENT_JOBS
    }

    fn memory_bytes(&self) -> u64 {
        self.encoder.model.bytes
    }

    async fn tokenize(&self, text: &str) -> Result<Vec<u32>, RuntimeError> {
        let text = text.to_owned();
        self.run(move |encoder, _| {
            // Without the bound: this counts.
            let mut tokenizer = encoder.tokenizer.clone();
            tokenizer.with_truncation(None).map_err(RuntimeError::internal)?;
            let encoding = tokenizer.encode_fast(text, false).map_err(RuntimeError::internal)?;
            Ok(encoding.get_ids().to_vec())
        })
        .await
    }

    async fn embed(&self, job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        self.run(move |encoder, cancelled| encoder.embed(job, cancelled)).await
    }

    async fn rerank(&self, query: &str, documents: &[String]) -> Result<Vec<f32>, RuntimeError> {
        let (query, documents) = (query.to_owned(), documents.to_vec());
        self.run(move |encoder, cancelled| encoder.rerank(&query, documents, cancelled)).await
    }
}
