//! The models that are known to work, with what each needs.

use super::admin::{AdminModels, read};
use crate::app::AppState;
use crate::auth::Administrator;
use crate::openapi::Failures;
use anwen_contract::{ApiError, ErrorCode};
use anwen_platform::http::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Models that are known to work, and whether this server may fetch them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Catalogue {
    pub models: Vec<CatalogueModel>,
    /// Whether models may be fetched over the network; `null` where the runtime does not say.
    pub pull_enabled: Option<bool>,
}

/// One model of the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct CatalogueModel {
    /// Its short name, such as `qwen3-4b`.
    pub name: String,
    /// As its maker writes it.
    pub title: String,
    /// The family that it belongs to, such as `Qwen3`.
    pub family: String,
    /// Where it can be had, each as `pull` takes it.
    pub sources: Vec<String>,
    /// How many weights it has, such as `4.0B`.
    pub parameter_size: String,
    pub context_tokens: u64,
    /// Bytes of memory with 8,192 tokens of context, by quantisation.
    pub memory_bytes: BTreeMap<String, u64>,
    /// Languages that it was made for, as ISO 639 codes.
    pub languages: Vec<String>,
    pub license: String,
    /// `chat`, `embed`, `rerank`, `vision`, `thinking`.
    pub capabilities: Vec<String>,
    /// Whether it is here already.
    pub installed: bool,
}

/// The catalogue as the runtime writes it.
#[derive(Deserialize)]
struct Listed {
    models: Vec<Entry>,
    #[serde(default)]
    pull_enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    family: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    parameters: u64,
    #[serde(default)]
    context_tokens: u64,
    #[serde(default)]
    license: String,
    #[serde(default)]
    languages: Vec<String>,
    #[serde(default)]
    thinking: bool,
    #[serde(default)]
    vision: bool,
    #[serde(default)]
    memory_8k_bytes: BTreeMap<String, u64>,
    #[serde(default)]
    sources: Sources,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sources {
    hugging_face: Option<String>,
    hugging_face_gguf: Option<String>,
    modelscope: Option<String>,
    ollama: Option<String>,
}

impl Sources {
    /// Files that are ready to run first, then those that have to be made smaller here.
    fn references(self) -> Vec<String> {
        let hub = |repository: Option<String>| repository.map(|repository| format!("hf.co/{repository}"));
        let modelscope = self.modelscope.map(|repository| format!("modelscope.cn/{repository}"));
        [self.ollama, hub(self.hugging_face_gguf), modelscope, hub(self.hugging_face)]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Entry {
    fn into_model(self, here: &[String]) -> CatalogueModel {
        let extras = [(self.vision, "vision"), (self.thinking, "thinking")];
        let capabilities = std::iter::once(self.purpose)
            .filter(|purpose| !purpose.is_empty())
            .chain(extras.into_iter().filter(|(can, _)| *can).map(|(_, name)| name.to_owned()))
            .collect();
        let sources = self.sources.references();
        let names = sources.iter().chain([&self.id]).map(|name| plain(name));
        let installed = names.into_iter().any(|name| here.contains(&name));
        CatalogueModel {
            title: if self.name.is_empty() { self.id.clone() } else { self.name },
            family: if self.family.is_empty() { self.id.clone() } else { self.family },
            name: self.id,
            sources,
            parameter_size: size_text(self.parameters),
            context_tokens: self.context_tokens,
            memory_bytes: self.memory_8k_bytes,
            languages: self.languages,
            license: self.license,
            capabilities,
            installed,
        }
    }
}

/// The runtime reads names in any case, and without the tag `latest`.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    name.strip_suffix(":latest").map(str::to_owned).unwrap_or(name)
}

/// `4.0B`, `494M`; nothing for a size that is not known.
fn size_text(parameters: u64) -> String {
    match parameters {
        0 => String::new(),
        1_000_000_000.. => format!("{:.1}B", parameters as f64 / 1e9),
        _ => format!("{:.0}M", parameters as f64 / 1e6),
    }
}

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(catalogue))
}

/// Shows the catalogue. It is empty where the runtime has none.
#[utoipa::path(get, path = "/admin/models/catalogue", tag = "administration",
    responses((status = 200, body = Catalogue), Failures))]
async fn catalogue(State(app): State<AppState>, caller: Administrator) -> Result<Json<Catalogue>, ApiError> {
    let (listed, here) = tokio::join!(
        read::<Listed>(&app, &caller, "/admin/catalogue"),
        read::<AdminModels>(&app, &caller, "/admin/models"),
    );
    let listed = match listed {
        Err(failure) if failure.code == ErrorCode::RouteNotFound => return Ok(Json(Catalogue::default())),
        listed => listed?,
    };
    let here: Vec<String> = here?.models.iter().map(|model| plain(&model.info.id)).collect();
    let models = listed.models.into_iter().map(|entry| entry.into_model(&here)).collect();
    Ok(Json(Catalogue { models, pull_enabled: listed.pull_enabled }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_says_where_it_can_be_had_and_whether_it_is_here() {
        let entry = json!({"id": "qwen3-4b", "family": "Qwen3", "name": "Qwen3 4B", "purpose": "chat",
            "parameters": 4_020_000_000_u64, "context_tokens": 40_960, "license": "Apache-2.0",
            "languages": ["zh", "en"], "thinking": true, "vision": false, "memory_8k_bytes": {"q4_K_M": 3},
            "sources": {"hugging_face": "Qwen/Qwen3-4B", "modelscope": "Qwen/Qwen3-4B-GGUF", "ollama": "qwen3:4b"}});
        let read = || serde_json::from_value::<Entry>(entry.clone()).unwrap();
        let model = read().into_model(&["qwen3:4b".to_owned()]);
        assert_eq!(model.sources, ["qwen3:4b", "modelscope.cn/Qwen/Qwen3-4B-GGUF", "hf.co/Qwen/Qwen3-4B"]);
        assert_eq!((model.parameter_size.as_str(), model.installed), ("4.0B", true));
        assert_eq!(model.capabilities, ["chat", "thinking"]);
        assert!(!read().into_model(&["qwen3:8b".to_owned()]).installed);
    }

    #[test]
    fn a_size_is_written_in_millions_or_billions() {
        assert_eq!([0, 494_000_000, 7_600_000_000].map(size_text), ["", "494M", "7.6B"]);
    }
}
