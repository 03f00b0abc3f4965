//! Which models lie in the models directory without a manifest.
//!
//! `NAME.gguf`, `FOLDER/NAME.gguf`, several files of one model (`NAME-00001-of-00003.gguf`), and folders with `config.json`
//! and safetensors. A file dropped there is found by the next listing. A picture encoder (`mmproj-….gguf`) is no model of
//! its own: it belongs to the files beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{ModelFiles, ModelSettings, Purpose, Weights};
use crate::gguf::{GgufHeader, Pooling};
use crate::hugging_face::hugging_face_model;

/// Models that one directory may hold; further ones are not listed.
const MAX_MODELS: usize = 512;
/// Entries of one folder that are looked at.
const MAX_FOLDER_ENTRIES: usize = 4096;
/// Files that one model may be split into.
const MAX_PARTS: u32 = 999;
/// Folders of the store, which hold no models by themselves.
pub(crate) const STORE_FOLDERS: [&str; 2] = ["blobs", "library"];

/// The models in `directory`, by name. Files that cannot be read are left out, with a line in the log.
pub fn scan(directory: &Path) -> Vec<ModelFiles> {
    let mut found: BTreeMap<String, ModelFiles> = BTreeMap::new();
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        entries(directory).into_iter().partition(|path| path.is_dir());
    let in_folders =
        folders.iter().filter(|folder| !is_of_store(folder)).flat_map(|folder| scan_folder(folder));
    for model in gguf_models(&files, Beside::Strangers).into_iter().chain(in_folders) {
        if found.len() == MAX_MODELS {
            tracing::warn!(MAX_MODELS, "the models directory holds more models than are listed");
            break;
        }
        if let Some(first) = found.get(&model.name) {
            tracing::warn!(name = model.name, kept = ?first.weights, ignored = ?model.weights, "two models have one name");
        } else {
            found.insert(model.name.clone(), model);
        }
    }
    found.into_values().collect()
}

fn is_of_store(folder: &Path) -> bool {
    folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| STORE_FOLDERS.contains(&name))
}

/// Paths in `directory` in a stable order, without hidden ones (downloads in progress).
pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listing
        .take(MAX_FOLDER_ENTRIES)
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort_unstable();
    paths
}

/// The models in one folder.
pub(crate) fn scan_folder(folder: &Path) -> Vec<ModelFiles> {
    if let Some(model) = hugging_face_model(folder) {
        return vec![model];
    }
    gguf_models(&entries(folder), Beside::Kin)
}

/// Whether the files of one folder belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// A picture encoder belongs to every model beside it.
    Kin,
    /// It belongs to the model whose name it bears.
    Strangers,
}

fn gguf_models(files: &[PathBuf], beside: Beside) -> Vec<ModelFiles> {
    let mut models = Vec::new();
    let mut projectors = Vec::new();
    for file in files {
        if file.extension().is_none_or(|kind| kind != "gguf") || !file.is_file() {
            continue;
        }
        let Some((stem, part)) = part_of(file) else { continue };
        if part.as_ref().is_some_and(|part| part.number != 1) {
            continue;
        }
        let read = GgufHeader::read(file).inspect_err(
            |cause| tracing::warn!(file = %file.display(), %cause, "a GGUF file cannot be used"),
        );
        let Ok(header) = read else { continue };
        if header.is_projector {
            projectors.push((stem, file.clone()));
        } else if let Some(model) = gguf_model(file, &stem, part.as_ref(), header) {
            models.push(model);
        }
    }
    for model in &mut models {
        let own = projectors
            .iter()
            .find(|(stem, _)| beside == Beside::Kin || bears_name_of(stem, &model.name))
            .map(|(_, file)| file.clone());
        model.settings.projector = own;
    }
    models
}

/// A file of several.
struct Part {
    number: u32,
    count: u32,
}

/// `NAME` and the part of `NAME-00001-of-00003.gguf`.
fn part_of(file: &Path) -> Option<(String, Option<Part>)> {
    let stem = file.file_stem()?.to_str()?;
    let split = stem.rsplit_once("-of-").and_then(|(rest, count)| {
        let (name, number) = rest.rsplit_once('-')?;
        let is_number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(number) || !is_number(count) {
            return None;
        }
        let part = Part { number: number.parse().ok()?, count: count.parse().ok()? };
        (part.count <= MAX_PARTS).then(|| (name.to_owned(), part))
    });
    Some(match split {
        Some((name, part)) => (name, Some(part)),
        None => (stem.to_owned(), None),
    })
}

fn gguf_model(file: &Path, stem: &str, part: Option<&Part>, header: GgufHeader) -> Option<ModelFiles> {
    let metadata = fs::metadata(file).ok()?;
    let mut size_bytes = metadata.len();
    for number in 2..=part.map_or(1, |part| part.count) {
        let count = part.map_or(1, |part| part.count);
        let sibling = file.with_file_name(format!("{stem}-{number:05}-of-{count:05}.gguf"));
        let Ok(found) = fs::metadata(&sibling) else {
            tracing::warn!(file = %file.display(), missing = %sibling.display(), "a part of a model is missing");
            return None;
        };
        size_bytes = size_bytes.saturating_add(found.len());
    }
    let purpose = purpose_of(&header);
    Some(ModelFiles {
        name: stem.to_owned(),
        weights: Weights::Gguf { file: file.to_owned() },
        size_bytes,
        modified_at: metadata.modified().ok()?,
        family: header.architecture,
        quantization: header.quantization.unwrap_or_default(),
        // Of a model in several files the first one lists a part of the tensors.
        parameters: header.parameters.filter(|_| part.is_none()),
        context_tokens: header.context_tokens,
        settings: ModelSettings { purpose: Some(purpose), ..ModelSettings::default() },
    })
}

fn purpose_of(header: &GgufHeader) -> Purpose {
    match header.pooling {
        Some(Pooling::Rank) => Purpose::Rerank,
        Some(Pooling::Mean | Pooling::Cls | Pooling::Last) => Purpose::Embed,
        _ if header.architecture.contains("bert") || header.architecture == "gemma-embedding" => {
            Purpose::Embed
        }
        _ => Purpose::Chat,
    }
}

/// Whether `mmproj-NAME-f16` belongs to `NAME-Q4_K_M`: without the word and the kind of numbers, one begins with the other.
fn bears_name_of(projector: &str, model: &str) -> bool {
    let plain = projector.to_ascii_lowercase().replace("mmproj", "");
    let plain = plain.trim_matches(['-', '_', '.']);
    let kinds = ["-f16", "-f32", "-bf16", "-q8_0"];
    let plain = kinds.iter().find_map(|kind| plain.strip_suffix(kind)).unwrap_or(plain);
    !plain.is_empty() && model.to_ascii_lowercase().starts_with(plain)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn write(directory: &Path, path: &str, contents: &[u8]) {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    #[test]
    fn folders_of_known_architectures_are_models() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        for (name, config) in [
            (
                "chat",
                r#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "max_position_embeddings": 77}"#,
            ),
            ("vectors", r#"{"model_type": "model2vec", "seq_length": 512}"#),
            ("unknown", r#"{"model_type": "t5", "architectures": ["T5Model"]}"#),
            ("broken", "{"),
        ] {
            write(at, &format!("{name}/config.json"), config.as_bytes());
            write(at, &format!("{name}/tokenizer.json"), b"{}");
            write(at, &format!("{name}/model.safetensors"), b"12345");
        }
        write(at, "notes/README.md", b"not a model");
        write(at, ".partial/config.json", br#"{"model_type": "model2vec"}"#);
        let models = scan(at);
        let summary: Vec<_> = models
            .iter()
            .map(|model| (model.name.as_str(), model.context_tokens, model.size_bytes))
            .collect();
        assert_eq!(summary, [("chat", Some(77), 5), ("vectors", Some(512), 5)]);
    }

    #[test]
    fn a_missing_directory_holds_no_models() {
        assert!(scan(Path::new("/nonexistent")).is_empty());
    }

    #[test]
    fn damaged_gguf_files_are_left_out() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "bad.gguf", b"GGUFxxxx");
        assert!(scan(directory.path()).is_empty());
    }

    #[test]
    fn the_fingerprint_follows_the_files() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "m/config.json", br#"{"model_type": "model2vec"}"#);
        write(directory.path(), "m/tokenizer.json", b"{}");
        write(directory.path(), "m/model.safetensors", b"1");
        let before = scan(directory.path())[0].fingerprint();
        assert_eq!(scan(directory.path())[0].fingerprint(), before);
        write(directory.path(), "m/model.safetensors", b"22");
        assert_ne!(scan(directory.path())[0].fingerprint(), before);
    }

    /// A GGUF header with these entries of text and no tensors.
    fn gguf(entries: &[(&str, &str)]) -> Vec<u8> {
        let string = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes()].concat();
        bytes.extend((entries.len() as u64).to_le_bytes());
        for (key, text) in entries {
            bytes.extend([string(key), 8u32.to_le_bytes().to_vec(), string(text)].concat());
        }
        bytes
    }

    #[test]
    fn several_files_of_one_model_are_one_and_a_missing_part_none() {
        let directory = tempfile::tempdir().unwrap();
        let part = gguf(&[("general.architecture", "llama")]);
        for name in ["whole-00001-of-00002", "whole-00002-of-00002", "torn-00001-of-00002", "plain-2-of-3"] {
            write(directory.path(), &format!("{name}.gguf"), &part);
        }
        let models = scan(directory.path());
        let summary: Vec<_> = models.iter().map(|model| (model.name.as_str(), model.size_bytes)).collect();
        let bytes = part.len() as u64;
        assert_eq!(summary, [("plain-2-of-3", bytes), ("whole", 2 * bytes)]);
    }

    #[test]
    fn a_picture_encoder_belongs_to_the_model_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let model = gguf(&[("general.architecture", "gemma3")]);
        let projector = gguf(&[("general.architecture", "clip")]);
        write(at, "folder/seeing-Q4_K_M.gguf", &model);
        write(at, "folder/encoder.gguf", &projector);
        write(at, "named-Q4_K_M.gguf", &model);
        write(at, "mmproj-named-f16.gguf", &projector);
        write(at, "other.gguf", &model);
        let models = scan(at);
        let summary: Vec<_> =
            models.iter().map(|model| (model.name.as_str(), model.settings.projector.is_some())).collect();
        assert_eq!(summary, [("named-Q4_K_M", true), ("other", false), ("seeing-Q4_K_M", true)]);
    }

    #[test]
    fn encoders_and_embedding_decoders_are_told_from_language_models() {
        use Purpose::{Chat, Embed, Rerank};
        let cases = [
            ("BertModel", "", Some(("encoder", Embed))),
            ("XLMRobertaModel", "", Some(("encoder", Embed))),
            ("XLMRobertaForSequenceClassification", "", Some(("encoder", Rerank))),
            ("BertForMaskedLM", "modules.json", Some(("encoder", Embed))),
            ("BertForMaskedLM", "", None),
            ("Qwen3ForCausalLM", "modules.json", Some(("safetensors", Embed))),
            ("Gemma3TextModel", "modules.json", Some(("safetensors", Embed))),
            ("Gemma3TextModel", "", None),
            ("Qwen3ForCausalLM", "", Some(("safetensors", Chat))),
            ("Gemma3ForConditionalGeneration", "", Some(("safetensors", Chat))),
            ("T5Model", "", None),
        ];
        for (architecture, extra, expected) in cases {
            let directory = tempfile::tempdir().unwrap();
            let at = directory.path();
            let config = format!(r#"{{"architectures": ["{architecture}"], "vision_config": {{}}}}"#);
            write(at, "m/config.json", config.as_bytes());
            write(at, "m/tokenizer.json", b"{}");
            write(at, "m/model.safetensors", b"1");
            if !extra.is_empty() {
                write(at, &format!("m/{extra}"), b"[]");
            }
            let models = scan(at);
            let found = models.first().map(|model| {
                let kind =
                    if matches!(model.weights, Weights::Encoder { .. }) { "encoder" } else { "safetensors" };
                (kind, model.settings.purpose.unwrap())
            });
            assert_eq!(found, expected, "{architecture} {extra}");
        }
    }

    #[test]
    fn the_folders_of_the_store_are_not_models() {
        let directory = tempfile::tempdir().unwrap();
        for folder in STORE_FOLDERS {
            write(directory.path(), &format!("{folder}/x.gguf"), &gguf(&[]));
        }
        assert!(scan(directory.path()).is_empty());
    }
}
