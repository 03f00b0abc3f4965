//! Our own routes for models on disk: the catalogue, and models as one archive.

use std::io::{BufWriter, Write as _};
use std::sync::Arc;

use anwen_contract::ApiError;
use anwen_models::{StoreError, catalogue};
use anwen_platform::http::Path;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiState;
use super::changes::{FromBody, MayChange, ToBody, changeable, forget, on_disk};
use crate::error::RuntimeError;

/// Bytes of one piece of an archive on its way out.
const PIECE_BYTES: usize = 256 * 1024;

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/admin/catalogue", get(|| async { Json(catalogue()) }))
        .route("/admin/models/import", post(import))
        .route("/admin/models/{name}/export", get(export))
}

#[derive(Deserialize)]
struct ImportQuery {
    /// Another name than the one in the archive.
    name: Option<String>,
}

/// Reads an archive from the body: `{"name", "digest", "size_bytes"}`.
async fn import(
    State(state): State<ApiState>,
    _: MayChange,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let name = query.name.as_deref().map(changeable).transpose()?;
    let mut reader = FromBody::new(body, state.config.pull.max_bytes);
    let stored = on_disk(&state, move |store| store.import(&mut reader, name.as_ref())).await?;
    forget(&state, &stored.name);
    Ok(Json(json!({
        "name": stored.name.to_string(),
        "digest": stored.manifest.digest(),
        "size_bytes": stored.manifest.size_bytes(),
    })))
}

/// The model as an archive.
async fn export(
    State(state): State<ApiState>,
    _: MayChange,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let name = changeable(&name)?;
    let store = Arc::clone(state.registry.store());
    let wanted = name.clone();
    let found = tokio::task::spawn_blocking(move || store.find(&wanted)).await.map_err(ApiError::internal)?;
    if found.is_none() {
        return Err(RuntimeError::from(StoreError::NotFound(name.to_string())).into());
    }
    let (mut writer, body) = ToBody::new();
    let store = Arc::clone(state.registry.store());
    let file = format!("attachment; filename=\"{}.tar\"", name.tagged().replace(['/', ':'], "-"));
    tokio::task::spawn_blocking(move || {
        let mut buffered = BufWriter::with_capacity(PIECE_BYTES, &mut writer);
        let written = store.export(&name, &mut buffered).and_then(|()| Ok(buffered.flush()?));
        drop(buffered);
        if let Err(cause) = written {
            tracing::warn!(model = %name, %cause, "a model could not be exported");
            writer.fail(&cause);
        }
    });
    Ok(([(CONTENT_TYPE, "application/x-tar".to_owned()), (CONTENT_DISPOSITION, file)], body).into_response())
}
