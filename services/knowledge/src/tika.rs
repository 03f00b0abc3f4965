//! `PUT /tika`, `/tika/text` and `/rmeta/text`: Apache Tika server's calls, answered by the parser that ingest uses. Nothing is kept.

use crate::app::App;
use crate::documents::names::{extended_file_name, safe_path};
use crate::ingest::document::{ParsedDocument, to_markdown, to_text};
use crate::ingest::parse::ParseFailure;
use crate::ingest::parse::format::Format;
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::{Caller, Json};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use serde_json::{Map, Value};
use std::path::Path;
use tokio::io::AsyncWriteExt as _;

const PLAIN: &str = "text/plain";
const MARKDOWN: &str = "text/markdown";
const JSON: &str = "application/json";
/// What each call can answer, the first being what is answered when all is welcome.
const TIKA_KINDS: [&str; 3] = [PLAIN, MARKDOWN, JSON];
const TIKA_TEXT_KINDS: [&str; 2] = [JSON, PLAIN];

/// `PUT /tika`: the text of the file in the body, plain (the default), as Markdown or as JSON with its metadata.
pub async fn put(
    State(app): State<App>,
    _caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let kind = wanted_type(&headers, &TIKA_KINDS)?;
    let parsed = read(&app, &headers, body).await?;
    Ok(answer(kind, &parsed))
}

/// `PUT /tika/text`: the text as `X-TIKA:content` beside the metadata.
pub async fn put_text(
    State(app): State<App>,
    _caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let kind = wanted_type(&headers, &TIKA_TEXT_KINDS)?;
    let parsed = read(&app, &headers, body).await?;
    Ok(answer(kind, &parsed))
}

/// `PUT /rmeta/text`: the same in a list.
pub async fn put_list(
    State(app): State<App>,
    _caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Vec<Value>>, ApiError> {
    wanted_type(&headers, &[JSON])?;
    Ok(Json(vec![described(&read(&app, &headers, body).await?)]))
}

async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<ParsedDocument, ApiError> {
    let _turn = app.direct_reads.acquire().await.map_err(ApiError::internal)?;
    let scratch = app.scratch.clone();
    let file = tokio::task::spawn_blocking(move || tempfile::NamedTempFile::new_in(scratch))
        .await
        .map_err(ApiError::internal)?
        .map_err(storage_failure)?;
    receive(body, file.path(), app.config.uploads.max_file_bytes).await?;
    app.reader.read(file.path(), &file_name(headers), None).await.map_err(unreadable)
}

fn answer(kind: &'static str, parsed: &ParsedDocument) -> Response {
    let text = match kind {
        JSON => return Json(described(parsed)).into_response(),
        MARKDOWN => to_markdown(parsed),
        _ => to_text(parsed),
    };
    ([(CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text).into_response()
}

/// A document in the names that Tika gives to what it finds.
fn described(parsed: &ParsedDocument) -> Value {
    let metadata = &parsed.metadata;
    let keywords = (!metadata.keywords.is_empty()).then(|| metadata.keywords.join(", "));
    let stated = [
        ("dc:title", parsed.title.clone()),
        ("dc:creator", metadata.author.clone()),
        ("dc:description", metadata.subject.clone()),
        ("dc:language", metadata.language.clone()),
        ("meta:keyword", keywords),
        ("dcterms:created", metadata.created.clone()),
        ("dcterms:modified", metadata.modified.clone()),
        ("pdf:producer", metadata.producer.clone()),
        ("Content-Encoding", metadata.encoding.clone()),
        ("xmpTPg:NPages", parsed.page_count.map(|pages| pages.to_string())),
    ];
    let mut object = Map::new();
    object.insert("Content-Type".to_owned(), Value::from(parsed.media_type.clone()));
    object
        .extend(stated.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))));
    object.insert("X-TIKA:content".to_owned(), Value::from(to_text(parsed)));
    Value::Object(object)
}

/// The first of the kinds that the asker takes which can be had.
fn wanted_type(headers: &HeaderMap, kinds: &[&'static str]) -> Result<&'static str, ApiError> {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let mut wanted = accepted.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let matches = |kind: &str, wanted: &str| match wanted.split_once('/') {
        Some(("*", _)) => true,
        Some((main, "*")) => kind.split('/').next() == Some(main),
        _ => kind == wanted,
    };
    wanted
        .find_map(|wanted| kinds.iter().copied().find(|kind| matches(kind, wanted)))
        .ok_or_else(|| ApiError::invalid(format!("accept: {}", kinds.join(" or "))))
}

/// What the sender calls the file, from `Content-Disposition` as Tika takes it.
fn file_name(headers: &HeaderMap) -> String {
    let Some(disposition) = headers.get(CONTENT_DISPOSITION) else { return named_by_type(headers) };
    let plain = || {
        let text = disposition.to_str().unwrap_or_default();
        let name = text.split(';').find_map(|part| part.trim().strip_prefix("filename="));
        name.unwrap_or_default().trim_matches('"').to_owned()
    };
    safe_path(&extended_file_name(disposition.as_bytes()).unwrap_or_else(plain)).name
}

/// A name whose ending says what the sender says of the content.
fn named_by_type(headers: &HeaderMap) -> String {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let extension = media_type.and_then(Format::by_media_type).and_then(|format| format.extensions().first());
    let ending = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
    format!("{}{ending}", safe_path("").name)
}

async fn receive(body: Body, path: &Path, max_bytes: u64) -> Result<(), ApiError> {
    let mut file = tokio::fs::File::create(path).await.map_err(storage_failure)?;
    let mut pieces = body.into_data_stream();
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|cause| ApiError::invalid("the upload broke off; send it again").because(cause))?;
        bytes += piece.len() as u64;
        if bytes > max_bytes {
            let message = format!("the file is larger than {max_bytes} bytes, the most that is taken here");
            return Err(ApiError::new(ErrorCode::FileTooLarge, message));
        }
        file.write_all(&piece).await.map_err(storage_failure)?;
    }
    file.flush().await.map_err(storage_failure)
}

pub(crate) fn unreadable(failure: ParseFailure) -> ApiError {
    match ErrorCode::parse(failure.code.as_str()) {
        Some(code) => ApiError::new(code, failure.message),
        None => {
            ApiError::new(ErrorCode::ServiceUnavailable, "the parser does not answer; try again in a moment")
                .because(failure)
        }
    }
}

fn storage_failure(cause: std::io::Error) -> ApiError {
    ApiError::new(ErrorCode::StorageUnavailable, "the file could not be stored; tell your administrator")
        .because(cause)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_type_is_the_first_that_can_be_had() {
        for (accept, kinds, expected) in [
            (None, &TIKA_KINDS[..], Some(PLAIN)),
            (Some("text/plain"), &TIKA_KINDS, Some(PLAIN)),
            (Some("text/html, text/markdown;q=0.9, */*"), &TIKA_KINDS, Some(MARKDOWN)),
            (Some("application/json"), &TIKA_KINDS, Some(JSON)),
            (Some("image/png"), &TIKA_KINDS, None),
            (None, &TIKA_TEXT_KINDS, Some(JSON)),
            (Some("text/*"), &TIKA_TEXT_KINDS, Some(PLAIN)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(wanted_type(&headers, kinds).ok(), expected, "{accept:?}");
        }
    }

    #[test]
    fn the_name_comes_from_the_disposition() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_DISPOSITION, "attachment; filename=\"../a.md\"".parse().unwrap());
        assert_eq!(file_name(&headers), "a.md");
        assert_eq!(file_name(&HeaderMap::new()), "unnamed");
    }

    #[test]
    fn the_type_names_what_has_no_name() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "text/markdown; charset=utf-8".parse().unwrap());
        assert_eq!(file_name(&headers), "unnamed.md");
    }
}
