//! Lists of sites.

use anwen_contract::search::SiteRules;
use url::Url;

/// Whether `host` is `site` or a subdomain of it. Names compare without case, a dot at the end, and the `*.` that lists
/// often write.
pub fn is_site(host: &str, site: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let site = ascii_name(site);
    if site.is_empty() {
        return false;
    }
    host == site || host.strip_suffix(&site).is_some_and(|rest| rest.ends_with('.'))
}

/// A site as it stands in addresses: without scheme and path, international names in their ASCII form.
fn ascii_name(site: &str) -> String {
    let site = site.trim().trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
    let site = site.split_once("://").map_or(site, |(_, rest)| rest);
    let site = site.split(['/', '?', '#']).next().unwrap_or_default();
    match Url::parse(&format!("http://{site}/")) {
        Ok(url) => url.host_str().unwrap_or_default().to_owned(),
        Err(_) => String::new(),
    }
}

/// Whether a page may be answered or read.
pub fn permits(rules: &SiteRules, url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let is_in = |list: &[String]| list.iter().any(|site| is_site(host, site));
    !is_in(&rules.block) && (rules.allow.is_empty() || is_in(&rules.allow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_covers_its_subdomains_and_nothing_that_only_ends_like_it() {
        let cases = [
            ("a.example", "a.example", true),
            ("www.a.example", "a.example", true),
            ("WWW.A.example.", "*.a.example", true),
            ("nota.example", "a.example", false),
            ("a.example.evil.org", "a.example", false),
            ("xn--fsqu00a.cn", "例子.cn", true),
            ("a.example", "https://a.example/path", true),
            ("a.example", "", false),
        ];
        for (host, site, expected) in cases {
            assert_eq!(is_site(host, site), expected, "{host} {site}");
        }
    }

    #[test]
    fn a_block_wins_over_an_allow() {
        let rules = SiteRules {
            allow: vec!["a.example".to_owned()],
            block: vec!["x.a.example".to_owned()],
            prefer: Vec::new(),
        };
        assert!(permits(&rules, "https://a.example/1"));
        assert!(!permits(&rules, "https://x.a.example/1"));
        assert!(!permits(&rules, "https://b.example/1"));
        assert!(permits(&SiteRules::default(), "https://b.example/1"));
    }
}
