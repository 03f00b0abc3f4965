//! A model as one file, for machines without a network: a tar archive of `manifest.json` and `blobs/sha256-…`.
//!
//! Every blob's SHA-256 stands in the manifest and is checked before anything becomes visible. Weights hardly shrink, so
//! nothing is compressed.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};

use crate::error::StoreError;
use crate::manifest::{MANIFEST_FILE, Manifest};
use crate::name::ModelName;
use crate::store::{Store, Stored};

/// Entries of one archive.
const MAX_ENTRIES: usize = 2048;
const MAX_MANIFEST_BYTES: u64 = 8 * 1024 * 1024;
const BLOB_PREFIX: &str = "blobs/sha256-";

fn damaged(why: impl std::fmt::Display) -> StoreError {
    StoreError::Invalid(format!("the archive cannot be used: {why}"))
}

impl Store {
    /// Writes the model into `writer`. One that was put there by hand gets its digests while being written.
    pub fn export(&self, name: &ModelName, writer: &mut dyn Write) -> Result<(), StoreError> {
        let manifest = match self.get(name) {
            Some(stored) => stored.manifest,
            None => self.adopt(name)?,
        };
        let _pins = self.pin(manifest.files.iter().map(|file| file.sha256.clone()));
        let text = serde_json::to_vec_pretty(&manifest).map_err(damaged)?;
        let mut archive = tar::Builder::new(writer);
        archive.append_data(&mut header(text.len() as u64), MANIFEST_FILE, text.as_slice())?;
        let mut written: HashSet<&str> = HashSet::new();
        for file in &manifest.files {
            if written.insert(&file.sha256) {
                let blob = File::open(self.blob_path(&file.sha256)?)?;
                let path = format!("{BLOB_PREFIX}{}", file.sha256);
                archive.append_data(&mut header(file.size_bytes), path, blob)?;
            }
        }
        archive.finish()?;
        Ok(())
    }

    /// Reads a model from an archive. Under another name where `name` is given. Nothing is replaced before all of it is there
    /// and checked.
    pub fn import(&self, reader: &mut dyn Read, name: Option<&ModelName>) -> Result<Stored, StoreError> {
        let mut archive = tar::Archive::new(reader);
        let mut manifest: Option<Manifest> = None;
        let mut missing: BTreeMap<String, u64> = BTreeMap::new();
        let mut pins = Vec::new();
        for (number, entry) in archive.entries().map_err(damaged)?.enumerate() {
            let mut entry = entry.map_err(damaged)?;
            if number >= MAX_ENTRIES {
                return Err(damaged("it has too many entries"));
            }
            if !entry.header().entry_type().is_file() {
                return Err(damaged("it holds something that is not a file"));
            }
            let path = entry.path().map_err(damaged)?.to_string_lossy().into_owned();
            let Some(manifest) = &manifest else {
                let read = first_entry(&path, &mut entry)?;
                missing = read.files.iter().map(|file| (file.sha256.clone(), file.size_bytes)).collect();
                self.check_space(missing.values().fold(0, |sum, size| sum.saturating_add(*size)))?;
                pins.push(self.pin(missing.keys().cloned()));
                manifest = Some(read);
                continue;
            };
            let digest = path.strip_prefix(BLOB_PREFIX).unwrap_or_default();
            let Some(size) = missing.remove(digest) else {
                return Err(damaged(format!("{path:?} is not in the manifest of {}", manifest.name)));
            };
            self.read_blob(&mut entry, digest, size)?;
        }
        let mut manifest = manifest.ok_or_else(|| damaged("it is empty"))?;
        if let Some(absent) = missing.keys().find(|digest| self.blob_size(digest).is_none()) {
            return Err(damaged(format!("the blob sha256:{absent} is missing")));
        }
        if let Some(name) = name {
            manifest.name = name.tagged();
        }
        self.commit(manifest)
    }

    fn read_blob(&self, entry: &mut impl Read, digest: &str, size: u64) -> Result<(), StoreError> {
        let mut writer = self.begin_blob()?;
        let copied = io::copy(entry, &mut writer).map_err(damaged)?;
        if copied != size {
            return Err(damaged(format!("the blob sha256:{digest} is cut off")));
        }
        self.finish_blob(writer, Some(digest)).map(drop)
    }
}

fn first_entry(path: &str, entry: &mut impl Read) -> Result<Manifest, StoreError> {
    if path != MANIFEST_FILE {
        return Err(damaged("it does not begin with a manifest"));
    }
    let mut text = Vec::new();
    entry.take(MAX_MANIFEST_BYTES).read_to_end(&mut text).map_err(damaged)?;
    Ok(Manifest::parse(&text)?)
}

fn header(size_bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size_bytes);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Regular);
    header
}
