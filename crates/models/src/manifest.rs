//! What the store knows of a model, beside its files.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::files::Purpose;
use crate::name::{SemanticVersion, is_file_path};

/// The file beside the model's own.
pub(crate) const MANIFEST_FILE: &str = "manifest.json";
/// Of the layout of manifests; a later one is not read by this program.
const SCHEMA: u32 = 1;
/// Files of one model.
const MAX_FILES: usize = 1024;
/// Bytes of a template, a system text or a licence.
const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// Hexadecimal digits of SHA-256.
const DIGEST_CHARS: usize = 64;

/// What a file is to its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Weights, and the configuration and tokenizer beside them.
    Model,
    /// The picture encoder of a GGUF file.
    Projector,
    /// A low-rank adapter: a GGUF file, or one of the files of a folder `adapters/N`.
    Adapter,
}

/// A file of a model: where it stands in the model's folder, and its contents' digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    pub path: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    pub size_bytes: u64,
    pub role: Role,
}

/// A turn that every conversation begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMessage {
    pub role: String,
    pub content: String,
}

/// A model of the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    /// `name:tag`.
    pub name: String,
    #[serde(default)]
    pub version: SemanticVersion,
    #[serde(default)]
    pub license: Option<String>,
    /// `gguf` or `safetensors`.
    pub format: String,
    #[serde(default)]
    pub family: String,
    #[serde(default)]
    pub quantization: String,
    /// How many weights it has.
    #[serde(default)]
    pub parameter_count: Option<u64>,
    /// A chat template in Jinja, instead of the one in the files.
    #[serde(default)]
    pub template: Option<String>,
    /// A template in the language of Go, as Ollama's registry has them: shown, and not run.
    #[serde(default)]
    pub go_template: Option<String>,
    #[serde(default)]
    pub system: Option<String>,
    /// Defaults of options, as Ollama names them.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    #[serde(default)]
    pub messages: Vec<SavedMessage>,
    #[serde(default)]
    pub engine: Option<String>,
    #[serde(default)]
    pub quantize_on_load: Option<String>,
    #[serde(default)]
    pub purpose: Option<Purpose>,
    pub files: Vec<ManifestFile>,
    /// Names of the models that this one was made from.
    #[serde(default)]
    pub parents: Vec<String>,
    /// Where it was pulled from.
    #[serde(default)]
    pub source: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// Why a manifest is none.
#[derive(Debug, thiserror::Error)]
#[error("the manifest cannot be used: {0}")]
pub struct InvalidManifest(String);

impl Manifest {
    /// A model named `name:tag` of `files`, with nothing else said.
    pub fn new(name: String, format: &str, files: Vec<ManifestFile>) -> Self {
        Self {
            schema: SCHEMA,
            name,
            version: SemanticVersion::default(),
            license: None,
            format: format.to_owned(),
            family: String::new(),
            quantization: String::new(),
            parameter_count: None,
            template: None,
            go_template: None,
            system: None,
            parameters: Map::new(),
            messages: Vec::new(),
            engine: None,
            quantize_on_load: None,
            purpose: None,
            files,
            parents: Vec::new(),
            source: None,
            created_at: OffsetDateTime::now_utc(),
        }
    }

    /// Reads and checks one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidManifest> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|cause| InvalidManifest(cause.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Paths, digests and bounds; what stands in a manifest may come from anywhere.
    pub(crate) fn check(&self) -> Result<(), InvalidManifest> {
        let fail = |why: &str| Err(InvalidManifest(why.to_owned()));
        if self.schema != SCHEMA {
            return fail("it was written by another version of this program");
        }
        if self.files.is_empty() || self.files.len() > MAX_FILES {
            return fail("it names no files, or too many");
        }
        for file in &self.files {
            if !is_file_path(&file.path) {
                return Err(InvalidManifest(format!("{:?} is no path inside a model", file.path)));
            }
            if !is_digest(&file.sha256) {
                return Err(InvalidManifest(format!("{:?} is no SHA-256", file.sha256)));
            }
        }
        let mut paths: Vec<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        paths.sort_unstable();
        if paths.windows(2).any(|pair| pair[0] == pair[1]) {
            return fail("two of its files have one path");
        }
        let texts = [&self.template, &self.go_template, &self.system, &self.license];
        if texts.into_iter().flatten().any(|text| text.len() > MAX_TEXT_BYTES) {
            return fail("one of its texts is too long");
        }
        Ok(())
    }

    /// SHA-256 of all but the name and the time, in hexadecimal: a copy has the digest of its original.
    pub fn digest(&self) -> String {
        let anonymous = Self { name: String::new(), created_at: OffsetDateTime::UNIX_EPOCH, ..self.clone() };
        hex::encode(Sha256::digest(serde_json::to_vec(&anonymous).unwrap_or_default()))
    }

    pub fn size_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }
}

/// Whether `text` is SHA-256 in small hexadecimal digits.
pub fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_CHARS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a template is in the language of Go's templates and not in Jinja: no statement in `{%`, and an expression that
/// begins as only Go's do.
pub fn is_go_template(text: &str) -> bool {
    const BEGINNINGS: [&str; 8] = [".", "$", "if ", "range ", "else", "end", "with ", "template "];
    !text.contains("{%")
        && text.split("{{").skip(1).any(|rest| {
            let expression = rest.trim_start_matches('-').trim_start();
            BEGINNINGS.iter().any(|beginning| expression.starts_with(beginning))
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn manifest(path: &str, sha256: &str) -> Manifest {
        let file = ManifestFile {
            path: path.to_owned(),
            sha256: sha256.to_owned(),
            size_bytes: 1,
            role: Role::Model,
        };
        Manifest::new("a:latest".to_owned(), "gguf", vec![file])
    }

    #[test]
    fn a_manifest_with_a_path_or_digest_that_leads_elsewhere_is_refused() {
        let digest = "a".repeat(64);
        assert!(manifest("model.gguf", &digest).check().is_ok());
        assert!(manifest("../model.gguf", &digest).check().is_err());
        assert!(manifest("model.gguf", "../../etc/passwd").check().is_err());
        assert!(manifest("model.gguf", &"A".repeat(64)).check().is_err());
    }

    #[test]
    fn the_digest_follows_settings_and_not_the_name() {
        let first = manifest("model.gguf", &"a".repeat(64));
        let mut second = first.clone();
        second.name = "b:latest".to_owned();
        assert_eq!(first.digest(), second.digest());
        second.system = Some("Answer briefly.".to_owned());
        assert_ne!(first.digest(), second.digest());
    }

    #[test]
    fn templates_of_go_are_told_from_jinja() {
        for text in
            ["{{ .Prompt }}", "{{- range .Messages }}{{ .Content }}{{ end }}", "{{ if .System }}x{{ end }}"]
        {
            assert!(is_go_template(text), "{text}");
        }
        for text in [
            "{% for message in messages %}{{ message.content }}{% endfor %}",
            "{{ messages[0].content }}",
            "x",
        ] {
            assert!(!is_go_template(text), "{text}");
        }
    }
}
