//! Small models, and a store in a folder of its own.

use std::path::Path;
use std::sync::Arc;

use anwen_models::Store;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

pub struct Workplace {
    pub directory: TempDir,
    pub store: Arc<Store>,
}

impl Workplace {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()));
        Self { directory, store }
    }

    pub fn write(&self, path: &str, contents: &[u8]) {
        write(self.directory.path(), path, contents);
    }

    /// Files below the models directory, by path, without the lock.
    pub fn blobs(&self) -> Vec<String> {
        let Ok(listing) = std::fs::read_dir(self.directory.path().join("blobs")) else { return Vec::new() };
        let mut names: Vec<String> =
            listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.starts_with("sha256-"));
        names.sort();
        names
    }

    pub fn names(&self) -> Vec<String> {
        self.store.list().into_iter().map(|files| files.name).collect()
    }

    /// Uploads bytes as a blob: its digest as requests name it.
    pub fn upload(&self, contents: &[u8]) -> String {
        let mut writer = self.store.begin_blob().unwrap();
        std::io::Write::write_all(&mut writer, contents).unwrap();
        format!("sha256:{}", self.store.finish_blob(writer, None).unwrap())
    }
}

pub fn write(directory: &Path, path: &str, contents: &[u8]) {
    let path = directory.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, contents).unwrap();
}

pub fn digest(contents: &[u8]) -> String {
    hex::encode(Sha256::digest(contents))
}

/// A GGUF header of a language model, and bytes that no two models share behind it.
pub fn gguf(name: &str, padding_bytes: usize) -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let entries =
        [("general.architecture", "llama"), ("general.name", name), ("tokenizer.chat_template", "{{ x }}")];
    let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes()].concat();
    bytes.extend((entries.len() as u64).to_le_bytes());
    for (key, text) in entries {
        bytes.extend([string(key), 8u32.to_le_bytes().to_vec(), string(text)].concat());
    }
    // Different everywhere, so that a range in the wrong place is noticed.
    let mut state =
        name.bytes().fold(1_u32, |state, byte| state.wrapping_mul(31).wrapping_add(u32::from(byte)));
    bytes.extend((0..padding_bytes).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    }));
    bytes
}
