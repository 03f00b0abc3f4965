//! Originals as they are sent back: whole or a range, with headers that make them harmless.

use super::originals::Originals;
use super::store::StoredContent;
use anwen_contract::{ApiError, ErrorCode};
use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::ops::Range;

/// Kinds that a browser may show in place: none of them can run anything in our origin.
const SHOWN_INLINE: [&str; 7] =
    ["application/pdf", "text/plain", "text/markdown", "image/png", "image/jpeg", "image/gif", "image/webp"];
/// For everything else that a browser might still open: no scripts, no forms, no origin.
const SANDBOX_POLICY: &str = "default-src 'none'; sandbox";

/// What a `Range` header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Whole,
    Part(Range<u64>),
    Unsatisfiable,
}

/// Reads a `Range` header for a body of `length` bytes (RFC 9110, 14.2). Anything but one range of bytes is answered
/// with the whole, as the standard allows.
pub fn wanted_range(header: Option<&str>, length: u64) -> Wanted {
    let Some((first, last)) = header
        .and_then(|text| text.trim().strip_prefix("bytes="))
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    let numbers = (first.parse::<u64>().ok(), last.parse::<u64>().ok());
    let range = match (first.is_empty(), last.is_empty(), numbers) {
        (false, false, (Some(first), Some(last))) if first <= last => {
            first..last.saturating_add(1).min(length)
        }
        (false, true, (Some(first), _)) => first..length,
        (true, false, (_, Some(count))) => length.saturating_sub(count)..length,
        _ => return Wanted::Whole,
    };
    if range.start >= range.end { Wanted::Unsatisfiable } else { Wanted::Part(range) }
}

/// The answer to `GET /v1/documents/{id}/content`.
pub async fn respond(
    originals: &Originals,
    content: &StoredContent,
    request: &HeaderMap,
) -> Result<Response, ApiError> {
    let Some(sha256) = &content.sha256 else {
        return Err(ApiError::new(ErrorCode::NotFound, "nothing of this file was kept"));
    };
    let length = u64::try_from(content.bytes).map_err(ApiError::internal)?;
    let entity_tag = format!("\"{sha256}\"");
    let text_of = |name: HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    let mut headers = safe_headers(content, &entity_tag);
    if text_of(IF_NONE_MATCH).is_some_and(|tags| tags == "*" || tags.contains(&entity_tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let is_same = text_of(IF_RANGE).is_none_or(|tag| tag == entity_tag);
    let (status, range) = match wanted_range(text_of(RANGE).filter(|_| is_same), length) {
        Wanted::Whole => (StatusCode::OK, None),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, Some(range)),
        Wanted::Unsatisfiable => {
            insert(&mut headers, CONTENT_RANGE, &format!("bytes */{length}"));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        }
    };
    if let Some(Range { start, end }) = &range {
        insert(&mut headers, CONTENT_RANGE, &format!("bytes {start}-{}/{length}", end - 1));
    }
    let sent = range.as_ref().map_or(length, |range| range.end - range.start);
    insert(&mut headers, CONTENT_LENGTH, &sent.to_string());
    let body = Body::from_stream(originals.read(sha256, range).await?);
    Ok((status, headers, body).into_response())
}

fn safe_headers(content: &StoredContent, entity_tag: &str) -> HeaderMap {
    let inline = SHOWN_INLINE.contains(&content.media_type.as_str());
    let media_type = if content.media_type.starts_with("text/") {
        // Without a charset a browser takes the text for Western European; what is not UTF-8 is rare by now.
        content.media_type.clone() + "; charset=utf-8"
    } else {
        content.media_type.clone()
    };
    let mut headers = HeaderMap::new();
    insert(&mut headers, CONTENT_TYPE, &media_type);
    insert(&mut headers, CONTENT_DISPOSITION, &disposition(inline, &content.name));
    insert(&mut headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(&mut headers, ETAG, entity_tag);
    insert(&mut headers, ACCEPT_RANGES, "bytes");
    insert(&mut headers, CACHE_CONTROL, "private, no-cache");
    if content.media_type != "application/pdf" {
        insert(&mut headers, CONTENT_SECURITY_POLICY, SANDBOX_POLICY);
    }
    headers
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `Content-Disposition` with the name in ASCII and, for those who read RFC 6266, as it is.
pub fn disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    let ascii: String = name
        .chars()
        .map(|character| match character {
            '"' | '\\' | '%' => '_',
            ' '..='~' => character,
            _ => '_',
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=0-0"), Wanted::Part(0..1)),
            (Some("bytes=2-4"), Wanted::Part(2..5)),
            (Some("bytes=2-"), Wanted::Part(2..10)),
            (Some("bytes=-3"), Wanted::Part(7..10)),
            (Some("bytes=-30"), Wanted::Part(0..10)),
            (Some("bytes=5-99"), Wanted::Part(5..10)),
            (Some("bytes=10-"), Wanted::Unsatisfiable),
            (Some("bytes=-0"), Wanted::Unsatisfiable),
            (Some("bytes=4-2"), Wanted::Whole),
            (Some("bytes=0-1,3-4"), Wanted::Whole),
            (Some("items=0-1"), Wanted::Whole),
            (Some("bytes=x-y"), Wanted::Whole),
        ] {
            assert_eq!(wanted_range(header, 10), expected, "{header:?}");
        }
        assert_eq!(wanted_range(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn names_cannot_break_out_of_their_header() {
        assert_eq!(
            disposition(true, "a\"b\r\nX: y.pdf"),
            "inline; filename=\"a_b__X: y.pdf\"; filename*=UTF-8''a%22b%0D%0AX%3A%20y.pdf"
        );
        assert_eq!(
            disposition(false, "报告.html"),
            "attachment; filename=\"__.html\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.html"
        );
    }

    #[test]
    fn active_content_is_downloaded_and_sandboxed() {
        let html = StoredContent {
            name: "a.html".into(),
            media_type: "text/html".into(),
            bytes: 1,
            sha256: Some("00".into()),
        };
        let headers = safe_headers(&html, "\"00\"");
        assert!(headers[CONTENT_DISPOSITION].to_str().is_ok_and(|text| text.starts_with("attachment")));
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[CONTENT_SECURITY_POLICY], SANDBOX_POLICY);
    }
}
