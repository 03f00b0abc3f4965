//! A prefix in an S3 bucket, laid out as a folder is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};

use super::PullSettings;
use super::choose::choose;
use super::source::{ByteStream, FetchError, Plan, RemoteFile, Source};
use crate::error::StoreError;

/// Objects below one prefix that are looked at.
const MAX_LISTED: usize = 10_000;

pub(super) struct S3 {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    wanted: String,
    source: String,
}

impl S3 {
    /// Keys come from the settings, or else from the environment (`AWS_ACCESS_KEY_ID`, …).
    pub(super) fn open(url: &str, wanted: &str, settings: &PullSettings) -> Result<Self, StoreError> {
        let path = url.trim_start_matches("s3://");
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        if !settings.s3_endpoint.is_empty() {
            builder = builder.with_endpoint(settings.s3_endpoint.trim_end_matches('/'));
            builder = builder.with_allow_http(settings.s3_endpoint.starts_with("http://"));
        }
        if !settings.s3_region.is_empty() {
            builder = builder.with_region(&settings.s3_region);
        }
        if !settings.s3_access_key_id.is_empty() {
            builder = builder
                .with_access_key_id(&settings.s3_access_key_id)
                .with_secret_access_key(&settings.s3_secret_access_key);
        }
        let store = builder.build().map_err(|cause| StoreError::Invalid(cause.to_string()))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Path::from(prefix),
            wanted: wanted.to_owned(),
            source: url.to_owned(),
        })
    }
}

#[async_trait]
impl Source for S3 {
    async fn plan(&self) -> Result<Plan, StoreError> {
        let failed = |cause: object_store::Error| StoreError::Source(cause.to_string());
        let listed: Vec<_> =
            self.store.list(Some(&self.prefix)).take(MAX_LISTED).try_collect().await.map_err(failed)?;
        let mut files = Vec::new();
        for object in listed {
            let Some(parts) = object.location.prefix_match(&self.prefix) else { continue };
            let path: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
            files.push(RemoteFile::new(&path.join("/"), object.location.to_string(), object.size, None));
        }
        Ok(Plan { files: choose(files, &self.wanted)?, texts: BTreeMap::new(), source: self.source.clone() })
    }

    async fn open(&self, file: &RemoteFile, range: Option<Range<u64>>) -> Result<ByteStream, FetchError> {
        let retry = |cause: object_store::Error| FetchError::Retry(cause.to_string());
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        let found = self.store.get_opts(&Path::from(file.address.as_str()), options).await.map_err(retry)?;
        Ok(found.into_stream().map_err(retry).boxed())
    }
}
