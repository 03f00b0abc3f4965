//! Removing what no model needs, also after an interruption.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::MutexGuard;
use std::time::{Duration, SystemTime};

use super::{Store, lock, read_manifest};
use crate::error::StoreError;

/// Blobs that no model names are kept this long: an upload may be waiting for the call that makes a model of it.
const UNUSED_BLOB_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Downloads that nobody has gone on with for this long are given up.
const PARTIAL_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const LOCK_FILE: &str = ".lock";

/// The right to change the set of models, among threads and processes.
pub(super) struct Changing<'a> {
    _file: File,
    _thread: MutexGuard<'a, ()>,
}

impl Store {
    /// Waits until nobody else changes the set of models.
    pub(super) fn lock_directory(&self) -> Result<Changing<'_>, StoreError> {
        let thread = lock(&self.changing);
        fs::create_dir_all(self.library())?;
        let file = File::create(self.library().join(LOCK_FILE))?;
        file.lock()?;
        Ok(Changing { _file: file, _thread: thread })
    }

    /// Finishes what was interrupted, and lets go of what is too old. Failures are logged: a store that cannot be tidied
    /// still serves.
    pub fn collect(&self) {
        if !self.library().is_dir() && !self.blobs().is_dir() {
            return;
        }
        let Ok(_changing) = self
            .lock_directory()
            .inspect_err(|cause| tracing::warn!(%cause, "the models directory cannot be tidied"))
        else {
            return;
        };
        for name in names_in(&self.library()) {
            if name.starts_with(".old-") {
                self.finish_removal(&self.library().join(name));
            } else if name.starts_with(".new-") {
                fs::remove_dir_all(self.library().join(name)).ok();
            }
        }
        let used = self.used_digests();
        for name in names_in(&self.blobs()) {
            if let Some(digest) = name.strip_prefix("sha256-").filter(|digest| !used.contains(*digest)) {
                let path = self.blobs().join(&name);
                if is_older_than(&path, UNUSED_BLOB_AGE) && !self.is_pinned(digest) {
                    remove_file(&path);
                }
            }
        }
        for name in names_in(&self.partial()) {
            let path = self.partial().join(name);
            if is_older_than(&path, PARTIAL_AGE) {
                remove_file(&path);
            }
        }
    }

    /// Deletes the blobs that only the model set aside at `old` has, and then its folder. Bytes that have become free.
    pub(super) fn finish_removal(&self, old: &Path) -> u64 {
        let mut freed = 0;
        if let Some(manifest) = read_manifest(old) {
            let used = self.used_digests();
            for file in &manifest.files {
                if used.contains(&file.sha256) || self.is_pinned(&file.sha256) {
                    continue;
                }
                if let Ok(path) = self.blob_path(&file.sha256)
                    && path.is_file()
                    && remove_file(&path)
                {
                    freed += file.size_bytes;
                }
            }
        }
        if let Err(cause) = fs::remove_dir_all(old) {
            tracing::warn!(path = %old.display(), %cause, "a removed model's folder stays until the next start");
        }
        freed
    }

    fn used_digests(&self) -> HashSet<String> {
        self.stored().into_iter().flat_map(|stored| stored.manifest.files).map(|file| file.sha256).collect()
    }

    fn is_pinned(&self, digest: &str) -> bool {
        lock(&self.pinned).contains_key(digest)
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    listing.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn is_older_than(path: &Path, age: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|passed| passed > age))
}

fn remove_file(path: &Path) -> bool {
    fs::remove_file(path)
        .inspect_err(|cause| tracing::warn!(path = %path.display(), %cause, "a file could not be removed"))
        .is_ok()
}
