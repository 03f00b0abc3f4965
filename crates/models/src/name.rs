//! Names of models and of their files, as they may stand in requests and manifests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The tag of a name that gives none.
pub const LATEST: &str = "latest";
const MAX_PART_CHARS: usize = 128;
/// `host/namespace/name` and one more.
const MAX_PARTS: usize = 4;
/// Folders that a file of a model may lie in.
const MAX_FILE_DEPTH: usize = 4;
/// Ollama's own registry and namespace, which its names leave out.
const IMPLIED_PREFIXES: [&str; 2] = ["registry.ollama.ai/", "library/"];

/// `name[:tag]`, where the name may have parts: `hf.co/owner/repository:Q4_K_M`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelName {
    path: String,
    tag: String,
}

/// The text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name of a model; use letters, digits, '.', '_' and '-', parts divided by '/' and a tag after ':'"
)]
pub struct InvalidName(String);

impl ModelName {
    /// The parts before the tag.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn tag(&self) -> &str {
        &self.tag
    }

    pub fn parts(&self) -> Vec<&str> {
        self.path.split('/').collect()
    }

    /// With the tag, also `latest`.
    pub fn tagged(&self) -> String {
        format!("{}:{}", self.path, self.tag)
    }

    /// One folder's name. `+` and `@` stand in no part, so that two names never share one.
    pub(crate) fn folder(&self) -> String {
        format!("{}@{}", self.path.replace('/', "+"), self.tag)
    }

    pub(crate) fn of_folder(folder: &str) -> Option<Self> {
        let (path, tag) = folder.split_once('@')?;
        format!("{}:{tag}", path.replace('+', "/")).parse().ok()
    }
}

fn is_part(text: &str) -> bool {
    text.len() <= MAX_PART_CHARS
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Whether `path` names a file below a model's folder and nowhere else.
pub(crate) fn is_file_path(path: &str) -> bool {
    path != crate::manifest::MANIFEST_FILE
        && path.split('/').count() <= MAX_FILE_DEPTH
        && path.split('/').all(is_part)
}

impl FromStr for ModelName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName(text.chars().take(MAX_PART_CHARS).collect());
        let mut plain = text.trim();
        for prefix in IMPLIED_PREFIXES {
            plain = plain.strip_prefix(prefix).unwrap_or(plain);
        }
        let (path, tag) = match plain.rsplit_once(':') {
            Some((path, tag)) => (path, tag),
            None => (plain, LATEST),
        };
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() > MAX_PARTS || !parts.iter().all(|part| is_part(part)) || !is_part(tag) {
            return Err(invalid());
        }
        Ok(Self { path: path.to_owned(), tag: tag.to_owned() })
    }
}

/// Without the tag where it is `latest`.
impl fmt::Display for ModelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tag == LATEST { formatter.write_str(&self.path) } else { formatter.write_str(&self.tagged()) }
    }
}

/// `MAJOR.MINOR.PATCH`, with a word after `-` for one that is not final (semver.org, without build metadata).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SemanticVersion {
    pub numbers: [u32; 3],
    pub pre_release: Option<String>,
}

impl Default for SemanticVersion {
    fn default() -> Self {
        Self { numbers: [1, 0, 0], pre_release: None }
    }
}

impl SemanticVersion {
    /// The version after this one of a model whose settings changed and whose weights did not.
    pub fn next_minor(&self) -> Self {
        let [major, minor, _] = self.numbers;
        Self { numbers: [major, minor.saturating_add(1), 0], pre_release: None }
    }
}

impl FromStr for SemanticVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} is no version; write one as 1.2.3 or 1.2.3-beta");
        let (numbers, pre_release) = text.split_once('-').map_or((text, None), |(n, p)| (n, Some(p)));
        if pre_release.is_some_and(|word| !is_part(word)) {
            return Err(invalid());
        }
        let numbers: Vec<u32> = numbers
            .split('.')
            .map(|number| match number {
                "" => None,
                padded if padded.len() > 1 && padded.starts_with('0') => None,
                number => number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?,
            })
            .collect::<Option<_>>()
            .ok_or_else(invalid)?;
        let numbers: [u32; 3] = numbers.try_into().map_err(|_| invalid())?;
        Ok(Self { numbers, pre_release: pre_release.map(str::to_owned) })
    }
}

impl TryFrom<String> for SemanticVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<SemanticVersion> for String {
    fn from(version: SemanticVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for SemanticVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(formatter, "{major}.{minor}.{patch}")?;
        self.pre_release.as_ref().map_or(Ok(()), |word| write!(formatter, "-{word}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_have_a_folder_of_their_own() {
        for (text, shown, folder) in [
            ("qwen3", "qwen3", "qwen3@latest"),
            ("qwen3:latest", "qwen3", "qwen3@latest"),
            ("registry.ollama.ai/library/qwen3:0.6b", "qwen3:0.6b", "qwen3@0.6b"),
            ("hf.co/owner/repo-GGUF:Q4_K_M", "hf.co/owner/repo-GGUF:Q4_K_M", "hf.co+owner+repo-GGUF@Q4_K_M"),
        ] {
            let name: ModelName = text.parse().unwrap();
            assert_eq!((name.to_string().as_str(), name.folder().as_str()), (shown, folder));
            assert_eq!(ModelName::of_folder(folder), Some(name));
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "x".repeat(200);
        for text in [
            "",
            ":",
            "a:",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            "a/.b",
            "a:../b",
            "a\\b",
            "a b",
            "a\0",
            "a+b",
            "a@b",
            "http://a",
            "a:b:c",
            "é",
            "a/b/c/d/e",
            "-a",
            &long,
        ] {
            assert!(text.parse::<ModelName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn files_stay_inside_their_folder() {
        for path in ["model.gguf", "1_Pooling/config.json", "adapters/0/adapter_config.json"] {
            assert!(is_file_path(path), "{path}");
        }
        for path in
            ["", "/etc/passwd", "../x", "a/../../x", "a/./b", ".hidden", "manifest.json", "a\\b", "a/b/c/d/e"]
        {
            assert!(!is_file_path(path), "{path}");
        }
    }

    #[test]
    fn versions_are_three_numbers() {
        for text in ["0.0.0", "1.2.3", "10.20.30-beta.1"] {
            assert_eq!(text.parse::<SemanticVersion>().unwrap().to_string(), text);
        }
        for text in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "+1.2.3", "1.2.3-", "1.2.3-a/b"] {
            assert!(text.parse::<SemanticVersion>().is_err(), "{text}");
        }
    }
}
