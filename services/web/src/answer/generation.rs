//! Generations that run, and those that have just finished: they belong to the server, and any number of streams
//! follow them.

use super::frames::{Frame, Numbering};
use anwen_contract::chat::AnswerEvent;
use anwen_contract::{ApiError, ChatId, ErrorCode, MessageId, UserId};
use futures::Stream;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A generation and what it has said so far.
pub struct Generation {
    pub message_id: MessageId,
    pub chat_id: ChatId,
    pub user_id: UserId,
    /// Stops it; what was written is kept.
    pub stop: CancellationToken,
    log: Mutex<Log>,
    /// How many frames there are, for those who wait for the next.
    length: watch::Sender<usize>,
    followers: AtomicUsize,
}

/// The frames so far. Bounded by the bounds on an answer's text, which the pipeline keeps.
#[derive(Default)]
struct Log {
    frames: Vec<Arc<Frame>>,
    numbering: Numbering,
}

impl Generation {
    fn new(message_id: MessageId, chat_id: ChatId, user_id: UserId) -> Self {
        Self {
            message_id,
            chat_id,
            user_id,
            stop: CancellationToken::new(),
            log: Mutex::default(),
            length: watch::Sender::new(0),
            followers: AtomicUsize::new(0),
        }
    }

    /// Adds an event for everyone who follows, now or later.
    pub fn emit(&self, event: &AnswerEvent) {
        let mut log = lock(&self.log);
        if let Some(frame) = log.numbering.frame(event) {
            log.frames.push(Arc::new(frame));
            self.length.send_replace(log.frames.len());
        }
    }

    fn frame(&self, index: usize) -> Option<Arc<Frame>> {
        lock(&self.log).frames.get(index).cloned()
    }

    /// Waits until the last event is there.
    pub async fn finished(&self) {
        let mut length = self.length.subscribe();
        while lock(&self.log).frames.last().is_none_or(|frame| !frame.is_last) {
            if length.changed().await.is_err() {
                return;
            }
        }
    }

    /// The events after the one with the id `after`, up to the last, as they come.
    pub fn follow(
        self: &Arc<Self>,
        after: u64,
        followers_max: usize,
    ) -> Result<impl Stream<Item = Arc<Frame>> + Send + use<>, ApiError> {
        let follower = Follower::of(self, followers_max)?;
        let state = (follower, self.length.subscribe(), 0usize, false);
        Ok(futures::stream::unfold(state, move |(follower, mut length, mut index, ended)| async move {
            if ended {
                return None;
            }
            loop {
                match follower.0.frame(index) {
                    // Whoever has seen the end before is told it again, so that no stream is left waiting.
                    Some(frame) if frame.id > after || frame.is_last => {
                        let ended = frame.is_last;
                        return Some((frame, (follower, length, index + 1, ended)));
                    }
                    Some(_) => index += 1,
                    None => length.changed().await.ok()?,
                }
            }
        }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One of those who follow, counted until dropped.
struct Follower(Arc<Generation>);

impl Follower {
    fn of(generation: &Arc<Generation>, max: usize) -> Result<Self, ApiError> {
        let follower = Self(Arc::clone(generation));
        if generation.followers.fetch_add(1, Ordering::Relaxed) >= max {
            return Err(ApiError::new(
                ErrorCode::RateLimited,
                "too many streams follow this answer; close one",
            ));
        }
        Ok(follower)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bounds on how many generations run.
#[derive(Debug, Clone, Copy)]
pub struct GenerationLimits {
    pub running_max: usize,
    pub running_per_user_max: usize,
}

/// Every generation that this process knows.
#[derive(Clone)]
pub struct Generations {
    limits: GenerationLimits,
    known: Arc<Mutex<HashMap<MessageId, Arc<Generation>>>>,
    /// Running ones by user.
    running: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Generations {
    pub fn new(limits: GenerationLimits) -> Self {
        Self { limits, known: Arc::default(), running: Arc::default() }
    }

    /// Room for another generation of this user; given back when dropped.
    pub fn admit(&self, user: UserId) -> Result<Slot, ApiError> {
        let mut running = lock(&self.running);
        if running.values().sum::<usize>() >= self.limits.running_max {
            return Err(ApiError::new(
                ErrorCode::ModelBusy,
                "the server answers as many questions as it can; try again",
            ));
        }
        let mine = running.entry(user).or_default();
        if *mine >= self.limits.running_per_user_max {
            let message = "you have as many answers under way as one user may; wait for one, or stop it";
            return Err(ApiError::new(ErrorCode::RateLimited, message));
        }
        *mine += 1;
        metrics::gauge!("anwen_generations_running").increment(1.0);
        Ok(Slot { user, running: Arc::clone(&self.running) })
    }

    /// A new generation that streams can find.
    pub fn begin(&self, message_id: MessageId, chat_id: ChatId, user_id: UserId) -> Arc<Generation> {
        let generation = Arc::new(Generation::new(message_id, chat_id, user_id));
        lock(&self.known).insert(message_id, Arc::clone(&generation));
        generation
    }

    pub fn get(&self, message_id: MessageId) -> Option<Arc<Generation>> {
        lock(&self.known).get(&message_id).cloned()
    }

    /// Forgets a generation; those who still follow it keep it.
    pub fn forget(&self, message_id: MessageId) {
        lock(&self.known).remove(&message_id);
    }

    pub fn stop_all_of(&self, user: UserId) {
        self.stop_where(|generation| generation.user_id == user);
    }

    pub fn stop_all_in(&self, chat: ChatId) {
        self.stop_where(|generation| generation.chat_id == chat);
    }

    /// Whether no answer is being written.
    pub fn is_idle(&self) -> bool {
        lock(&self.running).is_empty()
    }

    fn stop_where(&self, matches: impl Fn(&Generation) -> bool) {
        for generation in lock(&self.known).values().filter(|generation| matches(generation)) {
            generation.stop.cancel();
        }
    }
}

/// The right to run one generation.
pub struct Slot {
    user: UserId,
    running: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        if let Some(count) = running.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.user);
            }
        }
        metrics::gauge!("anwen_generations_running").decrement(1.0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use anwen_contract::chat::{Outcome, Step};
    use anwen_contract::model::Usage;
    use futures::StreamExt as _;
    use std::collections::BTreeMap;

    fn generations() -> Generations {
        Generations::new(GenerationLimits { running_max: 3, running_per_user_max: 2 })
    }

    fn done(id: MessageId) -> AnswerEvent {
        AnswerEvent::Done {
            message_id: id,
            model: "m".into(),
            usage: Usage::default(),
            timings_ms: BTreeMap::new(),
            outcome: Outcome::Answered,
            grounded: true,
            truncated: false,
            cached: false,
        }
    }

    #[tokio::test]
    async fn everyone_who_follows_sees_every_event_whenever_they_come() {
        let generation = generations().begin(MessageId::new(), ChatId::new(), UserId::new());
        generation.emit(&AnswerEvent::Message { id: generation.message_id, parent_id: None });
        let early = generation.follow(0, 9).unwrap();
        let early = tokio::spawn(early.map(|frame| frame.name).collect::<Vec<_>>());
        generation.emit(&AnswerEvent::Status { step: Step::Generating, position: None, detail: None });
        generation.emit(&AnswerEvent::Delta { text: "a".into() });
        generation.emit(&done(generation.message_id));
        let expected = ["message", "status", "delta", "done"];
        assert_eq!(early.await.unwrap(), expected);
        let late: Vec<_> = generation.follow(0, 9).unwrap().map(|frame| frame.name).collect().await;
        assert_eq!(late, expected);
        let resumed: Vec<_> = generation.follow(2, 9).unwrap().map(|frame| frame.name).collect().await;
        assert_eq!(resumed, ["delta", "done"]);
        generation.finished().await;
    }

    #[tokio::test]
    async fn followers_are_bounded_and_leave_their_place() {
        let generation = generations().begin(MessageId::new(), ChatId::new(), UserId::new());
        let first = generation.follow(0, 1).unwrap();
        assert!(generation.follow(0, 1).is_err());
        drop(first);
        assert!(generation.follow(0, 1).is_ok());
    }

    #[test]
    fn a_user_and_the_server_have_their_bounds() {
        let generations = generations();
        let (first, second) = (UserId::new(), UserId::new());
        let slots = [generations.admit(first).unwrap(), generations.admit(first).unwrap()];
        assert_eq!(generations.admit(first).err().map(|error| error.code), Some(ErrorCode::RateLimited));
        let third = generations.admit(second).unwrap();
        assert_eq!(generations.admit(second).err().map(|error| error.code), Some(ErrorCode::ModelBusy));
        drop((slots, third));
        assert!(generations.admit(first).is_ok());
    }
}
