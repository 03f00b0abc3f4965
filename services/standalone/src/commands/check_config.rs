//! `anwen check-config`: every section read as its type, without starting anything.

use crate::cli::CommonArguments;
use crate::failure::Failure;
use crate::workplace::read_settings;
use anwen_platform::{CommonSettings, ConfigError, Settings};

/// Reads every section of the settings.
pub fn check(settings: &Settings) -> Result<(), ConfigError> {
    CommonSettings::read(settings)?;
    settings.section::<anwen_web::Config>("web")?;
    settings.section::<anwen_knowledge::Config>("knowledge")?;
    settings.section::<anwen_model_runtime::Config>("model_runtime")?;
    settings.section::<anwen_search_proxy::Config>("search_proxy")?;
    Ok(())
}

pub fn run(common: &CommonArguments) -> Result<(), Failure> {
    let settings = read_settings(common)?;
    check(&settings)?;
    let from = settings.path().map_or_else(|| "no file, defaults".to_owned(), |path| path.display().to_string());
    if common.json {
        println!("{}", serde_json::json!({"ok": true, "file": from}));
    } else {
        println!("the settings are good ({from})");
    }
    Ok(())
}
