#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::path::Path;

use anwen_contract::{DocumentId, KnowledgeBaseId};
use async_trait::async_trait;

use super::*;
use crate::index::analysis::Analyzer;
use crate::index::{IndexedChunk, LexicalConfig, Selection, SpaceName};
use crate::retrieve::collapse;
use crate::retrieve::testing::live;

/// A vector index that holds a ranking and checks nothing but the knowledge bases.
struct FixedVectors {
    space: SpaceName,
    ranking: Vec<(KnowledgeBaseId, ChunkScore)>,
}

#[async_trait]
impl VectorIndex for FixedVectors {
    async fn ensure_space(&self, _: &SpaceName, _: usize) -> Result<(), IndexError> {
        Ok(())
    }
    async fn drop_space(&self, _: &SpaceName) -> Result<(), IndexError> {
        Ok(())
    }
    async fn upsert(&self, _: &SpaceName, _: &[IndexedChunk]) -> Result<(), IndexError> {
        Ok(())
    }
    async fn delete(&self, _: &Selection) -> Result<(), IndexError> {
        Ok(())
    }
    async fn clear(&self) -> Result<(), IndexError> {
        Ok(())
    }
    async fn count(&self, _: &SpaceName, _: &Selection) -> Result<usize, IndexError> {
        Ok(self.ranking.len())
    }
    async fn search(
        &self,
        space: &SpaceName,
        _: &[f32],
        scope: &SearchScope,
        limit: usize,
    ) -> Result<Vec<ChunkScore>, IndexError> {
        if *space != self.space {
            return Err(IndexError::UnknownSpace(space.clone()));
        }
        let readable = self.ranking.iter().filter(|(base, _)| scope.knowledge_base_ids.contains(base));
        Ok(readable.map(|(_, found)| *found).take(limit).collect())
    }
    async fn flush(&self, _: u64) -> Result<(), IndexError> {
        Ok(())
    }
    async fn reached_sequence(&self) -> Result<u64, IndexError> {
        Ok(0)
    }
    async fn health(&self) -> Result<(), IndexError> {
        Ok(())
    }
}

enum Embedder {
    Works,
    Fails,
    Hangs,
}

#[async_trait]
impl EmbedQuery for Embedder {
    async fn embed_query(&self, _: &SpaceName, _: &str) -> Result<Vec<f32>, RetrieveError> {
        match self {
            Self::Works => Ok(vec![1.0]),
            Self::Fails => Err(RetrieveError::Embed("the model runtime is down".to_owned())),
            Self::Hangs => std::future::pending().await,
        }
    }
}

struct Rows {
    base: KnowledgeBaseId,
    live: Vec<LiveChunk>,
}

#[async_trait]
impl HydrateChunks for Rows {
    async fn hydrate(
        &self,
        chunk_ids: &[ChunkId],
        scope: &SearchScope,
    ) -> Result<Vec<LiveChunk>, RetrieveError> {
        let wanted: HashSet<&ChunkId> = chunk_ids.iter().collect();
        let is_readable = scope.knowledge_base_ids.contains(&self.base);
        Ok(self
            .live
            .iter()
            .rev()
            .filter(|chunk| is_readable && wanted.contains(&chunk.hit.chunk_id))
            .cloned()
            .collect())
    }
}

/// Four passages of which the last has been replaced; embeddings rank them in reverse order.
struct World {
    _folder: tempfile::TempDir,
    base: KnowledgeBaseId,
    space: SpaceName,
    retriever: Retriever,
}

const TEXTS: [&str; 4] = [
    "Annual leave is fifteen days a year.",
    "Sick leave needs a note from a doctor.",
    "The pump is oiled every week.",
    "Annual leave was ten days a year.",
];

async fn world(embedder: Embedder) -> World {
    let folder = tempfile::tempdir().unwrap();
    let (base, space) = (KnowledgeBaseId::new(), SpaceName::for_model("m", 1));
    let chunks: Vec<LiveChunk> = (1..).zip(TEXTS).map(|(document, text)| live(document, 0, text)).collect();
    let lexical = lexical_index(folder.path(), base, &chunks).await;
    let score = |(at, chunk): (u8, &LiveChunk)| {
        let found = ChunkScore {
            chunk_id: chunk.hit.chunk_id,
            document_id: chunk.hit.document_id,
            version_id: chunk.version_id,
            score: 0.9 - f32::from(at) / 10.0,
        };
        (base, found)
    };
    let vectors =
        FixedVectors { space: space.clone(), ranking: (0..).zip(chunks.iter().rev()).map(score).collect() };
    let rows = Rows { base, live: chunks[..3].to_vec() };
    let retriever = Retriever::new(Arc::new(vectors), Arc::new(lexical), Arc::new(embedder), Arc::new(rows));
    World { _folder: folder, base, space, retriever }
}

async fn lexical_index(folder: &Path, base: KnowledgeBaseId, chunks: &[LiveChunk]) -> LexicalIndex {
    let index = LexicalIndex::open(&LexicalConfig::new(folder), Arc::new(Analyzer::new())).unwrap();
    let indexed = |chunk: &LiveChunk| IndexedChunk {
        chunk_id: chunk.hit.chunk_id,
        knowledge_base_id: base,
        document_id: chunk.hit.document_id,
        version_id: chunk.version_id,
        ordinal: 0,
        title: String::new(),
        heading_path: vec![],
        text: chunk.hit.text.clone(),
        vector: vec![],
    };
    index.upsert(&chunks.iter().map(indexed).collect::<Vec<_>>()).await.unwrap();
    index.commit(1).await.unwrap();
    index
}

impl World {
    fn request(&self, query: &str) -> RetrievalRequest {
        RetrievalRequest {
            query: query.to_owned(),
            mode: RetrieveMode::Hybrid,
            top_k: 8,
            spaces: vec![SpaceScope { space: self.space.clone(), knowledge_base_ids: vec![self.base] }],
            document_ids: None,
            collapse: collapse::Scope::WithinDocument,
            timeout: Duration::from_secs(20),
        }
    }

    async fn found(&self, request: &RetrievalRequest) -> Vec<String> {
        let retrieval = self.retriever.retrieve(request).await.unwrap();
        retrieval.hits.into_iter().map(|chunk| chunk.hit.text).collect()
    }
}

#[tokio::test]
async fn hybrid_takes_both_rankings_and_drops_what_was_replaced() {
    let world = world(Embedder::Works).await;
    let retrieval = world.retriever.retrieve(&world.request("annual leave")).await.unwrap();
    let texts: Vec<&str> = retrieval.hits.iter().map(|chunk| chunk.hit.text.as_str()).collect();
    assert_eq!(texts, [TEXTS[0], TEXTS[1], TEXTS[2]]);
    assert_eq!(retrieval.dropped, Dropped { not_live: 1, ..Dropped::default() });
    let scores = retrieval.hits[0].hit.scores;
    assert!(scores.lexical.is_some() && scores.dense.is_some());
    assert_eq!(scores.fused, Some(retrieval.hits[0].hit.score));
    assert_eq!(retrieval.hits[2].hit.scores.lexical, None);
    assert!(
        retrieval.took.dense.is_some() && retrieval.took.lexical.is_some() && retrieval.took.embed.is_some()
    );
}

#[tokio::test]
async fn a_mode_uses_its_ranking_alone() {
    let world = world(Embedder::Works).await;
    let dense = RetrievalRequest { mode: RetrieveMode::Dense, ..world.request("annual leave") };
    assert_eq!(world.found(&dense).await, [TEXTS[2], TEXTS[1], TEXTS[0]]);
    let lexical = RetrievalRequest { mode: RetrieveMode::Lexical, ..world.request("annual leave") };
    assert_eq!(world.found(&lexical).await, [TEXTS[0], TEXTS[1]]);
}

#[tokio::test]
async fn without_embeddings_hybrid_answers_by_words_and_dense_fails() {
    let world = world(Embedder::Fails).await;
    assert_eq!(world.found(&world.request("annual leave")).await, [TEXTS[0], TEXTS[1]]);
    let dense = RetrievalRequest { mode: RetrieveMode::Dense, ..world.request("annual leave") };
    assert!(matches!(world.retriever.retrieve(&dense).await, Err(RetrieveError::Embed(_))));
}

#[tokio::test]
async fn time_runs_out_with_the_step_that_took_it() {
    let world = world(Embedder::Hangs).await;
    let request = RetrievalRequest { timeout: Duration::from_millis(1), ..world.request("annual leave") };
    let result = world.retriever.retrieve(&request).await;
    assert!(matches!(result, Err(RetrieveError::Deadline("searching the indexes"))), "{result:?}");
}

#[tokio::test]
async fn nothing_outside_the_scope_is_found() {
    let world = world(Embedder::Works).await;
    let stranger =
        vec![SpaceScope { space: world.space.clone(), knowledge_base_ids: vec![KnowledgeBaseId::new()] }];
    for request in [
        RetrievalRequest { spaces: vec![], ..world.request("annual leave") },
        RetrievalRequest { spaces: stranger, ..world.request("annual leave") },
        RetrievalRequest { document_ids: Some(vec![]), ..world.request("annual leave") },
        world.request("  \u{200B} "),
    ] {
        assert!(world.found(&request).await.is_empty(), "{request:?}");
    }
}

#[tokio::test]
async fn a_space_without_an_index_costs_only_its_own_hits() {
    let world = world(Embedder::Works).await;
    let mut request = world.request("annual leave");
    request.spaces[0].space = SpaceName::for_model("new", 1);
    assert_eq!(world.found(&request).await, [TEXTS[0], TEXTS[1]]);
}

#[tokio::test]
async fn top_k_is_bounded_and_kept() {
    let world = world(Embedder::Works).await;
    for top_k in [0, MAX_TOP_K as usize + 1] {
        let request = RetrievalRequest { top_k, ..world.request("annual leave") };
        assert!(matches!(world.retriever.retrieve(&request).await, Err(RetrieveError::Invalid(_))));
    }
    let request = RetrievalRequest { top_k: 1, ..world.request("annual leave") };
    assert_eq!(world.found(&request).await, [TEXTS[0]]);
    let documents = Some(vec![DocumentId(uuid::Uuid::from_u128(2))]);
    let request =
        RetrievalRequest { document_ids: documents, mode: RetrieveMode::Lexical, ..world.request("leave") };
    assert_eq!(world.found(&request).await, [TEXTS[1]]);
}
