//! `robots.txt`, as RFC 9309 says: what a site asks programs not to read.

use std::time::Duration;

use moka::future::Cache;
use url::Url;

/// Bytes of a file that are looked at (the RFC's least bound).
pub const MAX_BYTES: usize = 512 * 1024;
/// How long a site's answer is remembered, and how many sites.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
const MAX_SITES: u64 = 2_000;
/// Rules of a file that count.
const MAX_RULES: usize = 2_000;

/// What a site lets this program read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Robots {
    /// Patterns of paths with whether they allow.
    rules: Vec<(String, bool)>,
    /// The file could not be had although the site has one: nothing may be read until it can.
    closed: bool,
}

impl Robots {
    pub fn closed() -> Self {
        Self { rules: Vec::new(), closed: true }
    }

    /// The groups that name `agent`, or else those for everyone.
    pub fn parse(text: &str, agent: &str) -> Self {
        let agent = agent.to_ascii_lowercase();
        let (mut own, mut everyones) = (Vec::new(), Vec::new());
        let (mut is_own, mut is_everyones, mut in_rules, mut has_own) = (false, false, false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "user-agent" => {
                    if in_rules {
                        (is_own, is_everyones, in_rules) = (false, false, false);
                    }
                    let named = value.to_ascii_lowercase();
                    is_everyones |= named == "*";
                    is_own |= !named.is_empty() && named != "*" && agent.contains(&named);
                    has_own |= is_own;
                }
                "allow" | "disallow" => {
                    in_rules = true;
                    let rule = (value.to_owned(), key == "allow");
                    if value.is_empty() || own.len() + everyones.len() >= MAX_RULES {
                        continue;
                    }
                    if is_own {
                        own.push(rule.clone());
                    }
                    if is_everyones {
                        everyones.push(rule);
                    }
                }
                _ => {}
            }
        }
        Self { rules: if has_own { own } else { everyones }, closed: false }
    }

    /// The longest pattern that matches decides; of two equal ones the one that allows.
    pub fn permits(&self, url: &Url) -> bool {
        if self.closed {
            return false;
        }
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let matching = self.rules.iter().filter(|(pattern, _)| matches(pattern, &path));
        matching.max_by_key(|(pattern, allows)| (pattern.len(), *allows)).is_none_or(|(_, allows)| *allows)
    }
}

/// `*` stands for anything, `$` at the end for the end. Greedy from left to right, which is right as each piece is found at
/// its first place and only the last may have to be at the end.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, is_anchored) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return !is_anchored || rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() && is_anchored {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

/// The answers of sites that have been asked.
pub struct RobotsCache(Cache<String, Robots>);

impl Default for RobotsCache {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_SITES).time_to_live(REMEMBERED).build())
    }
}

impl RobotsCache {
    /// The rules of the site of `url`, asked for once for all who wait.
    pub async fn of(&self, url: &Url, ask: impl Future<Output = Robots>) -> Robots {
        self.0.get_with(url.origin().ascii_serialization(), ask).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(file: &str, path: &str) -> bool {
        Robots::parse(file, "Mozilla/5.0 (compatible; Anwen/1.0)")
            .permits(&format!("https://a.example{path}").parse().unwrap())
    }

    #[test]
    fn the_longest_pattern_decides() {
        let file = "User-agent: *\nDisallow: /a\nAllow: /a/open\nDisallow: /*.php$\nDisallow: /q?\n";
        let cases = [
            ("/", true),
            ("/a", false),
            ("/a/x", false),
            ("/a/open/x", true),
            ("/x.php", false),
            ("/x.php5", true),
            ("/q?x=1", false),
            ("/qq", true),
        ];
        for (path, expected) in cases {
            assert_eq!(permits(file, path), expected, "{path}");
        }
    }

    #[test]
    fn our_own_group_takes_the_place_of_everyones() {
        let file =
            "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: anwen\nDisallow: /private # so\n";
        assert!(permits(file, "/page"));
        assert!(!permits(file, "/private/1"));
        let shut_out = "User-agent: Anwen\nDisallow: /\nUser-agent: *\nDisallow:\n";
        assert!(!permits(shut_out, "/page"));
    }

    #[test]
    fn an_empty_file_permits_everything_and_a_missing_answer_nothing() {
        assert!(permits("", "/x") && permits("User-agent: *\nDisallow:", "/x"));
        assert!(!Robots::closed().permits(&"https://a.example/".parse().unwrap()));
    }
}
