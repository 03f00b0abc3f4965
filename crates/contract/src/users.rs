//! Users, groups, sessions and keys in the public interface.

use crate::ids::{ApiKeyId, GroupId, KnowledgeBaseId, UserId};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer of `GET /setup`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SetupState {
    /// Whether the first administrator is still to be made.
    pub needed: bool,
    /// Whether `setup_token` must be sent with it.
    #[serde(default)]
    pub token_required: bool,
}

/// The body of `POST /setup`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SetupRequest {
    pub username: String,
    pub password: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_token: Option<String>,
}

/// The body of `POST /auth/login`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LoginRequest {
    pub username: String,
    pub password: String,
}

/// What a user may do in the whole of the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    Admin,
    User,
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub display_name: String,
    pub role: UserRole,
    pub disabled: bool,
    pub groups: Vec<GroupId>,
    pub created_at: Timestamp,
    #[serde(default)]
    pub last_login_at: Option<Timestamp>,
}

/// The body of `POST /users`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateUser {
    pub username: String,
    pub password: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub role: Option<UserRole>,
}

/// The body of `PATCH /users/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct UpdateUser {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<UserRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// The body of `PATCH /auth/me`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct UpdateProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The present password; needed to set a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_password: Option<String>,
}

/// A group of users.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub description: String,
    pub members: Vec<UserId>,
    pub created_at: Timestamp,
}

/// The body of `POST /groups`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateGroup {
    pub name: String,
    #[serde(default)]
    pub description: String,
}

/// The body of `PATCH /groups/{id}`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct UpdateGroup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What an API key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Retrieve, ask and read documents.
    Read,
    /// Also upload, change and delete documents and knowledge bases.
    Write,
    /// Also what an administrator may, if the owner is one.
    Admin,
}

/// An API key without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    /// The first characters, to tell keys apart.
    pub prefix: String,
    pub scopes: Vec<KeyScope>,
    /// Knowledge bases that the key is confined to; `null` confines nothing.
    #[serde(default)]
    pub knowledge_base_ids: Option<Vec<KnowledgeBaseId>>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// The body of `POST /api-keys`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateApiKey {
    pub name: String,
    #[serde(default)]
    pub scopes: Option<Vec<KeyScope>>,
    #[serde(default)]
    pub knowledge_base_ids: Option<Vec<KnowledgeBaseId>>,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// The answer of `POST /api-keys`: the only time that the secret is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedApiKey {
    #[serde(flatten)]
    pub key: ApiKey,
    /// `ak_…`
    pub secret: String,
}
