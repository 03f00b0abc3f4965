//! One embedding space: a Qdrant Edge shard in a folder of its own.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use anwen_contract::{ChunkId, DocumentId, VersionId};
use qdrant_edge::{
    CreateIndex, Distance, EdgeConfig as ShardConfig, EdgeOptimizersConfig, EdgeShard, EdgeVectorParams,
    FieldIndexOperations, Filter, HnswIndexConfig, JsonPath, NamedQuery, OperationError, Payload,
    PayloadFieldSchema, PayloadSchemaParams, PointId, PointInsertOperations, PointOperations, PointStruct,
    PointStructPersisted, QueryEnum, ScoredPoint, ScrollRequest, SearchRequest, UpdateOperation,
    UuidIndexParams, VectorInternal, WalOptions, WithPayloadInterface,
};
use serde_json::{Value, json};

use super::{ENGINE, EdgeConfig};
use crate::index::worker::catch;
use crate::index::{ChunkScore, IndexError, IndexedChunk, SearchScope, Selection, SpaceName, check_vector};

/// Points of one update; larger ones are cut, which bounds a record of the write-ahead log to about 1 MB.
pub(super) const MAX_BATCH_POINTS: usize = 256;
/// Name of the one vector of a point.
const VECTOR: &str = "text";
/// Vectors of one segment up to this size, in KB, are searched one by one; above it a graph is built.
const GRAPH_THRESHOLD_KB: usize = 20_000;
/// A segment that has reached this size is not merged any more.
const MAX_SEGMENT_KB: usize = 1_000_000;
/// One file of the write-ahead log.
const LOG_FILE_BYTES: usize = 8 << 20;
/// Edge never shortens its write-ahead log; beyond this many closed files it is done here.
const MAX_LOG_FILES: usize = 8;
/// Where Edge builds segments; what a crash left there is of no use.
const UNFINISHED_SEGMENTS: &str = "temp_segments";

const KNOWLEDGE_BASE: &str = "kb";
const DOCUMENT: &str = "doc";
const VERSION: &str = "ver";

/// A shard and what is known of it.
pub(super) struct Space {
    name: SpaceName,
    folder: PathBuf,
    dimension: usize,
    config: EdgeConfig,
    /// `None` once removed, and when opening it again has failed. Written only by the owner's thread, for moments;
    /// searches and changes read.
    shard: RwLock<Option<EdgeShard>>,
    /// Points changed since the last optimisation.
    changes: AtomicUsize,
}

/// Opens every space of `directory`.
pub(super) fn open_all(
    directory: &Path,
    config: &EdgeConfig,
) -> Result<HashMap<SpaceName, std::sync::Arc<Space>>, IndexError> {
    let mut spaces = HashMap::new();
    for entry in std::fs::read_dir(directory)? {
        let folder = entry?.path();
        let name =
            folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<SpaceName>().ok());
        if let Some(name) = name.filter(|_| folder.is_dir()) {
            spaces.insert(name.clone(), std::sync::Arc::new(Space::open(folder, name, config)?));
        }
    }
    Ok(spaces)
}

impl Space {
    pub fn create(
        directory: &Path,
        name: SpaceName,
        dimension: usize,
        config: &EdgeConfig,
    ) -> Result<Self, IndexError> {
        let folder = directory.join(name.as_str());
        std::fs::create_dir_all(&folder)?;
        let shard = engine(|| EdgeShard::new(&folder, shard_config(dimension, config)))?;
        for field in [KNOWLEDGE_BASE, DOCUMENT, VERSION] {
            engine(|| shard.update(create_field_index(field)?))?;
        }
        Ok(Self::with_shard(folder, name, dimension, config, shard))
    }

    fn open(folder: PathBuf, name: SpaceName, config: &EdgeConfig) -> Result<Self, IndexError> {
        let unfinished = folder.join(UNFINISHED_SEGMENTS);
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)?;
        }
        let shard = engine(|| EdgeShard::load(&folder, None))?;
        let dimension = shard.config().vectors.get(VECTOR).map(|params| params.size).ok_or_else(|| {
            IndexError::Engine { engine: ENGINE, message: format!("space {name} has no vector {VECTOR}") }
        })?;
        Ok(Self::with_shard(folder, name, dimension, config, shard))
    }

    fn with_shard(
        folder: PathBuf,
        name: SpaceName,
        dimension: usize,
        config: &EdgeConfig,
        shard: EdgeShard,
    ) -> Self {
        let (shard, config) = (RwLock::new(Some(shard)), config.clone());
        Self { name, folder, dimension, config, shard, changes: AtomicUsize::new(0) }
    }

    pub fn check_dimension(&self, found: usize) -> Result<(), IndexError> {
        if self.dimension == found {
            return Ok(());
        }
        Err(IndexError::Dimension { space: self.name.clone(), expected: self.dimension, found })
    }

    pub fn check_vector(&self, vector: &[f32]) -> Result<(), IndexError> {
        check_vector(&self.name, self.dimension, vector)
    }

    /// Points changed since the last optimisation.
    pub fn changes(&self) -> usize {
        self.changes.load(Ordering::Relaxed)
    }

    pub fn upsert(&self, points: Vec<PointStructPersisted>) -> Result<(), IndexError> {
        let count = points.len();
        let insert = PointInsertOperations::PointsList(points);
        self.update(UpdateOperation::PointOperation(PointOperations::UpsertPoints(insert)))?;
        self.changes.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    pub fn delete(&self, selection: &Selection) -> Result<(), IndexError> {
        let count = self.count(selection)?;
        if count == 0 {
            return Ok(());
        }
        let delete = match selection {
            Selection::Chunks(ids) => {
                PointOperations::DeletePoints { ids: ids.iter().map(|id| PointId::Uuid(id.0)).collect() }
            }
            _ => PointOperations::DeletePointsByFilter(selection_filter(selection)?),
        };
        self.update(UpdateOperation::PointOperation(delete))?;
        self.changes.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Counts different ids: after a crash during an optimisation a point can be in two segments for a while.
    pub fn count(&self, selection: &Selection) -> Result<usize, IndexError> {
        let filter = selection_filter(selection)?;
        self.with(|shard| {
            let request = ScrollRequest {
                limit: Some(shard.info().points_count.max(1)),
                filter: Some(filter),
                with_payload: Some(WithPayloadInterface::Bool(false)),
                ..ScrollRequest::default()
            };
            Ok(shard.scroll(request)?.0.len())
        })
    }

    pub fn search(
        &self,
        vector: Vec<f32>,
        scope: &SearchScope,
        limit: usize,
    ) -> Result<Vec<ChunkScore>, IndexError> {
        let filter = scope_filter(scope)?;
        let payload = [DOCUMENT, VERSION].map(json_path);
        let [document, version] = payload;
        let fields = vec![document?, version?];
        let points = self.with(|shard| {
            shard.search(SearchRequest {
                query: QueryEnum::Nearest(NamedQuery::new(VectorInternal::from(vector), VECTOR)),
                filter: Some(filter),
                params: None,
                limit,
                offset: 0,
                with_payload: Some(WithPayloadInterface::Fields(fields)),
                with_vector: None,
                score_threshold: None,
            })
        })?;
        points.into_iter().map(chunk_score).collect()
    }

    /// Makes all changes durable, and shortens the write-ahead log when it has grown.
    pub fn flush(&self) -> Result<(), IndexError> {
        self.with(|shard| {
            shard.flush();
            Ok(())
        })?;
        if closed_log_files(&self.folder)?.len() > MAX_LOG_FILES {
            self.reopen_with_short_log()?;
        }
        Ok(())
    }

    /// Merges small segments, drops deleted points and builds graphs. Takes about 0.4 s for 1,000 points of 512
    /// numbers on one core where a graph is due; searches go on.
    pub fn optimize(&self) -> Result<(), IndexError> {
        self.changes.store(0, Ordering::Relaxed);
        self.with(|shard| {
            // New segments go to disk with the numbers of the operations in them. Were the log to lose those in a
            // power failure, it would count from before them, and later changes would be taken for old ones.
            shard.flush();
            shard.optimize().map(|_| ())
        })
    }

    /// Closes the shard and deletes its files.
    pub fn remove(&self) -> Result<(), IndexError> {
        let shard = self.shard.write().unwrap_or_else(PoisonError::into_inner).take();
        engine(|| {
            drop(shard);
            Ok(())
        })?;
        std::fs::remove_dir_all(&self.folder)?;
        Ok(())
    }

    fn update(&self, operation: UpdateOperation) -> Result<(), IndexError> {
        self.with(|shard| shard.update(operation))
    }

    fn with<T>(&self, work: impl FnOnce(&EdgeShard) -> Result<T, OperationError>) -> Result<T, IndexError> {
        let guard: RwLockReadGuard<'_, Option<EdgeShard>> =
            self.shard.read().unwrap_or_else(PoisonError::into_inner);
        let shard = guard.as_ref().ok_or_else(|| IndexError::UnknownSpace(self.name.clone()))?;
        engine(|| work(shard))
    }

    /// Everything has just been flushed, so no record of the log is needed; the last file tells Edge where to go on
    /// counting.
    fn reopen_with_short_log(&self) -> Result<(), IndexError> {
        let mut guard = self.shard.write().unwrap_or_else(PoisonError::into_inner);
        let closed = guard.take();
        engine(|| {
            drop(closed);
            Ok(())
        })?;
        let mut files = closed_log_files(&self.folder)?;
        files.pop();
        for (_, file) in files {
            std::fs::remove_file(file)?;
        }
        *guard =
            Some(engine(|| EdgeShard::load(&self.folder, Some(shard_config(self.dimension, &self.config))))?);
        Ok(())
    }
}

/// The closed files of the write-ahead log, oldest first.
fn closed_log_files(folder: &Path) -> Result<Vec<(u64, PathBuf)>, IndexError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join("wal"))? {
        let path = entry?.path();
        let start =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix("closed-"));
        if let Some(start) = start.and_then(|start| start.parse().ok()) {
            files.push((start, path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn shard_config(dimension: usize, config: &EdgeConfig) -> ShardConfig {
    let hnsw = HnswIndexConfig {
        max_indexing_threads: config.max_indexing_threads,
        on_disk: Some(true),
        ..HnswIndexConfig::default()
    };
    let optimizers = EdgeOptimizersConfig {
        default_segment_number: Some(1),
        max_segment_size: Some(MAX_SEGMENT_KB),
        indexing_threshold: Some(GRAPH_THRESHOLD_KB),
        ..EdgeOptimizersConfig::default()
    };
    let log = WalOptions {
        segment_capacity: LOG_FILE_BYTES,
        segment_queue_len: 0,
        retain_closed: NonZeroUsize::MIN,
    };
    ShardConfig::builder()
        .on_disk_payload(true)
        .vector(VECTOR, EdgeVectorParams::builder(dimension, Distance::Cosine).on_disk(true).build())
        .hnsw_config(hnsw)
        .optimizers(optimizers)
        .wal_options(log)
        .build()
}

fn create_field_index(field: &str) -> Result<UpdateOperation, OperationError> {
    let params = UuidIndexParams {
        is_tenant: Some(field == KNOWLEDGE_BASE),
        on_disk: Some(true),
        ..UuidIndexParams::default()
    };
    let field_name = field.parse().map_err(|()| OperationError::service_error("field name"))?;
    let field_schema = Some(PayloadFieldSchema::FieldParams(PayloadSchemaParams::Uuid(params)));
    let create = CreateIndex { field_name, field_schema };
    Ok(UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(create)))
}

/// The chunk as a point.
pub(super) fn point(chunk: &IndexedChunk) -> PointStructPersisted {
    let payload = json!({
        KNOWLEDGE_BASE: chunk.knowledge_base_id,
        DOCUMENT: chunk.document_id,
        VERSION: chunk.version_id,
    });
    let vectors = qdrant_edge::Vectors::new_named([(VECTOR, chunk.vector.clone())]);
    PointStruct::new(PointId::Uuid(chunk.chunk_id.0), vectors, payload).into()
}

fn selection_filter(selection: &Selection) -> Result<Filter, IndexError> {
    filter(match selection {
        Selection::Chunks(ids) => json!({"must": [{"has_id": ids}]}),
        Selection::Version(id) => json!({"must": [{"key": VERSION, "match": {"value": id}}]}),
        Selection::Document(id) => json!({"must": [{"key": DOCUMENT, "match": {"value": id}}]}),
        Selection::KnowledgeBase(id) => json!({"must": [{"key": KNOWLEDGE_BASE, "match": {"value": id}}]}),
    })
}

fn scope_filter(scope: &SearchScope) -> Result<Filter, IndexError> {
    let mut must = vec![json!({"key": KNOWLEDGE_BASE, "match": {"any": scope.knowledge_base_ids}})];
    if let Some(documents) = &scope.document_ids {
        must.push(json!({"key": DOCUMENT, "match": {"any": documents}}));
    }
    filter(json!({ "must": must }))
}

/// Filters are written in Qdrant's own JSON, which is what its types are made to be read from.
fn filter(json: Value) -> Result<Filter, IndexError> {
    serde_json::from_value(json).map_err(|error| IndexError::Invalid(error.to_string()))
}

fn json_path(field: &str) -> Result<JsonPath, IndexError> {
    field.parse().map_err(|()| IndexError::Invalid(format!("payload field {field}")))
}

fn chunk_score(point: ScoredPoint) -> Result<ChunkScore, IndexError> {
    let corrupt =
        |what: &str| IndexError::Engine { engine: ENGINE, message: format!("{what}, rebuild the index") };
    let PointId::Uuid(chunk_id) = point.id else {
        return Err(corrupt("a point's id is not a chunk's"));
    };
    let payload: Payload = point.payload.unwrap_or_default();
    let id = |field: &str| {
        let text = payload.0.get(field).and_then(Value::as_str).unwrap_or_default();
        uuid::Uuid::parse_str(text).map_err(|_| corrupt("a point has no document or version"))
    };
    Ok(ChunkScore {
        chunk_id: ChunkId(chunk_id),
        document_id: DocumentId(id(DOCUMENT)?),
        version_id: VersionId(id(VERSION)?),
        score: point.score,
    })
}

/// Runs a call of Edge, which panics on some failures (a full disk while flushing) and returns an error on others.
fn engine<T>(work: impl FnOnce() -> Result<T, OperationError>) -> Result<T, IndexError> {
    catch(ENGINE, work)?.map_err(|error| IndexError::Engine { engine: ENGINE, message: error.to_string() })
}
