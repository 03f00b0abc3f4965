//! Passports and travel permits.

use crate::checksum;
use crate::context::{Says, nearest};
use crate::folded::Folded;
use crate::kind::Kind;
use crate::scan::Found;

const PASSPORT_WORDS: &[&str] = &[
    "护照",
    "護照",
    "通行证",
    "通行證",
    "回乡证",
    "台胞证",
    "旅行证",
    "旅行证件",
    "passport",
    "travel document",
];
const AGAINST_PASSPORTS: &[&str] = &[
    "订单",
    "航班",
    "座位",
    "案号",
    "身份证",
    "电话",
    "手机",
    "签发",
    "order",
    "flight",
    "seat",
    "visa fee",
    "phone",
];
/// Characters of a line of a machine-readable passport (ICAO 9303, part 4).
const LINE: usize = 44;

/// Finds every number and every machine-readable line.
pub(crate) fn find(folded: &Folded, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < folded.len() {
        let end = folded.run(at, usize::MAX, is_machine_readable);
        if end == at {
            at += 1;
            continue;
        }
        let marks = &folded.chars[at..end];
        if marks.len() == LINE && (is_first_line(marks) || is_second_line(marks)) {
            found.push(Found::new(Kind::Passport, at..end));
        } else if is_number(marks) && stands_alone(folded, at, end) {
            let says = nearest(folded, at, PASSPORT_WORDS, AGAINST_PASSPORTS);
            if says == Says::For {
                found.push(Found::new(Kind::Passport, at..end));
            }
        }
        at = end;
    }
}

fn is_machine_readable(character: char) -> bool {
    character.is_ascii_uppercase() || character.is_ascii_digit() || character == '<'
}

fn stands_alone(folded: &Folded, start: usize, end: usize) -> bool {
    let joins = |character: Option<char>| {
        character.is_some_and(|one| one.is_ascii_alphanumeric() || "-_/.¥$".contains(one))
    };
    let next = folded.at(end);
    let sentence_ends =
        next == Some('.') && !folded.at(end + 1).is_some_and(|one| one.is_ascii_alphanumeric());
    !joins(folded.before(start))
        && (sentence_ends || !joins(next))
        && !next.is_some_and(|one| "元年".contains(one))
}

/// Up to two letters and six to nine digits, eight or nine characters together: the shapes of most issuers.
fn is_number(marks: &[char]) -> bool {
    let letters = marks.iter().take_while(|mark| mark.is_ascii_uppercase()).count();
    let digits = &marks[letters..];
    letters <= 2
        && (7..=10).contains(&marks.len())
        && digits.len() >= 6
        && digits.iter().all(char::is_ascii_digit)
}

/// `P<` or `PM`, the issuer and the names.
fn is_first_line(marks: &[char]) -> bool {
    let names: String = marks[5..].iter().collect();
    marks[0] == 'P'
        && marks[2..5].iter().all(|mark| mark.is_ascii_uppercase() || *mark == '<')
        && names.contains("<<")
        && !names.bytes().any(|byte| byte.is_ascii_digit())
}

/// Number, nationality, birth, sex and expiry, with their check digits.
fn is_second_line(marks: &[char]) -> bool {
    let checks = [(0..9, 9), (13..19, 19), (21..27, 27)];
    checks.into_iter().all(|(field, check)| checksum::travel_document(&marks[field], marks[check]))
        && "MFX<".contains(marks[20])
}
