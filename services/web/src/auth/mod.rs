//! Who a request comes from: sessions by cookie, API keys by bearer token, and what each may do.

mod address;
mod cookies;
mod handlers;
mod login;
mod password;
mod proof;
mod signed_in;
mod store;
mod throttle;

pub use address::TrustedProxies;
pub use cookies::SESSION_COOKIE;
pub use handlers::routes;
pub use login::begin_session;
pub use password::{PasswordError, Passwords, check_strength};
pub use proof::{Token, same_secret, sha256_hex};
pub use signed_in::{Administrator, InPerson, KEY_PREFIX, Reader, SignedIn, Writer, rank};
pub use store::{SessionLife, SessionStore};
pub use throttle::{Throttle, ThrottleLimits};
