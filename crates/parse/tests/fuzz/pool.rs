//! The parent's side of [`child`](crate::child): starts it, asks it, ends it when an input takes too long.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anwen_parse::sandbox::{ParseLimits, ParseWorker};

use crate::child::{ANSWER_MARK, Answer, Request, cpu_ms};

/// A process is replaced after so many inputs, so that what libraries leak does not add up.
const INPUTS_PER_PROCESS: usize = 1_000;
/// A process that has had more than this part of its memory is replaced after the input.
const SHARE_OF_MEMORY: u64 = 4;
/// What one process may print in all.
const MAX_OUTPUT_BYTES: u64 = 256 * 1024 * 1024;
/// Time without an answer after which the processor time is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// An input that uses no processor and does not end.
const MAX_WALL_TIME: Duration = Duration::from_secs(60);
/// The process as a whole may use this much; each input's share is watched from outside.
const PROCESS_CPU_SECONDS: u64 = 24 * 3600;

/// How one input ended in the process.
pub enum Reading {
    Answered(Answer),
    /// The process ended without an answer.
    Died,
    /// It was ended because the input used too much processor time, or took too long without using it.
    OverTime,
}

/// One process, started when it is needed.
pub struct Reader<'a> {
    program: &'a ParseWorker,
    limits: ParseLimits,
    running: Option<Running>,
    pub started: usize,
}

struct Running {
    child: Child,
    input: ChildStdin,
    answers: Receiver<Answer>,
    served: usize,
}

impl<'a> Reader<'a> {
    pub fn new(program: &'a ParseWorker, limits: &ParseLimits) -> Self {
        let limits = ParseLimits { cpu_seconds: PROCESS_CPU_SECONDS, ..limits.clone() };
        Self { program, limits, running: None, started: 0 }
    }

    /// Gives the process an input that may use so much processor time.
    ///
    /// # Errors
    /// When no process can be started: the campaign cannot go on.
    pub fn read(&mut self, request: &Request, cpu_limit_ms: u64) -> std::io::Result<Reading> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        let process = running.child.id().to_string();
        let (began, began_cpu_ms) = (Instant::now(), cpu_ms(&process));
        let line = serde_json::to_string(request)?;
        // A process that is gone says so by giving no answer.
        let _ = writeln!(running.input, "{line}").and_then(|()| running.input.flush());
        let reading = loop {
            match running.answers.recv_timeout(LOOK_EVERY) {
                Ok(answer) => break Reading::Answered(answer),
                Err(RecvTimeoutError::Disconnected) => break Reading::Died,
                Err(RecvTimeoutError::Timeout) => {
                    let used_ms = cpu_ms(&process).saturating_sub(began_cpu_ms);
                    if used_ms > cpu_limit_ms || began.elapsed() > MAX_WALL_TIME {
                        break Reading::OverTime;
                    }
                }
            }
        };
        running.served += 1;
        match &reading {
            Reading::Answered(answer)
                if running.served < INPUTS_PER_PROCESS
                    && answer.peak_kb < self.limits.memory_bytes / 1024 / SHARE_OF_MEMORY =>
            {
                self.running = Some(running);
            }
            _ => running.end(),
        }
        Ok(reading)
    }

    /// Ends the process; the next input has a new one.
    pub fn forget(&mut self) {
        if let Some(running) = self.running.take() {
            running.end();
        }
    }

    fn start(&mut self) -> std::io::Result<Running> {
        self.started += 1;
        let mut child = Command::new(&self.program.program)
            .args(&self.program.arguments)
            .env_clear()
            .env("RAYON_NUM_THREADS", "1")
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let missing = || std::io::Error::other("no pipe");
        let mut input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let _ = writeln!(input, "{}", serde_json::to_string(&self.limits)?);
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output.take(MAX_OUTPUT_BYTES));
            let mut line = Vec::new();
            while matches!(output.read_until(b'\n', &mut line), Ok(1..)) {
                let answer = line
                    .strip_prefix(ANSWER_MARK.as_bytes())
                    .and_then(|json| serde_json::from_slice(json).ok());
                if answer.is_some_and(|answer| sender.send(answer).is_err()) {
                    return;
                }
                line.clear();
            }
        });
        Ok(Running { child, input, answers, served: 0 })
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Running {
    fn end(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
