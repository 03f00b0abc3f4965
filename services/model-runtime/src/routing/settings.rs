//! Virtual models, as the settings describe them.

use serde::{Deserialize, Serialize};

/// `[[model_runtime.routes]]`: a name whose requests other models answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSettings {
    /// The virtual model's name.
    pub name: String,
    /// Looked at in order; the first whose conditions all hold decides.
    #[serde(default)]
    pub rules: Vec<RuleSettings>,
    /// The model that answers when no rule holds.
    pub default: String,
}

/// A rule of a route.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// How answers name the rule.
    pub name: String,
    pub when: Conditions,
    /// The model that answers.
    pub model: String,
}

/// What must hold. What is left out holds always; without any condition a rule holds always.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    pub class: Option<Class>,
    /// Tokens from which a prompt counts as long, for the class `long_context`; 8000 when left out.
    pub long_from_tokens: Option<usize>,
    pub language: Option<Language>,
    /// The model of the route's default has more requests, running and waiting, than this many times what it runs at
    /// the same time.
    pub load_above: Option<f64>,
    /// The asker belongs to the group of this id.
    pub group: Option<String>,
    /// The question is near to one of these by the bundled embedding.
    pub examples: Vec<String>,
    /// How near, as a cosine; 0.6 when left out.
    pub nearness: Option<f32>,
}

/// What kind of task a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Code,
    LongContext,
    Picture,
    SmallTalk,
}

/// The language that a question is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    Zh,
    En,
}
