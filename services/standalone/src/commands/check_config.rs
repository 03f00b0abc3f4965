//! `anwen check-config`: every section read as its type, without starting anything.

use crate::cli::{CheckConfigArguments, CommonArguments};
use crate::failure::Failure;
use crate::workplace::read_settings;
use anwen_platform::{CommonSettings, ConfigError, Settings};
use serde::Serialize;

/// Keys whose values are not shown.
const SECRET_KEYS: &[&str] = &[
    "secret",
    "setup_token",
    "server_api_key",
    "web_url",
    "knowledge_url",
    "hugging_face_token",
    "modelscope_token",
    "s3_secret_access_key",
    // Among `traces.headers`.
    "authorization",
    "x-api-key",
];

/// Every section as its type.
#[derive(Serialize)]
struct AllSettings {
    server: anwen_platform::settings::ServerSettings,
    log: anwen_platform::telemetry::LogSettings,
    traces: anwen_platform::trace::TraceSettings,
    database: anwen_platform::settings::DatabaseSettings,
    internal: anwen_platform::settings::InternalSettings,
    services: anwen_platform::settings::ServiceUrls,
    web: anwen_web::Config,
    knowledge: anwen_knowledge::Config,
    model_runtime: anwen_model_runtime::Config,
    search_proxy: anwen_search_proxy::Config,
}

fn read_all(settings: &Settings) -> Result<AllSettings, ConfigError> {
    let CommonSettings { server, log, traces, database, internal, services } =
        CommonSettings::read(settings)?;
    Ok(AllSettings {
        server,
        log,
        traces,
        database,
        internal,
        services,
        web: settings.section("web")?,
        knowledge: settings.section("knowledge")?,
        model_runtime: settings.section("model_runtime")?,
        search_proxy: settings.section("search_proxy")?,
    })
}

/// Reads every section of the settings.
pub fn check(settings: &Settings) -> Result<(), ConfigError> {
    read_all(settings).map(|_| ())
}

pub fn run(common: &CommonArguments, arguments: &CheckConfigArguments) -> Result<(), Failure> {
    let settings = read_settings(common)?;
    let all = read_all(&settings)?;
    if arguments.show {
        let mut table = toml::Table::try_from(&all).map_err(anyhow::Error::from)?;
        hide_secrets(&mut table);
        print!("{}", toml::to_string(&table).map_err(anyhow::Error::from)?);
        return Ok(());
    }
    let from =
        settings.path().map_or_else(|| "no file, defaults".to_owned(), |path| path.display().to_string());
    if common.json {
        println!("{}", serde_json::json!({"ok": true, "file": from}));
    } else {
        println!("the settings are good ({from})");
    }
    Ok(())
}

fn hide_secrets(table: &mut toml::Table) {
    for (key, value) in table.iter_mut() {
        match value {
            toml::Value::Table(inner) => hide_secrets(inner),
            toml::Value::String(text) if !text.is_empty() && SECRET_KEYS.contains(&key.as_str()) => {
                *value = toml::Value::String("(set)".to_owned());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let mut table: toml::Table =
            "[internal]\nsecret = \"s3cret\"\n[log]\nlevel = \"info\"\n".parse().unwrap();
        hide_secrets(&mut table);
        let text = toml::to_string(&table).unwrap();
        assert!(!text.contains("s3cret") && text.contains("info"), "{text}");
    }
}
