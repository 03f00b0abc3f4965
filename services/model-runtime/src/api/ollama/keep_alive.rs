//! `keep_alive`: how long a model stays loaded after a request.

use std::time::Duration;

use serde_json::Value;

use crate::error::RuntimeError;

/// Parts of a duration as Ollama's clients write them (`1h30m`, `500ms`), longest names first.
const UNITS: [(&str, f64); 6] =
    [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
/// Longer than any process runs; larger numbers would overflow a duration.
const MAX_SECONDS: f64 = 1e10;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeepAlive {
    /// Zero: as soon as the answer has ended, the model may go.
    For(Duration),
    Forever,
}

impl KeepAlive {
    /// Seconds as a number, or text with units; below zero means forever.
    pub(super) fn parse(value: &Value) -> Result<Self, RuntimeError> {
        let seconds = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => seconds_of(text.trim()),
            _ => None,
        };
        match seconds {
            Some(seconds) if seconds < 0.0 => Ok(Self::Forever),
            Some(seconds) => Ok(Self::For(Duration::from_secs_f64(seconds.min(MAX_SECONDS)))),
            None => Err(RuntimeError::Invalid(format!(
                "keep_alive {value} is neither seconds nor a duration such as \"5m\""
            ))),
        }
    }

    pub(super) fn unloads(self) -> bool {
        self == Self::For(Duration::ZERO)
    }
}

/// `5m`, `1h30m`, `-1`, `0`.
fn seconds_of(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds).filter(|seconds| seconds.is_finite());
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|character: char| character != '.' && !character.is_ascii_digit())?;
        let number: f64 = rest[..end].parse().ok()?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| rest[end..].starts_with(unit))?;
        seconds += number * factor;
        rest = &rest[end + unit.len()..];
    }
    (!text.is_empty()).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_durations_are_read() {
        let seconds = |seconds: f64| Some(KeepAlive::For(Duration::from_secs_f64(seconds)));
        for (value, expected) in [
            (json!(0), seconds(0.0)),
            (json!(300), seconds(300.0)),
            (json!("5m"), seconds(300.0)),
            (json!("1h30m"), seconds(5400.0)),
            (json!("500ms"), seconds(0.5)),
            (json!("0s"), seconds(0.0)),
            (json!(-1), Some(KeepAlive::Forever)),
            (json!("-1m"), Some(KeepAlive::Forever)),
            (json!(""), None),
            (json!("soon"), None),
            (json!("5 parsecs"), None),
            (json!(true), None),
        ] {
            assert_eq!(KeepAlive::parse(&value).ok(), expected, "{value}");
        }
    }

    #[test]
    fn only_zero_unloads() {
        assert!(KeepAlive::For(Duration::ZERO).unloads());
        assert!(!KeepAlive::Forever.unloads());
    }
}
