//! The routes under `/api-keys`.

use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{InPerson, KEY_PREFIX, Reader, Token, rank, sha256_hex};
use crate::names::{MAX_LABEL_CHARS, checked_name};
use crate::openapi::Failures;
use crate::paging::after_id;
use anwen_contract::users::{ApiKey, CreateApiKey, CreatedApiKey, KeyScope, UserRole};
use anwen_contract::{ApiError, ApiKeyId, ErrorCode, Page, PageQuery, Timestamp};
use anwen_platform::http::{Json, Path, Query};
use axum::extract::State;
use http::StatusCode;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of a secret that are kept readable, to tell keys apart.
const PREFIX_CHARS: usize = 10;
/// Knowledge bases that one key can be confined to.
const MAX_CONFINED_TO: usize = 100;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(delete))
}

/// Lists one's own keys, without their secrets.
#[utoipa::path(get, path = "/api-keys", tag = "api-keys", params(PageQuery),
    responses((status = 200, body = Page<ApiKey>), Failures))]
async fn list(
    State(app): State<AppState>,
    caller: Reader,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ApiKey>>, ApiError> {
    Ok(Json(app.keys.list(caller.user.id, after_id(&page)?, page.bounded_limit()).await?))
}

/// Makes a key. The answer shows its secret, once.
#[utoipa::path(post, path = "/api-keys", tag = "api-keys", request_body = CreateApiKey,
    responses((status = 201, body = CreatedApiKey), Failures))]
async fn create(
    State(app): State<AppState>,
    caller: InPerson,
    Json(body): Json<CreateApiKey>,
) -> Result<(StatusCode, Json<CreatedApiKey>), ApiError> {
    let now = Timestamp::now();
    let secret = format!("{KEY_PREFIX}{}", Token::random().map_err(ApiError::internal)?.as_str());
    let key = ApiKey {
        id: ApiKeyId::new(),
        name: checked_name(&body.name, "name", MAX_LABEL_CHARS)?,
        prefix: prefix_of(&secret),
        scopes: checked_scopes(body.scopes, caller.user.role)?,
        knowledge_base_ids: body.knowledge_base_ids.filter(|ids| !ids.is_empty()),
        created_at: now,
        expires_at: body.expires_at,
        last_used_at: None,
    };
    if key.expires_at.is_some_and(|at| at <= now) {
        return Err(ApiError::invalid("expires_at lies in the past"));
    }
    if key.knowledge_base_ids.as_ref().is_some_and(|ids| ids.len() > MAX_CONFINED_TO) {
        return Err(ApiError::invalid(format!(
            "a key is confined to at most {MAX_CONFINED_TO} knowledge bases"
        )));
    }
    let mut transaction = app.db.begin_write().await?;
    let detail = json!({"name": key.name, "scopes": key.scopes, "expires_at": key.expires_at});
    let entry = Entry::new(caller.actor(), "key.created", format!("key:{}", key.id)).detail(detail);
    app.audit.append(&mut transaction, &entry).await?;
    if app.keys.count(&mut transaction, caller.user.id).await? >= i64::from(app.config.auth.api_keys_per_user)
    {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "you hold as many keys as one user may; delete one first",
        ));
    }
    app.keys.create(&mut transaction, caller.user.id, &key, &sha256_hex(&secret)).await?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(CreatedApiKey { key, secret })))
}

/// Withdraws a key at once.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "api-keys", params(("id" = ApiKeyId, Path)),
    responses((status = 204), Failures))]
async fn delete(
    State(app): State<AppState>,
    caller: InPerson,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, ApiError> {
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "key.deleted", format!("key:{id}"));
    app.audit.append(&mut transaction, &entry).await?;
    if !app.keys.delete(&mut transaction, caller.user.id, id).await? {
        return Err(ApiError::not_found("API key"));
    }
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The part of a secret that is kept readable.
pub fn prefix_of(secret: &str) -> String {
    secret.chars().take(PREFIX_CHARS).collect()
}

/// The scopes asked for, from the least to the most; `read` when none is named.
fn checked_scopes(scopes: Option<Vec<KeyScope>>, role: UserRole) -> Result<Vec<KeyScope>, ApiError> {
    let mut scopes = scopes.filter(|scopes| !scopes.is_empty()).unwrap_or_else(|| vec![KeyScope::Read]);
    scopes.sort_by_key(|scope| rank(*scope));
    scopes.dedup();
    if scopes.contains(&KeyScope::Admin) && role != UserRole::Admin {
        return Err(ApiError::forbidden("the scope `admin` is for keys of administrators"));
    }
    Ok(scopes)
}
