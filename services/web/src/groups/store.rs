//! Groups and their members in SQL.

use crate::names::name_key;
use crate::rows::Columns as _;
use anwen_contract::users::Group;
use anwen_contract::{GroupId, Page, Timestamp, UserId};
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction, placeholders};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// Reading groups.
#[derive(Clone)]
pub struct GroupStore {
    db: Database,
}

impl GroupStore {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    pub async fn get(&self, id: GroupId) -> Result<Option<Group>, DbError> {
        let row = sqlx::query("SELECT * FROM user_groups WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.db.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut groups = vec![group_from(&row)?];
        self.add_members(&mut groups).await?;
        Ok(groups.pop())
    }

    /// Groups in the order in which they were made.
    pub async fn list(&self, after: Option<GroupId>, limit: u32) -> Result<Page<Group>, DbError> {
        let rows = sqlx::query("SELECT * FROM user_groups WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.map(|id| id.to_string()).unwrap_or_default())
            .bind(i64::from(limit) + 1)
            .fetch_all(self.db.pool())
            .await?;
        let mut groups = rows.iter().map(group_from).collect::<Result<Vec<_>, _>>()?;
        self.add_members(&mut groups).await?;
        Ok(Page::cut(groups, limit, |group| group.id.to_string()))
    }

    /// Which of these groups exist.
    pub async fn existing(&self, ids: &[GroupId]) -> Result<Vec<GroupId>, DbError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT id FROM user_groups WHERE id IN ({})", placeholders(1, ids.len()));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for id in ids {
            query = query.bind(id.to_string());
        }
        let rows = query.fetch_all(self.db.pool()).await?;
        Ok(rows.iter().map(|row| row.parsed("id")).collect::<Result<_, _>>()?)
    }

    async fn add_members(&self, groups: &mut [Group]) -> Result<(), DbError> {
        if groups.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT group_id, user_id FROM group_members WHERE group_id IN ({}) ORDER BY user_id",
            placeholders(1, groups.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for group in groups.iter() {
            query = query.bind(group.id.to_string());
        }
        let mut members: HashMap<GroupId, Vec<UserId>> = HashMap::new();
        for row in query.fetch_all(self.db.pool()).await? {
            members.entry(row.parsed("group_id")?).or_default().push(row.parsed("user_id")?);
        }
        for group in groups {
            group.members = members.remove(&group.id).unwrap_or_default();
        }
        Ok(())
    }
}

fn group_from(row: &AnyRow) -> Result<Group, sqlx::Error> {
    Ok(Group {
        id: row.parsed("id")?,
        name: row.text("name")?,
        description: row.text("description")?,
        members: Vec::new(),
        created_at: row.time("created_at")?,
    })
}

/// Adds a group. A taken name is a unique violation.
pub async fn create(
    transaction: &mut WriteTransaction,
    name: &str,
    description: &str,
    now: Timestamp,
) -> Result<Group, DbError> {
    let group = Group {
        id: GroupId::new(),
        name: name.to_owned(),
        description: description.to_owned(),
        members: Vec::new(),
        created_at: now,
    };
    sqlx::query(
        "INSERT INTO user_groups (id, name, name_key, description, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(group.id.to_string())
    .bind(name)
    .bind(name_key(name))
    .bind(description)
    .bind(now.as_millis())
    .execute(&mut **transaction)
    .await?;
    Ok(group)
}

/// Writes the name and description of `group`.
pub async fn update(transaction: &mut WriteTransaction, group: &Group) -> Result<(), DbError> {
    sqlx::query("UPDATE user_groups SET name = $2, name_key = $3, description = $4 WHERE id = $1")
        .bind(group.id.to_string())
        .bind(group.name.as_str())
        .bind(name_key(&group.name))
        .bind(group.description.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub async fn delete(transaction: &mut WriteTransaction, id: GroupId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM user_groups WHERE id = $1")
        .bind(id.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Adds a member; one who is in already stays.
pub async fn add_member(
    transaction: &mut WriteTransaction,
    group: GroupId,
    user: UserId,
) -> Result<(), DbError> {
    sqlx::query("INSERT INTO group_members (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(group.to_string())
        .bind(user.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub async fn remove_member(
    transaction: &mut WriteTransaction,
    group: GroupId,
    user: UserId,
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM group_members WHERE group_id = $1 AND user_id = $2")
        .bind(group.to_string())
        .bind(user.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
