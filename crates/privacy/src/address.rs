//! Hints of a postal address: a street with a house number, and what makes it a place of somebody.

use crate::context::{Says, nearest};
use crate::folded::Folded;
use crate::kind::Kind;
use crate::scan::Found;

/// How far before the house number a Chinese address reaches, and how far behind it (characters).
const REACH_BEFORE: usize = 40;
const REACH_BEHIND: usize = 30;
/// Ends of the names of streets.
const STREETS: [&str; 13] =
    ["大街", "大道", "路", "街", "道", "巷", "弄", "胡同", "里", "村", "街坊", "新村", "段"];
const DIVISIONS: [char; 9] = ['省', '市', '区', '县', '镇', '乡', '旗', '州', '區'];
/// What a house has inside.
const INSIDE: [&str; 14] =
    ["栋", "幢", "单元", "室", "号楼", "座", "楼", "层", "房", "户", "院", "大厦", "小区", "花园"];
const ADDRESS_WORDS: &[&str] = &[
    "地址",
    "住址",
    "住所",
    "寄往",
    "寄到",
    "收货",
    "收件",
    "邮寄",
    "居住",
    "家住",
    "户籍",
    "位于",
    "通讯处",
    "address",
    "lives at",
    "live at",
    "reside",
    "residing",
    "ship to",
    "deliver to",
    "mail to",
    "send to",
    "located at",
];
/// "路" and "号" of something that is no house.
const AGAINST_ADDRESSES: &[&str] =
    &["公路", "铁路", "线路", "地铁", "高速", "公交", "电路", "管路", "支路", "回路"];

/// Finds every address.
pub(crate) fn find(folded: &Folded, found: &mut Vec<Found>) {
    let mut done = 0;
    for at in 0..folded.len() {
        let is_number_mark = matches!(folded.at(at), Some('号' | '號')) && at >= done;
        if let Some(one) = is_number_mark.then(|| chinese(folded, at, done)).flatten() {
            done = one.range.end;
            found.push(one);
        }
    }
    western(folded, found);
}

/// The address around a house number whose 号 stands at `mark`.
fn chinese(folded: &Folded, mark: usize, after: usize) -> Option<Found> {
    let number = folded.run_back(mark, 6, |one| one.is_ascii_alphanumeric() || "-之".contains(one));
    let counted = folded.run_back(mark, 6, |one| "一二三四五六七八九十百".contains(one));
    let number = if number < mark { number } else { counted };
    if number == mark {
        return None;
    }
    let belongs = |one: char| one.is_alphanumeric() || "()-·".contains(one);
    let start = folded.run_back(number, REACH_BEFORE, belongs).max(after);
    let street = folded.text(start..number);
    if !STREETS.iter().any(|end| street.trim_end_matches(' ').ends_with(end)) || street.chars().count() < 3 {
        return None;
    }
    if AGAINST_ADDRESSES.iter().any(|word| street.ends_with(word)) {
        return None;
    }
    let end = end_of_house(folded, mark + 1);
    let inside = folded.text(mark + 1..end);
    let start = begin_at_division(folded, start, number);
    let place = folded.text(start..number);
    let has_division = place.chars().any(|one| DIVISIONS.contains(&one));
    let has_inside = INSIDE.iter().any(|part| inside.contains(part));
    let is_called = nearest(folded, start, ADDRESS_WORDS, &["线路", "站台"]) == Says::For
        || ADDRESS_WORDS.iter().any(|word| place.starts_with(word));
    (has_division || has_inside || is_called).then(|| Found::new(Kind::Address, start..end))
}

/// Leaves out what is before the first division when a label or a verb stands there (住在北京市…).
fn begin_at_division(folded: &Folded, start: usize, number: usize) -> usize {
    const LEADS: [&str; 15] = [
        "地址",
        "住址",
        "住在",
        "家住",
        "位于",
        "寄往",
        "寄到",
        "寄至",
        "送到",
        "送至",
        "前往",
        "居住于",
        "搬到",
        "现住",
        "在",
    ];
    let text: Vec<char> = folded.chars.get(start..number).unwrap_or_default().to_vec();
    let mut begin = start;
    for lead in LEADS {
        let characters: Vec<char> = lead.chars().collect();
        if let Some(at) = text.windows(characters.len()).rposition(|window| window == characters) {
            begin = begin.max(start + at + characters.len());
        }
    }
    if folded.at(begin).is_some_and(|one| "是为在:".contains(one)) { begin + 1 } else { begin }
}

/// After the house number: buildings, floors and rooms, as long as they have numbers.
fn end_of_house(folded: &Folded, start: usize) -> usize {
    let limit = (start + REACH_BEHIND).min(folded.len());
    let mut end = start;
    let mut at = start;
    while at < limit {
        let next =
            folded.run(at, 6, |one| one.is_ascii_alphanumeric() || "-一二三四五六七八九十".contains(one));
        let rest = INSIDE
            .iter()
            .filter(|part| folded.starts_with(next, part))
            .map(|part| part.chars().count())
            .max();
        match rest {
            Some(length) if next > at || length > 1 => at = next + length,
            // A bare room number ends an address: 27号502.
            None if next - at >= 3
                && folded.chars[at..next].iter().all(char::is_ascii_digit)
                && end > start =>
            {
                return next;
            }
            _ => break,
        }
        end = at;
        at = folded.run(at, 1, |one| one == ' ');
    }
    end
}

const STREET_TYPES: [&str; 15] = [
    "Street",
    "Avenue",
    "Road",
    "Boulevard",
    "Lane",
    "Drive",
    "Court",
    "Square",
    "Terrace",
    "Place",
    "Way",
    "Highway",
    "Crescent",
    "Close",
    "Parkway",
];
/// Short forms, which end many other words too: they need a comma or a postcode behind them.
const SHORT_TYPES: [&str; 9] = ["St", "Ave", "Rd", "Blvd", "Ln", "Dr", "Ct", "Sq", "Hwy"];
/// Words of a street's name.
const MAX_STREET_WORDS: usize = 4;

/// House number, name, kind of street: `221B Baker Street, London`.
fn western(folded: &Folded, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < folded.len() {
        let starts = folded.chars[at].is_ascii_digit()
            && !folded.before(at).is_some_and(|one| one.is_alphanumeric() || ".-/$€£¥#".contains(one));
        let one = starts.then(|| western_at(folded, at)).flatten().or_else(|| post_box(folded, at));
        match one {
            Some(one) => {
                at = one.range.end;
                found.push(one);
            }
            None => at += 1,
        }
    }
}

fn western_at(folded: &Folded, start: usize) -> Option<Found> {
    let digits_end = folded.run(start, 6, |one| one.is_ascii_digit());
    let number_end = folded.run(digits_end, 1, |one| one.is_ascii_uppercase());
    if digits_end - start > 5 || folded.at(number_end) != Some(' ') {
        return None;
    }
    let mut at = number_end + 1;
    for word_number in 0..=MAX_STREET_WORDS {
        let end = folded.run(at, 20, |one| one.is_ascii_alphanumeric() || one == '\'');
        let word = folded.text(at..end);
        let is_name = word.starts_with(|one: char| one.is_ascii_uppercase() || one.is_ascii_digit());
        if word.is_empty() || !is_name {
            return None;
        }
        let is_short = SHORT_TYPES.contains(&word.as_str());
        if word_number > 0 && (is_short || STREET_TYPES.contains(&word.as_str())) {
            let year = digits_end - start == 4
                && folded
                    .text(start..start + 2)
                    .parse::<u32>()
                    .is_ok_and(|century| matches!(century, 19 | 20));
            return western_end(folded, start, end, year);
        }
        at = end + folded.run(end, 1, |one| one == '.').saturating_sub(end);
        if folded.at(at) != Some(' ') {
            return None;
        }
        at += 1;
    }
    None
}

/// A town or a postcode after the street makes it an address; a label before it does too.
fn western_end(folded: &Folded, start: usize, street_end: usize, is_year: bool) -> Option<Found> {
    let at = folded.run(street_end, 1, |one| one == '.');
    let says = nearest(folded, start, ADDRESS_WORDS, &["figure", "section", "page", "table"]);
    let reach = folded.run(at, 60, |one| one.is_ascii_alphanumeric() || " ,.#-".contains(one));
    let tail = folded.text(at..reach);
    let postcode = postcode_end(&tail);
    let town =
        tail.strip_prefix(", ").is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_uppercase()));
    let is_address = postcode.is_some() || says == Says::For || (town && !is_year && says == Says::Nothing);
    let town_end = || {
        if !town {
            return at;
        }
        folded.run(at + 2, 24, |one| one.is_ascii_alphabetic())
    };
    is_address.then(|| Found::new(Kind::Address, start..postcode.map_or_else(town_end, |end| at + end)))
}

/// The end of a United States ZIP code or a British postcode.
fn postcode_end(tail: &str) -> Option<usize> {
    let mut offset = 0;
    let words: Vec<(usize, &str)> = tail
        .split(' ')
        .map(|word| {
            let at = offset;
            offset += word.len() + 1;
            (at, word.trim_matches([',', '.']))
        })
        .collect();
    words.windows(2).find_map(|pair| {
        let [(_, one), (at, two)] = pair else { return None };
        let bytes = two.as_bytes();
        let state = one.len() == 2 && one.bytes().all(|byte| byte.is_ascii_uppercase());
        let zip = (bytes.len() == 5 || (bytes.len() == 10 && bytes[5] == b'-'))
            && bytes.iter().take(5).all(u8::is_ascii_digit);
        let outward = (2..=4).contains(&one.len())
            && one.starts_with(|first: char| first.is_ascii_uppercase())
            && one.bytes().any(|byte| byte.is_ascii_digit());
        let inward = matches!(bytes, [digit, first, second] if digit.is_ascii_digit() && first.is_ascii_uppercase() && second.is_ascii_uppercase());
        ((state && zip) || (outward && inward)).then_some(at + two.len())
    })
}

fn post_box(folded: &Folded, at: usize) -> Option<Found> {
    let forms = ["P.O. Box ", "PO Box ", "P.O.Box "];
    let form = forms.into_iter().find(|form| folded.starts_with(at, form))?;
    let number = at + form.chars().count();
    let end = folded.run(number, 7, |one| one.is_ascii_digit());
    (end > number).then(|| Found::new(Kind::Address, at..end))
}
