//! Checking a name and a password, and beginning a session.

use super::address::ClientAddress;
use super::cookies;
use super::proof::{Token, sha256_hex};
use crate::app::AppState;
use crate::audit::{Actor, Entry};
use crate::names::name_key;
use crate::users::store;
use anwen_contract::users::{LoginRequest, User};
use anwen_contract::{ApiError, ErrorCode, Timestamp};
use axum_extra::extract::cookie::CookieJar;

/// The most characters of a name that is looked up.
const MAX_LOGIN_NAME_CHARS: usize = 200;

/// The user with this name and password. Failures are counted, audited, and not told apart.
pub async fn authenticate(
    app: &AppState,
    body: &LoginRequest,
    address: ClientAddress,
) -> Result<User, ApiError> {
    let now = Timestamp::now();
    let key = name_key(&body.username.chars().take(MAX_LOGIN_NAME_CHARS).collect::<String>());
    let found = app.users.credentials(&key).await?;
    let cleared_at = found.as_ref().map(|found| found.password_changed_at);
    if let Err(refusal) = app.throttle.check(&key, address.ip, cleared_at, now) {
        metrics::counter!("anwen_sign_ins_total", "result" => "throttled").increment(1);
        return Err(refusal);
    }
    let fits =
        app.passwords.fits(&body.password, found.as_ref().map(|found| found.password_hash.as_str())).await?;
    let Some(found) = found.filter(|_| fits) else {
        app.throttle.failed(&key, address.ip, now);
        metrics::counter!("anwen_sign_ins_total", "result" => "failed").increment(1);
        let actor = Actor { id: String::new(), name: key, address: address.text() };
        app.audit.record(&Entry::new(actor, "auth.login_failed", "")).await?;
        return Err(ApiError::new(ErrorCode::WrongCredentials, "the name or the password is wrong"));
    };
    if found.user.disabled {
        return Err(ApiError::new(
            ErrorCode::AccountDisabled,
            "this account is switched off; ask your administrator",
        ));
    }
    app.throttle.succeeded(&key);
    metrics::counter!("anwen_sign_ins_total", "result" => "succeeded").increment(1);
    Ok(found.user)
}

/// Begins a session for `user` and adds its cookies to `jar`.
pub async fn begin_session(
    app: &AppState,
    user: &User,
    address: ClientAddress,
    jar: CookieJar,
) -> Result<CookieJar, ApiError> {
    let now = Timestamp::now();
    let token = Token::random().map_err(ApiError::internal)?;
    let actor = Actor { id: user.id.to_string(), name: user.username.clone(), address: address.text() };
    let mut transaction = app.db.begin_write().await?;
    app.audit.append(&mut transaction, &Entry::new(actor, "auth.login", "")).await?;
    app.sessions.create(&mut transaction, user.id, &sha256_hex(token.as_str()), now).await?;
    store::signed_in_at(&mut transaction, user.id, now).await?;
    transaction.commit().await?;
    Ok(cookies::with_session(jar, &token, app.config.auth.session_max_days, address.secure))
}
