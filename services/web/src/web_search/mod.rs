//! Web search as administrators set it and askers see it before something leaves. The rules are kept by the search proxy,
//! which applies them.

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Administrator, Reader};
use crate::openapi::Failures;
use crate::relay::inner;
use anwen_contract::client::SearchClient;
use anwen_contract::search::{EnginesAnswer, Outgoing, SearchRequest, SearchRules};
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Json;
use axum::extract::{DefaultBodyLimit, State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Word lists are long.
const MAX_RULES_BYTES: usize = 16 * 1024 * 1024;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(rules, set_rules))
        .layer(DefaultBodyLimit::max(MAX_RULES_BYTES))
        .routes(routes!(access))
        .routes(routes!(engines))
        .routes(routes!(outgoing))
}

/// The search proxy, where there is one.
pub fn client(app: &AppState) -> Result<&SearchClient, ApiError> {
    app.search.as_ref().ok_or_else(off)
}

/// The search proxy, where administrators have switched web search on.
pub async fn client_if_on(app: &AppState) -> Result<&SearchClient, ApiError> {
    if app.settings.answering().await?.web_search { client(app) } else { Err(off()) }
}

fn off() -> ApiError {
    ApiError::new(ErrorCode::WebSearchDisabled, "web search is switched off on this server")
}

/// Shows what may leave and come in with web search.
#[utoipa::path(get, path = "/settings/web_search", tag = "administration",
    responses((status = 200, body = SearchRules), Failures))]
async fn rules(State(app): State<AppState>, caller: Administrator) -> Result<Json<SearchRules>, ApiError> {
    Ok(Json(client(&app)?.rules(&caller.context(&app)).await.map_err(inner)?))
}

/// Sets what may leave and come in with web search, as a whole.
#[utoipa::path(put, path = "/settings/web_search", tag = "administration", request_body = SearchRules,
    responses((status = 200, body = SearchRules), Failures))]
async fn set_rules(
    State(app): State<AppState>,
    caller: Administrator,
    Json(body): Json<SearchRules>,
) -> Result<Json<SearchRules>, ApiError> {
    // The words themselves may be what nobody is to read: the log keeps how many there are.
    let lists: Vec<_> = body
        .lists
        .iter()
        .map(|list| json!({"category": list.category, "action": list.action, "words": list.words.len()}))
        .collect();
    let detail = json!({"lists": lists, "organisation_words": body.organisation_words.len(),
        "allowed_groups": body.allowed_groups, "confirm_before_sending": body.confirm_before_sending,
        "sites_allowed": body.sites.allow.len(), "sites_blocked": body.sites.block.len()});
    let entry = Entry::new(caller.actor(), "settings.changed", "settings:web_search").detail(detail);
    // No transaction stays open while the search proxy is asked.
    let set = client(&app)?.set_rules(&caller.context(&app), &body).await.map_err(inner)?;
    app.audit.record(&entry).await?;
    Ok(Json(set))
}

/// Shows how each search engine has been doing.
#[utoipa::path(get, path = "/web-search/engines", tag = "administration",
    responses((status = 200, body = EnginesAnswer), Failures))]
async fn engines(
    State(app): State<AppState>,
    caller: Administrator,
) -> Result<Json<EnginesAnswer>, ApiError> {
    let Some(search) = &app.search else {
        return Ok(Json(EnginesAnswer { enabled: false, engines: Vec::new() }));
    };
    Ok(Json(search.engines(&caller.context(&app)).await.map_err(inner)?))
}

/// What an asker may do with web search.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
struct WebSearchAccess {
    /// Whether the asker can search the web.
    available: bool,
    /// Whether the asker is shown what would leave, and agrees to it, before each search.
    confirm_before_sending: bool,
}

/// What is prepared, and never sent, to learn what an asker may do.
const PROBE: &str = "web";

/// Shows whether the caller can search the web.
#[utoipa::path(get, path = "/web-search", tag = "search", responses((status = 200, body = WebSearchAccess), Failures))]
async fn access(State(app): State<AppState>, caller: Reader) -> Result<Json<WebSearchAccess>, ApiError> {
    let search = match client_if_on(&app).await {
        Ok(search) => search,
        Err(error) if error.code == ErrorCode::WebSearchDisabled => {
            return Ok(Json(WebSearchAccess::default()));
        }
        Err(error) => return Err(error),
    };
    match search.outgoing(&caller.context(&app), &question(PROBE.to_owned())).await {
        Ok(outgoing) => {
            Ok(Json(WebSearchAccess { available: true, confirm_before_sending: outgoing.needs_confirmation }))
        }
        Err(error) if matches!(error.code, ErrorCode::Forbidden | ErrorCode::WebSearchDisabled) => {
            Ok(Json(WebSearchAccess::default()))
        }
        Err(error) => Err(inner(error)),
    }
}

fn question(query: String) -> SearchRequest {
    SearchRequest { query, engines: None, top_k: None, language: None, time_range: None, confirmed: false }
}

/// A question that may be searched for.
#[derive(Debug, Deserialize, ToSchema)]
struct OutgoingQuestion {
    query: String,
}

/// Shows what would leave for a question. Sends nothing.
#[utoipa::path(post, path = "/web-search/outgoing", tag = "search", request_body = OutgoingQuestion,
    responses((status = 200, body = Outgoing), Failures))]
async fn outgoing(
    State(app): State<AppState>,
    caller: Reader,
    Json(body): Json<OutgoingQuestion>,
) -> Result<Json<Outgoing>, ApiError> {
    let client = client_if_on(&app).await?;
    Ok(Json(client.outgoing(&caller.context(&app), &question(body.query)).await.map_err(inner)?))
}
