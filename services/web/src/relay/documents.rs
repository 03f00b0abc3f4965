//! Documents, their originals, their passages, and the events of their progress.

use super::bases::call;
use super::forward::{
    Forwarded, announced_length, bounded_body, exact_answer, inner, json_answer, streamed_answer,
};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Reader, SignedIn, Writer};
use crate::openapi::Failures;
use anwen_contract::chunking::{ChunkPreview, ChunkPreviewRequest};
use anwen_contract::client::ServiceClient;
use anwen_contract::knowledge::{
    Chunk, Document, DocumentEvent, DocumentVersion, RetryDocument, UpdateDocument, UploadAnswer,
};
use anwen_contract::privacy::DocumentFindings;
use anwen_contract::{ApiError, ChunkId, DocumentId, ErrorCode, KnowledgeBaseId, Page, PageQuery};
use anwen_platform::http::{Json, OptionalJson, Path};
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED,
    RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Headers of a request for an original that are passed on.
const CONTENT_REQUEST_HEADERS: [HeaderName; 4] = [RANGE, IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE];
/// Headers of an original that are passed back.
const CONTENT_ANSWER_HEADERS: [HeaderName; 8] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    ACCEPT_RANGES,
    ETAG,
    LAST_MODIFIED,
    CONTENT_DISPOSITION,
    CACHE_CONTROL,
];
/// An original is somebody's file: a browser that shows it runs nothing of it.
const CONTENT_POLICY: HeaderValue =
    HeaderValue::from_static("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, upload))
        .routes(routes!(get, update, delete))
        .routes(routes!(retry))
        .routes(routes!(versions))
        .routes(routes!(content))
        .routes(routes!(findings))
        .routes(routes!(chunks))
        .routes(routes!(chunk_preview))
        .routes(routes!(chunk))
        .routes(routes!(events))
}

/// Files to upload: one or many `file` parts, each optionally after a `path` part for it.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "describes the multipart body in the OpenAPI document")]
struct UploadForm {
    /// Folder and name within the knowledge base, for the `file` part that follows.
    path: Option<String>,
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<String>,
}

/// Lists the documents of a knowledge base; `status` narrows to one state, `label` to one label.
#[utoipa::path(get, path = "/knowledge-bases/{id}/documents", tag = "documents",
    params(("id" = KnowledgeBaseId, Path), PageQuery,
        ("status" = Option<anwen_contract::knowledge::DocumentStatus>, Query),
        ("parent_id" = Option<String>, Query,
            description = "Only what is directly inside this document; `none`: only what is inside of no document"),
        ("label" = Option<String>, Query, description = "Only documents with this label")),
    responses((status = 200, body = Page<Document>), Failures))]
async fn list(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<KnowledgeBaseId>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let call = Forwarded { query, ..call(&app, Method::GET, id, "/documents") };
    Ok(exact_answer(json_answer(&app, &caller, &call, None).await?))
}

/// Uploads files. They are stored at once and indexed afterwards.
#[utoipa::path(post, path = "/knowledge-bases/{id}/documents", tag = "documents",
    params(("id" = KnowledgeBaseId, Path)),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 202, body = UploadAnswer), Failures))]
async fn upload(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<KnowledgeBaseId>,
    request: Request,
) -> Result<(StatusCode, Json<UploadAnswer>), ApiError> {
    let max_bytes = app.config.limits.upload_max_bytes;
    let (parts, body) = request.into_parts();
    let length = announced_length(&parts.headers);
    if length.is_some_and(|length| length > max_bytes) {
        return Err(too_large(max_bytes));
    }
    let call = call(&app, Method::POST, id, "/documents");
    let (body, went_past_bound) = bounded_body(body, max_bytes);
    let mut request = call.request(&app, &caller)?.body(body);
    if let Some(content_type) = parts.headers.get(CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, content_type);
    }
    if let Some(length) = length {
        request = request.header(CONTENT_LENGTH, length);
    }
    // Our own bound breaks the inner call off; that is told as what it is.
    let failed = |failure| if went_past_bound.is_set() { too_large(max_bytes) } else { inner(failure) };
    let answer = call.client.send(request).await.map_err(failed)?;
    let answer: UploadAnswer = answer.json().await.map_err(super::forward::broken_off)?;
    let entry = Entry::new(caller.actor(), "documents.uploaded", format!("knowledge_base:{id}"))
        .detail(json!({"documents": uploaded(&answer)}));
    app.audit.record(&entry).await?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// What the audit log keeps of an upload.
fn uploaded(answer: &UploadAnswer) -> Vec<serde_json::Value> {
    answer.documents.iter().map(|document| json!({"id": document.id, "name": document.name})).collect()
}

fn too_large(max_bytes: u64) -> ApiError {
    ApiError::new(
        ErrorCode::BodyTooLarge,
        format!("an upload has at most {max_bytes} bytes; send fewer files at once"),
    )
}

/// Shows a document and where it stands.
#[utoipa::path(get, path = "/documents/{id}", tag = "documents", params(("id" = DocumentId, Path)),
    responses((status = 200, body = Document), Failures))]
async fn get(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<DocumentId>,
) -> Result<Response, ApiError> {
    relay(&app, &caller, document_call(&app, Method::GET, id, "")).await
}

/// Renames or moves a document.
#[utoipa::path(patch, path = "/documents/{id}", tag = "documents", params(("id" = DocumentId, Path)),
    request_body = UpdateDocument, responses((status = 200, body = Document), Failures))]
async fn update(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<DocumentId>,
    Json(body): Json<UpdateDocument>,
) -> Result<Response, ApiError> {
    let call = document_call(&app, Method::PATCH, id, "");
    let answer = json_answer(&app, &caller, &call, Some(crate::rows::json_of(&body).into())).await?;
    app.audit
        .record(&Entry::new(caller.actor(), "document.changed", format!("document:{id}")).detail(json!(body)))
        .await?;
    Ok(exact_answer(answer))
}

/// Deletes a document with its versions.
#[utoipa::path(delete, path = "/documents/{id}", tag = "documents", params(("id" = DocumentId, Path)),
    responses((status = 204), Failures))]
async fn delete(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<DocumentId>,
) -> Result<Response, ApiError> {
    let answer = json_answer(&app, &caller, &document_call(&app, Method::DELETE, id, ""), None).await?;
    app.audit.record(&Entry::new(caller.actor(), "document.deleted", format!("document:{id}"))).await?;
    Ok(exact_answer(answer))
}

/// Tries to read and index a document again, with its password if it needs one.
#[utoipa::path(post, path = "/documents/{id}/retry", tag = "documents", params(("id" = DocumentId, Path)),
    request_body = Option<RetryDocument>, responses((status = 202, body = Document), Failures))]
async fn retry(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<DocumentId>,
    OptionalJson(body): OptionalJson<RetryDocument>,
) -> Result<Response, ApiError> {
    let call = document_call(&app, Method::POST, id, "/retry");
    Ok(exact_answer(json_answer(&app, &caller, &call, Some(crate::rows::json_of(&body).into())).await?))
}

/// Lists the versions of a document, newest first.
#[utoipa::path(get, path = "/documents/{id}/versions", tag = "documents",
    params(("id" = DocumentId, Path), PageQuery), responses((status = 200, body = Page<DocumentVersion>), Failures))]
async fn versions(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<DocumentId>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    relay(&app, &caller, Forwarded { query, ..document_call(&app, Method::GET, id, "/versions") }).await
}

/// The original bytes, with range requests. Where passages are masked this takes the role editor
/// (`original_withheld` otherwise).
#[utoipa::path(get, path = "/documents/{id}/content", tag = "documents",
    params(("id" = DocumentId, Path), ("version" = Option<i64>, Query, description = "The version that answers when absent")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream"), Failures))]
async fn content(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<DocumentId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let call = Forwarded { query, ..document_call(&app, Method::GET, id, "/content") };
    let mut request = call.request(&app, &caller)?;
    for name in CONTENT_REQUEST_HEADERS {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let answer = content_answer(call.client, request).await?;
    let mut response = streamed_answer(&app, answer, &CONTENT_ANSWER_HEADERS, None);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    Ok(response)
}

/// Sends a request for an original. "Not modified" and "range not satisfiable" are answers, not failures.
async fn content_answer(
    client: &ServiceClient,
    request: reqwest::RequestBuilder,
) -> Result<reqwest::Response, ApiError> {
    let (http, request) = request.build_split();
    let request = request.map_err(ApiError::internal)?;
    let answer = http.execute(request).await.map_err(super::forward::broken_off)?;
    let passed = [StatusCode::NOT_MODIFIED, StatusCode::RANGE_NOT_SATISFIABLE];
    if answer.status().is_success() || passed.contains(&answer.status()) {
        return Ok(answer);
    }
    Err(inner(client.failure_of(answer).await))
}

/// What sensitive content was found in a document, and where; never the values. For editors and owners.
#[utoipa::path(get, path = "/documents/{id}/findings", tag = "documents", params(("id" = DocumentId, Path)),
    responses((status = 200, body = DocumentFindings), Failures))]
async fn findings(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<DocumentId>,
) -> Result<Response, ApiError> {
    relay(&app, &caller, document_call(&app, Method::GET, id, "/findings")).await
}

/// Lists the passages of a document in reading order.
#[utoipa::path(get, path = "/documents/{id}/chunks", tag = "documents",
    params(("id" = DocumentId, Path), PageQuery), responses((status = 200, body = Page<Chunk>), Failures))]
async fn chunks(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<DocumentId>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    relay(&app, &caller, Forwarded { query, ..document_call(&app, Method::GET, id, "/chunks") }).await
}

/// Cuts a document by another chunk profile, for looking at: its passages as they are, beside those that it would have.
/// Nothing is kept.
#[utoipa::path(post, path = "/documents/{id}/chunk-preview", tag = "documents",
    params(("id" = DocumentId, Path)), request_body = ChunkPreviewRequest,
    responses((status = 200, body = ChunkPreview), Failures))]
async fn chunk_preview(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<DocumentId>,
    Json(body): Json<ChunkPreviewRequest>,
) -> Result<Response, ApiError> {
    let call = document_call(&app, Method::POST, id, "/chunk-preview");
    Ok(exact_answer(json_answer(&app, &caller, &call, Some(crate::rows::json_of(&body).into())).await?))
}

/// Shows a passage.
#[utoipa::path(get, path = "/chunks/{id}", tag = "documents", params(("id" = ChunkId, Path)),
    responses((status = 200, body = Chunk), Failures))]
async fn chunk(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<ChunkId>,
) -> Result<Response, ApiError> {
    let path = format!("/v1/chunks/{id}");
    let call = Forwarded { client: app.knowledge.service(), method: Method::GET, path, query: None };
    relay(&app, &caller, call).await
}

/// Follows documents as they are indexed: one `document` event for each change. The stream ends after a while;
/// browsers take it up again by themselves.
#[utoipa::path(get, path = "/events/documents", tag = "documents",
    params(("knowledge_base_id" = Option<KnowledgeBaseId>, Query)),
    responses((status = 200, body = DocumentEvent, content_type = "text/event-stream"), Failures))]
async fn events(
    State(app): State<AppState>,
    caller: Reader,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let path = "/v1/events/documents".to_owned();
    let call = Forwarded { client: app.knowledge.service(), method: Method::GET, path, query };
    let answer = call.client.send(call.request(&app, &caller)?).await.map_err(inner)?;
    let longest = Duration::from_secs(app.config.limits.event_stream_max_seconds);
    let mut response = streamed_answer(&app, answer, &[CONTENT_TYPE, CACHE_CONTROL], Some(longest));
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

async fn relay(app: &AppState, caller: &SignedIn, call: Forwarded<'_>) -> Result<Response, ApiError> {
    Ok(exact_answer(json_answer(app, caller, &call, None).await?))
}

fn document_call<'a>(app: &'a AppState, method: Method, id: DocumentId, rest: &str) -> Forwarded<'a> {
    Forwarded {
        client: app.knowledge.service(),
        method,
        path: format!("/v1/documents/{id}{rest}"),
        query: None,
    }
}
