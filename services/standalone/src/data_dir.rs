//! The data directory: everything that must survive, and one process at a time.

use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const LOCK_FILE: &str = "anwen.lock";
const SECRET_FILE: &str = "secrets/internal.key";

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error(
        "another anwen ({holder}) already runs on the data directory {directory}; stop it first, or choose \
         another directory with `--data-dir`"
    )]
    InUse { directory: PathBuf, holder: String },
    #[error(
        "the data directory {directory} cannot be used: {cause}; check that it exists and can be written"
    )]
    Unusable { directory: PathBuf, cause: io::Error },
}

/// Where a running instance can be reached; stands in the lock file while it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningInstance {
    pub process_id: u32,
    pub web: SocketAddr,
    pub knowledge: SocketAddr,
    pub model_runtime: SocketAddr,
    pub search_proxy: SocketAddr,
}

/// A data directory by its path; nothing is locked yet.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// Creates the directory when it is absent.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |cause| DataDirError::Unusable { directory: path.to_owned(), cause };
        std::fs::create_dir_all(path).map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret that signs internal tokens, made on first use.
    pub fn secret(&self) -> Result<String, DataDirError> {
        anwen_platform::settings::secret_in_file(&self.path.join(SECRET_FILE))
            .map_err(|cause| DataDirError::Unusable { directory: self.path.clone(), cause })
    }

    /// Claims the directory for this process until the lock is dropped (or the process ends, however it ends).
    pub fn lock(&self) -> Result<DataDirLock, DataDirError> {
        let unusable = |cause| DataDirError::Unusable { directory: self.path.clone(), cause };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path.join(LOCK_FILE))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(unusable)?;
                Ok(DataDirLock { file })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = read_instance(&mut file).map_or_else(
                    || "starting".to_owned(),
                    |instance| format!("process {}", instance.process_id),
                );
                Err(DataDirError::InUse { directory: self.path.clone(), holder })
            }
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// The instance that runs on this directory, if one does.
    pub fn running_instance(&self) -> Option<RunningInstance> {
        let mut file = File::open(self.path.join(LOCK_FILE)).ok()?;
        match file.try_lock_shared() {
            // Nobody holds it: what stands in the file is left over from an instance that has gone.
            Ok(()) => None,
            Err(_) => read_instance(&mut file),
        }
    }
}

fn read_instance(file: &mut File) -> Option<RunningInstance> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Held while a process uses the directory.
#[derive(Debug)]
pub struct DataDirLock {
    file: File,
}

impl DataDirLock {
    /// Says where this instance is, for `anwen ask` and the like.
    pub fn publish(&mut self, instance: &RunningInstance) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all(&serde_json::to_vec(instance)?)?;
        self.file.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn instance() -> RunningInstance {
        let address: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        RunningInstance {
            process_id: 7,
            web: address,
            knowledge: address,
            model_runtime: address,
            search_proxy: address,
        }
    }

    #[test]
    fn a_second_instance_is_refused_and_told_by_whom() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::open(directory.path()).unwrap();
        let mut lock = data.lock().unwrap();
        lock.publish(&instance()).unwrap();
        let refusal = data.lock().unwrap_err().to_string();
        assert!(refusal.contains("process 7"), "{refusal}");
        assert_eq!(data.running_instance().unwrap().web.port(), 8080);
        drop(lock);
        assert!(data.running_instance().is_none());
        data.lock().unwrap();
    }

    #[test]
    fn a_file_in_the_directorys_place_is_a_clear_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = DataDir::open(file.path()).unwrap_err().to_string();
        assert!(error.contains("cannot be used"), "{error}");
    }
}
