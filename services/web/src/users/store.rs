//! Users in SQL.

use crate::names::name_key;
use crate::rows::{Columns as _, word_of};
use anwen_contract::users::{User, UserRole};
use anwen_contract::{GroupId, Page, Timestamp, UserId};
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction, placeholders};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// What a new user is made of.
pub struct NewUser<'a> {
    pub username: &'a str,
    pub display_name: &'a str,
    pub role: UserRole,
    pub password_hash: &'a str,
}

/// A user with what is needed to check the password.
pub struct Credentials {
    pub user: User,
    pub password_hash: String,
    pub password_changed_at: Timestamp,
}

/// Reading users.
#[derive(Clone)]
pub struct UserStore {
    db: Database,
}

impl UserStore {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// Whether there is any user.
    pub async fn any(&self) -> Result<bool, DbError> {
        let row = sqlx::query("SELECT id FROM users LIMIT 1").fetch_optional(self.db.pool()).await?;
        Ok(row.is_some())
    }

    pub async fn get(&self, id: UserId) -> Result<Option<User>, DbError> {
        let row = sqlx::query("SELECT * FROM users WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.db.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut user = user_from(&row)?;
        user.groups = groups_of(&self.db, id).await?;
        Ok(Some(user))
    }

    /// The administrator who was made first, of those who may sign in.
    pub async fn first_administrator(&self) -> Result<Option<User>, DbError> {
        let row = sqlx::query("SELECT * FROM users WHERE role = $1 AND disabled = 0 ORDER BY id LIMIT 1")
            .bind(word_of(&UserRole::Admin))
            .fetch_optional(self.db.pool())
            .await?;
        Ok(row.as_ref().map(user_from).transpose()?)
    }

    /// The user whose name compares equal, with the password's hash.
    pub async fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, DbError> {
        let row = sqlx::query("SELECT * FROM users WHERE username_key = $1")
            .bind(username_key)
            .fetch_optional(self.db.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut user = user_from(&row)?;
        user.groups = groups_of(&self.db, user.id).await?;
        Ok(Some(Credentials {
            user,
            password_hash: row.text("password_hash")?,
            password_changed_at: row.time("password_changed_at")?,
        }))
    }

    /// Users in the order in which they were made, after the one named by `after`.
    pub async fn list(&self, after: Option<UserId>, limit: u32) -> Result<Page<User>, DbError> {
        let rows = sqlx::query("SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.map(|id| id.to_string()).unwrap_or_default())
            .bind(i64::from(limit) + 1)
            .fetch_all(self.db.pool())
            .await?;
        let mut users = rows.iter().map(user_from).collect::<Result<Vec<_>, _>>()?;
        let mut groups = self.groups_of_many(&users).await?;
        for user in &mut users {
            user.groups = groups.remove(&user.id).unwrap_or_default();
        }
        Ok(Page::cut(users, limit, |user| user.id.to_string()))
    }

    /// Which of these users exist.
    pub async fn existing(&self, ids: &[UserId]) -> Result<Vec<UserId>, DbError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT id FROM users WHERE id IN ({})", placeholders(1, ids.len()));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for id in ids {
            query = query.bind(id.to_string());
        }
        let rows = query.fetch_all(self.db.pool()).await?;
        Ok(rows.iter().map(|row| row.parsed("id")).collect::<Result<_, _>>()?)
    }

    async fn groups_of_many(&self, users: &[User]) -> Result<HashMap<UserId, Vec<GroupId>>, DbError> {
        let mut groups: HashMap<UserId, Vec<GroupId>> = HashMap::new();
        if users.is_empty() {
            return Ok(groups);
        }
        let sql = format!(
            "SELECT user_id, group_id FROM group_members WHERE user_id IN ({}) ORDER BY group_id",
            placeholders(1, users.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for user in users {
            query = query.bind(user.id.to_string());
        }
        for row in query.fetch_all(self.db.pool()).await? {
            groups.entry(row.parsed("user_id")?).or_default().push(row.parsed("group_id")?);
        }
        Ok(groups)
    }
}

/// The groups that a user belongs to.
pub async fn groups_of(db: &Database, user: UserId) -> Result<Vec<GroupId>, DbError> {
    let rows = sqlx::query("SELECT group_id FROM group_members WHERE user_id = $1 ORDER BY group_id")
        .bind(user.to_string())
        .fetch_all(db.pool())
        .await?;
    Ok(rows.iter().map(|row| row.parsed("group_id")).collect::<Result<_, _>>()?)
}

/// A row of `users` (its groups are read apart).
pub fn user_from(row: &AnyRow) -> Result<User, sqlx::Error> {
    Ok(User {
        id: row.parsed("id")?,
        username: row.text("username")?,
        display_name: row.text("display_name")?,
        role: row.word("role")?,
        disabled: row.flag("disabled")?,
        groups: Vec::new(),
        created_at: row.time("created_at")?,
        last_login_at: row.maybe_time("last_login_at")?,
    })
}

/// Adds a user. A taken name is a unique violation.
pub async fn create(
    transaction: &mut WriteTransaction,
    new: &NewUser<'_>,
    now: Timestamp,
) -> Result<User, DbError> {
    let user = User {
        id: UserId::new(),
        username: new.username.to_owned(),
        display_name: new.display_name.to_owned(),
        role: new.role,
        disabled: false,
        groups: Vec::new(),
        created_at: now,
        last_login_at: None,
    };
    sqlx::query(
        "INSERT INTO users (id, username, username_key, display_name, role, disabled, password_hash,
                            password_changed_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $7)",
    )
    .bind(user.id.to_string())
    .bind(new.username)
    .bind(name_key(new.username))
    .bind(new.display_name)
    .bind(word_of(&new.role))
    .bind(new.password_hash)
    .bind(now.as_millis())
    .execute(&mut **transaction)
    .await?;
    Ok(user)
}

/// Whether there is any user, seen from inside a transaction that holds the writers' turn.
pub async fn any(transaction: &mut WriteTransaction) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT id FROM users LIMIT 1").fetch_optional(&mut **transaction).await?;
    Ok(row.is_some())
}

/// Writes the fields of `user` that an administrator may change.
pub async fn update(transaction: &mut WriteTransaction, user: &User) -> Result<(), DbError> {
    sqlx::query("UPDATE users SET display_name = $2, role = $3, disabled = $4 WHERE id = $1")
        .bind(user.id.to_string())
        .bind(user.display_name.as_str())
        .bind(word_of(&user.role))
        .bind(i64::from(user.disabled))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub async fn set_password(
    transaction: &mut WriteTransaction,
    user: UserId,
    password_hash: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("UPDATE users SET password_hash = $2, password_changed_at = $3 WHERE id = $1")
        .bind(user.to_string())
        .bind(password_hash)
        .bind(now.as_millis())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub async fn signed_in_at(
    transaction: &mut WriteTransaction,
    user: UserId,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("UPDATE users SET last_login_at = $2 WHERE id = $1")
        .bind(user.to_string())
        .bind(now.as_millis())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Removes a user with everything that is theirs alone: sessions, keys, chats.
pub async fn delete(transaction: &mut WriteTransaction, user: UserId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM users WHERE id = $1").bind(user.to_string()).execute(&mut **transaction).await?;
    Ok(())
}

/// Whether an administrator who can sign in remains besides `user`.
pub async fn another_admin(transaction: &mut WriteTransaction, user: UserId) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT id FROM users WHERE role = 'admin' AND disabled = 0 AND id <> $1 LIMIT 1")
        .bind(user.to_string())
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(row.is_some())
}

/// Ends every session of a user.
pub async fn end_sessions(transaction: &mut WriteTransaction, user: UserId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM sessions WHERE user_id = $1")
        .bind(user.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
