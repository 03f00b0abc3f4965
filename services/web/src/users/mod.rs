//! `/users`: what administrators do with accounts, and what people do with their own.

mod handlers;
pub mod reset;
pub mod store;

pub use handlers::{name_taken, routes};
pub use store::UserStore;

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{SignedIn, check_strength};
use crate::names::{MAX_LABEL_CHARS, checked_label};
use anwen_contract::users::{UpdateProfile, User};
use anwen_contract::{ApiError, ErrorCode, Timestamp};

/// Changes the caller's own shown name and password.
pub async fn update_own(app: &AppState, caller: &SignedIn, body: UpdateProfile) -> Result<User, ApiError> {
    let mut user = caller.user.clone();
    if let Some(display_name) = &body.display_name {
        user.display_name = checked_label(display_name, "display_name", MAX_LABEL_CHARS)?;
    }
    let password_hash = match &body.new_password {
        Some(password) => {
            Some(checked_new_password(app, caller, body.current_password.as_deref(), password).await?)
        }
        None => None,
    };
    let now = Timestamp::now();
    let mut transaction = app.db.begin_write().await?;
    if let Some(hash) = password_hash {
        let entry = Entry::new(caller.actor(), "user.password_changed", format!("user:{}", user.id));
        app.audit.append(&mut transaction, &entry).await?;
        store::set_password(&mut transaction, user.id, &hash, now).await?;
        app.sessions.delete_others(&mut transaction, user.id, caller.session()).await?;
    }
    store::update(&mut transaction, &user).await?;
    transaction.commit().await?;
    Ok(user)
}

/// The hash of a new password, when the present one is known and the throttle allows another try.
async fn checked_new_password(
    app: &AppState,
    caller: &SignedIn,
    current: Option<&str>,
    new: &str,
) -> Result<String, ApiError> {
    let key = crate::names::name_key(&caller.user.username);
    let now = Timestamp::now();
    let found = app.users.credentials(&key).await?.ok_or_else(|| ApiError::not_found("user"))?;
    app.throttle.check(&key, caller.address.ip, Some(found.password_changed_at), now)?;
    let current = current.unwrap_or_default();
    if !app.passwords.fits(current, Some(&found.password_hash)).await? {
        app.throttle.failed(&key, caller.address.ip, now);
        return Err(ApiError::new(ErrorCode::WrongCredentials, "the present password is wrong"));
    }
    check_strength(new, &caller.user.username)?;
    Ok(app.passwords.hash(new).await?)
}
