//! Models that are known to be worth running, as data that needs no network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::files::Purpose;

/// Kept as a file, so that it is changed without a change of the program's text.
const TEXT: &str = include_str!("../catalogue.json");

/// The models, by family.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub models: Vec<CatalogueModel>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueModel {
    pub id: String,
    pub family: String,
    /// As its maker writes it.
    pub name: String,
    pub purpose: Purpose,
    /// How many weights it has, about.
    pub parameters: u64,
    /// Tokens that it was made for.
    pub context_tokens: u64,
    pub license: String,
    /// Of Chinese (`zh`) and English (`en`), those that it was made for; it may know more.
    pub languages: Vec<String>,
    /// Whether it thinks before it answers.
    pub thinking: bool,
    /// Whether it sees pictures.
    pub vision: bool,
    /// Numbers in an embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u64>,
    /// Bytes of memory with 8,192 tokens of context (less where it takes less), by quantisation: weights, keys and values of
    /// 16 bits, and buffers, as `estimate` adds them up.
    pub memory_8k_bytes: BTreeMap<String, u64>,
    pub sources: CatalogueSources,
}

/// Where it can be had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogueSources {
    /// Safetensors.
    pub hugging_face: Option<String>,
    pub hugging_face_gguf: Option<String>,
    pub modelscope: Option<String>,
    pub ollama: Option<String>,
}

/// The catalogue of this version.
pub fn catalogue() -> Catalogue {
    serde_json::from_str(TEXT)
        .inspect_err(|cause| tracing::error!(%cause, "the catalogue is damaged"))
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::pull::Reference;

    #[test]
    fn every_entry_names_a_source_that_can_be_pulled_from() {
        let catalogue: Catalogue = serde_json::from_str(TEXT).unwrap();
        assert!(catalogue.models.len() > 40);
        for model in &catalogue.models {
            let sources = &model.sources;
            let hub = [&sources.hugging_face, &sources.hugging_face_gguf];
            let hub = hub.into_iter().flatten().map(|repository| format!("hf.co/{repository}"));
            let scope = sources.modelscope.iter().map(|repository| format!("modelscope.cn/{repository}"));
            let names: Vec<String> = hub.chain(scope).chain(sources.ollama.clone()).collect();
            assert!(!names.is_empty(), "{}", model.id);
            for name in names {
                assert!(name.parse::<Reference>().is_ok(), "{name}");
            }
            assert!(
                model.memory_8k_bytes.values().all(|bytes| *bytes > model.parameters / 2),
                "{}",
                model.id
            );
        }
    }

    #[test]
    fn entries_have_names_of_their_own() {
        let mut ids: Vec<String> = catalogue().models.into_iter().map(|model| model.id).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
