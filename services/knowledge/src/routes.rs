//! Every route of the service in one list. The tests walk it, so that no route is without its permission tests.

use crate::app::App;
use crate::{bases, classify, documents, query, tika};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

/// One call: a method and a path.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    handler: MethodRouter<App>,
}

fn route(method: Method, path: &'static str, handler: MethodRouter<App>) -> Route {
    Route { method, path, handler }
}

/// The calls of this service, without health and metrics, which every service has.
pub fn routes(max_upload_bytes: usize) -> Vec<Route> {
    let upload_limit = DefaultBodyLimit::max(max_upload_bytes);
    vec![
        route(Method::GET, "/v1/knowledge-bases", get(bases::routes::get_all)),
        route(Method::POST, "/v1/knowledge-bases", post(bases::routes::post)),
        route(Method::GET, "/v1/knowledge-bases/{id}", get(bases::routes::get)),
        route(Method::PATCH, "/v1/knowledge-bases/{id}", patch(bases::routes::patch)),
        route(Method::DELETE, "/v1/knowledge-bases/{id}", delete(bases::routes::remove)),
        route(Method::GET, "/v1/knowledge-bases/{id}/grants", get(bases::routes::get_grants)),
        route(Method::PUT, "/v1/knowledge-bases/{id}/grants", put(bases::routes::put_grants)),
        route(Method::GET, "/v1/knowledge-bases/{id}/labels", get(classify::routes::get_labels)),
        route(Method::PUT, "/v1/knowledge-bases/{id}/labels", put(classify::routes::put_labels)),
        route(Method::GET, "/v1/knowledge-bases/{id}/documents", get(documents::routes::get_documents)),
        route(
            Method::POST,
            "/v1/knowledge-bases/{id}/documents",
            post(documents::routes::post_documents).layer(upload_limit),
        ),
        route(Method::GET, "/v1/documents/{id}", get(documents::routes::get)),
        route(Method::PATCH, "/v1/documents/{id}", patch(documents::routes::patch)),
        route(Method::DELETE, "/v1/documents/{id}", delete(documents::routes::remove)),
        route(Method::POST, "/v1/documents/{id}/retry", post(documents::routes::post_retry)),
        route(Method::GET, "/v1/documents/{id}/versions", get(documents::routes::get_versions)),
        route(Method::GET, "/v1/documents/{id}/content", get(documents::routes::get_content)),
        route(Method::GET, "/v1/documents/{id}/findings", get(documents::routes::get_findings)),
        route(Method::GET, "/v1/documents/{id}/chunks", get(documents::routes::get_chunks)),
        route(Method::POST, "/v1/documents/{id}/chunk-preview", post(documents::routes::post_chunk_preview)),
        route(Method::GET, "/v1/chunks/{id}", get(documents::routes::get_chunk)),
        route(Method::GET, "/v1/events/documents", get(documents::routes::get_events)),
        route(Method::POST, "/v1/retrieve", post(query::routes::post_retrieve)),
        route(Method::GET, "/v1/search", get(query::routes::get_search)),
        route(Method::PUT, "/tika", put(tika::put)),
        route(Method::PUT, "/tika/text", put(tika::put_text)),
        route(Method::PUT, "/rmeta/text", put(tika::put_list)),
    ]
}

/// The calls as a router over the service's state.
pub fn router(app: App) -> Router {
    let routes = routes(app.config.uploads.max_request_bytes);
    let router =
        routes.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler));
    router.with_state(app)
}
