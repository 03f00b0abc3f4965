//! What the operator of the machine may do without signing in, from the command line: whoever can write the data
//! directory can do so anyway. Each act stands in the audit log.

use crate::audit::{Actor, AuditLog, Entry};
use crate::auth::{KEY_PREFIX, Passwords, Token, sha256_hex};
use crate::keys::{KeyStore, prefix_of};
use crate::names::name_key;
use crate::setup::make_first_administrator;
use crate::users::store::UserStore;
use anwen_contract::users::{ApiKey, KeyScope, SetupRequest, User};
use anwen_contract::{ApiError, ApiKeyId, Timestamp, UserId};
use anwen_platform::Database;

/// The name under which a command's key and its acts appear.
const ACTOR: &str = "command-line";

/// A key that a command holds while it runs.
#[derive(Debug, Clone)]
pub struct TemporaryKey {
    pub id: ApiKeyId,
    pub user: UserId,
    pub secret: String,
}

/// The operator, as the audit log names them.
pub(crate) fn command_line() -> Actor {
    Actor { id: ACTOR.to_owned(), name: ACTOR.to_owned(), address: String::new() }
}

/// Makes the first administrator. Only while there is no user.
pub async fn create_first_administrator(
    db: &Database,
    username: &str,
    password: &str,
    display_name: &str,
) -> Result<User, ApiError> {
    let body = SetupRequest {
        username: username.to_owned(),
        password: password.to_owned(),
        display_name: display_name.to_owned(),
        setup_token: None,
    };
    make_first_administrator(db, &Passwords::new(1, 1)?, &body, command_line()).await
}

/// Makes a key of `username`, or of the first administrator, that ends by itself after `lifetime_ms`.
pub async fn temporary_key(
    db: &Database,
    username: Option<&str>,
    lifetime_ms: i64,
) -> Result<TemporaryKey, ApiError> {
    let users = UserStore::new(db.clone());
    let user = match username {
        Some(name) => users.credentials(&name_key(name)).await?.map(|found| found.user),
        None => users.first_administrator().await?,
    };
    let user =
        user.ok_or_else(|| ApiError::not_found("user; make one with `anwen setup`, or name another"))?;
    let now = Timestamp::now();
    let secret = format!("{KEY_PREFIX}{}", Token::random().map_err(ApiError::internal)?.as_str());
    let key = ApiKey {
        id: ApiKeyId::new(),
        name: ACTOR.to_owned(),
        prefix: prefix_of(&secret),
        scopes: vec![KeyScope::Write],
        knowledge_base_ids: None,
        created_at: now,
        expires_at: Some(now.plus_millis(lifetime_ms)),
        last_used_at: None,
    };
    let mut transaction = db.begin_write().await?;
    let entry = Entry::new(command_line(), "key.created", format!("key:{}", key.id));
    AuditLog::new(db.clone()).append(&mut transaction, &entry).await?;
    KeyStore::new(db.clone()).create(&mut transaction, user.id, &key, &sha256_hex(&secret)).await?;
    transaction.commit().await?;
    Ok(TemporaryKey { id: key.id, user: user.id, secret })
}

/// Withdraws a key that `temporary_key` made.
pub async fn withdraw_key(db: &Database, key: &TemporaryKey) -> Result<(), ApiError> {
    let mut transaction = db.begin_write().await?;
    let entry = Entry::new(command_line(), "key.deleted", format!("key:{}", key.id));
    AuditLog::new(db.clone()).append(&mut transaction, &entry).await?;
    KeyStore::new(db.clone()).delete(&mut transaction, key.user, key.id).await?;
    transaction.commit().await?;
    Ok(())
}
