//! What all calls that change the set of models have in common: who may make them, work that blocks, and archives that are
//! written and read while they travel.

use std::io::{self, Read, Write};
use std::sync::Arc;

use anwen_contract::model::{EXTRACTIVE_MODEL, STATIC_EMBEDDING_MODEL};
use anwen_contract::{ApiError, Asker};
use anwen_models::{ModelName, Store, StoreError};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::ApiState;
use super::body::Surface;
use crate::error::RuntimeError;
use crate::registry::{DEFAULT_MODEL, STUB_MODEL};

/// Pieces of an archive that wait between the disk and the network.
const PIECES_BETWEEN: usize = 8;

/// An administrator, or a program on this machine that was let in without a token.
pub(super) struct MayChange;

impl<S: Send + Sync> FromRequestParts<S> for MayChange {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        if parts.extensions.get::<Asker>().is_none_or(|asker| asker.is_admin) {
            return Ok(Self);
        }
        let error = ApiError::forbidden("only administrators change the models");
        Err(match Surface::of_path(parts.uri.path()) {
            Some(surface) => surface.error(error.code, &error.message),
            None => error.into_response(),
        })
    }
}

/// The name in a request that changes a model.
pub(super) fn changeable(text: &str) -> Result<ModelName, RuntimeError> {
    let name: ModelName = text.parse().map_err(StoreError::from)?;
    let shown = name.to_string();
    if [EXTRACTIVE_MODEL, STATIC_EMBEDDING_MODEL, STUB_MODEL, DEFAULT_MODEL].contains(&shown.as_str()) {
        return Err(StoreError::BuiltIn { name: shown }.into());
    }
    Ok(name)
}

/// Runs what reads or writes the disk where that is allowed.
pub(super) async fn on_disk<T: Send + 'static>(
    state: &ApiState,
    work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, RuntimeError> {
    let store = Arc::clone(state.registry.store());
    let done = tokio::task::spawn_blocking(move || work(&store)).await.map_err(RuntimeError::internal)?;
    Ok(done?)
}

/// Lets go of what was loaded under a name that now means something else.
pub(super) fn forget(state: &ApiState, name: &ModelName) {
    if let Err(cause) = state.registry.unload(&name.to_string()) {
        tracing::debug!(model = %name, %cause, "nothing was unloaded");
    }
}

/// A writer whose bytes arrive in a response.
pub(super) struct ToBody {
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl ToBody {
    pub(super) fn new() -> (Self, Body) {
        let (sender, receiver) = mpsc::channel(PIECES_BETWEEN);
        (Self { sender }, Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver)))
    }

    /// Ends the body as broken, so that nobody takes half an archive for a whole one.
    pub(super) fn fail(&self, cause: &StoreError) {
        // The client may have gone already.
        self.sender.blocking_send(Err(io::Error::other(cause.to_string()))).ok();
    }
}

impl Write for ToBody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader of the bytes of a request.
pub(super) struct FromBody {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl FromBody {
    /// Call it within the runtime, and read where blocking is allowed. More than `max_bytes` are an error.
    pub(super) fn new(body: Body, max_bytes: u64) -> Self {
        let (sender, receiver) = mpsc::channel(PIECES_BETWEEN);
        tokio::spawn(async move {
            let mut pieces = body.into_data_stream();
            let mut left = max_bytes;
            while let Some(piece) = pieces.next().await {
                let piece = piece.map_err(io::Error::other).and_then(|piece| {
                    left = left.checked_sub(piece.len() as u64).ok_or_else(|| {
                        io::Error::other("the body is larger than model_runtime.pull.max_bytes")
                    })?;
                    Ok(piece)
                });
                let is_over = piece.is_err();
                if sender.send(piece).await.is_err() || is_over {
                    return;
                }
            }
        });
        Self { receiver, current: Bytes::new() }
    }
}

impl Read for FromBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}
