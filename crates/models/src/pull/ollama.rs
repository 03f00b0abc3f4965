//! Ollama's registry: `GET /v2/NAMESPACE/NAME/manifests/TAG`, and layers as blobs by their digest (the protocol of container
//! registries, with media types of its own).

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::http::{Http, MAX_LISTING_BYTES};
use super::hub::parsed;
use super::source::{ByteStream, FetchError, Plan, RemoteFile, Source, TextKind};
use crate::error::StoreError;
use crate::manifest::{Role, is_digest};
use crate::store::adapter_path;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const MEDIA_PREFIX: &str = "application/vnd.ollama.image.";
const MAX_LAYERS: usize = 1024;

pub(super) struct Ollama {
    pub http: Http,
    /// `namespace/name`.
    pub repository: String,
    pub tag: String,
}

#[derive(Deserialize)]
struct RegistryManifest {
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: String,
    size: u64,
}

impl Ollama {
    fn address(&self, digest: &str) -> Result<String, StoreError> {
        let path = format!("v2/{}/blobs/sha256:{digest}", self.repository);
        Ok(self.http.url(&path)?.to_string())
    }

    async fn text(&self, digest: &str, size: u64) -> Result<String, StoreError> {
        if size > MAX_LISTING_BYTES as u64 {
            return Err(StoreError::Source("a text of the model is too long".to_owned()));
        }
        let address = self.address(digest)?;
        let bytes = self.http.small(&parsed(&address)?, "*/*").await?;
        if hex::encode(Sha256::digest(&bytes)) != digest {
            return Err(StoreError::WrongChecksum {
                what: "a text of the model".to_owned(),
                expected: digest.to_owned(),
            });
        }
        String::from_utf8(bytes)
            .map_err(|_| StoreError::Source("a text of the model is not UTF-8".to_owned()))
    }
}

#[async_trait]
impl Source for Ollama {
    async fn plan(&self) -> Result<Plan, StoreError> {
        let url = self.http.url(&format!("v2/{}/manifests/{}", self.repository, self.tag))?;
        let manifest: RegistryManifest = self.http.json(&url, MANIFEST).await?;
        let mut files = Vec::new();
        let mut texts: BTreeMap<TextKind, String> = BTreeMap::new();
        let mut adapters = 0;
        for layer in manifest.layers.into_iter().take(MAX_LAYERS) {
            let digest = layer.digest.strip_prefix("sha256:").filter(|digest| is_digest(digest));
            let digest = digest
                .ok_or_else(|| StoreError::Source(format!("{:?} is no digest", layer.digest)))?
                .to_owned();
            let kind = layer.media_type.strip_prefix(MEDIA_PREFIX).unwrap_or_default();
            let (path, role) = match kind {
                "model" => ("model.gguf".to_owned(), Role::Model),
                "projector" => ("mmproj.gguf".to_owned(), Role::Projector),
                "adapter" => {
                    adapters += 1;
                    (adapter_path(adapters - 1, "adapter.gguf"), Role::Adapter)
                }
                other => {
                    if let Some(kind) = text_kind(other) {
                        let text = self.text(&digest, layer.size).await?;
                        append(texts.entry(kind).or_default(), &text);
                    }
                    continue;
                }
            };
            let address = self.address(&digest)?;
            let mut file = RemoteFile::new(&path, address, layer.size, Some(digest));
            file.role = role;
            files.push(file);
        }
        if !files.iter().any(|file| file.role == Role::Model) {
            return Err(StoreError::NotAtSource("weights as GGUF".to_owned()));
        }
        Ok(Plan { files, texts, source: format!("registry.ollama.ai/{}:{}", self.repository, self.tag) })
    }

    async fn open(&self, file: &RemoteFile, range: Option<Range<u64>>) -> Result<ByteStream, FetchError> {
        self.http.bytes(&parsed(&file.address)?, range).await
    }
}

fn text_kind(media_type: &str) -> Option<TextKind> {
    Some(match media_type {
        "template" => TextKind::Template,
        "system" => TextKind::System,
        "params" => TextKind::Parameters,
        "messages" => TextKind::Messages,
        "license" => TextKind::License,
        _ => return None,
    })
}

/// Several layers of one kind (licences) are one text.
fn append(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}
