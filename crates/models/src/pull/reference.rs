//! Which source a name to be pulled points to.

use std::str::FromStr;

use crate::error::StoreError;
use crate::name::ModelName;

const HUGGING_FACE_HOSTS: [&str; 2] = ["hf.co", "huggingface.co"];
const MODELSCOPE_HOSTS: [&str; 2] = ["modelscope.cn", "www.modelscope.cn"];
const OLLAMA_NAMESPACE: &str = "library";

/// A place that a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `owner/repository`, and which of its GGUF files.
    HuggingFace {
        repository: String,
        wanted: String,
    },
    ModelScope {
        repository: String,
        wanted: String,
    },
    /// `namespace/name` and tag.
    Ollama {
        repository: String,
        tag: String,
    },
    /// `s3://bucket/prefix`.
    S3 {
        url: String,
        wanted: String,
    },
}

/// What is to be pulled, and under which name it will be here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub place: Place,
    pub name: ModelName,
}

impl FromStr for Reference {
    type Err = StoreError;

    /// `name[:tag]` (Ollama's registry), `hf.co/owner/repository[:Q4_K_M]`, `modelscope.cn/owner/repository[:Q4_K_M]`,
    /// `s3://bucket/prefix`.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("s3://") {
            return of_s3(rest.trim_end_matches('/'));
        }
        let plain = text.strip_prefix("https://").unwrap_or(text);
        let name: ModelName = plain.parse()?;
        let parts = name.parts();
        let wanted = name.tag().to_owned();
        let place = match parts.as_slice() {
            [host, owner, repository] if HUGGING_FACE_HOSTS.contains(host) => {
                Place::HuggingFace { repository: format!("{owner}/{repository}"), wanted }
            }
            [host, owner, repository] if MODELSCOPE_HOSTS.contains(host) => {
                Place::ModelScope { repository: format!("{owner}/{repository}"), wanted }
            }
            [model] => Place::Ollama { repository: format!("{OLLAMA_NAMESPACE}/{model}"), tag: wanted },
            [namespace, model] if !namespace.contains('.') => {
                Place::Ollama { repository: format!("{namespace}/{model}"), tag: wanted }
            }
            _ => {
                return Err(StoreError::Invalid(format!(
                    "{text:?} names no source; write name:tag, hf.co/owner/repository:Q4_K_M, \
                     modelscope.cn/owner/repository or s3://bucket/prefix"
                )));
            }
        };
        Ok(Self { place, name })
    }
}

fn of_s3(rest: &str) -> Result<Reference, StoreError> {
    let (path, wanted) = rest.split_once(':').unwrap_or((rest, crate::name::LATEST));
    let last = path.rsplit('/').next().unwrap_or_default();
    let name: ModelName = format!("{last}:{wanted}").parse()?;
    if path.split('/').any(|part| part.is_empty() || part == "..") {
        return Err(StoreError::Invalid(format!("s3://{rest} names no bucket and prefix")));
    }
    Ok(Reference { place: Place::S3 { url: format!("s3://{path}"), wanted: wanted.to_owned() }, name })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_point_to_their_source() {
        let of = |text: &str| text.parse::<Reference>().unwrap().place;
        let (repository, wanted) = ("o/r".to_owned(), "Q4_K_M".to_owned());
        assert_eq!(of("hf.co/o/r:Q4_K_M"), Place::HuggingFace { repository: repository.clone(), wanted });
        assert_eq!(of("modelscope.cn/o/r"), Place::ModelScope { repository, wanted: "latest".into() });
        assert_eq!(of("qwen3:8b"), Place::Ollama { repository: "library/qwen3".into(), tag: "8b".into() });
        assert_eq!(of("me/own"), Place::Ollama { repository: "me/own".into(), tag: "latest".into() });
        let s3 = Place::S3 { url: "s3://bucket/models/tiny".into(), wanted: "latest".into() };
        assert_eq!(of("s3://bucket/models/tiny/"), s3);
    }

    #[test]
    fn other_hosts_are_refused() {
        for text in ["evil.example/o/r", "hf.co/o", "http://hf.co/o/r", "s3://bucket/../x", "s3:///x", ""] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
