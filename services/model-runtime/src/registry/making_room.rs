//! Loading a model within the memory that there is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anwen_models::estimate;
use anwen_platform::memory::Machine;

use super::room::{Hold, Need, Plan, Resident, largest_context, plan};
use super::{LoadedModel, ModelFiles, Registry, Weights};
use crate::config::{Config, KeyValueType};
use crate::engine::load::engine_for;
use crate::error::RuntimeError;

/// Bits of a number in the cache of keys and values: whole ones, and blocks of 32 with their scale.
const F16_BITS: u64 = 16;
const Q8_0_BITS: u64 = 9;
/// Ollama's name for the size of the context.
pub(super) const CONTEXT_OPTION: &str = "num_ctx";

impl Registry {
    /// Unloads models until `files` fit, and says what they will take. Waits for busy models that would make room, at most
    /// as long as a request may wait in a queue. [`RuntimeError::TooLarge`] when they will never fit.
    pub(super) async fn make_room(self: &Arc<Self>, files: &ModelFiles) -> Result<u64, RuntimeError> {
        if matches!(files.weights, Weights::StaticEmbedding { .. }) {
            return Ok(files.size_bytes);
        }
        let (reckoned, config) = (files.clone(), Arc::clone(&self.config));
        let bytes =
            tokio::task::spawn_blocking(move || needed(&reckoned, &config, context_of(&reckoned, &config)))
                .await
                .map_err(RuntimeError::internal)?;
        let deadline = tokio::time::Instant::now() + self.config.queue_timeout();
        loop {
            // Before looking: one that becomes idle in between must not be missed.
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            let need = Need {
                bytes,
                available_bytes: self.available_bytes(),
                max_models: self.config.max_loaded_models,
            };
            match plan(need, &self.residents(Instant::now())) {
                Plan::Load { unload } => {
                    for name in unload {
                        tracing::info!(model = name, for_model = files.name, "model unloaded to make room");
                        // Freed outside the lock: that may take a while.
                        drop(self.with_slot(&name, |slot| slot.loaded.take()));
                    }
                    return Ok(bytes);
                }
                Plan::Wait => {
                    if tokio::time::timeout_at(deadline, idle).await.is_err() {
                        let waiting = self.residents(Instant::now()).len();
                        let retry_after = Duration::from_secs(1);
                        return Err(RuntimeError::Busy { model: files.name.clone(), waiting, retry_after });
                    }
                }
                Plan::TooLarge { available_bytes } => {
                    return Err(self.too_large(files, bytes, available_bytes).await);
                }
                Plan::TooMany => {
                    return Err(RuntimeError::Invalid(format!(
                        "{} models that stay loaded are as many as `max_loaded_models` allows; unpin or unload one",
                        self.config.max_loaded_models
                    )));
                }
            }
        }
    }

    async fn too_large(&self, files: &ModelFiles, needed_bytes: u64, available_bytes: u64) -> RuntimeError {
        let context_tokens = context_of(files, &self.config);
        let (reckoned, config) = (files.clone(), Arc::clone(&self.config));
        let fitting = tokio::task::spawn_blocking(move || {
            largest_context(context_tokens, available_bytes, |context| needed(&reckoned, &config, context))
        });
        let advice = match fitting.await {
            Ok(Some(tokens)) => format!("a context of {tokens} tokens would fit (num_ctx)"),
            _ => "no context would fit: take a coarser quantisation or a smaller model".to_owned(),
        };
        RuntimeError::TooLarge {
            model: files.name.clone(),
            needed_bytes,
            available_bytes,
            context_tokens,
            advice,
        }
    }

    /// Bytes that one more model may take while all loaded ones stay.
    ///
    /// Two bounds: what the limit leaves when every loaded model uses all that was reckoned for it (mapped weights show as
    /// free memory until they are read), and what the system says is free (other programs need memory too).
    fn available_bytes(&self) -> u64 {
        let reserve = self.config.memory_reserve_bytes;
        let Some(machine) = Machine::read() else {
            return match self.config.memory_limit_bytes {
                0 => u64::MAX,
                limit => limit.saturating_sub(reserve).saturating_sub(self.resident_bytes()),
            };
        };
        let limit = match self.config.memory_limit_bytes {
            0 => machine.limit_bytes,
            limit => limit.min(machine.limit_bytes),
        };
        let left = limit.saturating_sub(reserve).saturating_sub(self.resident_bytes());
        left.min(machine.available_bytes.saturating_sub(reserve))
    }

    fn resident_bytes(&self) -> u64 {
        self.heavy().iter().map(|model| model.memory_bytes().max(model.estimated_bytes)).sum()
    }

    fn heavy(&self) -> Vec<Arc<LoadedModel>> {
        self.loaded().into_iter().filter(|model| model.is_heavy()).collect()
    }

    fn residents(&self, now: Instant) -> Vec<Resident> {
        let heavy = self.heavy();
        let resident = |model: &Arc<LoadedModel>| Resident {
            name: model.name.clone(),
            bytes: model.memory_bytes().max(model.estimated_bytes),
            last_used: model.last_used(),
            hold: match model.time_left(now) {
                _ if model.is_pinned() => Hold::Stays,
                _ if !model.admission.is_idle() => Hold::Busy,
                None => Hold::Kept,
                Some(Duration::ZERO) => Hold::Expired,
                Some(_) => Hold::Idle,
            },
        };
        heavy.iter().map(resident).collect()
    }
}

/// The context that a model is loaded with.
fn context_of(files: &ModelFiles, config: &Config) -> u64 {
    let set = files.settings.parameters.get(CONTEXT_OPTION).and_then(serde_json::Value::as_u64);
    let wanted = set.unwrap_or(config.context_tokens as u64);
    files.context_tokens.map_or(wanted, |trained_for| trained_for.min(wanted))
}

/// Bytes that `files` take with a context of so many tokens, as their engine lays it out. Reads their headers.
fn needed(files: &ModelFiles, config: &Config, context_tokens: u64) -> u64 {
    let chats = config.concurrent_chats as u64;
    let reckoned = match engine_for(files) {
        // A stream for each conversation that runs, and what is kept beside them.
        Some("llamacpp") => {
            let settings = &config.llamacpp;
            let together = (settings.pool_tokens as u64 / context_tokens.max(1)).clamp(1, chats.max(1));
            let bits = match settings.key_value_type {
                KeyValueType::F16 => F16_BITS,
                KeyValueType::Q8_0 => Q8_0_BITS,
            };
            let reckoned = estimate(files, context_tokens, together, bits);
            let each = reckoned.kv_cache_bytes / together;
            let kept = each.saturating_mul(settings.kept_chats as u64).min(settings.kept_bytes as u64);
            return reckoned.total_bytes.saturating_add(kept);
        }
        // Encoders keep nothing from one text to the next.
        Some("candle") => estimate(files, context_tokens, 1, F16_BITS),
        _ => estimate(files, context_tokens, chats, F16_BITS),
    };
    reckoned.total_bytes
}
