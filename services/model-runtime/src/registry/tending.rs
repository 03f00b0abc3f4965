//! Unloading models that nobody asks for, and those whose files have changed.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{LoadedModel, Registry};
use anwen_platform::publish_disk;

/// How often the models are looked after when nothing happens.
const TEND_INTERVAL: Duration = Duration::from_secs(1);
/// How often their files are looked at.
const FILES_INTERVAL: Duration = Duration::from_secs(10);

impl Registry {
    /// Looks after the models until the registry is gone.
    pub(crate) fn spawn_tending(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        tokio::spawn(async move { tend_while_alive(weak).await });
    }

    /// Unloads idle models whose time is over, and reports the memory of the others.
    pub fn unload_expired(&self) {
        let now = Instant::now();
        self.unload_idle("its time is over", |model| model.time_left(now) == Some(Duration::ZERO));
        for model in self.loaded() {
            metrics::gauge!("anwen_model_memory_bytes", "model" => model.name.clone())
                .set(model.memory_bytes() as f64);
        }
    }

    /// Unloads idle models whose files have changed or gone, so that the next request loads what is there now.
    pub async fn unload_changed(self: &Arc<Self>) {
        if self.loaded().iter().all(|model| self.is_builtin(&model.name)) {
            return;
        }
        let registry = Arc::clone(self);
        let Ok(on_disk) = tokio::task::spawn_blocking(move || registry.scan()).await else { return };
        self.unload_idle("its files have changed", |model| {
            let Some(loaded) = &model.files else { return false };
            on_disk
                .iter()
                .find(|files| files.name == loaded.name)
                .is_none_or(|files| files.fingerprint() != loaded.fingerprint())
        });
    }

    fn unload_idle(&self, why: &str, is_due: impl Fn(&LoadedModel) -> bool) {
        let mut unloaded = Vec::new();
        for slot in self.lock().values_mut() {
            // Only the slot holds it: a request that has got the model but not entered its queue yet counts as use.
            let is_due = slot.loaded.as_ref().is_some_and(|model| {
                Arc::strong_count(model) == 1 && model.admission.is_idle() && is_due(model)
            });
            if is_due {
                unloaded.extend(slot.loaded.take());
            }
        }
        for model in unloaded {
            tracing::info!(model = model.name, why, "model unloaded");
            metrics::gauge!("anwen_model_memory_bytes", "model" => model.name.clone()).set(0.0);
        }
    }
}

async fn tend_while_alive(registry: Weak<Registry>) {
    let mut files_looked_at = Instant::now();
    loop {
        let Some(idle) = registry.upgrade().map(|registry| Arc::clone(&registry.idle)) else { return };
        // A model that has just become idle may have to go at once.
        let _ = tokio::time::timeout(TEND_INTERVAL, idle.notified()).await;
        let Some(registry) = registry.upgrade() else { return };
        registry.unload_expired();
        if files_looked_at.elapsed() >= FILES_INTERVAL {
            files_looked_at = Instant::now();
            publish_disk("models", registry.store.directory());
            registry.unload_changed().await;
        }
    }
}
