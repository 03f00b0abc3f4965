//! `/chats` and the message tree; asking itself is in `answer`.

use super::store::Owner;
use crate::app::AppState;
use crate::auth::{Reader, SignedIn, Writer};
use crate::names::{MAX_LABEL_CHARS, checked_label};
use crate::openapi::Failures;
use crate::paging::{after_id, after_pair};
use anwen_contract::chat::{Chat, CreateChat, Feedback, Message, UpdateChat};
use anwen_contract::{ApiError, ChatId, KnowledgeBaseId, MessageId, Page, PageQuery, Timestamp};
use anwen_platform::http::{Json, Path, Query};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Knowledge bases that one chat can name.
const MAX_KNOWLEDGE_BASES: usize = 100;
/// The most characters of a comment on an answer.
const MAX_COMMENT_CHARS: usize = 4_000;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(messages))
        .routes(routes!(set_feedback))
}

/// Whose chats this caller may see.
pub fn owner_of(caller: &SignedIn) -> Owner {
    Owner { user: caller.user.id, confined_to: caller.confining_key() }
}

/// The caller's own chat with this id.
pub async fn own_chat(app: &AppState, caller: &SignedIn, id: ChatId) -> Result<Chat, ApiError> {
    app.chats.get(owner_of(caller), id).await?.ok_or_else(|| ApiError::not_found("chat"))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u32>,
    /// Only those that are archived, or are not; all when absent.
    archived: Option<bool>,
}

/// Lists one's own chats, the most recently used first.
#[utoipa::path(get, path = "/chats", tag = "chats", params(ListQuery),
    responses((status = 200, body = Page<Chat>), Failures))]
async fn list(
    State(app): State<AppState>,
    caller: Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Chat>>, ApiError> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let after = after_pair(&page)?;
    Ok(Json(app.chats.list(owner_of(&caller), query.archived, after, page.bounded_limit()).await?))
}

/// Begins a chat.
#[utoipa::path(post, path = "/chats", tag = "chats", request_body = CreateChat,
    responses((status = 201, body = Chat), Failures))]
async fn create(
    State(app): State<AppState>,
    caller: Reader,
    Json(body): Json<CreateChat>,
) -> Result<(StatusCode, Json<Chat>), ApiError> {
    let now = Timestamp::now();
    let chat = Chat {
        id: ChatId::new(),
        title: checked_label(body.title.as_deref().unwrap_or_default(), "title", MAX_LABEL_CHARS)?,
        model: checked_model(body.model)?,
        knowledge_base_ids: checked_bases(body.knowledge_base_ids.unwrap_or_default())?,
        web_search: body.web_search.unwrap_or(false),
        folder_id: None,
        archived: false,
        pinned: false,
        created_at: now,
        updated_at: now,
    };
    app.chats.create(caller.user.id, caller.key(), &chat).await?;
    Ok((StatusCode::CREATED, Json(chat)))
}

/// Shows a chat.
#[utoipa::path(get, path = "/chats/{id}", tag = "chats", params(("id" = ChatId, Path)),
    responses((status = 200, body = Chat), Failures))]
async fn get(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<ChatId>,
) -> Result<Json<Chat>, ApiError> {
    Ok(Json(own_chat(&app, &caller, id).await?))
}

/// Changes a chat's title, model, knowledge bases or place.
#[utoipa::path(patch, path = "/chats/{id}", tag = "chats", params(("id" = ChatId, Path)),
    request_body = UpdateChat, responses((status = 200, body = Chat), Failures))]
async fn update(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<ChatId>,
    Json(body): Json<UpdateChat>,
) -> Result<Json<Chat>, ApiError> {
    let mut chat = own_chat(&app, &caller, id).await?;
    if let Some(title) = &body.title {
        chat.title = checked_label(title, "title", MAX_LABEL_CHARS)?;
    }
    if body.model.is_some() {
        chat.model = checked_model(body.model)?;
    }
    if let Some(ids) = body.knowledge_base_ids {
        chat.knowledge_base_ids = checked_bases(ids)?;
    }
    chat.web_search = body.web_search.unwrap_or(chat.web_search);
    chat.archived = body.archived.unwrap_or(chat.archived);
    chat.pinned = body.pinned.unwrap_or(chat.pinned);
    app.chats.update(&chat).await?;
    Ok(Json(chat))
}

/// Removes a chat with its messages, and stops what is being written in it.
#[utoipa::path(delete, path = "/chats/{id}", tag = "chats", params(("id" = ChatId, Path)),
    responses((status = 204), Failures))]
async fn delete(
    State(app): State<AppState>,
    caller: Writer,
    Path(id): Path<ChatId>,
) -> Result<StatusCode, ApiError> {
    if !app.chats.delete(owner_of(&caller), id).await? {
        return Err(ApiError::not_found("chat"));
    }
    app.generations.stop_all_in(id);
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the messages of a chat in the order in which they were made; `parent_id` makes them a tree.
#[utoipa::path(get, path = "/chats/{id}/messages", tag = "chats", params(("id" = ChatId, Path), PageQuery),
    responses((status = 200, body = Page<Message>), Failures))]
async fn messages(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<ChatId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Message>>, ApiError> {
    own_chat(&app, &caller, id).await?;
    Ok(Json(app.messages.list(id, after_id(&page)?, page.bounded_limit()).await?))
}

/// Rates an answer: 1 or -1.
#[utoipa::path(put, path = "/chats/{id}/messages/{message_id}/feedback", tag = "chats",
    params(("id" = ChatId, Path), ("message_id" = MessageId, Path)),
    request_body = Feedback, responses((status = 204), Failures))]
async fn set_feedback(
    State(app): State<AppState>,
    caller: Reader,
    Path((id, message_id)): Path<(ChatId, MessageId)>,
    Json(body): Json<Feedback>,
) -> Result<StatusCode, ApiError> {
    if body.rating != 1 && body.rating != -1 {
        return Err(ApiError::invalid("rating is 1 or -1"));
    }
    if body.comment.as_ref().is_some_and(|comment| comment.chars().count() > MAX_COMMENT_CHARS) {
        return Err(ApiError::invalid(format!("comment has more than {MAX_COMMENT_CHARS} characters")));
    }
    own_chat(&app, &caller, id).await?;
    let answer = app.messages.get(id, message_id).await?.ok_or_else(|| ApiError::not_found("message"))?;
    if answer.message.role != anwen_contract::chat::Author::Assistant {
        return Err(ApiError::invalid("only an answer can be rated"));
    }
    app.messages.set_feedback(message_id, &body, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An empty name leaves the choice to the server.
fn checked_model(model: Option<String>) -> Result<Option<String>, ApiError> {
    let model = model.map(|model| checked_label(&model, "model", MAX_LABEL_CHARS)).transpose()?;
    Ok(model.filter(|model| !model.is_empty()))
}

fn checked_bases(ids: Vec<KnowledgeBaseId>) -> Result<Vec<KnowledgeBaseId>, ApiError> {
    if ids.len() > MAX_KNOWLEDGE_BASES {
        return Err(ApiError::invalid(format!("a chat names at most {MAX_KNOWLEDGE_BASES} knowledge bases")));
    }
    Ok(ids)
}
