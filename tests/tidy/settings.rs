//! `anwen.example.toml` and the settings that the services read say the same: each key of the example is known, with a
//! value of its type, and each key that has a default stands in the example.

use std::collections::{BTreeMap, BTreeSet};

use anwen_platform::{ConfigError, Settings};
use regex::Regex;
use serde::Serialize;

use crate::Violation;
use crate::repository::Repository;

const EXAMPLE: &str = "anwen.example.toml";

pub fn disagreements(repository: &Repository) -> Vec<Violation> {
    let Some(example) = repository.texts.iter().find(|file| file.path == EXAMPLE) else {
        return vec![Violation::new(EXAMPLE, 1, "missing")];
    };
    let text = uncommented(&example.text);
    let unknown = unknown_setting(&text)
        .map(|error| Violation::new(EXAMPLE, error.line.unwrap_or(1), error.to_string()));
    let undocumented = undocumented_settings(&text, &default_settings());
    let missing =
        undocumented.into_iter().map(|key| Violation::new(EXAMPLE, 1, format!("does not document {key}")));
    unknown.into_iter().chain(missing).collect()
}

/// The example with the settings that it shows as comments (`# key = value`, `# [section]`) switched on, line by line.
fn uncommented(text: &str) -> String {
    let setting = Regex::new(r"(?m)^#\s?([a-z][a-z0-9_]*\s*=\s*\S.*|\[[a-z_.]+\])$").unwrap();
    setting.replace_all(text, "$1").into_owned()
}

/// The first key that no service knows, or whose value no service takes.
fn unknown_setting(text: &str) -> Option<ConfigError> {
    let read = |settings: Settings| anwen::commands::check_config::check(&settings);
    Settings::parse(text, &BTreeMap::new()).and_then(read).err()
}

/// The dotted keys that a table of settings has and the text has not.
fn undocumented_settings(text: &str, settings: &toml::Table) -> Vec<String> {
    let documented = text.parse::<toml::Table>().map(|table| keys_of(&table)).unwrap_or_default();
    // A section whose keys have no defaults counts as documented when one of its keys is.
    let is_documented = |key: &String| {
        let inside = format!("{key}.");
        documented.contains(key) || documented.iter().any(|documented| documented.starts_with(&inside))
    };
    keys_of(settings).into_iter().filter(|key| !is_documented(key)).collect()
}

fn keys_of(table: &toml::Table) -> BTreeSet<String> {
    table
        .iter()
        .flat_map(|(key, value)| match value {
            // A table without keys is a setting itself: a map that is empty unless somebody fills it.
            toml::Value::Table(inner) if !inner.is_empty() => {
                keys_of(inner).into_iter().map(|rest| format!("{key}.{rest}")).collect()
            }
            _ => vec![key.clone()],
        })
        .collect()
}

/// What the services run with when nothing is set.
fn default_settings() -> toml::Table {
    fn section(name: &str, defaults: impl Serialize) -> (String, toml::Value) {
        (
            name.to_owned(),
            toml::Value::try_from(defaults).expect("settings are read from TOML, so they can be written"),
        )
    }
    use anwen_platform::{settings, telemetry, trace};

    [
        section("server", settings::ServerSettings::default()),
        section("log", telemetry::LogSettings::default()),
        section("traces", trace::TraceSettings::default()),
        section("database", settings::DatabaseSettings::default()),
        section("services", settings::ServiceUrls::default()),
        section("web", anwen_web::Config::default()),
        section("knowledge", anwen_knowledge::Config::default()),
        section("model_runtime", anwen_model_runtime::Config::default()),
        section("search_proxy", anwen_search_proxy::Config::default()),
    ]
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_nobody_reads_is_found_also_in_a_comment() {
        for text in [
            "[search_proxy]\nuser_agant = \"x\"",
            "[search_proxy]\n# How it is named.\n# user_agant = \"x\"",
            "# [web.lmits]",
        ] {
            assert!(unknown_setting(&uncommented(text)).is_some(), "{text}");
        }
        assert_eq!(
            unknown_setting(&uncommented(
                "[search_proxy]\n# The name = what sites see.\n# user_agent = \"x\""
            )),
            None
        );
    }

    #[test]
    fn a_key_without_documentation_is_found() {
        let settings = "[web]\nlisten = 'a'\n[web.auth]\nmax = 1\n[model.aliases]\n".parse().unwrap();
        let found = undocumented_settings(&uncommented("[web]\n# listen = 'b'\n"), &settings);
        assert_eq!(found, ["model.aliases", "web.auth.max"]);
    }
}
