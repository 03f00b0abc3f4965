//! Who asks, and what a grant names.

use crate::ids::{GroupId, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Whom a grant names: `user:<id>`, `group:<id>` or `everyone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Principal {
    User(UserId),
    Group(GroupId),
    /// Every signed-in user.
    Everyone,
}

impl utoipa::PartialSchema for Principal {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("`user:<id>`, `group:<id>` or `everyone`"))
            .into()
    }
}

impl utoipa::ToSchema for Principal {}

/// The text named no principal.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not a principal: expected `user:<id>`, `group:<id>` or `everyone`")]
pub struct InvalidPrincipal;

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(formatter, "user:{id}"),
            Self::Group(id) => write!(formatter, "group:{id}"),
            Self::Everyone => formatter.write_str("everyone"),
        }
    }
}

impl FromStr for Principal {
    type Err = InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        if text == "everyone" {
            return Ok(Self::Everyone);
        }
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| InvalidPrincipal),
            Some(("group", id)) => id.parse().map(Self::Group).map_err(|_| InvalidPrincipal),
            _ => Err(InvalidPrincipal),
        }
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a principal may do with a knowledge base; each role includes the ones before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May ask and read.
    Viewer,
    /// May also upload, replace and delete documents.
    Editor,
    /// May also change the knowledge base itself and its grants.
    Owner,
}

impl Role {
    /// The text that stands in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "editor" => Ok(Self::Editor),
            "owner" => Ok(Self::Owner),
            _ => Err(InvalidPrincipal),
        }
    }
}

/// On whose behalf a request is made. It travels in the signed internal token, and the service that holds the
/// data decides from it; nothing else in a request says who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    pub user_id: UserId,
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// An administrator manages users and settings. It does not open knowledge bases: for that a grant is
    /// needed, which an administrator may give (and the audit log shows).
    #[serde(default)]
    pub is_admin: bool,
    /// Knowledge bases that the request is confined to (an API key's scope); `None` confines nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_knowledge_bases: Option<Vec<crate::ids::KnowledgeBaseId>>,
}

impl Asker {
    /// Every principal whose grants apply to this asker.
    pub fn principals(&self) -> Vec<Principal> {
        let mut principals = vec![Principal::User(self.user_id), Principal::Everyone];
        principals.extend(self.groups.iter().copied().map(Principal::Group));
        principals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_read_back_and_nonsense_is_refused() {
        for principal in
            [Principal::User(UserId::new()), Principal::Group(GroupId::new()), Principal::Everyone]
        {
            assert_eq!(principal.to_string().parse::<Principal>().ok(), Some(principal));
        }
        for text in ["", "user", "user:", "user:x", "role:admin", "Everyone"] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }

    #[test]
    fn roles_are_ordered() {
        assert!(Role::Owner > Role::Editor && Role::Editor > Role::Viewer);
    }
}
