//! What every command begins with: the settings, and the data directory that they name.

use crate::cli::CommonArguments;
use crate::data_dir::DataDir;
use crate::failure::Failure;
use anwen_contract::Timestamp;
use anwen_knowledge::ParseWorker;
use anwen_platform::db::Migrations;
use anwen_platform::{CommonSettings, Database, InternalTokens, Settings};
use std::path::{Path, PathBuf};

/// Below the data directory: copies of databases from before a migration.
const BACKUP_DIRECTORY: &str = "backups";
/// The settings file that is read when none is named and this one exists.
const DEFAULT_SETTINGS_FILE: &str = "anwen.toml";

/// Settings and data directory of one command.
pub struct Workplace {
    pub settings: Settings,
    pub common: CommonSettings,
    pub data: DataDir,
    /// The program that reads documents; this one when absent (tests run the services inside a test program,
    /// which cannot).
    pub parser: Option<ParseWorker>,
}

impl Workplace {
    /// Reads the settings and makes the data directory if it is absent.
    pub fn open(arguments: &CommonArguments) -> Result<Self, Failure> {
        let settings = read_settings(arguments)?;
        let common = CommonSettings::read(&settings)?;
        Self::with_settings(settings, common, arguments.data_dir.as_deref())
    }

    /// The same from settings that were read before.
    pub fn with_settings(
        settings: Settings,
        mut common: CommonSettings,
        data_dir: Option<&Path>,
    ) -> Result<Self, Failure> {
        let data = DataDir::open(data_dir.unwrap_or(&common.server.data_dir))?;
        common.server.data_dir = data.path().to_owned();
        common.server.models_dir = find_models(&common.server.models_dir);
        common.server.link_bundled_models()?;
        Ok(Self { settings, common, data, parser: None })
    }

    /// The signer of internal tokens: the secret in the settings, or the data directory's own.
    pub fn tokens(&self) -> Result<InternalTokens, Failure> {
        let secret = match &self.common.internal.secret {
            Some(secret) => secret.clone(),
            None => self.data.secret()?,
        };
        InternalTokens::new(secret.as_bytes())
            .map_err(|cause| Failure::new("invalid_config", cause.to_string()))
    }

    /// Web's database, brought to this version's schema.
    pub async fn web_database(&self) -> Result<Database, Failure> {
        let url = self.common.database.web_url(self.data.path());
        self.database(&url, anwen_web::SERVICE, &anwen_web::MIGRATIONS).await
    }

    /// Knowledge's database, brought to this version's schema.
    pub async fn knowledge_database(&self) -> Result<Database, Failure> {
        let url = self.common.database.knowledge_url(self.data.path());
        self.database(&url, anwen_knowledge::COMPONENT, &anwen_knowledge::MIGRATIONS).await
    }

    /// Opens a database and migrates it. One that holds data already is copied beside the data first.
    async fn database(
        &self,
        url: &str,
        component: &str,
        migrations: &Migrations,
    ) -> Result<Database, Failure> {
        let database = Database::open(url, &self.common.database.pool).await?;
        let pending = database.pending_migrations(component, migrations).await?;
        let is_new = pending.first() == Some(&1);
        if !pending.is_empty() && !is_new {
            let directory = self.data.path().join(BACKUP_DIRECTORY);
            std::fs::create_dir_all(&directory)?;
            let name = format!("{component}-{}.db", Timestamp::now().as_millis());
            database.copy_to(&directory.join(name)).await?;
        }
        database.migrate(component, migrations).await?;
        Ok(database)
    }
}

/// The settings named on the command line, or `anwen.toml` here, or none.
pub fn read_settings(arguments: &CommonArguments) -> Result<Settings, Failure> {
    let default = Path::new(DEFAULT_SETTINGS_FILE);
    let path = arguments.config.as_deref().or_else(|| default.is_file().then_some(default));
    Ok(Settings::load(path)?)
}

/// The models directory: as set when it exists, otherwise beside the program or where the program was built, so
/// that `anwen` works from any directory.
pub fn find_models(set: &Path) -> PathBuf {
    if set.is_dir() || set.is_absolute() {
        return set.to_owned();
    }
    let beside_program = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join(set)));
    let at_source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(set);
    [beside_program, at_source.canonicalize().ok()]
        .into_iter()
        .flatten()
        .find(|candidate| candidate.join("embedding").is_dir())
        .unwrap_or_else(|| set.to_owned())
}
