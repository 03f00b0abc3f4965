//! What is told of a model.

use serde_json::{Map, Value};

use crate::files::{ModelFiles, Weights};
use crate::gguf::GgufHeader;
use crate::hugging_face::read_config;
use crate::modelfile::{Modelfile, parameter_lines};
use crate::store::Stored;

/// Everything that `/api/show` answers of the files and the manifest.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// From which the model could be made again.
    pub modelfile: String,
    /// `name value`, one a line.
    pub parameters: String,
    pub template: String,
    pub system: String,
    pub license: String,
    pub parent: String,
    /// The metadata of the GGUF file or the configuration, by name.
    pub info: Map<String, Value>,
    pub has_projector: bool,
    pub messages: Value,
}

/// Reads headers: call it where blocking is allowed. `stored` is absent for a model without a manifest.
pub fn show(files: &ModelFiles, stored: Option<&Stored>) -> Shown {
    let manifest = stored.map(|stored| &stored.manifest);
    let (info, own_template, own_license) = own_info(files);
    let set_template =
        manifest.and_then(|manifest| manifest.template.clone().or(manifest.go_template.clone()));
    let modelfile = Modelfile {
        from: files.name.clone(),
        parameters: files.settings.parameters.clone(),
        template: set_template.clone().or_else(|| own_template.clone()),
        system: files.settings.system.clone(),
        adapters: files.settings.adapters.iter().map(|path| path.display().to_string()).collect(),
        license: manifest.and_then(|manifest| manifest.license.clone()).or(own_license),
        messages: manifest.map(|manifest| manifest.messages.clone()).unwrap_or_default(),
    };
    Shown {
        parameters: parameter_lines(&files.settings.parameters).join("\n"),
        template: modelfile.template.clone().unwrap_or_default(),
        system: modelfile.system.clone().unwrap_or_default(),
        license: modelfile.license.clone().unwrap_or_default(),
        parent: manifest.and_then(|manifest| manifest.parents.first().cloned()).unwrap_or_default(),
        info,
        has_projector: files.settings.projector.is_some(),
        messages: serde_json::to_value(&modelfile.messages).unwrap_or_default(),
        modelfile: modelfile.to_text(),
    }
}

/// What the files say of themselves, with their template and licence.
fn own_info(files: &ModelFiles) -> (Map<String, Value>, Option<String>, Option<String>) {
    let Weights::Gguf { file } = &files.weights else {
        let folder = files.weights.path();
        let config = read_config(&folder.join("config.json")).unwrap_or_default();
        let tokenizer = read_config(&folder.join("tokenizer_config.json")).unwrap_or_default();
        let template = tokenizer["chat_template"].as_str().map(str::to_owned);
        return (of_config(&config), template, None);
    };
    let metadata = GgufHeader::metadata(file).unwrap_or_default();
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
    let (template, license) = (text("tokenizer.chat_template"), text("general.license"));
    let mut info = metadata;
    // The template is told by itself; it is long.
    info.remove("tokenizer.chat_template");
    (info, template, license)
}

/// A configuration under the names that GGUF has for the same numbers.
fn of_config(config: &Value) -> Map<String, Value> {
    let text = config.get("text_config").unwrap_or(config);
    let family = config["model_type"].as_str().unwrap_or_default();
    let mut info = Map::new();
    info.insert("general.architecture".to_owned(), Value::from(family));
    for (name, key) in [
        ("block_count", "num_hidden_layers"),
        ("context_length", "max_position_embeddings"),
        ("embedding_length", "hidden_size"),
        ("feed_forward_length", "intermediate_size"),
        ("attention.head_count", "num_attention_heads"),
        ("attention.head_count_kv", "num_key_value_heads"),
        ("vocab_size", "vocab_size"),
    ] {
        if let Some(number) = text[key].as_u64() {
            info.insert(format!("{family}.{name}"), Value::from(number));
        }
    }
    info
}
