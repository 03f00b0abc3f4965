//! `PUT /tika`: Apache Tika server's call, answered by the parser that ingest uses. Nothing is kept.

use crate::app::App;
use crate::documents::names::{extended_file_name, safe_path};
use crate::ingest::document::{to_markdown, to_text};
use crate::ingest::parse::ParseFailure;
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Caller;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use std::path::Path;
use tokio::io::AsyncWriteExt as _;

const PLAIN: &str = "text/plain";
const MARKDOWN: &str = "text/markdown";

/// The text of the file in the body: plain (the default), or Markdown where `Accept` says so.
pub async fn put(
    State(app): State<App>,
    _caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let media_type = wanted_type(&headers)?;
    let _turn = app.direct_reads.acquire().await.map_err(ApiError::internal)?;
    let scratch = app.scratch.clone();
    let file = tokio::task::spawn_blocking(move || tempfile::NamedTempFile::new_in(scratch))
        .await
        .map_err(ApiError::internal)?
        .map_err(storage_failure)?;
    receive(body, file.path(), app.config.uploads.max_file_bytes).await?;
    let parsed = app.reader.read(file.path(), &file_name(&headers)).await.map_err(unreadable)?;
    let text = if media_type == MARKDOWN { to_markdown(&parsed) } else { to_text(&parsed) };
    Ok(([(CONTENT_TYPE, format!("{media_type}; charset=utf-8"))], text).into_response())
}

fn wanted_type(headers: &HeaderMap) -> Result<&'static str, ApiError> {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let mut kinds = accepted.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kinds
        .find_map(|kind| match kind {
            "text/plain" | "text/*" | "*/*" => Some(PLAIN),
            "text/markdown" => Some(MARKDOWN),
            _ => None,
        })
        .ok_or_else(|| ApiError::invalid("accept: text/plain or text/markdown"))
}

/// What the sender calls the file, from `Content-Disposition` as Tika takes it.
fn file_name(headers: &HeaderMap) -> String {
    let Some(disposition) = headers.get(CONTENT_DISPOSITION) else { return safe_path("").name };
    let plain = || {
        let text = disposition.to_str().unwrap_or_default();
        let name = text.split(';').find_map(|part| part.trim().strip_prefix("filename="));
        name.unwrap_or_default().trim_matches('"').to_owned()
    };
    safe_path(&extended_file_name(disposition.as_bytes()).unwrap_or_else(plain)).name
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

fn unreadable(failure: ParseFailure) -> ApiError {
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
        for (accept, expected) in [
            (None, Some(PLAIN)),
            (Some("text/plain"), Some(PLAIN)),
            (Some("text/html, text/markdown;q=0.9, */*"), Some(MARKDOWN)),
            (Some("application/json"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(wanted_type(&headers).ok(), expected, "{accept:?}");
        }
    }

    #[test]
    fn the_name_comes_from_the_disposition() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_DISPOSITION, "attachment; filename=\"../a.md\"".parse().unwrap());
        assert_eq!(file_name(&headers), "a.md");
        assert_eq!(file_name(&HeaderMap::new()), "unnamed");
    }
}
