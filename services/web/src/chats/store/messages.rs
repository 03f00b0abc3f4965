//! Messages in SQL.

use super::Owner;
use crate::rows::{Columns as _, json_of, word_of};
use anwen_contract::chat::{Author, Citation, Feedback, Message, MessageState, Outcome, Source};
use anwen_contract::knowledge::Notice;
use anwen_contract::model::Usage;
use anwen_contract::{ChatId, DocumentId, KnowledgeBaseId, MessageId, Page, Timestamp, UserId};
use anwen_platform::Database;
use anwen_platform::db::{DbError, WriteTransaction};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// What an answer was asked for, kept with it so that it can be made again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerRequest {
    /// The model that was asked for; `None` left the choice to the server.
    #[serde(default)]
    pub model: Option<String>,
    /// Empty means everything that the asker may read.
    #[serde(default)]
    pub knowledge_base_ids: Vec<KnowledgeBaseId>,
    #[serde(default)]
    pub web_search: bool,
    /// What the asker has agreed to send to search engines.
    #[serde(default)]
    pub web_query: Option<String>,
    #[serde(default)]
    pub attachments: Vec<DocumentId>,
}

/// One turn of the conversation before a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub role: Author,
    pub content: String,
}

/// How an answer came out, as it is stored.
#[derive(Debug, Clone)]
pub struct FinishedAnswer {
    pub state: MessageState,
    pub content: String,
    pub reasoning: String,
    pub model: String,
    pub sources: Vec<Source>,
    pub dropped: u32,
    pub citations: Vec<Citation>,
    pub outcome: Option<Outcome>,
    pub grounded: bool,
    pub truncated: bool,
    pub cached: bool,
    pub usage: Usage,
    pub timings_ms: BTreeMap<String, f64>,
    pub error: Option<Notice>,
}

/// An answer as it is read back, with what only a replay needs.
#[derive(Debug, Clone)]
pub struct StoredAnswer {
    pub message: Message,
    pub request: AnswerRequest,
    pub dropped: u32,
    pub truncated: bool,
    pub cached: bool,
    pub timings_ms: BTreeMap<String, f64>,
}

/// A message that a search found.
#[derive(Debug, Clone)]
pub struct FoundMessage {
    pub chat_id: ChatId,
    pub chat_title: String,
    pub message_id: MessageId,
    pub content: String,
    pub created_at: Timestamp,
}

/// Messages.
#[derive(Clone)]
pub struct MessageStore {
    db: Database,
}

macro_rules! select_messages {
    ($rest:literal) => {
        concat!(
            "SELECT m.*, f.rating, f.comment FROM messages m LEFT JOIN feedback f ON f.message_id = m.id ",
            $rest
        )
    };
}

impl MessageStore {
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// The messages of a chat in the order in which they were made.
    pub async fn list(
        &self,
        chat: ChatId,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Page<Message>, DbError> {
        let rows = sqlx::query(select_messages!("WHERE m.chat_id = $1 AND m.id > $2 ORDER BY m.id LIMIT $3"))
            .bind(chat.to_string())
            .bind(after.map(|id| id.to_string()).unwrap_or_default())
            .bind(i64::from(limit) + 1)
            .fetch_all(self.db.pool())
            .await?;
        let messages = rows.iter().map(message_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(messages, limit, |message| message.id.to_string()))
    }

    pub async fn get(&self, chat: ChatId, id: MessageId) -> Result<Option<StoredAnswer>, DbError> {
        let row = sqlx::query(select_messages!("WHERE m.chat_id = $1 AND m.id = $2"))
            .bind(chat.to_string())
            .bind(id.to_string())
            .fetch_optional(self.db.pool())
            .await?;
        Ok(row.as_ref().map(stored_from).transpose()?)
    }

    /// The newest message of a chat.
    pub async fn newest(&self, chat: ChatId) -> Result<Option<MessageId>, DbError> {
        let row = sqlx::query("SELECT id FROM messages WHERE chat_id = $1 ORDER BY id DESC LIMIT 1")
            .bind(chat.to_string())
            .fetch_optional(self.db.pool())
            .await?;
        Ok(row.map(|row| row.parsed("id")).transpose()?)
    }

    /// The last `max` turns that lead to `leaf` (which is the last of them), oldest first.
    pub async fn history(&self, chat: ChatId, leaf: MessageId, max: usize) -> Result<Vec<Turn>, DbError> {
        let rows = sqlx::query(
            "WITH RECURSIVE way (id, parent_id, role, content, depth) AS (
                 SELECT id, parent_id, role, content, 1 FROM messages WHERE id = $1 AND chat_id = $2
                 UNION ALL
                 SELECT m.id, m.parent_id, m.role, m.content, way.depth + 1
                 FROM messages m JOIN way ON m.id = way.parent_id WHERE way.depth < $3)
             SELECT role, content FROM way ORDER BY depth DESC",
        )
        .bind(leaf.to_string())
        .bind(chat.to_string())
        .bind(max as i64)
        .fetch_all(self.db.pool())
        .await?;
        let turn = |row: &AnyRow| Ok(Turn { role: row.word("role")?, content: row.text("content")? });
        Ok(rows.iter().map(turn).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Writes how an answer came out.
    pub async fn finish(
        &self,
        id: MessageId,
        answer: &FinishedAnswer,
        now: Timestamp,
    ) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE messages SET state = $2, content = $3, search_text = $4, reasoning = $5, model = $6, sources = $7,
                    dropped = $8, citations = $9, outcome = $10, grounded = $11, truncated = $12, cached = $13,
                    prompt_tokens = $14, completion_tokens = $15, timings = $16, error_code = $17,
                    error_message = $18, finished_at = $19, instance = NULL
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(word_of(&answer.state))
        .bind(answer.content.as_str())
        .bind(anwen_text::normalize(&answer.content))
        .bind(Some(answer.reasoning.clone()).filter(|text| !text.is_empty()))
        .bind(answer.model.as_str())
        .bind(json_of(&answer.sources))
        .bind(i64::from(answer.dropped))
        .bind(json_of(&answer.citations))
        .bind(answer.outcome.as_ref().map(word_of))
        .bind(i64::from(answer.grounded))
        .bind(i64::from(answer.truncated))
        .bind(i64::from(answer.cached))
        .bind(i64::from(answer.usage.prompt_tokens))
        .bind(i64::from(answer.usage.completion_tokens))
        .bind(json_of(&answer.timings_ms))
        .bind(answer.error.as_ref().map(|error| error.code.clone()))
        .bind(answer.error.as_ref().map(|error| error.message.clone()))
        .bind(now.as_millis())
        .execute(self.db.pool())
        .await?;
        Ok(())
    }

    /// Marks as failed what nobody writes any more: answers of this instance from before its start, and any that are
    /// older than a generation may be.
    pub async fn fail_abandoned(&self, instance: &str, older_than: Timestamp) -> Result<u64, DbError> {
        let result = sqlx::query(
            "UPDATE messages SET state = 'failed', instance = NULL, error_code = 'generation_failed',
                    error_message = 'the server stopped while it wrote this answer; ask again'
             WHERE state = 'running' AND (instance = $1 OR created_at < $2)",
        )
        .bind(instance)
        .bind(older_than.as_millis())
        .execute(self.db.pool())
        .await?;
        Ok(result.rows_affected())
    }

    pub async fn set_feedback(
        &self,
        id: MessageId,
        feedback: &Feedback,
        now: Timestamp,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO feedback (message_id, rating, comment, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (message_id) DO UPDATE SET rating = excluded.rating, comment = excluded.comment,
                                                    created_at = excluded.created_at",
        )
        .bind(id.to_string())
        .bind(i64::from(feedback.rating))
        .bind(feedback.comment.clone())
        .bind(now.as_millis())
        .execute(self.db.pool())
        .await?;
        Ok(())
    }

    /// The owner's messages that hold `query` (normalised text), newest first.
    pub async fn search(&self, owner: Owner, query: &str, limit: u32) -> Result<Vec<FoundMessage>, DbError> {
        let rows = sqlx::query(
            "SELECT m.id, m.chat_id, m.content, m.created_at, c.title
             FROM messages m JOIN chats c ON c.id = m.chat_id
             WHERE c.user_id = $1 AND ($2 = '' OR c.api_key_id = $2) AND m.search_text LIKE $3 ESCAPE '!'
             ORDER BY m.id DESC LIMIT $4",
        )
        .bind(owner.user.to_string())
        .bind(owner.confined_to.map(|key| key.to_string()).unwrap_or_default())
        .bind(format!("%{}%", escaped_for_like(query)))
        .bind(i64::from(limit))
        .fetch_all(self.db.pool())
        .await?;
        let found = |row: &AnyRow| {
            Ok(FoundMessage {
                chat_id: row.parsed("chat_id")?,
                chat_title: row.text("title")?,
                message_id: row.parsed("id")?,
                content: row.text("content")?,
                created_at: row.time("created_at")?,
            })
        };
        Ok(rows.iter().map(found).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Answers and tokens by user and day (UTC), newest day first.
    pub async fn usage(&self, from: Timestamp, to: Timestamp) -> Result<Vec<UsageRow>, DbError> {
        let rows = sqlx::query(
            "SELECT c.user_id, u.username, m.created_at / 86400000 AS day, COUNT(*) AS answers,
                    CAST(SUM(m.prompt_tokens) AS BIGINT) AS prompt_tokens,
                    CAST(SUM(m.completion_tokens) AS BIGINT) AS completion_tokens
             FROM messages m JOIN chats c ON c.id = m.chat_id JOIN users u ON u.id = c.user_id
             WHERE m.role = 'assistant' AND m.created_at >= $1 AND m.created_at < $2
             GROUP BY c.user_id, u.username, m.created_at / 86400000
             ORDER BY day DESC, u.username",
        )
        .bind(from.as_millis())
        .bind(to.as_millis())
        .fetch_all(self.db.pool())
        .await?;
        let usage = |row: &AnyRow| {
            Ok(UsageRow {
                user_id: row.parsed("user_id")?,
                username: row.text("username")?,
                day: Timestamp(row.int("day")? * 86_400_000),
                answers: row.int("answers")?,
                prompt_tokens: row.int("prompt_tokens")?,
                completion_tokens: row.int("completion_tokens")?,
            })
        };
        Ok(rows.iter().map(usage).collect::<Result<_, sqlx::Error>>()?)
    }
}

/// Answers and tokens of one user on one day.
#[derive(Debug, Clone)]
pub struct UsageRow {
    pub user_id: UserId,
    pub username: String,
    /// The day's first moment.
    pub day: Timestamp,
    pub answers: i64,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
}

/// Adds a question.
pub async fn insert_question(
    transaction: &mut WriteTransaction,
    chat: ChatId,
    id: MessageId,
    parent: Option<MessageId>,
    content: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO messages (id, chat_id, parent_id, role, content, search_text, state, sources, citations, created_at)
         VALUES ($1, $2, $3, 'user', $4, $5, 'done', '[]', '[]', $6)",
    )
    .bind(id.to_string())
    .bind(chat.to_string())
    .bind(parent.map(|id| id.to_string()))
    .bind(content)
    .bind(anwen_text::normalize(content))
    .bind(now.as_millis())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Adds an answer that is about to be written.
pub async fn insert_running(
    transaction: &mut WriteTransaction,
    chat: ChatId,
    id: MessageId,
    parent: MessageId,
    request: &AnswerRequest,
    instance: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO messages (id, chat_id, parent_id, role, content, search_text, state, instance, request, sources,
                               citations, created_at)
         VALUES ($1, $2, $3, 'assistant', '', '', 'running', $4, $5, '[]', '[]', $6)",
    )
    .bind(id.to_string())
    .bind(chat.to_string())
    .bind(parent.to_string())
    .bind(instance)
    .bind(json_of(request))
    .bind(now.as_millis())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn escaped_for_like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

fn message_from(row: &AnyRow) -> Result<Message, sqlx::Error> {
    let role: Author = row.word("role")?;
    let usage = Usage {
        prompt_tokens: row.int("prompt_tokens")? as u32,
        completion_tokens: row.int("completion_tokens")? as u32,
        total_tokens: (row.int("prompt_tokens")? + row.int("completion_tokens")?) as u32,
    };
    let error = row.maybe_text("error_code")?.map(|code| -> Result<Notice, sqlx::Error> {
        Ok(Notice { code, message: row.maybe_text("error_message")?.unwrap_or_default() })
    });
    let feedback = row.maybe_int("rating")?.map(|rating| -> Result<Feedback, sqlx::Error> {
        Ok(Feedback { rating: rating as i8, comment: row.maybe_text("comment")? })
    });
    Ok(Message {
        id: row.parsed("id")?,
        chat_id: row.parsed("chat_id")?,
        parent_id: row.maybe_parsed("parent_id")?,
        role,
        content: row.text("content")?,
        reasoning: row.maybe_text("reasoning")?,
        state: row.word("state")?,
        model: row.maybe_text("model")?,
        sources: row.json("sources")?,
        citations: row.json("citations")?,
        outcome: row.maybe_word("outcome")?,
        grounded: row.maybe_int("grounded")?.map(|flag| flag != 0),
        usage: (role == Author::Assistant).then_some(usage),
        error: error.transpose()?,
        feedback: feedback.transpose()?,
        created_at: row.time("created_at")?,
    })
}

fn stored_from(row: &AnyRow) -> Result<StoredAnswer, sqlx::Error> {
    Ok(StoredAnswer {
        message: message_from(row)?,
        request: row.maybe_json("request")?.unwrap_or_default(),
        dropped: row.int("dropped")? as u32,
        truncated: row.flag("truncated")?,
        cached: row.flag("cached")?,
        timings_ms: row.json("timings")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_would_read_as_a_pattern_is_escaped() {
        assert_eq!(escaped_for_like("100% a_b!"), "100!% a!_b!!");
    }
}
