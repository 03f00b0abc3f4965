//! The routes under `/users`.

use super::store::{self, NewUser};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Administrator, check_strength};
use crate::names::{MAX_LABEL_CHARS, checked_label, checked_username};
use crate::openapi::Failures;
use crate::paging::after_id;
use anwen_contract::users::{CreateUser, UpdateUser, User, UserRole};
use anwen_contract::{ApiError, ErrorCode, Page, PageQuery, Timestamp, UserId};
use anwen_platform::db::{DbError, WriteTransaction};
use anwen_platform::http::{Json, Path, Query};
use axum::extract::State;
use http::StatusCode;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}

/// Lists users.
#[utoipa::path(get, path = "/users", tag = "users", params(PageQuery),
    responses((status = 200, body = Page<User>), Failures))]
async fn list(
    State(app): State<AppState>,
    _: Administrator,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<User>>, ApiError> {
    Ok(Json(app.users.list(after_id(&page)?, page.bounded_limit()).await?))
}

/// Adds a user.
#[utoipa::path(post, path = "/users", tag = "users", request_body = CreateUser,
    responses((status = 201, body = User), Failures))]
async fn create(
    State(app): State<AppState>,
    caller: Administrator,
    Json(body): Json<CreateUser>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let username = checked_username(&body.username)?;
    let display_name = checked_label(&body.display_name, "display_name", MAX_LABEL_CHARS)?;
    check_strength(&body.password, &username)?;
    let password_hash = app.passwords.hash(&body.password).await?;
    let role = body.role.unwrap_or(UserRole::User);
    let new =
        NewUser { username: &username, display_name: &display_name, role, password_hash: &password_hash };
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "user.created", format!("username:{username}"))
        .detail(json!({"role": role}));
    app.audit.append(&mut transaction, &entry).await?;
    let user = store::create(&mut transaction, &new, Timestamp::now()).await.map_err(name_taken)?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// Shows a user.
#[utoipa::path(get, path = "/users/{id}", tag = "users", params(("id" = UserId, Path)),
    responses((status = 200, body = User), Failures))]
async fn get(
    State(app): State<AppState>,
    _: Administrator,
    Path(id): Path<UserId>,
) -> Result<Json<User>, ApiError> {
    Ok(Json(existing(&app, id).await?))
}

/// Changes a user. The last administrator who can sign in stays one. A new password, or switching the account off,
/// ends the user's sessions.
#[utoipa::path(patch, path = "/users/{id}", tag = "users", params(("id" = UserId, Path)),
    request_body = UpdateUser, responses((status = 200, body = User), Failures))]
async fn update(
    State(app): State<AppState>,
    caller: Administrator,
    Path(id): Path<UserId>,
    Json(body): Json<UpdateUser>,
) -> Result<Json<User>, ApiError> {
    let mut user = existing(&app, id).await?;
    let was_admin = is_active_admin(&user);
    if let Some(display_name) = &body.display_name {
        user.display_name = checked_label(display_name, "display_name", MAX_LABEL_CHARS)?;
    }
    user.role = body.role.unwrap_or(user.role);
    user.disabled = body.disabled.unwrap_or(user.disabled);
    let password_hash = match &body.password {
        Some(password) => {
            check_strength(password, &user.username)?;
            Some(app.passwords.hash(password).await?)
        }
        None => None,
    };
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "user.changed", format!("user:{id}"))
        .detail(json!({"role": user.role, "disabled": user.disabled, "password": password_hash.is_some()}));
    // Writing to the audit log first makes changes of users take turns, so that two administrators cannot demote
    // each other at the same moment.
    app.audit.append(&mut transaction, &entry).await?;
    if was_admin && !is_active_admin(&user) {
        require_another_admin(&mut transaction, id).await?;
    }
    store::update(&mut transaction, &user).await?;
    if let Some(hash) = &password_hash {
        store::set_password(&mut transaction, id, hash, Timestamp::now()).await?;
    }
    if password_hash.is_some() || user.disabled {
        app.sessions
            .delete_others(&mut transaction, id, caller.session().filter(|_| caller.user.id == id))
            .await?;
    }
    transaction.commit().await?;
    Ok(Json(user))
}

/// Removes a user with their sessions, keys and chats. Knowledge bases stay with those who have a grant.
#[utoipa::path(delete, path = "/users/{id}", tag = "users", params(("id" = UserId, Path)),
    responses((status = 204), Failures))]
async fn delete(
    State(app): State<AppState>,
    caller: Administrator,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let user = existing(&app, id).await?;
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "user.deleted", format!("user:{id}"))
        .detail(json!({"username": user.username}));
    app.audit.append(&mut transaction, &entry).await?;
    if is_active_admin(&user) {
        require_another_admin(&mut transaction, id).await?;
    }
    store::delete(&mut transaction, id).await?;
    transaction.commit().await?;
    app.generations.stop_all_of(id);
    Ok(StatusCode::NO_CONTENT)
}

async fn existing(app: &AppState, id: UserId) -> Result<User, ApiError> {
    app.users.get(id).await?.ok_or_else(|| ApiError::not_found("user"))
}

fn is_active_admin(user: &User) -> bool {
    user.role == UserRole::Admin && !user.disabled
}

async fn require_another_admin(transaction: &mut WriteTransaction, id: UserId) -> Result<(), ApiError> {
    if store::another_admin(transaction, id).await? {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::LastOwner, "at least one administrator who can sign in must remain"))
}

/// The refusal of a name that is taken.
pub fn name_taken(error: DbError) -> ApiError {
    if error.is_unique_violation() {
        return ApiError::new(ErrorCode::NameTaken, "this name is taken; choose another");
    }
    error.into()
}
