//! What the files of an encoder say: its shape, how its vectors are pooled, what its scores mean.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// Files larger than this are no settings.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// How the vectors of a text's tokens become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The mean over the tokens, those that the tokenizer adds included.
    Mean,
    /// The first token's.
    Cls,
    /// The last token's.
    Last,
    /// The greatest number at each place.
    Max,
}

/// What an encoder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Embed {
        pooling: Pooling,
        normalize: bool,
    },
    Rerank {
        /// Scores are squeezed into 0 to 1, as sentence-transformers does with one label unless the model says
        /// otherwise; else they are the raw logits.
        sigmoid: bool,
    },
}

/// The families of shapes that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Bert,
    /// RoBERTa and XLM-R: positions are counted from the padding token's id on.
    Roberta,
}

/// An encoder as its files describe it.
#[derive(Debug)]
pub(super) struct EncoderSettings {
    pub config: Value,
    pub shape: Shape,
    pub purpose: Purpose,
    /// Tokens of a text that are read, those that the tokenizer adds included.
    pub max_tokens: usize,
    pub padding_id: u32,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// A JSON file of the folder; `None` when it is not there.
fn read(folder: &Path, name: &str) -> Result<Option<Value>, String> {
    let path = folder.join(name);
    let Ok(metadata) = std::fs::metadata(&path) else { return Ok(None) };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(format!("{name} is larger than {MAX_FILE_BYTES} bytes"));
    }
    let bytes = std::fs::read(&path).map_err(|cause| format!("cannot read {name}: {cause}"))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|cause| format!("{name} is not valid: {cause}"))
}

impl EncoderSettings {
    /// Reads `config.json`, and of sentence-transformers `modules.json`, the pooling and the longest text.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let config = read(folder, "config.json")?.ok_or("config.json is missing")?;
        let model_type = config["model_type"].as_str().unwrap_or_default();
        let shape = match model_type {
            "bert" => Shape::Bert,
            "xlm-roberta" | "roberta" | "camembert" => Shape::Roberta,
            other => return Err(format!("encoders of the type {other:?} are not supported")),
        };
        let padding_id = number(&config, "pad_token_id").unwrap_or(0);
        let positions =
            number(&config, "max_position_embeddings").ok_or("max_position_embeddings is missing")?;
        let positions = match shape {
            Shape::Bert => positions,
            Shape::Roberta => positions.saturating_sub(padding_id + 1),
        };
        let sentence = read(folder, "sentence_bert_config.json")?;
        let wanted = sentence.as_ref().and_then(|settings| number(settings, "max_seq_length"));
        let max_tokens = wanted.map_or(positions, |wanted| wanted.min(positions));
        let architecture = config["architectures"][0].as_str().unwrap_or_default();
        let purpose = if architecture.ends_with("ForSequenceClassification") {
            relevance(&config)?
        } else {
            embedding(folder)?
        };
        let padding_id = u32::try_from(padding_id).map_err(|cause| cause.to_string())?;
        Ok(Self { shape, purpose, max_tokens, padding_id, config })
    }
}

fn number(settings: &Value, key: &str) -> Option<usize> {
    settings[key].as_u64().and_then(|number| usize::try_from(number).ok())
}

fn relevance(config: &Value) -> Result<Purpose, String> {
    let labels = number(config, "num_labels")
        .or_else(|| config["id2label"].as_object().map(serde_json::Map::len))
        .unwrap_or(2);
    if labels != 1 {
        return Err(format!("it classifies into {labels} labels; a model that reranks has one"));
    }
    let activation = ["/sentence_transformers/activation_fn", "/sbert_ce_default_activation_function"]
        .iter()
        .find_map(|path| config.pointer(path))
        .and_then(Value::as_str);
    Ok(Purpose::Rerank { sigmoid: !activation.is_some_and(|name| name.ends_with("Identity")) })
}

fn embedding(folder: &Path) -> Result<Purpose, String> {
    let Some(modules) = read(folder, "modules.json")? else {
        // Without sentence-transformers' files its own default: the mean. Of length 1, which is what searches compare.
        return Ok(Purpose::Embed { pooling: Pooling::Mean, normalize: true });
    };
    let modules: Vec<Module> =
        serde_json::from_value(modules).map_err(|cause| format!("modules.json is not valid: {cause}"))?;
    let (mut pooling, mut normalize) = (Pooling::Mean, false);
    for module in modules {
        match module.kind.rsplit('.').next().unwrap_or_default() {
            "Transformer" => {}
            "Normalize" => normalize = true,
            "Pooling" => pooling = pooling_of(folder, &module.path)?,
            other => return Err(format!("modules of the type {other:?} are not supported")),
        }
    }
    Ok(Purpose::Embed { pooling, normalize })
}

fn pooling_of(folder: &Path, path: &str) -> Result<Pooling, String> {
    if path.split('/').any(|part| part == "..") || path.starts_with('/') {
        return Err(format!("modules.json names the folder {path:?} outside of the model"));
    }
    let settings =
        read(folder, &format!("{path}/config.json"))?.ok_or("the pooling's config.json is missing")?;
    let known = [
        ("pooling_mode_mean_tokens", Pooling::Mean),
        ("pooling_mode_cls_token", Pooling::Cls),
        ("pooling_mode_lasttoken", Pooling::Last),
        ("pooling_mode_max_tokens", Pooling::Max),
    ];
    let chosen: Vec<&str> = settings
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, value)| key.starts_with("pooling_mode_") && **value == Value::Bool(true))
        .map(|(key, _)| key.as_str())
        .collect();
    match chosen.as_slice() {
        [only] => known
            .iter()
            .find(|(key, _)| key == only)
            .map(|(_, pooling)| *pooling)
            .ok_or_else(|| format!("the pooling {only:?} is not supported")),
        _ => Err(format!("one pooling is supported, and this model has {chosen:?}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn folder(files: &[(&str, Value)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, contents) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, contents.to_string()).unwrap();
        }
        folder
    }

    fn config(more: Value) -> Value {
        let mut config = json!({
            "model_type": "xlm-roberta", "architectures": ["XLMRobertaModel"], "max_position_embeddings": 514,
            "pad_token_id": 1,
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    }

    #[test]
    fn positions_behind_the_padding_id_are_the_longest_text() {
        let folder = folder(&[("config.json", config(json!({})))]);
        let settings = EncoderSettings::read(folder.path()).unwrap();
        assert_eq!(settings.max_tokens, 512);
        assert_eq!(settings.purpose, Purpose::Embed { pooling: Pooling::Mean, normalize: true });
    }

    #[test]
    fn the_pooling_and_the_length_of_vectors_follow_the_modules() {
        let modules = json!([
            {"path": "", "type": "sentence_transformers.models.Transformer"},
            {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ]);
        let pooling = json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false});
        let folder = folder(&[
            ("config.json", config(json!({}))),
            ("modules.json", modules),
            ("1_Pooling/config.json", pooling),
            ("sentence_bert_config.json", json!({"max_seq_length": 256})),
        ]);
        let settings = EncoderSettings::read(folder.path()).unwrap();
        assert_eq!(settings.purpose, Purpose::Embed { pooling: Pooling::Cls, normalize: false });
        assert_eq!(settings.max_tokens, 256);
    }

    #[test]
    fn an_unknown_module_is_refused_by_its_name() {
        let modules = json!([{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]);
        let folder = folder(&[("config.json", config(json!({}))), ("modules.json", modules)]);
        assert!(EncoderSettings::read(folder.path()).unwrap_err().contains("Dense"));
    }

    #[test]
    fn scores_are_probabilities_unless_the_model_says_otherwise() {
        for (more, sigmoid) in [
            (json!({}), true),
            (json!({"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}), false),
        ] {
            let mut config = config(json!({
                "architectures": ["XLMRobertaForSequenceClassification"], "id2label": {"0": "LABEL_0"},
            }));
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let folder = folder(&[("config.json", config)]);
            assert_eq!(EncoderSettings::read(folder.path()).unwrap().purpose, Purpose::Rerank { sigmoid });
        }
    }

    #[test]
    fn a_classifier_of_several_labels_does_not_rerank() {
        let config = config(json!({
            "architectures": ["XLMRobertaForSequenceClassification"], "id2label": {"0": "no", "1": "yes"},
        }));
        let folder = folder(&[("config.json", config)]);
        assert!(EncoderSettings::read(folder.path()).unwrap_err().contains("2 labels"));
    }
}
