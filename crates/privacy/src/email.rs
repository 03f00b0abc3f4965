//! E-mail addresses.

use crate::folded::Folded;
use crate::kind::Kind;
use crate::scan::Found;

/// Bounds of RFC 5321, 4.5.3.1.
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;

/// Endings of file names that look like top-level domains after an `@` (`icon@2x.png`).
const FILE_ENDINGS: [&str; 16] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "jsx", "tsx", "html", "json", "yaml",
    "yml", "lock",
];
/// Top-level domains in Chinese.
const CHINESE_DOMAINS: [&str; 6] = ["中国", "中國", "公司", "网络", "網絡", "政务"];

/// Finds every address.
pub(crate) fn find(folded: &Folded, found: &mut Vec<Found>) {
    let mut done = 0;
    for at in 0..folded.len() {
        let Some(sign) = sign(folded, at) else { continue };
        let start = local_part(folded, sign.start).max(done);
        let Some(end) = domain(folded, sign.end) else { continue };
        let local = folded.chars.get(start..sign.start).unwrap_or_default();
        if is_local(local) && !is_in_address(folded, start) && !folded.starts_with(end, "(") {
            found.push(Found::new(Kind::Email, start..end));
            done = end;
        }
    }
}

/// What separates the name from the domain: `@`, or `[at]` and `(at)`, with their spaces.
fn sign(folded: &Folded, at: usize) -> Option<std::ops::Range<usize>> {
    if folded.at(at) == Some('@') {
        return Some(at..at + 1);
    }
    let is_written = (folded.at(at) == Some('[') && folded.text(at..at + 4).to_lowercase() == "[at]")
        || (folded.at(at) == Some('(') && folded.text(at..at + 4).to_lowercase() == "(at)");
    let space_before = usize::from(folded.before(at) == Some(' '));
    let space_after = usize::from(folded.at(at + 4) == Some(' '));
    is_written.then(|| at - space_before..at + 4 + space_after)
}

fn local_part(folded: &Folded, end: usize) -> usize {
    folded.run_back(end, MAX_LOCAL + 1, |one| one.is_ascii_alphanumeric() || "._%+-".contains(one))
}

fn is_local(local: &[char]) -> bool {
    let (Some(first), Some(last)) = (local.first(), local.last()) else { return false };
    let text: String = local.iter().collect();
    // The user of repositories is nobody's mailbox.
    local.len() <= MAX_LOCAL && *last != '.' && *first != '.' && !text.contains("..") && text != "git"
}

/// The end of the domain that begins at `start`: labels, and a top-level domain that can be one.
fn domain(folded: &Folded, start: usize) -> Option<usize> {
    let mut at = start;
    let mut labels = 0;
    let mut best = None;
    loop {
        let end = folded.run(at, 64, |one| one.is_ascii_alphanumeric() || one == '-');
        let label = folded.text(at..end);
        if label.is_empty() {
            let chinese = CHINESE_DOMAINS.iter().find(|name| labels > 0 && folded.starts_with(at, name));
            return chinese
                .map(|name| at + name.chars().count())
                .or(best)
                .or_else(|| chinese_domain(folded, at));
        }
        if label.starts_with('-') || end - start > MAX_DOMAIN {
            return best;
        }
        labels += 1;
        if labels > 1 && is_top_level(label.trim_end_matches('-')) {
            best = Some(at + label.trim_end_matches('-').len());
        }
        match dot(folded, end) {
            Some(next) => at = next,
            None => return best,
        }
    }
}

/// A name in Chinese under a top-level domain in Chinese.
fn chinese_domain(folded: &Folded, start: usize) -> Option<usize> {
    let end = folded.run(start, 20, anwen_text::is_han);
    let is_domain = end > start && folded.at(end) == Some('.');
    let top = CHINESE_DOMAINS.iter().find(|name| is_domain && folded.starts_with(end + 1, name))?;
    Some(end + 1 + top.chars().count())
}

/// What stands before the `@` is the password of an address (`scheme://user:password@host`).
fn is_in_address(folded: &Folded, start: usize) -> bool {
    let begin = folded.run_back(start, MAX_LOCAL, |one| !one.is_whitespace());
    folded.before(start) == Some(':') && folded.text(begin..start).contains("://")
}

/// A dot, or a dot that is written out.
fn dot(folded: &Folded, at: usize) -> Option<usize> {
    if folded.at(at) == Some('.') {
        return Some(at + 1);
    }
    let text = folded.text(at..at + 7).to_lowercase();
    [" [dot] ", " (dot) "].contains(&text.as_str()).then_some(at + 7).or_else(|| {
        let text = folded.text(at..at + 5).to_lowercase();
        ["[dot]", "(dot)"].contains(&text.as_str()).then_some(at + 5)
    })
}

fn is_top_level(label: &str) -> bool {
    let letters = label.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_name = (letters && (2..=24).contains(&label.len())) || label.starts_with("xn--");
    is_name && !FILE_ENDINGS.contains(&label.to_ascii_lowercase().as_str())
}
