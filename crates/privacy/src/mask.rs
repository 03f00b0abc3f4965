//! Text with its findings taken out, and samples that show what was found without telling it.

use crate::kind::Kind;
use crate::scan::Finding;
use anwen_text::Language;

/// A text whose findings have been replaced, and the way from the old offsets to the new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    pub text: String,
    /// Old start, old end, new start, new end, in order.
    edits: Vec<(usize, usize, usize, usize)>,
}

impl Masked {
    /// Where a byte offset of the old text is in the new one. The inside of what was replaced is the beginning of
    /// what stands there now; see [`end`](Self::end) for the ends of ranges.
    pub fn start(&self, offset: usize) -> usize {
        self.moved(offset, |new_start, _| new_start)
    }

    /// The same for the end of a range, which inside of what was replaced is its end.
    pub fn end(&self, offset: usize) -> usize {
        self.moved(offset, |_, new_end| new_end)
    }

    fn moved(&self, offset: usize, inside: impl Fn(usize, usize) -> usize) -> usize {
        let before = self.edits.partition_point(|(_, old_end, ..)| *old_end <= offset);
        if let Some((old_start, _, new_start, new_end)) =
            self.edits.get(before).filter(|edit| edit.0 < offset)
        {
            debug_assert!(*old_start < offset);
            return inside(*new_start, *new_end);
        }
        match before.checked_sub(1).and_then(|last| self.edits.get(last)) {
            Some((_, old_end, _, new_end)) => offset - old_end + new_end,
            None => offset,
        }
    }
}

/// Replaces each finding by a placeholder that says its kind, in a language. Findings stand in order and apart, as
/// a detector answers them.
pub fn mask(text: &str, findings: &[Finding], language: Language) -> Masked {
    let mut masked = String::with_capacity(text.len());
    let mut edits = Vec::with_capacity(findings.len());
    let mut at = 0;
    for finding in findings {
        let range = &finding.range;
        let (Some(before), Some(_)) = (text.get(at..range.start), text.get(range.clone())) else { continue };
        masked.push_str(before);
        let start = masked.len();
        masked.push_str(placeholder(finding.kind, language));
        edits.push((range.start, range.end, start, masked.len()));
        at = range.end;
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    Masked { text: masked, edits }
}

/// What stands in a masked text instead of a value.
pub fn placeholder(kind: Kind, language: Language) -> &'static str {
    if language == Language::Chinese {
        return match kind {
            Kind::Email => "[邮箱]",
            Kind::Phone => "[电话]",
            Kind::IdentityNumber => "[证件号]",
            Kind::BankCard => "[银行卡号]",
            Kind::Passport => "[护照号]",
            Kind::LicencePlate => "[车牌号]",
            Kind::Address => "[地址]",
            Kind::Secret => "[密钥]",
            Kind::Word => "[敏感词]",
        };
    }
    match kind {
        Kind::Email => "[email]",
        Kind::Phone => "[phone]",
        Kind::IdentityNumber => "[identity number]",
        Kind::BankCard => "[card number]",
        Kind::Passport => "[passport number]",
        Kind::LicencePlate => "[licence plate]",
        Kind::Address => "[address]",
        Kind::Secret => "[secret]",
        Kind::Word => "[withheld]",
    }
}

/// The most characters of a value that a sample shows, at each end.
const SHOWN_CHARS: usize = 3;
/// The most characters that a sample hides one by one; longer values are shown shorter.
const HIDDEN_CHARS: usize = 8;

/// A value with most of it hidden: at most a quarter of its characters at either end stays. Of a secret only the
/// first two characters are shown, of an e-mail address its domain and of a longer name its first letter.
pub fn sample(kind: Kind, value: &str) -> String {
    let characters: Vec<char> = value.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    if let (Kind::Email, Some(sign)) = (kind, characters.iter().position(|one| matches!(one, '@' | '＠'))) {
        let first: String = characters.iter().take(usize::from(sign > 3)).collect();
        let domain: String = characters[sign..].iter().take(64).collect();
        return format!("{first}***{domain}");
    }
    let quarter = (characters.len() / 4).min(SHOWN_CHARS);
    let (head, tail) = match kind {
        Kind::Secret => (quarter.min(2), 0),
        Kind::Word => (quarter.min(1), 0),
        _ => (quarter, quarter),
    };
    let hidden = (characters.len() - head - tail).min(HIDDEN_CHARS);
    let shown = |part: &[char]| part.iter().collect::<String>();
    format!(
        "{}{}{}",
        shown(&characters[..head]),
        "*".repeat(hidden),
        shown(&characters[characters.len() - tail..])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: Kind, text: &str, value: &str) -> Finding {
        let start = text.find(value).unwrap();
        Finding { kind, range: start..start + value.len() }
    }

    #[test]
    fn offsets_outside_follow_and_inside_snap_to_the_placeholder() {
        let text = "tel 13912345678, mail a@b.cn end";
        let findings = [finding(Kind::Phone, text, "13912345678"), finding(Kind::Email, text, "a@b.cn")];
        let masked = mask(text, &findings, Language::English);
        assert_eq!(masked.text, "tel [phone], mail [email] end");
        for (old, new) in [(0, 0), (4, 4), (15, 11), (16, 12), (17, 13), (22, 18), (28, 25), (text.len(), 29)]
        {
            assert_eq!((masked.start(old), masked.end(old)), (new, new), "{old}");
        }
        assert_eq!((masked.start(9), masked.end(9)), (4, 11));
        assert_eq!((masked.start(24), masked.end(24)), (18, 25));
    }

    #[test]
    fn the_placeholder_speaks_the_language_that_is_asked_for() {
        let text = "联系人的手机号是13912345678";
        let findings = [finding(Kind::Phone, text, "13912345678")];
        assert_eq!(mask(text, &findings, Language::Chinese).text, "联系人的手机号是[电话]");
    }

    #[test]
    fn a_sample_never_tells_the_value() {
        for (kind, value, expected) in [
            (Kind::Phone, "13912345678", "13*******78"),
            (Kind::IdentityNumber, "11010519491231002X", "110********02X"),
            (Kind::Email, "zhang.san@example.com", "z***@example.com"),
            (Kind::Email, "li@example.com", "***@example.com"),
            (Kind::Secret, "hunter2!", "hu******"),
            (Kind::Secret, "-----BEGIN PRIVATE KEY-----\nabc", "--********"),
            (Kind::Word, "启明星计划", "启****"),
            (Kind::Word, "张三", "**"),
            (Kind::LicencePlate, "京A12345", "京*****5"),
        ] {
            assert_eq!(sample(kind, value), expected, "{value}");
        }
    }
}
