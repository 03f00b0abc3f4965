//! `POST /v1/retrieve` and `GET /v1/search`.

use super::{DEFAULT_SEARCH_LIMIT, retrieve, search};
use crate::access::Access;
use crate::app::App;
use anwen_contract::ApiError;
use anwen_contract::knowledge::{PassageSearchAnswer, RetrieveAnswer, RetrieveRequest};
use anwen_platform::http::{Caller, Json, Query};
use axum::extract::State;
use serde::Deserialize;

/// The query string of full-text search.
#[derive(Debug, Deserialize)]
pub struct SearchQuery {
    q: String,
    limit: Option<u32>,
}

pub async fn post_retrieve(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<RetrieveRequest>,
) -> Result<Json<RetrieveAnswer>, ApiError> {
    retrieve(&app, &Access::from(&caller.asker), &body).await.map(Json)
}

pub async fn get_search(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Result<Json<PassageSearchAnswer>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_SEARCH_LIMIT);
    search(&app, &Access::from(&caller.asker), &query.q, limit).await.map(Json)
}
