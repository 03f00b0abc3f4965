//! Numbers as a spreadsheet shows them: format codes (ECMA-376-1, 18.8.31) read and applied.
//!
//! Two liberties, both for people who search: years of two digits are shown with four, and digits stay Arabic where a
//! format asks for Chinese ones. Padding (`_x`, `*x`) and colours are left out.

mod code;
mod date;
mod digits;

use code::{Section, Token};
pub(super) use date::Epoch;

/// Longer format codes are damage.
const MAX_CODE_BYTES: usize = 1024;
/// Significant digits that an unformatted fraction shows.
const GENERAL_DIGITS: usize = 10;
/// Whole numbers below are shown in full without a format.
const GENERAL_WHOLE: f64 = 1e15;

/// A format code, ready for use.
#[derive(Clone, Debug, Default)]
pub(super) struct NumberFormat {
    sections: Vec<Section>,
}

impl NumberFormat {
    pub(super) fn new(code: &str) -> Self {
        if code.len() > MAX_CODE_BYTES || code.eq_ignore_ascii_case("general") || code.is_empty() {
            return Self::default();
        }
        Self { sections: code::sections(code) }
    }

    /// The format that files name by its number only. Numbers whose format depends on the reader's country (14: a
    /// date, 22: a date with its time) are shown in the order year, month, day.
    pub(super) fn built_in(id: u32) -> Self {
        Self::new(match id {
            1 => "0",
            2 => "0.00",
            3 => "#,##0",
            4 => "#,##0.00",
            5 | 6 => "$#,##0;($#,##0)",
            7 | 8 => "$#,##0.00;($#,##0.00)",
            9 => "0%",
            10 => "0.00%",
            11 => "0.00E+00",
            12 => "# ?/?",
            13 => "# ??/??",
            14 => "yyyy-mm-dd",
            15 => "d-mmm-yyyy",
            16 => "d-mmm",
            17 => "mmm-yyyy",
            18 => "h:mm AM/PM",
            19 => "h:mm:ss AM/PM",
            20 => "h:mm",
            21 => "h:mm:ss",
            22 => "yyyy-mm-dd h:mm",
            27 | 36 | 50 | 52 | 57 => "yyyy\"年\"m\"月\"",
            28 | 29 | 51 | 53 | 54 | 58 => "m\"月\"d\"日\"",
            30 => "m-d-yy",
            31 => "yyyy\"年\"m\"月\"d\"日\"",
            32 => "h\"时\"mm\"分\"",
            33 => "h\"时\"mm\"分\"ss\"秒\"",
            34 | 55 => "上午/下午h\"时\"mm\"分\"",
            35 | 56 => "上午/下午h\"时\"mm\"分\"ss\"秒\"",
            37 | 38 => "#,##0;(#,##0)",
            39 | 40 => "#,##0.00;(#,##0.00)",
            41 | 42 => "#,##0;(#,##0);\"-\"",
            43 | 44 => "#,##0.00;(#,##0.00);\"-\"",
            45 => "mm:ss",
            46 => "[h]:mm:ss",
            47 => "mm:ss.0",
            48 => "##0.0E+0",
            _ => "",
        })
    }

    /// Whether numbers in this format are points in time or durations.
    pub(super) fn is_date(&self) -> bool {
        self.sections.iter().any(|section| section.is_date)
    }

    /// The number as the sheet shows it.
    pub(super) fn show(&self, value: f64, epoch: Epoch) -> String {
        let Some((section, shows_sign)) = self.section(value) else { return general(value) };
        let shown = if section.is_date {
            date::show(section, value, epoch)
        } else if section.tokens.iter().any(|token| matches!(token, Token::General | Token::Text)) {
            Some(with_general(section, value, shows_sign))
        } else {
            digits::show(section, value, shows_sign)
        };
        shown.unwrap_or_else(|| general(value)).trim().to_owned()
    }

    /// The section for a value, and whether a minus sign is still to be shown.
    fn section(&self, value: f64) -> Option<(&Section, bool)> {
        let sections = &self.sections;
        if !value.is_finite() {
            return None;
        }
        if sections.iter().any(|section| section.condition.is_some()) {
            let fits = |section: &&Section| section.condition.is_none_or(|condition| condition.holds(value));
            return sections.iter().find(fits).map(|section| (section, true));
        }
        match sections.as_slice() {
            [] => None,
            [only] => Some((only, true)),
            [_, negative, ..] if value < 0.0 => Some((negative, false)),
            [_, _, zero, ..] if value == 0.0 => Some((zero, true)),
            [first, ..] => Some((first, true)),
        }
    }
}

/// A number without a format of its own, between literals.
fn with_general(section: &Section, value: f64, shows_sign: bool) -> String {
    let mut out = String::new();
    for token in &section.tokens {
        match token {
            Token::General | Token::Text => {
                out.push_str(&general(if shows_sign { value } else { value.abs() }))
            }
            Token::Literal(text) => out.push_str(text),
            _ => {}
        }
    }
    out
}

/// A number without a format: whole numbers in full, fractions to ten significant digits.
pub(in crate::parse) fn general(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value.fract() == 0.0 && value.abs() < GENERAL_WHOLE {
        // Adding nothing makes a negative zero a zero.
        return format!("{:.0}", value + 0.0);
    }
    let magnitude = value.abs().log10().floor();
    if !(-9.0..15.0).contains(&magnitude) {
        let text = format!("{value:.5E}");
        let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        return format!("{mantissa}E{sign}{exponent}");
    }
    let decimals = (GENERAL_DIGITS as f64 - 1.0 - magnitude).clamp(0.0, 15.0) as usize;
    let text = digits::rounded(value.abs(), decimals);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if value < 0.0 { format!("-{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(code: &str, value: f64) -> String {
        NumberFormat::new(code).show(value, Epoch::Year1900)
    }

    #[test]
    fn numbers_look_as_in_the_sheet() {
        for (code, value, shown) in [
            ("0.00%", 0.125, "12.50%"),
            ("0.00 %", 0.125, "12.50 %"),
            ("#,##0.00", 1_234_567.891, "1,234,567.89"),
            ("#,##0", -1234.5, "-1,235"),
            ("#,##0", 0.4, "0"),
            ("\"¥\"#,##0.00;[Red]-\"¥\"#,##0.00", -12.5, "-¥12.50"),
            ("[$¥-804]#,##0.00", 98.0, "¥98.00"),
            ("[$€-407] #,##0.00", 1.5, "€ 1.50"),
            ("_(* #,##0.00_);_(* \\(#,##0.00\\);_(* \"-\"??_);_(@_)", -3.5, "(3.50)"),
            ("_(* #,##0.00_);_(* \\(#,##0.00\\);_(* \"-\"??_);_(@_)", 0.0, "-"),
            ("0.00", 2.675, "2.68"),
            ("0.0#", 2.5, "2.5"),
            ("000", 7.0, "007"),
            ("000-0000", 5_551_234.0, "555-1234"),
            ("0.0,\"千\"", 12_345.0, "12.3千"),
            ("0.00E+00", 12_345.0, "1.23E+04"),
            ("0.0E+0", 0.00012, "1.2E-4"),
            ("# ?/?", 2.5, "2 1/2"),
            ("# ??/??", 0.333_333_333, "1/3"),
            ("General\"元\"", 3.5, "3.5元"),
            ("[>=10000]0.0,\"k\";0", 12_000.0, "12.0k"),
            ("[>=10000]0.0,\"k\";0", 90.0, "90"),
            ("0;-0;;@", 0.0, ""),
            ("@", 12.0, "12"),
            ("#", 0.0, ""),
            ("0\\ \"m²\"", 45.0, "45 m²"),
        ] {
            assert_eq!(show(code, value), shown, "{code} of {value}");
        }
    }

    #[test]
    fn dates_and_times_look_as_in_the_sheet() {
        for (code, value, shown) in [
            ("yyyy-mm-dd", 45_352.0, "2024-03-01"),
            ("yyyy/m/d", 45_352.0, "2024/3/1"),
            ("yyyy\"年\"m\"月\"d\"日\"", 45_352.0, "2024年3月1日"),
            ("[$-804]aaaa", 45_352.0, "星期五"),
            ("dddd, mmmm d, yyyy", 45_352.0, "Friday, March 1, 2024"),
            ("d-mmm-yy", 45_352.0, "1-Mar-2024"),
            ("h:mm AM/PM", 0.75, "6:00 PM"),
            ("h:mm:ss", 0.5 + 1.0 / 86_400.0, "12:00:01"),
            ("yyyy-mm-dd hh:mm", 45_352.999_999_99, "2024-03-02 00:00"),
            ("[h]:mm", 1.5, "36:00"),
            ("mm:ss.0", 0.000_1, "00:08.6"),
            ("m/d/yy", 1.0, "1/1/1900"),
            ("上午/下午h\"时\"mm\"分\"", 0.25, "上午6时00分"),
            ("yyyy-mm-dd", 1e9, "1000000000"),
        ] {
            assert_eq!(show(code, value), shown, "{code} of {value}");
        }
        assert_eq!(NumberFormat::built_in(43).show(-3.5, Epoch::Year1900), "(3.50)");
        assert_eq!(NumberFormat::built_in(14).show(0.0, Epoch::Year1904), "1904-01-01");
        assert!(NumberFormat::new("[h]:mm").is_date() && !NumberFormat::new("[Red]0.00").is_date());
    }

    #[test]
    fn numbers_without_a_format_show_no_noise_of_binary_fractions() {
        for (value, shown) in [
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.3333333333"),
            (-2.5, "-2.5"),
            (0.0, "0"),
            (-0.0, "0"),
            (123_456_789_012.0, "123456789012"),
            (1e300, "1E+300"),
            (1.5e-12, "1.5E-12"),
            (1_234.567_891, "1234.567891"),
        ] {
            assert_eq!(general(value), shown);
        }
    }
}
