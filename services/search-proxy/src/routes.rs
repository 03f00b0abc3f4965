//! The calls of the service.

use std::sync::Arc;
use std::time::Instant;

use anwen_contract::search::{EngineReport, ReadAnswer, ReadRequest, SearchAnswer, SearchRequest};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::{Json, Query};
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::WebAccess;
use crate::engine::{self, EngineError, TimeRange};
use crate::results::{Found, merge};

/// `None` where web search is off.
type Access = Option<Arc<WebAccess>>;

pub(crate) fn router(access: Access) -> Router {
    Router::new()
        .route("/search", get(searxng_search))
        .route("/v1/search", post(search))
        .route("/v1/read", post(read))
        .with_state(access)
}

fn enabled(access: Access) -> Result<Arc<WebAccess>, ApiError> {
    access.ok_or_else(|| {
        let message = "web search is off; an administrator turns it on by setting search_proxy.upstream_url";
        ApiError::new(ErrorCode::WebSearchDisabled, message)
    })
}

async fn search(
    State(access): State<Access>,
    Json(body): Json<SearchRequest>,
) -> Result<Json<SearchAnswer>, ApiError> {
    let access = enabled(access)?;
    let query = engine::Query {
        engines: body.engines.unwrap_or_default(),
        language: body.language,
        time_range: time_range(body.time_range.as_deref())?,
        ..engine::Query::new(query_text(&body.query, access.config.max_query_chars)?)
    };
    let top_k = body
        .top_k
        .map_or(access.config.max_results, |top_k| top_k as usize)
        .clamp(1, access.config.max_results);
    let (found, own_report) = ask(&access, &query).await?;
    let silent = found.silent.into_iter().map(|engine| EngineReport {
        name: engine.name,
        state: if engine.reason.contains("timeout") { "timeout" } else { "error" }.to_owned(),
        took_ms: own_report.took_ms,
        error: Some(engine.reason),
    });
    let engines = std::iter::once(own_report.clone()).chain(silent).collect();
    Ok(Json(SearchAnswer { results: merge(found.hits, top_k), engines, redactions: 0 }))
}

async fn read(
    State(access): State<Access>,
    Json(body): Json<ReadRequest>,
) -> Result<Json<ReadAnswer>, ApiError> {
    let result = enabled(access)?.pages.read(&body.url).await.map_err(ApiError::from);
    let outcome = result.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok");
    metrics::counter!("anwen_search_pages_read_total", "outcome" => outcome).increment(1);
    result.map(Json)
}

/// The query parameters of SearXNG's search call that are understood; others are ignored, as it does.
#[derive(Deserialize)]
struct SearxngParameters {
    #[serde(default)]
    q: String,
    format: Option<String>,
    engines: Option<String>,
    language: Option<String>,
    time_range: Option<String>,
    pageno: Option<u32>,
}

/// SearXNG's JSON answer.
#[derive(Serialize)]
struct SearxngAnswer {
    query: String,
    number_of_results: usize,
    results: Vec<SearxngResult>,
    answers: [(); 0],
    corrections: [(); 0],
    infoboxes: [(); 0],
    suggestions: Vec<String>,
    /// Pairs of name and reason.
    unresponsive_engines: Vec<(String, String)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SearxngResult {
    url: String,
    title: String,
    content: String,
    engine: String,
    engines: Vec<String>,
    score: f32,
    category: &'static str,
    published_date: Option<String>,
}

async fn searxng_search(
    State(access): State<Access>,
    Query(parameters): Query<SearxngParameters>,
) -> Result<Json<SearxngAnswer>, ApiError> {
    let access = enabled(access)?;
    if parameters.format.as_deref() != Some("json") {
        return Err(ApiError::invalid("only format=json is answered"));
    }
    let names = parameters.engines.unwrap_or_default();
    let query = engine::Query {
        engines: names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        language: parameters.language.filter(|language| !matches!(language.as_str(), "" | "all" | "auto")),
        time_range: time_range(parameters.time_range.as_deref())?,
        page: parameters.pageno.unwrap_or(1).max(1),
        ..engine::Query::new(query_text(&parameters.q, access.config.max_query_chars)?)
    };
    let (found, _) = ask(&access, &query).await?;
    let results: Vec<SearxngResult> = merge(found.hits, access.config.max_results)
        .into_iter()
        .map(|result| SearxngResult {
            engine: result.engines.first().cloned().unwrap_or_default(),
            url: result.url,
            title: result.title,
            content: result.snippet,
            engines: result.engines,
            score: result.score,
            category: "general",
            published_date: result.published_at.map(|moment| moment.to_rfc3339()),
        })
        .collect();
    Ok(Json(SearxngAnswer {
        query: query.text,
        number_of_results: results.len(),
        results,
        answers: [],
        corrections: [],
        infoboxes: [],
        suggestions: found.suggestions,
        unresponsive_engines: found.silent.into_iter().map(|engine| (engine.name, engine.reason)).collect(),
    }))
}

/// Asks the engine, counts the answer, and reports on it.
async fn ask(access: &WebAccess, query: &engine::Query) -> Result<(Found, EngineReport), ApiError> {
    let started = Instant::now();
    let result = access.engine.search(query).await;
    let state = match &result {
        Ok(_) => "ok",
        Err(EngineError::Timeout) => "timeout",
        Err(_) => "error",
    };
    let name = access.engine.name();
    metrics::counter!("anwen_search_engine_requests_total", "engine" => name, "state" => state).increment(1);
    let found = result.map_err(|cause| {
        ApiError::new(ErrorCode::SearchUnavailable, "no search engine answered; try again later")
            .because(cause)
    })?;
    let took_ms = started.elapsed().as_secs_f64() * 1000.0;
    Ok((found, EngineReport { name: name.to_owned(), state: state.to_owned(), took_ms, error: None }))
}

fn query_text(text: &str, max_chars: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ApiError::invalid("the query is empty"));
    }
    if text.chars().count() > max_chars {
        return Err(ApiError::invalid(format!("the query has more than {max_chars} characters")));
    }
    Ok(text.to_owned())
}

fn time_range(text: Option<&str>) -> Result<Option<TimeRange>, ApiError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match TimeRange::parse(text) {
            Some(range) => Ok(Some(range)),
            None => Err(ApiError::invalid("time_range is one of day, week, month, year")),
        },
    }
}
