//! The routes under `/groups`.

use super::store;
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::Administrator;
use crate::names::{MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, checked_name};
use crate::openapi::Failures;
use crate::paging::after_id;
use crate::users::name_taken;
use anwen_contract::users::{CreateGroup, Group, UpdateGroup};
use anwen_contract::{ApiError, GroupId, Page, PageQuery, Timestamp, UserId};
use anwen_platform::http::{Json, Path, Query};
use axum::extract::State;
use http::StatusCode;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(add_member, remove_member))
}

/// Lists groups.
#[utoipa::path(get, path = "/groups", tag = "groups", params(PageQuery),
    responses((status = 200, body = Page<Group>), Failures))]
async fn list(
    State(app): State<AppState>,
    _: Administrator,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Group>>, ApiError> {
    Ok(Json(app.groups.list(after_id(&page)?, page.bounded_limit()).await?))
}

/// Adds a group.
#[utoipa::path(post, path = "/groups", tag = "groups", request_body = CreateGroup,
    responses((status = 201, body = Group), Failures))]
async fn create(
    State(app): State<AppState>,
    caller: Administrator,
    Json(body): Json<CreateGroup>,
) -> Result<(StatusCode, Json<Group>), ApiError> {
    let name = checked_name(&body.name, "name", MAX_NAME_CHARS)?;
    let description = checked_description(&body.description)?;
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "group.created", format!("groupname:{name}"));
    app.audit.append(&mut transaction, &entry).await?;
    let group =
        store::create(&mut transaction, &name, &description, Timestamp::now()).await.map_err(name_taken)?;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, Json(group)))
}

/// Shows a group with its members.
#[utoipa::path(get, path = "/groups/{id}", tag = "groups", params(("id" = GroupId, Path)),
    responses((status = 200, body = Group), Failures))]
async fn get(
    State(app): State<AppState>,
    _: Administrator,
    Path(id): Path<GroupId>,
) -> Result<Json<Group>, ApiError> {
    Ok(Json(existing(&app, id).await?))
}

/// Renames a group or changes its description.
#[utoipa::path(patch, path = "/groups/{id}", tag = "groups", params(("id" = GroupId, Path)),
    request_body = UpdateGroup, responses((status = 200, body = Group), Failures))]
async fn update(
    State(app): State<AppState>,
    caller: Administrator,
    Path(id): Path<GroupId>,
    Json(body): Json<UpdateGroup>,
) -> Result<Json<Group>, ApiError> {
    let mut group = existing(&app, id).await?;
    if let Some(name) = &body.name {
        group.name = checked_name(name, "name", MAX_NAME_CHARS)?;
    }
    if let Some(description) = &body.description {
        group.description = checked_description(description)?;
    }
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "group.changed", format!("group:{id}"));
    app.audit.append(&mut transaction, &entry).await?;
    store::update(&mut transaction, &group).await.map_err(name_taken)?;
    transaction.commit().await?;
    Ok(Json(group))
}

/// Removes a group; what was granted to it is granted to nobody any more.
#[utoipa::path(delete, path = "/groups/{id}", tag = "groups", params(("id" = GroupId, Path)),
    responses((status = 204), Failures))]
async fn delete(
    State(app): State<AppState>,
    caller: Administrator,
    Path(id): Path<GroupId>,
) -> Result<StatusCode, ApiError> {
    let group = existing(&app, id).await?;
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "group.deleted", format!("group:{id}"))
        .detail(json!({"name": group.name}));
    app.audit.append(&mut transaction, &entry).await?;
    store::delete(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adds a member.
#[utoipa::path(put, path = "/groups/{id}/members/{user_id}", tag = "groups",
    params(("id" = GroupId, Path), ("user_id" = UserId, Path)), responses((status = 204), Failures))]
async fn add_member(
    State(app): State<AppState>,
    caller: Administrator,
    Path((id, user)): Path<(GroupId, UserId)>,
) -> Result<StatusCode, ApiError> {
    existing(&app, id).await?;
    app.users.get(user).await?.ok_or_else(|| ApiError::not_found("user"))?;
    let mut transaction = app.db.begin_write().await?;
    let entry =
        Entry::new(caller.actor(), "group.member_added", format!("group:{id}")).detail(json!({"user": user}));
    app.audit.append(&mut transaction, &entry).await?;
    store::add_member(&mut transaction, id, user).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a member out.
#[utoipa::path(delete, path = "/groups/{id}/members/{user_id}", tag = "groups",
    params(("id" = GroupId, Path), ("user_id" = UserId, Path)), responses((status = 204), Failures))]
async fn remove_member(
    State(app): State<AppState>,
    caller: Administrator,
    Path((id, user)): Path<(GroupId, UserId)>,
) -> Result<StatusCode, ApiError> {
    existing(&app, id).await?;
    let mut transaction = app.db.begin_write().await?;
    let entry = Entry::new(caller.actor(), "group.member_removed", format!("group:{id}"))
        .detail(json!({"user": user}));
    app.audit.append(&mut transaction, &entry).await?;
    store::remove_member(&mut transaction, id, user).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn existing(app: &AppState, id: GroupId) -> Result<Group, ApiError> {
    app.groups.get(id).await?.ok_or_else(|| ApiError::not_found("group"))
}

fn checked_description(text: &str) -> Result<String, ApiError> {
    if text.chars().count() > MAX_DESCRIPTION_CHARS {
        return Err(ApiError::invalid(format!(
            "description has more than {MAX_DESCRIPTION_CHARS} characters"
        )));
    }
    Ok(text.trim().to_owned())
}
