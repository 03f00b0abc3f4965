//! What the handlers share.

use crate::answer::Generations;
use crate::audit::AuditLog;
use crate::auth::{Passwords, SessionStore, Throttle, TrustedProxies};
use crate::chats::{ChatStore, MessageStore};
use crate::config::Config;
use crate::groups::GroupStore;
use crate::keys::KeyStore;
use crate::samples::SampleStore;
use crate::settings::SettingsStore;
use crate::setup::SetupToken;
use crate::users::UserStore;
use anwen_contract::client::{KnowledgeClient, ModelClient, SearchClient};
use anwen_platform::{Database, Shutdown};
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The service's parts.
pub struct App {
    pub config: Config,
    pub db: Database,
    pub shutdown: Shutdown,
    pub knowledge: KnowledgeClient,
    pub model: ModelClient,
    /// Absent where no search proxy is set up.
    pub search: Option<SearchClient>,
    pub trusted_proxies: TrustedProxies,
    pub setup_token: SetupToken,
    pub passwords: Passwords,
    pub throttle: Throttle,
    pub sessions: SessionStore,
    pub users: UserStore,
    pub groups: GroupStore,
    pub keys: KeyStore,
    pub chats: ChatStore,
    pub messages: MessageStore,
    pub audit: AuditLog,
    pub settings: SettingsStore,
    pub samples: SampleStore,
    pub generations: Generations,
    /// Held while a sample library is made.
    pub samples_turn: Mutex<()>,
}

/// A handle on the parts; clones share them.
#[derive(Clone)]
pub struct AppState(Arc<App>);

impl AppState {
    pub fn new(app: App) -> Self {
        Self(Arc::new(app))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}
