//! `POST /retrieve` and `GET /search`.

use super::forward::{Forwarded, inner};
use crate::app::AppState;
use crate::auth::{Reader, SignedIn};
use crate::chats::messages::FoundMessage;
use crate::chats::owner_of;
use crate::openapi::Failures;
use crate::snippets::snippet;
use anwen_contract::knowledge::{
    MAX_QUERY_CHARS, MAX_TOP_K, PassageSearchAnswer, PassageSnippet, RetrieveAnswer, RetrieveRequest,
    SnippetPart,
};
use anwen_contract::{ApiError, ChatId, MessageId, Timestamp};
use anwen_platform::http::{Json, Query};
use axum::extract::State;
use http::Method;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Results of each kind when the caller does not say.
const DEFAULT_SEARCH_LIMIT: u32 = 20;
/// Results of each kind at most.
const MAX_SEARCH_LIMIT: u32 = 100;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(retrieve)).routes(routes!(search))
}

/// Finds the passages that answer a question.
#[utoipa::path(post, path = "/retrieve", tag = "search", request_body = RetrieveRequest,
    responses((status = 200, body = RetrieveAnswer), Failures))]
async fn retrieve(
    State(app): State<AppState>,
    caller: Reader,
    Json(body): Json<RetrieveRequest>,
) -> Result<Json<RetrieveAnswer>, ApiError> {
    if !(1..=MAX_TOP_K).contains(&body.top_k) {
        return Err(ApiError::invalid(format!("top_k is 1 to {MAX_TOP_K}")));
    }
    Ok(Json(app.knowledge.retrieve(&caller.context(&app), &body).await.map_err(inner)?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// The words to find.
    q: String,
    /// Results of each kind, 1 to 100; 20 when absent.
    limit: Option<u32>,
}

/// What a full-text search found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct SearchResults {
    /// Passages of documents that the asker may read, best first.
    documents: Vec<PassageSnippet>,
    /// Messages of one's own chats, newest first.
    chats: Vec<ChatSnippet>,
}

/// A message that holds the words, cut to the part where they stand.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ChatSnippet {
    chat_id: ChatId,
    title: String,
    message_id: MessageId,
    snippet: Vec<SnippetPart>,
    created_at: Timestamp,
}

/// Full-text search over documents and one's own chats.
#[utoipa::path(get, path = "/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = SearchResults), Failures))]
async fn search(
    State(app): State<AppState>,
    caller: Reader,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchResults>, ApiError> {
    let words = query.q.trim();
    if words.is_empty() || words.chars().count() > MAX_QUERY_CHARS {
        return Err(ApiError::invalid(format!("q has 1 to {MAX_QUERY_CHARS} characters")));
    }
    let limit = query.limit.unwrap_or(DEFAULT_SEARCH_LIMIT).clamp(1, MAX_SEARCH_LIMIT);
    let normalized = anwen_text::normalize(words);
    let (documents, messages) = tokio::join!(
        search_documents(&app, &caller, words, limit),
        app.messages.search(owner_of(&caller), &normalized, limit),
    );
    let chats = messages?.into_iter().map(|found| chat_snippet(found, words)).collect();
    Ok(Json(SearchResults { documents: documents?, chats }))
}

async fn search_documents(
    app: &AppState,
    caller: &SignedIn,
    words: &str,
    limit: u32,
) -> Result<Vec<PassageSnippet>, ApiError> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("q", words)
        .append_pair("limit", &limit.to_string())
        .finish();
    let path = "/v1/search".to_owned();
    let call = Forwarded { client: app.knowledge.service(), method: Method::GET, path, query: Some(query) };
    let request = call.request(app, caller)?.timeout(app.config.limits.service_call());
    let answer = call.client.send(request).await.map_err(inner)?;
    let answer: PassageSearchAnswer = answer.json().await.map_err(super::forward::broken_off)?;
    Ok(answer.items)
}

fn chat_snippet(found: FoundMessage, words: &str) -> ChatSnippet {
    ChatSnippet {
        chat_id: found.chat_id,
        title: found.chat_title,
        message_id: found.message_id,
        snippet: snippet(&found.content, words),
        created_at: found.created_at,
    }
}
