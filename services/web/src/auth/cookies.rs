//! The two cookies of a session.

use super::proof::{Token, csrf_token_of};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use time::Duration;

/// Holds the session's secret; scripts cannot read it.
pub const SESSION_COOKIE: &str = "anwen_session";
/// Holds the CSRF token; the page's script reads it and sends it back in `X-CSRF-Token`.
pub const CSRF_COOKIE: &str = "anwen_csrf";

fn cookie(name: &'static str, value: String, max_age: Duration, secure: bool) -> Cookie<'static> {
    Cookie::build((name, value)).path("/").same_site(SameSite::Lax).secure(secure).max_age(max_age).build()
}

/// Adds the cookies of a new session.
pub fn with_session(jar: CookieJar, token: &Token, max_days: u32, secure: bool) -> CookieJar {
    let max_age = Duration::days(i64::from(max_days));
    let mut session = cookie(SESSION_COOKIE, token.as_str().to_owned(), max_age, secure);
    session.set_http_only(true);
    jar.add(session).add(cookie(CSRF_COOKIE, csrf_token_of(token.as_str()), max_age, secure))
}

/// Takes the cookies away.
pub fn without_session(jar: CookieJar, secure: bool) -> CookieJar {
    let mut session = cookie(SESSION_COOKIE, String::new(), Duration::ZERO, secure);
    session.set_http_only(true);
    jar.add(session).add(cookie(CSRF_COOKIE, String::new(), Duration::ZERO, secure))
}
