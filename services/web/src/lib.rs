//! The web service: users, sessions and keys, chats and their answers, the public interface to the other services,
//! and the pages themselves.
//!
//! Folders say the domain. SQL stands in `store` modules only; who may see which knowledge base is decided by the
//! knowledge service, from the signed token that every call carries.

mod answer;
mod app;
mod audit;
mod auth;
mod chats;
mod compat;
mod config;
mod groups;
mod keys;
mod models;
mod names;
mod openapi;
mod operator;
mod paging;
mod relay;
mod routes;
mod rows;
mod samples;
mod settings;
mod setup;
mod snippets;
#[cfg(test)]
mod tests;
mod ui;
mod usage;
mod users;
mod web_search;

pub use audit::{AuditLog, BrokenChain, Verification};
pub use config::{AnswerConfig, AuthConfig, Config, LimitsConfig};
pub use operator::{TemporaryKey, create_first_administrator, temporary_key, withdraw_key};
pub use routes::{Route, openapi_text, routes};
pub use users::reset::reset_password;

use answer::{GenerationLimits, Generations, sweep_abandoned};
use anwen_contract::ApiError;
use anwen_contract::client::{KnowledgeClient, ModelClient, SearchClient, ServiceClient};
use anwen_platform::db::{Migration, Migrations};
use anwen_platform::http::{ReadyCheck, Scaffold};
use anwen_platform::{Database, DbError, Shutdown};
use app::{App, AppState};
use auth::{SessionLife, Throttle, ThrottleLimits, TrustedProxies};
use axum::Router;
use setup::SetupToken;
use std::time::Duration;

/// The name of this service in logs, metrics and the table of migrations.
pub const SERVICE: &str = "web";
/// Sets the set-up token; the setting `web.setup_token` does too.
pub const SETUP_TOKEN_VARIABLE: &str = "ANWEN_SETUP_TOKEN";
/// How long a readiness check waits for another service.
const READY_DEADLINE: Duration = Duration::from_secs(2);
/// How often a process that ends looks whether answers are still written.
const IDLE_POLL: Duration = Duration::from_millis(100);

/// The history of this service's tables.
pub const MIGRATIONS: Migrations = Migrations {
    sqlite: &[Migration {
        version: 1,
        name: "web",
        sql: include_str!("../../../migrations/web/sqlite/0001_web.sql"),
    }],
    postgres: &[Migration {
        version: 1,
        name: "web",
        sql: include_str!("../../../migrations/web/postgres/0001_web.sql"),
    }],
};

/// What the service needs from its surroundings.
pub struct Dependencies {
    /// Migrated up to `MIGRATIONS`.
    pub db: Database,
    pub knowledge: KnowledgeClient,
    pub model: ModelClient,
    /// `None` where no search proxy is set up: web search is then off.
    pub search: Option<SearchClient>,
    pub shutdown: Shutdown,
}

/// The service, ready to be served.
pub struct Service {
    pub router: Router,
    app: AppState,
}

impl Service {
    /// Returns when no answer is being written any more, or after `web.answer.finish_seconds`. Requests are served
    /// meanwhile: who rolls replicas sends no new ones by then.
    pub async fn answers_finished(&self) {
        let longest = Duration::from_secs(self.app.config.answer.finish_seconds);
        let finished = async {
            while !self.app.generations.is_idle() {
                tokio::time::sleep(IDLE_POLL).await;
            }
        };
        if tokio::time::timeout(longest, finished).await.is_err() {
            tracing::warn!("answers that are not finished are cut off");
        }
    }
}

/// Why the service could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{}", .0.message)]
    Settings(ApiError),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("the system gives no randomness: {0}")]
    Randomness(String),
    #[error(transparent)]
    Passwords(#[from] auth::PasswordError),
}

/// Puts the service together and starts its background work on `dependencies.shutdown`.
pub async fn build(config: Config, dependencies: Dependencies) -> Result<Service, BuildError> {
    let from_environment = std::env::var(SETUP_TOKEN_VARIABLE).unwrap_or_default();
    let configured =
        if config.setup_token.is_empty() { from_environment } else { config.setup_token.clone() };
    let setup_token = SetupToken::for_listener(&config.listen, &configured)
        .map_err(|cause| BuildError::Randomness(cause.to_string()))?;
    let app = assemble(config, dependencies, setup_token)?;
    if !app.users.any().await? {
        announce_setup(&app, configured.is_empty());
    }
    app.shutdown.spawn(sweep_abandoned(app.clone()));
    let checks = ready_checks(&app);
    let router = Scaffold::new(SERVICE).ready(checks).wrap_with_fallback(routes::router(app.clone()));
    Ok(Service { router, app })
}

fn assemble(
    config: Config,
    dependencies: Dependencies,
    setup_token: SetupToken,
) -> Result<AppState, BuildError> {
    let Dependencies { db, knowledge, model, search, shutdown } = dependencies;
    let auth = &config.auth;
    let life = SessionLife {
        idle_ms: i64::from(auth.session_idle_hours) * 3_600_000,
        max_ms: i64::from(auth.session_max_days) * 86_400_000,
    };
    let throttle = ThrottleLimits {
        window_ms: i64::from(auth.login_window_seconds) * 1_000,
        per_name: auth.login_failures_per_name,
        per_address: auth.login_failures_per_address,
        tracked_max: auth.login_tracked_max,
    };
    let generations = GenerationLimits {
        running_max: config.answer.running_max,
        running_per_user_max: config.answer.running_per_user_max,
    };
    Ok(AppState::new(App {
        trusted_proxies: TrustedProxies::parse(&config.trusted_proxies).map_err(BuildError::Settings)?,
        setup_token,
        passwords: auth::Passwords::new(auth.password_hash_concurrency, auth.password_hash_queue)?,
        throttle: Throttle::new(throttle),
        sessions: auth::SessionStore::new(db.clone(), life),
        users: users::UserStore::new(db.clone()),
        groups: groups::GroupStore::new(db.clone()),
        keys: keys::KeyStore::new(db.clone()),
        chats: chats::ChatStore::new(db.clone()),
        messages: chats::MessageStore::new(db.clone()),
        audit: AuditLog::new(db.clone()),
        settings: settings::SettingsStore::new(db.clone()),
        samples: samples::SampleStore::new(db.clone()),
        generations: Generations::new(generations),
        samples_turn: tokio::sync::Mutex::default(),
        config,
        db,
        shutdown,
        knowledge,
        model,
        search,
    }))
}

/// Tells the operator how to make the first administrator.
fn announce_setup(app: &AppState, token_is_random: bool) {
    match &app.setup_token {
        SetupToken::NotNeeded => tracing::info!("no administrator yet: open the page to make one"),
        SetupToken::Needed(token) if token_is_random => {
            tracing::warn!(setup_token = %token, "no administrator yet: open the page and enter this set-up token");
        }
        SetupToken::Needed(_) => {
            tracing::warn!(
                "no administrator yet: open the page and enter the set-up token from the settings"
            );
        }
    }
}

/// The database, and the services without which no question is answered. The search proxy is not one of them.
fn ready_checks(app: &AppState) -> Vec<ReadyCheck> {
    let db = app.db.clone();
    let database = ReadyCheck::new("database", move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|cause| cause.to_string()) }
    });
    vec![
        database,
        service_check("knowledge", app.knowledge.service().clone()),
        service_check("model_runtime", app.model.service().clone()),
    ]
}

fn service_check(name: &'static str, client: ServiceClient) -> ReadyCheck {
    ReadyCheck::new(name, move || {
        let client = client.clone();
        async move {
            match client.is_ready(READY_DEADLINE).await {
                true => Ok(()),
                false => Err("not ready, or does not answer".to_owned()),
            }
        }
    })
}
