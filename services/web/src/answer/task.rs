//! A generation's life: admitted, written in a task of its own, stored, told to those who follow, forgotten.

use super::generation::{Generation, Slot};
use super::pipeline::{Draft, Question, Run, answer, note};
use crate::app::AppState;
use crate::chats::messages::FinishedAnswer;
use anwen_contract::chat::{AnswerEvent, MessageState, Outcome};
use anwen_contract::client::CallContext;
use anwen_contract::knowledge::Notice;
use anwen_contract::{ApiError, ErrorCode, MessageId, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument as _;

/// How often answers are looked for that nobody writes any more.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Beyond its deadline, a generation has this long to be stored before it counts as abandoned.
const STORE_GRACE_MS: i64 = 60_000;
/// How often storing an answer is tried.
const STORE_ATTEMPTS: u32 = 3;

/// How the writing ended.
enum Ended {
    Complete,
    Stopped,
    Failed(ApiError),
}

/// Runs the generation to its end, whoever follows it.
pub fn spawn(
    app: &AppState,
    generation: Arc<Generation>,
    slot: Slot,
    context: CallContext,
    question: Question,
    parent: MessageId,
) {
    let task_app = app.clone();
    let span = tracing::info_span!("answer", service = "web", message_id = %generation.message_id);
    let writing = async move {
        let _slot = slot;
        generation.emit(&AnswerEvent::Message { id: generation.message_id, parent_id: Some(parent) });
        let mut draft = Draft::default();
        let started = Instant::now();
        let ended = run_to_end(&task_app, &generation, &context, &question, &mut draft, started).await;
        note(&mut draft, "total", started.elapsed());
        finish(&task_app, &generation, question, draft, ended).await;
        let (app, id) = (task_app.clone(), generation.message_id);
        // Not tracked: a shutdown need not wait for it.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(app.config.answer.replay_seconds)).await;
            app.generations.forget(id);
        });
    };
    app.shutdown.spawn(writing.instrument(span));
}

async fn run_to_end(
    app: &AppState,
    generation: &Generation,
    context: &CallContext,
    question: &Question,
    draft: &mut Draft,
    started: Instant,
) -> Ended {
    let emit = |event: AnswerEvent| generation.emit(&event);
    let run = Run { app, context, question, emit: &emit, started };
    let shutdown = app.shutdown.token();
    tokio::select! {
        biased;
        () = generation.stop.cancelled() => Ended::Stopped,
        () = shutdown.cancelled() => {
            let message = "the server was stopped while it wrote this answer; ask again";
            Ended::Failed(ApiError::new(ErrorCode::ServiceUnavailable, message))
        }
        () = tokio::time::sleep(app.config.answer.deadline()) => {
            Ended::Failed(ApiError::new(ErrorCode::DeadlineExceeded, "the answer took too long and was ended"))
        }
        result = answer(&run, draft) => match result {
            Ok(()) => Ended::Complete,
            Err(failure) => Ended::Failed(failure),
        },
    }
}

/// Stores the answer, and only then says that it is done: who reads it back then finds it whole.
async fn finish(app: &AppState, generation: &Generation, question: Question, draft: Draft, ended: Ended) {
    let (state, outcome, failure) = match ended {
        Ended::Complete => (MessageState::Done, draft.outcome, None),
        Ended::Stopped => (MessageState::Stopped, Some(Outcome::Stopped), None),
        Ended::Failed(failure) => (MessageState::Failed, None, Some(failure)),
    };
    if let Some(failure) = &failure {
        let cause = failure.internal.as_deref().unwrap_or_default();
        tracing::warn!(message_id = %generation.message_id, code = %failure.code, cause, "an answer failed");
    }
    let label = outcome.as_ref().map_or_else(|| "failed".to_owned(), crate::rows::word_of);
    metrics::counter!("anwen_answers_total", "outcome" => label).increment(1);
    let grounded = draft.is_grounded();
    let answer = FinishedAnswer {
        state,
        content: draft.text,
        reasoning: draft.reasoning,
        model: question.model.id,
        sources: draft.sources,
        dropped: draft.dropped,
        citations: draft.citations,
        outcome,
        grounded,
        truncated: draft.truncated,
        cached: draft.cached,
        usage: draft.usage,
        timings_ms: draft.timings_ms,
        error: failure
            .as_ref()
            .map(|failure| Notice { code: failure.code.to_string(), message: failure.message.clone() }),
    };
    match store(app, generation.message_id, &answer).await {
        Ok(()) => tell_end(generation, answer),
        Err(failure) => {
            generation.emit(&AnswerEvent::Error { code: failure.code.to_string(), message: failure.message });
        }
    }
}

async fn store(app: &AppState, id: MessageId, answer: &FinishedAnswer) -> Result<(), ApiError> {
    for attempt in 1.. {
        match app.messages.finish(id, answer, Timestamp::now()).await {
            Ok(()) => return Ok(()),
            Err(cause) if attempt == STORE_ATTEMPTS => {
                tracing::error!(message_id = %id, %cause, "an answer could not be stored");
                return Err(cause.into());
            }
            Err(cause) => {
                tracing::warn!(message_id = %id, %cause, attempt, "storing an answer is tried again")
            }
        }
    }
    Ok(())
}

fn tell_end(generation: &Generation, answer: FinishedAnswer) {
    if let Some(Notice { code, message }) = answer.error {
        generation.emit(&AnswerEvent::Error { code, message });
        return;
    }
    generation.emit(&AnswerEvent::Citations { items: answer.citations });
    generation.emit(&AnswerEvent::Done {
        message_id: generation.message_id,
        model: answer.model,
        usage: answer.usage,
        timings_ms: answer.timings_ms,
        outcome: answer.outcome.unwrap_or(Outcome::Answered),
        grounded: answer.grounded,
        truncated: answer.truncated,
        cached: answer.cached,
    });
}

/// Ends, at start and every minute, the answers that nobody writes any more: those that this instance left when it
/// was killed, and those of others that are past any deadline.
pub async fn sweep_abandoned(app: AppState) {
    let longest_ms = i64::try_from(app.config.answer.deadline_seconds).unwrap_or(i64::MAX / 2_000) * 1_000;
    let mut instance = app.config.instance.clone();
    let shutdown = app.shutdown.token();
    loop {
        let older_than = Timestamp::now().plus_millis(-longest_ms - STORE_GRACE_MS);
        match app.messages.fail_abandoned(&instance, older_than).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "answers that were left unfinished are marked as failed"),
            Err(cause) => tracing::warn!(%cause, "unfinished answers could not be looked for"),
        }
        // From here on, what this instance writes is alive. No instance has an empty name.
        instance.clear();
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}
