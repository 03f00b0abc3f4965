//! One site does not fill the top of a list.

use std::collections::HashMap;

use super::Candidate;

/// Orders by score; results of a site beyond its first `max_per_site` come after all others, in their own order.
pub fn spread(mut candidates: Vec<Candidate>, max_per_site: usize) -> Vec<Candidate> {
    // Stable: equal scores keep the engines' order.
    candidates.sort_by(|left, right| right.score.total_cmp(&left.score));
    let mut seen: HashMap<String, usize> = HashMap::new();
    let (mut first, mut rest) = (Vec::with_capacity(candidates.len()), Vec::new());
    for candidate in candidates {
        let count = seen.entry(candidate.canonical.site().to_owned()).or_default();
        *count += 1;
        if *count <= max_per_site { first.push(candidate) } else { rest.push(candidate) }
    }
    first.append(&mut rest);
    first
}
