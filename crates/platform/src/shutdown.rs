//! Graceful shutdown: one signal that every task of a process hears, and a count of those that still run.

use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long tasks may take to finish after the signal.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Tells tasks to stop, and waits for them. Clones share the signal and the count.
#[derive(Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    pub fn new() -> Self {
        Self::default()
    }

    /// What a task listens to.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Runs a background task that is waited for on shutdown. The task listens to `token()` itself.
    pub fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Asks every task to stop.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Asks every task to stop and waits for them, at most `DRAIN_TIMEOUT`. Says whether all have stopped.
    pub async fn finish(&self) -> bool {
        self.begin();
        self.tasks.close();
        tokio::time::timeout(DRAIN_TIMEOUT, self.tasks.wait()).await.is_ok()
    }
}

/// Returns when the process is told to end (SIGINT or SIGTERM).
pub async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
