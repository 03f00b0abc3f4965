//! A map that is bounded in bytes and age; what was unused for longest goes first.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// A hash of everything that a kept value depends on.
pub type Key = [u8; 32];

/// What an entry costs beside its value: its key twice, and the two maps' own bytes.
const ENTRY_BYTES: usize = 160;

struct Entry<V> {
    value: V,
    bytes: usize,
    kept_at: Instant,
    used: u64,
}

/// The map. Time comes in, so that it is a pure state.
pub struct Bounded<V> {
    max_bytes: usize,
    max_age: Duration,
    bytes: usize,
    uses: u64,
    entries: HashMap<Key, Entry<V>>,
    /// Keys by their last use.
    by_use: BTreeMap<u64, Key>,
}

impl<V: Clone> Bounded<V> {
    /// At most `max_bytes`, entries included, each for at most `max_age`. 0 bytes keep nothing.
    pub fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self { max_bytes, max_age, bytes: 0, uses: 0, entries: HashMap::new(), by_use: BTreeMap::new() }
    }

    /// A kept value that is not too old.
    pub fn get(&mut self, key: &Key, now: Instant) -> Option<V> {
        let entry = self.entries.get_mut(key)?;
        if now.saturating_duration_since(entry.kept_at) > self.max_age {
            self.remove(key);
            return None;
        }
        self.by_use.remove(&entry.used);
        self.uses += 1;
        entry.used = self.uses;
        self.by_use.insert(entry.used, *key);
        Some(entry.value.clone())
    }

    /// Keeps a value of `bytes`; one that is larger than an eighth of the whole is not kept, since it would cost too many
    /// others.
    pub fn put(&mut self, key: Key, value: V, bytes: usize, now: Instant) {
        const LARGEST_SHARE: usize = 8;
        let bytes = bytes + ENTRY_BYTES;
        if bytes > self.max_bytes / LARGEST_SHARE {
            return;
        }
        self.remove(&key);
        while self.bytes + bytes > self.max_bytes {
            let Some(oldest) = self.by_use.first_key_value().map(|(_, key)| *key) else { break };
            self.remove(&oldest);
        }
        self.uses += 1;
        self.by_use.insert(self.uses, key);
        self.entries.insert(key, Entry { value, bytes, kept_at: now, used: self.uses });
        self.bytes += bytes;
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_use.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }

    /// Bytes of all entries.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_secs(60);

    fn key(number: u8) -> Key {
        [number; 32]
    }

    /// Room for ten entries of 40 bytes.
    fn map() -> Bounded<u8> {
        Bounded::new(10 * (ENTRY_BYTES + 40), AGE)
    }

    #[test]
    fn what_was_unused_for_longest_goes_first() {
        let now = Instant::now();
        let mut map = map();
        (0..10).for_each(|number| map.put(key(number), number, 40, now));
        assert_eq!(map.get(&key(0), now), Some(0));
        map.put(key(10), 10, 40, now);
        assert_eq!(
            (map.get(&key(1), now), map.get(&key(0), now), map.get(&key(10), now)),
            (None, Some(0), Some(10))
        );
        assert_eq!(map.bytes(), 10 * (ENTRY_BYTES + 40));
    }

    #[test]
    fn what_is_too_old_is_gone() {
        let now = Instant::now();
        let mut map = map();
        map.put(key(1), 1, 40, now);
        assert_eq!(map.get(&key(1), now + AGE), Some(1));
        assert_eq!(map.get(&key(1), now + AGE + Duration::from_secs(1)), None);
        assert_eq!(map.bytes(), 0);
    }

    #[test]
    fn a_value_put_again_counts_once() {
        let now = Instant::now();
        let mut map = map();
        map.put(key(1), 1, 40, now);
        map.put(key(1), 2, 30, now);
        assert_eq!((map.get(&key(1), now), map.bytes()), (Some(2), ENTRY_BYTES + 30));
    }

    #[test]
    fn what_would_fill_the_map_alone_is_not_kept() {
        let now = Instant::now();
        let mut map = map();
        map.put(key(1), 1, 1000, now);
        assert_eq!(map.get(&key(1), now), None);
        let mut off = Bounded::new(0, AGE);
        off.put(key(1), 1, 1, now);
        assert_eq!(off.get(&key(1), now), None);
    }
}
