//! Licence plates of mainland China (GA 36-2018).

use crate::context::{Says, nearest};
use crate::folded::Folded;
use crate::kind::Kind;
use crate::scan::Found;

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
/// Provinces whose character is also the end of common words (创新, 阿里云, 全新): after another character they need
/// to be called a plate.
const AMBIGUOUS: &str = "新云青宁贵藏吉川甘黑";
/// What may stand at the end instead of a digit or letter.
const SPECIAL: &str = "挂学警港澳领使";
const PLATE_WORDS: &[&str] =
    &["车牌", "号牌", "牌照", "车号", "车辆", "轿车", "货车", "汽车", "驾驶", "plate", "车主"];

/// Finds every plate.
pub(crate) fn find(folded: &Folded, found: &mut Vec<Found>) {
    for at in 0..folded.len() {
        let Some(province) = folded.at(at).filter(|one| PROVINCES.contains(*one)) else { continue };
        let Some(end) = plate(folded, at) else { continue };
        let follows_han = folded.before(at).is_some_and(anwen_text::is_han);
        let doubtful = follows_han && AMBIGUOUS.contains(province);
        if !doubtful || nearest(folded, at, PLATE_WORDS, &["型号", "编号", "产品"]) == Says::For {
            found.push(Found::new(Kind::LicencePlate, at..end));
        }
    }
}

/// The letters of an office and of a number: all but I and O.
fn is_mark(character: char) -> bool {
    character.is_ascii_digit() || is_letter(character)
}

fn is_letter(character: char) -> bool {
    character.is_ascii_uppercase() && !"IO".contains(character)
}

/// The end of the plate that begins with the province at `at`.
fn plate(folded: &Folded, at: usize) -> Option<usize> {
    let office = folded.at(at + 1)?;
    if !office.is_ascii_uppercase() || office == 'I' {
        return None;
    }
    let body = folded.run(at + 2, 2, |one| " ·.-".contains(one));
    let end = folded.run(body, 7, is_mark);
    let marks = folded.chars.get(body..end)?;
    let special = folded.at(end).filter(|one| SPECIAL.contains(*one));
    let ends = |end: usize| {
        let next = folded.at(end);
        let decimal = next == Some('.') && folded.at(end + 1).is_some_and(|one| one.is_ascii_digit());
        !decimal && !next.is_some_and(|one| one.is_ascii_alphanumeric() || "-_".contains(one))
    };
    match (marks.len(), special) {
        (4, Some(_)) if is_number(marks) => Some(end + 1),
        (5, _) if is_number(marks) && ends(end) => Some(end),
        (6, _) if is_new_energy(marks) && ends(end) => Some(end),
        _ => None,
    }
}

/// At most two letters; three digits or more.
fn is_number(marks: &[char]) -> bool {
    marks.iter().filter(|mark| is_letter(**mark)).count() <= 2
}

/// Small cars: a letter, perhaps another, and digits. Large cars: digits and a letter.
fn is_new_energy(marks: &[char]) -> bool {
    let digits = |part: &[char]| part.iter().all(char::is_ascii_digit);
    match marks {
        [first, second, rest @ ..] if is_letter(*first) => is_mark(*second) && digits(rest),
        [rest @ .., last] => "DF".contains(*last) && digits(rest),
        [] => false,
    }
}
