//! Dates as Python's `strftime` writes them in its C locale.

use std::fmt::Write as _;

use time::OffsetDateTime;

/// `now` in `format`. An unknown directive is an error that names it.
pub(super) fn format(format: &str, now: OffsetDateTime) -> Result<String, String> {
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let mut directive = characters.next();
        let unpadded = directive == Some('-');
        if unpadded {
            directive = characters.next();
        }
        let Some(directive) = directive else { return Err("a date format ends in %".to_owned()) };
        write(&mut out, directive, unpadded, now)?;
    }
    Ok(out)
}

fn write(out: &mut String, directive: char, unpadded: bool, now: OffsetDateTime) -> Result<(), String> {
    let hour_of_twelve = (now.hour() + 11) % 12 + 1;
    let (number, width) = match directive {
        'd' => (u32::from(now.day()), 2),
        'm' => (u32::from(u8::from(now.month())), 2),
        'y' => (now.year().rem_euclid(100).unsigned_abs(), 2),
        'Y' => (now.year().unsigned_abs(), 4),
        'H' => (u32::from(now.hour()), 2),
        'I' => (u32::from(hour_of_twelve), 2),
        'M' => (u32::from(now.minute()), 2),
        'S' => (u32::from(now.second()), 2),
        'f' => (now.microsecond(), 6),
        'j' => (u32::from(now.ordinal()), 3),
        'w' => (u32::from(now.weekday().number_days_from_sunday()), 1),
        'u' => (u32::from(now.weekday().number_from_monday()), 1),
        _ => {
            out.push_str(&words(directive, now)?);
            return Ok(());
        }
    };
    let width = if unpadded { 1 } else { width };
    write!(out, "{number:0width$}").map_err(|error| error.to_string())
}

fn words(directive: char, now: OffsetDateTime) -> Result<String, String> {
    let month = now.month().to_string();
    let day = now.weekday().to_string();
    Ok(match directive {
        'B' => month,
        'b' | 'h' => month.chars().take(3).collect(),
        'A' => day,
        'a' => day.chars().take(3).collect(),
        'p' => if now.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'e' => format!("{:2}", now.day()),
        'F' => self::format("%Y-%m-%d", now)?,
        'T' => self::format("%H:%M:%S", now)?,
        'D' => self::format("%m/%d/%y", now)?,
        'z' => {
            let (hours, minutes, _) = now.offset().as_hms();
            let sign = if now.offset().is_negative() { '-' } else { '+' };
            format!("{sign}{:02}{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
        }
        'Z' => "UTC".to_owned(),
        '%' => "%".to_owned(),
        other => return Err(format!("the date format has the unknown directive %{other}")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_python_writes_it() {
        let now = time::macros::datetime!(2024-07-06 15:04:05.000009 UTC);
        for (asked, expected) in [
            ("%d %b %Y", "06 Jul 2024"),
            ("%Y-%m-%d", "2024-07-06"),
            ("%A, %B %-d, %y", "Saturday, July 6, 24"),
            ("%a %e|%I:%M %p|%j", "Sat  6|03:04 PM|188"),
            ("%F %T %D %z 100%%", "2024-07-06 15:04:05 07/06/24 +0000 100%"),
            ("%f %w %u", "000009 6 6"),
        ] {
            assert_eq!(format(asked, now).unwrap(), expected, "{asked}");
        }
    }

    #[test]
    fn an_unknown_directive_is_an_error_that_names_it() {
        assert!(format("%Q", OffsetDateTime::UNIX_EPOCH).unwrap_err().contains("%Q"));
        assert!(format("100%", OffsetDateTime::UNIX_EPOCH).is_err());
    }
}
