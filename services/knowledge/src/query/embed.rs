//! Passages and questions made into vectors by the model runtime.

use crate::access::store::SearchableBase;
use crate::index::SpaceName;
use crate::ingest::pipeline::EmbedPassages;
use crate::retrieve::{EmbedQuery, RetrieveError};
use anwen_contract::client::{CallContext, ModelClient};
use anwen_contract::{ApiError, Asker, UserId};
use async_trait::async_trait;
use moka::future::Cache;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use uuid::Uuid;

/// Asks the model runtime for vectors, in this service's own name.
#[derive(Clone)]
pub struct ModelEmbedder {
    models: ModelClient,
    timeout: Duration,
}

impl ModelEmbedder {
    pub fn new(models: ModelClient, timeout: Duration) -> Self {
        Self { models, timeout }
    }

    fn context(&self) -> CallContext {
        let nobody = Asker {
            user_id: UserId(Uuid::nil()),
            groups: vec![],
            is_admin: false,
            only_knowledge_bases: None,
        };
        CallContext::new(nobody, Uuid::now_v7().simple().to_string()).within(self.timeout)
    }
}

#[async_trait]
impl EmbedPassages for ModelEmbedder {
    async fn embed(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, ApiError> {
        self.models.embed(&self.context(), model, texts).await
    }
}

/// Embeds questions; the same question soon after costs nothing.
pub struct QuestionEmbedder {
    embedder: Arc<dyn EmbedPassages>,
    /// Which model made each space. Filled from the knowledge bases that are searched.
    models: RwLock<HashMap<String, String>>,
    cache: Cache<(String, String), Arc<Vec<f32>>>,
}

impl QuestionEmbedder {
    pub fn new(embedder: Arc<dyn EmbedPassages>, cached_questions: u64) -> Self {
        Self { embedder, models: RwLock::default(), cache: Cache::new(cached_questions) }
    }

    /// Learns which model made the spaces of these knowledge bases.
    pub fn remember(&self, bases: &[SearchableBase]) {
        let unknown = |base: &&SearchableBase| {
            let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
            base.space.as_ref().is_some_and(|space| !models.contains_key(space))
        };
        for base in bases.iter().filter(unknown) {
            if let Some(space) = &base.space {
                let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
                models.insert(space.clone(), base.embedding_model.clone());
            }
        }
    }

    fn model_of(&self, space: &SpaceName) -> Option<String> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).get(space.as_str()).cloned()
    }
}

#[async_trait]
impl EmbedQuery for QuestionEmbedder {
    async fn embed_query(&self, space: &SpaceName, text: &str) -> Result<Vec<f32>, RetrieveError> {
        let key = (space.as_str().to_owned(), text.to_owned());
        if let Some(vector) = self.cache.get(&key).await {
            return Ok(vector.to_vec());
        }
        let model = self
            .model_of(space)
            .ok_or_else(|| RetrieveError::Embed(format!("no model is known for {space}")))?;
        let vectors = self.embedder.embed(&model, &[text.to_owned()]).await;
        let vectors = vectors.map_err(|failure| RetrieveError::Embed(failure.to_string()))?;
        let vector = vectors
            .into_iter()
            .next()
            .ok_or_else(|| RetrieveError::Embed("the model answered no embedding".to_owned()))?;
        self.cache.insert(key, Arc::new(vector.clone())).await;
        Ok(vector)
    }
}
