//! Who may do what, decided where the data lives.
//!
//! An [`Access`] is made from the signed internal token and from nothing else. Its principals are part of every
//! statement that reads or changes something, so that an object which the asker may not know of is simply not in
//! the result, exactly like one that does not exist.

pub mod store;

use crate::store::Connection;
use anwen_contract::{ApiError, Asker, DocumentId, KnowledgeBaseId, Role, UserId};
use std::collections::HashSet;

/// The asker as statements need it.
#[derive(Debug, Clone)]
pub struct Access {
    user_id: UserId,
    /// Texts of every principal whose grants apply.
    principals: Vec<String>,
    /// Knowledge bases that the request is confined to; `None` confines nothing.
    only: Option<HashSet<KnowledgeBaseId>>,
    is_admin: bool,
}

impl From<&Asker> for Access {
    fn from(asker: &Asker) -> Self {
        Self {
            user_id: asker.user_id,
            principals: asker.principals().iter().map(ToString::to_string).collect(),
            only: asker.only_knowledge_bases.as_ref().map(|ids| ids.iter().copied().collect()),
            is_admin: asker.is_admin,
        }
    }
}

impl Access {
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// Whether the request is confined to knowledge bases that do not include `id`.
    pub fn is_barred_from(&self, id: KnowledgeBaseId) -> bool {
        self.only.as_ref().is_some_and(|only| !only.contains(&id))
    }

    /// Whether the request is confined at all; what is confined makes no new knowledge bases.
    pub fn is_confined(&self) -> bool {
        self.only.is_some()
    }
}

/// The asker's role in a knowledge base, if that is at least `needed`.
///
/// # Errors
/// `not_found` when the asker may not know of it, `forbidden` when the role is too low.
pub async fn require_base(
    connection: &mut Connection,
    access: &Access,
    id: KnowledgeBaseId,
    needed: Role,
) -> Result<Role, ApiError> {
    let role = store::role_in(connection, access, id).await?;
    at_least(role.ok_or_else(|| ApiError::not_found("knowledge base"))?, needed)
}

/// The same for changing grants, which an administrator may do without a grant of his own.
pub async fn require_grants(
    connection: &mut Connection,
    access: &Access,
    id: KnowledgeBaseId,
) -> Result<(), ApiError> {
    if access.is_admin && !access.is_barred_from(id) && store::base_exists(connection, id).await? {
        return Ok(());
    }
    require_base(connection, access, id, Role::Owner).await.map(drop)
}

/// The knowledge base of a document in which the asker has at least the role `needed`.
///
/// # Errors
/// As [`require_base`].
pub async fn require_document(
    connection: &mut Connection,
    access: &Access,
    id: DocumentId,
    needed: Role,
) -> Result<KnowledgeBaseId, ApiError> {
    let found = store::role_in_base_of_document(connection, access, id).await?;
    let (base, role) = found.ok_or_else(|| ApiError::not_found("document"))?;
    at_least(role, needed).map(|_| base)
}

fn at_least(role: Role, needed: Role) -> Result<Role, ApiError> {
    if role >= needed {
        return Ok(role);
    }
    Err(ApiError::forbidden(format!("this needs the role {}; yours is {}", needed.as_str(), role.as_str())))
}
