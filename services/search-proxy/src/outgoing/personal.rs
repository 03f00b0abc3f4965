//! Personal data in a query: what can be told by its form. Names cannot; the organisation's own words are for those.

use regex::Regex;
use std::sync::LazyLock;

/// What a person or a device is told by. Each with a check of what the form alone does not say.
struct Detector {
    form: Regex,
    is_real: Check,
}

type Check = fn(&str) -> bool;

static DETECTORS: LazyLock<Vec<Detector>> = LazyLock::new(|| {
    let always: Check = |_| true;
    // Word boundaries of ASCII: between a Chinese character and a digit there is none of Unicode's.
    let forms: [(&str, Check); 9] = [
        // Addresses with a name, a password or a query in them; before those of mail, which stand inside of them.
        (r"(?i)(?-u:\b)https?://[^\s，。；]+", is_private_address),
        // Addresses of mail.
        (r"[\p{L}0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", always),
        // Identity numbers of the People's Republic of China.
        (r"(?-u:\b)[0-9]{17}[0-9Xx](?-u:\b)|[0-9]{17}[0-9Xx]", is_identity_number),
        // Mobile numbers of China.
        (
            r"(?:\+?86[-\s]?)?(?-u:\b)1[3-9][0-9][-\s]?[0-9]{4}[-\s]?[0-9]{4}(?-u:\b)|1[3-9][0-9]{9}",
            is_mobile_number,
        ),
        // International and North American numbers.
        (
            r"\+[0-9]{1,3}[\s-]?(?:\(?[0-9]{1,4}\)?[\s-]?){2,4}[0-9]{2,4}(?-u:\b)|\([0-9]{3}\)\s?[0-9]{3}-[0-9]{4}(?-u:\b)|(?-u:\b)[0-9]{3}-[0-9]{3}-[0-9]{4}(?-u:\b)",
            always,
        ),
        // Land lines of China.
        (r"(?-u:\b)0[0-9]{2,3}-[0-9]{7,8}(?-u:\b)", always),
        // Cards.
        (r"(?-u:\b)[0-9](?:[ -]?[0-9]){12,18}(?-u:\b)", is_card_number),
        // Accounts of banks.
        (r"(?-u:\b)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?-u:\b)", is_iban),
        // Addresses of machines.
        (r"(?-u:\b)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?-u:\b)", is_machine),
    ];
    let built = forms
        .into_iter()
        .filter_map(|(form, is_real)| Some(Detector { form: Regex::new(form).ok()?, is_real }));
    built.collect()
});

/// The places of personal data, as byte offsets.
pub fn find(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for detector in DETECTORS.iter() {
        for place in detector.form.find_iter(text) {
            let overlaps = found.iter().any(|(start, end)| place.start() < *end && *start < place.end());
            if !overlaps
                && !within_digits(text, place.start(), place.end())
                && (detector.is_real)(place.as_str())
            {
                found.push((place.start(), place.end()));
            }
        }
    }
    found
}

/// Whether a number is part of a longer one.
fn within_digits(text: &str, start: usize, end: usize) -> bool {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let starts_with_digit = is_digit(text[start..end].chars().next());
    let ends_with_digit = is_digit(text[start..end].chars().next_back());
    starts_with_digit && is_digit(text[..start].chars().next_back())
        || ends_with_digit && is_digit(text[end..].chars().next())
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn is_private_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.host_str().is_some_and(|host| !host.contains('.'))
    })
}

fn is_mobile_number(text: &str) -> bool {
    let digits = digits(text);
    matches!(digits.len(), 11 | 13)
}

/// ISO 7064, MOD 11-2, and a year of birth.
fn is_identity_number(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let sum: u32 = digits(&text[..17]).iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let check = CHECKS.get((sum % 11) as usize).copied();
    let century = &text[6..8];
    check == text.chars().last().map(|c| c.to_ascii_uppercase()) && matches!(century, "18" | "19" | "20")
}

/// Luhn's check.
fn is_card_number(text: &str) -> bool {
    let digits = digits(text);
    if !(13..=19).contains(&digits.len()) || digits.iter().all(|digit| *digit == digits[0]) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => (digit * 2) / 10 + (digit * 2) % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 13616: the rest of the number by 97 is 1.
fn is_iban(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !(15..=34).contains(&compact.len()) {
        return false;
    }
    let turned = compact[4..].chars().chain(compact[..4].chars());
    let rest = turned.filter_map(|c| c.to_digit(36)).fold(0_u32, |rest, value| {
        if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 }
    });
    rest == 1
}

fn is_machine(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
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
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
