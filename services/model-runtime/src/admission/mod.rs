//! The bounded queue in front of a model: who runs, who waits at which place, and who is refused.
//!
//! [`Scheduler`] decides the order; this is the shell that waits and tells. A waiting request hears its position whenever
//! that changes, leaves the queue when its caller goes (its `Waiting` is dropped), and gives its place in the model up when
//! its `Slot` is dropped.

mod scheduler;
mod service_time;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub use scheduler::{Bounds, Priority, Scheduler, Ticket, Verdict};
pub use service_time::ServiceTime;

use crate::error::RuntimeError;

/// Where a waiting request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Requests before this one.
    Waiting(u32),
    Admitted,
    /// The process ends.
    Closed,
}

struct State {
    scheduler: Scheduler,
    places: HashMap<Ticket, watch::Sender<Place>>,
    service_time: ServiceTime,
    /// When the last request ended; the time of making while there was none.
    idle_since: Instant,
}

/// A model's queue. Clones share it.
#[derive(Clone)]
pub struct Admission {
    model: Arc<str>,
    state: Arc<Mutex<State>>,
    /// Told when nothing runs and nothing waits any more.
    idle: Arc<Notify>,
}

/// Who asks to use a model, and for how long they would wait.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Users take turns by this key.
    pub user: Arc<str>,
    pub priority: Priority,
    /// The longest time in the queue.
    pub timeout: Duration,
}

impl Ask {
    /// An interactive request of `user`.
    pub fn of(user: &str, timeout: Duration) -> Self {
        Self { user: user.into(), priority: Priority::Interactive, timeout }
    }
}

/// The outcome of asking for a slot.
pub enum Entry {
    /// The model is free.
    Admitted(Slot),
    /// The model is busy, and the queue has room.
    Queued(Waiting),
}

/// The right to use the model; ends when dropped.
pub struct Slot {
    admission: Admission,
    since: Instant,
}

/// A place in the queue; given up when dropped.
pub struct Waiting {
    admission: Admission,
    /// `None` once the slot was handed over.
    ticket: Option<Ticket>,
    place: watch::Receiver<Place>,
    deadline: Instant,
}

/// What a waiting request hears.
pub enum Progress {
    /// Requests before this one.
    Position(u32),
    Admitted(Slot),
}

impl Admission {
    /// A queue in front of `model`. `idle` is told whenever the last request has ended.
    pub fn new(model: &str, bounds: Bounds, idle: Arc<Notify>) -> Self {
        let state = State {
            scheduler: Scheduler::new(bounds),
            places: HashMap::new(),
            service_time: ServiceTime::default(),
            idle_since: Instant::now(),
        };
        Self { model: model.into(), state: Arc::new(Mutex::new(state)), idle }
    }

    /// A slot at once, a place in the queue, or why there is neither: [`RuntimeError::Busy`] when the queue is full,
    /// [`RuntimeError::ShareUsed`] when this user's part of it is, [`RuntimeError::ShuttingDown`].
    pub fn enter(&self, ask: &Ask) -> Result<Entry, RuntimeError> {
        let mut state = self.lock();
        let entry = match state.scheduler.enter(&ask.user, ask.priority) {
            Verdict::Run => Entry::Admitted(self.slot_from_now()),
            Verdict::Wait(ticket) => {
                let (sender, mut place) = watch::channel(Place::Waiting(0));
                place.mark_changed();
                state.places.insert(ticket, sender);
                tell_positions(&state);
                let deadline = Instant::now() + ask.timeout;
                Entry::Queued(Waiting { admission: self.clone(), ticket: Some(ticket), place, deadline })
            }
            Verdict::QueueFull(waiting) => {
                let retry_after = state.service_time.retry_after(waiting, state.scheduler.concurrency());
                return Err(RuntimeError::Busy { model: self.model.to_string(), waiting, retry_after });
            }
            Verdict::ShareFull(waiting) => {
                let retry_after = state.service_time.retry_after(waiting, state.scheduler.concurrency());
                return Err(RuntimeError::ShareUsed { model: self.model.to_string(), waiting, retry_after });
            }
            Verdict::Closed => return Err(RuntimeError::ShuttingDown),
        };
        self.gauge(&state);
        Ok(entry)
    }

    /// A slot, after waiting for it if need be.
    pub async fn slot(&self, ask: &Ask) -> Result<Slot, RuntimeError> {
        match self.enter(ask)? {
            Entry::Admitted(slot) => Ok(slot),
            Entry::Queued(mut waiting) => loop {
                if let Progress::Admitted(slot) = waiting.next().await? {
                    return Ok(slot);
                }
            },
        }
    }

    /// Requests that run and requests that wait.
    pub fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.scheduler.running(), state.scheduler.waiting())
    }

    /// Whether nothing runs and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.load() == (0, 0)
    }

    /// When the last request ended; now, while one runs.
    pub fn idle_since(&self) -> std::time::Instant {
        let state = self.lock();
        match state.scheduler.running() {
            0 => state.idle_since.into_std(),
            _ => Instant::now().into_std(),
        }
    }

    /// Takes no new requests and sends those that wait away; those that run may end.
    pub fn close(&self) {
        let mut state = self.lock();
        state.scheduler.close();
        for (_, place) in state.places.drain() {
            // Nobody listens: the request has just gone by itself.
            let _ = place.send(Place::Closed);
        }
        self.gauge(&state);
    }

    fn slot_from_now(&self) -> Slot {
        Slot { admission: self.clone(), since: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self, held: Option<Duration>) {
        let mut state = self.lock();
        if let Some(held) = held {
            state.service_time.record(held);
        }
        state.scheduler.finish();
        while let Some(ticket) = state.scheduler.admit() {
            // Nobody listens when the waiting request has just gone; the next one gets the slot then.
            let told = state.places.remove(&ticket).is_some_and(|place| place.send(Place::Admitted).is_ok());
            if !told {
                state.scheduler.finish();
            }
        }
        tell_positions(&state);
        self.gauge(&state);
        if state.scheduler.running() == 0 && state.scheduler.waiting() == 0 {
            state.idle_since = Instant::now();
            self.idle.notify_waiters();
        }
    }

    fn leave(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        let was_waiting = state.places.remove(&ticket).is_some();
        state.scheduler.leave(ticket);
        tell_positions(&state);
        self.gauge(&state);
        was_waiting
    }

    fn gauge(&self, state: &State) {
        let model = self.model.to_string();
        metrics::gauge!("anwen_model_running_requests", "model" => model.clone())
            .set(state.scheduler.running() as f64);
        metrics::gauge!("anwen_model_waiting_requests", "model" => model)
            .set(state.scheduler.waiting() as f64);
    }
}

fn tell_positions(state: &State) {
    for (position, ticket) in state.scheduler.order().iter().enumerate() {
        let Some(place) = state.places.get(ticket) else { continue };
        place.send_if_modified(|place| {
            let now = Place::Waiting(position as u32);
            let changed = *place != now;
            *place = now;
            changed
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.admission.release(Some(self.since.elapsed()));
    }
}

impl Waiting {
    /// The next change: the first call tells the position at once. [`RuntimeError::DeadlineExceeded`] when the time is up,
    /// [`RuntimeError::ShuttingDown`] when the process ends.
    pub async fn next(&mut self) -> Result<Progress, RuntimeError> {
        let changed = tokio::time::timeout_at(self.deadline, self.place.changed()).await;
        let place = *self.place.borrow_and_update();
        match (changed, place) {
            (_, Place::Admitted) => {
                // From here on the slot stands for the right, and dropping this gives nothing up.
                self.ticket = None;
                Ok(Progress::Admitted(self.admission.slot_from_now()))
            }
            (_, Place::Closed) => {
                self.ticket = None;
                Err(RuntimeError::ShuttingDown)
            }
            (Ok(_), Place::Waiting(position)) => Ok(Progress::Position(position)),
            (Err(_), Place::Waiting(_)) => Err(RuntimeError::DeadlineExceeded),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let was_closed = *self.place.borrow() == Place::Closed;
        if self.admission.leave(ticket) || was_closed {
            return;
        }
        // Admitted, but never heard of it: the slot goes on to the next one.
        self.admission.release(None);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask::of("somebody", Duration::from_secs(60))
    }

    fn admission(concurrency: usize, capacity: usize) -> Admission {
        Admission::new("m", Bounds { concurrency, capacity, capacity_per_user: capacity }, Arc::default())
    }

    fn slot_of(entry: Entry) -> Slot {
        match entry {
            Entry::Admitted(slot) => slot,
            Entry::Queued(_) => panic!("queued"),
        }
    }

    fn waiting_of(entry: Entry) -> Waiting {
        match entry {
            Entry::Queued(waiting) => waiting,
            Entry::Admitted(_) => panic!("admitted"),
        }
    }

    async fn position(waiting: &mut Waiting) -> u32 {
        match waiting.next().await.unwrap() {
            Progress::Position(position) => position,
            Progress::Admitted(_) => panic!("admitted"),
        }
    }

    #[tokio::test]
    async fn requests_are_admitted_in_order_and_hear_their_positions() {
        let admission = admission(1, 2);
        let first = slot_of(admission.enter(&ask()).unwrap());
        let mut second = waiting_of(admission.enter(&ask()).unwrap());
        let mut third = waiting_of(admission.enter(&ask()).unwrap());
        assert_eq!((position(&mut second).await, position(&mut third).await), (0, 1));
        drop(first);
        let Progress::Admitted(slot) = second.next().await.unwrap() else { panic!("still waits") };
        assert_eq!(position(&mut third).await, 0);
        drop(slot);
        assert!(matches!(third.next().await.unwrap(), Progress::Admitted(_)));
    }

    #[tokio::test]
    async fn one_that_is_passed_by_another_user_hears_its_new_position() {
        let admission = admission(1, 4);
        let _running = admission.enter(&ask()).unwrap();
        let _first = admission.enter(&ask()).unwrap();
        let mut second = waiting_of(admission.enter(&ask()).unwrap());
        assert_eq!(position(&mut second).await, 1);
        let mut other = waiting_of(admission.enter(&Ask::of("other", Duration::from_secs(60))).unwrap());
        assert_eq!((position(&mut other).await, position(&mut second).await), (1, 2));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_says_when_to_come_again() {
        let admission = admission(1, 1);
        let _running = admission.enter(&ask()).unwrap();
        let _waiting = admission.enter(&ask()).unwrap();
        let Err(RuntimeError::Busy { waiting: 1, retry_after, .. }) = admission.enter(&ask()) else {
            panic!("taken")
        };
        assert_eq!(retry_after, Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_caller_that_goes_frees_its_place() {
        let admission = admission(1, 2);
        let running = slot_of(admission.enter(&ask()).unwrap());
        let gone = waiting_of(admission.enter(&ask()).unwrap());
        let mut stays = waiting_of(admission.enter(&ask()).unwrap());
        drop(gone);
        assert_eq!(position(&mut stays).await, 0);
        drop(running);
        assert!(matches!(stays.next().await.unwrap(), Progress::Admitted(_)));
    }

    #[tokio::test]
    async fn a_slot_given_to_one_that_goes_unheard_is_passed_on() {
        let admission = admission(1, 2);
        let running = slot_of(admission.enter(&ask()).unwrap());
        let unheard = waiting_of(admission.enter(&ask()).unwrap());
        drop(running);
        drop(unheard);
        assert_eq!(admission.load(), (0, 0));
        assert!(matches!(admission.enter(&ask()).unwrap(), Entry::Admitted(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_the_deadline() {
        let admission = admission(1, 1);
        let _running = admission.enter(&ask()).unwrap();
        let brief = Ask::of("somebody", Duration::from_secs(1));
        assert!(matches!(admission.slot(&brief).await, Err(RuntimeError::DeadlineExceeded)));
        assert_eq!(admission.load(), (1, 0));
    }

    #[tokio::test]
    async fn as_many_run_as_the_model_takes() {
        let admission = admission(2, 0);
        let _slots = [admission.enter(&ask()).unwrap(), admission.enter(&ask()).unwrap()];
        assert!(admission.enter(&ask()).is_err());
        assert_eq!(admission.load(), (2, 0));
    }

    #[tokio::test]
    async fn closing_sends_those_that_wait_away_and_lets_those_that_run_end() {
        let admission = admission(1, 2);
        let running = slot_of(admission.enter(&ask()).unwrap());
        let mut told = waiting_of(admission.enter(&ask()).unwrap());
        let untold = waiting_of(admission.enter(&ask()).unwrap());
        admission.close();
        drop(untold);
        assert!(matches!(told.next().await, Err(RuntimeError::ShuttingDown)));
        drop(told);
        assert!(matches!(admission.enter(&ask()), Err(RuntimeError::ShuttingDown)));
        assert_eq!(admission.load(), (1, 0));
        drop(running);
        assert_eq!(admission.load(), (0, 0));
    }
}
