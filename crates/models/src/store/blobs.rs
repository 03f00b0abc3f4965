//! Contents by their SHA-256.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::Store;
use crate::error::StoreError;
use crate::files::Weights;
use crate::manifest::{Manifest, ManifestFile, Role, is_digest};
use crate::name::ModelName;
use crate::scan::entries;

/// Bytes read at once while hashing.
const HASH_BUFFER_BYTES: usize = 1024 * 1024;
/// Folders below a model's folder that are followed.
const MAX_DEPTH: usize = 3;
/// Files of Hugging Face folders that models are run from; pictures, other formats' weights and the like stay behind.
const KEPT_KINDS: [&str; 7] = ["gguf", "jinja", "json", "model", "safetensors", "tiktoken", "txt"];

/// A blob that is being written. Dropped before `finish`, it leaves nothing.
pub struct BlobWriter {
    file: File,
    path: PathBuf,
    hasher: Sha256,
    size_bytes: u64,
    finished: bool,
}

impl BlobWriter {
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.finished {
            fs::remove_file(&self.path).ok();
        }
    }
}

impl Store {
    pub(super) fn blobs(&self) -> PathBuf {
        self.directory().join("blobs")
    }

    /// Where downloads and uploads lie until they are whole.
    pub(crate) fn partial(&self) -> PathBuf {
        self.blobs().join(".partial")
    }

    /// Where the blob of this digest lies or would lie.
    pub fn blob_path(&self, sha256: &str) -> Result<PathBuf, StoreError> {
        if !is_digest(sha256) {
            return Err(StoreError::Invalid(format!("{sha256:?} is no SHA-256 in hexadecimal")));
        }
        Ok(self.blobs().join(format!("sha256-{sha256}")))
    }

    /// Size of the blob, when it is there.
    pub fn blob_size(&self, sha256: &str) -> Option<u64> {
        fs::metadata(self.blob_path(sha256).ok()?).ok().map(|file| file.len())
    }

    /// Begins a blob.
    pub fn begin_blob(&self) -> Result<BlobWriter, StoreError> {
        fs::create_dir_all(self.partial())?;
        let path = self.partial().join(format!("upload-{}", uuid::Uuid::new_v4()));
        let file = File::create_new(&path)?;
        Ok(BlobWriter { file, path, hasher: Sha256::new(), size_bytes: 0, finished: false })
    }

    /// Ends a blob: its digest in hexadecimal, which must be `expected` where that is given.
    pub fn finish_blob(&self, mut writer: BlobWriter, expected: Option<&str>) -> Result<String, StoreError> {
        let digest = hex::encode(writer.hasher.finalize_reset());
        if expected.is_some_and(|expected| expected != digest) {
            return Err(StoreError::WrongChecksum {
                what: "the upload".to_owned(),
                expected: expected.unwrap_or_default().to_owned(),
            });
        }
        writer.file.sync_all()?;
        fs::rename(&writer.path, self.blob_path(&digest)?)?;
        writer.finished = true;
        Ok(digest)
    }

    /// Moves a file whose contents were checked against `sha256` to its place.
    pub(crate) fn take_blob(&self, path: &Path, sha256: &str) -> Result<(), StoreError> {
        fs::rename(path, self.blob_path(sha256)?)?;
        Ok(())
    }

    /// Makes a file of the disk a blob, without a copy where the file system can link.
    pub(crate) fn adopt_file(
        &self,
        source: &Path,
        path: String,
        role: Role,
    ) -> Result<ManifestFile, StoreError> {
        let source = source.canonicalize()?;
        let sha256 = hash_file(&source)?;
        let size_bytes = fs::metadata(&source)?.len();
        let target = self.blob_path(&sha256)?;
        fs::create_dir_all(self.blobs())?;
        if !target.exists() && fs::hard_link(&source, &target).is_err() {
            self.check_space(size_bytes)?;
            let mut writer = self.begin_blob()?;
            io::copy(&mut File::open(&source)?, &mut writer)?;
            self.finish_blob(writer, Some(&sha256))?;
        }
        Ok(ManifestFile { path, sha256, size_bytes, role })
    }

    /// A manifest for a model that was put there by hand.
    pub(crate) fn adopt(&self, name: &ModelName) -> Result<Manifest, StoreError> {
        let files = self.find(name).ok_or_else(|| StoreError::NotFound(name.to_string()))?;
        let mut list = match &files.weights {
            Weights::Gguf { file } => self.adopt_gguf(file)?,
            Weights::Safetensors { folder }
            | Weights::Encoder { folder }
            | Weights::StaticEmbedding { folder } => self.adopt_folder(folder, "", Role::Model)?,
        };
        if let Some(projector) = &files.settings.projector {
            list.push(self.adopt_file(projector, "mmproj.gguf".to_owned(), Role::Projector)?);
        }
        let mut manifest = Manifest::new(name.tagged(), files.format(), list);
        manifest.family.clone_from(&files.family);
        manifest.quantization.clone_from(&files.quantization);
        manifest.parameter_count = files.parameters;
        Ok(manifest)
    }

    /// One GGUF file, or all parts of the one that `file` is the first of.
    pub(crate) fn adopt_gguf(&self, file: &Path) -> Result<Vec<ManifestFile>, StoreError> {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((stem, count)) = name.strip_suffix(".gguf").and_then(|stem| stem.split_once("-00001-of-"))
        else {
            return Ok(vec![self.adopt_file(file, "model.gguf".to_owned(), Role::Model)?]);
        };
        let parts: u32 = count.parse().map_err(|_| StoreError::Invalid(format!("{name:?} is no part")))?;
        (1..=parts)
            .map(|part| {
                let source = file.with_file_name(format!("{stem}-{part:05}-of-{count}.gguf"));
                self.adopt_file(&source, format!("model-{part:05}-of-{count}.gguf"), Role::Model)
            })
            .collect()
    }

    /// The files of a folder that engines read, below `prefix` in the model's folder.
    pub(crate) fn adopt_folder(
        &self,
        folder: &Path,
        prefix: &str,
        role: Role,
    ) -> Result<Vec<ManifestFile>, StoreError> {
        let mut found = Vec::new();
        let mut open = vec![(folder.to_owned(), prefix.to_owned(), 0)];
        while let Some((folder, prefix, depth)) = open.pop() {
            for path in entries(&folder) {
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
                if path.is_dir() {
                    if depth < MAX_DEPTH {
                        open.push((path.clone(), format!("{prefix}{name}/"), depth + 1));
                    }
                } else if is_kept(name) {
                    found.push(self.adopt_file(&path, format!("{prefix}{name}"), role)?);
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Puts a blob where a model's folder needs it: as a second name of the file, or else as a pointer to it.
    pub(super) fn link_blob(&self, sha256: &str, target: &Path) -> Result<(), StoreError> {
        let blob = self.blob_path(sha256)?;
        if !blob.is_file() {
            return Err(StoreError::Invalid(format!(
                "there is no blob sha256:{sha256} here; upload it first"
            )));
        }
        if fs::hard_link(&blob, target).is_err() {
            std::os::unix::fs::symlink(blob.canonicalize()?, target)?;
        }
        Ok(())
    }
}

/// Whether engines read files of this name.
pub(crate) fn is_kept(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, kind)| KEPT_KINDS.contains(&kind)) && name != "manifest.json"
}

/// SHA-256 of a file in hexadecimal. Takes as long as reading it does.
pub(crate) fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}
