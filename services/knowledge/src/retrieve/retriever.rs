//! Asking the indexes and SQL, in the right order and in time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anwen_contract::ChunkId;
use anwen_contract::knowledge::{MAX_QUERY_CHARS, MAX_TOP_K, RetrieveMode};

use super::collapse::Collapser;
use super::fusion::{Ranked, rank};
use super::normalise::normalise;
use super::{
    Dropped, EmbedQuery, HydrateChunks, LiveChunk, Retrieval, RetrievalRequest, RetrieveError, SpaceScope,
    Timings,
};
use crate::index::{ChunkScore, IndexError, LexicalHits, LexicalIndex, SearchScope, VectorIndex};

/// Length of each ranking. The fusion was measured with lists of this length.
pub const LEG_DEPTH: usize = 50;
/// Each ranking is this many times as long as the hits that are wanted, so that enough are left when some turn out
/// to be replaced or repeated.
const OVERSAMPLING: usize = 2;
/// Chunks looked up in SQL at a time, as a multiple of the hits that are wanted.
const HYDRATE_FACTOR: usize = 2;

/// Retrieval over a pair of indexes. Cheap to share; holds no state of its own.
pub struct Retriever {
    vectors: Arc<dyn VectorIndex>,
    lexical: Arc<LexicalIndex>,
    embedder: Arc<dyn EmbedQuery>,
    chunks: Arc<dyn HydrateChunks>,
}

impl Retriever {
    pub fn new(
        vectors: Arc<dyn VectorIndex>,
        lexical: Arc<LexicalIndex>,
        embedder: Arc<dyn EmbedQuery>,
        chunks: Arc<dyn HydrateChunks>,
    ) -> Self {
        Self { vectors, lexical, embedder, chunks }
    }

    /// The best live chunks for the question, within the request's knowledge bases.
    pub async fn retrieve(&self, request: &RetrievalRequest) -> Result<Retrieval, RetrieveError> {
        let started = Instant::now();
        let query = validated_query(request)?;
        let scope = request.scope();
        if query.is_empty() || scope.is_empty() {
            return Ok(Retrieval::default());
        }
        let deadline = tokio::time::Instant::now() + request.timeout;
        let mut took = Timings::default();
        let searched =
            tokio::time::timeout_at(deadline, self.search(&query, request, &scope, &mut took)).await;
        let (dense, lexical) = searched.map_err(|_| RetrieveError::Deadline("searching the indexes"))??;

        let fusing = Instant::now();
        let ranked = rank(request.mode, &dense, &lexical);
        took.fuse = fusing.elapsed();

        let hydrating = Instant::now();
        let selected = tokio::time::timeout_at(deadline, self.select(&ranked, request, &scope)).await;
        let (hits, dropped) = selected.map_err(|_| RetrieveError::Deadline("reading the chunks"))??;
        took.hydrate = hydrating.elapsed();
        took.total = started.elapsed();
        Ok(Retrieval { hits, dropped, took })
    }

    /// Both rankings, side by side. In hybrid mode an embedding that cannot be had costs the dense half and not the
    /// answer.
    async fn search(
        &self,
        query: &str,
        request: &RetrievalRequest,
        scope: &SearchScope,
        took: &mut Timings,
    ) -> Result<(Vec<Vec<ChunkScore>>, LexicalHits), RetrieveError> {
        let depth = leg_depth(request.top_k);
        let dense = async {
            if request.mode == RetrieveMode::Lexical {
                return Ok(DenseLeg::default());
            }
            self.search_dense(query, request, depth).await
        };
        let lexical = async {
            if request.mode == RetrieveMode::Dense {
                return Ok((LexicalHits::default(), None));
            }
            let searching = Instant::now();
            let found = self.lexical.search(query, scope, depth).await?;
            Ok::<_, RetrieveError>((found, Some(searching.elapsed())))
        };
        let (dense, lexical) = tokio::join!(dense, lexical);
        let (lexical, lexical_took) = lexical?;
        let dense = match dense {
            Err(RetrieveError::Embed(message)) if request.mode == RetrieveMode::Hybrid => {
                tracing::warn!(%message, "the question could not be embedded, searching by words alone");
                DenseLeg::default()
            }
            dense => dense?,
        };
        took.lexical = lexical_took;
        took.embed = dense.embed;
        took.dense = dense.search;
        Ok((dense.lists, lexical))
    }

    async fn search_dense(
        &self,
        query: &str,
        request: &RetrievalRequest,
        depth: usize,
    ) -> Result<DenseLeg, RetrieveError> {
        let searches = request.spaces.iter().map(|space| self.search_space(query, space, request, depth));
        let mut leg = DenseLeg::default();
        for (list, embed, search) in futures::future::try_join_all(searches).await? {
            leg.lists.push(list);
            leg.embed = leg.embed.max(Some(embed));
            leg.search = leg.search.max(Some(search));
        }
        Ok(leg)
    }

    async fn search_space(
        &self,
        query: &str,
        within: &SpaceScope,
        request: &RetrievalRequest,
        depth: usize,
    ) -> Result<(Vec<ChunkScore>, Duration, Duration), RetrieveError> {
        let embedding = Instant::now();
        let vector = self.embedder.embed_query(&within.space, query).await?;
        let embed = embedding.elapsed();
        let searching = Instant::now();
        let scope = SearchScope {
            knowledge_base_ids: within.knowledge_base_ids.clone(),
            document_ids: request.document_ids.clone(),
        };
        let found = match self.vectors.search(&within.space, &vector, &scope, depth).await {
            // Nothing has been indexed in this space yet.
            Err(IndexError::UnknownSpace(_)) => Vec::new(),
            found => found?,
        };
        Ok((found, embed, searching.elapsed()))
    }

    /// Looks ranked chunks up, best first, until enough of them turned out to live and to be new.
    async fn select(
        &self,
        ranked: &[Ranked],
        request: &RetrievalRequest,
        scope: &SearchScope,
    ) -> Result<(Vec<LiveChunk>, Dropped), RetrieveError> {
        let mut hits = Vec::with_capacity(request.top_k);
        let mut dropped = Dropped::default();
        let mut collapser = Collapser::new(request.collapse);
        for batch in ranked.chunks(request.top_k * HYDRATE_FACTOR) {
            let ids: Vec<ChunkId> = batch.iter().map(|one| one.chunk_id).collect();
            let live = self.chunks.hydrate(&ids, scope).await?;
            let mut live: HashMap<ChunkId, LiveChunk> =
                live.into_iter().map(|chunk| (chunk.hit.chunk_id, chunk)).collect();
            for one in batch {
                let Some(chunk) = live.remove(&one.chunk_id) else {
                    dropped.not_live += 1;
                    continue;
                };
                if hits.len() == request.top_k {
                    dropped.beyond_top_k += 1;
                } else if collapser.keep(chunk.kin, &chunk.hit.text) {
                    hits.push(with_scores(chunk, one));
                } else {
                    dropped.repeated += 1;
                }
            }
            if hits.len() == request.top_k {
                break;
            }
        }
        Ok((hits, dropped))
    }
}

#[derive(Default)]
struct DenseLeg {
    lists: Vec<Vec<ChunkScore>>,
    embed: Option<Duration>,
    search: Option<Duration>,
}

impl RetrievalRequest {
    /// All knowledge bases of the request, and its documents.
    fn scope(&self) -> SearchScope {
        SearchScope {
            knowledge_base_ids: self
                .spaces
                .iter()
                .flat_map(|space| space.knowledge_base_ids.iter().copied())
                .collect(),
            document_ids: self.document_ids.clone(),
        }
    }
}

fn validated_query(request: &RetrievalRequest) -> Result<String, RetrieveError> {
    let max_top_k = MAX_TOP_K as usize;
    if request.top_k == 0 || request.top_k > max_top_k {
        return Err(RetrieveError::Invalid(format!("top_k must be from 1 to {max_top_k}")));
    }
    if request.query.chars().count() > MAX_QUERY_CHARS {
        return Err(RetrieveError::Invalid(format!("a question may have {MAX_QUERY_CHARS} characters")));
    }
    Ok(normalise(&request.query))
}

/// How long each ranking must be for `top_k` hits.
pub fn leg_depth(top_k: usize) -> usize {
    LEG_DEPTH.max(top_k.saturating_mul(OVERSAMPLING))
}

fn with_scores(mut chunk: LiveChunk, ranked: &Ranked) -> LiveChunk {
    chunk.hit.score = ranked.score;
    chunk.hit.scores = ranked.scores;
    chunk
}

#[cfg(test)]
mod tests;
