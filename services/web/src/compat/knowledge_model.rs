//! The models named `kb/<knowledge base>`: the answer pipeline behind OpenAI's interface.

use super::completion::Completion;
use super::envelope::openai_error;
use crate::answer::{Draft, Question, Run, answer, choose};
use crate::app::AppState;
use crate::audit::Entry;
use crate::auth::SignedIn;
use crate::chats::messages::{AnswerRequest, Turn};
use crate::models::Rights;
use crate::names::name_key;
use anwen_contract::chat::{AnswerEvent, Author, MAX_MESSAGE_CHARS};
use anwen_contract::client::CallContext;
use anwen_contract::knowledge::KnowledgeBase;
use anwen_contract::{ApiError, ErrorCode, PageQuery};
use axum::Json;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Instant;
use tokio::sync::mpsc;

/// What a model's name begins with when it stands for a knowledge base.
pub const PREFIX: &str = "kb/";
/// Pages of knowledge bases that are looked through for a name.
const MAX_PAGES: usize = 50;
/// Messages of one request at most.
const MAX_MESSAGES: usize = 200;
/// Parts of an answer that wait for a slow reader; then the writing waits.
const PARTS_WAITING: usize = 4_096;

/// The part of OpenAI's request that matters here.
#[derive(Deserialize)]
struct Body {
    messages: Vec<BodyMessage>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct BodyMessage {
    role: String,
    #[serde(default)]
    content: Value,
}

impl BodyMessage {
    /// The text of a message that is a string, or a list of parts.
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
                texts.join("\n")
            }
            _ => String::new(),
        }
    }
}

/// Answers from the knowledge base with this name.
pub async fn complete(
    app: &AppState,
    caller: &SignedIn,
    base: &str,
    body: Value,
) -> Result<Response, ApiError> {
    let body: Body = serde_json::from_value(body).map_err(|cause| ApiError::invalid(cause.to_string()))?;
    let context = caller.context(app);
    let found = base_named(app, &context, base).await?;
    let question = question_of(app, caller, &body, &found).await?;
    let slot = app.generations.admit(caller.user.id)?;
    let detail = json!({"question": question.content, "knowledge_base_ids": [found.id]});
    let entry =
        Entry::new(caller.actor(), "question.asked", format!("knowledge_base:{}", found.id)).detail(detail);
    app.audit.record(&entry).await?;
    let completion = Completion::new(&format!("{PREFIX}{}", found.name));
    if body.stream {
        return Ok(streamed(app.clone(), context, question, completion, slot));
    }
    let mut draft = Draft::default();
    let quiet = |_: AnswerEvent| {};
    let run = Run { app, context: &context, question: &question, emit: &quiet, started: Instant::now() };
    let late = || ApiError::new(ErrorCode::DeadlineExceeded, "the answer took too long and was ended");
    tokio::time::timeout(app.config.answer.deadline(), answer(&run, &mut draft))
        .await
        .map_err(|_| late())??;
    Ok(Json(completion.whole(&draft)).into_response())
}

/// The last message as the question, those before it as the conversation, system messages as instructions.
async fn question_of(
    app: &AppState,
    caller: &SignedIn,
    body: &Body,
    base: &KnowledgeBase,
) -> Result<Question, ApiError> {
    if body.messages.len() > MAX_MESSAGES {
        return Err(ApiError::invalid(format!("at most {MAX_MESSAGES} messages")));
    }
    let mut answering = app.settings.answering().await?;
    let mut turns = Vec::new();
    for message in &body.messages {
        let text = message.text();
        match message.role.as_str() {
            "system" | "developer" => answering.instructions = format!("{}\n{text}", answering.instructions),
            "assistant" => turns.push(Turn { role: Author::Assistant, content: text }),
            _ => turns.push(Turn { role: Author::User, content: text }),
        }
    }
    let content = match turns.pop() {
        Some(Turn { role: Author::User, content }) if !content.trim().is_empty() => content,
        _ => return Err(ApiError::invalid("the last message is the user's question")),
    };
    if content.chars().count() > MAX_MESSAGE_CHARS {
        return Err(ApiError::invalid(format!("a question has at most {MAX_MESSAGE_CHARS} characters")));
    }
    let history_max = app.config.answer.history_max_turns * 2;
    let history = turns.split_off(turns.len().saturating_sub(history_max));
    let models = Rights::of(app, caller).await?.models(app, caller).await?;
    let model = choose(&models, None, answering.default_model.as_deref())?.clone();
    let request = AnswerRequest { knowledge_base_ids: vec![base.id], ..AnswerRequest::default() };
    Ok(Question { content, history, request, model, answering })
}

/// Streams the answer. When the reader goes, the writing stops: nobody could pick it up.
fn streamed(
    app: AppState,
    context: CallContext,
    question: Question,
    completion: Completion,
    slot: impl Send + 'static,
) -> Response {
    let (sender, receiver) = mpsc::channel::<String>(PARTS_WAITING);
    let shutdown = app.shutdown.clone();
    shutdown.spawn(async move {
        let _slot = slot;
        let deltas = sender.clone();
        let emit = |event: AnswerEvent| {
            let part = match event {
                AnswerEvent::Delta { text } => completion.part(&text),
                AnswerEvent::Reasoning { text } => completion.thought(&text),
                _ => return,
            };
            // A reader this far behind is as good as gone; `closed` below ends the work when it is.
            let _ = deltas.try_send(part.to_string());
        };
        let mut draft = Draft::default();
        let run = Run { app: &app, context: &context, question: &question, emit: &emit, started: Instant::now() };
        let result = tokio::select! {
            () = sender.closed() => return,
            result = tokio::time::timeout(app.config.answer.deadline(), answer(&run, &mut draft)) => result,
        };
        let last = match result {
            Ok(Ok(())) => completion.last_part(&draft),
            Ok(Err(failure)) => json!({"error": openai_error(&failure)}),
            Err(_) => json!({"error": openai_error(&ApiError::new(ErrorCode::DeadlineExceeded, "the answer took too long"))}),
        };
        let _ = sender.send(last.to_string()).await;
        let _ = sender.send("[DONE]".to_owned()).await;
    });
    let parts = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let events = futures::StreamExt::map(parts, |data| Ok::<_, Infallible>(Event::default().data(data)));
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

async fn base_named(app: &AppState, context: &CallContext, name: &str) -> Result<KnowledgeBase, ApiError> {
    let key = name_key(name);
    let bases = all_bases(app, context).await?;
    let exact = bases.iter().position(|base| base.name == name);
    let at = exact
        .or_else(|| bases.iter().position(|base| name_key(&base.name) == key || base.id.to_string() == key));
    at.and_then(|at| bases.into_iter().nth(at)).ok_or_else(|| {
        ApiError::new(
            ErrorCode::ModelNotFound,
            format!("no knowledge base `{name}`; `GET /v1/models` lists those there are"),
        )
    })
}

/// Every knowledge base that the asker may read, up to a bound.
pub async fn all_bases(app: &AppState, context: &CallContext) -> Result<Vec<KnowledgeBase>, ApiError> {
    let mut bases = Vec::new();
    let mut page = PageQuery { cursor: None, limit: Some(anwen_contract::paging::MAX_PAGE_LIMIT) };
    for _ in 0..MAX_PAGES {
        let answer = app.knowledge.knowledge_bases(context, &page).await.map_err(crate::relay::inner)?;
        bases.extend(answer.items);
        page.cursor = answer.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    Ok(bases)
}
