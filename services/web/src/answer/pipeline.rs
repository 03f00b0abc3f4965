//! The steps of an answer: condense, retrieve, search the web, assemble the prompt, generate, verify.
//!
//! Each step says in the stream that it has begun. What has come out so far stands in the `Draft`, so that an answer
//! that is stopped or fails keeps it.

use super::check::check;
use super::citations::{cited_sentences, quoted_passages};
use super::condense;
use super::evidence::{self, Evidence};
use super::frames::MAX_TEXT_BYTES;
use super::prompt::{PromptPassage, assemble};
use super::refusal::may_answer;
use super::search_web::search_web;
use super::wording;
use super::write::write;
use crate::app::AppState;
use crate::chats::messages::{AnswerRequest, Turn};
use crate::settings::Answering;
use anwen_contract::ApiError;
use anwen_contract::chat::{AnswerEvent, Citation, Outcome, Source, Step};
use anwen_contract::client::CallContext;
use anwen_contract::knowledge::{Hit, MAX_READ_TOKENS, RetrieveFilters, RetrieveRequest};
use anwen_contract::model::{ChatRequest, ModelInfo, QuotableDocument, StreamOptions, Usage};
use futures::StreamExt as _;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The least that is left for a prompt when a model's context is small.
const MIN_PROMPT_TOKENS: u32 = 256;
/// An answer may take this share of a model's context.
const ANSWER_SHARE_OF_CONTEXT: u32 = 3;

/// Passages take at most one part in so many of a prompt; the rest is for the rules and the chat before.
const PASSAGES_SHARE: u32 = 2;
/// Less room than this is what passages have by themselves.
const MIN_READ_TOKENS: u32 = 200;

/// Characters of a question that an answerer that quotes reads.
const MAX_QUOTED_QUESTION_CHARS: usize = 2_000;

/// A question with everything that its answer depends on.
pub struct Question {
    pub content: String,
    /// The turns before it, oldest first.
    pub history: Vec<Turn>,
    pub request: AnswerRequest,
    pub model: ModelInfo,
    pub answering: Answering,
}

/// An answer as far as it has come.
#[derive(Debug, Default)]
pub struct Draft {
    pub text: String,
    pub reasoning: String,
    pub sources: Vec<Source>,
    pub dropped: u32,
    pub citations: Vec<Citation>,
    pub outcome: Option<Outcome>,
    pub truncated: bool,
    pub cached: bool,
    pub usage: Usage,
    pub timings_ms: BTreeMap<String, f64>,
}

impl Draft {
    /// Whether everything that the answer cites for is supported, and something is.
    pub fn is_grounded(&self) -> bool {
        !self.citations.is_empty()
            && self.citations.iter().all(|cited| {
                cited.supported
                    || self.citations.iter().any(|other| other.supported && other.sentence == cited.sentence)
            })
    }
}

/// Where a pipeline's events go.
pub type Emit<'a> = &'a (dyn Fn(AnswerEvent) + Send + Sync);

/// One run of the pipeline.
pub struct Run<'a> {
    pub app: &'a AppState,
    pub context: &'a CallContext,
    pub question: &'a Question,
    pub emit: Emit<'a>,
    pub started: Instant,
}

impl Run<'_> {
    pub fn status(&self, step: Step) {
        (self.emit)(AnswerEvent::Status { step, position: None, detail: None });
    }

    /// Adds text to the answer. Past its bound the rest is cut, and `false` says that writing should end.
    pub fn add_text(&self, draft: &mut Draft, text: &str) -> bool {
        let max_chars = self.app.config.answer.answer_max_chars;
        let room = max_chars.saturating_sub(draft.text.chars().count());
        let piece: String = text.chars().take(room).collect();
        if draft.text.len() + piece.len() <= MAX_TEXT_BYTES {
            draft.text.push_str(&piece);
            (self.emit)(AnswerEvent::Delta { text: piece.clone() });
        }
        let fits = piece.len() == text.len() && draft.text.len() < MAX_TEXT_BYTES;
        draft.truncated |= !fits;
        fits
    }
}

/// Answers the question. On failure the draft holds what was written before it.
pub async fn answer(run: &Run<'_>, draft: &mut Draft) -> Result<(), ApiError> {
    let query = timed(draft, "condense", condensed(run)).await?;
    let (evidence, relevance) = gather(run, &query, draft).await?;
    if !may_answer(&query, &evidence, relevance, run.app.config.answer.thresholds()) {
        refuse(run, draft, &evidence);
        return Ok(());
    }
    let (request, used) = request_for(run, &query, &evidence, draft);
    publish_sources(run, draft, &evidence, used);
    run.status(Step::Generating);
    let generating = Instant::now();
    let result = write(run, draft, &request).await;
    note(draft, "generate", generating.elapsed());
    result?;
    if draft.outcome == Some(Outcome::NotFound) && draft.text.is_empty() {
        run.add_text(draft, wording::not_found(&run.question.content));
    }
    run.status(Step::Verifying);
    let verifying = Instant::now();
    let sources = u32::try_from(used).unwrap_or(u32::MAX);
    let cited = match draft.outcome {
        Some(Outcome::Quoted) => quoted_passages(&draft.text, sources),
        _ => cited_sentences(&draft.text, sources),
    };
    draft.citations = check(cited, &evidence[..used]);
    note(draft, "verify", verifying.elapsed());
    Ok(())
}

/// The question as it can be searched for.
async fn condensed(run: &Run<'_>) -> Result<String, ApiError> {
    let question = &run.question.content;
    let history = &run.question.history;
    if history.is_empty() {
        return Ok(question.clone());
    }
    run.status(Step::Condensing);
    let model = &run.question.model;
    if model.capabilities.quotes || !model.capabilities.chat {
        return Ok(condense::with_earlier_question(question, history));
    }
    let deadline = Duration::from_millis(run.app.config.answer.condense_ms);
    let rewritten = tokio::time::timeout(deadline, rewritten(run)).await;
    match rewritten {
        Ok(Ok(Some(rewritten))) => Ok(rewritten),
        Ok(Err(cause)) => {
            tracing::warn!(code = %cause.code, "a follow-up was not rewritten; it is searched for as it stands");
            Ok(condense::with_earlier_question(question, history))
        }
        Ok(Ok(None)) | Err(_) => Ok(condense::with_earlier_question(question, history)),
    }
}

/// Tokens of a rewritten question at most.
const REWRITTEN_MAX_TOKENS: u32 = 160;

async fn rewritten(run: &Run<'_>) -> Result<Option<String>, ApiError> {
    let request = ChatRequest {
        model: run.question.model.id.clone(),
        messages: condense::rewriting_prompt(&run.question.content, &run.question.history),
        stream: true,
        stream_options: None,
        max_tokens: Some(REWRITTEN_MAX_TOKENS),
        temperature: Some(0.0),
        seed: Some(0),
        documents: Vec::new(),
    };
    let mut stream = run.app.model.chat(run.context, &request).await?;
    let mut text = String::new();
    while let Some(chunk) = stream.next().await {
        for choice in chunk?.choices {
            text.push_str(choice.delta.content.as_deref().unwrap_or_default());
        }
    }
    Ok(condense::accepted_rewriting(&text))
}

/// What the answer may rest on, and how likely that answers the question at all.
async fn gather(
    run: &Run<'_>,
    query: &str,
    draft: &mut Draft,
) -> Result<(Vec<Evidence>, Option<f32>), ApiError> {
    run.status(Step::Retrieving);
    let (hits, relevance, dropped) = timed(draft, "retrieve", retrieve(run, query)).await?;
    draft.dropped = dropped;
    let mut evidence = evidence::from_hits(hits);
    if !run.question.request.web_search {
        return Ok((evidence, relevance));
    }
    let pages = timed(draft, "search", search_web(run, query)).await?;
    let found = !pages.is_empty();
    evidence::add_pages(&mut evidence, query, pages);
    // Relevance speaks of the documents; with pages at hand, it is for the model to say that nothing answers.
    Ok((evidence, relevance.filter(|_| !found)))
}

/// Passages for the question: of the attached documents first, then of the chosen knowledge bases.
async fn retrieve(run: &Run<'_>, query: &str) -> Result<(Vec<Hit>, Option<f32>, u32), ApiError> {
    let request = &run.question.request;
    let query: String = query.chars().take(anwen_contract::knowledge::MAX_QUERY_CHARS).collect();
    let mut general = RetrieveRequest::new(query.clone());
    general.top_k = run.app.config.answer.top_k;
    general.read_tokens = read_tokens(run);
    general.knowledge_base_ids = Some(request.knowledge_base_ids.clone()).filter(|ids| !ids.is_empty());
    let knowledge = &run.app.knowledge;
    if request.attachments.is_empty() {
        let answer = knowledge.retrieve(run.context, &general).await?;
        return Ok((answer.hits, answer.relevance, answer.collapsed));
    }
    let mut attached = RetrieveRequest::new(query);
    attached.top_k = general.top_k;
    attached.read_tokens = general.read_tokens;
    attached.filters = Some(RetrieveFilters {
        document_ids: Some(request.attachments.clone()),
        ..RetrieveFilters::default()
    });
    let (attached, general) = tokio::try_join!(
        knowledge.retrieve(run.context, &attached),
        knowledge.retrieve(run.context, &general)
    )?;
    let relevance = match (attached.relevance, general.relevance) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    };
    let hits = attached.hits.into_iter().chain(general.hits).collect();
    Ok((hits, relevance, attached.collapsed + general.collapsed))
}

/// A language model reads on around each passage, as far as its prompt has room for all of them. What quotes picks
/// sentences, and is better off with the passages that were found.
fn read_tokens(run: &Run<'_>) -> Option<u32> {
    let config = &run.app.config.answer;
    if run.question.model.capabilities.quotes {
        return None;
    }
    let budget = match run.question.model.context_tokens {
        0 => config.prompt_max_tokens,
        context => context.min(config.prompt_max_tokens),
    };
    let each = budget / PASSAGES_SHARE / config.top_k.max(1);
    Some(each.min(MAX_READ_TOKENS)).filter(|&each| each >= MIN_READ_TOKENS)
}

/// Says that the documents do not say, with the nearest passages.
fn refuse(run: &Run<'_>, draft: &mut Draft, evidence: &[Evidence]) {
    publish_sources(run, draft, evidence, evidence.len());
    let question = &run.question.content;
    let text =
        if evidence.is_empty() { wording::nothing_found(question) } else { wording::not_found(question) };
    run.add_text(draft, text);
    draft.outcome = Some(Outcome::NotFound);
}

fn publish_sources(run: &Run<'_>, draft: &mut Draft, evidence: &[Evidence], used: usize) {
    draft.sources = evidence.iter().take(used).map(|evidence| evidence.source.clone()).collect();
    draft.dropped += u32::try_from(evidence.len() - draft.sources.len()).unwrap_or(u32::MAX);
    (run.emit)(AnswerEvent::Sources { items: draft.sources.clone(), dropped: draft.dropped });
}

/// What the model is asked, and how many of the passages that carries.
fn request_for(run: &Run<'_>, query: &str, evidence: &[Evidence], draft: &mut Draft) -> (ChatRequest, usize) {
    let question = run.question;
    let config = &run.app.config.answer;
    let mut request = ChatRequest {
        model: question.model.id.clone(),
        messages: Vec::new(),
        stream: true,
        stream_options: Some(StreamOptions { include_usage: true }),
        max_tokens: Some(config.answer_max_tokens),
        temperature: Some(0.0),
        seed: Some(0),
        documents: Vec::new(),
    };
    if question.model.capabilities.quotes {
        let query: String = query.chars().take(MAX_QUOTED_QUESTION_CHARS).collect();
        request.messages = vec![anwen_contract::model::ChatTurn::new("user", query)];
        request.documents = evidence.iter().map(quotable).collect();
        return (request, evidence.len());
    }
    let budget = match question.model.context_tokens {
        0 => config.prompt_max_tokens,
        context => {
            let answer = config.answer_max_tokens.min(context / ANSWER_SHARE_OF_CONTEXT);
            request.max_tokens = Some(answer);
            (context - answer).clamp(MIN_PROMPT_TOKENS, config.prompt_max_tokens.max(MIN_PROMPT_TOKENS))
        }
    };
    let passages: Vec<PromptPassage> = evidence
        .iter()
        .map(|evidence| PromptPassage::new(&evidence.source, &evidence.headings, &evidence.text))
        .collect();
    let prompt =
        assemble(&question.content, &passages, &question.history, &question.answering.instructions, budget);
    draft.truncated |= prompt.truncated;
    request.messages = prompt.turns;
    (request, prompt.passages_used)
}

fn quotable(evidence: &Evidence) -> QuotableDocument {
    let mut title = evidence.source.title.clone();
    if !evidence.headings.is_empty() {
        title = format!("{title} > {}", evidence.headings.join(" > "));
    }
    QuotableDocument {
        n: evidence.source.n,
        title,
        text: evidence.text.clone(),
        score: evidence.source.score,
    }
}

/// Notes how long a step took, in milliseconds.
pub fn note(draft: &mut Draft, step: &str, took: Duration) {
    let millis = (took.as_secs_f64() * 1e5).round() / 100.0;
    draft.timings_ms.insert(step.to_owned(), millis);
}

async fn timed<T>(draft: &mut Draft, step: &str, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let result = work.await;
    note(draft, step, started.elapsed());
    result
}
