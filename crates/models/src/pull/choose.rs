//! Which files of a repository make up a model.

use crate::error::StoreError;
use crate::manifest::Role;
use crate::name::{LATEST, is_file_path};
use crate::store::is_kept;

use super::source::RemoteFile;

/// Kinds that are taken when none is asked for, the best first.
const USUAL_KINDS: [&str; 6] = ["Q4_K_M", "Q4_K_S", "Q5_K_M", "Q4_0", "Q8_0", "F16"];
/// Folders of the same weights in other formats.
const OTHER_FORMATS: [&str; 5] = ["original/", "onnx/", "openvino/", "metal/", "coreml/"];
/// Safetensors of another layout beside the usual ones.
const OTHER_WEIGHTS: &str = "consolidated";

/// The files to be fetched from `listing`: of GGUF repositories the one that `wanted` names (or all its parts) with its
/// picture encoder, of others the configuration, tokenizer and safetensors.
pub(super) fn choose(listing: Vec<RemoteFile>, wanted: &str) -> Result<Vec<RemoteFile>, StoreError> {
    let is_gguf = |file: &RemoteFile| file.path.ends_with(".gguf");
    if listing.iter().any(is_gguf) {
        return choose_gguf(listing.into_iter().filter(is_gguf).collect(), wanted);
    }
    let files: Vec<RemoteFile> = listing.into_iter().filter(|file| belongs(&file.path)).collect();
    let has = |name: &str| files.iter().any(|file| file.path == name);
    if !has("config.json") {
        return Err(StoreError::NotAtSource("a GGUF file or config.json".to_owned()));
    }
    if !has("tokenizer.json") {
        return Err(StoreError::NotAtSource("tokenizer.json".to_owned()));
    }
    if !files.iter().any(|file| file.path.ends_with(".safetensors")) {
        return Err(StoreError::NotAtSource("weights as safetensors".to_owned()));
    }
    Ok(files)
}

fn belongs(path: &str) -> bool {
    is_kept(path)
        && is_file_path(path)
        && !OTHER_FORMATS.iter().any(|folder| path.starts_with(folder))
        && !path.starts_with(OTHER_WEIGHTS)
        && (!path.contains('/') || path.ends_with(".json"))
}

fn choose_gguf(files: Vec<RemoteFile>, wanted: &str) -> Result<Vec<RemoteFile>, StoreError> {
    let (projectors, models): (Vec<RemoteFile>, Vec<RemoteFile>) =
        files.into_iter().partition(|file| base_name(&file.path).to_ascii_lowercase().contains("mmproj"));
    let of_kind = |kind: &str| models.iter().find(|file| is_of_kind(&file.path, kind));
    let first = if wanted == LATEST {
        USUAL_KINDS.iter().find_map(|kind| of_kind(kind)).or(models.first())
    } else {
        models.iter().find(|file| base_name(&file.path) == wanted).or_else(|| of_kind(wanted))
    };
    let Some(first) = first else {
        let names: Vec<&str> = models.iter().map(|file| base_name(&file.path)).take(20).collect();
        return Err(StoreError::NotAtSource(format!("a file for {wanted:?}, but {}", names.join(", "))));
    };
    let stem = split_stem(&first.path).map(str::to_owned);
    let mut chosen: Vec<RemoteFile> = models
        .iter()
        .filter(|file| match &stem {
            Some(stem) => split_stem(&file.path) == Some(stem),
            None => file.path == first.path,
        })
        .map(|file| {
            // Parts must keep the numbers in their names; one file is called alike in every model.
            let name = base_name(&file.path);
            let path = if stem.is_some() { name.to_owned() } else { "model.gguf".to_owned() };
            RemoteFile { path, role: Role::Model, ..file.clone() }
        })
        .collect();
    let projector = projectors.iter().find(|file| is_of_kind(&file.path, "F16")).or(projectors.first());
    chosen.extend(projector.map(|file| RemoteFile {
        path: "mmproj.gguf".to_owned(),
        role: Role::Projector,
        ..file.clone()
    }));
    Ok(chosen)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What the parts of one file have in common: `x` of `x-00001-of-00002.gguf`.
fn split_stem(path: &str) -> Option<&str> {
    let (rest, _) = path.strip_suffix(".gguf")?.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    (number.len() == 5 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(stem)
}

/// Whether the name holds `kind` as a word: between signs, and not as a part of `IQ4_K_M`.
fn is_of_kind(path: &str, kind: &str) -> bool {
    let name = base_name(path).to_ascii_lowercase();
    let kind = kind.to_ascii_lowercase();
    let is_edge = |byte: Option<u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'_');
    name.match_indices(&kind).any(|(start, _)| {
        let bytes = name.as_bytes();
        is_edge(start.checked_sub(1).map(|before| bytes[before]))
            && is_edge(bytes.get(start + kind.len()).copied())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn listing(paths: &[&str]) -> Vec<RemoteFile> {
        paths.iter().map(|path| RemoteFile::new(path, String::new(), 1, None)).collect()
    }

    fn chosen(paths: &[&str], wanted: &str) -> Vec<String> {
        choose(listing(paths), wanted).unwrap().into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn the_kind_that_is_asked_for_is_taken() {
        let files = ["m-IQ4_K_M.gguf", "m-Q8_0.gguf", "m-q4_k_m.gguf", "mmproj-f16.gguf", "README.md"];
        assert_eq!(chosen(&files, "Q4_K_M"), ["model.gguf", "mmproj.gguf"]);
        let found = choose(listing(&["m-IQ4_K_M.gguf", "m-Q8_0.gguf"]), "Q8_0").unwrap();
        assert_eq!(found.len(), 1);
        assert!(choose(listing(&["m-IQ4_K_M.gguf"]), "Q4_K_M").is_err());
    }

    #[test]
    fn all_parts_of_a_split_file_are_taken() {
        let files =
            ["Q4_K_M/m-Q4_K_M-00001-of-00002.gguf", "Q4_K_M/m-Q4_K_M-00002-of-00002.gguf", "m-Q8_0.gguf"];
        let expected = ["m-Q4_K_M-00001-of-00002.gguf", "m-Q4_K_M-00002-of-00002.gguf"];
        assert_eq!(chosen(&files, "latest"), expected);
    }

    #[test]
    fn of_safetensors_what_engines_read_is_taken() {
        let files = [
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "1_Pooling/config.json",
            "modules.json",
            "onnx/config.json",
            "pytorch_model.bin",
            "consolidated.safetensors",
            "original/params.json",
            "../evil.json",
        ];
        let expected =
            ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json", "modules.json"];
        assert_eq!(chosen(&files, "latest"), expected);
        assert!(choose(listing(&["config.json", "model.safetensors"]), "latest").is_err());
    }
}
