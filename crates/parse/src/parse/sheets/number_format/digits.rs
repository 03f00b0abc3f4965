//! Digits laid into a format's places.

use super::code::{Section, Token};

/// Denominators beyond are not looked for.
const MAX_DENOMINATOR_DIGITS: u32 = 4;
/// Digits that a binary fraction holds; what follows them is noise.
const SIGNIFICANT_DIGITS: usize = 15;
/// More decimals than this are noise.
const MAX_DECIMALS: usize = 30;

/// A number without its sign in this section; `None` when it cannot be shown so.
pub(super) fn show(section: &Section, value: f64, shows_sign: bool) -> Option<String> {
    let tokens = &section.tokens;
    let is_negative = value < 0.0;
    if tokens.contains(&Token::Slash)
        && let Some(text) = fraction(tokens, value.abs())
    {
        return Some(if is_negative && shows_sign { format!("-{text}") } else { text });
    }
    let percents = tokens.iter().filter(|token| **token == Token::Percent).count();
    let layout = Layout::of(tokens);
    let mut scaled = value.abs() * 100f64.powi(percents.min(8) as i32);
    scaled /= 1000f64.powi(layout.thousands.min(8) as i32);
    if !scaled.is_finite() {
        return None;
    }
    let mut exponent = 0;
    if layout.exponent.is_some() && scaled > 0.0 {
        let step = layout.whole.max(1) as i32;
        exponent = scaled.log10().floor() as i32;
        exponent = if step > 1 { exponent.div_euclid(step) * step } else { exponent };
        scaled /= 10f64.powi(exponent);
        if rounded(scaled, layout.decimals).starts_with("10") && step == 1 {
            scaled /= 10.0;
            exponent += 1;
        }
    }
    let text = rounded(scaled, layout.decimals);
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let out = layout.fill(tokens, if whole == "0" { "" } else { whole }, decimals, exponent);
    Some(if is_negative && shows_sign && !is_zero { format!("-{out}") } else { out })
}

/// What places a section has.
#[derive(Default)]
struct Layout {
    whole: usize,
    decimals: usize,
    /// Commas behind the last digit: each divides by a thousand.
    thousands: usize,
    is_grouped: bool,
    /// Place of the exponent's token.
    exponent: Option<usize>,
}

impl Layout {
    fn of(tokens: &[Token]) -> Self {
        let mut layout = Self::default();
        let mut saw_point = false;
        let mut commas = 0;
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Digit(_) if layout.exponent.is_some() => {}
                Token::Digit(_) => {
                    if saw_point {
                        layout.decimals = (layout.decimals + 1).min(MAX_DECIMALS);
                    } else {
                        layout.is_grouped |= commas > 0;
                        layout.whole += 1;
                    }
                    commas = 0;
                }
                Token::Comma if layout.whole > 0 => commas += 1,
                Token::Point => saw_point = true,
                Token::Exponent(_) => layout.exponent = Some(at),
                _ => {}
            }
            if matches!(token, Token::Point) {
                layout.thousands += std::mem::take(&mut commas);
            }
        }
        layout.thousands += commas;
        layout
    }

    fn fill(&self, tokens: &[Token], whole: &str, decimals: &str, exponent: i32) -> String {
        let mut out = String::new();
        let mut places = 0;
        let mut decimal_places = decimals.bytes();
        let mut saw_point = false;
        let mut in_exponent = false;
        let needed = needed_decimals(tokens, decimals);
        let mut shown_decimals = 0;
        for token in tokens {
            match token {
                Token::Digit(_) if in_exponent => {}
                Token::Digit(kind) if !saw_point => {
                    self.whole_place(&mut out, whole, places, *kind);
                    places += 1;
                }
                Token::Digit(_) => {
                    if let Some(digit) = decimal_places.next().filter(|_| shown_decimals < needed) {
                        out.push(char::from(digit));
                        shown_decimals += 1;
                    }
                }
                Token::Point if !saw_point => {
                    saw_point = true;
                    if self.whole == 0 {
                        out.push_str(whole);
                    }
                    if needed > 0 {
                        out.push('.');
                    }
                }
                Token::Exponent(plus) => {
                    in_exponent = true;
                    let width = tokens.iter().rev().take_while(|t| matches!(t, Token::Digit(_))).count();
                    let sign = if exponent < 0 {
                        "-"
                    } else if *plus {
                        "+"
                    } else {
                        ""
                    };
                    out.push_str(&format!("E{sign}{:0width$}", exponent.unsigned_abs()));
                }
                Token::Percent => out.push('%'),
                Token::Literal(text) => out.push_str(text),
                Token::Slash => out.push('/'),
                _ => {}
            }
        }
        out
    }

    /// The digits that stand in a place before the point: all that are left over in the first one.
    fn whole_place(&self, out: &mut String, whole: &str, place: usize, kind: char) {
        let from_right = self.whole - place;
        let digits = whole.as_bytes();
        let begin = if place == 0 { 0 } else { digits.len().saturating_sub(from_right) };
        let end = (digits.len() + 1).saturating_sub(from_right);
        if begin >= end {
            if kind == '0' {
                self.push_grouped(out, '0', from_right);
            }
            return;
        }
        for at in begin..end {
            self.push_grouped(out, char::from(digits[at]), digits.len() - at);
        }
    }

    /// A digit with so many, itself included, to the right of it; a separator before it where one belongs.
    fn push_grouped(&self, out: &mut String, digit: char, to_the_right: usize) {
        if self.is_grouped && to_the_right.is_multiple_of(3) && out.ends_with(|c: char| c.is_ascii_digit()) {
            out.push(',');
        }
        out.push(digit);
    }
}

/// How many decimals are shown: zeros in places for which `#` or `?` stands are not.
fn needed_decimals(tokens: &[Token], decimals: &str) -> usize {
    let places: Vec<char> = tokens
        .iter()
        .skip_while(|token| **token != Token::Point)
        .take_while(|token| !matches!(token, Token::Exponent(_)))
        .filter_map(|token| if let Token::Digit(kind) = token { Some(*kind) } else { None })
        .collect();
    let fixed = places.iter().rposition(|&kind| kind == '0').map_or(0, |last| last + 1);
    decimals.trim_end_matches('0').len().max(fixed.min(decimals.len()))
}

/// A positive number with so many decimals, halves rounded up as they are written in decimal.
pub(super) fn rounded(value: f64, decimals: usize) -> String {
    let scientific = format!("{value:.*e}", SIGNIFICANT_DIGITS - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    // Place of the point behind so many digits.
    let mut point = exponent + 1;
    let kept = point + decimals as i64;
    if kept < 0 {
        digits.clear();
        point = 1;
        digits.push(0);
    } else if (kept as usize) < digits.len() {
        let up = digits[kept as usize] >= 5;
        digits.truncate(kept as usize);
        if up {
            let nines = digits.iter().rev().take_while(|digit| **digit == 9).count();
            let length = digits.len();
            digits[length - nines..].fill(0);
            match length.checked_sub(nines + 1) {
                Some(at) => digits[at] += 1,
                None => {
                    digits.insert(0, 1);
                    point += 1;
                }
            }
        }
    }
    let digit = |place: i64| {
        let digit = usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(0);
        char::from(b'0' + digit)
    };
    let mut out: String = (0..point.max(0)).map(digit).collect();
    let trimmed = out.trim_start_matches('0').len();
    out.drain(..out.len() - trimmed);
    if out.is_empty() {
        out.push('0');
    }
    if decimals > 0 {
        out.push('.');
        out.extend((point..point + decimals as i64).map(digit));
    }
    out
}

/// `2 1/2`.
fn fraction(tokens: &[Token], value: f64) -> Option<String> {
    let slash = tokens.iter().position(|token| *token == Token::Slash)?;
    let behind: Vec<char> = tokens[slash + 1..]
        .iter()
        .map_while(|token| match token {
            Token::Digit(kind) => Some(*kind),
            Token::Literal(text) => text.chars().next().filter(char::is_ascii_digit),
            _ => None,
        })
        .collect();
    let before = tokens[..slash].iter().rev().take_while(|token| matches!(token, Token::Digit(_))).count();
    if before == 0 || behind.is_empty() || value >= 1e12 {
        return None;
    }
    let has_whole = tokens[..slash - before].iter().any(|token| matches!(token, Token::Digit(_)));
    let whole = if has_whole { value.floor() } else { 0.0 };
    let rest = value - whole;
    let fixed: String = behind.iter().filter(|kind| kind.is_ascii_digit()).collect();
    let (numerator, denominator) = match fixed.parse::<u32>() {
        Ok(denominator) if denominator > 0 => ((rest * f64::from(denominator)).round(), denominator),
        _ => nearest(rest, 10u32.pow((behind.len() as u32).min(MAX_DENOMINATOR_DIGITS)) - 1),
    };
    let (whole, numerator) = if has_whole && numerator == f64::from(denominator) {
        (whole + 1.0, 0.0)
    } else {
        (whole, numerator)
    };
    Some(match (whole > 0.0, numerator > 0.0) {
        (true, true) => format!("{whole:.0} {numerator:.0}/{denominator}"),
        (_, false) => format!("{whole:.0}"),
        (false, true) => format!("{numerator:.0}/{denominator}"),
    })
}

/// The fraction with a denominator up to the bound that is nearest.
fn nearest(value: f64, bound: u32) -> (f64, u32) {
    let mut best = (value.round(), 1, f64::INFINITY);
    for denominator in 1..=bound {
        let numerator = (value * f64::from(denominator)).round();
        let error = (value - numerator / f64::from(denominator)).abs();
        if error + 1e-12 < best.2 {
            best = (numerator, denominator, error);
        }
    }
    (best.0, best.1)
}
