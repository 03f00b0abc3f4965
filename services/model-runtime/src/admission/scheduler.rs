//! Who is next: the order of a model's queue, without clocks and channels.
//!
//! Interactive requests go before batches; within each, the users take turns, and a user's own requests keep their order.
//! So somebody with fifty requests delays another's one by one turn, not by fifty. After [`INTERACTIVE_IN_A_ROW`]
//! interactive requests one batch goes first, so that a batch ends one day.

use std::collections::VecDeque;
use std::sync::Arc;

/// Interactive requests that may pass a waiting batch in a row.
const INTERACTIVE_IN_A_ROW: u32 = 16;

/// Whether somebody waits for the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// A person waits.
    #[default]
    Interactive,
    /// Work that may take its time, such as embedding documents.
    Batch,
}

impl Priority {
    /// The priority of this name in the header `X-Anwen-Priority`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "interactive" => Some(Self::Interactive),
            "batch" => Some(Self::Batch),
            _ => None,
        }
    }

    /// The word for it in the header and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Batch => "batch",
        }
    }
}

/// How much a queue takes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Requests that run at the same time.
    pub concurrency: usize,
    /// Requests that wait.
    pub capacity: usize,
    /// Requests of one user that wait.
    pub capacity_per_user: usize,
}

/// What becomes of a request that asks to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Run,
    Wait(Ticket),
    /// So many requests wait already.
    QueueFull(usize),
    /// So many requests of this user wait already.
    ShareFull(usize),
    /// No new requests are taken.
    Closed,
}

/// Names a waiting request.
pub type Ticket = u64;

/// The requests of one user that wait, in order.
struct Line {
    user: Arc<str>,
    tickets: VecDeque<Ticket>,
}

/// The users that wait with one priority, in the order of their turns.
#[derive(Default)]
struct Lane(VecDeque<Line>);

impl Lane {
    fn push(&mut self, user: &Arc<str>, ticket: Ticket) {
        match self.0.iter_mut().find(|line| line.user == *user) {
            Some(line) => line.tickets.push_back(ticket),
            None => self.0.push_back(Line { user: Arc::clone(user), tickets: VecDeque::from([ticket]) }),
        }
    }

    /// Takes the first request of the user whose turn it is, and puts the user behind the others.
    fn pop(&mut self) -> Option<Ticket> {
        let mut line = self.0.pop_front()?;
        let ticket = line.tickets.pop_front();
        if !line.tickets.is_empty() {
            self.0.push_back(line);
        }
        ticket
    }

    fn remove(&mut self, ticket: Ticket) -> bool {
        let Some(index) = self.0.iter().position(|line| line.tickets.contains(&ticket)) else { return false };
        self.0[index].tickets.retain(|waiting| *waiting != ticket);
        if self.0[index].tickets.is_empty() {
            self.0.remove(index);
        }
        true
    }

    fn len(&self) -> usize {
        self.0.iter().map(|line| line.tickets.len()).sum()
    }

    fn of_user(&self, user: &Arc<str>) -> usize {
        self.0.iter().find(|line| line.user == *user).map_or(0, |line| line.tickets.len())
    }

    /// The tickets in the order in which they would be taken.
    fn order(&self) -> Vec<Ticket> {
        let longest = self.0.iter().map(|line| line.tickets.len()).max().unwrap_or(0);
        (0..longest)
            .flat_map(|turn| self.0.iter().filter_map(move |line| line.tickets.get(turn)))
            .copied()
            .collect()
    }
}

/// The state of one model's queue.
pub struct Scheduler {
    bounds: Bounds,
    running: usize,
    next_ticket: Ticket,
    interactive: Lane,
    batch: Lane,
    /// Interactive requests taken since a batch had its turn.
    passed: u32,
    closed: bool,
}

impl Scheduler {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds: Bounds { concurrency: bounds.concurrency.max(1), ..bounds },
            running: 0,
            next_ticket: 0,
            interactive: Lane::default(),
            batch: Lane::default(),
            passed: 0,
            closed: false,
        }
    }

    /// A request of `user` comes.
    pub fn enter(&mut self, user: &Arc<str>, priority: Priority) -> Verdict {
        if self.closed {
            return Verdict::Closed;
        }
        let waiting = self.waiting();
        if self.running < self.bounds.concurrency && waiting == 0 {
            self.running += 1;
            return Verdict::Run;
        }
        if waiting >= self.bounds.capacity {
            return Verdict::QueueFull(waiting);
        }
        let own = self.interactive.of_user(user) + self.batch.of_user(user);
        if own >= self.bounds.capacity_per_user {
            return Verdict::ShareFull(own);
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        match priority {
            Priority::Interactive => self.interactive.push(user, ticket),
            Priority::Batch => self.batch.push(user, ticket),
        }
        Verdict::Wait(ticket)
    }

    /// A waiting request goes. False when it was admitted before.
    pub fn leave(&mut self, ticket: Ticket) -> bool {
        self.interactive.remove(ticket) || self.batch.remove(ticket)
    }

    /// A running request has ended.
    pub fn finish(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// The next request that may run, if there is room; it counts as running from here on.
    pub fn admit(&mut self) -> Option<Ticket> {
        if self.running >= self.bounds.concurrency {
            return None;
        }
        let batch_is_due = self.passed >= INTERACTIVE_IN_A_ROW && self.batch.len() > 0;
        let ticket = match (batch_is_due, self.interactive.len()) {
            (false, 1..) => {
                self.passed += u32::from(self.batch.len() > 0);
                self.interactive.pop()
            }
            _ => {
                self.passed = 0;
                self.batch.pop()
            }
        };
        self.running += usize::from(ticket.is_some());
        ticket
    }

    /// Waiting requests, the next one first.
    pub fn order(&self) -> Vec<Ticket> {
        let mut order = self.interactive.order();
        order.extend(self.batch.order());
        order
    }

    /// Takes no new requests from here on; those that wait are forgotten.
    pub fn close(&mut self) {
        self.closed = true;
        self.interactive = Lane::default();
        self.batch = Lane::default();
    }

    pub fn running(&self) -> usize {
        self.running
    }

    pub fn waiting(&self) -> usize {
        self.interactive.len() + self.batch.len()
    }

    pub fn concurrency(&self) -> usize {
        self.bounds.concurrency
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use Priority::{Batch, Interactive};

    fn busy(capacity: usize, capacity_per_user: usize) -> Scheduler {
        let mut scheduler = Scheduler::new(Bounds { concurrency: 1, capacity, capacity_per_user });
        assert_eq!(scheduler.enter(&"first".into(), Interactive), Verdict::Run);
        scheduler
    }

    fn wait(scheduler: &mut Scheduler, user: &str, priority: Priority) -> Ticket {
        match scheduler.enter(&user.into(), priority) {
            Verdict::Wait(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    /// The users in the order in which requests of (user, priority) are admitted.
    fn admitted(requests: &[(&'static str, Priority)]) -> Vec<&'static str> {
        let mut scheduler = busy(1000, 1000);
        let tickets: Vec<(Ticket, &str)> =
            requests.iter().map(|(user, priority)| (wait(&mut scheduler, user, *priority), *user)).collect();
        let expected = scheduler.order();
        let mut order = Vec::new();
        while scheduler.waiting() > 0 {
            scheduler.finish();
            order.push(scheduler.admit().unwrap());
        }
        // What positions promise holds wherever no batch is let pass out of turn.
        if requests.len() <= INTERACTIVE_IN_A_ROW as usize {
            assert_eq!(order, expected);
        }
        order.iter().map(|ticket| tickets.iter().find(|(known, _)| known == ticket).unwrap().1).collect()
    }

    #[test]
    fn users_take_turns_and_people_go_before_batches() {
        for (requests, expected) in [
            (vec![("a", Interactive), ("a", Interactive), ("a", Interactive), ("b", Interactive)], "a b a a"),
            (vec![("a", Batch), ("a", Batch), ("b", Interactive)], "b a a"),
            (vec![("a", Batch), ("a", Interactive), ("b", Batch), ("a", Batch)], "a a b a"),
            (vec![("c", Interactive), ("b", Interactive), ("a", Interactive)], "c b a"),
        ] {
            assert_eq!(admitted(&requests), expected.split(' ').collect::<Vec<_>>(), "{requests:?}");
        }
    }

    #[test]
    fn one_request_passes_fifty_of_another_user() {
        let mut requests = vec![("many", Interactive); 50];
        requests.push(("one", Interactive));
        assert_eq!(admitted(&requests).iter().position(|user| *user == "one"), Some(1));
    }

    #[test]
    fn a_batch_is_not_starved() {
        let mut requests = vec![("batch", Batch)];
        requests.extend(vec![("people", Interactive); 50]);
        let turn = admitted(&requests).iter().position(|user| *user == "batch").unwrap();
        assert_eq!(turn, INTERACTIVE_IN_A_ROW as usize);
    }

    #[test]
    fn a_full_queue_and_a_full_share_are_told_apart() {
        let mut scheduler = busy(3, 2);
        wait(&mut scheduler, "a", Interactive);
        wait(&mut scheduler, "a", Batch);
        assert_eq!(scheduler.enter(&"a".into(), Interactive), Verdict::ShareFull(2));
        wait(&mut scheduler, "b", Interactive);
        assert_eq!(scheduler.enter(&"c".into(), Interactive), Verdict::QueueFull(3));
    }

    #[test]
    fn one_that_leaves_is_neither_counted_nor_admitted() {
        let mut scheduler = busy(5, 5);
        let gone = wait(&mut scheduler, "a", Interactive);
        let stays = wait(&mut scheduler, "b", Interactive);
        assert!(scheduler.leave(gone) && !scheduler.leave(gone));
        assert_eq!((scheduler.waiting(), scheduler.order()), (1, vec![stays]));
        assert_eq!(scheduler.admit(), None, "the slot is taken");
        scheduler.finish();
        assert_eq!(scheduler.admit(), Some(stays));
    }

    #[test]
    fn a_closed_queue_forgets_those_that_wait_and_lets_those_that_run_end() {
        let mut scheduler = busy(5, 5);
        wait(&mut scheduler, "a", Interactive);
        scheduler.close();
        assert_eq!(scheduler.enter(&"a".into(), Interactive), Verdict::Closed);
        assert_eq!((scheduler.running(), scheduler.waiting()), (1, 0));
        scheduler.finish();
        assert_eq!((scheduler.admit(), scheduler.running()), (None, 0));
    }
}
