//! Days and times from the numbers that spreadsheets keep them as.

use time::{Date, Duration, Month};

use super::code::{DatePart, HalfDay, Section, Token};

const SECONDS_A_DAY: f64 = 86_400.0;
/// 9999-12-31.
const LAST_DAY: f64 = 2_958_465.0;

/// Which day a workbook counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::parse::sheets) enum Epoch {
    /// 1 is 1900-01-01, and 60 is a day that there was not.
    #[default]
    Year1900,
    /// 0 is 1904-01-01.
    Year1904,
}

/// A point in time or a duration in this section; `None` for numbers that are none.
pub(super) fn show(section: &Section, value: f64, epoch: Epoch) -> Option<String> {
    if !(0.0..=LAST_DAY + 1.0).contains(&value) {
        return None;
    }
    let fraction_digits = section.tokens.iter().find_map(|token| match token {
        Token::Date(DatePart::Fraction(digits)) => Some((*digits).min(3)),
        _ => None,
    });
    let unit = 10f64.powi(fraction_digits.unwrap_or(0) as i32);
    let ticks = (value * SECONDS_A_DAY * unit).round();
    let seconds = (ticks / unit).floor();
    let fraction = ((ticks - seconds * unit) as u64, fraction_digits.unwrap_or(0));
    let day = date_of((seconds / SECONDS_A_DAY).floor(), epoch)?;
    let of_day = (seconds % SECONDS_A_DAY) as u32;
    let has_half = section.tokens.iter().any(|token| matches!(token, Token::Date(DatePart::HalfDay(_))));
    let clock = Clock { seconds, of_day, fraction, has_half, is_chinese: section.is_chinese };
    let mut out = String::new();
    for token in &section.tokens {
        match token {
            Token::Literal(text) => out.push_str(text),
            Token::Date(part) => clock.push(&mut out, *part, day),
            _ => {}
        }
    }
    Some(out)
}

fn date_of(days: f64, epoch: Epoch) -> Option<Date> {
    let (year, month, day) = match epoch {
        Epoch::Year1904 => (1904, Month::January, 1),
        // The day that there was not: before it one day more is counted.
        Epoch::Year1900 if days < 60.0 => (1899, Month::December, 31),
        Epoch::Year1900 => (1899, Month::December, 30),
    };
    Date::from_calendar_date(year, month, day).ok()?.checked_add(Duration::days(days as i64))
}

struct Clock {
    seconds: f64,
    of_day: u32,
    /// And its digits.
    fraction: (u64, usize),
    has_half: bool,
    is_chinese: bool,
}

impl Clock {
    fn push(&self, out: &mut String, part: DatePart, day: Date) {
        let padded = |out: &mut String, number: f64, width: usize| {
            out.push_str(&format!("{number:0width$.0}"));
        };
        let hour = self.of_day / 3600;
        let month = u8::from(day.month());
        match part {
            DatePart::Year => out.push_str(&day.year().to_string()),
            DatePart::Month(letters @ 0..=2) => padded(out, f64::from(month), letters),
            DatePart::Month(_) if self.is_chinese => out.push_str(&format!("{month}月")),
            DatePart::Month(3) => out.push_str(&day.month().to_string()[..3]),
            DatePart::Month(5) => out.push_str(&day.month().to_string()[..1]),
            DatePart::Month(_) => out.push_str(&day.month().to_string()),
            DatePart::Day(letters) => padded(out, f64::from(day.day()), letters),
            DatePart::Weekday(letters) => self.push_weekday(out, letters, day),
            DatePart::Hour(letters) => {
                let shown = if self.has_half { (hour + 11) % 12 + 1 } else { hour };
                padded(out, f64::from(shown), letters);
            }
            DatePart::Minute(letters) => padded(out, f64::from(self.of_day / 60 % 60), letters),
            DatePart::Second(letters) => padded(out, f64::from(self.of_day % 60), letters),
            DatePart::Fraction(_) => {
                let (fraction, digits) = self.fraction;
                out.push_str(&format!(".{fraction:0digits$}"));
            }
            DatePart::ElapsedHours(letters) => padded(out, (self.seconds / 3600.0).floor(), letters),
            DatePart::ElapsedMinutes(letters) => padded(out, (self.seconds / 60.0).floor(), letters),
            DatePart::ElapsedSeconds(letters) => padded(out, self.seconds, letters),
            DatePart::HalfDay(half) => out.push_str(match (half, hour < 12) {
                (HalfDay::AmPm, true) => "AM",
                (HalfDay::AmPm, false) => "PM",
                (HalfDay::AP, true) => "A",
                (HalfDay::AP, false) => "P",
                (HalfDay::Chinese, true) => "上午",
                (HalfDay::Chinese, false) => "下午",
            }),
        }
    }

    fn push_weekday(&self, out: &mut String, letters: usize, day: Date) {
        let weekday = day.weekday();
        if self.is_chinese {
            let name =
                ["一", "二", "三", "四", "五", "六", "日"][usize::from(weekday.number_days_from_monday())];
            out.push_str(if letters == 3 { "周" } else { "星期" });
            out.push_str(name);
        } else {
            let name = weekday.to_string();
            out.push_str(if letters == 3 { &name[..3] } else { &name });
        }
    }
}
