//! Models made of others, of uploaded blobs, and of files on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::gguf::GgufHeader;
use crate::hugging_face::read_config;
use crate::manifest::{Manifest, ManifestFile, Role, SavedMessage, is_digest, is_go_template};
use crate::modelfile::Modelfile;
use crate::name::{ModelName, SemanticVersion};
use crate::quantize::{self, Target};
use crate::store::{Store, Stored, adapter_path, is_kept};

/// A file of `config.json`'s name decides that a model is in Hugging Face's layout.
const CONFIG: &str = "config.json";

/// What a model is to be made of: the fields of Ollama's `/api/create`, and what a Modelfile says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Recipe {
    /// A model of this store, or, where paths are taken, a file or folder.
    pub from: Option<String>,
    /// Uploaded blobs by the name of the file: `{"model.gguf": "sha256:…"}`.
    pub files: BTreeMap<String, String>,
    /// Uploaded blobs of one adapter.
    pub adapters: BTreeMap<String, String>,
    pub template: Option<String>,
    pub system: Option<String>,
    pub license: Option<OneOrMany>,
    pub parameters: Map<String, Value>,
    pub messages: Vec<SavedMessage>,
    /// Bring GGUF weights to this kind: `q8_0`, `q4_0` or `f16`.
    #[serde(alias = "quantization")]
    pub quantize: Option<String>,
    pub version: Option<SemanticVersion>,
    /// The engine to take instead of the usual one.
    pub engine: Option<String>,
    /// Quantise while loading, where the engine can.
    pub quantize_on_load: Option<String>,
    /// Paths of adapters, as a Modelfile names them.
    #[serde(skip)]
    pub adapter_paths: Vec<String>,
}

/// A text or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn text(&self) -> String {
        match self {
            Self::One(text) => text.clone(),
            Self::Many(texts) => texts.join("\n\n"),
        }
    }
}

/// Whether paths of this machine may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// By the operator, relative to the working directory.
    Allowed,
    /// Not over the network: whoever asks would read any file of the server.
    Refused,
}

impl From<Modelfile> for Recipe {
    fn from(file: Modelfile) -> Self {
        Self {
            from: Some(file.from),
            template: file.template,
            system: file.system,
            license: file.license.map(OneOrMany::One),
            parameters: file.parameters,
            messages: file.messages,
            adapter_paths: file.adapters,
            ..Self::default()
        }
    }
}

impl Store {
    /// Makes the model `name` of a recipe, in place of one of that name. `progress` hears what is being done. Takes as long
    /// as reading the files does.
    pub fn create(
        &self,
        name: &ModelName,
        recipe: &Recipe,
        paths: Paths,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Stored, StoreError> {
        progress("gathering model components");
        let pins = self.pin(blobs_of(recipe));
        let mut manifest = self.base(name, recipe, paths)?;
        apply_texts(&mut manifest, recipe)?;
        self.add_adapters(&mut manifest, recipe, paths)?;
        if let Some(kind) = &recipe.quantize {
            progress(&format!("quantizing to {kind}"));
            self.quantize(&mut manifest, kind)?;
        }
        progress("writing manifest");
        let stored = self.commit(manifest);
        drop(pins);
        stored
    }

    /// The manifest before the recipe's own settings.
    fn base(&self, name: &ModelName, recipe: &Recipe, paths: Paths) -> Result<Manifest, StoreError> {
        if !recipe.files.is_empty() {
            return self.of_blobs(name, &recipe.files);
        }
        let from = recipe
            .from
            .as_deref()
            .filter(|from| !from.trim().is_empty())
            .ok_or_else(|| StoreError::Invalid("`from` or `files` is needed".to_owned()))?;
        if let Some(digest) = blob_reference(from) {
            return self.of_blobs(name, &BTreeMap::from([("model.gguf".to_owned(), digest)]));
        }
        let path = Path::new(from);
        let looks_like_path = path.is_absolute() || from.starts_with('.') || from.ends_with(".gguf");
        if looks_like_path || (paths == Paths::Allowed && path.exists()) {
            return match paths {
                Paths::Allowed => self.of_path(name, path),
                Paths::Refused => Err(StoreError::Invalid(format!(
                    "{from:?} is a path, which is not taken here; upload the file to /api/blobs and name it in `files`"
                ))),
            };
        }
        let parent: ModelName = from.parse()?;
        let mut manifest = match self.get(&parent) {
            Some(stored) => stored.manifest,
            None => self.adopt(&parent)?,
        };
        manifest.version = manifest.version.next_minor();
        manifest.parents.insert(0, parent.tagged());
        manifest.name = name.tagged();
        manifest.created_at = time::OffsetDateTime::now_utc();
        Ok(manifest)
    }

    fn of_path(&self, name: &ModelName, path: &Path) -> Result<Manifest, StoreError> {
        let path = &path
            .canonicalize()
            .map_err(|cause| StoreError::Invalid(format!("{} cannot be read: {cause}", path.display())))?;
        let is_gguf = path.is_file();
        let files = if is_gguf {
            self.check_gguf(path)?;
            self.adopt_gguf(path)?
        } else {
            self.adopt_folder(path, "", Role::Model)?
        };
        self.described(Manifest::new(name.tagged(), if is_gguf { "gguf" } else { "safetensors" }, files))
    }

    /// A model of blobs that were uploaded before.
    pub(crate) fn of_blobs(
        &self,
        name: &ModelName,
        files: &BTreeMap<String, String>,
    ) -> Result<Manifest, StoreError> {
        let is_folder = files.contains_key(CONFIG);
        let mut list = Vec::new();
        for (path, digest) in files {
            if !is_kept(path) {
                continue;
            }
            let role = if path.contains("mmproj") { Role::Projector } else { Role::Model };
            let path = if is_folder || role == Role::Projector || path.contains("-of-") {
                path.clone()
            } else {
                "model.gguf".to_owned()
            };
            list.push(self.blob_file(&path, digest, role)?);
        }
        self.described(Manifest::new(name.tagged(), if is_folder { "safetensors" } else { "gguf" }, list))
    }

    fn blob_file(&self, path: &str, digest: &str, role: Role) -> Result<ManifestFile, StoreError> {
        let sha256 = blob_reference(digest)
            .ok_or_else(|| StoreError::Invalid(format!("{digest:?} is no digest; write sha256:…")))?;
        let size_bytes = self.blob_size(&sha256).ok_or_else(|| {
            StoreError::Invalid(format!("there is no blob sha256:{sha256} here; upload it first"))
        })?;
        Ok(ManifestFile { path: path.to_owned(), sha256, size_bytes, role })
    }

    fn check_gguf(&self, path: &Path) -> Result<GgufHeader, StoreError> {
        GgufHeader::read(path).map_err(|cause| StoreError::Invalid(format!("{}: {cause}", path.display())))
    }

    /// Fills in what the files say of themselves.
    pub(crate) fn described(&self, mut manifest: Manifest) -> Result<Manifest, StoreError> {
        let blob_of = |path: &str| -> Option<PathBuf> {
            let file = manifest.files.iter().find(|file| file.path == path)?;
            self.blob_path(&file.sha256).ok()
        };
        if manifest.format == "safetensors" {
            let config = blob_of(CONFIG).and_then(|path| read_config(&path)).unwrap_or_default();
            let text = |key: &str| config[key].as_str().unwrap_or_default().to_owned();
            manifest.family = text("model_type");
            manifest.quantization = text("torch_dtype");
            return Ok(manifest);
        }
        let first = manifest.files.iter().find(|file| file.role == Role::Model);
        let first = first.ok_or_else(|| StoreError::Invalid("no GGUF file is named".to_owned()))?;
        let header = self.check_gguf(&self.blob_path(&first.sha256)?)?;
        manifest.family = header.architecture;
        manifest.quantization = header.quantization.unwrap_or_default();
        manifest.parameter_count = header.parameters.filter(|_| header.split_count < 2);
        manifest.license = manifest.license.or(header.license);
        Ok(manifest)
    }

    fn add_adapters(&self, manifest: &mut Manifest, recipe: &Recipe, paths: Paths) -> Result<(), StoreError> {
        let mut number = manifest
            .files
            .iter()
            .filter(|file| file.role == Role::Adapter)
            .filter_map(|file| file.path.split('/').nth(1)?.parse::<usize>().ok())
            .max()
            .map_or(0, |last| last + 1);
        for (file, digest) in &recipe.adapters {
            let path = adapter_path(number, file);
            manifest.files.push(self.blob_file(&path, digest, Role::Adapter)?);
        }
        number += usize::from(!recipe.adapters.is_empty());
        for adapter in &recipe.adapter_paths {
            if let Some(digest) = blob_reference(adapter) {
                let path = adapter_path(number, "adapter.gguf");
                manifest.files.push(self.blob_file(&path, &digest, Role::Adapter)?);
            } else if paths == Paths::Refused {
                return Err(StoreError::Invalid(format!(
                    "ADAPTER {adapter:?} is a path, which is not taken here; upload it and name it in `adapters`"
                )));
            } else if Path::new(adapter).is_file() {
                let path = adapter_path(number, "adapter.gguf");
                manifest.files.push(self.adopt_file(Path::new(adapter), path, Role::Adapter)?);
            } else {
                let prefix = adapter_path(number, "");
                manifest.files.extend(self.adopt_folder(Path::new(adapter), &prefix, Role::Adapter)?);
            }
            number += 1;
        }
        Ok(())
    }

    fn quantize(&self, manifest: &mut Manifest, kind: &str) -> Result<(), StoreError> {
        let target = Target::parse(kind).ok_or_else(|| {
            StoreError::Invalid(format!(
                "quantising to {kind:?} is not offered here; use q8_0, q4_0 or f16, or pull a file of that kind"
            ))
        })?;
        let models: Vec<usize> =
            (0..manifest.files.len()).filter(|index| manifest.files[*index].role == Role::Model).collect();
        let [only] = models.as_slice() else {
            return Err(StoreError::Invalid(
                "only one whole GGUF file can be quantised here; safetensors are with quantize_on_load"
                    .to_owned(),
            ));
        };
        let source = self.blob_path(&manifest.files[*only].sha256)?;
        self.check_space(manifest.files[*only].size_bytes)?;
        let mut writer = self.begin_blob()?;
        quantize::quantize(&source, target, &mut writer)
            .map_err(|cause| StoreError::Invalid(format!("the weights cannot be quantised: {cause}")))?;
        manifest.files[*only].size_bytes = writer.size_bytes();
        manifest.files[*only].sha256 = self.finish_blob(writer, None)?;
        target.name().clone_into(&mut manifest.quantization);
        Ok(())
    }
}

fn apply_texts(manifest: &mut Manifest, recipe: &Recipe) -> Result<(), StoreError> {
    if let Some(template) = recipe.template.as_ref().filter(|template| !template.is_empty()) {
        if is_go_template(template) {
            return Err(StoreError::Invalid(
                "the template is in Go's language; write it in Jinja as `chat_template` of tokenizer_config.json is, or \
                 leave it out and the model's own is used"
                    .to_owned(),
            ));
        }
        manifest.template = Some(template.clone());
        manifest.go_template = None;
    }
    if let Some(system) = &recipe.system {
        manifest.system = Some(system.clone()).filter(|system| !system.is_empty());
    }
    if let Some(license) = &recipe.license {
        manifest.license = Some(license.text());
    }
    manifest.parameters.extend(recipe.parameters.clone());
    if !recipe.messages.is_empty() {
        manifest.messages.clone_from(&recipe.messages);
    }
    if let Some(version) = &recipe.version {
        manifest.version = version.clone();
    }
    manifest.engine = recipe.engine.clone().or(manifest.engine.take());
    manifest.quantize_on_load = recipe.quantize_on_load.clone().or(manifest.quantize_on_load.take());
    Ok(())
}

fn blobs_of(recipe: &Recipe) -> Vec<String> {
    let named = recipe.files.values().chain(recipe.adapters.values()).chain(recipe.from.iter());
    named.filter_map(|text| blob_reference(text)).collect()
}

/// The digest in `sha256:…`, `sha256-…` and `@sha256:…`.
fn blob_reference(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('@');
    let digest = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256-"))?;
    is_digest(digest).then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_named_by_their_digest() {
        let digest = "0".repeat(64);
        for text in [format!("sha256:{digest}"), format!("@sha256:{digest}"), format!("sha256-{digest}")] {
            assert_eq!(blob_reference(&text).as_deref(), Some(digest.as_str()));
        }
        assert_eq!(blob_reference("sha256:../../x"), None);
        assert_eq!(blob_reference(&digest), None);
    }
}
