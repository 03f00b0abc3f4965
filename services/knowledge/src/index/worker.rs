//! A thread that owns what only one may touch, with a bounded queue in front of it.
//!
//! Both engines write through one owner and block while they do. The thread keeps that off the async runtime; the
//! queue's bound makes callers wait when the engine is behind, instead of piling up memory.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::IndexError;

/// Requests that may wait for an owner; senders beyond that wait themselves.
const QUEUE_LENGTH: usize = 32;

/// What the thread owns.
pub(super) trait Owner: Send + 'static {
    type Request: Send + 'static;

    /// Does what is asked and answers through whatever the request carries.
    fn handle(&mut self, request: Self::Request);

    /// How long the queue must be empty before [`idle`](Self::idle) is called.
    fn idle_after(&self) -> Duration;

    /// Called once whenever the queue has been empty for a while: the time to tidy up.
    fn idle(&mut self);
}

/// A request's way back.
pub(super) type Reply<T> = oneshot::Sender<Result<T, IndexError>>;

type Envelope<Request> = (Request, OwnedSemaphorePermit);

/// The handle to the thread. Dropping it lets the thread finish what is queued and waits for its end.
pub(super) struct Worker<Request> {
    /// Taken on drop, which ends the thread.
    sender: Option<SyncSender<Envelope<Request>>>,
    free_slots: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl<Request: Send + 'static> Worker<Request> {
    pub fn spawn<O: Owner<Request = Request>>(name: &str, owner: O) -> Result<Self, IndexError> {
        let (sender, receiver) = sync_channel(QUEUE_LENGTH);
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || run(owner, &receiver))?;
        let free_slots = Arc::new(Semaphore::new(QUEUE_LENGTH));
        Ok(Self { sender: Some(sender), free_slots, thread: Some(thread) })
    }

    /// Queues the request that `make` builds around a reply and waits for the answer.
    pub async fn ask<T: Send>(&self, make: impl FnOnce(Reply<T>) -> Request) -> Result<T, IndexError> {
        const ENDED: IndexError = IndexError::Unavailable("its thread has ended, restart the service");
        let slot = Arc::clone(&self.free_slots).acquire_owned().await.map_err(|_| ENDED)?;
        let (reply, answer) = oneshot::channel();
        // The slot is given back only when the request has been handled, so there is room in the channel.
        self.sender.as_ref().ok_or(ENDED)?.try_send((make(reply), slot)).map_err(|_| ENDED)?;
        answer.await.map_err(|_| ENDED)?
    }

    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl<Request> Drop for Worker<Request> {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("an index thread ended by a panic");
        }
    }
}

fn run<O: Owner>(mut owner: O, receiver: &Receiver<Envelope<O::Request>>) {
    let mut is_tidy = false;
    loop {
        let received = if is_tidy {
            receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            receiver.recv_timeout(owner.idle_after())
        };
        match received {
            Ok((request, _slot)) => {
                owner.handle(request);
                is_tidy = false;
            }
            Err(RecvTimeoutError::Timeout) => {
                owner.idle();
                is_tidy = true;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Runs `work` of an engine that panics where it should return an error.
pub(super) fn catch<T>(engine: &'static str, work: impl FnOnce() -> T) -> Result<T, IndexError> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "panicked".to_owned());
        IndexError::Engine { engine, message }
    })
}

/// Runs a search on a blocking thread, at most as many at a time as `running` allows.
pub(super) async fn search_blocking<T: Send + 'static>(
    running: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, IndexError> {
    const ENDED: IndexError = IndexError::Unavailable("the search did not finish");
    let permit = Arc::clone(running).acquire_owned().await.map_err(|_| ENDED)?;
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    })
    .await
    .map_err(|_| ENDED)?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    struct Counter {
        handled: usize,
        idle: std::sync::mpsc::Sender<usize>,
    }

    impl Owner for Counter {
        type Request = Reply<usize>;

        fn handle(&mut self, reply: Reply<usize>) {
            self.handled += 1;
            let _ = reply.send(Ok(self.handled));
        }

        fn idle_after(&self) -> Duration {
            Duration::from_millis(1)
        }

        fn idle(&mut self) {
            let _ = self.idle.send(self.handled);
        }
    }

    #[tokio::test]
    async fn more_requests_than_slots_are_all_handled() {
        let (idle, _) = std::sync::mpsc::channel();
        let worker = Worker::spawn("counter", Counter { handled: 0, idle }).unwrap();
        let asked = (0..4 * QUEUE_LENGTH).map(|_| worker.ask(|reply| reply));
        let mut answers: Vec<usize> =
            futures::future::join_all(asked).await.into_iter().map(Result::unwrap).collect();
        answers.sort_unstable();
        assert_eq!(answers, (1..=4 * QUEUE_LENGTH).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_owner_tidies_up_when_nothing_is_asked() {
        let (idle, tidied) = std::sync::mpsc::channel();
        let worker = Worker::spawn("counter", Counter { handled: 0, idle }).unwrap();
        worker.ask(|reply| reply).await.unwrap();
        let handled = tokio::task::spawn_blocking(move || {
            loop {
                let handled = tidied.recv().unwrap();
                if handled > 0 {
                    return handled;
                }
            }
        });
        assert_eq!(handled.await.unwrap(), 1);
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let result: Result<(), IndexError> = catch("test", || panic!("broken {}", 7));
        assert!(matches!(result, Err(IndexError::Engine { message, .. }) if message == "broken 7"));
    }
}
