//! The single-page app, embedded in the program.

use anwen_contract::{ApiError, ErrorCode};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The built app. Where it was not built, one page says how to.
#[derive(RustEmbed)]
#[folder = "ui/dist"]
#[allow_missing = true]
struct Dist;

const NOT_BUILT: &str = include_str!("not-built.html");
const INDEX: &str = "index.html";
/// Files under it carry a hash of their content in their name.
const HASHED_FOLDER: &str = "assets/";
const KEEP_FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// Our own interface. There, and on the paths of other software, an unknown path is an error and not a page.
const API_PATHS: &str = "/api/";

/// What every answer tells browsers. pdf.js decodes images in WebAssembly and works in a worker of its own; the
/// components' styles are made at run time.
pub const SECURITY_HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
];

/// Answers whatever no route takes: a file of the app, or for a page's path the app itself.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let for_programs = path.starts_with(API_PATHS) || anwen_contract::is_for_programs(path);
    if for_programs || (method != Method::GET && method != Method::HEAD) {
        return ApiError::new(ErrorCode::RouteNotFound, "no such route").into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Dist::get(name).filter(|_| !name.is_empty()) {
        return file_answer(name, file, &headers);
    }
    // A file that is not there is an error; any other path is a page, which the app itself shows.
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains('.') && last != INDEX {
        return ApiError::not_found("file").into_response();
    }
    match Dist::get(INDEX) {
        Some(file) => file_answer(INDEX, file, &headers),
        None => not_built(),
    }
}

fn not_built() -> Response {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, NOT_BUILT).into_response()
}

fn file_answer(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A proxy that compresses may have made the tag a weak one.
    let unchanged = known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag);
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(file.data));
        if let Ok(media_type) = HeaderValue::from_str(&media_type_of(name)) {
            response.headers_mut().insert(CONTENT_TYPE, media_type);
        }
        response
    };
    let cache = if name.starts_with(HASHED_FOLDER) { KEEP_FOREVER } else { ASK_AGAIN };
    response.headers_mut().insert(CACHE_CONTROL, cache);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

fn media_type_of(name: &str) -> String {
    let guess = mime_guess::from_path(name).first_or_octet_stream();
    match guess.type_() {
        mime_guess::mime::TEXT => format!("{}; charset=utf-8", guess.essence_str()),
        _ => guess.essence_str().to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
        let response = serve(Method::GET, path.parse().unwrap(), HeaderMap::new()).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn pages_are_the_app_and_unknown_files_and_calls_are_errors() {
        for page in ["/", "/chats/1", "/knowledge", "/index.html"] {
            let (status, headers, body) = get(page).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            assert_eq!(headers[CACHE_CONTROL], "no-cache", "{page}");
            assert!(body.to_lowercase().contains("<!doctype html>"), "{page}");
        }
        for missing in ["/api/v1/nothing", "/v1/nothing", "/assets/missing.js", "/robots.txt.bak"] {
            assert_eq!(get(missing).await.0, StatusCode::NOT_FOUND, "{missing}");
        }
        let posted = serve(Method::POST, "/".parse().unwrap(), HeaderMap::new()).await;
        assert_eq!(posted.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn hashed_files_are_kept_and_known_ones_not_sent_again() {
        let Some(name) = Dist::iter().find(|name| name.starts_with(HASHED_FOLDER)) else { return };
        let sent = file_answer(&name, Dist::get(&name).unwrap(), &HeaderMap::new());
        assert_eq!(sent.headers()[CACHE_CONTROL], KEEP_FOREVER);
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, sent.headers()[ETAG].clone());
        assert_eq!(
            file_answer(&name, Dist::get(&name).unwrap(), &headers).status(),
            StatusCode::NOT_MODIFIED
        );
    }

    #[test]
    fn text_says_its_encoding() {
        assert_eq!(media_type_of("a.html"), "text/html; charset=utf-8");
        assert_eq!(media_type_of("a.js"), "text/javascript; charset=utf-8");
        assert_eq!(media_type_of("a.wasm"), "application/wasm");
        assert_eq!(media_type_of("a.bcmap"), "application/octet-stream");
    }
}
