//! What a query must not carry away: personal data and secrets, as the ingest of documents finds them, and the addresses of
//! the organisation's own machines. Names cannot be told by their form; the organisation's own words are for those.

use anwen_privacy::{Detector, Kind};
use regex::Regex;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

static DETECTOR: LazyLock<Option<Detector>> = LazyLock::new(|| Detector::new(Kind::ALL, &[]).ok());
static WEB_ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)https?://[^\s，。；]+").ok());
static MACHINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}").ok()
});

/// The places of what must not leave, as byte offsets, in order and apart.
pub fn find(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = private_addresses(text);
    found.extend(machines(text));
    if let Some(detector) = DETECTOR.as_ref() {
        found.extend(detector.find(text).into_iter().map(|finding| (finding.range.start, finding.range.end)));
    }
    found.sort_unstable();
    let mut apart: Vec<(usize, usize)> = Vec::with_capacity(found.len());
    for (start, end) in found {
        match apart.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => apart.push((start, end)),
        }
    }
    apart
}

/// Addresses of pages with a name, a password or a query in them, or of a host that only the own network knows.
fn private_addresses(text: &str) -> Vec<(usize, usize)> {
    let places = WEB_ADDRESS.iter().flat_map(|form| form.find_iter(text));
    let private = places.filter(|place| {
        url::Url::parse(place.as_str()).is_ok_and(|url| {
            !url.username().is_empty()
                || url.password().is_some()
                || url.query().is_some()
                || url.host_str().is_some_and(|host| !host.contains('.'))
        })
    });
    private.map(|place| (place.start(), place.end())).collect()
}

fn machines(text: &str) -> Vec<(usize, usize)> {
    let places = MACHINE.iter().flat_map(|form| form.find_iter(text));
    let real = places.filter(|place| {
        let is_address =
            place.as_str().parse::<Ipv4Addr>().is_ok() || place.as_str().parse::<Ipv6Addr>().is_ok();
        is_address && !is_part_of_longer(text, place.start(), place.end())
    });
    real.map(|place| (place.start(), place.end())).collect()
}

/// Whether what looks like an address is part of a longer number or name.
fn is_part_of_longer(text: &str, start: usize, end: usize) -> bool {
    let continues = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == ':');
    continues(text[..start].chars().next_back()) || continues(text[end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|(start, end)| &text[start..end]).collect()
    }

    #[test]
    fn personal_data_is_found_between_chinese_and_english_words() {
        let cases = [
            ("联系张三13812345678谢谢", "13812345678"),
            ("call +86 138-1234-5678 now", "+86 138-1234-5678"),
            ("身份证11010519491231002X的人", "11010519491231002X"),
            ("card 4111 1111 1111 1111 declined", "4111 1111 1111 1111"),
            ("to zhang.san@corp.example.cn please", "zhang.san@corp.example.cn"),
            ("GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
            ("server 10.1.2.3 is down", "10.1.2.3"),
            ("电话010-62345678转", "010-62345678"),
            ("call (555) 123-4567", "(555) 123-4567"),
            ("see http://user:pw@host.example/x", "http://user:pw@host.example/x"),
            ("打开http://wiki/secret看看", "http://wiki/secret看看"),
            ("ping fd00::1:2 fails", "fd00::1:2"),
            ("密码：Hunter2-Hunter2", "Hunter2-Hunter2"),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn numbers_that_are_nobodys_stay() {
        for text in [
            "ISO 19001-2016",
            "error 0x80070005",
            "GB/T 5656-2008",
            "3.14159265358979",
            "1234567890123456",
            "110105194912310021",
            "version 1.2.3.4444",
            "https://docs.example/page",
            "2024-01-02",
            "6305-2RS bearing",
            "std::vec::Vec",
            "at 12:30:45",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
