//! One generation, from the model's name to the last event: load, queue, generate, time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _};

use super::ApiState;
use crate::admission::{Entry, Progress, Slot, Waiting};
use crate::engine::{ChatEnd, ChatEvent, ChatEvents, ChatJob, Delta, TokenLogprob, ToolCall};
use crate::error::RuntimeError;
use crate::registry::LoadedModel;

/// A generation that has been accepted.
pub(super) struct Generation {
    pub model: Arc<LoadedModel>,
    /// Dropping it cancels the generation and frees its slot.
    pub events: BoxStream<'static, Result<Event, RuntimeError>>,
}

/// What happens in a generation, in order; `Done` is the last.
pub(super) enum Event {
    /// Requests before this one.
    Queued(u32),
    Delta(Delta),
    Reasoning(String),
    ToolCall(ToolCall),
    Done(ChatEnd, Timings),
}

/// Where the time of a generation went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timings {
    pub total: Duration,
    /// Of loading the model, when this request caused it.
    pub load: Duration,
    /// From the slot to the first word.
    pub prompt: Duration,
    /// From the first word to the last.
    pub generation: Duration,
}

/// A finished generation.
pub(super) struct Answer {
    pub text: String,
    pub reasoning: String,
    pub tool_calls: Vec<ToolCall>,
    /// Of the tokens of `text`; empty unless they were asked for.
    pub logprobs: Vec<TokenLogprob>,
    pub end: ChatEnd,
    pub timings: Timings,
}

/// Accepts a generation. What is wrong with the request, and a full queue, is an error here; what goes wrong after waiting
/// in the queue comes in the stream.
pub(super) async fn start(
    state: &ApiState,
    model: &str,
    mut job: ChatJob,
) -> Result<Generation, RuntimeError> {
    let started = Instant::now();
    let model = state.registry.acquire(model).await?;
    let load = started.elapsed();
    if !model.engine.capabilities().chat {
        return Err(RuntimeError::NotCapable { model: model.name.clone(), action: "chat" });
    }
    super::defaults::complete(&model, &mut job)?;
    let clock = Clock { started, load, slot_at: None, first_word_at: None };
    let timeout = state.config.generation_timeout();
    let events = match model.admission.enter(state.config.queue_timeout())? {
        Entry::Admitted(slot) => {
            let events = model.engine.chat(job).await?;
            running(Arc::clone(&model), slot, events, clock.with_slot(), timeout)
        }
        Entry::Queued(waiting) => queued(Arc::clone(&model), waiting, job, clock, timeout),
    };
    metrics::counter!("anwen_model_requests_total", "model" => model.name.clone(), "kind" => "chat")
        .increment(1);
    Ok(Generation { model, events })
}

/// The events of a generation that waits first.
fn queued(
    model: Arc<LoadedModel>,
    waiting: Waiting,
    job: ChatJob,
    clock: Clock,
    timeout: Duration,
) -> BoxStream<'static, Result<Event, RuntimeError>> {
    enum State {
        Waiting(Waiting, Box<ChatJob>),
        Running(BoxStream<'static, Result<Event, RuntimeError>>),
        Ended,
    }
    let first = State::Waiting(waiting, Box::new(job));
    stream::unfold(first, move |state| {
        let model = Arc::clone(&model);
        async move {
            match state {
                State::Waiting(mut waiting, job) => match waiting.next().await {
                    Ok(Progress::Position(position)) => {
                        Some((Some(Ok(Event::Queued(position))), State::Waiting(waiting, job)))
                    }
                    Ok(Progress::Admitted(slot)) => {
                        let clock = clock.with_slot();
                        record_queue_wait(&model, clock.started.elapsed());
                        match model.engine.chat(*job).await {
                            Ok(events) => {
                                Some((None, State::Running(running(model, slot, events, clock, timeout))))
                            }
                            Err(error) => Some((Some(Err(error)), State::Ended)),
                        }
                    }
                    Err(error) => Some((Some(Err(error)), State::Ended)),
                },
                State::Running(mut events) => {
                    events.next().await.map(|event| (Some(event), State::Running(events)))
                }
                State::Ended => None,
            }
        }
    })
    .filter_map(futures::future::ready)
    .boxed()
}

fn record_queue_wait(model: &LoadedModel, waited: Duration) {
    metrics::histogram!("anwen_model_queue_wait_seconds", "model" => model.name.clone())
        .record(waited.as_secs_f64());
}

/// The events of a generation that holds its slot; ends after its last event, an error, or `timeout`.
fn running(
    model: Arc<LoadedModel>,
    slot: Slot,
    events: ChatEvents,
    clock: Clock,
    timeout: Duration,
) -> BoxStream<'static, Result<Event, RuntimeError>> {
    let deadline = tokio::time::Instant::now() + timeout;
    // The slot and the model live as long as the events do.
    let state = Some((events, clock, slot, model));
    stream::unfold(state, move |state| async move {
        let (mut events, mut clock, slot, model) = state?;
        let event = tokio::time::timeout_at(deadline, events.next()).await;
        let event = match event {
            Err(_) => return Some((Err(RuntimeError::DeadlineExceeded), None)),
            Ok(None) => {
                let cause = "the engine ended without saying so".to_owned();
                return Some((Err(RuntimeError::GenerationFailed { cause }), None));
            }
            Ok(Some(event)) => event,
        };
        match event {
            Ok(ChatEvent::Delta(delta)) => {
                clock.word(&model);
                Some((Ok(Event::Delta(delta)), Some((events, clock, slot, model))))
            }
            Ok(ChatEvent::Reasoning(text)) => {
                clock.word(&model);
                Some((Ok(Event::Reasoning(text)), Some((events, clock, slot, model))))
            }
            Ok(ChatEvent::ToolCall(call)) => {
                clock.word(&model);
                Some((Ok(Event::ToolCall(call)), Some((events, clock, slot, model))))
            }
            Ok(ChatEvent::Done(end)) => {
                let timings = clock.timings();
                record_end(&model, &end, &timings);
                Some((Ok(Event::Done(end, timings)), None))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

fn record_end(model: &LoadedModel, end: &ChatEnd, timings: &Timings) {
    let labels = [("model", model.name.clone())];
    metrics::counter!("anwen_model_prompt_tokens_total", &labels)
        .increment(u64::from(end.usage.prompt_tokens));
    metrics::counter!("anwen_model_completion_tokens_total", &labels)
        .increment(u64::from(end.usage.completion_tokens));
    metrics::histogram!("anwen_model_generation_duration_seconds", &labels)
        .record(timings.total.as_secs_f64());
}

#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    load: Duration,
    slot_at: Option<Instant>,
    first_word_at: Option<Instant>,
}

impl Clock {
    fn with_slot(self) -> Self {
        Self { slot_at: Some(Instant::now()), ..self }
    }

    fn word(&mut self, model: &LoadedModel) {
        if self.first_word_at.is_none() {
            self.first_word_at = Some(Instant::now());
            metrics::histogram!("anwen_model_time_to_first_token_seconds", "model" => model.name.clone())
                .record(self.started.elapsed().as_secs_f64());
        }
    }

    fn timings(&self) -> Timings {
        let now = Instant::now();
        let slot_at = self.slot_at.unwrap_or(self.started);
        let first_word_at = self.first_word_at.unwrap_or(now);
        Timings {
            total: now - self.started,
            load: self.load,
            prompt: first_word_at.saturating_duration_since(slot_at),
            generation: now - first_word_at,
        }
    }
}

/// Runs a generation to its end.
pub(super) async fn collect(
    mut events: impl Stream<Item = Result<Event, RuntimeError>> + Unpin,
) -> Result<Answer, RuntimeError> {
    let mut text = String::new();
    let mut reasoning = String::new();
    let mut tool_calls = Vec::new();
    let mut logprobs = Vec::new();
    while let Some(event) = events.next().await {
        match event? {
            Event::Queued(_) => {}
            Event::Delta(delta) => {
                text.push_str(&delta.text);
                logprobs.extend(delta.logprobs);
            }
            Event::Reasoning(delta) => reasoning.push_str(&delta),
            Event::ToolCall(call) => tool_calls.push(call),
            Event::Done(end, timings) => {
                return Ok(Answer { text, reasoning, tool_calls, logprobs, end, timings });
            }
        }
    }
    Err(RuntimeError::GenerationFailed { cause: "the stream ended early".to_owned() })
}
