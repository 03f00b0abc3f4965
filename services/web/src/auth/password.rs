//! Passwords: what is accepted, and how they are kept.

use anwen_contract::{ApiError, ErrorCode};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

/// Argon2id with 19 MiB and 4 passes: the memory of OWASP's first recommendation, with more passes, 50 to 100 ms
/// on a server's core. Hashes carry their parameters, so that these can be raised later.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 4;
const LANES: u32 = 1;

/// The fewest characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// The most characters of a password: hashing must not become work that anyone can order.
pub const MAX_PASSWORD_CHARS: usize = 256;

/// The passwords that attackers try first, among those that are long enough. Compared in lower case.
const COMMON_PASSWORDS: [&str; 20] = [
    "00000000",
    "11111111",
    "11223344",
    "12341234",
    "12345678",
    "123123123",
    "123456789",
    "1234567890",
    "1qaz2wsx",
    "66666666",
    "87654321",
    "88888888",
    "aaaaaaaa",
    "abcd1234",
    "iloveyou",
    "password",
    "password1",
    "qwer1234",
    "qwertyui",
    "qwertyuiop",
];

/// Whether a new password is good enough.
pub fn check_strength(password: &str, username: &str) -> Result<(), ApiError> {
    let weak = |message: String| Err(ApiError::new(ErrorCode::WeakPassword, message));
    let count = password.chars().count();
    if count < MIN_PASSWORD_CHARS {
        return weak(format!("the password needs at least {MIN_PASSWORD_CHARS} characters"));
    }
    if count > MAX_PASSWORD_CHARS {
        return Err(ApiError::invalid(format!("a password has at most {MAX_PASSWORD_CHARS} characters")));
    }
    let lower = password.to_lowercase();
    if COMMON_PASSWORDS.contains(&lower.as_str()) {
        return weak("this password is among the first that are guessed; choose another".to_owned());
    }
    if lower == username.to_lowercase() {
        return weak("the password must differ from the name".to_owned());
    }
    Ok(())
}

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("too many sign-ins are being checked; try again in a moment")]
    Busy,
    #[error("password hashing failed: {0}")]
    Hash(String),
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::new(ErrorCode::ServiceUnavailable, error.to_string()),
            PasswordError::Hash(_) => Self::internal(error),
        }
    }
}

/// Hashes and checks passwords off the asynchronous threads, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
    /// A hash that no password fits, so that an unknown name takes as long to refuse as a known one.
    decoy: Arc<str>,
}

impl Passwords {
    /// At most `concurrency` passwords are hashed at a time and `queue` wait; more are refused.
    pub fn new(concurrency: usize, queue: usize) -> Result<Self, PasswordError> {
        Ok(Self {
            running: Arc::new(Semaphore::new(concurrency.max(1))),
            waiting: Arc::default(),
            waiting_max: queue,
            decoy: hash_now("no one has this password")?.into(),
        })
    }

    /// The Argon2id hash of a password, in PHC format.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = canonical(password);
        self.work(move || hash_now(&password)).await?
    }

    /// Whether the password fits the hash. With no hash (an unknown name) it takes as long, and does not fit.
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        if password.chars().count() > MAX_PASSWORD_CHARS {
            return Ok(false);
        }
        let password = canonical(password);
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        let fits = self.work(move || fits_now(&password, &hash)).await??;
        Ok(known && fits)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = QueuePlace::take(&self.waiting, self.waiting_max).ok_or(PasswordError::Busy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        drop(place);
        let result = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        result.await.map_err(|cause| PasswordError::Hash(cause.to_string()))
    }
}

/// A place among those that wait, given back when dropped.
struct QueuePlace<'a>(&'a AtomicUsize);

impl<'a> QueuePlace<'a> {
    fn take(waiting: &'a AtomicUsize, max: usize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= max {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One spelling for what different keyboards send for the same password.
fn canonical(password: &str) -> String {
    password.nfkc().collect()
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|cause| PasswordError::Hash(cause.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String, PasswordError> {
    let hash: PasswordHash = argon2()?
        .hash_password(password.as_bytes())
        .map_err(|cause| PasswordError::Hash(cause.to_string()))?;
    Ok(hash.to_string())
}

fn fits_now(password: &str, hash: &str) -> Result<bool, PasswordError> {
    let hash = PasswordHash::new(hash).map_err(|cause| PasswordError::Hash(cause.to_string()))?;
    Ok(argon2()?.verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_borrowed_passwords_are_refused() {
        for (password, username, accepted) in [
            ("short", "li", false),
            ("12345678", "li", false),
            ("PassWord", "li", false),
            ("li.xiaoming", "Li.Xiaoming", false),
            ("correct horse", "li", true),
            ("安全的密码八个字", "li", true),
            (&"x".repeat(MAX_PASSWORD_CHARS + 1), "li", false),
        ] {
            assert_eq!(check_strength(password, username).is_ok(), accepted, "{password}");
        }
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_in_any_spelling_and_no_other() {
        let passwords = Passwords::new(2, 4).unwrap();
        let hash = passwords.hash("ｐass 密码").await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.fits("pass 密码", Some(&hash)).await.unwrap());
        assert!(!passwords.fits("pass 密碼", Some(&hash)).await.unwrap());
        assert!(!passwords.fits("no one has this password", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_refuses() {
        let passwords = Passwords::new(1, 0).unwrap();
        assert!(matches!(passwords.hash("password").await, Err(PasswordError::Busy)));
    }
}
