//! The engine around quote selection.

use std::sync::Arc;

use anwen_contract::model::{ModelCapabilities, QuotableDocument};
use anwen_text::is_han;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream;

use super::{Passage, Quote, WEIGHTS, select_quotes};
use crate::engine::static_embedding::{StaticModel, StaticScratch};
use crate::engine::{
    ChatEnd, ChatEvent, ChatEvents, ChatJob, Delta, Engine, FinishReason, Prompt, QuoteOutcome, Role,
    processor_concurrency, usage,
};
use crate::error::RuntimeError;

/// Characters of a question that are read.
const QUESTION_MAX_CHARS: usize = 2_000;

/// Answers by quoting the passages in the request.
pub struct ExtractiveEngine {
    /// Without it only shared words count.
    embedding: Option<Arc<StaticModel>>,
}

impl ExtractiveEngine {
    pub fn new(embedding: Option<Arc<StaticModel>>) -> Self {
        Self { embedding }
    }
}

/// The question: the last thing that the user said.
fn question_of(prompt: &Prompt) -> Result<&str, RuntimeError> {
    let question = match prompt {
        Prompt::Raw(text) => Some(text.as_str()),
        Prompt::Tokens(_) | Prompt::Infill { .. } => None,
        Prompt::Chat(turns) => {
            turns.iter().rev().find(|turn| turn.role == Role::User).map(|turn| turn.content.as_str())
        }
    };
    let question = question.map(str::trim).filter(|question| !question.is_empty());
    let question = question
        .ok_or_else(|| RuntimeError::Invalid("there is no question: send a user message".to_owned()))?;
    if question.chars().count() > QUESTION_MAX_CHARS {
        return Err(RuntimeError::Invalid(format!(
            "the question is longer than {QUESTION_MAX_CHARS} characters; shorten it"
        )));
    }
    Ok(question)
}

fn quotes(embedding: Option<&StaticModel>, question: &str, documents: &[QuotableDocument]) -> Vec<Quote> {
    let passages: Vec<Passage<'_>> = documents
        .iter()
        .map(|document| Passage {
            n: document.n,
            title: &document.title,
            text: &document.text,
            score: document.score,
        })
        .collect();
    let mut scratch = StaticScratch::default();
    select_quotes(question, &passages, &WEIGHTS, |text| match embedding {
        Some(model) => model.embed(text, &mut scratch),
        None => Vec::new(),
    })
}

/// The pieces of an answer: each quote, then its citation. Quotes of several lines and those after them stand in
/// paragraphs of their own, so that tables and lists stay what they are.
fn deltas(quotes: &[Quote]) -> Vec<String> {
    let mut deltas = Vec::with_capacity(quotes.len() * 2);
    for (index, quote) in quotes.iter().enumerate() {
        if index > 0 {
            let apart = quote.text.contains('\n') || quotes[index - 1].text.contains('\n');
            deltas.push(if apart { "\n\n" } else { "\n" }.to_owned());
        }
        deltas.push(quote.text.clone());
        // Behind the last cell of a row the citation would become a cell itself.
        let space = match quote.text.chars().next_back() {
            _ if quote.is_table => "\n\n",
            Some(last) if is_han(last) || !last.is_ascii() => "",
            _ => " ",
        };
        deltas.push(format!("{space}[{}]", quote.n));
    }
    deltas
}

#[async_trait]
impl Engine for ExtractiveEngine {
    fn name(&self) -> &'static str {
        "extractive"
    }

    fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities { chat: true, quotes: true, ..ModelCapabilities::default() }
    }

    fn context_tokens(&self) -> Option<usize> {
        None
    }

    fn concurrency(&self) -> usize {
        processor_concurrency()
    }

    async fn chat(&self, job: ChatJob) -> Result<ChatEvents, RuntimeError> {
        let question = question_of(&job.prompt)?.to_owned();
        let embedding = self.embedding.clone();
        let (deltas, end) = tokio::task::spawn_blocking(move || {
            let quotes = quotes(embedding.as_deref(), &question, &job.documents);
            let deltas = deltas(&quotes);
            let count = |text: &str| match &embedding {
                Some(model) => model.tokenizer().count_tokens(text),
                None => anwen_text::terms(text).len(),
            };
            let read =
                count(&question) + job.documents.iter().map(|document| count(&document.text)).sum::<usize>();
            let written = quotes.iter().map(|quote| count(&quote.text)).sum();
            let outcome = if quotes.is_empty() { QuoteOutcome::NotFound } else { QuoteOutcome::Quoted };
            (
                deltas,
                ChatEnd { outcome: Some(outcome), ..ChatEnd::new(FinishReason::Stop, usage(read, written)) },
            )
        })
        .await
        .map_err(RuntimeError::internal)?;
        let events =
            deltas.into_iter().map(|text| ChatEvent::Delta(Delta::text(text))).chain([ChatEvent::Done(end)]);
        Ok(stream::iter(events.map(Ok)).boxed())
    }
}
