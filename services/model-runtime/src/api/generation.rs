//! One generation, from the model's name to the last event: route, load, look for a kept answer, queue, generate, time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anwen_contract::model::{RoutedNote, RuntimeNote};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _};
use tracing::Span;
use tracing::field::Empty;

use super::ApiState;
use super::asking::Asking;
use super::measure::{Clock, Timings};
use crate::admission::{Entry, Priority, Progress, Slot, Waiting};
use crate::cache::{Cache, CacheUse, KeptAnswer, Key, bytes_of, chat_key, may_keep};
use crate::engine::{ChatEnd, ChatEvent, ChatEvents, ChatJob, Delta, TokenLogprob, ToolCall};
use crate::error::RuntimeError;
use crate::registry::LoadedModel;
use crate::routing::Features;

/// A generation that has been accepted.
pub(super) struct Generation {
    pub model: Arc<LoadedModel>,
    /// What is known beside the answer before it begins; [`note_of`] adds the end.
    pub note: RuntimeNote,
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

/// What stands beside an answer in both interfaces: what was known at its begin, and how it ended. `None` when there is
/// nothing to say.
pub(super) fn note_of(begin: &RuntimeNote, end: &ChatEnd) -> Option<RuntimeNote> {
    let positive = |number: u32| (number > 0).then_some(number);
    let note = RuntimeNote {
        outcome: end.outcome.map(|outcome| outcome.as_str().to_owned()),
        truncated: (end.dropped_turns > 0).then_some(true),
        dropped_turns: positive(end.dropped_turns),
        cached_tokens: positive(end.cached_tokens),
        ..begin.clone()
    };
    (note != RuntimeNote::default()).then_some(note)
}

/// Accepts a generation. What is wrong with the request, and a full queue, is an error here; what goes wrong after waiting
/// in the queue comes in the stream.
pub(super) async fn start(
    state: &ApiState,
    asking: &Asking,
    model: &str,
    mut job: ChatJob,
) -> Result<Generation, RuntimeError> {
    let started = Instant::now();
    let routed = route(state, asking, model, &job);
    let name = routed.as_ref().map_or(model, |routed| routed.model.as_str());
    let model = state.registry.acquire_as(name, asking.wish).await?;
    let clock = Clock::new(started, model.load_since(started));
    if !model.engine.capabilities().chat {
        return Err(RuntimeError::NotCapable { model: model.name.clone(), action: "chat" });
    }
    super::defaults::complete(&model, &mut job)?;
    metrics::counter!("anwen_model_requests_total", "model" => model.name.clone(), "kind" => "chat")
        .increment(1);
    let mut note = RuntimeNote { routed, ..RuntimeNote::default() };
    let key = key_of(&model, &job, asking.cache);
    if let Some(kept) = key.and_then(|key| state.cache.answer(&model.name, &key)) {
        note.cached = Some(true);
        return Ok(Generation { model, note, events: replayed(&kept, clock) });
    }
    let recorder =
        key.map(|key| Recorder::new(Arc::clone(&state.cache), key, state.config.cache.answer_bytes));
    let mut run = Run {
        span: tracing::info_span!("generate", model = model.name, completion_tokens = Empty),
        timeout: state.config.generation_timeout(),
        recorder,
        clock,
        model: Arc::clone(&model),
        ended: false,
    };
    let ask = asking.ask(&state.config, Priority::Interactive);
    let events = match model.admission.enter(&ask)? {
        Entry::Admitted(slot) => {
            run.clock.slot(&model.name, ask.priority);
            let events = model.engine.chat(job).await.inspect_err(|_| run.ended = true)?;
            running(run, slot, events)
        }
        Entry::Queued(waiting) => queued(run, waiting, job, ask.priority),
    };
    Ok(Generation { model, note, events })
}

/// What a virtual model makes of the request.
fn route(state: &ApiState, asking: &Asking, model: &str, job: &ChatJob) -> Option<RoutedNote> {
    let name = state.registry.unaliased(model);
    if !state.routes.has(name) {
        return None;
    }
    let routed = state.routes.choose(name, &Features::of(job, &asking.groups), &*state.registry)?;
    let labels = [("route", name.to_owned()), ("rule", routed.rule.clone()), ("model", routed.model.clone())];
    metrics::counter!("anwen_model_routed_total", &labels).increment(1);
    Some(routed)
}

/// Under which key the answer is kept; `None` where it is not.
fn key_of(model: &LoadedModel, job: &ChatJob, wish: CacheUse) -> Option<Key> {
    // Which weights another server runs nobody here knows: its answers are kept only where the request says so.
    let may_change = model.engine.name() == "upstream" && wish != CacheUse::Always;
    (!may_change && may_keep(job, wish)).then(|| chat_key(&model.identity(), job))
}

/// The events of an answer that was kept.
fn replayed(kept: &KeptAnswer, clock: Clock) -> BoxStream<'static, Result<Event, RuntimeError>> {
    let timings = clock.timings();
    let events: Vec<_> = kept.iter().cloned().map(|event| Ok(event_of(event, timings))).collect();
    stream::iter(events).boxed()
}

fn event_of(event: ChatEvent, timings: Timings) -> Event {
    match event {
        ChatEvent::Delta(delta) => Event::Delta(delta),
        ChatEvent::Reasoning(text) => Event::Reasoning(text),
        ChatEvent::ToolCall(call) => Event::ToolCall(call),
        ChatEvent::Done(end) => Event::Done(end, timings),
    }
}

/// Keeps an answer while it comes.
struct Recorder {
    cache: Arc<Cache>,
    key: Key,
    events: Vec<ChatEvent>,
    /// Bytes that may still come; what is longer is not kept.
    bytes_left: usize,
}

impl Recorder {
    fn new(cache: Arc<Cache>, key: Key, max_bytes: usize) -> Self {
        Self { cache, key, events: Vec::new(), bytes_left: max_bytes }
    }

    /// Takes an event in; `None` when the answer is too long to be kept.
    fn record(mut self, event: &ChatEvent) -> Option<Self> {
        self.bytes_left = self.bytes_left.checked_sub(bytes_of(event))?;
        self.events.push(event.clone());
        if matches!(event, ChatEvent::Done(_)) {
            self.cache.keep_answer(self.key, self.events);
            return None;
        }
        Some(self)
    }
}

/// What a generation carries from its begin to its end.
struct Run {
    /// Open until the generation ends.
    span: Span,
    clock: Clock,
    timeout: Duration,
    recorder: Option<Recorder>,
    model: Arc<LoadedModel>,
    /// It has ended by itself.
    ended: bool,
}

impl Run {
    fn fail(&mut self, failure: RuntimeError) -> RuntimeError {
        self.ended = true;
        let labels = [("model", self.model.name.clone()), ("code", failure.code().as_str().to_owned())];
        metrics::counter!("anwen_model_generation_failures_total", &labels).increment(1);
        failure
    }

    /// Takes in an event of the engine, and hands it on.
    fn take(&mut self, event: ChatEvent) -> Event {
        if let Some(recorder) = self.recorder.take() {
            self.recorder = recorder.record(&event);
        }
        match &event {
            ChatEvent::Done(end) => {
                self.ended = true;
                self.span.record("completion_tokens", u64::from(end.usage.completion_tokens));
                self.clock.end(&self.model.name, end);
            }
            _ => self.clock.word(&self.model.name),
        }
        event_of(event, self.clock.timings())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.ended {
            metrics::counter!("anwen_model_cancelled_total", "model" => self.model.name.clone()).increment(1);
        }
    }
}

/// The events of a generation that waits first.
fn queued(
    run: Run,
    waiting: Waiting,
    job: ChatJob,
    priority: Priority,
) -> BoxStream<'static, Result<Event, RuntimeError>> {
    enum State {
        Waiting(Box<(Run, Waiting, ChatJob)>),
        Running(BoxStream<'static, Result<Event, RuntimeError>>),
        Ended,
    }
    let first = State::Waiting(Box::new((run, waiting, job)));
    stream::unfold(first, move |state| async move {
        match state {
            State::Waiting(mut waits) => match waits.1.next().await {
                Ok(Progress::Position(position)) => {
                    Some((Some(Ok(Event::Queued(position))), State::Waiting(waits)))
                }
                Ok(Progress::Admitted(slot)) => {
                    let (mut run, _, job) = *waits;
                    run.clock.slot(&run.model.name, priority);
                    let engine = Arc::clone(&run.model.engine);
                    match engine.chat(job).await {
                        Ok(events) => Some((None, State::Running(running(run, slot, events)))),
                        Err(error) => Some((Some(Err(run.fail(error))), State::Ended)),
                    }
                }
                Err(error) => Some((Some(Err(waits.0.fail(error))), State::Ended)),
            },
            State::Running(mut events) => {
                events.next().await.map(|event| (Some(event), State::Running(events)))
            }
            State::Ended => None,
        }
    })
    .filter_map(futures::future::ready)
    .boxed()
}

/// The events of a generation that holds its slot; ends after its last event, an error, or its time.
fn running(run: Run, slot: Slot, events: ChatEvents) -> BoxStream<'static, Result<Event, RuntimeError>> {
    let deadline = tokio::time::Instant::now() + run.timeout;
    // In the order in which they go when the caller does: the engine's stream, the model, and the slot, which tells the
    // registry that the model is idle.
    let state = Some((events, run, slot));
    stream::unfold(state, move |state| async move {
        let (mut events, mut run, slot) = state?;
        let event = match tokio::time::timeout_at(deadline, events.next()).await {
            Err(_) => Err(RuntimeError::DeadlineExceeded),
            Ok(None) => {
                Err(RuntimeError::GenerationFailed { cause: "the engine ended without saying so".to_owned() })
            }
            Ok(Some(event)) => event,
        };
        match event {
            Ok(event) => {
                let event = run.take(event);
                let rest = (!run.ended).then_some((events, run, slot));
                Some((Ok(event), rest))
            }
            Err(error) => Some((Err(run.fail(error)), None)),
        }
    })
    .boxed()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{FinishReason, usage};

    #[test]
    fn the_note_says_what_was_cut_and_what_was_there_already() {
        let end =
            ChatEnd { dropped_turns: 2, cached_tokens: 7, ..ChatEnd::new(FinishReason::Stop, usage(1, 1)) };
        let begin = RuntimeNote { cached: Some(true), ..RuntimeNote::default() };
        let expected = RuntimeNote {
            truncated: Some(true),
            dropped_turns: Some(2),
            cached_tokens: Some(7),
            ..begin.clone()
        };
        assert_eq!(note_of(&begin, &end), Some(expected));
        let plain = ChatEnd::new(FinishReason::Stop, usage(1, 1));
        assert_eq!(note_of(&RuntimeNote::default(), &plain), None);
    }
}
