//! Knowledge bases: making, changing and deleting them, and who may do what with them.

pub mod routes;
pub mod store;

use crate::access::{Access, require_base, require_grants};
use crate::follow;
use crate::privacy;
use anwen_contract::knowledge::{
    CreateKnowledgeBase, Grant, KnowledgeBase, MAX_NAME_CHARS, UpdateKnowledgeBase,
};
use anwen_contract::{ApiError, ErrorCode, KnowledgeBaseId, Page, PageQuery, Principal, Role, Timestamp};
use anwen_platform::Database;
use std::collections::HashSet;

/// The most characters of a description.
const MAX_DESCRIPTION_CHARS: usize = 4_000;
/// The most grants of one knowledge base; larger circles are groups.
const MAX_GRANTS: usize = 1_000;

/// The languages that a knowledge base can be declared to be in.
const LANGUAGES: [&str; 3] = ["auto", "zh", "en"];

pub async fn list(
    database: &Database,
    access: &Access,
    page: &PageQuery,
) -> Result<Page<KnowledgeBase>, ApiError> {
    let after = crate::paging::cursor_id(page)?;
    let limit = page.bounded_limit();
    let mut connection = crate::store::reader(database).await?;
    let items = store::list(&mut connection, access, after, i64::from(limit) + 1).await?;
    Ok(Page::cut(items, limit, |base| base.id.to_string()))
}

pub async fn find(
    database: &Database,
    access: &Access,
    id: KnowledgeBaseId,
) -> Result<KnowledgeBase, ApiError> {
    let mut connection = crate::store::reader(database).await?;
    store::find(&mut connection, access, id).await?.ok_or_else(|| ApiError::not_found("knowledge base"))
}

/// Makes a knowledge base that its maker owns.
pub async fn create(
    database: &Database,
    access: &Access,
    embedding_model: &str,
    body: &CreateKnowledgeBase,
) -> Result<KnowledgeBase, ApiError> {
    if access.is_confined() {
        return Err(ApiError::forbidden(
            "this key is confined to certain knowledge bases and cannot make new ones",
        ));
    }
    let base = store::NewBase {
        id: KnowledgeBaseId::new(),
        name: checked_name(&body.name)?,
        description: checked_description(&body.description)?,
        language: checked_language(&body.language)?,
        embedding_model: embedding_model.to_owned(),
        chunk_profile: body.chunk_profile,
        created_by: access.user_id(),
        now: Timestamp::now(),
    };
    let mut transaction = database.begin_write().await?;
    refuse_taken_name(&mut transaction, access, &base.name, None).await?;
    store::insert(&mut transaction, &base).await?;
    let owner = Grant { principal: Principal::User(access.user_id()), role: Role::Owner };
    store::replace_grants(&mut transaction, base.id, &[owner]).await?;
    let made = store::find(&mut transaction, access, base.id).await?;
    transaction.commit().await?;
    made.ok_or_else(|| ApiError::internal("a knowledge base was not there right after it was made"))
}

pub async fn update(
    database: &Database,
    access: &Access,
    id: KnowledgeBaseId,
    body: UpdateKnowledgeBase,
) -> Result<KnowledgeBase, ApiError> {
    let change = UpdateKnowledgeBase {
        name: body.name.as_deref().map(checked_name).transpose()?,
        description: body.description.as_deref().map(checked_description).transpose()?,
        language: body.language.as_deref().map(checked_language).transpose()?,
        chunk_profile: body.chunk_profile,
        desensitisation: body.desensitisation.as_ref().map(privacy::checked).transpose()?,
    };
    let mut transaction = database.begin_write().await?;
    store::lock(&mut transaction, id).await?;
    require_base(&mut transaction, access, id, Role::Owner).await?;
    if let Some(policy) = &change.desensitisation
        && privacy::store::policy_of(&mut transaction, id).await?.as_ref() != Some(policy)
    {
        privacy::store::set_policy(&mut transaction, id, policy).await?;
    }
    if let Some(name) = &change.name {
        refuse_taken_name(&mut transaction, access, name, Some(id)).await?;
    }
    store::update(&mut transaction, id, &change, Timestamp::now()).await?;
    let changed = store::find(&mut transaction, access, id).await?;
    transaction.commit().await?;
    changed.ok_or_else(|| ApiError::not_found("knowledge base"))
}

/// Deletes a knowledge base: out of every answer when this returns, out of the indexes and from disk soon after.
pub async fn delete(database: &Database, access: &Access, id: KnowledgeBaseId) -> Result<(), ApiError> {
    let mut transaction = database.begin_write().await?;
    require_base(&mut transaction, access, id, Role::Owner).await?;
    let now = Timestamp::now();
    store::mark_deleted(&mut transaction, id, now).await?;
    follow::store::append(&mut transaction, &follow::Entry::DeleteBase { base: id }, now).await?;
    transaction.commit().await?;
    Ok(())
}

pub async fn grants(
    database: &Database,
    access: &Access,
    id: KnowledgeBaseId,
) -> Result<Vec<Grant>, ApiError> {
    let mut connection = crate::store::reader(database).await?;
    require_grants(&mut connection, access, id).await?;
    Ok(store::grants(&mut connection, id).await?)
}

/// Replaces who may do what.
///
/// # Errors
/// `last_owner` when nobody would own the knowledge base any more.
pub async fn set_grants(
    database: &Database,
    access: &Access,
    id: KnowledgeBaseId,
    grants: &[Grant],
) -> Result<Vec<Grant>, ApiError> {
    check_grants(grants)?;
    let mut transaction = database.begin_write().await?;
    store::lock(&mut transaction, id).await?;
    require_grants(&mut transaction, access, id).await?;
    store::replace_grants(&mut transaction, id, grants).await?;
    let now_granted = store::grants(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(now_granted)
}

fn check_grants(grants: &[Grant]) -> Result<(), ApiError> {
    if grants.len() > MAX_GRANTS {
        return Err(ApiError::invalid(format!("at most {MAX_GRANTS} grants; make a group instead")));
    }
    let mut named = HashSet::new();
    if let Some(twice) = grants.iter().find(|grant| !named.insert(grant.principal)) {
        return Err(ApiError::invalid(format!("{} is named twice", twice.principal)));
    }
    if !grants.iter().any(|grant| grant.role == Role::Owner) {
        return Err(ApiError::new(ErrorCode::LastOwner, "at least one owner must remain"));
    }
    Ok(())
}

async fn refuse_taken_name(
    connection: &mut crate::store::Connection,
    access: &Access,
    name: &str,
    except: Option<KnowledgeBaseId>,
) -> Result<(), ApiError> {
    if store::sees_name(connection, access, name, except).await? {
        return Err(ApiError::new(
            ErrorCode::NameTaken,
            "you have a knowledge base of this name; choose another",
        ));
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<String, ApiError> {
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        return Err(ApiError::invalid(format!("name: 1 to {MAX_NAME_CHARS} characters")));
    }
    Ok(name.to_owned())
}

fn checked_description(text: &str) -> Result<String, ApiError> {
    if text.chars().count() > MAX_DESCRIPTION_CHARS {
        return Err(ApiError::invalid(format!("description: at most {MAX_DESCRIPTION_CHARS} characters")));
    }
    // NUL is the one character that PostgreSQL's text does not hold.
    Ok(text.replace('\0', "").trim().to_owned())
}

fn checked_language(language: &str) -> Result<String, ApiError> {
    if !LANGUAGES.contains(&language) {
        return Err(ApiError::invalid(format!("language: one of {}", LANGUAGES.join(", "))));
    }
    Ok(language.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::UserId;

    #[test]
    fn grants_need_an_owner_and_name_each_principal_once() {
        let user = Principal::User(UserId::new());
        let grant = |principal, role| Grant { principal, role };
        let code = |grants: &[Grant]| check_grants(grants).err().map(|error| error.code);
        assert_eq!(code(&[grant(user, Role::Owner), grant(Principal::Everyone, Role::Viewer)]), None);
        assert_eq!(code(&[]), Some(ErrorCode::LastOwner));
        assert_eq!(code(&[grant(user, Role::Editor)]), Some(ErrorCode::LastOwner));
        assert_eq!(
            code(&[grant(user, Role::Owner), grant(user, Role::Viewer)]),
            Some(ErrorCode::InvalidRequest)
        );
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(checked_name(" Hand\u{0}book \n").ok().as_deref(), Some("Handbook"));
        for bad in ["", " \t ", &"x".repeat(MAX_NAME_CHARS + 1)] {
            assert!(checked_name(bad).is_err());
        }
        assert!(checked_language("fr").is_err());
    }
}
