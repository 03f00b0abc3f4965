//! The calls of the service.

use std::sync::Arc;

use anwen_contract::search::{
    EnginesAnswer, Outgoing, ReadAnswer, ReadRequest, SearchAnswer, SearchRequest, SearchRules,
    open_search_description,
};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::{Caller, Json, Query};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use crate::WebAccess;

/// A request holds a query or an address, never more.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Rules hold word lists.
const MAX_RULES_BYTES: usize = 16 * 1024 * 1024;
/// Lines of a growing answer that wait for a slow reader; later ones replace them.
const WAITING_LINES: usize = 32;

/// `None` where web search is off.
type Access = Option<Arc<WebAccess>>;

pub(crate) fn router(access: Access) -> Router {
    let rules = Router::new()
        .route("/v1/rules", get(rules).put(set_rules))
        .layer(DefaultBodyLimit::max(MAX_RULES_BYTES))
        .with_state(access.clone());
    Router::new()
        .route("/search", get(searxng_search))
        .route("/opensearch.xml", get(open_search))
        .route("/v1/search", post(search))
        .route("/v1/search/stream", post(search_in_steps))
        .route("/v1/outgoing", post(outgoing))
        .route("/v1/read", post(read))
        .route("/v1/engines", get(engines))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(access)
        .merge(rules)
}

fn enabled(access: Access) -> Result<Arc<WebAccess>, ApiError> {
    access.ok_or_else(|| {
        let message = "web search is off; an administrator turns it on by setting search_proxy.engines";
        ApiError::new(ErrorCode::WebSearchDisabled, message)
    })
}

async fn search(
    State(access): State<Access>,
    caller: Caller,
    Json(body): Json<SearchRequest>,
) -> Result<Json<SearchAnswer>, ApiError> {
    let access = enabled(access)?;
    let permitted = access.permitted(&caller.asker, &body, 1)?;
    Ok(Json(access.search(permitted, body.top_k, &caller.context()).await?.0))
}

/// Lines of JSON: the answer as far as it has come each time an engine has answered, the last with `"done": true`.
async fn search_in_steps(
    State(access): State<Access>,
    caller: Caller,
    Json(body): Json<SearchRequest>,
) -> Result<Response, ApiError> {
    let access = enabled(access)?;
    let permitted = access.permitted(&caller.asker, &body, 1)?;
    let (lines, waiting) = mpsc::channel::<Result<String, std::convert::Infallible>>(WAITING_LINES);
    let context = caller.context();
    tokio::spawn(async move {
        let partial = lines.clone();
        // Whoever listens no longer needs no further line; the search itself ends at its deadline.
        let search = access.search_in_steps(permitted, body.top_k, &context, |answer| {
            let _ = partial.try_send(Ok(line(&json!({"done": false, "answer": answer}))));
        });
        let last = match search.await {
            Ok(answer) => json!({"done": true, "answer": answer}),
            Err(error) => {
                json!({"done": true, "error": {"code": error.code.as_str(), "message": error.message}})
            }
        };
        let _ = lines.send(Ok(line(&last))).await;
    });
    let stream = futures::stream::unfold(waiting, |mut waiting| async move {
        waiting.recv().await.map(|line| (line, waiting))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream)).into_response())
}

fn line(value: &serde_json::Value) -> String {
    format!("{value}\n")
}

async fn outgoing(
    State(access): State<Access>,
    caller: Caller,
    Json(body): Json<SearchRequest>,
) -> Result<Json<Outgoing>, ApiError> {
    Ok(Json(enabled(access)?.outgoing(&caller.asker, &body.query)?))
}

async fn read(
    State(access): State<Access>,
    caller: Caller,
    Json(body): Json<ReadRequest>,
) -> Result<Json<ReadAnswer>, ApiError> {
    let access = enabled(access)?;
    let rules = access.rules.current();
    if !rules.permits(&caller.asker) {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            "you may not read pages of the web; ask an administrator",
        ));
    }
    let result = access.pages.read(&body, &rules, &caller.context()).await.map_err(ApiError::from);
    let outcome = result.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok");
    metrics::counter!("anwen_search_pages_read_total", "outcome" => outcome).increment(1);
    result.map(Json)
}

async fn engines(State(access): State<Access>, caller: Caller) -> Result<Json<EnginesAnswer>, ApiError> {
    for_administrators(&caller)?;
    let engines = access.as_ref().map(|access| access.panel.health()).unwrap_or_default();
    Ok(Json(EnginesAnswer { enabled: access.is_some(), engines }))
}

async fn rules(State(access): State<Access>, caller: Caller) -> Result<Json<SearchRules>, ApiError> {
    for_administrators(&caller)?;
    Ok(Json(enabled(access)?.rules.current().rules.clone()))
}

async fn set_rules(
    State(access): State<Access>,
    caller: Caller,
    Json(body): Json<SearchRules>,
) -> Result<Json<SearchRules>, ApiError> {
    for_administrators(&caller)?;
    let access = enabled(access)?;
    // Compiling long lists takes a while, and the file is written to disk.
    let set =
        tokio::task::spawn_blocking(move || access.rules.set(body)).await.map_err(ApiError::internal)??;
    Ok(Json(set.rules.clone()))
}

fn for_administrators(caller: &Caller) -> Result<(), ApiError> {
    if caller.asker.is_admin {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::Forbidden, "only administrators may do this"))
}

/// The description by which browsers and clients learn where to search.
async fn open_search(headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    let text = open_search_description(&format!("http://{host}"));
    ([(CONTENT_TYPE, "application/opensearchdescription+xml")], text).into_response()
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
    caller: Caller,
    Query(parameters): Query<SearxngParameters>,
) -> Result<Json<SearxngAnswer>, ApiError> {
    let access = enabled(access)?;
    if parameters.format.as_deref() != Some("json") {
        return Err(ApiError::invalid("only format=json is answered"));
    }
    let names = parameters.engines.unwrap_or_default();
    let request = SearchRequest {
        query: parameters.q,
        engines: Some(
            names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        ),
        top_k: None,
        language: parameters.language,
        time_range: parameters.time_range,
        confirmed: false,
    };
    let permitted = access.permitted(&caller.asker, &request, parameters.pageno.unwrap_or(1))?;
    let (answer, suggestions) = access.search(permitted, None, &caller.context()).await?;
    let unresponsive = answer.engines.into_iter().filter(|engine| engine.state != "ok");
    let results: Vec<SearxngResult> = answer
        .results
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
        query: request.query.trim().to_owned(),
        number_of_results: results.len(),
        results,
        answers: [],
        corrections: [],
        infoboxes: [],
        suggestions,
        unresponsive_engines: unresponsive
            .map(|engine| (engine.name, engine.error.unwrap_or(engine.state)))
            .collect(),
    }))
}
