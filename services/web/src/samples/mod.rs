//! `POST /samples`: a small library to try the platform with, from files inside the program.

mod store;

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Writer;
use crate::openapi::Failures;
use anwen_contract::knowledge::{CreateKnowledgeBase, UploadAnswer};
use anwen_contract::{ApiError, ErrorCode, KnowledgeBaseId};
use anwen_platform::http::Json;
use axum::extract::State;
use http::{Method, StatusCode};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use store::SampleStore;

/// The sample documents, by their path in the library.
#[derive(RustEmbed)]
#[folder = "../../samples/library"]
#[allow_missing = true]
struct Library;

const NAME: &str = "Anwen samples / 示例资料";
const DESCRIPTION: &str = "A small company library to try questions on. 一个小型公司资料库，用来试着提问。";

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(load))
}

/// Where the samples went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct LoadedSamples {
    knowledge_base_id: KnowledgeBaseId,
}

/// Makes a knowledge base of the sample documents. Asking again answers the same one, as long as it is there.
#[utoipa::path(post, path = "/samples", tag = "knowledge-bases",
    responses((status = 202, body = LoadedSamples), Failures))]
async fn load(
    State(app): State<AppState>,
    caller: Writer,
) -> Result<(StatusCode, Json<LoadedSamples>), ApiError> {
    // One at a time, so that two clicks make one library.
    let _turn = app.samples_turn.lock().await;
    let context = caller.context(&app);
    if let Some(id) = app.samples.of(caller.user.id).await? {
        match app.knowledge.knowledge_base(&context, id).await {
            Ok(base) => {
                return Ok((StatusCode::ACCEPTED, Json(LoadedSamples { knowledge_base_id: base.id })));
            }
            Err(failure) if failure.code == ErrorCode::NotFound => {}
            Err(failure) => return Err(crate::relay::inner(failure)),
        }
    }
    let Some(form) = library_form() else {
        return Err(ApiError::not_found("sample document: this program was built without them"));
    };
    let wanted = CreateKnowledgeBase {
        name: NAME.to_owned(),
        description: DESCRIPTION.to_owned(),
        language: "auto".to_owned(),
        chunk_profile: Default::default(),
    };
    let base = app.knowledge.create_knowledge_base(&context, &wanted).await.map_err(crate::relay::inner)?;
    let service = app.knowledge.service();
    let path = format!("/v1/knowledge-bases/{}/documents", base.id);
    let request = service.request(&context, Method::POST, &path)?.multipart(form);
    let uploaded: UploadAnswer =
        service.send(request).await.map_err(crate::relay::inner)?.json().await.map_err(ApiError::internal)?;
    app.samples.set(caller.user.id, base.id).await?;
    let entry = Entry::new(caller.actor(), "samples.loaded", format!("knowledge_base:{}", base.id))
        .detail(json!({"documents": uploaded.documents.len()}));
    app.audit.record(&entry).await?;
    Ok((StatusCode::ACCEPTED, Json(LoadedSamples { knowledge_base_id: base.id })))
}

/// Every file of the library, each after its path; `None` when the program has none.
fn library_form() -> Option<reqwest::multipart::Form> {
    let mut form = reqwest::multipart::Form::new();
    let mut any = false;
    for path in Library::iter() {
        let Some(file) = Library::get(&path) else { continue };
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let part = reqwest::multipart::Part::bytes(file.data.into_owned()).file_name(name);
        form = form.text("path", path.into_owned()).part("file", part);
        any = true;
    }
    any.then_some(form)
}
