//! Starting llama.cpp, once for a process: its log, and the processor variant that fits this machine.
//!
//! llama.cpp keeps its backends and its log in variables of the process, so this module does too: one `OnceLock`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use llama_cpp_2::llama_backend::{LlamaBackend, load_backends_from_path};
use llama_cpp_2::{
    LlamaBackendDeviceType, LogOptions, list_llama_ggml_backend_devices, send_logs_to_tracing,
};

/// What files of processor variants begin with.
const VARIANT_PREFIX: &str = "libggml-cpu";
/// Where packages put the variants, from the folder of the program.
const PACKAGED_FOLDER: &str = "../lib/anwen";

static STARTED: OnceLock<Result<LlamaBackend, String>> = OnceLock::new();

/// The backend, started by the first call. `configured` is the folder of the variants when a setting names one.
pub fn started(configured: Option<&Path>) -> Result<&'static LlamaBackend, String> {
    STARTED.get_or_init(|| start(configured)).as_ref().map_err(Clone::clone)
}

fn start(configured: Option<&Path>) -> Result<LlamaBackend, String> {
    send_logs_to_tracing(LogOptions::default());
    let folders = candidate_folders(configured);
    if let Some(folder) = folders.iter().find(|folder| has_variants(folder)) {
        tracing::debug!(folder = %folder.display(), "llama.cpp's processor variants");
        load_backends_from_path(folder);
    }
    let has_processor = list_llama_ggml_backend_devices()
        .iter()
        .any(|device| matches!(device.device_type, LlamaBackendDeviceType::Cpu));
    if !has_processor {
        return Err(format!(
            "no processor variant of llama.cpp that fits this machine lies in {folders:?}; set model_runtime.llamacpp.backends_dir"
        ));
    }
    LlamaBackend::init().map_err(|cause| cause.to_string())
}

/// Folders that may hold the variants, the likeliest first.
fn candidate_folders(configured: Option<&Path>) -> Vec<PathBuf> {
    if let Some(folder) = configured {
        return vec![folder.to_owned()];
    }
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let packaged = beside.as_ref().map(|folder| folder.join(PACKAGED_FOLDER));
    let built = option_env!("ANWEN_BUILT_LLAMA_BACKENDS").map(PathBuf::from);
    beside.into_iter().chain(packaged).chain(built).collect()
}

fn has_variants(folder: &Path) -> bool {
    // Its path goes to C as UTF-8.
    folder.to_str().is_some()
        && std::fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .filter_map(Result::ok)
                .any(|entry| entry.file_name().to_string_lossy().starts_with(VARIANT_PREFIX))
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_folder_is_the_only_one_looked_at() {
        assert_eq!(candidate_folders(Some(Path::new("/somewhere"))), [PathBuf::from("/somewhere")]);
        assert!(candidate_folders(None).len() >= 2);
    }

    #[test]
    fn only_a_folder_with_variants_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_variants(folder.path()));
        std::fs::write(folder.path().join("libggml-cpu-haswell.so"), b"").unwrap();
        assert!(has_variants(folder.path()));
        assert!(!has_variants(Path::new("/nonexistent")));
    }
}
