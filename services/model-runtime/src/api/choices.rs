//! Several answers to one prompt: as many generations, each with its place in the model's queue.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::{ready, try_join_all};
use futures::stream::{self, BoxStream};

use anwen_contract::model::RuntimeNote;

use super::ApiState;
use super::asking::Asking;
use super::generation::{self, Answer, Event, Generation};
use crate::engine::{ChatJob, FinishReason};
use crate::error::RuntimeError;
use crate::registry::LoadedModel;

/// Whether an answer may call several tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ToolCalls {
    #[default]
    Many,
    /// Those after the first are left out.
    One,
}

/// The generations of one request.
pub(super) struct Choices {
    pub model: Arc<LoadedModel>,
    /// What is known beside the answers before they begin.
    pub note: RuntimeNote,
    generations: Vec<BoxStream<'static, Result<Event, RuntimeError>>>,
}

/// Accepts each of `jobs`, or none. A full queue is an error, as for one generation.
pub(super) async fn start(
    state: &ApiState,
    asking: &Asking,
    model: &str,
    jobs: Vec<ChatJob>,
    tool_calls: ToolCalls,
) -> Result<Choices, RuntimeError> {
    let mut jobs = VecDeque::from(jobs);
    let first = jobs.pop_front().ok_or_else(|| RuntimeError::Invalid("nothing was asked for".to_owned()))?;
    let Generation { model: loaded, note, events } = generation::start(state, asking, model, first).await?;
    let mut generations = vec![events];
    for job in jobs {
        generations.push(generation::start(state, asking, model, job).await?.events);
    }
    if tool_calls == ToolCalls::One {
        generations = generations.into_iter().map(only_one_call).collect();
    }
    Ok(Choices { model: loaded, note, generations })
}

/// `job` for `n` answers. A seed makes the whole request repeatable, and yet each answer another.
pub(super) fn repeated(job: &ChatJob, n: u32) -> impl Iterator<Item = ChatJob> {
    (0..n).map(move |index| {
        let mut job = job.clone();
        job.sampling.seed = job.sampling.seed.map(|seed| seed.wrapping_add(u64::from(index)));
        job
    })
}

fn only_one_call(
    events: BoxStream<'static, Result<Event, RuntimeError>>,
) -> BoxStream<'static, Result<Event, RuntimeError>> {
    let mut called = false;
    events
        .filter(move |event| {
            let is_call = matches!(event, Ok(Event::ToolCall(_)));
            let passes = !(is_call && called);
            called |= is_call;
            ready(passes)
        })
        .boxed()
}

impl Choices {
    /// Runs all of them to their end, at the same time. In the order of the jobs.
    pub(super) async fn collect(self) -> Result<Vec<Answer>, RuntimeError> {
        try_join_all(self.generations.into_iter().map(generation::collect)).await
    }

    /// What happens in each, as it happens, with the generation's index. Ends after the first failure.
    pub(super) fn events(self) -> BoxStream<'static, (usize, Result<Event, RuntimeError>)> {
        let numbered = self.generations.into_iter().enumerate();
        let merged = stream::select_all(
            numbered.map(|(index, events)| events.map(move |event| (index, event)).boxed()),
        );
        stream::unfold(Some(merged), |merged| async move {
            let mut merged = merged?;
            let (index, event) = merged.next().await?;
            let goes_on = event.is_ok().then_some(merged);
            Some(((index, event), goes_on))
        })
        .boxed()
    }
}

/// Ollama's word: tools are called by an answer that ended.
pub(super) fn ollama_finish(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::ToolCalls => FinishReason::Stop.as_str(),
        other => other.as_str(),
    }
}
