//! How much memory this process may have: what the machine has free, and what its control group grants.
//!
//! Sources: `proc_meminfo(5)`; the kernel's documents on the memory controllers of cgroup v2 (`memory.max`,
//! `memory.current`, `memory.stat`) and v1 (`memory.limit_in_bytes`, `memory.usage_in_bytes`).

use std::fs;
use std::path::Path;

/// Version 1 says "no limit" by a number near the largest.
const NO_LIMIT_BYTES: u64 = 1 << 60;

/// Memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// All that this process may ever have.
    pub limit_bytes: u64,
    /// What it may have now beside what it holds. Pages of files count as free, weights mapped from files among them.
    pub available_bytes: u64,
}

impl Machine {
    /// Reads this machine's numbers; `None` where it does not say.
    pub fn read() -> Option<Self> {
        Self::read_from(Path::new("/"))
    }

    /// The same below another root.
    fn read_from(root: &Path) -> Option<Self> {
        let meminfo = fs::read_to_string(root.join("proc/meminfo")).ok()?;
        let machine = Self {
            limit_bytes: kibibytes(&meminfo, "MemTotal:")?,
            available_bytes: kibibytes(&meminfo, "MemAvailable:")?,
        };
        Some(groups(root).into_iter().fold(machine, |machine, group| Self {
            limit_bytes: machine.limit_bytes.min(group.limit_bytes),
            available_bytes: machine.available_bytes.min(group.available_bytes),
        }))
    }
}

/// A field of `meminfo` or `status`, in bytes.
pub(crate) fn kibibytes(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What the control groups of this process grant, its own and those above it.
fn groups(root: &Path) -> Vec<Machine> {
    let Ok(membership) = fs::read_to_string(root.join("proc/self/cgroup")) else { return Vec::new() };
    let mut granted = Vec::new();
    for line in membership.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next(), parts.next(), parts.next());
        let (Some(controllers), Some(path)) = (controllers, path) else { continue };
        let (mount, files) = if controllers.is_empty() {
            ("sys/fs/cgroup", ["memory.max", "memory.current"])
        } else if controllers.split(',').any(|controller| controller == "memory") {
            ("sys/fs/cgroup/memory", ["memory.limit_in_bytes", "memory.usage_in_bytes"])
        } else {
            continue;
        };
        // A container sees its own group as the root, whatever the path says: levels that are not there are passed over.
        let mount = root.join(mount);
        let inside = Path::new(path.trim_start_matches('/'));
        granted.extend(inside.ancestors().filter_map(|level| group(&mount.join(level), files)));
    }
    granted
}

fn group(folder: &Path, [limit, usage]: [&str; 2]) -> Option<Machine> {
    let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    // `max` is no number.
    let limit_bytes = number(limit).filter(|limit| *limit < NO_LIMIT_BYTES)?;
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let of_files: u64 = stat
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| matches!(*name, "active_file" | "inactive_file"))
        .filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok())
        .sum();
    let held = number(usage).unwrap_or(0).saturating_sub(of_files);
    Some(Machine { limit_bytes, available_bytes: limit_bytes.saturating_sub(held) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn machine(files: &[(&str, &str)]) -> Option<Machine> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Machine::read_from(root.path())
    }

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:       33554432 kB\nMemFree:         1048576 kB\nMemAvailable:   20971520 kB\n",
    );

    #[test]
    fn a_bare_machine_gives_what_it_has() {
        assert_eq!(machine(&[MEMINFO]), Some(Machine { limit_bytes: 32 * GIB, available_bytes: 20 * GIB }));
    }

    #[test]
    fn a_group_of_version_2_bounds_it_and_its_file_pages_are_free() {
        let found = machine(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/pod/box\n"),
            ("sys/fs/cgroup/pod/box/memory.max", "max\n"),
            ("sys/fs/cgroup/pod/memory.max", "8589934592\n"),
            ("sys/fs/cgroup/pod/memory.current", "6442450944\n"),
            ("sys/fs/cgroup/pod/memory.stat", "anon 1\nactive_file 1073741824\ninactive_file 1073741824\n"),
        ]);
        assert_eq!(found, Some(Machine { limit_bytes: 8 * GIB, available_bytes: 4 * GIB }));
    }

    #[test]
    fn a_container_sees_its_group_as_the_root() {
        let found = machine(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/../../outside\n"),
            ("sys/fs/cgroup/memory.max", "4294967296\n"),
            ("sys/fs/cgroup/memory.current", "1073741824\n"),
        ]);
        assert_eq!(found, Some(Machine { limit_bytes: 4 * GIB, available_bytes: 3 * GIB }));
    }

    #[test]
    fn a_group_of_version_1_bounds_it_unless_its_limit_is_none() {
        let with = |limit: &str| {
            machine(&[
                MEMINFO,
                ("proc/self/cgroup", "12:cpu,cpuacct:/docker/x\n5:memory:/docker/x\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", limit),
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1073741824"),
            ])
        };
        assert_eq!(with("2147483648"), Some(Machine { limit_bytes: 2 * GIB, available_bytes: GIB }));
        assert_eq!(with("9223372036854771712").unwrap().limit_bytes, 32 * GIB);
    }

    #[test]
    fn a_machine_that_does_not_say_is_not_guessed_at() {
        assert_eq!(machine(&[]), None);
    }
}
