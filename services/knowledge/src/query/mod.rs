//! Questions: what the asker may search is settled in SQL first and is part of both index queries; what the indexes
//! find is looked up in SQL again, with the same bounds. Neither check rests on the other.

mod embed;
mod hydrate;
mod reading;
mod relevance;
pub mod routes;

pub use embed::{ModelEmbedder, QuestionEmbedder};
pub use hydrate::SqlChunks;

use crate::access::Access;
use crate::access::store::{SearchableBase, searchable_bases};
use crate::app::App;
use crate::documents::store::{DocumentFilter, matching};
use crate::index::highlight::{Snippet, highlight};
use crate::index::{SearchScope, SpaceName};
use crate::retrieve::{LiveChunk, Retrieval, RetrievalRequest, RetrieveError, SpaceScope, Timings, collapse};
use crate::store::reader;
use anwen_contract::knowledge::{
    Hit, MAX_READ_TOKENS, MAX_TOP_K, PassageSearchAnswer, PassageSnippet, RetrieveAnswer, RetrieveFilters,
    RetrieveMode, RetrieveRequest, SnippetPart,
};
use anwen_contract::{ApiError, DocumentId, ErrorCode, KnowledgeBaseId};
use relevance::{Evidence, relevance};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The most knowledge bases, documents or media types that a request may name.
const MAX_NAMED: usize = 1_000;
/// Characters of a snippet.
const SNIPPET_CHARS: usize = 160;
/// Passages that full-text search answers when the caller does not say.
pub const DEFAULT_SEARCH_LIMIT: u32 = 20;
/// Hits that are looked at to estimate whether they answer the question.
const HITS_OF_EVIDENCE: usize = 5;

/// The best passages for a question, of everything that the asker may read.
pub async fn retrieve(
    app: &App,
    access: &Access,
    request: &RetrieveRequest,
) -> Result<RetrieveAnswer, ApiError> {
    check(request)?;
    let bases = bases_to_search(app, access, request.knowledge_base_ids.as_deref()).await?;
    let retrieval = run(app, &bases, request, collapse::Scope::WithinDocument).await?;
    metrics::histogram!("anwen_knowledge_retrieve_duration_seconds")
        .record(retrieval.took.total.as_secs_f64());
    let relevance = estimate(app, &request.query, &retrieval.hits).await?;
    let (mut took_ms, collapsed) = (took_ms(&retrieval.took), retrieval.dropped.repeated);
    let hits = match request.read_tokens.filter(|&tokens| tokens > 0) {
        Some(tokens) => {
            let started = Instant::now();
            let scope = SearchScope::of_knowledge_bases(bases.iter().map(|base| base.id));
            let read = reading::read_around(&app.database, retrieval.hits, &scope, tokens).await?;
            took_ms.insert("read".to_owned(), in_ms(started.elapsed()));
            read
        }
        None => retrieval.hits.into_iter().map(|live| live.hit).collect(),
    };
    let collapsed = u32::try_from(collapsed).unwrap_or(u32::MAX);
    Ok(RetrieveAnswer { took_ms, collapsed, hits, relevance })
}

/// Full-text search, with the words marked where they stand.
pub async fn search(
    app: &App,
    access: &Access,
    query: &str,
    limit: u32,
) -> Result<PassageSearchAnswer, ApiError> {
    let request =
        RetrieveRequest { mode: RetrieveMode::Lexical, top_k: limit, ..RetrieveRequest::new(query) };
    check(&request)?;
    let bases = bases_to_search(app, access, None).await?;
    let retrieval = run(app, &bases, &request, collapse::Scope::WithinDocument).await?;
    let hits: Vec<Hit> = retrieval.hits.into_iter().map(|live| live.hit).collect();
    let lexical = app.indexes.lexical.clone();
    let query = query.to_owned();
    let items = tokio::task::spawn_blocking(move || {
        let terms = lexical.query_terms(&query);
        let mark = |hit: Hit| {
            let snippet = highlight(lexical.analyzer(), &terms, &hit.text, SNIPPET_CHARS);
            snippet_of(hit, &snippet)
        };
        hits.into_iter().map(mark).collect()
    })
    .await
    .map_err(ApiError::internal)?;
    Ok(PassageSearchAnswer { items })
}

fn check(request: &RetrieveRequest) -> Result<(), ApiError> {
    if request.query.trim().is_empty() {
        return Err(ApiError::invalid("query: say what to look for"));
    }
    if request.top_k == 0 || request.top_k > MAX_TOP_K {
        return Err(ApiError::invalid(format!("top_k: 1 to {MAX_TOP_K}")));
    }
    if request.read_tokens.is_some_and(|tokens| tokens > MAX_READ_TOKENS) {
        return Err(ApiError::invalid(format!("read_tokens: at most {MAX_READ_TOKENS}")));
    }
    let filters = request.filters.as_ref();
    let lengths = [
        request.knowledge_base_ids.as_ref().map_or(0, Vec::len),
        filters.and_then(|filters| filters.document_ids.as_ref()).map_or(0, Vec::len),
        filters.and_then(|filters| filters.media_types.as_ref()).map_or(0, Vec::len),
        filters.and_then(|filters| filters.labels.as_ref()).map_or(0, Vec::len),
    ];
    if lengths.iter().any(|length| *length > MAX_NAMED) {
        return Err(ApiError::invalid(format!("at most {MAX_NAMED} ids or media types in one request")));
    }
    Ok(())
}

/// The knowledge bases that may be searched, of those named or of all. What is named and may not be read is left out
/// like what does not exist; when nothing is left of what was named, that is "not found".
async fn bases_to_search(
    app: &App,
    access: &Access,
    wanted: Option<&[KnowledgeBaseId]>,
) -> Result<Vec<SearchableBase>, ApiError> {
    let mut connection = reader(&app.database).await?;
    let bases = searchable_bases(&mut connection, access, wanted).await?;
    if bases.is_empty() && wanted.is_some_and(|wanted| !wanted.is_empty()) {
        return Err(ApiError::not_found("knowledge base"));
    }
    Ok(bases)
}

async fn run(
    app: &App,
    bases: &[SearchableBase],
    request: &RetrieveRequest,
    collapse: collapse::Scope,
) -> Result<Retrieval, ApiError> {
    let spaces = spaces_of(bases)?;
    app.questions.remember(bases);
    let searched: Vec<KnowledgeBaseId> =
        spaces.iter().flat_map(|space| space.knowledge_base_ids.iter().copied()).collect();
    let request = RetrievalRequest {
        query: request.query.clone(),
        mode: request.mode,
        top_k: request.top_k as usize,
        document_ids: filtered_documents(app, &searched, request.filters.as_ref()).await?,
        spaces,
        collapse,
        timeout: Duration::from_millis(app.config.retrieval.timeout_ms),
    };
    app.retriever.retrieve(&request).await.map_err(retrieve_error)
}

/// The embedding spaces to search; a knowledge base without one holds nothing yet.
fn spaces_of(bases: &[SearchableBase]) -> Result<Vec<SpaceScope>, ApiError> {
    let mut spaces: BTreeMap<&str, Vec<KnowledgeBaseId>> = BTreeMap::new();
    for base in bases {
        if let Some(space) = &base.space {
            spaces.entry(space).or_default().push(base.id);
        }
    }
    spaces
        .into_iter()
        .map(|(space, knowledge_base_ids)| {
            let space = space.parse::<SpaceName>().map_err(ApiError::internal)?;
            Ok(SpaceScope { space, knowledge_base_ids })
        })
        .collect()
}

/// The documents that the filters let through; `None` without filters.
async fn filtered_documents(
    app: &App,
    bases: &[KnowledgeBaseId],
    filters: Option<&RetrieveFilters>,
) -> Result<Option<Vec<DocumentId>>, ApiError> {
    let Some(filters) = filters.filter(|filters| **filters != RetrieveFilters::default()) else {
        return Ok(None);
    };
    let limit = app.config.retrieval.max_filter_documents;
    let filter = DocumentFilter {
        ids: filters.document_ids.as_deref(),
        path_prefix: filters.path_prefix.as_deref(),
        media_types: filters.media_types.as_deref(),
        labels: filters.labels.as_deref(),
        updated_after: filters.updated_after,
        updated_before: filters.updated_before,
    };
    let mut connection = reader(&app.database).await?;
    let documents = matching(&mut connection, bases, &filter, i64::from(limit) + 1).await?;
    if documents.len() > limit as usize {
        return Err(ApiError::invalid(format!(
            "filters: they select more than {limit} documents; narrow them"
        )));
    }
    Ok(Some(documents))
}

/// How likely the hits answer the question at all; `None` without hits.
async fn estimate(app: &App, query: &str, hits: &[LiveChunk]) -> Result<Option<f32>, ApiError> {
    if hits.is_empty() {
        return Ok(None);
    }
    let analyzer = app.indexes.lexical.analyzer().clone();
    let query = query.to_owned();
    let evidence: Vec<(String, Option<f32>)> = hits
        .iter()
        .take(HITS_OF_EVIDENCE)
        .map(|live| {
            let hit = &live.hit;
            let shown = format!("{}\n{}\n{}", hit.document_name, hit.heading_path.join("\n"), hit.text);
            (shown, hit.scores.dense)
        })
        .collect();
    tokio::task::spawn_blocking(move || {
        let wanted = analyzer.terms(&query);
        evidence
            .into_iter()
            .map(|(shown, cosine)| relevance(&Evidence::new(&wanted, &analyzer.terms(&shown), cosine)))
            .max_by(f32::total_cmp)
    })
    .await
    .map_err(ApiError::internal)
}

fn took_ms(took: &Timings) -> BTreeMap<String, f64> {
    let steps = [
        ("embed", took.embed),
        ("dense", took.dense),
        ("lexical", took.lexical),
        ("fuse", Some(took.fuse)),
        ("hydrate", Some(took.hydrate)),
        ("total", Some(took.total)),
    ];
    steps.into_iter().filter_map(|(name, took)| Some((name.to_owned(), in_ms(took?)))).collect()
}

/// To a hundredth of a millisecond.
fn in_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}

fn retrieve_error(error: RetrieveError) -> ApiError {
    match error {
        RetrieveError::Invalid(message) => ApiError::invalid(message),
        RetrieveError::Deadline(_) => {
            ApiError::new(ErrorCode::DeadlineExceeded, "the search took too long; try again").because(error)
        }
        RetrieveError::Embed(_) => ApiError::new(
            ErrorCode::ServiceUnavailable,
            "the question could not be embedded; try again in a moment",
        )
        .because(error),
        RetrieveError::Index(_) | RetrieveError::Hydrate(_) => ApiError::internal(error),
    }
}

fn snippet_of(hit: Hit, snippet: &Snippet) -> PassageSnippet {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut push = |text: &str, matched: bool| {
        if !text.is_empty() {
            parts.push(SnippetPart { text: text.to_owned(), matched });
        }
    };
    for mark in &snippet.marks {
        push(snippet.text.get(at..mark.start).unwrap_or_default(), false);
        push(snippet.text.get(mark.clone()).unwrap_or_default(), true);
        at = mark.end;
    }
    push(snippet.text.get(at..).unwrap_or_default(), false);
    PassageSnippet {
        chunk_id: hit.chunk_id,
        document_id: hit.document_id,
        document_name: hit.document_name,
        knowledge_base_id: hit.knowledge_base_id,
        page_start: hit.page_start,
        heading_path: hit.heading_path,
        score: hit.score,
        snippet: parts,
        cut_before: snippet.cut_before,
        cut_after: snippet.cut_after,
    }
}
