//! Looking up in SQL what the indexes found.

use crate::documents::chunks::store::live;
use crate::index::SearchScope;
use crate::retrieve::{HydrateChunks, LiveChunk, RetrieveError};
use crate::store::reader;
use anwen_contract::ChunkId;
use anwen_platform::{Database, DbError};
use async_trait::async_trait;

/// Chunks as SQL has them now.
pub struct SqlChunks {
    database: Database,
}

impl SqlChunks {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn read(&self, chunk_ids: &[ChunkId], scope: &SearchScope) -> Result<Vec<LiveChunk>, DbError> {
        live(&mut *reader(&self.database).await?, chunk_ids, scope).await
    }
}

#[async_trait]
impl HydrateChunks for SqlChunks {
    async fn hydrate(
        &self,
        chunk_ids: &[ChunkId],
        scope: &SearchScope,
    ) -> Result<Vec<LiveChunk>, RetrieveError> {
        self.read(chunk_ids, scope).await.map_err(|cause| RetrieveError::Hydrate(cause.to_string()))
    }
}
