//! Setting a password from the server's own command line, for an administrator who is locked out.

use super::store::{self, UserStore};
use crate::audit::{AuditLog, Entry};
use crate::auth::{Passwords, check_strength};
use crate::names::name_key;
use crate::operator::command_line;
use anwen_contract::users::User;
use anwen_contract::{ApiError, Timestamp};
use anwen_platform::Database;

/// Sets the password of the user with this name, switches the account on, and ends its sessions. Earlier failed
/// sign-ins stop counting against the name.
pub async fn reset_password(db: &Database, username: &str, password: &str) -> Result<User, ApiError> {
    let found = UserStore::new(db.clone()).credentials(&name_key(username)).await?;
    let mut user = found.ok_or_else(|| ApiError::not_found("user"))?.user;
    check_strength(password, &user.username)?;
    let hash = Passwords::new(1, 1)?.hash(password).await?;
    let now = Timestamp::now();
    let mut transaction = db.begin_write().await?;
    let entry = Entry::new(command_line(), "user.password_reset", format!("user:{}", user.id));
    AuditLog::new(db.clone()).append(&mut transaction, &entry).await?;
    store::set_password(&mut transaction, user.id, &hash, now).await?;
    user.disabled = false;
    store::update(&mut transaction, &user).await?;
    store::end_sessions(&mut transaction, user.id).await?;
    transaction.commit().await?;
    Ok(user)
}
