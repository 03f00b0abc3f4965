//! What becomes of each field of a request: it is honoured, it is a hint that changes no answer, or it is refused.
//!
//! A field that would change an answer is never passed over in silence. What a call takes stands in one table beside its
//! handler, so that a reader and a test can look it up.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::RuntimeError;

/// How a field is handled.
#[derive(Clone, Copy)]
pub(super) enum Field {
    /// The answer follows it.
    Honoured,
    /// About resources or bookkeeping: any value is taken, and none changes the answer.
    Neutral,
    /// Not offered here: taken only with a value that asks for nothing.
    OnlyAt(fn(&Value) -> bool),
}

/// The fields of one call, by name.
pub(super) type Fields = [(&'static str, Field)];

/// Fails with the name of the first field that cannot be honoured. Answers the neutral ones that were given.
///
/// `null` stands for a field that is not there.
pub(super) fn check(fields: &Fields, given: &Map<String, Value>) -> Result<Vec<&'static str>, RuntimeError> {
    let mut neutral = Vec::new();
    for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        match fields.iter().find(|(known, _)| known == name) {
            Some((_, Field::Honoured)) => {}
            Some((known, Field::Neutral)) => neutral.push(*known),
            Some((known, Field::OnlyAt(asks_for_nothing))) if asks_for_nothing(value) => neutral.push(*known),
            Some(_) => {
                return Err(RuntimeError::Invalid(format!(
                    "{name:?} with this value is not offered here; leave it out"
                )));
            }
            None => {
                return Err(RuntimeError::Invalid(format!(
                    "{name:?} is not known here and may change the answer; leave it out"
                )));
            }
        }
    }
    neutral.sort_unstable();
    Ok(neutral)
}

/// A body whose fields are in order, as its type; and the neutral fields that were given.
pub(super) fn read<T: DeserializeOwned>(
    fields: &Fields,
    mut given: Map<String, Value>,
) -> Result<(T, Vec<&'static str>), RuntimeError> {
    let neutral = check(fields, &given)?;
    // A field that is null is one that was left out, also where its type has no null.
    given.retain(|_, value| !value.is_null());
    let value = serde_json::from_value(Value::Object(given))
        .map_err(|cause| RuntimeError::Invalid(format!("the body is not what this call takes: {cause}")))?;
    if !neutral.is_empty() {
        tracing::debug!(fields = ?neutral, "fields that change no answer");
    }
    Ok((value, neutral))
}

pub(super) fn is_zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

pub(super) fn is_one(value: &Value) -> bool {
    value.as_f64() == Some(1.0)
}

pub(super) fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true)
}

pub(super) fn is_false(value: &Value) -> bool {
    value.as_bool() == Some(false)
}

/// An empty text, list or object.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELDS: &Fields =
        &[("model", Field::Honoured), ("user", Field::Neutral), ("mirostat", Field::OnlyAt(is_zero))];

    fn checked(body: Value) -> Result<Vec<&'static str>, String> {
        let Value::Object(given) = body else { panic!("an object") };
        check(FIELDS, &given).map_err(|error| error.to_string())
    }

    #[test]
    fn neutral_fields_are_named_and_others_are_not() {
        assert_eq!(
            checked(json!({"model": "x", "user": "y", "mirostat": 0.0})).unwrap(),
            ["mirostat", "user"]
        );
    }

    #[test]
    fn a_field_that_cannot_be_honoured_is_named_in_the_refusal() {
        assert!(checked(json!({"mirostat": 2})).unwrap_err().contains("mirostat"));
        assert!(checked(json!({"surprise": 2})).unwrap_err().contains("surprise"));
    }

    #[test]
    fn null_is_a_field_that_is_not_there() {
        assert!(checked(json!({"surprise": null, "mirostat": null})).unwrap().is_empty());
    }
}
