//! `/v1/knowledge-bases/{id}/documents`, `/v1/documents`, `/v1/chunks` and `/v1/events/documents`.

use super::store::Within;
use super::{
    Narrowed, content, delete, events, find, list, passage, passages, preview, retry, stored_content, update,
    upload, versions,
};
use crate::access::Access;
use crate::app::App;
use crate::privacy;
use anwen_contract::chunking::{ChunkPreview, ChunkPreviewRequest};
use anwen_contract::knowledge::{
    Chunk, Document, DocumentStatus, DocumentVersion, RetryDocument, UpdateDocument, UploadAnswer,
};
use anwen_contract::privacy::DocumentFindings;
use anwen_contract::{ApiError, ChunkId, DocumentId, KnowledgeBaseId, Page, PageQuery};
use anwen_platform::http::{Caller, Json, OptionalJson, Path, Query};
use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

/// Narrows the list of documents.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    cursor: Option<String>,
    limit: Option<u32>,
    /// Only documents whose newest version is in this state.
    status: Option<DocumentStatus>,
    /// Only what is directly inside this document; `none`: only what is inside of no document.
    parent_id: Option<String>,
    /// Only documents with this label.
    label: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct ContentQuery {
    /// The version's number; absent: the one that answers.
    version: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
pub struct EventsQuery {
    /// Absent: every knowledge base that the asker may read.
    knowledge_base_id: Option<KnowledgeBaseId>,
}

pub async fn post_documents(
    State(app): State<App>,
    caller: Caller,
    Path(base): Path<KnowledgeBaseId>,
    parts: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<(StatusCode, Json<UploadAnswer>), ApiError> {
    let access = Access::from(&caller.asker);
    // Whether the asker may upload here is said before how the body is wrong.
    let parts = match parts {
        Ok(parts) => parts,
        Err(cause) => {
            find_base(&app, &access, base).await?;
            return Err(ApiError::invalid("send the files as multipart/form-data").because(cause));
        }
    };
    let answer = upload::receive(&app, &access, base, parts).await?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn find_base(app: &App, access: &Access, base: KnowledgeBaseId) -> Result<(), ApiError> {
    crate::bases::find(&app.database, access, base).await.map(drop)
}

pub async fn get_documents(
    State(app): State<App>,
    caller: Caller,
    Path(base): Path<KnowledgeBaseId>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Document>>, ApiError> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let within = query.parent_id.as_deref().map(within).transpose()?;
    let narrowed = Narrowed { status: query.status, within, label: query.label };
    list(&app, &Access::from(&caller.asker), base, &page, narrowed).await.map(Json)
}

/// Reads `parent_id`.
fn within(text: &str) -> Result<Within, ApiError> {
    if text == "none" {
        return Ok(Within::Nothing);
    }
    text.parse()
        .map(Within::Document)
        .map_err(|_| ApiError::invalid("parent_id: the id of a document, or `none`"))
}

pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> Result<Json<Document>, ApiError> {
    find(&app, &Access::from(&caller.asker), id).await.map(Json)
}

pub async fn patch(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    Json(body): Json<UpdateDocument>,
) -> Result<Json<Document>, ApiError> {
    update(&app, &Access::from(&caller.asker), id, &body).await.map(Json)
}

pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> Result<StatusCode, ApiError> {
    delete(&app, &Access::from(&caller.asker), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn post_retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    OptionalJson(body): OptionalJson<RetryDocument>,
) -> Result<(StatusCode, Json<Document>), ApiError> {
    let document = retry(&app, &Access::from(&caller.asker), id, &body).await?;
    Ok((StatusCode::ACCEPTED, Json(document)))
}

pub async fn get_versions(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DocumentVersion>>, ApiError> {
    versions(&app, &Access::from(&caller.asker), id, &page).await.map(Json)
}

pub async fn get_content(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    Query(query): Query<ContentQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let stored = stored_content(&app, &Access::from(&caller.asker), id, query.version).await?;
    content::respond(&app.originals, &stored, &headers).await
}

pub async fn get_findings(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
) -> Result<Json<DocumentFindings>, ApiError> {
    privacy::findings(&app, &Access::from(&caller.asker), id).await.map(Json)
}

pub async fn get_chunks(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Chunk>>, ApiError> {
    passages(&app, &Access::from(&caller.asker), id, &page).await.map(Json)
}

pub async fn post_chunk_preview(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DocumentId>,
    Json(body): Json<ChunkPreviewRequest>,
) -> Result<Json<ChunkPreview>, ApiError> {
    preview::preview(&app, &Access::from(&caller.asker), id, &body).await.map(Json)
}

pub async fn get_chunk(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChunkId>,
) -> Result<Json<Chunk>, ApiError> {
    passage(&app, &Access::from(&caller.asker), id).await.map(Json)
}

pub async fn get_events(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<EventsQuery>,
) -> Result<Response, ApiError> {
    events::stream(&app, Access::from(&caller.asker), query.knowledge_base_id).await
}
