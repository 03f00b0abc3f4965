//! Models of other, OpenAI-compatible servers.
//!
//! A request goes to the replica with the fewest requests running; before the first word of an answer has come it is sent
//! to another one when that fails, and never after. `breaker` decides whom to leave alone, `body` and `answer` translate,
//! `replicas` speaks HTTP.

mod answer;
mod body;
mod breaker;
mod events;
mod replicas;
mod settings;

use std::collections::VecDeque;
use std::sync::Arc;

use anwen_contract::model::ModelCapabilities;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream;
use reqwest::Response;
use serde_json::{Value, json};

pub use replicas::{ReplicaState, Upstream};
pub use settings::{UpstreamModelSettings, UpstreamSettings};

use super::{ChatEvent, ChatEvents, ChatJob, EmbedJob, Embeddings, Engine};
use crate::error::RuntimeError;
use answer::AnswerReader;
use events::DataLines;
use replicas::Lease;

/// The end of a stream.
const DONE: &str = "[DONE]";

/// One model of an [`Upstream`].
pub struct UpstreamEngine {
    upstream: Arc<Upstream>,
    /// Its name here.
    name: String,
    /// Its name there.
    model: String,
    settings: UpstreamModelSettings,
}

impl UpstreamEngine {
    pub fn new(upstream: Arc<Upstream>, name: &str, settings: &UpstreamModelSettings) -> Self {
        let model = if settings.model.is_empty() { name } else { &settings.model };
        Self { upstream, name: name.to_owned(), model: model.to_owned(), settings: settings.clone() }
    }
}

#[async_trait]
impl Engine for UpstreamEngine {
    fn name(&self) -> &'static str {
        "upstream"
    }

    fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities {
            chat: self.settings.chat,
            embed: self.settings.embed,
            rerank: self.settings.rerank,
            vision: self.settings.vision,
            tools: self.settings.tools,
            thinking: false,
            quotes: false,
        }
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.settings.context_tokens).filter(|tokens| *tokens > 0)
    }

    fn dimensions(&self) -> Option<usize> {
        Some(self.settings.dimensions).filter(|dimensions| *dimensions > 0)
    }

    fn concurrency(&self) -> usize {
        self.upstream.settings().concurrency
    }

    async fn chat(&self, job: ChatJob) -> Result<ChatEvents, RuntimeError> {
        let (path, body) = body::chat_body(&self.model, &job)?;
        let mut answering = Answering {
            upstream: Arc::clone(&self.upstream),
            model: self.name.clone(),
            path,
            body,
            tries: 0,
            connection: None,
            pending: VecDeque::new(),
            spoken: false,
            ended: false,
        };
        answering.connect().await?;
        Ok(stream::unfold(answering, Answering::next).boxed())
    }

    async fn embed(&self, job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        let body = body::embed_body(&self.model, &job)?;
        let answer = self.upstream.call(&self.name, "embeddings", &body).await?;
        answer::embeddings(answer, job.inputs.len())
    }

    async fn rerank(&self, query: &str, documents: &[String]) -> Result<Vec<f32>, RuntimeError> {
        let body = json!({"model": self.model, "query": query, "documents": documents});
        let answer = self.upstream.call(&self.name, "rerank", &body).await?;
        answer::relevances(answer, documents.len())
    }
}

/// A stream from one replica.
struct Connection {
    response: Response,
    lease: Lease,
    lines: DataLines,
    reader: AnswerReader,
}

/// An answer that comes. Dropping it closes the connection, by which the server knows that nobody listens.
struct Answering {
    upstream: Arc<Upstream>,
    model: String,
    path: &'static str,
    body: Value,
    tries: u32,
    connection: Option<Connection>,
    pending: VecDeque<ChatEvent>,
    /// An event has been handed on: from here on nothing is tried again.
    spoken: bool,
    ended: bool,
}

impl Answering {
    async fn connect(&mut self) -> Result<(), RuntimeError> {
        // The old one counts as running until it is gone.
        self.connection = None;
        let timeout = self.upstream.settings().first_token_timeout();
        let sent = self.upstream.send(&self.model, self.path, &self.body, timeout, &mut self.tries).await?;
        let (response, lease) = sent;
        let (lines, reader) = (DataLines::default(), AnswerReader::default());
        self.connection = Some(Connection { response, lease, lines, reader });
        Ok(())
    }

    async fn next(mut self) -> Option<(Result<ChatEvent, RuntimeError>, Self)> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.spoken = true;
                return Some((Ok(event), self));
            }
            if self.ended {
                return None;
            }
            if let Err(failure) = self.pull().await {
                if let Some(connection) = &mut self.connection {
                    connection.lease.failed(&cause_of(&failure));
                }
                if let Err(failure) = self.recover(failure).await {
                    self.ended = true;
                    self.connection = None;
                    return Some((Err(failure), self));
                }
            }
        }
    }

    /// Another attempt, as long as nothing was handed on; otherwise the failure stays.
    async fn recover(&mut self, failure: RuntimeError) -> Result<(), RuntimeError> {
        if self.spoken || self.tries >= self.upstream.settings().attempts {
            return Err(failure);
        }
        tracing::info!(
            model = self.model,
            cause = cause_of(&failure),
            "an answer that had not begun is asked for again"
        );
        self.pending.clear();
        self.connect().await
    }

    /// Reads on: events into `pending`, or the end.
    async fn pull(&mut self) -> Result<(), RuntimeError> {
        let settings = self.upstream.settings();
        let patience = if self.spoken { settings.idle_timeout() } else { settings.first_token_timeout() };
        let failed = |cause: String| RuntimeError::GenerationFailed { cause };
        let Some(connection) = &mut self.connection else {
            return Err(failed("there is no connection".to_owned()));
        };
        let part = match tokio::time::timeout(patience, connection.response.chunk()).await {
            Err(_) => return Err(failed(format!("nothing came for {} ms", patience.as_millis()))),
            Ok(Err(cause)) => return Err(failed(cause.without_url().to_string())),
            Ok(Ok(part)) => part,
        };
        if let Some(bytes) = &part {
            connection.lines.push(bytes).map_err(|cause| failed(cause.to_string()))?;
        }
        let mut is_done = part.is_none();
        while let Some(data) = connection.lines.next() {
            if data == DONE {
                is_done = true;
                break;
            }
            self.pending.extend(connection.reader.read(&data)?);
        }
        if is_done {
            let reader = std::mem::take(&mut connection.reader);
            self.pending.extend(reader.end()?);
            connection.lease.succeeded();
            self.connection = None;
            self.ended = true;
        }
        Ok(())
    }
}

fn cause_of(failure: &RuntimeError) -> String {
    match failure {
        RuntimeError::GenerationFailed { cause } => cause.clone(),
        other => other.to_string(),
    }
}
