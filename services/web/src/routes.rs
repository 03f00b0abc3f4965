//! Every route in one list, and what surrounds them.

use crate::app::AppState;
use crate::{
    answer, audit, auth, chats, compat, groups, keys, models, openapi, relay, samples, settings, setup, ui,
    usage, users, web_search,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Where the public interface begins.
const API: &str = "/api/v1";

/// Every documented route.
fn documented() -> OpenApiRouter<AppState> {
    let api = OpenApiRouter::new()
        .merge(setup::routes())
        .merge(auth::routes())
        .merge(users::routes())
        .merge(groups::routes())
        .merge(keys::routes())
        .merge(relay::routes())
        .merge(samples::routes())
        .merge(chats::routes())
        .merge(answer::routes())
        .merge(models::routes())
        .merge(audit::routes())
        .merge(usage::routes())
        .merge(settings::routes())
        .merge(web_search::routes())
        .layer(from_fn(not_stored));
    OpenApiRouter::with_openapi(openapi::base()).nest(API, api).merge(compat::routes())
}

/// The service's routes, without the frame that every service has.
pub fn router(app: AppState) -> Router {
    let json_body_max_bytes = app.config.limits.json_body_max_bytes;
    let (routes, mut document) = documented().split_for_parts();
    name_operations(&mut document);
    // Only what is the same for everyone is compressed: answers may hold secrets beside what a caller chose. Errors are
    // not: the frame writes the request's id into them afterwards.
    let is_page = |status: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| status.is_success();
    let compression = CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_page));
    let pages = Router::new().fallback(ui::serve).merge(openapi::routes(&document)).layer(compression);
    routes
        .layer(DefaultBodyLimit::max(json_body_max_bytes))
        .merge(pages)
        .layer(from_fn(secured))
        .with_state(app)
}

/// Answers of the API are nobody else's to keep.
async fn not_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Adds the security headers that an answer does not bring itself.
async fn secured(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in ui::SECURITY_HEADERS {
        let name = HeaderName::from_static(name);
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// One call of the interface, for tests that walk them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// With its parameters in braces, such as `/api/v1/users/{id}`.
    pub path: String,
}

/// Every documented call.
pub fn routes() -> Vec<Route> {
    let document = document();
    let mut routes = Vec::new();
    for (path, item) in &document.paths.paths {
        let operations = [
            (Method::GET, &item.get),
            (Method::HEAD, &item.head),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ];
        let present = operations.into_iter().filter(|(_, operation)| operation.is_some());
        routes.extend(present.map(|(method, _)| Route { method, path: path.clone() }));
    }
    routes
}

fn document() -> OpenApi {
    let mut document = documented().into_openapi();
    name_operations(&mut document);
    document
}

/// Names each call by its method and path (`get_users_id`), so that no two share a name in a generated client.
fn name_operations(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let words: Vec<&str> = path.trim_start_matches(API).split(['/', '{', '}', '-', '*']).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let operations = [
            ("get", &mut item.get),
            ("head", &mut item.head),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(format!("{method}_{}", words.join("_")));
            }
        }
    }
}

/// The JSON text of the interface's OpenAPI document.
pub fn openapi_text() -> String {
    openapi::text_of(&document())
}
