//! Telephone numbers.

use crate::context::{AGAINST_NUMBERS, Says, nearest};
use crate::folded::Folded;
use crate::kind::Kind;
use crate::numbers::{Group, Groups, Join};
use crate::scan::Found;

pub(crate) const PHONE_WORDS: &[&str] = &[
    "电话",
    "電話",
    "手机",
    "手機",
    "座机",
    "固话",
    "传真",
    "傳真",
    "联系方式",
    "联系人",
    "热线",
    "来电",
    "拨打",
    "致电",
    "微信",
    "短信",
    "tel",
    "telephone",
    "phone",
    "mobile",
    "cell",
    "fax",
    "call",
    "whatsapp",
    "contact",
    "sms",
    "dial",
];

/// Digits of an international number without its plus (ITU-T E.164 allows 15).
const MIN_INTERNATIONAL: usize = 8;
const MAX_INTERNATIONAL: usize = 15;
const MAX_GROUPS: usize = 6;
/// From this many digits on an international number is not an amount in thousands.
const BEYOND_THOUSANDS: usize = 11;
/// The longest extension.
const MAX_EXTENSION: usize = 6;

/// The number that begins with a group.
pub(crate) fn find_at(groups: &Groups<'_>, first: usize) -> Option<Found> {
    let group = groups.all.get(first)?;
    let says = nearest(groups.folded, group.start, PHONE_WORDS, AGAINST_NUMBERS);
    let (start, last) = international(groups, first, says)
        .or_else(|| mobile(groups, first, says))
        .or_else(|| landline(groups, first, says))
        .or_else(|| north_american(groups, first, says))
        .or_else(|| labelled(groups, first, says))?;
    let end = extension(groups.folded, groups.all[last].end);
    Some(Found::new(Kind::Phone, start..end))
}

/// A Chinese mobile number: 11 digits, or 3, 4 and 4, with or without 86 before it.
fn mobile(groups: &Groups<'_>, first: usize, says: Says) -> Option<(usize, usize)> {
    let start = groups.all.get(first)?.start;
    if says == Says::Against || !groups.is_clear_before(first, start) {
        return None;
    }
    let digits = groups.digits(first, first);
    // 8613812345678 and 86 138 1234 5678, 0086 likewise.
    let prefix = [vec![0, 0, 8, 6], vec![8, 6]].into_iter().find(|prefix| digits.starts_with(prefix));
    let (number, skipped) = match prefix {
        Some(prefix) if digits.len() == prefix.len() && groups.all[first].join != Join::Apart => {
            (first + 1, 0)
        }
        Some(prefix) if digits.len() == prefix.len() + 11 => (first, prefix.len()),
        _ => (first, 0),
    };
    let last = mobile_groups(groups.all.get(number..)?, skipped)? + number;
    // Behind a slash, dots are those of some other code (10.1000/182.2023.0415).
    if groups.all[number].join == Join::Dot && groups.folded.before(start) == Some('/') {
        return None;
    }
    (is_mobile(groups.digits(number, last).get(skipped..)?) && groups.is_clear_after(last))
        .then_some((start, last))
}

/// How many groups after the first a mobile number has.
fn mobile_groups(groups: &[Group], skipped: usize) -> Option<usize> {
    let [one, rest @ ..] = groups else { return None };
    if one.len() == 11 + skipped {
        return Some(0);
    }
    let [two, three, ..] = rest else { return None };
    let spelled = (one.len(), two.len(), three.len()) == (3, 4, 4);
    (spelled && one.join == two.join && matches!(one.join, Join::Space | Join::Hyphen | Join::Dot))
        .then_some(2)
}

/// Ranges that are given out to subscribers (MIIT's numbering plan; 14x and 16x in part).
fn is_mobile(digits: &[u8]) -> bool {
    let [one, two, three, rest @ ..] = digits else { return false };
    let given_out = match two {
        3 | 8 => true,
        4 => matches!(three, 0 | 1 | 4..=9),
        5 => *three != 4,
        6 => matches!(three, 2 | 5..=7),
        7 => *three <= 8,
        9 => *three != 4,
        _ => false,
    };
    // 13800000000 is a placeholder of forms, and so is any row of one digit.
    let is_placeholder = rest.iter().all(|digit| *digit == 0);
    digits.len() == 11 && *one == 1 && given_out && !is_placeholder
}

/// A Chinese land line: area code and seven or eight digits. Written in one piece it needs a label.
fn landline(groups: &Groups<'_>, first: usize, says: Says) -> Option<(usize, usize)> {
    let area = *groups.all.get(first)?;
    let bracket = groups.folded.before(area.start) == Some('(');
    let start = if bracket { area.start - 1 } else { area.start };
    if says == Says::Against || !groups.is_clear_before(first, start) {
        return None;
    }
    let digits = groups.digits(first, first);
    if matches!(area.len(), 11 | 12) && says == Says::For {
        let code = if matches!(digits.get(1), Some(1 | 2)) { 3 } else { 4 };
        let is_one = is_area(digits.get(..code)?) && matches!(digits.len() - code, 7 | 8);
        return (is_one && groups.is_clear_after(first)).then_some((start, first));
    }
    if !is_area(&digits) || area.join == Join::Apart || area.join == Join::Dot {
        return None;
    }
    let number = *groups.all.get(first + 1)?;
    let last = match (number.len(), groups.all.get(first + 2)) {
        (7 | 8, _) => first + 1,
        (4, Some(rest)) if rest.len() == 4 && number.join == Join::Space => first + 2,
        (3, Some(rest)) if rest.len() == 4 && number.join == Join::Space && digits.len() == 4 => first + 2,
        _ => return None,
    };
    let begins = groups.digits(first + 1, first + 1);
    let subscriber = matches!(begins.first(), Some(2..=8));
    (subscriber && groups.folded.at(groups.all[last].end) != Some('.') && ends(groups, last))
        .then_some((start, last))
}

/// 010, 02x, and 03xx to 09xx.
fn is_area(digits: &[u8]) -> bool {
    match digits {
        [0, 1, 0] => true,
        [0, 2, third] => *third != 6,
        [0, 3..=9, third, _] => *third != 0,
        _ => false,
    }
}

/// Clear after, but for an extension after a hyphen.
fn ends(groups: &Groups<'_>, last: usize) -> bool {
    let extension = groups.all.get(last).is_some_and(|group| group.join == Join::Hyphen)
        && groups.all.get(last + 1).is_some_and(|next| next.len() <= MAX_EXTENSION);
    extension || groups.is_clear_after(last)
}

/// `+` and a country's code, or `00` where a label says so.
fn international(groups: &Groups<'_>, first: usize, says: Says) -> Option<(usize, usize)> {
    let group = *groups.all.get(first)?;
    let plus = groups.folded.before(group.start) == Some('+')
        || (groups.folded.before(group.start) == Some('(')
            && group.start.checked_sub(2).and_then(|at| groups.folded.at(at)) == Some('+'));
    let zeros = says == Says::For && groups.digits(first, first).starts_with(&[0, 0]);
    if !plus && !zeros {
        return None;
    }
    let mut start = group.start;
    while groups.folded.before(start).is_some_and(|one| one == '+' || one == '(') && group.start - start < 2 {
        start -= 1;
    }
    let before = groups.folded.before(start);
    if before.is_some_and(|one| one.is_ascii_alphanumeric() || "=*/_+)".contains(one)) {
        return None;
    }
    let candidates = &groups.all[first..groups.all.len().min(first + MAX_GROUPS)];
    let joined = candidates.iter().take_while(|group| group.join != Join::Apart).count();
    let mut digits = Vec::new();
    let mut best = None;
    for (offset, candidate) in candidates.iter().take(joined + 1).enumerate() {
        digits.extend(groups.digits(first + offset, first + offset));
        let count = digits.len() - if zeros { 2 } else { 0 };
        if count > MAX_INTERNATIONAL {
            break;
        }
        let clear = !groups
            .folded
            .at(candidate.end)
            .is_some_and(|one| one.is_ascii_alphanumeric() || "%元万亿".contains(one));
        if count >= MIN_INTERNATIONAL && clear {
            best = Some((offset, count));
        }
    }
    let (offset, count) = best?;
    let code = digits.get(if zeros { 2 } else { 0 }..)?;
    let thousands =
        offset > 0 && candidates[1..=offset].iter().all(|group| group.len() == 3) && count < BEYOND_THOUSANDS;
    let bare = offset == 0 && count < 10 && says != Says::For;
    (is_country(code) && !thousands && !bare && (says != Says::Against)).then_some((start, first + offset))
}

/// The digits begin with a country code that is in use (ITU-T E.164 list of assigned codes).
fn is_country(digits: &[u8]) -> bool {
    let [first, second, third, ..] = digits else { return false };
    match (first, second) {
        (1, 2..=9) | (7, 3 | 4 | 6..=9) => true,
        (2, 0 | 7)
        | (3, 0..=4 | 6 | 9)
        | (4, 0 | 1 | 3..=9)
        | (5, 1..=8)
        | (6, 0..=6)
        | (8, 1 | 2 | 4 | 6) => true,
        (9, 0..=5 | 8) => true,
        (2, 1..=6 | 9) => *third <= 9,
        (3, 5 | 7 | 8) | (4, 2) | (5, 0 | 9) | (6, 7..=9) | (9, 6 | 7 | 9) => true,
        (8, 5 | 8) => true,
        _ => false,
    }
}

/// Toll-free codes belong to companies; 400 is a Chinese hot line and no area of America.
const TOLL_FREE: [u32; 8] = [400, 800, 833, 844, 855, 866, 877, 888];

/// A number of the North American plan: 3, 3 and 4 digits. With spaces it needs a label.
fn north_american(groups: &Groups<'_>, first: usize, says: Says) -> Option<(usize, usize)> {
    if says == Says::Against {
        return None;
    }
    let leading_one = groups.digits(first, first) == [1] && groups.all[first].join != Join::Apart;
    let number = if leading_one { first + 1 } else { first };
    let [area, exchange, line, ..] = groups.all.get(number..)? else { return None };
    let bracket = groups.folded.before(area.start) == Some('(');
    let start = match (leading_one, bracket) {
        (true, _) => groups.all[first].start,
        (false, true) => area.start - 1,
        (false, false) => area.start,
    };
    let shaped = (area.len(), exchange.len(), line.len()) == (3, 3, 4);
    let clear = groups.is_clear_before(first, start) && groups.is_clear_after(number + 2);
    if !shaped || !clear {
        return None;
    }
    let joined = match (area.join, exchange.join) {
        (Join::Bracket, Join::Hyphen | Join::Dot | Join::Space) => bracket,
        (Join::Hyphen, Join::Hyphen) | (Join::Dot, Join::Dot) => true,
        (Join::Space, Join::Space | Join::Hyphen) => says == Says::For,
        _ => false,
    };
    let value = |group: usize| {
        groups.digits(group, group).iter().fold(0u32, |sum, digit| sum * 10 + u32::from(*digit))
    };
    let given_out = value(number) >= 200 && value(number + 1) >= 200 && !TOLL_FREE.contains(&value(number));
    (joined && given_out).then_some((start, number + 2))
}

/// Seven to fifteen digits that directly follow a label.
fn labelled(groups: &Groups<'_>, first: usize, says: Says) -> Option<(usize, usize)> {
    let group = *groups.all.get(first)?;
    let bracket = groups.folded.before(group.start) == Some('(');
    let start = if bracket { group.start - 1 } else { group.start };
    if says != Says::For || !groups.is_clear_before(first, start) || !follows_label(groups.folded, start) {
        return None;
    }
    let candidates = &groups.all[first..groups.all.len().min(first + MAX_GROUPS)];
    let joined = candidates.iter().take_while(|group| !matches!(group.join, Join::Apart)).count();
    let mut digits = 0;
    let mut best = None;
    for (offset, candidate) in candidates.iter().take(joined + 1).enumerate() {
        digits += candidate.len();
        if (7..=MAX_INTERNATIONAL).contains(&digits) && ends(groups, first + offset) {
            best = Some(first + offset);
            // A hyphen after a whole number is its extension.
            if candidate.join == Join::Hyphen {
                break;
            }
        }
    }
    let last = best?;
    let all = groups.digits(first, last);
    let code = all.strip_prefix(&[1]).filter(|rest| rest.len() == 10).unwrap_or(&all);
    let code = code.iter().take(3).fold(0u32, |sum, digit| sum * 10 + u32::from(*digit));
    let is_hotline = TOLL_FREE.contains(&code);
    let is_date = all.len() == 8 && all.starts_with(&[2, 0]) && last > first;
    let is_placeholder = all.iter().all(|digit| *digit == all[0])
        || all.get(3..).is_none_or(|rest| rest.iter().all(|digit| *digit == 0));
    (!is_hotline && !is_date && !is_placeholder).then_some((start, last))
}

/// Only punctuation and a few words like "number" stand between the label and the value.
fn follows_label(folded: &Folded, start: usize) -> bool {
    let begin = folded.run_back(start, 14, |character| character != '\n');
    let before = folded.text(begin..start).to_lowercase();
    let mut rest =
        before.trim_end_matches([' ', ':', '.', '|', '/', '=', '是', '为', '(', ')', '"', '\'', '号', '码']);
    for filler in ["is", "us at", "me at", "at", "on", "number", "no", "#", "话号"] {
        rest = rest.strip_suffix(filler).unwrap_or(rest).trim_end_matches([' ', ':', '.', ')', '号', '码']);
    }
    let rest = rest.trim_end_matches(['号', '码']);
    PHONE_WORDS.iter().any(|word| rest.ends_with(word))
}

/// The end of the number with its extension: `转 8001`, `ext. 12`, `-8001`.
fn extension(folded: &Folded, end: usize) -> usize {
    let mut at = folded.run(end, 2, |one| one == ' ');
    let marks = ["转分机", "分机号", "分机", "转", "ext.", "ext", "extension", "x", "-"];
    let stands = |mark: &&str| folded.text(at..at + mark.chars().count()).to_lowercase() == **mark;
    let Some(mark) = marks.into_iter().find(stands) else {
        return end;
    };
    if mark == "-" && at != end {
        return end;
    }
    at += mark.chars().count();
    at = folded.run(at, 2, |one| one == ' ' || one == ':');
    let last = folded.run(at, MAX_EXTENSION + 1, |one| one.is_ascii_digit());
    let is_extension = (1..=MAX_EXTENSION).contains(&(last - at));
    if is_extension { last } else { end }
}
