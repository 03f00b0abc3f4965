//! All detectors over one text.

use crate::folded::Folded;
use crate::kind::{Kind, KindSet};
use crate::words::{WordList, WordListError};
use crate::{address, email, numbers, passport, plate, secret};
use std::ops::Range;

/// Something that was found, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    /// Byte offsets into the text, on character boundaries.
    pub range: Range<usize>,
}

/// Something that was found, by its characters in the folded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub kind: Kind,
    pub range: Range<usize>,
}

impl Found {
    /// Whether both are of one kind and share a character.
    fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.range.start < other.range.end && other.range.start < self.range.end
    }

    pub fn new(kind: Kind, range: Range<usize>) -> Self {
        Self { kind, range }
    }
}

/// Finds everything of one kind in a text.
type FindKind = fn(&Folded, &mut Vec<Found>);

/// Looks for certain kinds of content, and for the words of a list. Making one compiles the list; looking is cheap.
#[derive(Debug, Clone)]
pub struct Detector {
    kinds: KindSet,
    words: Option<WordList>,
}

impl Detector {
    /// `words` are looked for when [`Kind::Word`] is among the kinds.
    ///
    /// # Errors
    /// When the list has too many words, or one that is empty or too long.
    pub fn new(kinds: impl IntoIterator<Item = Kind>, words: &[String]) -> Result<Self, WordListError> {
        let kinds: KindSet = kinds.into_iter().collect();
        let words = if kinds.has(Kind::Word) { WordList::new(words)? } else { None };
        Ok(Self { kinds, words })
    }

    /// Everything of the wanted kinds, in the order of the text, without overlaps: where two kinds claim the same
    /// stretch, the surer one names all of it.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let folded = Folded::new(text);
        let mut found = Vec::new();
        self.scan(&folded, &mut found);
        joined(found)
            .into_iter()
            .map(|one| Finding { kind: one.kind, range: folded.bytes(&one.range) })
            .collect()
    }

    /// As [`find`](Self::find), where labels stand beside the text, as a table's header and the cell to the left do.
    /// Any of them may speak for what would not be found without it; only the first may speak against what would be, since
    /// the others may be values themselves. What is in a label is not reported.
    pub fn find_labelled(&self, labels: &[&str], text: &str) -> Vec<Finding> {
        let labels: Vec<&str> =
            labels.iter().map(|label| label.trim()).filter(|label| !label.is_empty()).collect();
        if labels.is_empty() {
            return self.find(text);
        }
        let own = Folded::new(text);
        let mut plain = Vec::new();
        self.scan(&own, &mut plain);
        let mut found: Vec<Found> = Vec::new();
        let mut objected: Vec<Found> = Vec::new();
        for (at, label) in labels.into_iter().enumerate() {
            let lead = Folded::new(&format!("{label}:"));
            let whole = Folded::new(&format!("{label}:{text}"));
            let mut here = Vec::new();
            self.scan(&whole, &mut here);
            let behind = here.into_iter().filter(|one| one.range.end > lead.len());
            let here: Vec<Found> = behind
                .map(|one| {
                    let start = one.range.start.saturating_sub(lead.len());
                    Found::new(one.kind, start..one.range.end - lead.len())
                })
                .collect();
            if at == 0 {
                objected
                    .extend(plain.iter().filter(|one| !here.iter().any(|other| one.is_same(other))).cloned());
            }
            found.extend(here.into_iter().filter(|one| !objected.iter().any(|other| one.is_same(other))));
        }
        joined(found)
            .into_iter()
            .map(|one| Finding { kind: one.kind, range: own.bytes(&one.range) })
            .collect()
    }

    fn scan(&self, folded: &Folded, found: &mut Vec<Found>) {
        if [Kind::Phone, Kind::IdentityNumber, Kind::BankCard].iter().any(|kind| self.kinds.has(*kind)) {
            numbers::find(folded, self.kinds, found);
        }
        if self.kinds.has(Kind::BankCard) {
            numbers::find_ibans(folded, found);
        }
        let others: [(Kind, FindKind); 5] = [
            (Kind::Email, email::find),
            (Kind::Passport, passport::find),
            (Kind::LicencePlate, plate::find),
            (Kind::Address, address::find),
            (Kind::Secret, secret::find),
        ];
        for (kind, find) in others {
            if self.kinds.has(kind) {
                find(folded, found);
            }
        }
        if let Some(words) = &self.words {
            words.find(folded, found);
        }
    }
}

/// Sorts, and joins what overlaps.
fn joined(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|one| (one.range.start, one.range.end));
    let mut joined: Vec<Found> = Vec::with_capacity(found.len());
    for one in found {
        match joined.last_mut() {
            Some(last) if one.range.start < last.range.end => {
                last.range.end = last.range.end.max(one.range.end);
                if one.kind.certainty() > last.kind.certainty() {
                    last.kind = one.kind;
                }
            }
            _ => joined.push(one),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Detector {
        Detector::new(Kind::ALL, &["启明星".to_owned()]).unwrap()
    }

    #[test]
    fn findings_stand_in_order_and_apart() {
        let text = "张三，手机１３９１２３４５６７８，邮箱 zhang@example.com，启明星。";
        let findings = all().find(text);
        let values: Vec<(Kind, &str)> =
            findings.iter().map(|finding| (finding.kind, &text[finding.range.clone()])).collect();
        assert_eq!(
            values,
            [
                (Kind::Phone, "１３９１２３４５６７８"),
                (Kind::Email, "zhang@example.com"),
                (Kind::Word, "启明星")
            ]
        );
    }

    #[test]
    fn what_two_kinds_claim_is_reported_once_and_whole() {
        let found = |kind, range| Found::new(kind, range);
        let joined = joined(vec![
            found(Kind::Phone, 5..10),
            found(Kind::IdentityNumber, 3..8),
            found(Kind::Word, 10..12),
        ]);
        assert_eq!(joined, [found(Kind::IdentityNumber, 3..10), found(Kind::Word, 10..12)]);
    }

    #[test]
    fn only_the_wanted_kinds_are_found() {
        let only = Detector::new([Kind::Email], &["启明星".to_owned()]).unwrap();
        let text = "启明星 13912345678 a@example.com";
        let kinds: Vec<Kind> = only.find(text).iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [Kind::Email]);
    }

    #[test]
    fn a_label_speaks_for_a_value_and_is_not_reported_itself() {
        let detector = all();
        assert!(detector.find("E12345678").is_empty());
        let findings = detector.find_labelled(&["李四", "护照号码"], "E12345678");
        assert_eq!(findings, [Finding { kind: Kind::Passport, range: 0..9 }]);
        assert!(detector.find_labelled(&["a@example.com"], "nothing").is_empty());
        // A column's header speaks against a number; the name in the cell beside it does not speak for it.
        assert!(detector.find_labelled(&["订单号", "张三"], "13912345678").is_empty());
        assert_eq!(detector.find_labelled(&["张三", "订单号"], "13912345678").len(), 1);
    }

    #[test]
    fn nothing_is_slow_on_hostile_text() {
        // Each of these made of one character or one pattern would take minutes in a detector that looks back over
        // the whole run for each character.
        let detector = all();
        for pattern in [
            "1",
            "1 ",
            "12-",
            "a@",
            "a.",
            "@",
            "eyJ.",
            "京A",
            "号",
            "1号",
            "-----BEGIN PRIVATE KEY",
            "=",
            "密码：",
            "A",
            "路1",
            "P<",
        ] {
            let text = pattern.repeat(200_000 / pattern.len());
            let findings = detector.find(&text);
            assert!(findings.len() <= text.len(), "{pattern}");
        }
    }
}
