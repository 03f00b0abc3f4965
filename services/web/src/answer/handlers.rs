//! Asking, asking again, following, stopping.

use super::frames::{Frame, replay};
use super::generation::Generation;
use super::model_choice::choose;
use super::pipeline::Question;
use super::sse::{last_event_id, stream_of};
use super::task::spawn;
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::{Reader, SignedIn};
use crate::chats::messages::{AnswerRequest, StoredAnswer, insert_question, insert_running};
use crate::chats::{own_chat, store, title_of};
use crate::models::Rights;
use crate::openapi::Failures;
use anwen_contract::chat::{
    AnswerEvent, Author, Chat, MAX_MESSAGE_CHARS, Message, MessageState, PostMessage, Regenerate,
};
use anwen_contract::{ApiError, ChatId, ErrorCode, MessageId, Timestamp};
use anwen_platform::http::{Json, Path};
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Documents that one question can name besides.
const MAX_ATTACHMENTS: usize = 20;
/// How long `stop` waits for what was written to be stored.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// How often an answer that another process writes is looked at.
const POLL_EVERY: Duration = Duration::from_millis(500);

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(ask))
        .routes(routes!(follow))
        .routes(routes!(stop))
        .routes(routes!(regenerate))
}

/// What a new answer stands on in its chat.
struct Place {
    chat: Chat,
    /// The question that it answers: a stored one, or a new one with the message that it follows.
    question_id: MessageId,
    new_question: Option<Option<MessageId>>,
}

/// Asks a question; the answer is a stream of events. An absent `parent_id` goes on from the newest message; `null`
/// begins a branch of its own. Going away does not end the answer: it can be picked up again.
#[utoipa::path(post, path = "/chats/{id}/messages", tag = "chats", params(("id" = ChatId, Path)),
    request_body = PostMessage,
    responses((status = 200, body = AnswerEvent, content_type = "text/event-stream"), Failures))]
async fn ask(
    State(app): State<AppState>,
    caller: Reader,
    Path(id): Path<ChatId>,
    Json(body): Json<serde_json::Value>,
) -> Result<Response, ApiError> {
    let begins_anew = body.get("parent_id").is_some_and(serde_json::Value::is_null);
    let body: PostMessage =
        serde_json::from_value(body).map_err(|cause| ApiError::invalid(cause.to_string()))?;
    let chat = own_chat(&app, &caller, id).await?;
    let content = checked_question(&body.content)?;
    let parent = match body.parent_id {
        Some(parent) => Some(existing(&app, id, parent).await?.message.id),
        None if begins_anew => None,
        None => app.messages.newest(id).await?,
    };
    let request = AnswerRequest {
        model: body.model.filter(|model| !model.is_empty()).or_else(|| chat.model.clone()),
        knowledge_base_ids: body.knowledge_base_ids.unwrap_or_else(|| chat.knowledge_base_ids.clone()),
        web_search: body.web_search.unwrap_or(chat.web_search),
        web_query: body.web_query.filter(|query| !query.trim().is_empty()),
        attachments: checked_attachments(body.attachments.unwrap_or_default())?,
    };
    let place = Place { chat, question_id: MessageId::new(), new_question: Some(parent) };
    begin(&app, &caller, place, content, request).await
}

/// Answers the question of an answer once more; the new answer is a sibling of the old one.
#[utoipa::path(post, path = "/chats/{id}/messages/{message_id}/regenerate", tag = "chats",
    params(("id" = ChatId, Path), ("message_id" = MessageId, Path)), request_body = Option<Regenerate>,
    responses((status = 200, body = AnswerEvent, content_type = "text/event-stream"), Failures))]
async fn regenerate(
    State(app): State<AppState>,
    caller: Reader,
    Path((id, message_id)): Path<(ChatId, MessageId)>,
    body: axum::body::Bytes,
) -> Result<Response, ApiError> {
    let body: Regenerate = if body.is_empty() {
        Regenerate::default()
    } else {
        serde_json::from_slice(&body)
            .map_err(|cause| ApiError::new(ErrorCode::InvalidJson, cause.to_string()))?
    };
    let chat = own_chat(&app, &caller, id).await?;
    let answer = existing(&app, id, message_id).await?;
    let (Author::Assistant, Some(question_id)) = (answer.message.role, answer.message.parent_id) else {
        return Err(ApiError::invalid("only an answer can be made again"));
    };
    let question = existing(&app, id, question_id).await?.message;
    let request = AnswerRequest { model: body.model.or(answer.request.model), ..answer.request };
    let place = Place { chat, question_id, new_question: None };
    begin(&app, &caller, place, question.content, request).await
}

/// Picks a running or finished answer up again, after the event in `Last-Event-ID`.
#[utoipa::path(get, path = "/chats/{id}/messages/{message_id}/stream", tag = "chats",
    params(("id" = ChatId, Path), ("message_id" = MessageId, Path),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses((status = 200, body = AnswerEvent, content_type = "text/event-stream"), Failures))]
async fn follow(
    State(app): State<AppState>,
    caller: Reader,
    Path((id, message_id)): Path<(ChatId, MessageId)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    own_chat(&app, &caller, id).await?;
    let stored = existing(&app, id, message_id).await?;
    if stored.message.role != Author::Assistant {
        return Err(ApiError::invalid("only an answer has a stream"));
    }
    let after = last_event_id(&headers)?;
    if let Some(generation) = app.generations.get(message_id) {
        return Ok(stream_of(generation.follow(after, app.config.answer.followers_max)?));
    }
    let stored = if stored.message.state == MessageState::Running {
        written_elsewhere(&app, id, message_id).await?
    } else {
        stored
    };
    let frames = replay(&stored, after).into_iter().map(Arc::<Frame>::new);
    Ok(stream_of(futures::stream::iter(frames)))
}

/// Stops an answer; what was written is kept. Answers the message as it then stands.
#[utoipa::path(post, path = "/chats/{id}/messages/{message_id}/stop", tag = "chats",
    params(("id" = ChatId, Path), ("message_id" = MessageId, Path)),
    responses((status = 200, body = Message), Failures))]
async fn stop(
    State(app): State<AppState>,
    caller: Reader,
    Path((id, message_id)): Path<(ChatId, MessageId)>,
) -> Result<Json<Message>, ApiError> {
    own_chat(&app, &caller, id).await?;
    existing(&app, id, message_id).await?;
    if let Some(generation) = app.generations.get(message_id) {
        generation.stop.cancel();
        // Late or not, what is stored then is the answer.
        let _ = tokio::time::timeout(STOP_WAIT, generation.finished()).await;
    }
    Ok(Json(existing(&app, id, message_id).await?.message))
}

/// Stores the question and the place of its answer, starts the generation, and follows it.
async fn begin(
    app: &AppState,
    caller: &SignedIn,
    place: Place,
    content: String,
    request: AnswerRequest,
) -> Result<Response, ApiError> {
    let context = caller.context(app);
    let answering = app.settings.answering().await?;
    if request.web_search && !(answering.web_search && app.search.is_some()) {
        return Err(ApiError::new(ErrorCode::WebSearchDisabled, "web search is switched off on this server"));
    }
    let models = Rights::of(app, caller).await?.models(app, caller).await?;
    let model = choose(&models, request.model.as_deref(), answering.default_model.as_deref())?.clone();
    let slot = app.generations.admit(caller.user.id)?;
    let before = match place.new_question {
        Some(parent) => parent,
        None => existing(app, place.chat.id, place.question_id).await?.message.parent_id,
    };
    let history = match before {
        Some(leaf) => {
            app.messages.history(place.chat.id, leaf, app.config.answer.history_max_turns * 2).await?
        }
        None => Vec::new(),
    };
    let answer_id = record(app, caller, &place, &content, &request).await?;
    let generation: Arc<Generation> = app.generations.begin(answer_id, place.chat.id, caller.user.id);
    let frames = generation.follow(0, app.config.answer.followers_max)?;
    let question = Question { content, history, request, model, answering };
    spawn(app, generation, slot, context, question, place.question_id);
    Ok(stream_of(frames))
}

/// One transaction: the audit entry, the question if it is new, the answer's place, the chat's title and time.
async fn record(
    app: &AppState,
    caller: &SignedIn,
    place: &Place,
    content: &str,
    request: &AnswerRequest,
) -> Result<MessageId, ApiError> {
    let now = Timestamp::now();
    let answer_id = MessageId::new();
    let chat_id = place.chat.id;
    let detail = json!({"chat": chat_id, "question": content, "knowledge_base_ids": request.knowledge_base_ids,
        "web_search": request.web_search, "attachments": request.attachments});
    let entry = Entry::new(caller.actor(), "question.asked", format!("message:{answer_id}")).detail(detail);
    let mut transaction = app.db.begin_write().await?;
    app.audit.append(&mut transaction, &entry).await?;
    if let Some(parent) = place.new_question {
        insert_question(&mut transaction, chat_id, place.question_id, parent, content, now).await?;
    }
    let instance = &app.config.instance;
    insert_running(&mut transaction, chat_id, answer_id, place.question_id, request, instance, now).await?;
    store::touch(&mut transaction, chat_id, &title_of(content), now).await?;
    transaction.commit().await?;
    Ok(answer_id)
}

async fn existing(app: &AppState, chat: ChatId, id: MessageId) -> Result<StoredAnswer, ApiError> {
    app.messages.get(chat, id).await?.ok_or_else(|| ApiError::not_found("message"))
}

/// Waits for an answer that another process writes.
async fn written_elsewhere(app: &AppState, chat: ChatId, id: MessageId) -> Result<StoredAnswer, ApiError> {
    let waiting = async {
        loop {
            tokio::time::sleep(POLL_EVERY).await;
            let stored = existing(app, chat, id).await?;
            if stored.message.state != MessageState::Running {
                return Ok(stored);
            }
        }
    };
    let late = || {
        ApiError::new(ErrorCode::DeadlineExceeded, "the answer is still being written elsewhere; try again")
    };
    tokio::time::timeout(app.config.answer.deadline(), waiting).await.map_err(|_| late())?
}

fn checked_question(content: &str) -> Result<String, ApiError> {
    let content = content.trim();
    if content.is_empty() {
        return Err(ApiError::invalid("content is empty"));
    }
    if content.chars().count() > MAX_MESSAGE_CHARS {
        return Err(ApiError::invalid(format!("content has more than {MAX_MESSAGE_CHARS} characters")));
    }
    Ok(content.to_owned())
}

fn checked_attachments(
    ids: Vec<anwen_contract::DocumentId>,
) -> Result<Vec<anwen_contract::DocumentId>, ApiError> {
    if ids.len() > MAX_ATTACHMENTS {
        return Err(ApiError::invalid(format!("a question names at most {MAX_ATTACHMENTS} documents")));
    }
    Ok(ids)
}
