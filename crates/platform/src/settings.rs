//! The sections of `anwen.toml` that services share.

use crate::config::{ConfigError, Settings};
use crate::db::PoolSettings;
use crate::telemetry::LogSettings;
use crate::token::InternalTokens;
use crate::trace::TraceSettings;
use serde::{Deserialize, Serialize};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use url::Url;
use uuid::Uuid;

/// `[server]`: where this process keeps things.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Everything that must survive: databases, originals, indexes, secrets. Relative to the working directory.
    pub data_dir: PathBuf,
    /// Models; `embedding/` below it is the bundled one.
    pub models_dir: PathBuf,
    /// Models that came with the program, in an image or a package; each gets a link in `models_dir` where no model
    /// has its name yet.
    pub bundled_models_dir: Option<PathBuf>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { data_dir: "data".into(), models_dir: "models".into(), bundled_models_dir: None }
    }
}

impl ServerSettings {
    /// Makes the links to the models that came with the program. A link follows the program's next version, which a
    /// copy on a volume would not.
    pub fn link_bundled_models(&self) -> io::Result<()> {
        let Some(bundled) = &self.bundled_models_dir else { return Ok(()) };
        std::fs::create_dir_all(&self.models_dir)?;
        for entry in std::fs::read_dir(bundled)? {
            let entry = entry?;
            match std::os::unix::fs::symlink(entry.path(), self.models_dir.join(entry.file_name())) {
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(cause),
                _ => {}
            }
        }
        Ok(())
    }
}

/// `[database]`: SQLite files under the data directory unless an address is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `postgres://…` or `sqlite:…` for users, chats and audit.
    pub web_url: Option<String>,
    /// `postgres://…` or `sqlite:…` for knowledge bases and documents. May be the same database.
    pub knowledge_url: Option<String>,
    pub pool: PoolSettings,
}

impl DatabaseSettings {
    /// The address of web's database.
    pub fn web_url(&self, data_dir: &Path) -> String {
        self.web_url.clone().unwrap_or_else(|| sqlite_url(data_dir, "web.db"))
    }

    /// The address of knowledge's database.
    pub fn knowledge_url(&self, data_dir: &Path) -> String {
        self.knowledge_url.clone().unwrap_or_else(|| sqlite_url(data_dir, "knowledge.db"))
    }
}

fn sqlite_url(data_dir: &Path, file: &str) -> String {
    format!("sqlite:{}", data_dir.join(file).display())
}

/// `[internal]`: what the services share among themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InternalSettings {
    /// Signs the tokens between services; at least 32 characters. Standalone makes one of its own.
    pub secret: Option<String>,
}

/// `[services]`: where the others are, when each runs in a process of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceUrls {
    pub knowledge: Url,
    pub model_runtime: Url,
    pub search_proxy: Url,
}

impl Default for ServiceUrls {
    fn default() -> Self {
        let at = |address: &str| {
            Url::parse(address).unwrap_or_else(|cause| unreachable!("a constant address: {cause}"))
        };
        Self {
            knowledge: at("http://127.0.0.1:8081/"),
            model_runtime: at("http://127.0.0.1:11434/"),
            search_proxy: at("http://127.0.0.1:8082/"),
        }
    }
}

/// The shared sections together.
#[derive(Debug, Clone)]
pub struct CommonSettings {
    pub server: ServerSettings,
    pub log: LogSettings,
    pub traces: TraceSettings,
    pub database: DatabaseSettings,
    pub internal: InternalSettings,
    pub services: ServiceUrls,
}

impl CommonSettings {
    pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            server: settings.section("server")?,
            log: settings.section("log")?,
            traces: settings.section("traces")?,
            database: settings.section("database")?,
            internal: settings.section("internal")?,
            services: settings.section("services")?,
        })
    }

    /// The signer of internal tokens, from the secret in the settings. A service that runs alone cannot make a
    /// secret up: the others would not know it.
    pub fn shared_tokens(&self) -> Result<InternalTokens, ConfigError> {
        let secret = self.internal.secret.as_deref().ok_or_else(|| ConfigError {
            key: "internal.secret".to_owned(),
            line: None,
            message: "must be set, the same for every service (make one with `openssl rand -hex 32`)"
                .to_owned(),
        })?;
        InternalTokens::new(secret.as_bytes()).map_err(|cause| ConfigError {
            key: "internal.secret".to_owned(),
            line: None,
            message: cause.to_string(),
        })
    }
}

/// Reads the secret in `path`, or makes one there that only this user can read.
pub fn secret_in_file(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(secret) if !secret.trim().is_empty() => return Ok(secret.trim().to_owned()),
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(cause),
    }
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    // Two version-4 UUIDs hold 244 random bits from the system's generator.
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    Ok(secret)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets/internal.key");
        let secret = secret_in_file(&path).unwrap();
        assert_eq!(secret.len(), 64);
        assert_eq!(secret_in_file(&path).unwrap(), secret);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn bundled_models_are_linked_beside_others_and_replace_none() {
        let folder = tempfile::tempdir().unwrap();
        let (bundled, models) = (folder.path().join("bundled"), folder.path().join("models"));
        for name in ["embedding", "reranker"] {
            std::fs::create_dir_all(bundled.join(name)).unwrap();
        }
        std::fs::create_dir_all(models.join("reranker/own")).unwrap();
        let settings = ServerSettings {
            models_dir: models.clone(),
            bundled_models_dir: Some(bundled.clone()),
            ..ServerSettings::default()
        };
        for _ in 0..2 {
            settings.link_bundled_models().unwrap();
            assert_eq!(std::fs::read_link(models.join("embedding")).unwrap(), bundled.join("embedding"));
            assert!(models.join("reranker/own").is_dir());
        }
    }

    #[test]
    fn the_default_addresses_are_the_documented_ones() {
        let urls = ServiceUrls::default();
        assert_eq!(urls.knowledge.as_str(), "http://127.0.0.1:8081/");
        assert_eq!(urls.model_runtime.as_str(), "http://127.0.0.1:11434/");
    }

    #[test]
    fn a_cluster_without_a_secret_is_told_so() {
        let settings = CommonSettings::read(&Settings::default()).unwrap();
        assert_eq!(settings.shared_tokens().err().unwrap().key, "internal.secret");
    }
}
