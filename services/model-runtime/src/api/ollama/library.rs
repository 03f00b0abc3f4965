//! Ollama's calls that change the set of models: pull, create, copy, delete, and blobs.

use std::convert::Infallible;

use anwen_models::{Modelfile, Paths, PullEvent, Recipe, Reference, StoreError};
use anwen_platform::http::RequestId;
use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::api::ApiState;
use crate::api::body::{Body, Failure, Ollama, Surface};
use crate::api::changes::{FromBody, MayChange, changeable, forget, on_disk};
use crate::error::RuntimeError;

/// Steps of a creation that wait for the client.
const STEPS_BETWEEN: usize = 16;

type Line = Result<Value, RuntimeError>;

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
pub(super) struct PullRequest {
    #[serde(alias = "name")]
    model: String,
    #[serde(default = "yes")]
    stream: bool,
    /// Pulls without TLS: the address in the settings says that.
    #[serde(default, rename = "insecure")]
    _insecure: bool,
}

/// `POST /api/pull`.
pub(super) async fn pull(
    State(state): State<ApiState>,
    _: MayChange,
    body: Body<Ollama, PullRequest>,
) -> Result<Response, Failure<Ollama>> {
    let fail = Body::<Ollama, PullRequest>::failure(&body.request_id);
    let request = body.value;
    let reference: Reference = request.model.parse().map_err(|error: StoreError| fail(error.into()))?;
    let name = changeable(&reference.name.to_string()).map_err(&fail)?;
    let listener = state.puller.pull(&request.model).map_err(|error| fail(error.into()))?;
    let lines = stream::unfold((listener, state, name), |(mut listener, state, name)| async move {
        let event = listener.next().await?;
        if matches!(&event, Ok(PullEvent { status, .. }) if status == "success") {
            forget(&state, &name);
        }
        let line = event.map(|event| json!(event)).map_err(RuntimeError::from);
        Some((line, (listener, state, name)))
    });
    respond(request.stream, lines.boxed(), &body.request_id).await.map_err(&fail)
}

/// Progress line by line, or the last line alone.
async fn respond(
    streamed: bool,
    lines: impl Stream<Item = Line> + Send + Unpin + 'static,
    request_id: &str,
) -> Result<Response, RuntimeError> {
    if !streamed {
        let mut lines = lines;
        let mut last = json!({"status": "success"});
        while let Some(line) = lines.next().await {
            last = line?;
        }
        return Ok(Json(last).into_response());
    }
    let request_id = request_id.to_owned();
    let bytes = lines.map(move |line| {
        let line = line.unwrap_or_else(|failure| Surface::Ollama.body_of(&failure, &request_id));
        Ok::<Bytes, Infallible>(Bytes::from(format!("{line}\n")))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], HttpBody::from_stream(bytes)).into_response())
}

#[derive(Deserialize)]
pub(super) struct CreateRequest {
    #[serde(alias = "name")]
    model: String,
    #[serde(default = "yes")]
    stream: bool,
    /// The older way to say what the fields say.
    #[serde(default)]
    modelfile: Option<String>,
    #[serde(flatten)]
    recipe: Recipe,
}

/// `POST /api/create`.
pub(super) async fn create(
    State(state): State<ApiState>,
    _: MayChange,
    body: Body<Ollama, CreateRequest>,
) -> Result<Response, Failure<Ollama>> {
    let fail = Body::<Ollama, CreateRequest>::failure(&body.request_id);
    let request = body.value;
    let name = changeable(&request.model).map_err(&fail)?;
    let recipe = match request.modelfile {
        None => request.recipe,
        Some(text) => {
            let written: Recipe = Modelfile::parse(&text).map_err(|error| fail(error.into()))?.into();
            Recipe { quantize: request.recipe.quantize, files: request.recipe.files, ..written }
        }
    };
    let (sender, receiver) = mpsc::channel::<Line>(STEPS_BETWEEN);
    let creating = state.clone();
    tokio::spawn(async move {
        let steps = sender.clone();
        let made = name.clone();
        let outcome = on_disk(&creating, move |store| {
            let mut progress = |step: &str| {
                // A client that has gone does not stop what it asked for.
                steps.blocking_send(Ok(json!({"status": step}))).ok();
            };
            store.create(&made, &recipe, Paths::Refused, &mut progress)
        })
        .await;
        forget(&creating, &name);
        sender.send(outcome.map(|_| json!({"status": "success"}))).await.ok();
    });
    let lines = tokio_stream::wrappers::ReceiverStream::new(receiver);
    respond(request.stream, lines, &body.request_id).await.map_err(&fail)
}

#[derive(Deserialize)]
pub(super) struct CopyRequest {
    source: String,
    destination: String,
}

/// `POST /api/copy`.
pub(super) async fn copy(
    State(state): State<ApiState>,
    _: MayChange,
    body: Body<Ollama, CopyRequest>,
) -> Result<StatusCode, Failure<Ollama>> {
    let fail = Body::<Ollama, CopyRequest>::failure(&body.request_id);
    let request = body.value;
    let from = changeable(&request.source).map_err(&fail)?;
    let to = changeable(&request.destination).map_err(&fail)?;
    let copied = to.clone();
    on_disk(&state, move |store| store.copy(&from, &copied)).await.map_err(&fail)?;
    forget(&state, &to);
    Ok(StatusCode::OK)
}

#[derive(Deserialize)]
pub(super) struct DeleteRequest {
    #[serde(alias = "name")]
    model: String,
}

/// `DELETE /api/delete`.
pub(super) async fn delete(
    State(state): State<ApiState>,
    _: MayChange,
    body: Body<Ollama, DeleteRequest>,
) -> Result<StatusCode, Failure<Ollama>> {
    let fail = Body::<Ollama, DeleteRequest>::failure(&body.request_id);
    let name = changeable(&body.value.model).map_err(&fail)?;
    let removed = name.clone();
    on_disk(&state, move |store| store.remove(&removed)).await.map_err(&fail)?;
    forget(&state, &name);
    Ok(StatusCode::OK)
}

/// `POST /api/push`: models stay here.
pub(super) async fn push(_: MayChange, RequestId(id): RequestId) -> Failure<Ollama> {
    let why = "models are not sent to registries from here; export one with GET /admin/models/{name}/export";
    Failure::new(&RuntimeError::Invalid(why.to_owned()), &id)
}

fn digest_of(text: &str) -> Result<String, RuntimeError> {
    let digest = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256-"));
    let digest = digest.filter(|digest| anwen_models::is_digest(digest));
    digest.map(str::to_owned).ok_or_else(|| RuntimeError::Invalid(format!("{text:?} is no digest")))
}

/// `HEAD /api/blobs/{digest}`: whether it is there.
pub(super) async fn blob_exists(
    State(state): State<ApiState>,
    _: MayChange,
    Path(digest): Path<String>,
    RequestId(id): RequestId,
) -> Result<StatusCode, Failure<Ollama>> {
    let digest = digest_of(&digest).map_err(|error| Failure::new(&error, &id))?;
    Ok(if state.registry.store().blob_size(&digest).is_some() {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    })
}

/// `POST /api/blobs/{digest}`: bytes, which must have that digest.
pub(super) async fn upload_blob(
    State(state): State<ApiState>,
    _: MayChange,
    Path(digest): Path<String>,
    RequestId(id): RequestId,
    headers: HeaderMap,
    body: HttpBody,
) -> Result<StatusCode, Failure<Ollama>> {
    let fail = |error: RuntimeError| Failure::new(&error, &id);
    let digest = digest_of(&digest).map_err(fail)?;
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let mut reader = FromBody::new(body, state.config.pull.max_bytes);
    on_disk(&state, move |store| {
        store.check_space(length.unwrap_or_default())?;
        let mut writer = store.begin_blob()?;
        std::io::copy(&mut reader, &mut writer)
            .map_err(|cause| StoreError::Invalid(format!("the upload broke off: {cause}")))?;
        store.finish_blob(writer, Some(&digest))
    })
    .await
    .map_err(fail)?;
    Ok(StatusCode::CREATED)
}
