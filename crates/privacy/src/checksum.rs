//! Check digits and dates.

/// Whether decimal digits satisfy Luhn's formula (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let doubled = u32::from(*digit) << (place % 2);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// Weights of the first 17 digits of a Chinese identity number (GB 11643-1999), powers of 2 modulo 11.
const IDENTITY_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check character for each remainder.
const IDENTITY_CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// Whether 17 digits and a check character make a Chinese identity number: its place, its date and its check.
pub(crate) fn chinese_identity(digits: &[u8], check: char) -> bool {
    if digits.len() != IDENTITY_WEIGHTS.len() || !is_region(digits) {
        return false;
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2] = [6, 7, 8, 9, 10, 11, 12, 13].map(|at| u32::from(digits[at]));
    let year = y1 * 1000 + y2 * 100 + y3 * 10 + y4;
    if !(1800..2100).contains(&year) || !is_date(year, m1 * 10 + m2, d1 * 10 + d2) {
        return false;
    }
    let sum: u32 =
        digits.iter().zip(IDENTITY_WEIGHTS).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    IDENTITY_CHECKS[(sum % 11) as usize] == check.to_ascii_uppercase()
}

/// Whether 15 digits can be a Chinese identity number from before 1999: no check digit, two digits of the year.
pub(crate) fn old_chinese_identity(digits: &[u8]) -> bool {
    if digits.len() != 15 || !is_region(digits) {
        return false;
    }
    let [y1, y2, m1, m2, d1, d2] = [6, 7, 8, 9, 10, 11].map(|at| u32::from(digits[at]));
    is_date(1900 + y1 * 10 + y2, m1 * 10 + m2, d1 * 10 + d2)
}

/// The first two digits are a province (GB/T 2260).
fn is_region(digits: &[u8]) -> bool {
    let [tens, ones, ..] = digits else { return false };
    matches!(
        tens * 10 + ones,
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91
    )
}

pub(crate) fn is_date(year: u32, month: u32, day: u32) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// A Hong Kong identity card: one or two letters, six digits, a check of 0 to 9 or A.
pub(crate) fn hong_kong_identity(letters: &[char], digits: &[u8], check: char) -> bool {
    let value = |letter: char| u32::from(letter) - u32::from('A') + 10;
    let (first, second) = match letters {
        [one] => (36, value(*one)),
        [one, two] => (value(*one), value(*two)),
        _ => return false,
    };
    let check = match check {
        'A' => 10,
        digit => match digit.to_digit(10) {
            Some(digit) => digit,
            None => return false,
        },
    };
    let body: u32 =
        digits.iter().zip([7, 6, 5, 4, 3, 2]).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    digits.len() == 6 && (first * 9 + second * 8 + body + check).is_multiple_of(11)
}

/// What each letter of a Taiwan identity card counts.
const TAIWAN_LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVXYWZIO";

/// A Taiwan identity card: a letter and nine digits, the first of them 1, 2, 8 or 9.
pub(crate) fn taiwan_identity(letter: char, digits: &[u8]) -> bool {
    let Some(place) = TAIWAN_LETTERS.find(letter) else { return false };
    let number = place as u32 + 10;
    let [first, middle @ .., check] = digits else { return false };
    let weighted: u32 = std::iter::once(first)
        .chain(middle)
        .zip([8, 7, 6, 5, 4, 3, 2, 1])
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    digits.len() == 9
        && matches!(first, 1 | 2 | 8 | 9)
        && (number / 10 + number % 10 * 9 + weighted + u32::from(*check)).is_multiple_of(10)
}

/// An IBAN: the remainder of the rearranged number modulo 97 is 1 (ISO 13616).
pub(crate) fn iban(characters: &[char]) -> bool {
    if !(15..=34).contains(&characters.len()) {
        return false;
    }
    let (head, body) = characters.split_at(4);
    let remainder = body.iter().chain(head).try_fold(0u32, |remainder, character| {
        let value = character.to_digit(36)?;
        let shift = if value > 9 { 100 } else { 10 };
        Some((remainder * shift + value) % 97)
    });
    remainder == Some(1)
}

/// The check digit of a field of a machine-readable travel document (ICAO 9303, part 3).
pub(crate) fn travel_document(field: &[char], check: char) -> bool {
    let value = |character: &char| match character {
        '<' => Some(0),
        other => other.to_digit(36),
    };
    let sum = field
        .iter()
        .zip([7, 3, 1].into_iter().cycle())
        .try_fold(0u32, |sum, (character, weight)| Some(sum + value(character)? * weight));
    sum.is_some_and(|sum| check.to_digit(10) == Some(sum % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    #[test]
    fn luhn_tells_a_mistyped_card() {
        assert!(luhn(&digits("4111111111111111")));
        assert!(luhn(&digits("6222021234567890128")) != luhn(&digits("6222021234567890129")));
        assert!(!luhn(&digits("4111111111111112")));
        assert!(!luhn(&[]));
    }

    #[test]
    fn an_identity_number_needs_its_place_its_date_and_its_check() {
        // The example of GB 11643-1999.
        let of = |text: &str| {
            let (body, check) = text.split_at(17);
            chinese_identity(&digits(body), check.chars().next().unwrap())
        };
        assert!(of("11010519491231002X"));
        assert!(of("11010519491231002x"));
        assert!(of("440524188001010014"));
        for wrong in ["110105194912310021", "10010519491231002X", "11010519491331002X", "11010519490231002X"]
        {
            assert!(!of(wrong), "{wrong}");
        }
    }

    #[test]
    fn days_end_with_their_month() {
        for (date, expected) in
            [((2000, 2, 29), true), ((1900, 2, 29), false), ((2024, 4, 31), false), ((2024, 0, 1), false)]
        {
            assert_eq!(is_date(date.0, date.1, date.2), expected, "{date:?}");
        }
    }

    #[test]
    fn other_schemes_accept_their_published_examples() {
        assert!(hong_kong_identity(&['A'], &digits("123456"), '3'));
        assert!(!hong_kong_identity(&['A'], &digits("123456"), '4'));
        assert!(taiwan_identity('A', &digits("123456789")));
        assert!(!taiwan_identity('A', &digits("123456788")));
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        assert!(iban(&characters("GB82WEST12345698765432")));
        assert!(!iban(&characters("GB82WEST12345698765433")));
        assert!(travel_document(&characters("L898902C3"), '6'));
        assert!(!travel_document(&characters("L898902C3"), '7'));
    }
}
