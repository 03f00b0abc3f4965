//! Chats, messages and the events of a streamed answer, in the public interface.

use crate::ids::{ChatId, ChunkId, DocumentId, FolderId, KnowledgeBaseId, MessageId};
use crate::knowledge::BoundingBox;
use crate::model::Usage;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most characters of a question.
pub const MAX_MESSAGE_CHARS: usize = 32_000;

/// A conversation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Chat {
    pub id: ChatId,
    pub title: String,
    /// The model that answers; `null` leaves the choice to the server.
    pub model: Option<String>,
    /// Where answers come from; empty means everything that the asker may read.
    pub knowledge_base_ids: Vec<KnowledgeBaseId>,
    pub web_search: bool,
    pub folder_id: Option<FolderId>,
    pub archived: bool,
    pub pinned: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The body of `POST /chats`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct CreateChat {
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub knowledge_base_ids: Option<Vec<KnowledgeBaseId>>,
    #[serde(default)]
    pub web_search: Option<bool>,
}

/// The body of `PATCH /chats/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct UpdateChat {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_base_ids: Option<Vec<KnowledgeBaseId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    User,
    Assistant,
}

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    Running,
    Done,
    Stopped,
    Failed,
}

/// One message of a chat.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Message {
    pub id: MessageId,
    pub chat_id: ChatId,
    /// The message that this one follows; `null` at the root.
    pub parent_id: Option<MessageId>,
    pub role: Author,
    pub content: String,
    #[serde(default)]
    pub reasoning: Option<String>,
    pub state: MessageState,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub sources: Vec<Source>,
    #[serde(default)]
    pub citations: Vec<Citation>,
    #[serde(default)]
    pub outcome: Option<Outcome>,
    #[serde(default)]
    pub grounded: Option<bool>,
    #[serde(default)]
    pub usage: Option<Usage>,
    #[serde(default)]
    pub error: Option<crate::knowledge::Notice>,
    #[serde(default)]
    pub feedback: Option<Feedback>,
    pub created_at: Timestamp,
}

/// The body of `POST /chats/{id}/messages`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct PostMessage {
    pub content: String,
    /// The message that this one follows. Absent: the newest of the chat; `null`: none, a new beginning.
    #[serde(default)]
    pub parent_id: Option<MessageId>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub knowledge_base_ids: Option<Vec<KnowledgeBaseId>>,
    #[serde(default)]
    pub web_search: Option<bool>,
    /// What is sent to search engines, where the asker has seen and confirmed it.
    #[serde(default)]
    pub web_query: Option<String>,
    /// Documents to ask about besides.
    #[serde(default)]
    pub attachments: Option<Vec<DocumentId>>,
}

/// The body of `POST /chats/{id}/messages/{mid}/regenerate`; it may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Regenerate {
    /// Another model than the one before.
    #[serde(default)]
    pub model: Option<String>,
}

/// What the reader thought of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feedback {
    /// 1 or -1.
    pub rating: i8,
    #[serde(default)]
    pub comment: Option<String>,
}

/// Where a source comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    Document,
    Web,
}

/// A passage that an answer may cite as `[n]`. It is kept with the message, so that an old answer can still be
/// checked after its document has changed or gone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Source {
    pub n: u32,
    pub kind: SourceKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_id: Option<ChunkId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_id: Option<DocumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_base_id: Option<KnowledgeBaseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_start: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_end: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<Vec<BoundingBox>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub title: String,
    pub excerpt: String,
    pub score: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// The categories of word lists that a page of the web was flagged with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// One checked sentence of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Citation {
    /// The source that the sentence cites.
    pub n: u32,
    pub sentence: String,
    /// Whether the cited passage supports the sentence.
    pub supported: bool,
    /// 0 to 1.
    pub score: f32,
    /// Where in the cited document the supporting words stand; empty where the format has no pages.
    #[serde(default)]
    pub boxes: Vec<BoundingBox>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Answered,
    /// Sentences of the documents, by the built-in answerer.
    Quoted,
    /// The documents do not say.
    NotFound,
    /// The question was asked back.
    Clarify,
    Stopped,
}

/// The steps of an answer that a `status` event names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Queued,
    Condensing,
    Retrieving,
    Searching,
    Reading,
    Generating,
    Verifying,
}

/// An event of the answer stream. On the wire: `event: <name>`, `id: <number>`, `data: <the fields>`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum AnswerEvent {
    Message {
        id: MessageId,
        parent_id: Option<MessageId>,
    },
    Status {
        step: Step,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    Sources {
        items: Vec<Source>,
        /// Passages that were found but did not fit.
        dropped: u32,
    },
    Reasoning {
        text: String,
    },
    Delta {
        text: String,
    },
    Citations {
        items: Vec<Citation>,
    },
    Done {
        message_id: MessageId,
        model: String,
        usage: Usage,
        timings_ms: BTreeMap<String, f64>,
        outcome: Outcome,
        grounded: bool,
        truncated: bool,
        cached: bool,
    },
    Error {
        code: String,
        message: String,
    },
}

impl AnswerEvent {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Status { .. } => "status",
            Self::Sources { .. } => "sources",
            Self::Reasoning { .. } => "reasoning",
            Self::Delta { .. } => "delta",
            Self::Citations { .. } => "citations",
            Self::Done { .. } => "done",
            Self::Error { .. } => "error",
        }
    }

    /// The JSON text of the event's fields.
    pub fn data(&self) -> String {
        let whole = serde_json::to_value(self).unwrap_or_default();
        whole.get("data").cloned().unwrap_or_default().to_string()
    }

    /// Whether the stream ends with this event.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Error { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_name_and_its_fields() {
        let event = AnswerEvent::Status { step: Step::Queued, position: Some(2), detail: None };
        assert_eq!(event.name(), "status");
        let data: serde_json::Value = serde_json::from_str(&event.data()).unwrap_or_default();
        assert_eq!(data, serde_json::json!({"position": 2, "step": "queued"}));
        assert!(!event.is_last());
        let event = AnswerEvent::Error { code: "model_busy".into(), message: "wait".into() };
        assert!(event.is_last());
    }
}
