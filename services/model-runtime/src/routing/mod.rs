//! Virtual models: which real one answers a request, and why.
//!
//! Only what is cheap decides: the words, length, pictures and language of a request, its asker's groups, the queue of the
//! default model, and nearness to examples by the bundled embedding (microseconds).

mod features;
mod settings;

use std::sync::Arc;

use anwen_contract::model::RoutedNote;

pub use features::Features;
pub use settings::{Class, Conditions, Language, RouteSettings, RuleSettings};

use crate::engine::static_embedding::{StaticModel, StaticScratch};

/// Tokens from which a prompt is long when the rule does not say.
const LONG_FROM_TOKENS: usize = 8_000;
/// The cosine from which a question is near to an example when the rule does not say.
const NEARNESS: f32 = 0.6;
/// The rule's name when none held.
const DEFAULT_RULE: &str = "default";
/// Characters of a question that are compared with examples, and of an example that answers name.
const COMPARED_MAX_CHARS: usize = 2_000;
const NAMED_MAX_CHARS: usize = 40;

/// Every virtual model, its examples embedded.
#[derive(Default)]
pub struct Routes {
    routes: Vec<Route>,
    embedding: Option<Arc<StaticModel>>,
}

struct Route {
    settings: RouteSettings,
    /// For each rule, a vector of length 1 for each example; none without an embedding.
    examples: Vec<Vec<Vec<f32>>>,
}

/// What a rule may ask beside the features.
pub trait Surroundings {
    /// Requests at `model`, running and waiting, for each that it runs at the same time; 0 when it is not loaded.
    fn load_of(&self, model: &str) -> f64;
}

impl Routes {
    pub fn new(settings: &[RouteSettings], embedding: Option<Arc<StaticModel>>) -> Self {
        let mut scratch = StaticScratch::default();
        let mut embed = |text: &String| embedding.as_ref().map(|model| model.embed(text, &mut scratch));
        let routes = settings
            .iter()
            .map(|route| Route {
                examples: route
                    .rules
                    .iter()
                    .map(|rule| rule.when.examples.iter().filter_map(&mut embed).collect())
                    .collect(),
                settings: route.clone(),
            })
            .collect();
        Self { routes, embedding }
    }

    /// Whether `name` is a virtual model.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.settings.name.eq_ignore_ascii_case(name))
    }

    /// The model that answers for the virtual model `name`; `None` where there is no such.
    pub fn choose(
        &self,
        name: &str,
        features: &Features,
        surroundings: &impl Surroundings,
    ) -> Option<RoutedNote> {
        let route = self.find(name)?;
        let has_examples = route.examples.iter().any(|examples| !examples.is_empty());
        let question = match &self.embedding {
            Some(model) if has_examples => {
                let text: String = features.question.chars().take(COMPARED_MAX_CHARS).collect();
                model.embed(&text, &mut StaticScratch::default())
            }
            _ => Vec::new(),
        };
        for (rule, examples) in route.settings.rules.iter().zip(&route.examples) {
            let nearest = nearest(&question, examples);
            let load = surroundings.load_of(&route.settings.default);
            if let Some(why) = why(&rule.when, features, nearest, load) {
                return Some(RoutedNote { model: rule.model.clone(), rule: rule.name.clone(), why });
            }
        }
        let why = "no rule held".to_owned();
        Some(RoutedNote { model: route.settings.default.clone(), rule: DEFAULT_RULE.to_owned(), why })
    }
}

/// The index and the cosine of the nearest example; vectors have length 1.
fn nearest(question: &[f32], examples: &[Vec<f32>]) -> Option<(usize, f32)> {
    let cosine = |example: &Vec<f32>| question.iter().zip(example).map(|(a, b)| a * b).sum::<f32>();
    examples.iter().map(cosine).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
}

/// What of the request fulfils all conditions; `None` when one does not hold.
fn why(when: &Conditions, features: &Features, nearest: Option<(usize, f32)>, load: f64) -> Option<String> {
    let mut reasons = Vec::new();
    if let Some(class) = when.class {
        reasons.push(class_reason(class, when, features)?);
    }
    if let Some(language) = when.language {
        if features.language != Some(language) {
            return None;
        }
        reasons.push(match language {
            Language::Zh => "the question is in Chinese".to_owned(),
            Language::En => "the question is in English".to_owned(),
        });
    }
    if let Some(bound) = when.load_above {
        if load <= bound {
            return None;
        }
        reasons.push(format!("the default model has {load:.1} requests for each that it runs at once"));
    }
    if let Some(group) = &when.group {
        if !features.groups.contains(group) {
            return None;
        }
        reasons.push(format!("the asker belongs to {group}"));
    }
    if !when.examples.is_empty() {
        let (index, cosine) = nearest?;
        if cosine < when.nearness.unwrap_or(NEARNESS) {
            return None;
        }
        let example: String = when.examples.get(index)?.chars().take(NAMED_MAX_CHARS).collect();
        reasons.push(format!("nearness {cosine:.2} to {example:?}"));
    }
    if reasons.is_empty() {
        reasons.push("the rule has no conditions".to_owned());
    }
    Some(reasons.join("; "))
}

fn class_reason(class: Class, when: &Conditions, features: &Features) -> Option<String> {
    let long_from = when.long_from_tokens.unwrap_or(LONG_FROM_TOKENS);
    let (holds, reason) = match class {
        Class::Code => (features.is_code, "the question holds code".to_owned()),
        Class::LongContext => (
            features.tokens >= long_from,
            format!("the prompt has about {} tokens, {long_from} are long", features.tokens),
        ),
        Class::Picture => (features.has_pictures, "there is a picture".to_owned()),
        Class::SmallTalk => (features.is_small_talk, "it is a greeting or thanks".to_owned()),
    };
    holds.then_some(reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    struct Load(f64);

    impl Surroundings for Load {
        fn load_of(&self, model: &str) -> f64 {
            if model == "usual" { self.0 } else { 0.0 }
        }
    }

    fn routes() -> Routes {
        let rule = |name: &str, when: Conditions| RuleSettings {
            name: name.into(),
            when,
            model: format!("for-{name}"),
        };
        let class = |class| Conditions { class: Some(class), ..Conditions::default() };
        let settings = RouteSettings {
            name: "auto".into(),
            rules: vec![
                rule("picture", class(Class::Picture)),
                rule("code", class(Class::Code)),
                rule("long", Conditions { long_from_tokens: Some(100), ..class(Class::LongContext) }),
                rule("talk", class(Class::SmallTalk)),
                rule(
                    "law",
                    Conditions {
                        group: Some("lawyers".into()),
                        language: Some(Language::Zh),
                        ..Conditions::default()
                    },
                ),
                rule("busy", Conditions { load_above: Some(2.0), ..Conditions::default() }),
            ],
            default: "usual".into(),
        };
        Routes::new(&[settings], None)
    }

    #[test]
    fn the_first_rule_that_holds_decides_and_says_why() {
        let plain = Features { question: "q".into(), tokens: 5, ..Features::default() };
        let lawyer = Features { groups: vec!["lawyers".into()], ..plain.clone() };
        for (features, load, rule) in [
            (Features { has_pictures: true, is_code: true, ..plain.clone() }, 0.0, "picture"),
            (Features { is_code: true, tokens: 500, ..plain.clone() }, 0.0, "code"),
            (Features { tokens: 100, ..plain.clone() }, 0.0, "long"),
            (Features { is_small_talk: true, ..plain.clone() }, 0.0, "talk"),
            (Features { language: Some(Language::Zh), ..lawyer.clone() }, 0.0, "law"),
            (Features { language: Some(Language::En), ..lawyer }, 0.0, "default"),
            (Features { language: Some(Language::Zh), ..plain.clone() }, 0.0, "default"),
            (plain.clone(), 2.5, "busy"),
            (plain, 2.0, "default"),
        ] {
            let chosen = routes().choose("auto", &features, &Load(load)).unwrap();
            assert_eq!(chosen.rule, rule, "{features:?}");
            let model = if rule == "default" { "usual".to_owned() } else { format!("for-{rule}") };
            assert_eq!(chosen.model, model);
            assert!(!chosen.why.is_empty());
        }
    }

    #[test]
    fn examples_decide_by_nearness() {
        let when = Conditions {
            examples: vec!["one".into(), "two".into()],
            nearness: Some(0.8),
            ..Conditions::default()
        };
        let features = Features::default();
        assert_eq!(why(&when, &features, Some((1, 0.9)), 0.0).unwrap(), "nearness 0.90 to \"two\"");
        assert_eq!(why(&when, &features, Some((1, 0.7)), 0.0), None);
        assert_eq!(why(&when, &features, None, 0.0), None, "without an embedding nothing is near");
        assert_eq!(nearest(&[1.0, 0.0], &[vec![0.0, 1.0], vec![0.6, 0.8]]), Some((1, 0.6)));
    }

    #[test]
    fn another_name_is_no_virtual_model() {
        assert!(routes().choose("usual", &Features::default(), &Load(0.0)).is_none());
        assert!(routes().has("AUTO") && !routes().has("usual"));
    }
}
