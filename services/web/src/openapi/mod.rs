//! The contract of the public interface, made from the handlers themselves, and a page to read it on.

use crate::app::AppState;
use anwen_contract::error::{ErrorBody, ErrorDetail};
use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, ResponsesBuilder};
use utoipa::{IntoResponses, Modify, OpenApi as _};

/// The page that shows the document; it reads `/api/v1/openapi.json` and needs nothing else.
const DOCS_PAGE: &str = include_str!("docs.html");
const DOCS_SCRIPT: &str = include_str!("docs.js");

/// How any call may fail.
pub struct Failures;

impl IntoResponses for Failures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let failure = |description: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
            ResponseBuilder::new().description(description).content("application/json", content).build()
        };
        ResponsesBuilder::new()
            .response("4XX", failure("The request cannot be answered as it is; `error.code` says why"))
            .response("5XX", failure("The server, or a service behind it, failed"))
            .build()
            .into()
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Anwen",
        description = "Private question answering over an organisation's own documents.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ErrorBody, ErrorDetail)),
    modifiers(&Security),
    security(("session" = []), ("api_key" = [])),
    tags(
        (name = "setup", description = "The first administrator"),
        (name = "auth", description = "Signing in and out"),
        (name = "users", description = "Accounts, for administrators"),
        (name = "groups", description = "Groups of users, for administrators"),
        (name = "api-keys", description = "One's own keys for other software"),
        (name = "knowledge-bases", description = "Collections of documents, and who may see them"),
        (name = "documents", description = "Upload, progress, originals and passages"),
        (name = "search", description = "Finding passages"),
        (name = "chats", description = "Questions and their answers"),
        (name = "models", description = "What answers"),
        (name = "administration", description = "Audit, usage and settings"),
        (name = "compatible", description = "OpenAI's and Ollama's interfaces, for other software")
    )
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
            crate::auth::SESSION_COOKIE,
            "Writes also send the value of the cookie `anwen_csrf` in the header `X-CSRF-Token`",
        ));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        components.add_security_scheme("api_key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The document without its paths, which the router adds.
pub fn base() -> OpenApi {
    Document::openapi()
}

/// The JSON text of the document, as it is checked in and served.
pub fn text_of(document: &OpenApi) -> String {
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `/openapi.json` and `/docs`, for anyone: they say nothing of what the server holds.
pub fn routes(document: &OpenApi) -> Router<AppState> {
    let text: Arc<str> = text_of(document).into();
    let json = move || async move { ([(CONTENT_TYPE, "application/json")], text.to_string()) };
    let script = || async { ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], DOCS_SCRIPT) };
    Router::new()
        .route("/api/v1/openapi.json", get(json))
        .route("/api/v1/docs", get(page))
        .route("/api/v1/docs.js", get(script))
}

async fn page() -> impl IntoResponse {
    ([(CACHE_CONTROL, "no-cache")], Html(DOCS_PAGE))
}
