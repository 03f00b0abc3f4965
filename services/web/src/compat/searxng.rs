//! `/searxng/search`: SearXNG's interface, for software that already speaks it.

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Reader;
use crate::openapi::Failures;
use crate::relay::{Forwarded, inner};
use crate::web_search::client_if_on;
use anwen_contract::search::open_search_description;
use anwen_contract::{ApiError, ErrorCode};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(description))
}

/// SearXNG's search (`q`, `format=json`, `engines`, `language`, `time_range`, `pageno`).
#[utoipa::path(get, path = "/searxng/search", tag = "compatible", params(("q" = String, Query), ("format" = String, Query)),
    responses((status = 200, body = Object), Failures))]
async fn search(
    State(app): State<AppState>,
    caller: Reader,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let client = client_if_on(&app).await?.service();
    let entry = Entry::new(caller.actor(), "web.searched", "searxng").detail(json!({"query": query}));
    app.audit.record(&entry).await?;
    let call = Forwarded { client, method: Method::GET, path: "/search".to_owned(), query };
    let request = call.request(&app, &caller)?.timeout(app.config.limits.service_call());
    let answer = client.send(request).await.map_err(inner)?;
    let body = answer.bytes().await.map_err(|cause| {
        ApiError::new(ErrorCode::ServiceUnavailable, "the search proxy broke off; try again").because(cause)
    })?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// The OpenSearch description of `/searxng/search`.
#[utoipa::path(get, path = "/searxng/opensearch.xml", tag = "compatible",
    responses((status = 200, body = String, content_type = "application/opensearchdescription+xml"), Failures))]
async fn description(_: Reader, headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    // Behind a proxy that speaks TLS, it says so.
    let is_plain = headers.get("x-forwarded-proto").is_none_or(|scheme| scheme != "https");
    let scheme = if is_plain { "http" } else { "https" };
    let text = open_search_description(&format!("{scheme}://{host}/searxng"));
    ([(CONTENT_TYPE, "application/opensearchdescription+xml")], text).into_response()
}
