//! The vector index on a Qdrant server or cluster, over gRPC.
//!
//! One collection for each embedding space, the knowledge base id as tenant key in the payload. What has been reached
//! is a point in a collection of its own, written with `wait` after the changes, which were acknowledged with `wait`
//! too. All replicas of the knowledge service share this index, so one of them follows the log at a time (the
//! follower's lease in SQL sees to that); should two overlap, both write the same points under the same ids.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use anwen_contract::{ChunkId, DocumentId, VersionId};
use async_trait::async_trait;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::vectors_config::Config as VectorsConfigKind;
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder,
    DeletePointsBuilder, Distance, FieldType, Filter, GetPointsBuilder, HnswConfigDiffBuilder, PointId,
    PointStruct, PointsIdsList, QueryPointsBuilder, ScoredPoint, UpsertPointsBuilder, UuidIndexParamsBuilder,
    Value, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use serde_json::json;

use super::{
    ChunkScore, IndexError, IndexedChunk, SearchScope, Selection, SpaceName, VectorIndex, check_vector,
};

const ENGINE: &str = "vector";
/// Points of one request: about 1 MB at 512 numbers a vector.
const MAX_BATCH_POINTS: usize = 256;
/// gRPC status codes that are told apart.
const NOT_FOUND: i32 = 5;
const ALREADY_EXISTS: i32 = 6;

const KNOWLEDGE_BASE: &str = "kb";
const DOCUMENT: &str = "doc";
const VERSION: &str = "ver";
const SEQUENCE: &str = "sequence";

/// Settings of the connection.
#[derive(Clone)]
pub struct ServerConfig {
    /// `http://qdrant:6334`, the gRPC port.
    pub url: String,
    pub api_key: Option<String>,
    /// Collections are named `<prefix>-<space>`, so that installations can share a server.
    pub collection_prefix: SpaceName,
    /// Copies of each shard in a cluster.
    pub replication_factor: u32,
    /// Time for one request.
    pub timeout: Duration,
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ServerConfig").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Vectors on a Qdrant server; see the module's description.
pub struct ServerIndex {
    client: Qdrant,
    prefix: SpaceName,
    replication_factor: u32,
    /// Dimension of the spaces seen so far.
    dimensions: RwLock<HashMap<SpaceName, usize>>,
}

impl ServerIndex {
    /// Makes the client; the first call connects.
    pub fn new(config: &ServerConfig) -> Result<Self, IndexError> {
        let client = Qdrant::from_url(&config.url)
            .api_key(config.api_key.clone())
            .timeout(config.timeout)
            .connect_timeout(config.timeout)
            .keep_alive_while_idle()
            .skip_compatibility_check()
            .build()
            .map_err(engine_error)?;
        let prefix = config.collection_prefix.clone();
        let replication_factor = config.replication_factor.max(1);
        Ok(Self { client, prefix, replication_factor, dimensions: RwLock::default() })
    }

    fn collection(&self, space: &SpaceName) -> String {
        format!("{}-{space}", self.prefix)
    }

    /// `_` cannot follow the prefix of a space's collection, so this is none of them.
    fn state_collection(&self) -> String {
        format!("{}_state", self.prefix)
    }

    /// The collections of all spaces.
    async fn collections(&self) -> Result<Vec<String>, IndexError> {
        let listed = self.client.list_collections().await.map_err(engine_error)?;
        let prefix = format!("{}-", self.prefix);
        Ok(listed
            .collections
            .into_iter()
            .map(|found| found.name)
            .filter(|name| name.starts_with(&prefix))
            .collect())
    }

    /// The dimension of a space, or [`IndexError::UnknownSpace`].
    async fn dimension(&self, space: &SpaceName) -> Result<usize, IndexError> {
        if let Some(&dimension) = self.dimensions.read().unwrap_or_else(PoisonError::into_inner).get(space) {
            return Ok(dimension);
        }
        let info = match self.client.collection_info(self.collection(space)).await {
            Ok(info) => info,
            Err(error) if status_code(&error) == Some(NOT_FOUND) => {
                return Err(IndexError::UnknownSpace(space.clone()));
            }
            Err(error) => return Err(engine_error(error)),
        };
        let vectors = info.result.and_then(|info| info.config?.params?.vectors_config?.config);
        let Some(VectorsConfigKind::Params(params)) = vectors else {
            return Err(corrupt("the collection does not hold one unnamed vector"));
        };
        let dimension = usize::try_from(params.size).map_err(|_| corrupt("the dimension is out of range"))?;
        self.dimensions.write().unwrap_or_else(PoisonError::into_inner).insert(space.clone(), dimension);
        Ok(dimension)
    }

    async fn create_space(&self, space: &SpaceName, dimension: usize) -> Result<(), IndexError> {
        let collection = self.collection(space);
        let size = dimension as u64;
        let create = CreateCollectionBuilder::new(&collection)
            .vectors_config(VectorParamsBuilder::new(size, Distance::Cosine).on_disk(true))
            .hnsw_config(HnswConfigDiffBuilder::default().on_disk(true))
            .replication_factor(self.replication_factor)
            .on_disk_payload(true);
        match self.client.create_collection(create).await {
            Ok(_) => {}
            // Another replica was faster.
            Err(error) if status_code(&error) == Some(ALREADY_EXISTS) => {}
            Err(error) => return Err(engine_error(error)),
        }
        for field in [KNOWLEDGE_BASE, DOCUMENT, VERSION] {
            let params = UuidIndexParamsBuilder::default().is_tenant(field == KNOWLEDGE_BASE).on_disk(true);
            let create = CreateFieldIndexCollectionBuilder::new(&collection, field, FieldType::Uuid)
                .field_index_params(params)
                .wait(true);
            self.client.create_field_index(create).await.map_err(engine_error)?;
        }
        Ok(())
    }

    async fn ensure_state_collection(&self) -> Result<(), IndexError> {
        let create = CreateCollectionBuilder::new(self.state_collection())
            .vectors_config(VectorParamsBuilder::new(1, Distance::Dot))
            .replication_factor(self.replication_factor);
        match self.client.create_collection(create).await {
            Err(error) if status_code(&error) != Some(ALREADY_EXISTS) => Err(engine_error(error)),
            _ => Ok(()),
        }
    }

    async fn write_sequence(&self, sequence: u64) -> Result<(), IndexError> {
        let payload: Payload = json!({ SEQUENCE: sequence.to_string() }).try_into().map_err(engine_error)?;
        let upsert = || {
            let point = PointStruct::new(0, vec![0.0], payload.clone());
            UpsertPointsBuilder::new(self.state_collection(), vec![point]).wait(true)
        };
        match self.client.upsert_points(upsert()).await {
            Ok(_) => Ok(()),
            Err(error) if status_code(&error) == Some(NOT_FOUND) => {
                self.ensure_state_collection().await?;
                self.client.upsert_points(upsert()).await.map(drop).map_err(engine_error)
            }
            Err(error) => Err(engine_error(error)),
        }
    }
}

#[async_trait]
impl VectorIndex for ServerIndex {
    async fn ensure_space(&self, space: &SpaceName, dimension: usize) -> Result<(), IndexError> {
        if dimension == 0 {
            return Err(IndexError::Invalid("an embedding space needs a dimension of 1 or more".to_owned()));
        }
        if let Err(IndexError::UnknownSpace(_)) = self.dimension(space).await {
            self.create_space(space, dimension).await?;
        }
        let expected = self.dimension(space).await?;
        if expected == dimension {
            return Ok(());
        }
        Err(IndexError::Dimension { space: space.clone(), expected, found: dimension })
    }

    async fn drop_space(&self, space: &SpaceName) -> Result<(), IndexError> {
        self.dimensions.write().unwrap_or_else(PoisonError::into_inner).remove(space);
        self.client.delete_collection(self.collection(space)).await.map(drop).map_err(engine_error)
    }

    async fn upsert(&self, space: &SpaceName, chunks: &[IndexedChunk]) -> Result<(), IndexError> {
        let dimension = self.dimension(space).await?;
        for chunk in chunks {
            check_vector(space, dimension, &chunk.vector)?;
        }
        let collection = self.collection(space);
        for batch in chunks.chunks(MAX_BATCH_POINTS) {
            let points = batch.iter().map(point).collect::<Result<Vec<_>, _>>()?;
            let upsert = UpsertPointsBuilder::new(&collection, points).wait(true);
            self.client.upsert_points(upsert).await.map_err(engine_error)?;
        }
        Ok(())
    }

    async fn delete(&self, selection: &Selection) -> Result<(), IndexError> {
        for collection in self.collections().await? {
            let delete = DeletePointsBuilder::new(collection).wait(true);
            let delete = match selection {
                Selection::Chunks(ids) => {
                    delete.points(PointsIdsList { ids: ids.iter().map(point_id).collect() })
                }
                _ => delete.points(selection_filter(selection)),
            };
            self.client.delete_points(delete).await.map_err(engine_error)?;
        }
        Ok(())
    }

    async fn clear(&self) -> Result<(), IndexError> {
        self.write_sequence(0).await?;
        self.dimensions.write().unwrap_or_else(PoisonError::into_inner).clear();
        for collection in self.collections().await? {
            self.client.delete_collection(collection).await.map_err(engine_error)?;
        }
        Ok(())
    }

    async fn count(&self, space: &SpaceName, selection: &Selection) -> Result<usize, IndexError> {
        self.dimension(space).await?;
        let count =
            CountPointsBuilder::new(self.collection(space)).filter(selection_filter(selection)).exact(true);
        let answer = self.client.count(count).await.map_err(engine_error)?;
        let count = answer.result.map_or(0, |result| result.count);
        usize::try_from(count).map_err(|_| corrupt("the count is out of range"))
    }

    async fn search(
        &self,
        space: &SpaceName,
        vector: &[f32],
        scope: &SearchScope,
        limit: usize,
    ) -> Result<Vec<ChunkScore>, IndexError> {
        let dimension = self.dimension(space).await?;
        check_vector(space, dimension, vector)?;
        if scope.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let query = QueryPointsBuilder::new(self.collection(space))
            .query(vector.to_vec())
            .filter(scope_filter(scope))
            .limit(limit as u64)
            .with_payload(true);
        let answer = self.client.query(query).await.map_err(engine_error)?;
        answer.result.into_iter().map(chunk_score).collect()
    }

    async fn flush(&self, sequence: u64) -> Result<(), IndexError> {
        self.write_sequence(sequence).await
    }

    async fn reached_sequence(&self) -> Result<u64, IndexError> {
        let get = GetPointsBuilder::new(self.state_collection(), vec![PointId::from(0)]).with_payload(true);
        let answer = match self.client.get_points(get).await {
            Ok(answer) => answer,
            Err(error) if status_code(&error) == Some(NOT_FOUND) => return Ok(0),
            Err(error) => return Err(engine_error(error)),
        };
        let Some(point) = answer.result.first() else {
            return Ok(0);
        };
        text(&point.payload, SEQUENCE)
            .and_then(|sequence| sequence.parse().ok())
            .ok_or_else(|| corrupt("the sequence is not a number"))
    }

    async fn health(&self) -> Result<(), IndexError> {
        self.client.health_check().await.map(drop).map_err(engine_error)
    }
}

fn point_id(id: &ChunkId) -> PointId {
    PointId::from(id.to_string())
}

fn point(chunk: &IndexedChunk) -> Result<PointStruct, IndexError> {
    let payload: Payload = json!({
        KNOWLEDGE_BASE: chunk.knowledge_base_id,
        DOCUMENT: chunk.document_id,
        VERSION: chunk.version_id,
    })
    .try_into()
    .map_err(engine_error)?;
    Ok(PointStruct::new(point_id(&chunk.chunk_id), chunk.vector.clone(), payload))
}

fn selection_filter(selection: &Selection) -> Filter {
    Filter::must([match selection {
        Selection::Chunks(ids) => Condition::has_id(ids.iter().map(point_id)),
        Selection::Version(id) => Condition::matches(VERSION, id.to_string()),
        Selection::Document(id) => Condition::matches(DOCUMENT, id.to_string()),
        Selection::KnowledgeBase(id) => Condition::matches(KNOWLEDGE_BASE, id.to_string()),
    }])
}

fn scope_filter(scope: &SearchScope) -> Filter {
    let knowledge_bases: Vec<String> = scope.knowledge_base_ids.iter().map(ToString::to_string).collect();
    let mut conditions = vec![Condition::matches(KNOWLEDGE_BASE, knowledge_bases)];
    if let Some(documents) = &scope.document_ids {
        let documents: Vec<String> = documents.iter().map(ToString::to_string).collect();
        conditions.push(Condition::matches(DOCUMENT, documents));
    }
    Filter::must(conditions)
}

fn chunk_score(point: ScoredPoint) -> Result<ChunkScore, IndexError> {
    let chunk_id = match point.id.as_ref().and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Uuid(id)) => parse_id(id)?,
        _ => return Err(corrupt("a point's id is not a chunk's")),
    };
    let id = |field| parse_id(text(&point.payload, field).unwrap_or_default());
    Ok(ChunkScore {
        chunk_id: ChunkId(chunk_id),
        document_id: DocumentId(id(DOCUMENT)?),
        version_id: VersionId(id(VERSION)?),
        score: point.score,
    })
}

fn text<'a>(payload: &'a HashMap<String, Value>, field: &str) -> Option<&'a str> {
    payload.get(field).and_then(Value::as_str).map(String::as_str)
}

fn parse_id(text: &str) -> Result<uuid::Uuid, IndexError> {
    uuid::Uuid::parse_str(text).map_err(|_| corrupt("an id is not a UUID"))
}

fn corrupt(what: &str) -> IndexError {
    IndexError::Engine { engine: ENGINE, message: format!("{what}, rebuild the index") }
}

fn status_code(error: &QdrantError) -> Option<i32> {
    match error {
        QdrantError::ResponseError { status } => Some(status.code() as i32),
        _ => None,
    }
}

fn engine_error(error: QdrantError) -> IndexError {
    IndexError::Engine { engine: ENGINE, message: error.to_string() }
}
