//! The models directory: models with a manifest, whose files are shared by their contents, beside those that were put
//! there by hand.
//!
//! ```text
//! blobs/sha256-…              contents, each once
//! blobs/.partial/             downloads and uploads under way
//! library/NAME@TAG/           one model: manifest.json, and its files as links to blobs
//! library/.new-…, .old-…      a change under way
//! ```
//!
//! A model becomes visible and goes by the renaming of one folder. What an interrupted change leaves behind is collected
//! when the store is next opened.

mod blobs;
mod collect;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::error::StoreError;
use crate::files::ModelFiles;
use crate::manifest::{MANIFEST_FILE, Manifest, Role};
use crate::name::ModelName;
use crate::scan::{entries, scan, scan_folder};

pub use blobs::BlobWriter;
pub(crate) use blobs::{hash_file, is_kept};

/// Manifests larger than this are none.
const MAX_MANIFEST_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes that must stay free on the disk after whatever is added.
const RESERVED_BYTES: u64 = 64 * 1024 * 1024;
/// Folders of adapters in a model's folder.
const ADAPTERS: &str = "adapters";

/// Bytes that are free to this process on the disk of a folder.
pub type FreeSpace = Arc<dyn Fn(&Path) -> io::Result<u64> + Send + Sync>;

/// The models directory.
pub struct Store {
    directory: PathBuf,
    free_space: FreeSpace,
    /// Held while the set of models changes.
    changing: Mutex<()>,
    /// Blobs that an operation under way counts on, and how many do.
    pinned: Mutex<HashMap<String, usize>>,
}

/// Keeps blobs from being collected while it lives.
pub struct Pins<'a> {
    store: &'a Store,
    digests: Vec<String>,
}

impl Drop for Pins<'_> {
    fn drop(&mut self) {
        let mut pinned = lock(&self.store.pinned);
        for digest in &self.digests {
            if let Some(count) = pinned.get_mut(digest) {
                *count -= 1;
                if *count == 0 {
                    pinned.remove(digest);
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks leaves the disk consistent by itself.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `statvfs` says is free to users that are not root.
fn free_space_of_disk(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// A model of the store.
#[derive(Clone, Debug)]
pub struct Stored {
    pub name: ModelName,
    pub manifest: Manifest,
    pub folder: PathBuf,
}

impl Store {
    /// Opens the models directory and collects what interrupted changes have left. A directory that does not exist holds no
    /// models and is made with the first.
    pub fn open(directory: &Path) -> Self {
        Self::with_free_space(directory, Arc::new(free_space_of_disk))
    }

    /// The same with another measure of the disk.
    pub fn with_free_space(directory: &Path, free_space: FreeSpace) -> Self {
        let store = Self {
            directory: directory.to_owned(),
            free_space,
            changing: Mutex::default(),
            pinned: Mutex::default(),
        };
        store.collect();
        store
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn library(&self) -> PathBuf {
        self.directory.join("library")
    }

    fn folder_of(&self, name: &ModelName) -> PathBuf {
        self.library().join(name.folder())
    }

    /// Every model by name: those with a manifest, and those put there by hand, which step back behind one of the same name.
    pub fn list(&self) -> Vec<ModelFiles> {
        let mut models: Vec<ModelFiles> = self.stored().iter().filter_map(Stored::files).collect();
        let by_hand = scan(&self.directory);
        models.extend(
            by_hand
                .into_iter()
                .filter(|found| models.iter().all(|model| model.name != found.name))
                .collect::<Vec<_>>(),
        );
        models.sort_by(|a, b| a.name.cmp(&b.name));
        models
    }

    /// Every model with a manifest. One that cannot be read is left out, with a line in the log.
    pub fn stored(&self) -> Vec<Stored> {
        entries(&self.library()).iter().filter_map(|folder| Stored::read(folder)).collect()
    }

    /// The model of this name that has a manifest.
    pub fn get(&self, name: &ModelName) -> Option<Stored> {
        Stored::read(&self.folder_of(name))
    }

    /// Files of a model, with or without a manifest.
    pub fn find(&self, name: &ModelName) -> Option<ModelFiles> {
        if let Some(stored) = self.get(name) {
            return stored.files();
        }
        let shown = name.to_string();
        scan(&self.directory).into_iter().find(|files| files.name == shown)
    }

    /// An error unless so many bytes fit on the disk.
    pub fn check_space(&self, needed_bytes: u64) -> Result<(), StoreError> {
        fs::create_dir_all(&self.directory)?;
        let free_bytes = (self.free_space)(&self.directory)?;
        if needed_bytes > free_bytes.saturating_sub(RESERVED_BYTES) {
            return Err(StoreError::DiskFull { needed_bytes, free_bytes });
        }
        Ok(())
    }

    /// Keeps blobs from being collected until the answer is dropped.
    pub fn pin(&self, digests: impl IntoIterator<Item = String>) -> Pins<'_> {
        let digests: Vec<String> = digests.into_iter().collect();
        let mut pinned = lock(&self.pinned);
        for digest in &digests {
            *pinned.entry(digest.clone()).or_default() += 1;
        }
        Pins { store: self, digests }
    }

    /// Makes a model of blobs that are there, in place of one of its name. Nothing is visible before all is.
    pub fn commit(&self, mut manifest: Manifest) -> Result<Stored, StoreError> {
        let name: ModelName = manifest.name.parse()?;
        manifest.name = name.tagged();
        manifest.check()?;
        let _changing = self.lock_directory()?;
        let fresh = self.library().join(format!(".new-{}", uuid::Uuid::new_v4()));
        if let Err(error) = self.write_folder(&fresh, &manifest) {
            fs::remove_dir_all(&fresh).ok();
            return Err(error);
        }
        let folder = self.folder_of(&name);
        let old = self.set_aside(&folder)?;
        fs::rename(&fresh, &folder)?;
        if let Some(old) = old {
            self.finish_removal(&old);
        }
        Ok(Stored { name, manifest, folder })
    }

    fn write_folder(&self, folder: &Path, manifest: &Manifest) -> Result<(), StoreError> {
        fs::create_dir_all(folder)?;
        for file in &manifest.files {
            let target = folder.join(&file.path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            self.link_blob(&file.sha256, &target)?;
        }
        let text = serde_json::to_vec_pretty(manifest).map_err(|cause| StoreError::Io(cause.to_string()))?;
        let path = folder.join(MANIFEST_FILE);
        fs::write(&path, text)?;
        fs::File::open(&path)?.sync_all()?;
        // What no engine could load takes no other's place.
        if scan_folder(folder).is_empty() {
            return Err(StoreError::Invalid(
                "no engine knows such files; GGUF, or config.json with tokenizer.json and safetensors, are needed"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Gives a model a second name. One that was put there by hand gets a manifest by that.
    pub fn copy(&self, from: &ModelName, to: &ModelName) -> Result<Stored, StoreError> {
        let mut manifest = match self.get(from) {
            Some(stored) => stored.manifest,
            None => self.adopt(from)?,
        };
        manifest.name = to.tagged();
        manifest.created_at = time::OffsetDateTime::now_utc();
        self.commit(manifest)
    }

    /// Removes a model and the blobs that no other has. Bytes that have become free.
    pub fn remove(&self, name: &ModelName) -> Result<u64, StoreError> {
        let folder = self.folder_of(name);
        if !folder.is_dir() {
            return Err(match self.find(name) {
                Some(files) => StoreError::PutThereByHand {
                    name: name.to_string(),
                    path: files.weights.path().to_owned(),
                },
                None => StoreError::NotFound(name.to_string()),
            });
        }
        let _changing = self.lock_directory()?;
        let old = self.set_aside(&folder)?;
        Ok(old.map_or(0, |old| self.finish_removal(&old)))
    }

    /// Hides a model's folder by one renaming; what happens after that is finished by the collector if need be.
    fn set_aside(&self, folder: &Path) -> Result<Option<PathBuf>, StoreError> {
        let aside = self.library().join(format!(".old-{}", uuid::Uuid::new_v4()));
        match fs::rename(folder, &aside) {
            Ok(()) => Ok(Some(aside)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }
}

impl Stored {
    fn read(folder: &Path) -> Option<Self> {
        let name = ModelName::of_folder(folder.file_name()?.to_str()?)?;
        let manifest = read_manifest(folder)?;
        Some(Self { name, manifest, folder: folder.to_owned() })
    }

    /// What engines need to run it; `None` when its files are not what any engine knows.
    pub fn files(&self) -> Option<ModelFiles> {
        let found = scan_folder(&self.folder).into_iter().next();
        let Some(mut files) = found else {
            tracing::warn!(model = %self.name, "the files of a model are not what they should be");
            return None;
        };
        let manifest = &self.manifest;
        files.name = self.name.to_string();
        files.size_bytes = manifest.size_bytes();
        files.modified_at = SystemTime::from(manifest.created_at);
        if !manifest.quantization.is_empty() {
            files.quantization.clone_from(&manifest.quantization);
        }
        files.parameters = manifest.parameter_count.or(files.parameters);
        let settings = &mut files.settings;
        settings.template.clone_from(&manifest.template);
        settings.system.clone_from(&manifest.system);
        settings.parameters.clone_from(&manifest.parameters);
        settings.engine.clone_from(&manifest.engine);
        settings.quantize_on_load.clone_from(&manifest.quantize_on_load);
        settings.purpose = manifest.purpose.or(settings.purpose);
        settings.adapters = self.adapters();
        settings.digest = Some(manifest.digest());
        if let Some(projector) = manifest.files.iter().find(|file| file.role == Role::Projector) {
            settings.projector = Some(self.folder.join(&projector.path));
        }
        Some(files)
    }

    /// `adapters/N/…` is one adapter: its only GGUF file, or the folder.
    fn adapters(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = entries(&self.folder.join(ADAPTERS));
        // By number, so that the tenth comes after the second.
        folders.sort_by_key(|folder| {
            folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()).unwrap_or(u32::MAX)
        });
        let only_gguf = |folder: &PathBuf| match entries(folder).as_slice() {
            [file] if file.extension().is_some_and(|kind| kind == "gguf") => Some(file.clone()),
            _ => None,
        };
        folders.into_iter().map(|folder| only_gguf(&folder).unwrap_or(folder)).collect()
    }
}

/// The path in a model's folder of a file of its adapter.
pub(crate) fn adapter_path(number: usize, file: &str) -> String {
    format!("{ADAPTERS}/{number}/{file}")
}

fn read_manifest(folder: &Path) -> Option<Manifest> {
    let path = folder.join(MANIFEST_FILE);
    let size = fs::metadata(&path).ok()?.len();
    if size > MAX_MANIFEST_BYTES {
        tracing::warn!(path = %path.display(), "a manifest is too large to be read");
        return None;
    }
    Manifest::parse(&fs::read(&path).ok()?)
        .inspect_err(|cause| tracing::warn!(path = %path.display(), %cause, "a manifest cannot be read"))
        .ok()
}
