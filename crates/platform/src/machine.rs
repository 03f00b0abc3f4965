//! What this process takes of its machine, in the names that Prometheus' own clients use.
//!
//! Sources: `proc_pid_stat(5)`, `proc_pid_limits(5)`; Prometheus' list of standard process metrics.

use crate::memory::{Machine, kibibytes};
use rustix::fs::statvfs;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Where a process's own numbers are.
const OWN: &str = "/proc/self";
/// Places in `stat` after the program's name: user and system time in ticks, threads, start in ticks after the
/// machine's, virtual bytes.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const THREADS: usize = 17;
const START_TICKS: usize = 19;
const VIRTUAL_BYTES: usize = 20;
/// The unit in which Linux tells times to programs, whatever its own clock is: `USER_HZ`.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process as it is now. What a system does not say is left out.
#[derive(Debug, Default, PartialEq)]
struct Process {
    cpu_seconds: Option<f64>,
    start_seconds: Option<f64>,
    resident_bytes: Option<u64>,
    virtual_bytes: Option<u64>,
    threads: Option<u64>,
    open_files: Option<u64>,
    max_files: Option<u64>,
}

impl Process {
    fn read() -> Self {
        let stat = fs::read_to_string(format!("{OWN}/stat")).unwrap_or_default();
        let limits = fs::read_to_string(format!("{OWN}/limits")).unwrap_or_default();
        let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
        let status = fs::read_to_string(format!("{OWN}/status")).unwrap_or_default();
        let mut process = Self::from_stat(&stat);
        process.resident_bytes = kibibytes(&status, "VmRSS:");
        let boot_seconds = boot.lines().find_map(|line| line.strip_prefix("btime "));
        process.start_seconds = process
            .start_seconds
            .zip(boot_seconds.and_then(|text| text.trim().parse::<f64>().ok()))
            .map(|(after, boot)| after + boot);
        process.open_files = fs::read_dir(format!("{OWN}/fd")).ok().map(|files| files.count() as u64);
        process.max_files = max_files(&limits);
        process
    }

    /// From the one line of `stat`. `start_seconds` is then since the machine's start.
    fn from_stat(stat: &str) -> Self {
        // The name stands in parentheses and may hold any character.
        let Some((_, rest)) = stat.rsplit_once(')') else { return Self::default() };
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok());
        let seconds = |at: usize| number(at).map(|value| value as f64 / TICKS_PER_SECOND);
        Self {
            cpu_seconds: seconds(USER_TICKS).zip(seconds(SYSTEM_TICKS)).map(|(user, system)| user + system),
            start_seconds: seconds(START_TICKS),
            virtual_bytes: number(VIRTUAL_BYTES),
            threads: number(THREADS),
            ..Self::default()
        }
    }
}

fn max_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Adds this process's metrics to a text in Prometheus' format.
pub(crate) fn write_process_metrics(text: &mut String) {
    let process = Process::read();
    let memory = Machine::read();
    let whole = |value: Option<u64>| value.map(|value| value as f64);
    let metrics = [
        ("process_cpu_seconds_total", "counter", process.cpu_seconds),
        ("process_start_time_seconds", "gauge", process.start_seconds),
        ("process_resident_memory_bytes", "gauge", whole(process.resident_bytes)),
        ("process_virtual_memory_bytes", "gauge", whole(process.virtual_bytes)),
        ("process_threads", "gauge", whole(process.threads)),
        ("process_open_fds", "gauge", whole(process.open_files)),
        ("process_max_fds", "gauge", whole(process.max_files)),
        ("anwen_memory_limit_bytes", "gauge", whole(memory.map(|memory| memory.limit_bytes))),
        ("anwen_memory_available_bytes", "gauge", whole(memory.map(|memory| memory.available_bytes))),
    ];
    for (name, kind, value) in metrics {
        if let Some(value) = value {
            // Writing into a string does not fail.
            let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}\n");
        }
    }
}

/// Sets the metrics of the volume that `path` lies on. `name` says what is kept there.
pub fn publish_disk(name: &'static str, path: &Path) {
    let Ok(volume) = statvfs(path) else { return };
    let bytes = |blocks: u64| (blocks.saturating_mul(volume.f_frsize)) as f64;
    metrics::gauge!("anwen_disk_free_bytes", "volume" => name).set(bytes(volume.f_bavail));
    metrics::gauge!("anwen_disk_size_bytes", "volume" => name).set(bytes(volume.f_blocks));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_named_as_it_likes() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 1000 4096 3 0";
        let process = Process::from_stat(stat);
        assert_eq!(process.cpu_seconds, Some(3.0));
        assert_eq!(process.start_seconds, Some(10.0));
        assert_eq!((process.threads, process.virtual_bytes), (Some(9), Some(4096)));
    }

    #[test]
    fn what_a_system_does_not_say_is_left_out() {
        assert_eq!(Process::from_stat(""), Process::default());
        assert_eq!(
            max_files("Max open files            unlimited            unlimited            files"),
            None
        );
        assert_eq!(
            max_files("Max open files            1024                 4096                 files"),
            Some(1024)
        );
    }

    #[test]
    fn this_process_says_everything() {
        let mut text = String::new();
        write_process_metrics(&mut text);
        for name in ["process_cpu_seconds_total", "process_open_fds", "anwen_memory_limit_bytes"] {
            assert!(text.contains(&format!("\n{name} ")), "{name} in {text}");
        }
    }
}
