//! Repositories of Hugging Face and ModelScope.

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;
use serde::Deserialize;
use url::Url;

use super::choose::choose;
use super::http::Http;
use super::source::{ByteStream, FetchError, Plan, RemoteFile, Source};
use crate::error::StoreError;
use crate::manifest::is_digest;

const JSON: &str = "application/json";
/// Files of one repository that are looked at.
const MAX_LISTED: usize = 10_000;

/// `GET /api/models/OWNER/NAME/revision/main?blobs=true` and `GET /OWNER/NAME/resolve/COMMIT/FILE`
/// (<https://huggingface.co/docs/hub/api>). Mirrors answer the same.
pub(super) struct HuggingFace {
    pub http: Http,
    pub repository: String,
    pub wanted: String,
}

#[derive(Deserialize)]
struct HfModel {
    sha: String,
    #[serde(default)]
    siblings: Vec<HfFile>,
}

#[derive(Deserialize)]
struct HfFile {
    rfilename: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    lfs: Option<HfLfs>,
}

#[derive(Deserialize)]
struct HfLfs {
    sha256: String,
    size: u64,
}

#[async_trait]
impl Source for HuggingFace {
    async fn plan(&self) -> Result<Plan, StoreError> {
        let url = self.http.url(&format!("api/models/{}/revision/main?blobs=true", self.repository))?;
        let model: HfModel = self.http.json(&url, JSON).await?;
        if !model.sha.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(StoreError::Source("the revision is no commit".to_owned()));
        }
        let mut files = Vec::new();
        for file in model.siblings.into_iter().take(MAX_LISTED) {
            let Some(size) = file.lfs.as_ref().map(|lfs| lfs.size).or(file.size) else { continue };
            let path = format!("{}/resolve/{}/{}", self.repository, model.sha, encoded(&file.rfilename));
            let sha256 = file.lfs.map(|lfs| lfs.sha256).filter(|digest| is_digest(digest));
            let address = self.http.url(&path)?.to_string();
            files.push(RemoteFile::new(&file.rfilename, address, size, sha256));
        }
        Ok(Plan {
            files: choose(files, &self.wanted)?,
            texts: BTreeMap::new(),
            source: format!("hf.co/{}@{}", self.repository, model.sha),
        })
    }

    async fn open(&self, file: &RemoteFile, range: Option<Range<u64>>) -> Result<ByteStream, FetchError> {
        self.http.bytes(&parsed(&file.address)?, range).await
    }
}

/// `GET /api/v1/models/OWNER/NAME/repo/files?Revision=master&Recursive=true` and
/// `GET /api/v1/models/OWNER/NAME/repo?Revision=master&FilePath=FILE` (as ModelScope's own client asks).
pub(super) struct ModelScope {
    pub http: Http,
    pub repository: String,
    pub wanted: String,
}

#[derive(Deserialize)]
struct MsListing {
    #[serde(rename = "Data")]
    data: Option<MsData>,
}

#[derive(Deserialize)]
struct MsData {
    #[serde(rename = "Files", default)]
    files: Vec<MsFile>,
}

#[derive(Deserialize)]
struct MsFile {
    #[serde(rename = "Path")]
    path: String,
    #[serde(rename = "Size", default)]
    size: u64,
    #[serde(rename = "Sha256", default)]
    sha256: String,
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(rename = "Revision", default)]
    revision: String,
}

#[async_trait]
impl Source for ModelScope {
    async fn plan(&self) -> Result<Plan, StoreError> {
        let path = format!("api/v1/models/{}/repo/files?Revision=master&Recursive=true", self.repository);
        let listing: MsListing = self.http.json(&self.http.url(&path)?, JSON).await?;
        let data = listing.data.ok_or_else(|| StoreError::NotAtSource(self.repository.clone()))?;
        let mut files = Vec::new();
        for file in data.files.into_iter().take(MAX_LISTED).filter(|file| file.kind != "tree") {
            let sha256 = Some(file.sha256).filter(|digest| is_digest(digest));
            // The commit of the file itself, so that what is gone on with later is the same file.
            let revision = if file.revision.is_empty() { "master" } else { &file.revision };
            let mut url = self.http.url(&format!("api/v1/models/{}/repo", self.repository))?;
            url.query_pairs_mut().append_pair("Revision", revision).append_pair("FilePath", &file.path);
            files.push(RemoteFile::new(&file.path, url.to_string(), file.size, sha256));
        }
        Ok(Plan {
            files: choose(files, &self.wanted)?,
            texts: BTreeMap::new(),
            source: format!("modelscope.cn/{}", self.repository),
        })
    }

    async fn open(&self, file: &RemoteFile, range: Option<Range<u64>>) -> Result<ByteStream, FetchError> {
        self.http.bytes(&parsed(&file.address)?, range).await
    }
}

pub(super) fn parsed(address: &str) -> Result<Url, StoreError> {
    Url::parse(address).map_err(|cause| StoreError::Source(format!("{address:?} is no address: {cause}")))
}

/// A path as it stands in an address.
fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23").replace(' ', "%20")
}
