//! A document's passages as another chunk profile would make them, beside those that it has. Nothing is kept: the file
//! is read again, under the bounds of every reading.

use super::chunks::store::{PassageCounts, counts_of_document, of_document};
use super::store::{self, VersionToShow};
use crate::access::{Access, require_document};
use crate::app::App;
use crate::privacy::{self, Policy};
use crate::store::reader;
use anwen_contract::chunking::{
    ChunkPreview, ChunkPreviewRequest, ChunkProfile, DEFAULT_PREVIEW_CHUNKS, MAX_PREVIEW_CHUNKS,
    PreviewChunk, PreviewSide,
};
use anwen_contract::knowledge::Chunk;
use anwen_contract::{ApiError, DocumentId, ErrorCode, KnowledgeBaseId, Role};
use anwen_parse::chunk::ChunkDraft;

/// Cuts a document by a profile, without keeping anything. It costs a reading of the file, so it takes the role that
/// may upload.
pub async fn preview(
    app: &App,
    access: &Access,
    id: DocumentId,
    request: &ChunkPreviewRequest,
) -> Result<ChunkPreview, ApiError> {
    let limit = request.limit.unwrap_or(DEFAULT_PREVIEW_CHUNKS);
    if limit == 0 || limit > MAX_PREVIEW_CHUNKS {
        return Err(ApiError::invalid(format!("limit: 1 to {MAX_PREVIEW_CHUNKS}")));
    }
    let (base, version, current) = current(app, access, id, limit).await?;
    let policy = privacy::store::policy_of(&mut *reader(&app.database).await?, base).await?;
    let policy = Policy::new(&policy.unwrap_or_default())?;
    let proposed = proposed(app, &version, policy, (request.chunk_profile, limit as usize)).await?;
    Ok(ChunkPreview { document_id: id, knowledge_base_id: base, version: version.number, current, proposed })
}

/// What the document has now, and of which version.
async fn current(
    app: &App,
    access: &Access,
    id: DocumentId,
    limit: u32,
) -> Result<(KnowledgeBaseId, VersionToShow, PreviewSide), ApiError> {
    let mut connection = reader(&app.database).await?;
    let base = require_document(&mut connection, access, id, Role::Editor).await?;
    let version = store::version_to_show(&mut connection, id).await?;
    let version = version.ok_or_else(|| ApiError::not_found("document"))?;
    let PassageCounts { chunks, median_tokens } = counts_of_document(&mut connection, id).await?;
    let passages = of_document(&mut connection, id, None, i64::from(limit)).await?;
    let side = PreviewSide {
        chunk_profile: version.chunk_profile,
        chunk_count: chunks,
        median_tokens,
        chunks: passages.into_iter().map(shown_chunk).collect(),
    };
    Ok((base, version, side))
}

/// What the profile makes of the stored file.
async fn proposed(
    app: &App,
    version: &VersionToShow,
    policy: Policy,
    (profile, limit): (ChunkProfile, usize),
) -> Result<PreviewSide, ApiError> {
    let sha256 = version.sha256.as_deref().ok_or_else(|| {
        ApiError::new(ErrorCode::Conflict, "nothing of this file was kept; upload it again")
    })?;
    let _turn = app.direct_reads.acquire().await.map_err(ApiError::internal)?;
    let file = app.originals.open_locally(sha256).await?;
    let mut parsed =
        app.reader.read(file.as_ref(), &version.name, None).await.map_err(crate::tika::unreadable)?;
    let chunker = app.chunker.clone();
    let name = version.name.clone();
    let chunks = tokio::task::spawn_blocking(move || {
        policy.screen(&name, &mut parsed);
        chunker.chunk(&parsed, profile)
    })
    .await
    .map_err(ApiError::internal)?;
    let mut sizes: Vec<usize> = chunks.drafts.iter().map(|draft| draft.tokens).collect();
    sizes.sort_unstable();
    Ok(PreviewSide {
        chunk_profile: profile,
        chunk_count: chunks.drafts.len() as i64,
        median_tokens: sizes.get(sizes.len() / 2).map_or(0, |&tokens| tokens as i64),
        chunks: chunks.drafts.into_iter().take(limit).map(shown_draft).collect(),
    })
}

fn shown_chunk(chunk: Chunk) -> PreviewChunk {
    PreviewChunk {
        ordinal: chunk.ordinal,
        text: chunk.text,
        page_start: chunk.page_start,
        page_end: chunk.page_end,
        heading_path: chunk.heading_path,
        tokens: chunk.tokens,
    }
}

fn shown_draft(draft: ChunkDraft) -> PreviewChunk {
    PreviewChunk {
        ordinal: i64::from(draft.ordinal),
        text: draft.text,
        page_start: draft.page_start.map(i64::from),
        page_end: draft.page_end.map(i64::from),
        heading_path: draft.heading_path,
        tokens: draft.tokens as i64,
    }
}
