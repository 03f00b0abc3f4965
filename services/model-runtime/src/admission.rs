//! The bounded queue in front of a model: who runs, who waits at which place, and who is refused.
//!
//! First come, first served. A waiting request hears its position whenever that changes, leaves the queue when its
//! caller goes (its `Waiting` is dropped), and gives its place in the model up when its `Slot` is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::RuntimeError;

/// Where a waiting request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Requests before this one.
    Waiting(u32),
    Admitted,
}

struct Waiter {
    ticket: u64,
    place: watch::Sender<Place>,
}

#[derive(Default)]
struct State {
    running: usize,
    next_ticket: u64,
    waiting: VecDeque<Waiter>,
}

/// A model's queue. Clones share it.
#[derive(Clone)]
pub struct Admission {
    model: Arc<str>,
    concurrency: usize,
    capacity: usize,
    state: Arc<Mutex<State>>,
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
}

/// A place in the queue; given up when dropped.
pub struct Waiting {
    admission: Admission,
    ticket: u64,
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
    /// A queue of `capacity` places in front of a model that serves `concurrency` requests at a time.
    pub fn new(model: &str, concurrency: usize, capacity: usize) -> Self {
        Self { model: model.into(), concurrency: concurrency.max(1), capacity, state: Arc::default() }
    }

    /// A slot at once, a place in the queue, or [`RuntimeError::Busy`] when the queue is full.
    pub fn enter(&self, timeout: Duration) -> Result<Entry, RuntimeError> {
        let mut state = self.lock();
        if state.running < self.concurrency && state.waiting.is_empty() {
            state.running += 1;
            return Ok(Entry::Admitted(Slot { admission: self.clone() }));
        }
        if state.waiting.len() >= self.capacity {
            return Err(RuntimeError::Busy { model: self.model.to_string(), waiting: state.waiting.len() });
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let position = state.waiting.len() as u32;
        let (sender, mut place) = watch::channel(Place::Waiting(position));
        place.mark_changed();
        state.waiting.push_back(Waiter { ticket, place: sender });
        Ok(Entry::Queued(Waiting {
            admission: self.clone(),
            ticket,
            place,
            deadline: Instant::now() + timeout,
        }))
    }

    /// A slot, after waiting for it if need be.
    pub async fn slot(&self, timeout: Duration) -> Result<Slot, RuntimeError> {
        match self.enter(timeout)? {
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
        (state.running, state.waiting.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(&self) {
        let mut state = self.lock();
        state.running -= 1;
        while state.running < self.concurrency {
            let Some(next) = state.waiting.pop_front() else { break };
            // `send` fails when the waiting request has just gone; the next one gets the slot then.
            if next.place.send(Place::Admitted).is_ok() {
                state.running += 1;
            }
        }
        tell_positions(&state);
    }

    fn leave(&self, ticket: u64) -> bool {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|waiter| waiter.ticket != ticket);
        tell_positions(&state);
        state.waiting.len() < before
    }
}

fn tell_positions(state: &State) {
    for (position, waiter) in state.waiting.iter().enumerate() {
        waiter.place.send_if_modified(|place| {
            let now = Place::Waiting(position as u32);
            let changed = *place != now;
            *place = now;
            changed
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.admission.release();
    }
}

impl Waiting {
    /// The next change: the first call tells the position at once. [`RuntimeError::DeadlineExceeded`] when the time is up.
    pub async fn next(&mut self) -> Result<Progress, RuntimeError> {
        let changed = tokio::time::timeout_at(self.deadline, self.place.changed()).await;
        let place = *self.place.borrow_and_update();
        match (changed, place) {
            (_, Place::Admitted) => {
                // From here on the slot stands for the right, and dropping this gives nothing up.
                self.ticket = GRANTED;
                Ok(Progress::Admitted(Slot { admission: self.admission.clone() }))
            }
            (Ok(_), Place::Waiting(position)) => Ok(Progress::Position(position)),
            (Err(_), Place::Waiting(_)) => Err(RuntimeError::DeadlineExceeded),
        }
    }
}

/// The ticket of a request that holds its slot already.
const GRANTED: u64 = u64::MAX;

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.ticket == GRANTED || self.admission.leave(self.ticket) {
            return;
        }
        // Admitted, but never heard of it: the slot goes on to the next one.
        self.admission.release();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

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
        let admission = Admission::new("m", 1, 2);
        let first = slot_of(admission.enter(LONG).unwrap());
        let mut second = waiting_of(admission.enter(LONG).unwrap());
        let mut third = waiting_of(admission.enter(LONG).unwrap());
        assert_eq!((position(&mut second).await, position(&mut third).await), (0, 1));
        drop(first);
        let Progress::Admitted(slot) = second.next().await.unwrap() else { panic!("still waits") };
        assert_eq!(position(&mut third).await, 0);
        drop(slot);
        assert!(matches!(third.next().await.unwrap(), Progress::Admitted(_)));
    }

    #[tokio::test]
    async fn a_full_queue_refuses() {
        let admission = Admission::new("m", 1, 1);
        let _running = admission.enter(LONG).unwrap();
        let _waiting = admission.enter(LONG).unwrap();
        assert!(matches!(admission.enter(LONG), Err(RuntimeError::Busy { waiting: 1, .. })));
    }

    #[tokio::test]
    async fn a_caller_that_goes_frees_its_place() {
        let admission = Admission::new("m", 1, 2);
        let running = slot_of(admission.enter(LONG).unwrap());
        let gone = waiting_of(admission.enter(LONG).unwrap());
        let mut stays = waiting_of(admission.enter(LONG).unwrap());
        drop(gone);
        assert_eq!(position(&mut stays).await, 0);
        drop(running);
        assert!(matches!(stays.next().await.unwrap(), Progress::Admitted(_)));
    }

    #[tokio::test]
    async fn a_slot_given_to_one_that_goes_unheard_is_passed_on() {
        let admission = Admission::new("m", 1, 2);
        let running = slot_of(admission.enter(LONG).unwrap());
        let unheard = waiting_of(admission.enter(LONG).unwrap());
        drop(running);
        drop(unheard);
        assert_eq!(admission.load(), (0, 0));
        assert!(matches!(admission.enter(LONG).unwrap(), Entry::Admitted(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_at_the_deadline() {
        let admission = Admission::new("m", 1, 1);
        let _running = admission.enter(LONG).unwrap();
        assert!(matches!(admission.slot(Duration::from_secs(1)).await, Err(RuntimeError::DeadlineExceeded)));
        assert_eq!(admission.load(), (1, 0));
    }

    #[tokio::test]
    async fn as_many_run_as_the_model_takes() {
        let admission = Admission::new("m", 2, 0);
        let _slots = [admission.enter(LONG).unwrap(), admission.enter(LONG).unwrap()];
        assert!(admission.enter(LONG).is_err());
        assert_eq!(admission.load(), (2, 0));
    }
}
