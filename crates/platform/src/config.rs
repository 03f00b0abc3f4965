//! One `anwen.toml`, read by every service; each key can be overridden by `ANWEN__SECTION__KEY`, or by
//! `ANWEN__SECTION__KEY_FILE`, which names a file that holds the value: how secrets reach a container.
//!
//! A service's part is a plain struct with defaults and `deny_unknown_fields`. An unknown key is an error that
//! names the nearest known one and the line.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The prefix of environment variables that override keys.
pub const ENV_PREFIX: &str = "ANWEN__";

/// What the name of a variable ends with that names a file instead of holding the value.
const FILE_SUFFIX: &str = "_file";
/// The most bytes of such a file: it holds one value, and a wrong path must not fill the memory.
const MAX_VALUE_FILE_BYTES: u64 = 64 * 1024;

/// The sections that any `anwen.toml` may have, whichever service reads it.
pub const SECTIONS: &[&str] = &[
    "server",
    "log",
    "traces",
    "database",
    "internal",
    "services",
    "web",
    "knowledge",
    "model_runtime",
    "search_proxy",
];

/// What is wrong with the settings, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Dotted path of the key, empty when the file as a whole is wrong.
    pub key: String,
    /// Line of the file, counted from 1, where it can be told.
    pub line: Option<usize>,
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

/// The settings file and the environment, before they are read into types.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    path: Option<PathBuf>,
    text: String,
    table: toml::Table,
    /// Section, keys below it, and the text of the value.
    overrides: Vec<(Vec<String>, String)>,
}

impl Settings {
    /// Reads `path` (or nothing) and the process's environment.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let text = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|cause| ConfigError {
                key: String::new(),
                line: None,
                message: format!("cannot read {}: {cause}", path.display()),
            })?,
        };
        let environment = std::env::vars().filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
        let mut settings = Self::parse(&text, &environment)?;
        settings.path = path.map(Path::to_owned);
        Ok(settings)
    }

    /// Reads the text of a settings file and a set of environment variables.
    pub fn parse(text: &str, environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let table: toml::Table = text.parse().map_err(|cause: toml::de::Error| ConfigError {
            key: String::new(),
            line: cause.span().map(|span| line_at(text, span.start)),
            message: cause.message().to_owned(),
        })?;
        let mut overrides = Vec::new();
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
            let keys: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
            check_section(&keys[0], None).map_err(|error| ConfigError { key: name.clone(), ..error })?;
            overrides.push((keys, value.clone()));
        }
        let settings = Self { path: None, text: text.to_owned(), table, overrides };
        for section in settings.table.keys() {
            check_section(section, settings.line_of(std::slice::from_ref(section)))?;
        }
        Ok(settings)
    }

    /// The file that was read, if there was one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// One section as its type: the defaults, then the file, then the environment.
    pub fn section<T>(&self, name: &str) -> Result<T, ConfigError>
    where
        T: DeserializeOwned + Serialize + Default,
    {
        let mut table = match self.table.get(name) {
            Some(toml::Value::Table(table)) => table.clone(),
            Some(_) => {
                return Err(ConfigError {
                    key: name.to_owned(),
                    line: self.line_of(&[name.to_owned()]),
                    message: "expected a section, as in `[section]`".to_owned(),
                });
            }
            None => toml::Table::new(),
        };
        for (keys, value) in self.overrides.iter().filter(|(keys, _)| keys[0] == name) {
            self.apply::<T>(&mut table, keys, value)?;
        }
        self.read(name, table)
    }

    /// Sets one key from the environment. A value is read as TOML where the key takes that, and as plain text
    /// otherwise, so that neither numbers nor passwords need quotes.
    fn apply<T: DeserializeOwned>(
        &self,
        table: &mut toml::Table,
        keys: &[String],
        text: &str,
    ) -> Result<(), ConfigError> {
        let typed = toml::from_str::<toml::Table>(&format!("value = {text}"))
            .ok()
            .and_then(|mut parsed| parsed.remove("value"));
        let mut as_text = table.clone();
        insert(&mut as_text, &keys[1..], toml::Value::String(text.to_owned()));
        if let Some(value) = typed {
            let mut as_value = table.clone();
            insert(&mut as_value, &keys[1..], value);
            if self.read::<T>(&keys[0], as_value.clone()).is_ok() {
                *table = as_value;
                return Ok(());
            }
        }
        let Err(error) = self.read::<T>(&keys[0], as_text.clone()) else {
            *table = as_text;
            return Ok(());
        };
        // Some keys end like this themselves, so the whole name is tried first.
        let refused = |message| ConfigError { key: variable(keys), line: None, message };
        match without_file_suffix(keys) {
            Some(keys) if unknown_key_message(&error.message) => {
                let value = value_in_file(Path::new(text)).map_err(refused)?;
                self.apply::<T>(table, &keys, &value)
            }
            _ => Err(refused(error.message)),
        }
    }

    fn read<T: DeserializeOwned>(&self, name: &str, table: toml::Table) -> Result<T, ConfigError> {
        serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|cause| {
            let mut keys = vec![name.to_owned()];
            keys.extend(cause.path().to_string().split('.').filter(|key| *key != ".").map(str::to_owned));
            let message = cause.inner().message().to_owned();
            let message = match unknown_field(&message) {
                Some((unknown, known)) => {
                    if keys.last() != Some(&unknown) {
                        keys.push(unknown.clone());
                    }
                    unknown_key(&unknown, &known)
                }
                None => message,
            };
            keys.retain(|key| !key.is_empty() && key != "?");
            ConfigError { line: self.line_of(&keys), key: keys.join("."), message }
        })
    }

    /// The line on which a key stands in the file.
    fn line_of(&self, keys: &[String]) -> Option<usize> {
        let document = toml_edit::Document::parse(self.text.as_str()).ok()?;
        let mut item = document.as_item();
        let mut position = None;
        for key in keys {
            let table = item.as_table_like()?;
            let Some((key, value)) = table.get_key_value(key) else { break };
            position = key.span().or(position);
            item = value;
        }
        position.map(|span| line_at(&self.text, span.start))
    }
}

/// The name and the known names in serde's message about an unknown field.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((unknown.to_owned(), known))
}

/// What the sentence about an unknown key begins with.
const UNKNOWN_KEY: &str = "unknown key; ";

/// The sentence about an unknown key.
fn unknown_key(unknown: &str, known: &[String]) -> String {
    match nearest(unknown, known.iter().map(String::as_str)) {
        Some(nearest) => format!("{UNKNOWN_KEY}the nearest known one is `{nearest}`"),
        None => format!("{UNKNOWN_KEY}this section has none"),
    }
}

fn unknown_key_message(message: &str) -> bool {
    message.starts_with(UNKNOWN_KEY)
}

/// The name of the variable that sets a key.
fn variable(keys: &[String]) -> String {
    format!("{ENV_PREFIX}{}", keys.join("__").to_uppercase())
}

fn without_file_suffix(keys: &[String]) -> Option<Vec<String>> {
    let (last, rest) = keys.split_last()?;
    let shorter = last.strip_suffix(FILE_SUFFIX).filter(|name| !name.is_empty())?;
    Some(rest.iter().cloned().chain([shorter.to_owned()]).collect())
}

/// The one value that a file holds, without the line's end.
fn value_in_file(path: &Path) -> Result<String, String> {
    let failed = |cause: std::io::Error| format!("cannot read {}: {cause}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_VALUE_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
    match text.trim() {
        "" => Err(format!("{} is empty; it has to hold the value", path.display())),
        value => Ok(value.to_owned()),
    }
}

fn check_section(section: &str, line: Option<usize>) -> Result<(), ConfigError> {
    if SECTIONS.contains(&section) {
        return Ok(());
    }
    let nearest = nearest(section, SECTIONS.iter().copied()).unwrap_or_default();
    Err(ConfigError {
        key: section.to_owned(),
        line,
        message: format!("unknown section; the nearest known one is `{nearest}`"),
    })
}

/// The known name that differs least from `name`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|candidate| strsim::damerau_levenshtein(name, candidate))
}

fn insert(table: &mut toml::Table, keys: &[String], value: toml::Value) {
    match keys {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let inner = table.entry(key.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Example {
        listen: String,
        max_upload_bytes: u64,
        secret: Option<String>,
        rules_file: Option<String>,
        limits: Limits,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Limits {
        pages: u32,
        names: Vec<String>,
    }

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let text = "[web]\nlisten = \"a\"\nmax_upload_bytes = 5\n[web.limits]\npages = 1\n";
        let variables = [
            ("ANWEN__WEB__LISTEN", "0.0.0.0:80"),
            ("ANWEN__WEB__SECRET", "1234"),
            ("ANWEN__WEB__LIMITS__PAGES", "9"),
            ("ANWEN__WEB__LIMITS__NAMES", "[\"x\"]"),
        ];
        let settings = Settings::parse(text, &environment(&variables)).unwrap();
        let section: Example = settings.section("web").unwrap();
        assert_eq!(section.listen, "0.0.0.0:80");
        assert_eq!(section.secret.as_deref(), Some("1234"));
        assert_eq!(section.max_upload_bytes, 5);
        assert_eq!(section.limits, Limits { pages: 9, names: vec!["x".into()] });
    }

    #[test]
    fn a_variable_that_ends_in_file_names_the_file_of_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "from the file\n").unwrap();
        let path = path.to_str().unwrap();
        let variables = [("ANWEN__WEB__SECRET_FILE", path), ("ANWEN__WEB__RULES_FILE", "kept as it is")];
        let settings = Settings::parse("", &environment(&variables)).unwrap();
        let section: Example = settings.section("web").unwrap();
        assert_eq!(section.secret.as_deref(), Some("from the file"));
        assert_eq!(section.rules_file.as_deref(), Some("kept as it is"));
    }

    #[test]
    fn a_file_of_a_value_that_is_missing_or_empty_is_an_error_that_names_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for content in [None, Some(" \n")] {
            content.iter().for_each(|content| std::fs::write(&path, content).unwrap());
            let variables = environment(&[("ANWEN__WEB__SECRET_FILE", path.to_str().unwrap())]);
            let error = Settings::parse("", &variables).unwrap().section::<Example>("web").unwrap_err();
            assert_eq!(error.key, "ANWEN__WEB__SECRET_FILE");
            assert!(error.message.contains(path.to_str().unwrap()), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one_and_its_line() {
        let text = "# comment\n[web]\nlisten = \"a\"\n\n[web.limits]\npagse = 1\n";
        let settings = Settings::parse(text, &BTreeMap::new()).unwrap();
        let error = settings.section::<Example>("web").unwrap_err();
        assert_eq!(error.line, Some(6));
        assert_eq!(error.key, "web.limits.pagse");
        assert!(error.message.contains("`pages`"), "{error}");
    }

    #[test]
    fn a_wrong_type_names_its_key_and_line() {
        let settings = Settings::parse("[web]\n\nmax_upload_bytes = \"big\"\n", &BTreeMap::new()).unwrap();
        let error = settings.section::<Example>("web").unwrap_err();
        assert_eq!((error.line, error.key.as_str()), (Some(3), "web.max_upload_bytes"));
    }

    #[test]
    fn unknown_sections_and_broken_files_are_refused() {
        let error = Settings::parse("[wbe]\n", &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("`web`") && error.line == Some(1), "{error}");
        let error = Settings::parse("[web]\nlisten = \n", &BTreeMap::new()).unwrap_err();
        assert_eq!(error.line, Some(2));
        let error = Settings::parse("", &environment(&[("ANWEN__KNOWLEGDE__X", "1")])).unwrap_err();
        assert!(error.to_string().contains("`knowledge`"), "{error}");
        let error = Settings::parse("", &environment(&[("ANWEN__WEB__LISTNE", "1")])).unwrap();
        let error = error.section::<Example>("web").unwrap_err();
        assert!(error.key == "ANWEN__WEB__LISTNE" && error.message.contains("`listen`"), "{error}");
    }
}
