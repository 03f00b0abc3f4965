//! Indexing a set and asking all its questions.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anwen_contract::knowledge::RetrieveMode;
use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::beir::{Document, LabelledSet, find_sets, read_set};
use super::metrics::{DEPTH, Metrics, paired_difference};
use super::{ChunkText, Difference, EmbedTexts, EvaluateError, Report, SetReport};
use crate::index::analysis::Analyzer;
use crate::index::edge::{EdgeConfig, EdgeIndex};
use crate::index::{
    ChunkScore, IndexError, IndexedChunk, LexicalConfig, LexicalHits, LexicalIndex, SearchScope, SpaceName,
    VectorIndex, text_to_embed,
};
use crate::retrieve::fusion::rank;
use crate::retrieve::normalise::normalise;
use crate::retrieve::retriever::leg_depth;

/// Texts embedded and chunks written at a time.
const BATCH: usize = 256;
/// Questions asked at the same time.
const CONCURRENT_QUERIES: usize = 4;

/// What to measure.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Of each set the first so many queries; all when absent.
    pub max_queries: Option<usize>,
}

/// Measures the set at `path`, or every set in the folder `path`. `on_set` is called with each set's report when it
/// is done.
pub async fn run(
    path: &Path,
    options: &Options,
    embedder: &dyn EmbedTexts,
    chunker: &dyn ChunkText,
    on_set: &(dyn Fn(&SetReport) + Sync),
) -> Result<Report, EvaluateError> {
    let analyzer = Arc::new(blocking(Analyzer::new).await?);
    let mut sets = Vec::new();
    for folder in find_sets(path)? {
        let max_queries = options.max_queries;
        let set = blocking(move || read_set(&folder, max_queries)).await??;
        let report = measure(&set, embedder, chunker, &analyzer).await?;
        on_set(&report);
        sets.push(report);
    }
    Ok(Report { sets })
}

async fn measure(
    set: &LabelledSet,
    embedder: &dyn EmbedTexts,
    chunker: &dyn ChunkText,
    analyzer: &Arc<Analyzer>,
) -> Result<SetReport, EvaluateError> {
    let folder = tempfile::tempdir()?;
    let indexed = IndexedSet::build(set, embedder, chunker, Arc::clone(analyzer), folder.path()).await?;
    let queries: Vec<String> = set.queries.iter().map(|query| normalise(&query.text)).collect();
    let vectors = embed(embedder, &queries).await?;
    let rankings: Vec<[Vec<usize>; 3]> = futures::stream::iter(queries.iter().zip(&vectors))
        .map(|(query, vector)| indexed.rankings(query, vector))
        .buffered(CONCURRENT_QUERIES)
        .try_collect()
        .await?;
    let measured = |leg: usize| -> Vec<Metrics> {
        rankings.iter().zip(&set.relevant).map(|(legs, relevant)| Metrics::of(&legs[leg], relevant)).collect()
    };
    Ok(report(set, indexed.chunk_count, [measured(0), measured(1), measured(2)]))
}

fn report(set: &LabelledSet, chunks: usize, [dense, lexical, hybrid]: [Vec<Metrics>; 3]) -> SetReport {
    let (dense_mean, lexical_mean) = (Metrics::mean(&dense), Metrics::mean(&lexical));
    let (best, best_leg) = if dense_mean.recall_at_10 > lexical_mean.recall_at_10 {
        ("dense", &dense)
    } else {
        ("lexical", &lexical)
    };
    let differences: Vec<f64> =
        hybrid.iter().zip(best_leg).map(|(hybrid, best)| hybrid.recall_at_10 - best.recall_at_10).collect();
    let (recall_at_10, half_interval) = paired_difference(&differences);
    SetReport {
        name: set.name.clone(),
        documents: set.documents.len(),
        chunks,
        queries: set.queries.len(),
        dense: dense_mean,
        lexical: lexical_mean,
        hybrid: Metrics::mean(&hybrid),
        rerank: None,
        hybrid_minus_best: Difference { best, recall_at_10, half_interval },
    }
}

/// A set in a pair of indexes of its own.
struct IndexedSet {
    vectors: EdgeIndex,
    lexical: LexicalIndex,
    space: SpaceName,
    scope: SearchScope,
    /// Position in the corpus of each document.
    positions: HashMap<DocumentId, usize>,
    chunk_count: usize,
}

impl IndexedSet {
    async fn build(
        set: &LabelledSet,
        embedder: &dyn EmbedTexts,
        chunker: &dyn ChunkText,
        analyzer: Arc<Analyzer>,
        folder: &Path,
    ) -> Result<Self, EvaluateError> {
        let (edge, words) =
            (EdgeConfig::new(folder.join("vectors")), LexicalConfig::new(folder.join("lexical")));
        let vectors = blocking(move || EdgeIndex::open(&edge)).await??;
        let lexical = blocking(move || LexicalIndex::open(&words, analyzer)).await??;
        let (model, dimension) = embedder.model();
        let space = SpaceName::for_model(model, dimension);
        vectors.ensure_space(&space, dimension).await?;

        let knowledge_base_id = KnowledgeBaseId::new();
        let mut chunks = Vec::new();
        let mut positions = HashMap::with_capacity(set.documents.len());
        for (position, document) in set.documents.iter().enumerate() {
            let document_chunks = chunk_document(document, knowledge_base_id, position, chunker)?;
            positions.insert(document_id(position), position);
            chunks.extend(document_chunks);
        }
        for batch in chunks.chunks_mut(BATCH) {
            let texts: Vec<String> = batch
                .iter()
                .map(|chunk| text_to_embed(&chunk.title, &chunk.heading_path, &chunk.text))
                .collect();
            for (chunk, vector) in batch.iter_mut().zip(embed(embedder, &texts).await?) {
                chunk.vector = vector;
            }
            vectors.upsert(&space, batch).await?;
            lexical.upsert(batch).await?;
        }
        lexical.commit(1).await?;
        vectors.flush(1).await?;
        vectors.optimize().await?;
        let scope = SearchScope::of_knowledge_bases([knowledge_base_id]);
        Ok(Self { vectors, lexical, space, scope, positions, chunk_count: chunks.len() })
    }

    /// The documents that embeddings, words and both find, best first.
    async fn rankings(&self, query: &str, vector: &[f32]) -> Result<[Vec<usize>; 3], EvaluateError> {
        let depth = leg_depth(DEPTH);
        let dense = self.vectors.search(&self.space, vector, &self.scope, depth);
        let lexical = self.lexical.search(query, &self.scope, depth);
        let (dense, lexical) = tokio::try_join!(dense, lexical)?;
        let documents: HashMap<ChunkId, usize> = dense
            .iter()
            .chain(&lexical.hits)
            .filter_map(|found: &ChunkScore| Some((found.chunk_id, *self.positions.get(&found.document_id)?)))
            .collect();
        let dense = [dense];
        let modes = [RetrieveMode::Dense, RetrieveMode::Lexical, RetrieveMode::Hybrid];
        Ok(modes.map(|mode| {
            let ranked = match mode {
                RetrieveMode::Dense => rank(mode, &dense, &LexicalHits::default()),
                RetrieveMode::Lexical => rank(mode, &[], &lexical),
                RetrieveMode::Hybrid => rank(mode, &dense, &lexical),
            };
            by_best_chunk(ranked.iter().filter_map(|one| documents.get(&one.chunk_id).copied()))
        }))
    }
}

/// Each document at the place of its best chunk.
fn by_best_chunk(documents: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen = HashSet::new();
    documents.filter(|&document| seen.insert(document)).take(DEPTH).collect()
}

fn document_id(position: usize) -> DocumentId {
    DocumentId(Uuid::from_u128(position as u128))
}

fn chunk_document(
    document: &Document,
    knowledge_base_id: KnowledgeBaseId,
    position: usize,
    chunker: &dyn ChunkText,
) -> Result<Vec<IndexedChunk>, EvaluateError> {
    let document_id = document_id(position);
    let version_id = VersionId(document_id.0);
    let pieces = chunker.chunk(&document.title, &document.text)?;
    Ok((0..)
        .zip(pieces)
        .map(|(ordinal, piece)| IndexedChunk {
            chunk_id: ChunkId::derive(version_id, 0, ordinal),
            knowledge_base_id,
            document_id,
            version_id,
            ordinal,
            title: document.title.clone(),
            heading_path: piece.heading_path,
            text: piece.text,
            vector: Vec::new(),
        })
        .collect())
}

async fn embed(embedder: &dyn EmbedTexts, texts: &[String]) -> Result<Vec<Vec<f32>>, EvaluateError> {
    let mut vectors = Vec::with_capacity(texts.len());
    for batch in texts.chunks(BATCH) {
        let made = embedder.embed(batch).await?;
        if made.len() != batch.len() {
            return Err(EvaluateError::Embed(format!("{} vectors for {} texts", made.len(), batch.len())));
        }
        vectors.extend(made);
    }
    Ok(vectors)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, IndexError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| IndexError::Unavailable("a blocking task was cancelled"))
}

#[cfg(test)]
mod tests;
