//! Whether a model fits, and which others go for it.

use std::time::Instant;

/// A loaded model with weights of its own.
#[derive(Clone, Debug)]
pub struct Resident {
    pub name: String,
    pub bytes: u64,
    pub last_used: Instant,
    pub hold: Hold,
}

/// What keeps a loaded model where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Nothing: its time is over.
    Expired,
    /// It is idle, and its time is not over: it goes after those whose time is.
    Idle,
    /// It is idle and kept for ever: it goes when no other would be enough.
    Kept,
    /// Requests run or wait.
    Busy,
    /// It is pinned.
    Stays,
}

/// What a model needs.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    pub bytes: u64,
    /// Free now.
    pub available_bytes: u64,
    /// Models with weights of their own that may be loaded at the same time.
    pub max_models: usize,
}

/// What to do for a model that is to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Unload these, in this order, and load it.
    Load { unload: Vec<String> },
    /// It will fit when models that are busy have become idle.
    Wait,
    /// It will not fit; so many bytes could be had.
    TooLarge { available_bytes: u64 },
    /// It would fit, but the models that stay are as many as may be loaded.
    TooMany,
}

/// Those whose time is over go first, then those unused for longest, then those kept for ever; no more than needed.
pub fn plan(need: Need, residents: &[Resident]) -> Plan {
    let mut movable: Vec<&Resident> =
        residents.iter().filter(|resident| resident.hold != Hold::Stays).collect();
    movable.sort_by_key(|resident| (resident.hold, resident.last_used));
    let all_bytes: u64 = movable.iter().map(|resident| resident.bytes).sum();
    let most_bytes = need.available_bytes.saturating_add(all_bytes);
    if need.bytes > most_bytes {
        return Plan::TooLarge { available_bytes: most_bytes };
    }
    if residents.len() - movable.len() >= need.max_models.max(1) {
        return Plan::TooMany;
    }
    let mut available_bytes = need.available_bytes;
    let mut loaded = residents.len();
    let mut unload = Vec::new();
    for resident in movable {
        if need.bytes <= available_bytes && loaded < need.max_models.max(1) {
            break;
        }
        if resident.hold == Hold::Busy {
            return Plan::Wait;
        }
        available_bytes = available_bytes.saturating_add(resident.bytes);
        loaded -= 1;
        unload.push(resident.name.clone());
    }
    Plan::Load { unload }
}

/// The largest context, in tokens and a multiple of `STEP`, for which `bytes_of` stays within `available_bytes`.
/// `bytes_of` must not fall with the context.
pub fn largest_context(most_tokens: u64, available_bytes: u64, bytes_of: impl Fn(u64) -> u64) -> Option<u64> {
    const STEP: u64 = 256;
    let fits = |steps: u64| bytes_of(steps * STEP) <= available_bytes;
    let (mut low, mut high) = (0, most_tokens / STEP);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    (low > 0).then_some(low * STEP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// (name, bytes, last used, hold)
    fn residents(rows: &[(&str, u64, u64, Hold)]) -> Vec<Resident> {
        let start = Instant::now();
        rows.iter()
            .map(|(name, bytes, used, hold)| Resident {
                name: (*name).to_owned(),
                bytes: *bytes,
                last_used: start + Duration::from_secs(*used),
                hold: *hold,
            })
            .collect()
    }

    fn planned(bytes: u64, available_bytes: u64, max_models: usize, rows: &[(&str, u64, u64, Hold)]) -> Plan {
        plan(Need { bytes, available_bytes, max_models }, &residents(rows))
    }

    fn load(unload: &[&str]) -> Plan {
        Plan::Load { unload: unload.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn what_fits_is_loaded_beside_the_others() {
        assert_eq!(planned(5, 5, 2, &[("a", 10, 0, Hold::Idle)]), load(&[]));
    }

    #[test]
    fn the_one_unused_for_longest_goes_first_and_no_more_than_needed() {
        let rows = [("new", 10, 9, Hold::Idle), ("old", 10, 1, Hold::Idle), ("middle", 10, 5, Hold::Idle)];
        assert_eq!(planned(12, 3, 9, &rows), load(&["old"]));
        assert_eq!(planned(14, 3, 9, &rows), load(&["old", "middle"]));
    }

    #[test]
    fn those_whose_time_is_over_go_before_older_ones_that_are_kept() {
        let rows =
            [("forever", 10, 0, Hold::Kept), ("kept", 10, 1, Hold::Idle), ("over", 10, 9, Hold::Expired)];
        assert_eq!(planned(10, 0, 9, &rows), load(&["over"]));
        assert_eq!(planned(30, 0, 9, &rows), load(&["over", "kept", "forever"]));
    }

    #[test]
    fn one_more_than_may_be_loaded_makes_room_by_number_too() {
        assert_eq!(planned(1, 100, 1, &[("a", 10, 0, Hold::Idle)]), load(&["a"]));
        assert_eq!(planned(1, 100, 1, &[("a", 10, 0, Hold::Stays)]), Plan::TooMany);
    }

    #[test]
    fn a_busy_model_is_waited_for_and_a_pinned_one_is_not() {
        assert_eq!(planned(10, 5, 9, &[("a", 10, 0, Hold::Busy)]), Plan::Wait);
        assert_eq!(planned(10, 5, 9, &[("a", 10, 0, Hold::Stays)]), Plan::TooLarge { available_bytes: 5 });
        assert_eq!(planned(10, 5, 9, &[("a", 10, 0, Hold::Busy), ("b", 5, 0, Hold::Idle)]), load(&["b"]));
    }

    #[test]
    fn what_can_never_fit_is_refused_without_unloading_anything() {
        assert_eq!(planned(100, 5, 9, &[("a", 10, 0, Hold::Idle)]), Plan::TooLarge { available_bytes: 15 });
    }

    #[test]
    fn the_largest_context_that_fits_is_found() {
        for (available, expected) in
            [(999, None), (1000 + 255, None), (1000 + 256, Some(256)), (5000, Some(3840))]
        {
            assert_eq!(largest_context(8192, available, |tokens| 1000 + tokens), expected, "{available}");
        }
        assert_eq!(largest_context(8192, u64::MAX, |tokens| tokens), Some(8192));
    }
}
