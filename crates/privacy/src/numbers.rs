//! Numbers: the digits of a text in groups, and what groups together make: identity numbers, cards, telephones.

use crate::checksum;
use crate::context::{AGAINST_NUMBERS, Says, nearest};
use crate::folded::Folded;
use crate::kind::{Kind, KindSet};
use crate::phone;
use crate::scan::Found;

/// Groups that one number can have.
const MAX_GROUPS: usize = 8;
/// Digits of the longest number that is looked for.
pub(crate) const MAX_DIGITS: usize = 19;

/// What stands between two groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    Space,
    Hyphen,
    Dot,
    /// A bracket, with or without a space.
    Bracket,
    /// Anything else: the groups are not of one number.
    Apart,
}

/// A run of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    pub start: usize,
    pub end: usize,
    /// What joins it to the group after it.
    pub join: Join,
}

impl Group {
    pub fn len(&self) -> usize {
        self.end - self.start
    }
}

/// The groups of digits of a text.
pub(crate) struct Groups<'f> {
    pub folded: &'f Folded,
    pub all: Vec<Group>,
}

impl<'f> Groups<'f> {
    pub fn new(folded: &'f Folded) -> Self {
        let mut all: Vec<Group> = Vec::new();
        let mut at = 0;
        while at < folded.len() {
            if !folded.chars[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let end = folded.run(at, usize::MAX, |character| character.is_ascii_digit());
            if let Some(before) = all.last_mut() {
                before.join = join(&folded.chars[before.end..at]);
            }
            all.push(Group { start: at, end, join: Join::Apart });
            at = end;
        }
        Self { folded, all }
    }

    /// The digits of the groups from `first` to `last`, both included.
    pub fn digits(&self, first: usize, last: usize) -> Vec<u8> {
        let groups = self.all.get(first..=last).unwrap_or_default();
        groups.iter().flat_map(|group| self.digits_of(group)).collect()
    }

    fn digits_of(&self, group: &Group) -> impl Iterator<Item = u8> + '_ {
        let digits = self.folded.chars.get(group.start..group.end).unwrap_or_default();
        digits.iter().take(MAX_DIGITS + 1).filter_map(|digit| digit.to_digit(10)).map(|digit| digit as u8)
    }

    /// The last of the groups from `first` on that have `total` digits together, joined by `is_join`.
    fn ending_after(&self, first: usize, total: usize, is_join: impl Fn(Join) -> bool) -> Option<usize> {
        let mut sum = 0;
        for (offset, group) in self.all.get(first..)?.iter().take(MAX_GROUPS).enumerate() {
            sum += group.len();
            if sum >= total {
                return (sum == total).then_some(first + offset);
            }
            if !is_join(group.join) {
                return None;
            }
        }
        None
    }

    /// Nothing before the character at `start` makes it the rest of something longer: no letter, no decimal point,
    /// no group joined by more than a space.
    pub fn is_clear_before(&self, first: usize, start: usize) -> bool {
        let joined = first
            .checked_sub(1)
            .and_then(|before| self.all.get(before))
            .is_some_and(|group| matches!(group.join, Join::Hyphen | Join::Dot));
        !joined
            && !self
                .folded
                .before(start)
                .is_some_and(|one| one.is_ascii_alphanumeric() || "_$¥€£#".contains(one))
    }

    /// Nothing after the character before `end` goes on with it, and no unit makes it an amount.
    pub fn is_clear_after(&self, last: usize) -> bool {
        let Some(group) = self.all.get(last) else { return false };
        let next = self.folded.at(group.end);
        let goes_on = next.is_some_and(|one| one.is_ascii_alphanumeric() || one == '_');
        let is_amount = next.is_some_and(|one| "%元万亿¥€£$".contains(one));
        !goes_on && !is_amount && !matches!(group.join, Join::Hyphen | Join::Dot)
    }
}

fn join(between: &[char]) -> Join {
    match between {
        [' '] => Join::Space,
        ['-'] | [' ', '-', ' '] | [' ', '-'] | ['-', ' '] => Join::Hyphen,
        ['.'] => Join::Dot,
        [')'] | ['('] | [')', ' '] | [' ', '('] | [')', '-'] | ['-', '('] => Join::Bracket,
        _ => Join::Apart,
    }
}

fn is_spelled_apart(join: Join) -> bool {
    matches!(join, Join::Space | Join::Hyphen)
}

/// Finds every number of the wanted kinds.
pub(crate) fn find(folded: &Folded, kinds: KindSet, found: &mut Vec<Found>) {
    let groups = Groups::new(folded);
    let mut first = 0;
    while first < groups.all.len() {
        let identity = || identity(&groups, first).filter(|_| kinds.has(Kind::IdentityNumber));
        let card = || card(&groups, first).filter(|_| kinds.has(Kind::BankCard));
        let telephone = || phone::find_at(&groups, first).filter(|_| kinds.has(Kind::Phone));
        let Some(one) = identity().or_else(card).or_else(telephone) else {
            first += 1;
            continue;
        };
        let end = one.range.end;
        found.push(one);
        while groups.all.get(first).is_some_and(|group| group.start < end) {
            first += 1;
        }
    }
}

const IDENTITY_WORDS: &[&str] = &[
    "身份证",
    "身份證",
    "身分证",
    "身分證",
    "证件号",
    "公民身份",
    "居民证",
    "id number",
    "id no",
    "id card",
    "identity number",
    "identity card",
    "national id",
    "national insurance",
    "ni number",
    "nino",
    "ssn",
    "social security",
];

fn identity(groups: &Groups<'_>, first: usize) -> Option<Found> {
    chinese_identity(groups, first)
        .or_else(|| old_chinese_identity(groups, first))
        .or_else(|| social_security(groups, first))
        .or_else(|| lettered_identity(groups, first))
}

fn chinese_identity(groups: &Groups<'_>, first: usize) -> Option<Found> {
    let start = groups.all.get(first)?.start;
    if !groups.is_clear_before(first, start) {
        return None;
    }
    let whole = groups.ending_after(first, 18, is_spelled_apart).filter(|last| groups.is_clear_after(*last));
    if let Some(last) = whole {
        let digits = groups.digits(first, last);
        let (check, body) = digits.split_last()?;
        let check = char::from_digit(u32::from(*check), 10)?;
        return checksum::chinese_identity(body, check)
            .then(|| Found::new(Kind::IdentityNumber, start..groups.all[last].end));
    }
    let last = groups.ending_after(first, 17, is_spelled_apart)?;
    let mut at = groups.all[last].end;
    if groups.folded.at(at).is_some_and(|one| one == ' ' || one == '-') {
        at += 1;
    }
    let ends = !groups.folded.at(at + 1).is_some_and(|one| one.is_ascii_alphanumeric());
    let is_x = groups.folded.at(at).is_some_and(|one| matches!(one, 'X' | 'x' | '×'));
    (is_x && ends && checksum::chinese_identity(&groups.digits(first, last), 'X'))
        .then(|| Found::new(Kind::IdentityNumber, start..at + 1))
}

fn old_chinese_identity(groups: &Groups<'_>, first: usize) -> Option<Found> {
    let start = groups.all.get(first)?.start;
    let last = groups.ending_after(first, 15, is_spelled_apart)?;
    let is_one = groups.is_clear_before(first, start)
        && groups.is_clear_after(last)
        && checksum::old_chinese_identity(&groups.digits(first, last))
        && is_called_identity(groups.folded, start);
    is_one.then(|| Found::new(Kind::IdentityNumber, start..groups.all[last].end))
}

fn is_called_identity(folded: &Folded, start: usize) -> bool {
    nearest(folded, start, IDENTITY_WORDS, &["订单", "流水", "imei", "order", "invoice"]) == Says::For
}

/// A United States social security number, by its groups and the ranges that are never given out.
fn social_security(groups: &Groups<'_>, first: usize) -> Option<Found> {
    let [area, group, serial] = groups.all.get(first..first + 3)? else { return None };
    let shaped = (area.len(), group.len(), serial.len()) == (3, 2, 4)
        && area.join == Join::Hyphen
        && group.join == Join::Hyphen
        && groups.folded.at(area.end + 1) == groups.folded.at(group.start);
    if !shaped || !groups.is_clear_before(first, area.start) || !groups.is_clear_after(first + 2) {
        return None;
    }
    let value = |group: &Group| groups.digits_of(group).fold(0u32, |sum, digit| sum * 10 + u32::from(digit));
    let given_out = !matches!(value(area), 0 | 666 | 900..) && value(group) != 0 && value(serial) != 0;
    let says = nearest(groups.folded, area.start, IDENTITY_WORDS, AGAINST_NUMBERS);
    (given_out && says != Says::Against).then(|| Found::new(Kind::IdentityNumber, area.start..serial.end))
}

/// Numbers that begin with letters: Hong Kong, Taiwan, United Kingdom.
fn lettered_identity(groups: &Groups<'_>, first: usize) -> Option<Found> {
    let folded = groups.folded;
    let group = *groups.all.get(first)?;
    let letters_end = folded.run_back(group.start, 1, |one| one == ' ');
    let start = folded.run_back(letters_end, 3, |one| one.is_ascii_uppercase());
    let letters = folded.chars.get(start..letters_end)?;
    let stands_alone = !folded.before(start).is_some_and(|one| one.is_ascii_alphanumeric() || one == '-');
    if letters.is_empty() || letters.len() > 2 || !stands_alone {
        return None;
    }
    let adjacent = letters_end == group.start;
    let found = |end| Some(Found::new(Kind::IdentityNumber, start..end));
    if group.len() == 6
        && adjacent
        && folded.at(group.end) == Some('(')
        && folded.at(group.end + 2) == Some(')')
    {
        let digits: Vec<u8> = groups.digits_of(&group).collect();
        let check = folded.at(group.end + 1)?;
        return checksum::hong_kong_identity(letters, &digits, check).then_some(()).and(found(group.end + 3));
    }
    if let (1, 9, true, [letter]) = (letters.len(), group.len(), adjacent, letters) {
        let digits: Vec<u8> = groups.digits_of(&group).collect();
        let is_one = groups.is_clear_after(first)
            && checksum::taiwan_identity(*letter, &digits)
            && is_called_identity(folded, start);
        return is_one.then_some(()).and(found(group.end));
    }
    national_insurance(groups, first, (start, letters)).and_then(found)
}

/// `AB123456C` and `AB 12 34 56 C`, where a label says so; answers the end.
fn national_insurance(
    groups: &Groups<'_>,
    first: usize,
    (start, letters): (usize, &[char]),
) -> Option<usize> {
    let last = groups.ending_after(first, 6, |join| join == Join::Space)?;
    let end = groups.all[last].end;
    let at = if groups.folded.at(end) == Some(' ') { end + 1 } else { end };
    let suffix = groups.folded.at(at)?;
    let ends = !groups.folded.at(at + 1).is_some_and(|one| one.is_ascii_alphanumeric());
    let is_one = letters.len() == 2
        && !letters.iter().any(|one| "DFIQUV".contains(*one))
        && ('A'..='D').contains(&suffix)
        && ends
        && is_called_identity(groups.folded, start);
    is_one.then_some(at + 1)
}

const CARD_WORDS: &[&str] = &[
    "银行卡",
    "卡号",
    "账号",
    "帐号",
    "账户",
    "帐户",
    "信用卡",
    "借记卡",
    "储蓄卡",
    "对公",
    "card",
    "account",
    "visa",
    "mastercard",
    "amex",
    "unionpay",
    "银联",
];
/// What makes sixteen digits something else, although they satisfy Luhn by chance.
const AGAINST_CARDS: &[&str] = &[
    "订单",
    "单号",
    "流水",
    "运单",
    "快递",
    "发票",
    "序列号",
    "交易号",
    "信用代码",
    "税号",
    "时间戳",
    "条码",
    "设备号",
    "合同",
    "order",
    "invoice",
    "tracking",
    "serial",
    "transaction",
    "imei",
    "iccid",
    "timestamp",
    "parcel",
    "shipment",
];

fn card(groups: &Groups<'_>, first: usize) -> Option<Found> {
    let start = groups.all.get(first)?.start;
    if !groups.is_clear_before(first, start) || spaced_before(groups, first) {
        return None;
    }
    let says = || nearest(groups.folded, start, CARD_WORDS, AGAINST_CARDS);
    (13..=MAX_DIGITS).rev().find_map(|length| {
        let last = groups.ending_after(first, length, is_spelled_apart)?;
        let digits = groups.digits(first, last);
        let is_one = groups.is_clear_after(last)
            && is_grouped_like_a_card(&groups.all[first..=last])
            && checksum::luhn(&digits)
            && digits.iter().any(|digit| *digit != digits[0]);
        if !is_one {
            return None;
        }
        let plausible = has_issuer(&digits);
        let is_card = match says() {
            Says::Against => false,
            Says::For => plausible || length >= 16,
            Says::Nothing => plausible,
        };
        is_card.then(|| Found::new(Kind::BankCard, start..groups.all[last].end))
    })
}

/// Groups of four with a rest, or American Express's 4-6-5, or 6 and 13, or no groups.
fn is_grouped_like_a_card(groups: &[Group]) -> bool {
    let lengths: Vec<usize> = groups.iter().map(Group::len).collect();
    let same_join =
        groups.windows(2).all(|pair| pair[0].join == groups[0].join || pair[1].join == pair[0].join);
    match lengths.as_slice() {
        [_] | [4, 6, 5] | [4, 6, 4] | [6, 13] | [6, 10] => true,
        [fours @ .., last] => same_join && (1..=4).contains(last) && fours.iter().all(|length| *length == 4),
        [] => false,
    }
}

/// A group of four before belongs to the same row of digits.
fn spaced_before(groups: &Groups<'_>, first: usize) -> bool {
    let before = first.checked_sub(1).and_then(|before| groups.all.get(before));
    before.is_some_and(|group| group.join == Join::Space && group.len() == 4)
}

/// The issuer's prefix fits the length (ISO/IEC 7812 ranges in use).
fn has_issuer(digits: &[u8]) -> bool {
    let prefix =
        |length: usize| digits.iter().take(length).fold(0u32, |sum, digit| sum * 10 + u32::from(*digit));
    match digits.len() {
        13 => prefix(1) == 4,
        14 => matches!(prefix(3), 300..=305 | 360..=369 | 380..=399),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            matches!(prefix(1), 4)
                || matches!(prefix(2), 51..=55 | 62 | 65 | 81)
                || matches!(prefix(4), 2221..=2720 | 3528..=3589 | 6011)
                || matches!(prefix(3), 603 | 644..=649)
                || prefix(6) == 955_880
        }
        17 | 18 => matches!(prefix(2), 62),
        19 => matches!(prefix(2), 62) || matches!(prefix(4), 9558 | 9559) || prefix(1) == 4,
        _ => false,
    }
}

/// Finds account numbers of the international form: two letters, two check digits, and up to thirty characters, in
/// groups of four or in one piece.
pub(crate) fn find_ibans(folded: &Folded, found: &mut Vec<Found>) {
    let mut at = 0;
    while at + 15 <= folded.len() {
        match iban_end(folded, at) {
            Some(end) => {
                found.push(Found::new(Kind::BankCard, at..end));
                at = end;
            }
            None => at += 1,
        }
    }
}

fn iban_end(folded: &Folded, at: usize) -> Option<usize> {
    let head: &[char] = folded.chars.get(at..at + 4)?;
    let begins = head[..2].iter().all(char::is_ascii_uppercase) && head[2..].iter().all(char::is_ascii_digit);
    if !begins || folded.before(at).is_some_and(|one| one.is_ascii_alphanumeric()) {
        return None;
    }
    let mut characters = head.to_vec();
    let mut end = at + 4;
    while characters.len() < 34 {
        let next =
            if folded.at(end) == Some(' ') && characters.len().is_multiple_of(4) { end + 1 } else { end };
        let Some(one) = folded.at(next).filter(|one| one.is_ascii_uppercase() || one.is_ascii_digit()) else {
            break;
        };
        characters.push(one);
        end = next + 1;
    }
    let ends = !folded.at(end).is_some_and(|one| one.is_ascii_alphanumeric());
    (ends && checksum::iban(&characters)).then_some(end)
}
